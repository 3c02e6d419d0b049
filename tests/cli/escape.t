#!/bin/bash
# Names of files and what streams say reach a terminal harmless: no command to it, no line
# of their own, whichever program speaks and whether it is a message, a table or JSON.
. "$(dirname "$0")/../tap.sh"
plan $((20 + 4 * $(find "$BIN" -type f | wc -l)))
cd "$TMP" || exit 1

# Title and color of xterm, a line that looks like ours, CSI as C1 and as a bare byte, a
# mark that turns the direction of writing.
name=$'a\033]0;title\007\033[31m\ntile: all is well\302\233\233\342\200\256z'
shown='a\x1b]0;title\x07\x1b[31m\x0atile: all is well\xc2\x9b\x9b\xe2\x80\xaez'

harmless() { # FILE: holds nothing that a terminal obeys but ends of lines and tabs
    ! LC_ALL=C grep -qP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80[\xa8-\xae]' "$1" &&
        iconv -f UTF-8 "$1" >/dev/null
}

harmless_output() { # NAME LINES COMMAND...: what it prints and says
    local name=$1 lines=$2
    shift 2
    "$@" >out 2>&1 </dev/null
    is "$(wc -l <out)" "$lines" "$name: $lines lines"
    ok "$name: harmless" harmless out
}

for program in "$BIN"/*; do
    program=$(basename "$program")
    harmless_output "$program, an option" 1 "$program" "--$name"
    case $program in
    train) harmless_output "$program, a file" 1 train -o w.safetensors "$name" ;;
    holdout) harmless_output "$program, a file" 1 holdout --train "$name" ;;
    score) harmless_output "$program, files" 1 score "$name" "$name" ;;
    overlay) harmless_output "$program, files" 1 overlay -o out.png "$name" "$name" ;;
    weights) harmless_output "$program, a file" 1 weights info "$name" ;;
    rasterize) harmless_output "$program, a file" 1 rasterize -o out.png "$name" ;;
    predict | synth) ;;
    *) harmless_output "$program, a file" 1 "$program" "$name" ;;
    esac
done
is "$(peek "$name" 2>&1)" "peek: read '$shown': No such file or directory" "how it is shown"
is "$(peek 'ä б ✓ 日本 🔬.tar' 2>&1)" \
    "peek: read 'ä б ✓ 日本 🔬.tar': No such file or directory" "other letters stay"

# An image of that name, through the programs that tell of it.
synth -s 64x64 -n 1 -o drawn
cp drawn/images/*.png "$name.png"
cp drawn/masks/*.png "$name.mask.png"
mkdir masks && cp drawn/masks/*.png "masks/$name.png"
tile -s full -m masks --mask-suffix '' "$name.png" >image.tar
harmless_output "tile: smaller than a tile" 1 tile -s 128 --edge fit "$name.png"
harmless_output "peek" 2 peek image.tar
harmless_output "peek -j" 2 peek -j image.tar
peek -j image.tar >out
ok "peek -j is JSON" jq -es 'map(select(.meta))[0].meta.source.name | test("\u009b.*\u202e")' out
harmless_output "label -T" 1 label --min-size 1000000 -T - -o labels.tif "$name.mask.png"
label -T - -o labels.tif "$name.mask.png" >out
ok "label -T: a row a cell" harmless out
is "$(awk -F'\t' 'NF != 18 && NF != n && n {print} {n = NF}' out | wc -l)" 0 "label -T: whole rows"
harmless_output "score" 2 score "$name.mask.png" "$name.mask.png"
score -j "$name.mask.png" "$name.mask.png" >out
ok "score -j" harmless out
ok "score -j is JSON" jq -e '.images[0].name | contains("\u001b[31m\ntile") and contains("\u009b%9B\u202e")' out
harmless_output "score, folders without partners" 2 score masks drawn/images
weights convert "$TOP/data/default.safetensors" w.safetensors --set "${name/$'\233'/}=${name/$'\233'/}"
weights info w.safetensors >out
ok "weights info" harmless out
is "$(grep -c 'all is well' out)" 1 "weights info: a line"
weights info --json w.safetensors >out 2>/dev/null || true
ok "weights info --json" harmless out

# Reasons are kept where names are long.
long=$(printf 'long/%.0s' {1..200})
is "$(tile "${long}a.png" 2>&1 | grep -c ': No such file or directory$')" 1 "a long name's reason"

# Many at once say it into one file: a message is one write, a line of its own.
for n in {1..200}; do
    tile "none-$n" 2>>messages &
done >/dev/null
wait
is "$(grep -cx "tile: open 'none-[0-9]*': No such file or directory" messages)" 200 "200 at once: 200 lines"
done_testing
