#!/bin/bash
# tile: geometry, masks, channels, ranges, several images, faults.
. "$(dirname "$0")/../tap.sh"
plan 63
image() { "$BUILD/tests/helper/image" "$@"; }
json() { tar xOf "$1" "$2.json"; } # STREAM KEY
keys() { tar tf - | sed -n 's/\.image\.npy$//p'; }
cd "$TMP" || exit 1

# ---- the paper's grid ----
image make 4000 3000 1 8 paper.tif plain
tile -s 224,448,1000,1500,2000,full -o 35% --edge fit paper.tif >paper.tar
is "$(keys <paper.tar | cut -d/ -f2 | sort | uniq -c | sort -rn | awk '{print $2 "=" $1}' | paste -sd' ')" \
    "224=540 448=117 1000=20 1500=6 2000=2 full=1" "the paper's tiles of a 4000 x 3000 image"
is "$(keys <paper.tar | grep /1000/ | sed -n '2p;6p' | paste -sd' ')" \
    "paper/1000/y000000-x000650 paper/1000/y000650-x000000" "begin at multiples of floor(size x 0.65)"
is "$(keys <paper.tar | sed 's/.*y0*\([0-9]*[0-9]\)-.*/\1/' | sort -nc 2>&1)" "" "sizes mixed in the order of their first rows"
tile -s full,1000 -r 224 --edge fit paper.tif >resized.tar
is "$(peek resized.tar | grep -c 'uint8 224x224x1')" 13 "all resized to 224"
is "$(tile paper.tif | keys | wc -l)" 432 "the default geometry"
tile --diameter 72 paper.tif >large.tar
is "$(keys <large.tar | sed -n '1p;2p' | paste -sd' ') $(peek large.tar | grep -c 'uint8 224x224x1')" \
    "paper/448/y000000-x000000 paper/448/y000000-x000336 108" "--diameter: twice as much in as many pixels"
is "$(tile --diameter 72 paper.tif | stitch -q --image | image info /dev/stdin)" "4000 3000 1 8" "stitch undoes it"
fails 64 "--diameter with --resize" tile --diameter 72 -r 224 paper.tif
fails 64 "--diameter with --size" tile --diameter 72 -s 448 paper.tif
image make 300 100 1 8 flat.png
is "$(tile --diameter 18 flat.png | keys | sed 's/flat.//' | paste -sd' ')" \
    "112/y000000-x000000 112/y000000-x000084 112/y000000-x000168 112/y000000-x000188" "small cells are enlarged"
rm paper.tif paper.tar resized.tar large.tar

# ---- places ----
image make 100 50 3 8 a.png
tile -s 40 -o 10 a.png >a.tar
is "$(keys <a.tar | paste -sd' ')" "a/40/y000000-x000000 a/40/y000000-x000030 a/40/y000000-x000060 a/40/y000010-x000000 a/40/y000010-x000030 a/40/y000010-x000060" "keys and places"
is "$(json a.tar a/40/y000010-x000060 | grep -oE '"(x|y|width|height|index|count|channels|bits)":[0-9]+' | paste -sd' ')" \
    '"channels":3 "bits":8 "width":100 "height":50 "x":60 "y":10 "width":40 "height":40 "index":5 "count":6 "x":1 "y":1' "in the json too"
is "$(tile -s 64 --edge pad -o 0 a.png | tar xOf - a/64/y000000-x000064.json | grep -oE '"(right|bottom)":[0-9]+' | paste -sd' ')" \
    '"right":28 "bottom":14' "padding is noted"
is "$(tile -s 40 -r 20 a.png | tar xOf - a/40/y000000-x000000.json | grep -oE '"scale":\{[^}]*\}')" \
    '"scale":{"x":0.5,"y":0.5}' "so is the scale"
is "$(for i in 1 2 3; do tile -s 20 -o 0 --part $i/3 a.png | keys; done | paste -sd' ')" "$(tile -s 20 -o 0 a.png | keys | paste -sd' ')" "parts are the whole"
fails 65 "no tile fits" tile -s 200 --edge fit a.png
is "$(cat "$TMP/.err")" "tile: cut 'a.png': it is smaller than a tile and gives none" "is said"

