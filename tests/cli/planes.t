#!/bin/bash
# Stacks, channels and masks of several planes through the programs.
. "$(dirname "$0")/../tap.sh"
plan 24
cd "$TMP" || exit 1
PATH=$BUILD/tests/helper:$PATH

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

# the size of a pixel goes through
tile -q -s full --z 1 stack.tif | stitch -q --image -o i.tif
is "$(label -q -m keep -T - -i i.tif mask.png | cut -f30 | sed -n 2p)" \
    "$(label -q -m keep -T - mask.png | awk -F '\t' 'NR == 2 { print $10 / 4 }')" \
    "half a micrometer a pixel"
done_testing
