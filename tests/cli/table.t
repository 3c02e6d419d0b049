#!/bin/bash
# table: our runs beside published figures.
. "$(dirname "$0")/../tap.sh"
plan 16
cd "$TMP" || exit 1

record() { # NAME RUN SEED STATUS DSC HD95
    {
        printf '# run\t%s\n# seed\t%s\n# status\t%s\n# device\tcpu\n# date\t2026-01-02\n# commit\tabc\n' "$2" "$3" "$4"
        [ "$4" = ok ] && printf 'metric\tmean\tsd\tn\ndsc\t%s\t0.1\t5\nhd95\t%s\t1\t5\nmap\tnan\tnan\t0\n' "$5" "$6"
    } >"$1"
}

printf '# a table\nmethod\tDSC\tHD95\tmAP\trun\nOne\t80.00±1.50\t10.00\t50.00\tset/one\nTwo\t70.00\t-\t40.00\tset/two\nThree\t60.00\t9.00\t30.00\tset/three\n' >paper.tsv
record 1.tsv set/one 1 ok 0.81 12
record 2.tsv set/one 2 ok 0.83 8
record 3.tsv set/two 1 'train: unknown | architecture'
record 4.tsv set/other 1 ok 0.5 5
table -t Title -n 'A <note>' paper.tsv ./?.tsv >out.md
cat >expected.md <<'E2'
## Title

| method |  | DSC ↑ | HD95 ↓ | mAP ↑ | runs |
|---|---|---|---|---|---|
| One | ours | 82.00 ± 1.41 | 10.00 ± 2.83 | – | 2 |
|  | paper | 80.00 ± 1.50 | 10.00 | 50.00 |  |
|  | difference | +2.00 | +0.00 | – |  |
| Two | ours | – | – | – | failed |
|  | paper | 70.00 | – | 40.00 |  |
|  | difference | – | – | – |  |
| Three | ours | – | – | – | not run |
|  | paper | 60.00 | 9.00 | 30.00 |  |
|  | difference | – | – | – |  |

- A <note>
- Ours are means ± sample standard deviations over runs with the seeds 1, 2
- Ours: cpu, 2026-01-02, commit abc
- set/two, seed 1, failed: train: unknown \| architecture
E2
ok "Markdown" diff expected.md out.md
is "$(table -f html -n 'A <note>' paper.tsv ./?.tsv | grep -c '<tr\|A &lt;note&gt;')" 11 "HTML, escaped"
is "$(table -f tsv paper.tsv ./?.tsv | cut -f1-7,19- | paste -sd'/' | tr '\t' ' ')" \
    "method run runs DSC DSC_sd DSC_paper DSC_paper_sd seeds device date commit status/One set/one 2 82 1.41421 80 1.5 1; 2 cpu 2026-01-02 abc ok/Two set/two 0 nan nan 70 nan 1 cpu 2026-01-02 abc train: unknown | architecture/Three set/three 0 nan nan 60 nan     " "TSV"
record 5.tsv set/two 2 ok 0.75 3
is "$(table paper.tsv ./?.tsv | head -n 1 | cut -c1-8)" "| method" "no title, no heading"
is "$(table paper.tsv ./?.tsv | grep '^| Two')" "| Two | ours | 75.00 | 3.00 | – | 1 of 2 |" "one of two runs"
for n in 1 2 3 4; do
    ok "the paper's table $n" table "$TOP/pipelines/paper/table$n.tsv"
done
is "$(grep -hc '	nt2/\|	bloodcell/\|	livecell/' "$TOP"/pipelines/paper/table?.tsv | paste -sd' ')" "16 6 12 32" "every row has its run"
fails 66 "no published table" table missing.tsv
fails 66 "no record" table paper.tsv missing.tsv
printf 'a\tb\n1\n' >ragged.tsv
fails 65 "a row that is too short" table ragged.tsv
printf 'method\tDSC\trun\nOne\teighty\tx\n' >words.tsv
fails 65 "a figure that is none" table words.tsv
fails 64 "no operand" table
ok "a full disk" eval '! table paper.tsv >/dev/full 2>/dev/null'
done_testing
