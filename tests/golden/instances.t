#!/bin/bash
# score --instances against the golden values of Cellpose's metrics.
. "$(dirname "$0")/../tap.sh"
plan 13
golden=$TOP/tests/golden/cellpose_dynamics

score --instances --convention cellpose --prediction-suffix _perturbed --truth-suffix _labels \
    "$golden" "$golden" >"$TMP/got.tsv"

for column in ap50 ap75 ap90 tp50 tp75 tp90 fp50 fp75 fp90 fn50 fn75 fn90 aji; do
    is "$(awk -F'\t' -v name=$column '
        FNR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
        FNR == NR && FNR > 1 { value[$1] = $at }
        FNR != NR && FNR > 1 {
            compared++
            off = value[$1] - $at
            # Cellpose keeps AP in single precision.
            if (off > 1e-7 || off < -1e-7) print $1, value[$1], $at
        }
        END { if (compared != 4) print compared + 0, "compared" }' "$golden/expected.tsv" "$TMP/got.tsv")" \
        "" "$column of all images"
done
done_testing
