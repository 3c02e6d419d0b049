#!/bin/bash
# table: our runs beside published figures.
. "$(dirname "$0")/../tap.sh"
plan 20
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
    "method run runs DSC DSC_sd DSC_paper DSC_paper_sd seeds device date commit status images found/One set/one 2 82 1.41421 80 1.5 1; 2 cpu 2026-01-02 abc ok nan nan/Two set/two 0 nan nan 70 nan 1 cpu 2026-01-02 abc train: unknown | architecture nan nan/Three set/three 0 nan nan 60 nan      nan nan" "TSV"
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

# ---- what a figure is worth ----
full() { # NAME RUN DSC HD95 FOUND REMARK: of 10 tiles
    printf '# run\t%s\n# seed\t1\n# status\tok\n%smetric\tmean\tsd\tn\ndsc\t%s\t0\t10\nhd95\t%s\t0\t10\nprecision\t0.5\t0\t%s\n' \
        "$2" "$6" "$3" "$4" "$5" >"$1"
}
printf '# side\t224\nencoder\tlayers\tdataset\tDSC\tHD95\trun\nA\t12\tX\t80\t9\ta\nB\t12\tX\t70\t9\tb\nC\t12\tX\t70\t9\tc\nA\t12\tY\t70\t9\td\n' >p.tsv
full a.tsv a 0.5 7 10 ''
full b.tsv b 0 0 0 ''
full c.tsv c 0.6 3 6 $'# side\t96\n# layers\t4\n'
full d.tsv d 0 0 0 ''
is "$(table p.tsv ./?.tsv | sed -n 3,12p)" "| A | 12 | X | ours | 50.00 | **7.00** | 10 of 10 | 1 |
|  |  |  | paper | 80.00 | 9.00 |  |  |
|  |  |  | difference | −30.00 | −2.00 |  |  |
| B | 12 | X | ours | 0.00 | 0.00 | 0 of 10 | 1 |
|  |  |  | paper | 70.00 | 9.00 |  |  |
|  |  |  | difference | −70.00 | −9.00 |  |  |
| C | 4 | X | ours | **60.00** | 3.00 | 6 of 10 | 1 |
|  | 12 |  | paper | 70.00 | 9.00 |  |  |
|  |  |  | difference | −10.00 | – |  |  |
| A | 12 | Y | ours | 0.00 | 0.00 | 0 of 10 | 1 |" \
    "bold asks for a finding; our layers; no difference of pixels of other tiles"
full a.tsv a 0 7 10 ''
is "$(table p.tsv ./a.tsv | sed -n 3p)" "| A | 12 | X | ours | 0.00 | **7.00** | 10 of 10 | 1 |" "no zero is the best"
full a.tsv a 0.5 7 10 ''
is "$(table -f html p.tsv ./?.tsv | grep -c '<b>60.00</b>\|<b>7.00</b>')" 2 "bold in HTML"
is "$(table p.tsv ./?.tsv | grep -c '^- Bold: \|^- HD95: in pixels of our tiles')" 2 "notes say what bold and pixels are"
done_testing
