#!/bin/bash
# What leaving out blank tiles changes: make bench-blank.  For each set of $SHARED/data
# with a test part: the share of tiles that `prune --blank` drops, and DSC of
# `tile | predict | stitch` with and without it, of all images' mean.
set -eu
PATH=${BUILD:-$PWD/build}/bin:$PATH
data=${SHARED:-../shared}/data
[ -d "$data" ] || { echo "blank.sh: no $data" >&2; exit 0; }
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

tiles() { # STREAM
    tar tf "$1" | grep -c '\.image\.npy$' || true
}

dsc() { # PREDICTED TRUTH
    score -q "$1" "$2" | awk -F'\t' 'NR == 1 {for (i = 1; i <= NF; i++) if ($i == "dsc") c = i; next}
        {s += $c; n++} END {printf "%.4f", s / n}'
}

printf 'set\timages\ttiles\tblank, %%\tDSC, all tiles\tDSC, without blank ones\n'
for set in ${SETS:-itmo_brightfield usiigaci_t98g incucyte_livecell_like bbbc041seg_half}; do
    test=$data/$set/test
    rm -rf "${folder:?}"/*
    mkdir "$folder/all" "$folder/some"
    tile -q "$test"/images/* >"$folder/all.tar"
    prune -q --blank "$folder/all.tar" >"$folder/some.tar"
    for which in all some; do
        predict -q "$folder/$which.tar" | stitch -q -o "$folder/$which"
    done
    all=$(tiles "$folder/all.tar")
    some=$(tiles "$folder/some.tar")
    printf '%s\t%d\t%d\t%.1f\t%s\t%s\n' "$set" "$(find "$test/images" -type f | wc -l)" "$all" \
        "$(echo "100 * ($all - $some) / $all" | bc -l)" \
        "$(dsc "$folder/all" "$test/masks")" "$(dsc "$folder/some" "$test/masks")"
done