# ---- names ----
mkdir -p x y
cp a.png x/cell.1.png
cp a.png y/cell.1.png
is "$(tile -s full x/cell.1.png y/cell.1.png | keys | paste -sd' ')" "cell_1/full/y000000-x000000 cell_1-2/full/y000000-x000000" "stems in dots, and twice"
is "$(tile -s full x/cell.1.png | tar xOf - cell_1/full/y000000-x000000.json | grep -o '"name":"[^"]*"')" '"name":"x/cell.1.png"' "the true name"
is "$(tile -s full - <a.png | keys)" "stdin/full/y000000-x000000" "standard input"

# ---- masks ----
mkdir masks
image make 100 50 1 8 masks/a_mask.png binary
is "$(tile -s 40 -m masks a.png | peek | grep -c 'mask uint8 40x40')" 6 "masks, by their suffix"
mv masks/a_mask.png masks/a.png
is "$(tile -s 40 -m masks a.png | peek | grep -c 'mask uint8 40x40')" 6 "by their stem"
image make 100 50 1 16 masks/a_gt.tif labels
is "$(tile -s 40 -m masks --mask-suffix _gt a.png | peek | grep -c 'mask uint16 40x40')" 6 "by a suffix of one's own"
tile -s full --mask-suffix _gt -m masks a.png | stitch --mask -o back.tif
is "$(image at back.tif 99 49)" "$(image at masks/a_gt.tif 99 49)" "labels are kept"
tile -s full -m masks a.png | tar xOf - a/full/y000000-x000000.mask.npy | tail -c 5000 | od -An -tu1 -v | tr -s ' ' '\n' | grep . | sort -un | paste -sd' ' >values
is "$(cat values)" "0 1" "white is label 1"
fails 66 "no mask" tile -m masks x/cell.1.png
image make 99 50 1 8 masks/a.png binary
fails 65 "a mask of another size" tile -m masks a.png
image make 100 50 3 8 masks/a.png
fails 65 "a mask in colors" tile -m masks a.png
image make 100 50 1 32 masks/b.tif
rm masks/a.png; mv masks/b.tif masks/a.tif
fails 65 "a mask of floating-point numbers" tile -m masks a.png
fails 66 "a folder of masks that is not there" tile -m nowhere a.png

# ---- channels ----
image make 20 20 4 8 rgba.png
image make 20 20 1 16 gray.png
image make 20 20 5 8 five.tif
is "$(tile -s 20 rgba.png | peek | grep -o 'uint8 20x20x.')" "uint8 20x20x3" "alpha is dropped"
is "$(tile -s 20 --gray rgba.png | peek | grep -o 'uint8 20x20x.')" "uint8 20x20x1" "--gray"
is "$(tile -s 20 --rgb gray.png | peek | grep -o 'uint16 20x20x.')" "uint16 20x20x3" "--rgb"
is "$(tile -s 20 five.tif | peek | grep -o 'uint8 20x20x.')" "uint8 20x20x5" "five channels"
fails 65 "five channels are not RGB" tile --rgb five.tif
image make 20 20 1 32 labels.tif labels
is "$(tile -s 20 labels.tif | peek | grep -o 'float32 20x20x.')" "float32 20x20x1" \
    "whole numbers of 32 bits become floats"

# ---- ranges ----
constants() { grep -oE '"normalisation":\{[^}]*\}'; }
image make 64 64 1 8 range.png labels # values 0 to 4
is "$(tile -s 64 --normalize minmax range.png | tar xOf - range/64/y000000-x000000.json | constants)" \
    '"normalisation":{"offset":0.0,"gain":0.25}' "extremes of the whole image"
is "$(tile -s 32 -o 0 --normalize percentile range.png | tar xOf - --wildcards '*.json' | constants | sort -u | wc -l)" 1 "one range for all tiles"
is "$(tile -s 64 --normalize minmax - <range.png | tar xOf - stdin/64/y000000-x000000.json | constants)" \
    '"normalisation":{"offset":0.0,"gain":0.25}' "of standard input too"
image make 64 64 1 32 float.tif
is "$(tile -s 64 --normalize percentile float.tif | tar xOf - float/64/y000000-x000000.json | constants | grep -c 'offset":-2\.')" 1 "of floating-point numbers"

# ---- faults ----
head -c 3000 a.png >cut.png
tile -s 40 a.png missing.png cut.png rgba.png >some.tar 2>err
is $? 1 "some images fail: exit 1"
is "$(wc -l <err)" 2 "each is reported"
fails 1 "the stream is whole, and says so" peek some.tar
is "$(cat "$TMP/.err")" "peek: read 'some.tar': 'missing.png' and 1 more failed before" "names them"
is "$(keys <some.tar | cut -d/ -f1 | sort -u | paste -sd' ')" "a rgba" "with the others"
fails 66 "no such image" tile missing.png
fails 65 "an image that is cut" tile cut.png
fails 65 "no image at all" tile "$TOP/tests/tap.sh"
tile missing.png 2>/dev/null >none.tar
fails 65 "all images fail: the stream is cut" peek none.tar
status=0
tile a.png >/dev/full 2>err || status=$?
is "$status $(wc -l <err)" "74 1" "a full disk"
(tile -s 8 -o 7 a.png; echo $? >status) 2>err | head -c 100 >/dev/null
is "$(wc -c <err) $(cat status)" "0 141" "a closed pipe ends it quietly"
for wrong in "-s 0" "-s 224,,3" "-s big" "-o 100%" "-s 10 -o 10" "-o -1" "-r 0" "--edge soft" "--part 0/2" "--part 3/2" "--part 2" "--normalize all"; do
    # shellcheck disable=SC2086
    fails 64 "wrong usage: $wrong" tile $wrong a.png
done
done_testing
