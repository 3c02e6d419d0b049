#!/bin/sh
# One image too large for one machine's patience: each part is a band of whole
# rows of tiles; concatenated streams are a stream.
#
# usage: one-slide.sh IMAGE PARTS MASK.tif
set -eu
image=${1:?usage: one-slide.sh IMAGE PARTS MASK} parts=${2:?} mask=${3:?}
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
seq "$parts" | parallel --jobs 1 "tile --part {}/$parts '$image' | predict > $folder/{}.tar"
seq -f "$folder/%g.tar" "$parts" | xargs cat | stitch -o "$mask"
