#!/bin/bash
# segment: a folder to labels, tables and a page; gallery: the page itself.
. "$(dirname "$0")/../tap.sh"
plan 77
cd "$TMP" || exit 1

status() { # COMMAND...: what it exits with; its messages are in err
    "$@" >out.txt 2>err
    echo $?
}

mkdir -p in/a in/b
synth -q -n 3 -s 192 --seed 5 -o drawn --prefix x
for i in 1 2 3; do mv "drawn/images/x_0000$i.png" "in/a/x$i.png"; done
cp in/a/x3.png in/b/y.png
printf 'no image' >in/b/broken.tif
printf 'a mask' >in/a/x1_mask.png

is "$(status segment -r -o out in)" 1 "a broken image is told"
ok "it is named" grep -q "broken.tif" err
ok "the pipe is printed" grep -qE '^tile .* \| predict .* \| label ' err
is "$(find out/labels -name '*.tif' | sed 's|.*/||' | sort | tr '\n' ' ')" "x1.tif x2.tif x3.tif y.tif " \
    "a label image of each image, none of a mask"
is "$(tail -n +2 out/images.tsv | cut -f 1,2 | tr '\t\n' ' ;')" \
    "in/a/x1.png a;in/a/x2.png a;in/a/x3.png a;in/b/broken.tif b;in/b/y.png b;" \
    "the table names the images and their folders"
is "$(awk -F '\t' '/broken/ {print $14}' out/images.tsv)" "not read" "and what was not read"
tile in/a/x2.png | predict -q | label -q -T direct.tsv
is "$(awk -F '\t' '$1 == "in/a/x2.png" {print $5}' out/images.tsv)" "$(($(wc -l <direct.tsv) - 1))" \
    "the count of an image is label's"
is "$(tail -n +2 out/cells.tsv | cut -f 1 | grep -c x2)" "$(($(wc -l <direct.tsv) - 1))" "and the table's"
ok "the page has the images" grep -q '"in/a/x2.png"' out/index.html
for kind in rois/x1.zip geojson/x1.geojson outlines/x1.svg previews/x1.png thumbnails/x1.png; do
    ok "$kind is there" test -s "out/$kind"
done

# ---- what failed ----
page=$(stat -c %Y.%i out/index.html)
is "$(status segment -r -o out in)" 1 "what failed before still counts"
is "$(grep -c '^tile ' err) $(stat -c %Y.%i out/index.html)" "0 $page" "and is not tried again as it is"
ok "which is said" grep -q 'failed before and have not changed (--retry' err
is "$(status segment --retry -r -o out in) $(grep -c '^tile ' err)" "1 1" "unless it is asked for"
printf 'another' >in/b/broken.tif
is "$(status segment -r -o out in) $(grep -c '^tile ' err)" "1 1" "or the image has changed"
is "$(status segment --chunk 1 -r -o weights -m none.safetensors in) $(grep -c '^tile ' err) $(tail -n 1 err)" \
    "66 0 segment: predict does not run, and no further image was tried: open 'none.safetensors': No such file or directory" "weights that are not there end it at once"
is "$(cat weights/parts/failed 2>/dev/null)" "" "and no image is to blame"
ok "and all are done when they are there" segment -q -o weights in/a

