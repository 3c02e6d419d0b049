#!/bin/bash
# Stacks, channels and masks of several planes through the programs.
. "$(dirname "$0")/../tap.sh"
plan 39
cd "$TMP" || exit 1
image() { "$BUILD/tests/helper/image" "$@"; }

composite=$'ImageJ=1.54f\nimages=3\nchannels=3\nmode=composite\n'
stack=$'ImageJ=1.54f\nimages=3\nslices=3\nunit=micron\n'
image pages channels.tif 30 20 "$composite" 10 20 30
image pages stack.tif 30 20 "$stack" 10 20 30
image pages plain.tif 30 20 "" 0 1

pixel() { # what tile takes of an image: `stitch --image` gives it back
    tile -q -s full "$@" | stitch -q --image -o pixel.tif --force && image at pixel.tif 3 4
    rm -f pixel.tif
}

is "$(pixel channels.tif)" "10 20 30" "channels are the image's"
is "$(pixel --channel 3 channels.tif)" "30" "one of them"
is "$(pixel --channel 2,1 channels.tif)" "20 10" "two of them"
is "$(pixel --z 2 stack.tif)" "20" "a slice"
is "$(pixel --z max stack.tif)" "30" "the largest of all"
is "$(pixel --z mean stack.tif)" "20" "the mean"
is "$(pixel --channel all plain.tif)" "0 1" "pages as channels"
fails 65 "slices need a choice" tile stack.tif
is "$(grep -c -- '--z 1 to 3.*--z max' "$TMP/.err")" 1 "which is said"
fails 65 "pages, too" tile plain.tif
is "$(grep -c -- '--channel all' "$TMP/.err")" 1 "with what they may be"
fails 65 "a slice that is not there" tile --z 4 stack.tif
fails 64 "no slice" tile --z first stack.tif
fails 64 "no channel" tile --channel 0 channels.tif
fails 64 "a level or a size" tile --level 1 --mpp 0.5 stack.tif

# masks
image make 30 20 1 8 mask.png labels
fails 65 "a mask of several pages" label -m keep -T - plain.tif
is "$(label -m keep --z 2 -T - plain.tif | tail -n +2 | wc -l)" 1 "one of its pages"
image pages two.tif 30 20 $'ImageJ=1.54f\nimages=2\nchannels=2\n' 0 7
fails 65 "a mask of two channels" score two.tif two.tif
is "$(score --mask-channel 2 two.tif two.tif | cut -f2 | tail -n 1)" 1 "one of them"
mkdir masks
cp mask.png masks/stack_mask.png
is "$(tile -q -s full --z 2 -m masks stack.tif | peek | grep -o 'mask uint8 20x30')" \
    "mask uint8 20x30" "a mask is for all slices of its image"
is "$(label -q -m keep -T - -i channels.tif mask.png | head -n 1 | tr '\t' '\n' | grep -c mean_intensity)" 3 \
    "intensities of all channels"
is "$(label -q -m keep -T - --channel 2 -i channels.tif mask.png | cut -f26 | tail -n 1)" 20 \
    "or of one"
ok "an overlay of a slice" overlay --z max -o o.png stack.tif mask.png

# channels in files of their own, as nnU-Net has them
keys() { tar tf - | sed -n 's|/full/.*image.npy$||p' | tr '\n' ' '; }
mkdir imagesTr labelsTr frames
for c in 0 1 2; do image pages imagesTr/case_a_000$c.tif 30 20 "" $((c + 5)); done
image pages imagesTr/case_b_0000.tif 30 20 "" 9
cp mask.png labelsTr/case_a.png
cp mask.png labelsTr/case_b.png
tile -q -s full -m labelsTr imagesTr/*.tif >nnunet.tar 2>message
is "$(keys <nnunet.tar)" "case_a case_b_0000 " "files _0000, _0001, ... are channels of an image"
is "$(peek nnunet.tar | grep -c 'image uint8 20x30x3')" 1 "... as many as there are"
is "$(tar tf nnunet.tar | grep -c mask.npy)" 2 "... with the image's mask"
is "$(cat message)" "tile: cut 'imagesTr/case_a.tif': 'imagesTr/case_a_0000.tif' and the next 2 are its channels by their names; else --numbered images" "... which is said"
is "$(pixel imagesTr/case_a_*.tif 2>message)" "5 6 7" "... in their order"
is "$(pixel --channel 2 imagesTr/case_a_*.tif 2>message)" 6 "... of which one is taken"
is "$(tile -q -s full --numbered images imagesTr/*.tif | keys)" "case_a_0000 case_a_0001 case_a_0002 case_b_0000 " "or images"
tile -q imagesTr/case_a_000[01].tif 2>/dev/null | predict -q -t 1 >none.tar 2>message
is "$?:$(cat message)" "65:predict: sample 'case_a/224/y000000-x000000': 2 channels, but the network takes 1: choose by tile --channel" "a network that sees one channel is given one"
is "$(tile -q --channel 2 imagesTr/case_a_000[01].tif 2>message | predict -q -t 1 | peek | grep -c prob)" 1 "which is chosen"
for f in 0 1 2 3 4 5; do image pages frames/f_000$f.tif 30 20 "" "$f"; done
is "$(tile -q -s full frames/*.tif | keys)" "f_0000 f_0001 f_0002 f_0003 f_0004 f_0005 " "many, elsewhere, are frames of a film"
is "$(tile -q -s full --numbered channels frames/*.tif | keys)" "f " "unless it is said"
is "$(tile -q -s full frames/f_000[12].tif | keys)" "f_0001 f_0002 " "so are those that do not begin with _0000"
image pages imagesTr/case_a_0002.tif 31 20 "" 7
tile -q -s full imagesTr/case_a_*.tif >none.tar 2>message
is "$?:$(grep -c "another size or type than 'imagesTr/case_a_0000.tif'" message)" "65:1" "channels of several sizes are refused"
is "$(tile -q -s full frames/f_0000.tif frames/f_0001.tif 2>message | keys)" "f " "two of a size are channels anywhere"
for f in 0 1; do image make 30 20 3 8 frames/c_000$f.png; done
is "$(tile -q -s full frames/c_*.png | keys)" "c_0000 c_0001 " "unless they are in color"

# the size of a pixel goes through
tile -q -s full --z 1 stack.tif | stitch -q --image -o i.tif
is "$(label -q -m keep -T - -i i.tif mask.png | cut -f30 | sed -n 2p)" \
    "$(label -q -m keep -T - mask.png | awk -F '\t' 'NR == 2 { print $10 / 4 }')" \
    "half a micrometer a pixel"
done_testing
