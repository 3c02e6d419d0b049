#!/bin/bash
# tests/bench/image.sh [ROUNDS [WIDTHxHEIGHT]]: `tile | stitch` against libvips's
# `vips copy` of the same file, in interleaved rounds: medians of the wall time and
# of the processor time of all processes, megapixels a second, and the ratio.
# Below a ratio of 1 we are faster.  Needs the programs built and libvips-tools.
set -eu
cd "$(dirname "$0")/../.."
rounds=${1:-5}
size=${2:-8000x6000}
PATH=${BUILD:-$PWD/build}/bin:$PATH
command -v vips >/dev/null || { echo "image.sh: vips is missing (libvips-tools)" >&2; exit 1; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

synth -q -n 1 -s "$size" --seed 1 -o .
mv images/*.png grey.png
mv masks/*.png mask.png
vips copy grey.png grey.tif
vips copy grey.png 'deflate.tif[compression=deflate]'
vips linear grey.png wide.v 20 0
vips cast wide.v cast.v ushort
vips copy cast.v grey16.png --interpretation grey16
rm -f ./*.v

ours() { # IN OUT COMPRESSION
    tile -q "$1" | stitch -q -c "$3" -o "ours.$2"
}

vips_copy() { # IN OUT OPTIONS
    vips copy "$1" "vips.$2$3"
}

# timed FILE COMMAND...: appends "wall processor", in seconds
timed() {
    local file=$1 TIMEFORMAT='%R %U %S'
    shift
    { time "$@"; } 2>&1 | awk '{print $1, $2 + $3}' >>"$file"
}

median() { # FILE COLUMN
    sort -n -k "$2,$2" "$1" | awk -v c="$2" '{v[NR] = $c} END {print v[int((NR + 1) / 2)]}'
}

row() { # NAME
    awk -v name="$1" -v w="$(median ours.times 1)" -v c="$(median ours.times 2)" \
        -v vw="$(median vips.times 1)" -v vc="$(median vips.times 2)" \
        -v pixels="$((${size%x*} * ${size#*x}))" 'BEGIN {
        printf "%-22s %7.3f %7.3f %8.0f %7.3f %7.3f %7.2f %7.2f\n", name, w, c, pixels / w / 1e6,
            vw, vc, w / vw, c / vc }'
}

compare() { # NAME IN OUT OUR_COMPRESSION VIPS_OPTIONS
    rm -f ours.times vips.times
    for _ in $(seq "$rounds"); do
        timed ours.times ours "$2" "$3" "$4"
        timed vips.times vips_copy "$2" "$3" "$5"
    done
    row "$1"
}

echo "$size pixels, $rounds rounds, $(nproc) processors; seconds"
printf '%-22s %7s %7s %8s %7s %7s %7s %7s\n' "" wall cpu Mpx/s v.wall v.cpu wall/v cpu/v
compare "TIFF, uncompressed" grey.tif o.tif none ""
compare "TIFF, Deflate" deflate.tif o.tif deflate "[compression=deflate]"
compare "PNG, 8 bits" grey.png o.png deflate ""
compare "PNG, 16 bits" grey16.png o.png deflate ""
compare "PNG, mask" mask.png o.png deflate ""
