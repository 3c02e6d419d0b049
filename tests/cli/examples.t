#!/bin/bash
# The examples, run: on small drawn images, this machine standing in for other
# hosts and for Slurm.
. "$(dirname "$0")/../tap.sh"
plan 19
cd "$TMP" || exit 1
synth -n 3 -s 250x230 --seed 11 -o . || exit 1
images=(images/*.png)
stem=$(basename "${images[0]}" .png)

ok "demo" sh "$TOP/examples/demo" demo
ok "demo leaves an overlay" test -s demo/overlay.png
dsc=$(awk 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "dsc") c = i } NR == 2 { print $c }' demo/score.tsv)
ok "demo finds the cells (DSC $dsc)" awk -v d="$dsc" 'BEGIN { exit !(d > 0.7) }'

if command -v parallel >/dev/null; then
    ok "folder.sh" sh "$TOP/examples/folder.sh" images found
    is "$(find found -name '*_mask.png' | wc -l)" 3 "a mask for each image"
    touch -d '2001-01-01' found/*.png
    ok "folder.sh again" sh "$TOP/examples/folder.sh" images found
    is "$(find found -name '*.png' -newermt 2002-01-01 | wc -l)" 0 "does nothing twice"
    ok "hosts.sh on this machine" sh "$TOP/examples/hosts.sh" : "${images[@]}"
    ok "gives the same mask" cmp "images/${stem}_mask.png" "found/${stem}_mask.png"
    rm -f images/*_mask.png
    ok "one-slide.sh" sh "$TOP/examples/one-slide.sh" "${images[0]}" 2 slide.png
    ok "gives the same mask" cmp slide.png "found/${stem}_mask.png"
    synth -q -n 8 -s 32 >in.tar
    options=(-q -a "unet-s:width=8,levels=2" -t 1 --steps 3 --lr 0.005)
    train "${options[@]}" -b 4 -o one.safetensors in.tar
    export MASTER_PORT=$((20000 + $$ % 20000))
    if sh "$TOP/examples/ranks.sh" 2 two.safetensors in.tar "${options[@]}" -b 2 2>message; then
        weights diff one.safetensors two.safetensors >differences
        ok "ranks.sh gives the weights of one" test $? -le 1
        ok "but for rounding" awk -F'\t' '$NF + 0 > 1e-4 { bad = 1 } END { exit bad }' differences
    elif grep -q 'without c10d' message; then
        skip "this libtorch has no c10d" 2
    else
        is "$(cat message)" "" "ranks.sh"
    fi
else
    skip "GNU parallel is not installed" 10
fi

{ echo nowhere.png && ls "${images[@]}"; } >list.txt
SLURM_ARRAY_TASK_ID=0 SLURM_ARRAY_TASK_COUNT=2 SLURM_CPUS_PER_TASK=2 \
    bash "$TOP/examples/slurm.sh" list.txt slurm 2>message
is "$?" 1 "slurm.sh: an image that is not there"
SLURM_ARRAY_TASK_ID=1 SLURM_ARRAY_TASK_COUNT=2 bash "$TOP/examples/slurm.sh" list.txt slurm
is "$?" 0 "a job of any number of processors"
is "$(find slurm -name '*_mask.png' | wc -l)" 3 "slurm.sh: two jobs do all images"
ok "and the same mask" cmp "slurm/${stem}_mask.png" "found/${stem}_mask.png"

python=/usr/bin/python3
if $python -c 'import numpy' 2>/dev/null; then
    tile "${images[0]}" >tiles.tar
    is "$($python "$TOP/examples/read_stream.py" <tiles.tar | wc -l)" \
        "$(tar tf tiles.tar | grep -c "image.npy$")" "read_stream.py sees every sample"
    size=$(stat -c %s tiles.tar)
    head -c $((size / 2)) tiles.tar >cut.tar
    ok "and refuses a cut stream" sh -c "! $python $TOP/examples/read_stream.py <cut.tar"
else
    skip "NumPy is not installed" 2
fi
done_testing
