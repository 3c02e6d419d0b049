#!/bin/bash
# suggest: which images to annotate next.
. "$(dirname "$0")/../tap.sh"
plan 16
cd "$TMP" || exit 1

synth -q -n 2 -s 192 --seed 5 -l phase -o drawn && mv drawn/images/synth_00001.png a.png &&
    mv drawn/images/synth_00002.png c.png || exit 1
cp a.png b.png
tile -q a.png b.png c.png | predict -q -t 1 --keep-image >found.tar
suggest -n 2 found.tar >two.tsv
is "$?" 0 "suggests"
is "$(head -n 1 two.tsv | tr '\t' ' ')" "rank image score unsure distance covered reason" "a table"
is "$(cut -f 2 two.tsv | grep -c -E '^c.png$')" 1 "of two that are alike"
is "$(tail -n +2 two.tsv | cut -f 2 | grep -c -E '^[ab].png$')" 1 "only one is suggested"
is "$(suggest -n 9 <found.tar | tail -n +2 | cut -f 1 | paste -sd' ')" "1 2 3" "no more than there are"
is "$(suggest -n 2 --csv found.tar)" "$(tr '\t' , <two.tsv | sed 's/^\(1,.*\),nan,/\1,,/; s/\(unsure, and .*\)/"\1"/')" \
    "commas, for spreadsheets"
echo some/c.png >done.txt && echo a.png >>done.txt && echo c.png >>done.txt
is "$(suggest --done done.txt found.tar | tail -n +2 | cut -f 2)" b.png "those that are done are left out"
(echo ./a.png && echo x/../c.png) >typed.txt
is "$(suggest --done typed.txt found.tar | tail -n +2 | cut -f 2)" b.png "however their paths are typed"
fails 66 "no such list" suggest --done nowhere.txt found.tar
tile -q a.png | predict -q -t 1 >bare.tar
fails 65 "a stream without images" suggest bare.tar
ok "says what is missing" grep -q -- '--keep-image' "$TMP/.err"
head -c 100000 found.tar >cut.tar
fails 65 "a stream that was cut" suggest cut.tar

# The man page's way around: suggested, exported to correct, and masks again.
mkdir images && cp a.png b.png c.png images/
tail -n +2 two.tsv | cut -f 2 | xargs -d '\n' tile -q | predict -q -t 1 | label -q -o labels/ --rois next/
is "$(find next -name '*.zip' | wc -l)" 2 "an annotation to correct for each"
rasterize -q --like images/ -o masks/ next/*.zip
score -i labels/ masks/ >back.tsv
is "$(awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "ap50") c = i } NR > 1 && $c > 0.99' back.tsv | wc -l)" 2 \
    "and back to the cells it was made of"

# The same by LabelMe.
tail -n +2 two.tsv | cut -f 2 | sed 's|^|images/|' | xargs -d '\n' tile -q | predict -q -t 1 |
    label -q -o labels2/ --labelme next2/
ok "LabelMe's file finds its image" test -f "next2/$(grep -o '"imagePath":"[^"]*"' next2/a.json next2/b.json 2>/dev/null | head -n 1 | cut -d '"' -f 4)"
rasterize -q -o masks2/ next2/*.json
score -i labels2/ masks2/ >back.tsv
is "$(awk -F '\t' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "ap50") c = i } NR > 1 && $c > 0.99' back.tsv | wc -l)" 2 \
    "and back"
done_testing
