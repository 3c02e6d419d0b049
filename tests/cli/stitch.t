#!/bin/bash
# stitch: what it writes, blending, gaps, several images, faults.  (That images
# come back bit for bit is in roundtrip.t.)
. "$(dirname "$0")/../tap.sh"
plan 86
image() { "$BUILD/tests/helper/image" "$@"; }
stream() { "$BUILD/tests/helper/stream" "$@"; }
cd "$TMP" || exit 1
image make 97 61 1 8 a.png labels # values 0 to 4
image make 97 61 1 8 b.png binary

# ---- probabilities ----
for planes in 1 2; do
    for blend in mean gauss vote; do
        tile -s 20 -o 7 b.png | stream prob $planes | stitch -b $blend -o mask.png
        ok "$planes classes, $blend: the mask" image same b.png mask.png
    done
done
tile -s 20 -o 7 b.png | stream prob 2 half | stitch -o mask.png
ok "half precision" image same b.png mask.png
tile -s 20 -o 7 b.png | stream prob 3 | stitch -o mask.png
is "$(image at b.png 30 30) $(image at mask.png 30 30)" "255 2" "three classes are written as numbers"
tile -s 20 a.png | stream prob 2 | stitch --prob -o prob.tif
is "$(image info prob.tif)" "97 61 1 32" "probabilities as TIFF are floats"
tile -s 20 a.png | stream prob 2 | stitch --prob --class 0 >prob.png
is "$(image info prob.png)" "97 61 1 16" "as PNG 16 bits"
value=$(image at a.png 50 40)
is "$(image at prob.png 50 40)" "$(awk "BEGIN { printf \"%d\", (1 - $value / 255) * 65535 + 0.5 }")" "of a class"
tile -s 20 b.png | stream prob 3 | stitch --prob -o prob.png
is "$(image at prob.png 30 30)" 65535 "or of all but the background"
tile -s 20 a.png | stream prob 2 | stitch -t 0.01 -o mask.png
is "$(for x in 5 20 30 40; do [ "$(image at a.png $x 3)" -ge 3 ] && echo 255 || echo 0; done | paste -sd' ')" \
    "$(for x in 5 20 30 40; do image at mask.png $x 3; done | paste -sd' ')" "a threshold"
tile -s 20 a.png | stream uncertainty 0 | stitch --uncertainty -o u.tif
is "$(image info u.tif)" "97 61 1 32" "uncertainty"
tile -s 20 a.png | stream logits 6 | stitch --logits -o l.tif
is "$(image info l.tif)" "97 61 6 32" "logits, a channel each"
is "$(tile -s 20 a.png | stream logits 3 | stitch --logits | head -c 2)" "II" "and as TIFF on standard output"
mkdir instances
cp a.png instances/a.png
tile -s 20 -m instances --mask-suffix '' a.png | stream flows 1 >flows.tar
stitch --flows -o flows.tif flows.tar
is "$(image info flows.tif)" "97 61 2 32" "flows"
fails 65 "flows that are not there" stitch --flows -o f.tif <(tile -s 20 a.png | stream prob 2)
tile -s 16,40,full -o 25% b.png | stream prob 2 | stitch -o mask.png
ok "tiles of several sizes" image same b.png mask.png
tile -s 20 -r 40 b.png | stream prob 2 | stitch -o mask.png
ok "tiles that were enlarged" image same b.png mask.png
mkdir copies && cp b.png copies/ && rm mask.png
tile -s full -m copies --mask-suffix '' b.png | stream prob 2 | stitch --mask -o mask.png
ok "--mask, though there are probabilities" image same b.png mask.png
tile -s full b.png | stream prob 2 | stitch --image -o image.png
ok "--image" image same b.png image.png

# ---- gaps and order ----
tile -s 20 -o 0 a.png | stream drop 4 | stitch -o gaps.png 2>err
is "$? $(cat err)" "0 stitch: 5 of the 20 tiles of 'a.png' are missing, 797 pixels without a tile are background" "missing tiles"
is "$(image at gaps.png 70 10)" 0 "are background"
tile -s 20 -o 0 b.png | stream drop 4 | stream prob 2 | stitch --prob -o gaps.png 2>/dev/null
is "$(image at gaps.png 70 10)" 0 "of probability 0"
tile -s 60 --edge fit a.png | stitch -o gaps.png 2>err
is "$(grep -c 'pixels of' err)" 1 "a border without tiles is counted"
tile -s 20 a.png | stream reverse >reverse.tar
fails 65 "tiles in the wrong order" stitch -o wrong.png reverse.tar
ok "leave nothing behind" test ! -e wrong.png
stitch --any-order -o right.png reverse.tar
ok "--any-order" image same a.png right.png
tile -s 20 b.png | stream prob 2 | stream reverse >reverse.tar
fails 65 "probabilities in the wrong order" stitch -o wrong.png reverse.tar
stitch --any-order -o right.png reverse.tar
ok "--any-order" image same b.png right.png
tile -s full a.png | stream noplace | stitch -o place.png
ok "a sample without a place is an image" image same a.png place.png

# ---- outlines ----
image make 90 70 3 8 color.png
image make 90 70 1 16 deep.tif
image make 90 70 1 32 float.tif
mkdir masks
image make 90 70 1 8 masks/color.png binary
cp masks/color.png masks/deep.png
cp masks/color.png masks/float.png
for source in color.png deep.tif float.tif; do
    tile -s 20 -m masks --mask-suffix '' $source | stitch -o mask.png --overlay seen.png
    overlay -o drawn.png $source mask.png
    ok "--overlay of $source is what overlay draws" image same seen.png drawn.png
    ok "beside the same mask" image same mask.png masks/color.png
