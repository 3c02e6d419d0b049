#!/bin/bash
# README's recipe for people's own cells, as it stands there: with fewer steps, on drawn images.
. "$(dirname "$0")/../tap.sh"
plan 8
cd "$TMP" || exit 1

sed -n '/^    # your own cells/,/^$/s/^    //p' "$TOP/README.md" >recipe.sh
is "$(grep -c . recipe.sh)" 5 "README has the recipe"
sed -i 's/--steps [0-9]*/--steps 3/' recipe.sh
synth -q -n 2 -s 230 --seed 3 --instances -o . && mkdir more && cp images/*1.png more/ || exit 1
rename() { # masks are named as images
    for mask in masks/*_mask.png; do [ ! -f "$mask" ] || mv "$mask" "${mask%_mask.png}.png"; done
}
rename
ln -s "$TOP/data" data
bash -e recipe.sh 2>said
is "$?" 0 "it runs"
is "$(grep -c "^train: wrote 'mine.safetensors' after 3 steps, .*score(1) tells$" said)" 1 "it says what came out"
is "$(weights info mine.safetensors | grep -E '^(architecture|sees)')" \
    "$(weights info data/default.safetensors | grep -E '^(architecture|sees)')" "the network is the default one"
ok "other weights" bash -c "! weights diff -q mine.safetensors data/default.safetensors"
ok "results are there" test -s results/index.html

# A run of days says so after its first seconds; one that fits in an hour does not.
synth -q -n 4 -s 48 >small.tar
train -a unet-s:width=8,levels=2 -t 1 -b 2 --steps 100000000 -o long.safetensors small.tar 2>long &
pid=$!
for _ in $(seq 120); do
    ! grep -q 'this will take' long || break
    sleep 0.5
done
kill $pid 2>/dev/null
wait $pid 2>/dev/null
ok "how long a long run takes is told" grep -qE \
    '^train: this will take about [0-9.]+ (h|days) \([0-9.]+ s a step, 100000000 steps\)' long
is "$(grep -c 'this will take' said)" 0 "a short one is not announced"
done_testing
