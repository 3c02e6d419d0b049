#!/bin/bash
# How options are written: before and after operands, in short and in long, with lists and
# pairs, and what is said of those that are wrong.
. "$(dirname "$0")/../tap.sh"
plan 44
cd "$TMP" || exit 1

says() { # STATUS MESSAGE COMMAND...: the one line that the program says
    local status=$1 message=$2
    shift 2
    fails "$status" "$*: $message" "$@"
    is "$(cat "$TMP/.err")" "$message" "$* says so"
}

synth -s 64x48 -o one.tar
synth -s 64x48 -n 1 -o drawn
cp drawn/images/*.png image.png
cp image.png ./-s

tile -s 32 -o 0 image.png >before.tar
tile image.png -s 32 -o 0 >after.tar
is "$(peek -n before.tar)" 4 "options before operands"
is "$(peek after.tar -n)" 4 "options after operands"
is "$(peek -p after.tar)" "# tile $(tile -V | awk '{print $NF}'): tile image.png -s 32 -o 0" \
    "the command line is kept as it was written"
is "$(tile -o 0 --size 16 -- -s | peek -n)" 12 "-- ends the options"
is "$(tile image.png -s16 -o0 | peek -n)" 12 "a letter's argument may follow it at once"
is "$(tile image.png --size=16 --over 0 | peek -n)" 12 "=, and long names cut short"
is "$(tile - -s 16 -o 0 <image.png | peek -n)" 12 "- is an operand"

# Lists, pairs, words that stand for numbers, options given twice.
is "$(tile -s 16,32,full -o 0 image.png | peek -n)" 17 "a list of sizes"
is "$(synth -s 40 | peek | awk -F'\t' 'NR == 2 {print $2}')" "image uint8 40x40x1" "W of W[xH]"
is "$(synth -s 40x24 | peek | awk -F'\t' 'NR == 2 {print $2}')" "image uint8 24x40x1" "WxH"
is "$(tile --gray --rgb image.png -s full | peek | awk -F'\t' 'NR == 2 {print $2}')" \
    "image uint8 48x64x3" "the last of two wins"
is "$(weights convert "$TOP/data/default.safetensors" w.safetensors --set a=1 --set b=2 &&
    weights info w.safetensors | grep -cE '^(a|b)\s[12]$')" 2 "an option that may be repeated"
overlay image.png drawn/masks/*.png --color ff0000 -o a.png
overlay image.png drawn/masks/*.png --colour '#FF0000' -o b.png
ok "--colour is --color" cmp a.png b.png
is "$(overlay --help | grep -c colour)" 0 "the old word is not shown"

says 64 "tile: option '--size': '1x' is not a whole number (see 'tile --help')" tile -s 1x -
says 64 "tile: option '--size': '65536' is not between 1 and 65535 (see 'tile --help')" \
    tile -s 16,65536
says 64 "tile: option '--size': '' is not a whole number (see 'tile --help')" tile -s 16,
says 64 "tile: option '--edge': 'cut' is none of shift|pad|fit (see 'tile --help')" tile --edge cut
says 64 "tile: option '--part': '1' is not I/N (see 'tile --help')" tile --part 1
says 64 "tile: option '--part': '1/2/3' is not I/N (see 'tile --help')" tile --part 1/2/3
says 64 "tile: unknown option '--sice' (see 'tile --help')" tile --sice 3
says 64 "tile: unknown option '-z' (see 'tile --help')" tile --gray -zs 16
says 64 "tile: option '--gray=1': it takes no argument (see 'tile --help')" tile --gray=1
says 64 "tile: option '-s' needs an argument (see 'tile --help')" tile -s
says 64 "tile: option '--size' needs an argument (see 'tile --help')" tile --size
says 64 "holdout: --train and --test exclude each other (see 'holdout --help')" \
    holdout --train --test
says 64 "stitch: --prob and --mask exclude each other (see 'stitch --help')" stitch --prob --mask
says 64 "overlay: option '--inset': at most 6 times (see 'overlay --help')" \
    overlay -i1,1,1,1 -i1,1,1,1 -i1,1,1,1 -i1,1,1,1 -i1,1,1,1 -i1,1,1,1 -i1,1,1,1 a b
says 64 "score: option '--pixel-size': '1,2,3' is not UM[,UM] (see 'score --help')" \
    score --pixel-size 1,2,3
done_testing
