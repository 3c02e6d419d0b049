#!/bin/bash
# All tables at the smallest scale, by a make that is killed in the middle and by a
# second one that finishes: no run is repeated, every row is there, one page has it all.
. "$(dirname "$0")/../tap.sh"
plan 19
cd "$TOP" || exit 1
W=$TMP/work
rules() { make -s -j2 -f pipelines/all.mk SCALE=smoke RUNS=1 W="$W" BIN="$BIN" "$@"; }
records() { find "$W/runs" -name 'seed1.tsv' 2>/dev/null | sort; }
ages() { records | xargs stat -c '%Y %n' 2>/dev/null; }

setsid make -s -j2 -f pipelines/all.mk SCALE=smoke RUNS=1 W="$W" BIN="$BIN" tables >"$TMP/first" 2>&1 &
first=$!
while [ "$(records | wc -l)" -lt 8 ] && kill -0 $first 2>/dev/null; do sleep 0.5; done
kill -KILL -- -$first 2>/dev/null
wait $first 2>/dev/null
sleep 1
done_before=$(records | wc -l)
ok "killed in the middle, after $done_before runs" test "$done_before" -ge 8 -a "$done_before" -lt 58
ages >"$TMP/before"
ok "a second make finishes" rules tables
is "$(ages | grep -c -F -x -f "$TMP/before")" "$done_before" "and repeats nothing that was done"
is "$(records | wc -l)" 58 "all runs have a record"
is "$(records | xargs grep -L '^# status	ok$')" "" "none failed"
for table in table1 table2 table3 table4; do
    rows=$(grep -vc '^#' "pipelines/paper/$table.tsv")
    is "$(grep -c '| ours |' "$W/$table.md")" $((rows - 1)) "$table has its rows"
done
is "$(grep -c failed "$W"/table?.md | cut -d: -f2 | sort -u)" 0 "none says failed"
# What a make would run, now that the tables exist.
wanted() { make -n -f pipelines/all.mk SCALE=smoke W="$W" BIN="$BIN" tables "$@" 2>/dev/null | grep -c 'pipelines/run '; }
is "$(wanted RUNS=1)" 0 "nothing is run once the tables are there"
is "$(wanted RUNS=2)" 58 "but a second seed is"
forgotten=$(records | sed -n 5p)
mv "$forgotten" "$TMP/forgotten"
is "$(wanted RUNS=1)" 1 "and a run whose record is gone"
mv "$TMP/forgotten" "$forgotten"
ok "a figure alone, its folder not there yet" rules figure4
ok "report" rules report
ok "has figures and tables" test "$(grep -c '<table\|figure3\|<figure' "$W/report.html")" -ge 10
is "$(grep -c -E '(src|href)="?https?:' "$W/report.html")" 0 "and needs no other file"
ok "a row an architecture beside TransUNet" rules architectures
is "$(grep -c '^| [A-Za-z0-9]* | TransUNet\(, R50-B16\)* |' "$W/architectures.md")" 3 "on each set"
done_testing
