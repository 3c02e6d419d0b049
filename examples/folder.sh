#!/bin/sh
# A folder of images, two at a time; a second run does only what is missing or
# failed.  IMAGE.tif becomes OUT/IMAGE_mask.png.
#
# usage: folder.sh IN OUT
set -eu
in=${1:?usage: folder.sh IN OUT} out=${2:?usage: folder.sh IN OUT}
mkdir -p "$out"

# predict uses every core by itself, so two at a time are enough to keep it busy
# while images are read and written.
# shellcheck disable=SC2016 # parallel's shell expands OUT
find "$in" -maxdepth 1 -type f \( -name '*.tif' -o -name '*.tiff' -o -name '*.png' -o -name '*.jpg' \) |
    sort |
    OUT=$out parallel --jobs 2 --joblog "$out/joblog.tsv" --resume-failed \
        'tile {} | predict | stitch -o "$OUT"/{/.}_mask.png'
