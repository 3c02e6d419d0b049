#!/bin/bash
# The rules that make the paper's tables: one run for real, what happens to runs that
# fail or are interrupted, and that a second make repeats nothing.
. "$(dirname "$0")/../tap.sh"
plan 16
cd "$TOP" || exit 1
W=$TMP/work
rules() { make -s -f pipelines/all.mk SCALE=smoke RUNS=1 W="$W" BIN="$BIN" "$@"; }

# ---- attempt ----
attempt() { pipelines/attempt "$TMP/record.tsv" set/arch/method 7 gpu "$@" 2>"$TMP/said"; }
attempt 'printf "metric\tmean\tsd\tn\ndsc\t0.5\t0.1\t3\n"'
is "$(grep -v 'date\|commit\|seconds\|command' "$TMP/record.tsv" | tr '\t' ' ' | paste -sd/)" \
    "# run set/arch/method/# seed 7/# status ok/# device gpu/metric mean sd n/dsc 0.5 0.1 3" "a record"
attempt 'echo half a table; echo "train: no idea" >&2; exit 65'
is "$? $(grep status "$TMP/record.tsv") $(tail -n 1 "$TMP/record.tsv" | cut -c1-9)" "0 # status	train: no idea # command" "of a failure"
attempt 'false | cat'
is "$(grep status "$TMP/record.tsv")" "# status	exit status 1" "also within a pipe"
rm "$TMP/record.tsv"
attempt 'exit 75'
is "$? $(ls "$TMP"/record.tsv* 2>/dev/null)" "75 " "an interrupted one leaves none"
pipelines/attempt "$TMP/record.tsv" a/b/c 1 gpu "sleep 98.7 | cat" 2>/dev/null &
sleep 1
kill $!
wait $! 2>/dev/null
is "$(pgrep -f 'sleep 98[.]7') $(ls "$TMP"/record.tsv* 2>/dev/null)" " " "nor does one that was killed, nor its pipe"

# ---- one run ----
is "$(rules list | wc -l)" 58 "the runs of all tables"
is "$(rules list | sort | uniq -d)" "" "each once"
record=$W/runs/bloodcell/unetpp/plain/seed1.tsv
ok "a run" rules "$record"
is "$(grep status "$record" 2>/dev/null)" "# status	ok" "comes to an end"
is "$(grep -c '^dsc	0\.\|^dsc	0	\|^hd95' "$record")" 2 "with scores"
is "$(rules "$record" 2>&1)" "" "and is not made twice"
mkdir -p "$W/runs/bloodcell/unetpp/norm"
printf '# run\tbloodcell/unetpp/norm\n# seed\t1\n# status\ttrain: no\n' >"$W/runs/bloodcell/unetpp/norm/seed1.tsv"
is "$(rules retry | wc -l) $(ls "$W/runs/bloodcell/unetpp")" "1 norm
plain" "retry forgets what failed"
ok "and nothing else" test -e "$record"
is "$(table pipelines/paper/table4.tsv "$record" | grep -c '^| UNet++ | - | BloodCell | ours | [0-9]')" 1 "its row in table 4"
ok "figure 3" rules figure3
ok "is a picture of patches" test -s "$W/figures/figure3/nt2-transunet-r50-b16-pareto.png"
done_testing
