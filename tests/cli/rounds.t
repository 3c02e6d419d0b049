#!/bin/bash
# pipelines/rounds, at a tiny scale: the annotator's place is taken by drawn truth.
. "$(dirname "$0")/../tap.sh"
plan 12
cd "$TMP" || exit 1

draw() { # PART NUMBER SEED
    mkdir -p "data/drawn/$1"
    synth -q -n "$2" -s 192 --instances --seed "$3" -o "data/drawn/$1"
    for mask in "data/drawn/$1/masks"/*_mask.png; do
        [ ! -f "$mask" ] || mv "$mask" "${mask%_mask.png}.png"
    done
}
draw train 4 5
draw test 1 4
rounds() {
    DATA=data COUNTS="0 2" SEEDS=1 STEPS=2 CROP=64 THREADS=1 INIT=$TOP/data/default.safetensors "$TOP/pipelines/rounds" "$@"
}
ok "runs" rounds drawn out
is "$(cat out/rows/*.tsv | cut -f 2,4 | tr '\t\n' ' ;')" "random 0;random 2;suggest 0;suggest 2;" "a row a way and a count"
is "$(cut -f 5 out/rows/drawn-random-1-0.tsv)" "$(cut -f 5 out/rows/drawn-suggest-1-0.tsv)" \
    "both begin with the same network"
is "$(sort -u out/weights/drawn-random-1-2.txt | wc -l) $(sort -u out/weights/drawn-suggest-1-2.txt | wc -l)" "2 2" \
    "two images each"
tile -q data/drawn/test/images/* | predict -q -t 1 -m out/weights/drawn-random-1-2.safetensors | label -q -o found/
is "$(cut -f 5 out/rows/drawn-random-1-2.tsv)" \
    "$(score found data/drawn/test/masks | awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "dsc") c = i }
        NR == 2 { printf "%.4f", $c }')" "the DSC of the test part"
rm out/rows/drawn-random-1-2.tsv
before=$(stat -c %Y.%i out/rows/*)
ok "goes on" rounds drawn out
is "$(stat -c %Y.%i out/rows/* | grep -cxF "$before")" 3 "with what is missing alone"
is "$(rounds --table out | grep -c '^| drawn | ')" 4 "a table"
if command -v gnuplot >/dev/null; then
    rounds --plot out curve.svg
    ok "and a plot" grep -q '<svg' curve.svg
else
    skip "no gnuplot"
fi

# Masks in black and white: a network without flows from the same start.
mkdir -p data/plain && cp -r data/drawn/train data/drawn/test data/plain
for mask in data/plain/*/masks/*; do
    label -q -m keep --labelme scrap.json "$mask" && rasterize -q -m binary -o "$mask" scrap.json
done
ok "masks that number no cells" env COUNTS=2 DATA=data SEEDS=1 STEPS=2 CROP=64 THREADS=1 \
    INIT="$TOP/data/default.safetensors" "$TOP/pipelines/rounds" plain out
is "$(cut -f 6 out/rows/plain-*-2.tsv | tr '\n' ' ')" "nan nan " "give no AP"
is "$(weights info out/weights/plain-random-1-2.safetensors | grep ^architecture)" "architecture	unet-s:width=24,norm=0" \
    "and teach a network without flows"
done_testing
