#!/bin/bash
# What pipelines/results says is what its records say: the page and the tables are made anew
# from them, and are the same.
. "$(dirname "$0")/../tap.sh"
command -v gnuplot >/dev/null || skip_all "no gnuplot"
plan 8
cd "$TOP" || exit 1
ok "the page is written" pipelines/results/page "$TMP/results"
for file in README.md small/table1.md small/table2.md small/table3.md small/table4.md small/architectures.md; do
    ok "$file is what the records say" diff "pipelines/results/$file" "$TMP/results/$file"
done
if /usr/bin/python3 -c '' 2>/dev/null; then
    mkdir "$TMP/study"
    pipelines/study/page pipelines/study/runs.tsv "$TMP/study"
    ok "and the study's page what its runs say" diff pipelines/study/README.md "$TMP/study/README.md"
else
    skip "no python3"
fi
done_testing
