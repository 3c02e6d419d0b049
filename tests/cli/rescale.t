#!/bin/bash
# predict --rescale: images whose cells are larger or smaller than the network knows are shown to it
# at another size, and everything that follows is in their own pixels.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 23
cd "$TMP" || exit 1
NETWORK=$BUILD/tests/helper/network

draw() { # NAME TIMES LOOK RADIUS: a drawing, each pixel as TIMES x TIMES, and its mask
    mkdir -p images masks
    synth -q -n 1 -s 240 -l "$3" --radius "$4" --instances --seed 3 -o drawn.tar
    /usr/bin/python3 - "$1" "$2" <<'END'
import io, sys, tarfile
import numpy as np
name, times = sys.argv[1], int(sys.argv[2])
with tarfile.open("drawn.tar") as tar:
    for m in tar:
        for part in "image", "mask":
            if m.name.endswith(f".{part}.npy"):
                a = np.load(io.BytesIO(tar.extractfile(m).read()))
                a = np.kron(a.reshape(a.shape[:2]), np.ones((times, times), a.dtype))
                np.save(f"{part}s/{name}.npy", a)
END
    rm drawn.tar
}
draw large 4 monolayer 12
draw plain 1 monolayer 12
draw small 1 yeast 6

scales() { # STREAM: at what sizes the network saw each image
    peek -j "$1" | jq -r 'select(.meta.source) | [(.meta.source.name | split("/")[-1]), .meta.network.scale // 0] | @tsv' |
        sort -u | tr '\t' ' ' | paste -sd,
}
ap50() { # NAME OPTION...: of cells by flows
    rm -rf found truth
    mkdir truth
    tile -q -s full -m masks "images/$1.npy" | stitch -q --mask -o truth/
    tile -q "images/$1.npy" | predict -q "${@:2}" | label -q -o found/ 2>/dev/null
    score -q -i -s found truth | awk -F'\t' '$1 == "ap50" { print $2 }'
}
# shellcheck disable=SC2317 # ok calls it
better() { awk -v a="$1" -v b="$2" -v by="$3" 'BEGIN { exit !(a >= b + by) }'; }

tile -q -m masks images/*.npy >tiles.tar
ok "predicts" predict -q -o auto.tar tiles.tar
scale=$(scales auto.tar | sed 's/large.npy \(0.[0-9]*\),.*/\1/')
ok "large cells are shown smaller: $scale" grep -qx '0.5\|0.25' <<<"$scale"
is "$(scales auto.tar)" "large.npy $scale,plain.npy 1,small.npy 2" "small ones larger, others as they are"
samples() { peek "$1" | grep -v '^#' | cut -f 1; }
is "$(samples auto.tar)" "$(samples tiles.tar)" "every tile comes out, in order"
shapes() { peek "$1" | grep -v '^#' | grep -o '\(prob\|flows\|mask\) [a-z0-9]* [0-9x]*' | sort -u | paste -sd,; }
predict -q --rescale off -o off.tar tiles.tar
is "$(shapes auto.tar)" "$(shapes off.tar)" "in the tiles' own pixels, masks beside them"
is "$(scales off.tar)" "large.npy 0,plain.npy 0,small.npy 0" "--rescale off shows all as they are"

on=$(ap50 large) off=$(ap50 large --rescale off)
ok "large cells: AP50 $on, as they are $off" better "$on" "$off" 0.1
on=$(ap50 small) off=$(ap50 small --rescale off)
ok "small cells: AP50 $on, as they are $off" better "$on" "$off" 0.2

# Sharp cells, of which it is well sure as they are and as sure smaller, when it sees all of each.
draw sharp 3 blood 12
on=$(ap50 sharp) off=$(ap50 sharp --rescale off)
ok "cells it is sure of at any size: AP50 $on, as they are $off" better "$on" "$off" 0.1
rm images/sharp.npy masks/sharp.npy