done
image make 700 1300 1 8 tall.png
tile tall.png | stream prob 2 | stitch --overlay seen.tif >mask.png
overlay -o drawn.tif tall.png mask.png
ok "wide outlines of probabilities, as TIFF" image same seen.tif drawn.tif
tile tall.png | stream prob 2 | stitch --prob --overlay seen.tif >prob.png
ok "beside probabilities" image same seen.tif drawn.tif
tile tall.png | stream prob 3 | stitch --overlay seen.png -o mask.png
overlay -o drawn.png tall.png mask.png
ok "of three classes" image same seen.png drawn.png
tile tall.png | stream prob 2 | stitch -o mask.png --overlay - >seen.png
is "$(image info seen.png)" "700 1300 3 8" "--overlay - is standard output"
tile -s 20 a.png b.png | stream prob 2 | stitch --overlay seen/ -o seen/
is "$(cd seen && echo *)" "a.png a_overlay.png b.png b_overlay.png" "a folder for both"
overlay -o drawn.png b.png seen/b.png
ok "has the right ones" image same seen/b_overlay.png drawn.png
tile -s 20 a.png | stream prob 2 | stitch --overlay lone/ >mask.png
is "$(echo lone/*)" "lone/a_overlay.png" "a folder for outlines only"
tile -s 20 -o 0 a.png | stream drop 4 | stream prob 2 >gaps.tar
stitch -o mask.png --overlay seen.png gaps.tar 2>/dev/null
is "$(image at seen.png 70 10)" "0 0 0" "where no tile is, the picture is black"
tile -s 20 a.png | stream prob 2 | stream reverse | stitch --any-order -o mask.png --overlay seen.png
overlay -o drawn.png a.png mask.png
ok "with --any-order" image same seen.png drawn.png
tile -s 20 a.png | stream prob 2 >prob.tar
tile -s 20 a.png >image.tar
rm -f no.png no_overlay.png
stream noimage <prob.tar >blind.tar
fails 65 "no image in the stream" stitch -o no.png --overlay no_overlay.png blind.tar
is "$(grep -c 'predict passes it on with --keep-image' "$TMP/.err")" 1 "says who drops it"
fails 65 "no mask in the stream" stitch -o no.png --overlay no_overlay.png image.tar
fails 64 "outlines of no mask" stitch --uncertainty -o no.png --overlay no_overlay.png prob.tar
fails 64 "the output as overlay" stitch -o no.png --overlay no.png prob.tar
fails 64 "both on standard output" stitch --overlay - prob.tar
fails 64 "an overlay of the mask's name" stitch -o seen/ --suffix _overlay --overlay seen/ prob.tar
fails 64 "a JPEG" stitch -o no.png --overlay no.jpg prob.tar
fails 73 "an overlay that cannot be created" stitch -o no.png --overlay nowhere/x.png prob.tar
tile -s 20 a.png b.png | stream prob 2 >two.tar
fails 64 "two images in one overlay" stitch -o pair/ --overlay no_overlay.png two.tar
head -c 30000 prob.tar >cut.tar
fails 65 "a cut stream" stitch -o no.png --overlay no_overlay.png cut.tar
is "$(echo no*.png)" "no*.png" "failures leave nothing behind"
tile -s 20 a.png | stream prob 2 | stitch -o mask.png --overlay - 2>err >/dev/full
is "$? $(wc -l <err)" "74 1" "a full disk"

# ---- several images ----
mkdir x out
image make 40 30 1 8 x/a.png
tile -s 20 a.png b.png x/a.png | stitch -o out
ok "a folder" image same a.png out/a.png
ok "has each image" image same b.png out/b.png
ok "and another of the same name under its key" image same x/a.png out/a-2.png
tile -s 20 a.png b.png | stitch -f tiff --suffix _mask -o new/
is "$(cd new && echo *)" "a_mask.tif b_mask.tif" "a new folder, a format, a suffix"
tile -s 20 a.png b.png >two.tar
fails 64 "two images into one file" stitch -o two.png two.tar
ok "leave nothing behind" test ! -e two.png
cat two.tar two.tar >twice.tar
fails 65 "an image twice" stitch -o out twice.tar

# ---- faults ----
tile -s 20 a.png >a.tar
size=$(stat -c %s a.tar)
for at in 0 1 511 512 1024 3000 20000 $((size / 2)) $((size - 2000)); do
    head -c "$at" a.tar >cut.tar
    fails 65 "a stream cut at $at" stitch -o cut.png cut.tar
done
ok "leaves nothing behind" test ! -e cut.png
fails 66 "no such stream" stitch missing.tar
fails 65 "not a stream" stitch a.png
fails 73 "an output that cannot be created" stitch -o nowhere/x.png a.tar
fails 64 "a JPEG" stitch -o a.jpg a.tar
fails 64 "floating-point numbers as PNG" stitch -o l.png <(tile a.png | stream logits 3) --logits
fails 65 "probabilities that are not there" stitch --prob a.tar
fails 64 "two products" stitch --prob --mask a.tar
tile -s 200 --edge fit a.png 2>/dev/null >none.tar
fails 65 "no sample" stitch none.tar
status=0
stitch a.tar >/dev/full 2>err || status=$?
is "$status $(wc -l <err)" "74 1" "a full disk"
done_testing
