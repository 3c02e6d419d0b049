#!/bin/bash
# overlay: what its pictures are like and what it refuses.
. "$(dirname "$0")/../tap.sh"
plan 44
cd "$TMP" || exit 1

size_of() { # PNG: width x height
    od -An -j16 -N8 -tu1 "$1" |
        awk '{print ((($1 * 256 + $2) * 256 + $3) * 256 + $4) "x" ((($5 * 256 + $6) * 256 + $7) * 256 + $8)}'
}

pixels_of() { # IMAGE: a sum of its pixels
    tile -s full "$1" | tar xO --wildcards '*.image.npy' | sha256sum
}

ok "a drawn image" synth -n 1 -s 300x200 --seed 1 -o .
image=$(echo images/*.png)
mask=$(echo masks/*.png)

ok "outlines" overlay -o a.png "$image" "$mask"
is "$(size_of a.png)" 300x200 "are as large as the image"
overlay "$image" "$mask" >b.png
ok "standard output has the same" cmp a.png b.png
overlay -o - "$image" - <"$mask" >b.png
ok "the mask from standard input too" cmp a.png b.png
overlay -s fill -o c.png "$image" "$mask"
overlay -s fill -a 0 -o d.png "$image" "$mask"
ok "a filling changes the picture" test "$(pixels_of c.png)" != "$(pixels_of d.png)"
overlay -t "$mask" -o e.png "$image" "$mask"
overlay -s fill -c 56B4E9 -o f.png "$image" "$mask"
is "$(pixels_of e.png)" "$(pixels_of f.png)" "a mask against itself has no errors"
ok "panels" overlay -p -t "$mask" -o g.png "$image" "$mask"
is "$(size_of g.png)" 914x200 "three panels and two gaps"
ok "panels and insets" overlay -p -i 10,10,50,40 -i 100,100,30,30 -o h.png "$image" "$mask"
is "$(size_of h.png)" 607x353 "insets are below"
ok "shrunk" overlay -m 100 -o i.png "$image" "$mask"
is "$(size_of i.png)" 100x67 "to a third"
ok "TIFF" overlay -o j.tif "$image" "$mask"
is "$(pixels_of j.tif)" "$(pixels_of a.png)" "has the same pixels"

# ---- titles, a scale bar ----
ok "titles" overlay -p --titles 'image,found by "x"' -o k.png "$image" "$mask"
is "$(size_of k.png)" 607x220 "are above the panels"
fails 65 "a scale bar of pixels of no size" overlay -b auto -o x.png "$image" "$mask"
ok "a size that is told" overlay -b auto --pixel-size 0.5 -o l.png "$image" "$mask"
is "$(size_of l.png)" 300x200 "takes no room"
ok "and changes the picture" test "$(pixels_of l.png)" != "$(pixels_of a.png)"
overlay -b 20 --pixel-size 0.5 -o m.png "$image" "$mask"
is "$(pixels_of m.png)" "$(pixels_of l.png)" "the round length is 20 micrometers of 150"
fails 64 "a bar longer than the image" overlay -b 1000 --pixel-size 0.5 -o x.png "$image" "$mask"
fails 64 "a bar that is none" overlay -b long --pixel-size 0.5 -o x.png "$image" "$mask"
overlay -m 100 -i 100,100,30,30 --panels image -o n.png "$image" "$mask"
overlay -i 100,100,30,30 --panels image -m 300 -o o.png "$image" "$mask"
ok "an inset of a shrunk image has all of its pixels" test "$(size_of n.png | cut -dx -f2)" -gt 140

# ---- folders ----
synth -q -n 3 -s 120x90 --seed 4 -o many && cp many/masks/synth_00001.png many/images/synth_00001_mask.png
ok "a folder" overlay -o drawn/ many/images many/masks
is "$(cd drawn && echo *)" "synth_00001.png synth_00002.png synth_00003.png" "a picture an image, none of a mask beside"
overlay -o p.png many/images/synth_00002.png many/masks/synth_00002.png
ok "which is that of the image alone" cmp p.png drawn/synth_00002.png
ok "images and a suffix" overlay -t many/masks --suffix _errors -o drawn many/images/synth_0000[12].png many/masks
is "$(cd drawn && echo *_errors.png)" "synth_00001_errors.png synth_00002_errors.png" "names"
rm many/masks/synth_00003.png
overlay -o drawn many/images many/masks 2>err
is "$? $(grep -c synth_00003 err)" "1 1" "an image without a mask is named, the others are drawn"
fails 64 "a folder into a file" overlay -o x.png many/images many/masks
fails 64 "a mask for a folder" overlay -o drawn many/images many/masks/synth_00001.png
echo mine >drawn/synth_00009.png && cp many/images/synth_00001.png many/images/synth_00009.png && cp many/masks/synth_00001.png many/masks/synth_00009.png
fails 73 "a picture that is not of an earlier run stays" overlay -o drawn many/images/synth_00009.png many/masks

synth -n 1 -s 310x200 --seed 2 -o other
other=$(echo other/masks/*.png)
fails 65 "a mask of another size" overlay -o x.png "$image" "$other"
fails 66 "a missing mask" overlay -o x.png "$image" missing.png
fails 64 "no mask" overlay -o x.png "$image"
fails 64 "an inset outside" overlay -i 290,0,20,20 -o x.png "$image" "$mask"
fails 64 "an inset of three numbers" overlay -i 1,2,3 -o x.png "$image" "$mask"
fails 64 "errors without a truth" overlay --panels errors -o x.png "$image" "$mask"
fails 64 "a color that is none" overlay -c red -o x.png "$image" "$mask"
fails 74 "a full disk" overlay -o /dev/full "$image" "$mask"
head -c 2000 "$image" >cut.png
fails 65 "a cut image" overlay -o x.png cut.png "$mask"
ok "nothing is left of what failed" test -z "$(find . -name 'x.png*')"
done_testing