rm in/b/broken.tif
ok "all are done" segment -r -o out in
before=$(stat -c %Y.%i out/index.html out/labels/*)
ok "a run after that" segment -r -o out in
is "$(stat -c %Y.%i out/index.html out/labels/*)" "$before" "writes nothing"
cp in/a/x1.png in/b/z.png
ok "a new image" segment -q -r -o out in
is "$(cat out/parts/*.list | wc -l)" 5 "is the only one that is done"
is "$(tail -n +2 out/images.tsv | wc -l)" 5 "and the table has all"
touch -d '+1 day' in/a/x2.png
ok "an image that changed" segment -q -r -o out in
is "$(status segment -r -o out in) $(grep -c '^tile ' err)" "0 0" "is done once, though its clock is ahead"
touch -d '2001-01-01' in/a/x2.png
is "$(status segment -r -o out in) $(grep -c '^tile ' err)" "0 1" "and again when an older file is put there"
is "$(tail -n +2 out/cells.tsv | cut -f 1 | grep -c x2)" "$(($(wc -l <direct.tsv) - 1))" \
    "is not counted twice"

# ---- other weights, other tiles ----
weights convert --set note=another "$TOP/data/default.safetensors" other.safetensors
cells=$(sort out/cells.tsv | cksum)
is "$(status segment -r -o out -m other.safetensors in) $(grep -c '^tile ' err) $(grep -c 'segment: 5 of the images were done with other weights' err)" "0 1 1" \
    "with other weights all is done again"
is "$(tail -n +2 out/images.tsv | wc -l) $(sort out/cells.tsv | cksum)" "5 $cells" "by the same network to the same end"
cp other.safetensors same.safetensors
is "$(status segment -r -o out -m same.safetensors in) $(grep -c '^tile ' err)" "0 0" "not when a file of the same bytes has another name"
fails 66 "weights that are not there" segment -r -o out -m none.safetensors in
is "$(status segment -r -o out -m same.safetensors --diameter 70 in) $(grep -c '^tile --diameter 70 ' err)" "0 1" "with another diameter"
is "$(status segment -r -o out -m same.safetensors --diameter 70 in) $(grep -c '^tile ' err)" "0 0" "which is there then"
ok "and back" segment -q -r -o out in

rm out/parts/stamps
is "$(status segment -r -o out in) $(grep -c '^tile ' err)" "0 0" "what was done before there were stamps is done"
touch -d '+1 day' in/a/x1.png
is "$(status segment -r -o out in) $(grep -c '^tile ' err)" "0 1" "and its changes count"

find in -name 'x?.png' >in.list && mkdir -p stopped/parts && cp in.list stopped/parts/000000.list
ok "after a run that was stopped" segment -q -r -o stopped in
is "$(tail -n +2 stopped/cells.tsv | cut -f 1 | grep -c x2)" "$(($(wc -l <direct.tsv) - 1))" \
    "no image is counted twice"

# On a disk whose clock counts days.
mkdir bin && printf '#!/bin/sh\n%s "$@"\nstatus=$?\ntouch -d 2001-01-01 slow/labels/*\nexit $status\n' "$BIN/label" >bin/label &&
    chmod +x bin/label
is "$(PATH=$PWD/bin:$PATH status segment -o slow in/a) $(tail -n +2 slow/images.tsv | wc -l)" "0 3" "no label image is newer than what was there"
is "$(status segment -o slow in/a) $(grep -c '^tile ' err)" "0 0" "and all are done"
is "$(PATH=$PWD/bin:$PATH status segment --force -o slow -m other.safetensors in/a) $(grep -c '^tile ' err)" "0 1" "again with other weights"
printf 'none' >in/a/x4.png
is "$(PATH=$PWD/bin:$PATH status segment --force -o slow -m other.safetensors in/a) $(cut -f 2 slow/parts/failed)" "1 in/a/x4.png" "and who is not is told"
rm in/a/x4.png

ok "tables for spreadsheets" segment -q --csv -r -o out in
is "$(cat out/images.csv out/cells.csv)" "$(cat out/images.tsv out/cells.tsv | sed 's/\tnan\b/\t/g; :a; s/\tnan\b/\t/; ta; s/\t\([^\t]*, [^\t]*\)$/\t"\1"/' | tr '\t' ,)" \
    "are the others with commas"
if command -v parallel >/dev/null; then
    is "$(status segment -q -j 2 --chunk 1 -r -o two in) $(cat err)" "0 " "two pipes at once"
    is "$(cut -f 1-6 two/images.tsv)" "$(cut -f 1-6 out/images.tsv)" "find the same"
else
    skip "two pipes at once: no GNU parallel" 2
fi
cp in/a/x1.png in/b/x1.png
fails 64 "two images of one stem are refused" segment -r -o out in
fails 66 "no such folder" segment -o out nowhere
fails 66 "a folder without images" segment -o out two/parts
fails 64 "no output" segment in
is "$(segment -o in/a/x1.png in 2>&1)" "segment: create 'in/a/x1.png/parts': Not a directory" \
    "no folder for the output: one line says why"
fails 64 "a number that is none" segment -j none -o out in
is "$(status segment --size none -o sized in) $(cat err)" "64 segment: option '--size': 'none' is not a whole number (see 'segment --help')" \
    "options of tile are refused before any image"
ok "its own results are no images" segment -q -o in/a/res in/a
is "$(tail -n +2 in/a/res/images.tsv | wc -l)" 3 "three and not the pictures of the results"
rm -rf in/a/res

# ---- gallery ----

mkdir mine && echo "my page" >mine/index.html
fails 73 "a page that is the user's is not replaced" gallery -o mine in/a/x1.png
is "$(cat mine/index.html)" "my page" "it is as it was"
ok "unless told" gallery --force -o mine in/a/x1.png
fails 65 "a table without its columns" gallery -o g -T in/a/x1.png in/a/x1.png
printf 'image\tcondition\nx1.png\tcontrol\n' >conditions.tsv
ok "conditions of a table" gallery -o g --conditions conditions.tsv in/a/x1.png in/a/x2.png
is "$(tail -n +2 g/images.tsv | cut -f 2 | tr '\n' ' ')" "control  " "by the file's name"
before=$(stat -c %Y.%i g/previews/x?.png)
cp g/images.tsv first.tsv
ok "a page anew" gallery -o g --conditions conditions.tsv in/a/x1.png in/a/x2.png
is "$(stat -c %Y.%i g/previews/x?.png) $(cat g/images.tsv)" "$before $(cat first.tsv)" \
    "reads no image that it knows, and tells the same"
cp in/a/x3.png in/a/x2.png
ok "an image that changed" gallery -o g --conditions conditions.tsv in/a/x1.png in/a/x2.png
is "$(stat -c %Y.%i g/previews/x?.png | grep -cxF "$before")" 1 "is read again, alone"
printf 'name\tdsc\tap50\na\t0.5\t0.25\nb\t0.7\tnan\n' >first.tsv
printf 'name\tdsc\na\t0.75\n' >second.tsv
ok "scores of models" gallery -o g --history first.tsv --history second.tsv in/a/x1.png
ok "their means are in the page" grep -qF '"models":[{"name":"first","dsc":0.6,"ap50":0.25},{"name":"second","dsc":0.75,"ap50":null}]' g/index.html
fails 65 "a table of something else" gallery -o g --history g/images.tsv in/a/x1.png
ok "segment hands them on" segment -q -o history --history first.tsv in/a
cp in/a/x1.png 'in/</script>.png' 2>/dev/null || cp in/a/x1.png 'in/<b>.png'
ok "a name with signs" gallery -o g in/*'>.png'
is "$(grep -c '<b>\.png' g/index.html)" 0 "does not end the page's data"
cp in/a/x1.png $'in/t\ta.png' && gallery -q -o named $'in/t\ta.png'
is "$(tail -n +2 named/images.tsv | cut -f 1)" 'in/t\x09a.png' "nor does one with a tab break the table"
done_testing