# What is shown as it is changes in nothing.
tile -q images/plain.npy >plain.tar
content() { # STREAM: its arrays
    # shellcheck disable=SC2016
    tar xf "$1" --to-command='case $TAR_FILENAME in *.npy) sha256sum;; esac' | sort | sha256sum
}
predict -q <plain.tar >on.tar
predict -q --rescale off <plain.tar >off.tar
is "$(content on.tar)" "$(content off.tar)" "others are the same to the bit"
predict -q -b 1 -t 1 -o one.tar tiles.tar
is "$(scales one.tar)" "$(scales auto.tar)" "whatever the batch"

# Whole images alone are judged: not parts of them, not what was scaled already.
is "$(tile -q --part 1/2 images/large.npy | predict -q >part.tar && scales part.tar)" "large.npy 0" \
    "a part of an image is shown as it is"
is "$(tile -q --diameter 100 images/large.npy | predict -q >told.tar && scales told.tar)" "large.npy 0" \
    "and tiles of a diameter"
ok "an image in one piece is judged, too" grep -qx "large.npy 0.5\|large.npy 0.25" \
    <(tile -q -s full images/large.npy | predict -q >full.tar && scales full.tar)
is "$(tile -q -s 96,200 images/large.npy | predict -q >sizes.tar && samples sizes.tar | wc -l)" \
    "$(tile -q -s 96,200 images/large.npy | peek | grep -vc '^#')" "tiles of several sizes all come out"

# All that predict gives comes along.
predict -q --keep-image --logits --uncertainty entropy -o all.tar tiles.tar
is "$(peek all.tar | grep -v '^#' | head -n 1 | grep -o '\(image\|logits\|uncertainty\) [a-z0-9]* [0-9x]*' | sort | paste -sd,)" \
    "image uint8 224x224x1,logits float32 2x224x224,uncertainty float16 224x224" "logits, uncertainty and the image"
ok "of which label makes a table" bash -c "label -q -T table.tsv -o found/ all.tar 2>/dev/null && [ \$(wc -l <table.tsv) -gt 20 ]"

said() { label -q -o found.tif "$1" 2>&1 | grep -c 'may find them better'; }
draw wide 4 fluorescence 14
tile -q images/wide.npy >wide.tar
predict -q -o on.tar wide.tar
predict -q --rescale off -o off.tar wide.tar
is "$(said on.tar) $(said off.tar)" "0 1" "label gives no advice where the network has chosen"

# What a stream says of its image need not be so.
cat >lie.py <<'END'
import io, json, sys, tarfile
source = tarfile.open(fileobj=sys.stdin.buffer, mode="r|")
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as to:
    for m in source:
        data = source.extractfile(m).read()
        if "/" not in m.name:
            continue
        if m.name.endswith(".json"):
            meta = json.loads(data)
            meta["source"]["width"] = meta["source"]["height"] = 1000000000
            data = json.dumps(meta).encode()
        member = tarfile.TarInfo(m.name)
        member.size = len(data)
        to.addfile(member, io.BytesIO(data))
END
tile -q -s full images/small.npy | /usr/bin/python3 lie.py >lie.tar
is "$(predict -q <lie.tar >said.tar && scales said.tar)" "small.npy 0" "an image of a billion rows in one tile is not believed"

# A cut stream ends as others do.
head -c 200000 tiles.tar >cut.tar
fails 65 "a stream that is cut" predict -q -o cut.out cut.tar
ok "leaves nothing" test ! -e cut.out

# Of which networks.
"$NETWORK" unetpp:levels=1,width=4 2 3 1 net.safetensors
fails 64 "a network without flows" predict -q -m net.safetensors --rescale auto tiles.tar
weights -q convert --set rescale=off "$TOP/data/default.safetensors" plain.safetensors
is "$(predict -q -m plain.safetensors tiles.tar >plain.out && scales plain.out)" "large.npy 0,plain.npy 0,small.npy 0" \
    "weights that do not ask for it"
done_testing
