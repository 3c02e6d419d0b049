#!/bin/bash
# score against the golden values of binary masks: every column to 1e-6, HD95 to 1e-9.
. "$(dirname "$0")/../tap.sh"
plan 8
golden=$TOP/tests/golden/metrics

agree() { # EXPECTED-COLUMN GOT-FILE GOT-COLUMN TOLERANCE: prints what differs
    awk -F'\t' -v want="$1" -v have="$3" -v tolerance="$4" '
        function differ(a, b) {
            # The expected values have nine digits.
            if (a == "nan" || b == "nan") return a != b
            return (a > b ? a - b : b - a) > tolerance + 5e-9 * (a > 0 ? a : 0)
        }
        FNR == 1 { for (i = 1; i <= NF; i++) column[FILENAME, $i] = i }
        FNR == NR && FNR > 1 { value[$1] = $column[FILENAME, want] }
        FNR != NR && FNR > 1 {
            compared++
            if (differ(value[$1], $column[FILENAME, have]))
                print $1, "expected", value[$1], "got", $column[FILENAME, have]
        }
        END { if (compared != 40) print compared + 0, "pairs compared" }' "$golden/expected.tsv" "$2"
}

run() { # CONVENTION
    score --convention "$1" --prediction-suffix _pred --truth-suffix _truth "$golden" "$golden"
}

run strict >"$TMP/strict.tsv"
run released >"$TMP/released.tsv"
for column in iou hd assd; do
    is "$(agree $column "$TMP/strict.tsv" $column 1e-9)" "" "$column of all 40 pairs"
done
is "$(agree dice "$TMP/strict.tsv" dsc 1e-9)" "" "DSC of all 40 pairs"
is "$(agree hd95 "$TMP/strict.tsv" hd95 1e-9)" "" "HD95 of all 40 pairs"
is "$(agree dice_released "$TMP/released.tsv" dsc 1e-9)" "" "DSC as released"
is "$(agree iou_released "$TMP/released.tsv" iou 1e-9)" "" "IoU as released"
is "$(agree hd95_released "$TMP/released.tsv" hd95 1e-9)" "" "HD95 as released"
done_testing
