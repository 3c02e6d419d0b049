#!/bin/bash
# No tile shows: however an image is cut, the default pipe says the same of it, since the network sees
# it through windows of its own.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
DATA=$SHARED/data
SETS="bbbc039_u2os dsb2018_nuclei dsb2018_more sbsst265_neuroblastoma cervical_lbc usiigaci_t98g qpi_adherent
    qpi_adherent_b deepcell_phase pfc_neurons nist_stem_colony bbbc041seg_half incucyte_livecell_like itmo_brightfield"
plan $((15 + $(wc -w <<<"$SETS")))
cd "$TMP" || exit 1
mkdir images

mask() { # NAME IMAGE TILE-OPTION...: NAME.tif, and cells-NAME.tif
    tile -q "${@:3}" "$2" | predict -q -t 1 >"$1.tar" && stitch -q -c none -o "$1.tif" "$1.tar" &&
        label -q -c none -o "cells-$1.tif" "$1.tar" 2>label.err
}
# Pixels of two masks that differ, in a thousand: a tenth of what is asked, 0.5 %.
# shellcheck disable=SC2317 # ok calls them
differ() {
    local size
    [ "$(stat -c %s "$1")" = "$(stat -c %s "$2")" ] || return 1
    size=$(stat -c %s "$1")
    cmp -l "$1" "$2" | wc -l | awk -v n="$size" '{ printf "%.2f", 1000 * $1 / n }'
}
# shellcheck disable=SC2317
same() { awk -v d="$(differ "$1" "$2")" 'BEGIN { exit !(d != "" && d < 0.5) }'; }
# shellcheck disable=SC2317
within() { awk -v d="$(differ "$1" "$2")" -v most="$3" 'BEGIN { exit !(d != "" && d < most) }'; }
cells() { label -q -T "$1.tsv" -o /dev/null "$1.tar" 2>label.err && wc -l <"$1.tsv"; }
# A drawing, each pixel as TIMES x TIMES, of float32 where there are several channels.
draw() { # NAME TIMES CHANNELS SYNTH-OPTION...
    synth -q -n 1 --seed 3 "${@:4}" -o drawn.tar
    /usr/bin/python3 - "$1" "$2" "$3" <<'END'
import io, sys, tarfile
import numpy as np
name, times, channels = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with tarfile.open("drawn.tar") as tar:
    for m in tar:
        if m.name.endswith(".image.npy"):
            a = np.load(io.BytesIO(tar.extractfile(m).read()))
a = np.kron(a.reshape(a.shape[:2]), np.ones((times, times), a.dtype))
if channels > 1:
    a = np.stack([a.astype(np.float32) / np.float32(255)] * channels, -1)
np.save(f"images/{name}.npy", a)
END
    rm drawn.tar
}

draw plain 1 1 -s 500 -l monolayer --radius 14
draw large 4 1 -s 160 -l monolayer --radius 12
draw narrow 1 1 -s 150 -l fluorescence
for name in plain large narrow; do
    mask tiles images/$name.npy
    mask other images/$name.npy -s 256 -o 20%
    mask apart images/$name.npy -s 200 -o 0
    mask full images/$name.npy -s full
    ok "$name: tiles of another size" same tiles.tif other.tif
    ok "$name: tiles side by side" same tiles.tif apart.tif
    ok "$name: one piece" same tiles.tif full.tif
    is "$(cells other)" "$(cells tiles)" "$name: the same cells"
done
ok "of which there are some" [ "$(cells tiles)" -gt 5 ]

# Where more than 128 MB of tiles are there the first must do.
draw huge 4 3 -s 640 -l monolayer --radius 12
draw gray 4 1 -s 640 -l monolayer --radius 12
mask huge images/huge.npy -s 300 -o 100
mask gray images/gray.npy
ok "more than 128 MB of tiles" [ "$(tile -q -s 300 -o 100 images/huge.npy | wc -c)" -gt $((160 << 20)) ]
ok "differ as little as numbers are rounded" within huge.tif gray.tif 2

for set in $SETS; do
    folder=$DATA/$set/test/images
    [ -d "$folder" ] || folder=$DATA/$set/images
    if [ ! -d "$folder" ]; then
        skip "no $set"
        continue
    fi
    image=$(find "$folder" -type f | sort | head -n 1)
    rm -f tiles.tif other.tif
    tile -q "$image" | predict -q | stitch -q -c none -o tiles.tif
    tile -q -s 256 -o 20% "$image" | predict -q | stitch -q -c none -o other.tif
    ok "$set: two grids, one mask" same tiles.tif other.tif
done
done_testing
