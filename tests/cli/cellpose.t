#!/bin/bash
# Cellpose from label images to label images, and TopoSeg's consistency in training.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 30
cd "$TMP" || exit 1

synth -q -n 16 -s 64 -l fluorescence --contrast 3 --radius 7 --instances -o cells || exit 1
tile -s full -m cells/masks cells/images/*.png >cells.tar || exit 1
train=(train -q -a cellpose:width=4 -b 4 -t 1 --optimizer adamw --lr 0.01 --seed 1)

ok "cellpose trains on label images" "${train[@]}" --diameter 0 -p none --steps 60 -o w.safetensors cells.tar
# shellcheck disable=SC2016
ok "the loss falls" awk -F'\t' 'NR == 2 { a = $4 } END { exit !($4 < 0.7 * a) }' w.tsv
ok "and again to the same bytes" "${train[@]}" --diameter 0 -p none --steps 60 -o again.safetensors cells.tar
ok "indeed" cmp <(weights diff -q w.safetensors again.safetensors && echo same) <(echo same)
ok "and with cells of one diameter" "${train[@]}" --diameter 20 --steps 2 -o scaled.safetensors cells.tar
# shellcheck disable=SC2016
diameters='for name in ("diam_mean", "diam_labels"):
    at = h[name]["data_offsets"][0]; print("%.1f" % struct.unpack("<f", f[8 + n + at:12 + n + at]))'
is "$(python3 -c "import json, struct; f = open('scaled.safetensors', 'rb').read(); n = struct.unpack('<Q', f[:8])[0]; h = json.loads(f[8:8 + n])
$diameters" | grep -c '^20.0$')" 1 "which the weights keep"
fails 64 "virtual outliers of flows" "${train[@]}" --vos -o no.safetensors cells.tar

ok "predict gives flows" bash -c "predict -m w.safetensors -t 1 cells.tar >flows.tar"
is "$(peek flows.tar | grep -v '^#' | head -n 1 | cut -f 2- | tr '\t' '\n' | grep -c 'logits.*float32 3x64x64')" 1 \
    "three planes of logits"
ok "label follows them" label -m flows -o labels/ flows.tar
is "$(find labels -name '*.tif' | wc -l)" 16 "a label image an image"
ok "with a diameter" bash -c "predict -m w.safetensors -t 1 --diameter 15 cells.tar | peek -q"
fails 64 "a diameter of nothing" predict -m w.safetensors --diameter 0 cells.tar

ok "a size model is fitted" "${train[@]}" --diameter 0 --init w.safetensors --lr 1e-9 --steps 1 --size-model -o sized.safetensors cells.tar
is "$(weights info sized.safetensors | grep -c '^size_model\.')" 4 "and kept with the weights"
ok "predict estimates diameters" bash -c "predict -m sized.safetensors -t 1 cells.tar >sized.tar"
# After so few steps a network may see specks in an image or two: the processor's rounding decides.
near=$(tar xOf sized.tar --wildcards '*.json' | grep -Eo '"diameter":[0-9.]+' |
    awk -F: '{ n += $2 > 8 && $2 < 25 } END { print n + 0 }')
ok "near the true ones: $near of 16" test "$near" -ge 14
ok "a size model of NumPy's is like it" bash -c "weights convert --add other.=sized.safetensors w.safetensors both.safetensors"
fails 65 "one that is none" predict -m w.safetensors --size-model w.safetensors cells.tar
fails 64 "a size model for classes" train -q -a unet-s:width=8,levels=2 --size-model --steps 1 -o no.safetensors cells.tar

small=(-b 4 -t 1 --crop 32 --optimizer adamw --lr 0.003 --steps 8 --seed 1)
ok "topological consistency trains" train -q -a unet-s:width=8,levels=3 "${small[@]}" \
    --topology 0.002 -o t.safetensors cells.tar
toposeg="toposeg-r50-b16:skips=0,width=8,hidden=24,depth=1,decoder=32"
ok "toposeg trains" train -q -a $toposeg "${small[@]}" -o s.safetensors cells.tar
ok "and predicts" bash -c "predict -m s.safetensors -t 1 cells.tar | peek -q"
ok "otherwise than transunet" bash -c "train -q -a '${toposeg/toposeg/transunet}' ${small[*]} --average 0.99 \
    -o p.safetensors cells.tar && ! weights diff -q p.safetensors s.safetensors"
ok "vos and consistency together" train -q -a unet-s:width=8,levels=3 "${small[@]}" --topology 0.002 \
    --vos --vos-start 0 --vos-sample 500 --vos-select 50 --vos-queue 100 -o v.safetensors cells.tar
tile -s full cells/images/synth_0000[1-5].png >bare.tar
ok "samples without masks teach consistency" train -q -a unet-s:width=8,levels=3 "${small[@]}" --topology 0.002 -o u.safetensors cells.tar bare.tar
ok "and change what is learned" bash -c "! weights diff -q u.safetensors t.safetensors >/dev/null"
fails 65 "but nothing else" train -q -a unet-s:width=8,levels=3 "${small[@]}" -o no.safetensors cells.tar bare.tar
fails 65 "nor alone" train -q -a unet-s:width=8,levels=3 "${small[@]}" --topology 0.002 -o no.safetensors bare.tar
fails 64 "consistency of flows" "${train[@]}" --topology 1 -o no.safetensors cells.tar
done_testing
