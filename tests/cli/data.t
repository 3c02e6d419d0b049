#!/bin/bash
# The recipes for real data, on small archives of the same layout and without network.
. "$(dirname "$0")/../tap.sh"
command -v bsdtar >/dev/null || skip_all "no bsdtar"
command -v jq >/dev/null || skip_all "no jq"
plan 26
image() { "$BUILD/tests/helper/image" "$@"; }
recipe() { env -C "$TOP" make -s -f data/recipes.mk DATA="$TMP/data" BIN="$BIN" "$@"; }
cd "$TMP" || exit 1
mkdir -p data/downloads

# ---- fetch ----
echo hello >origin
ok "a download" "$TOP/data/fetch" "file://$TMP/origin" "$TMP/got/file"
is "$(cat got/file)" hello "has come"
is "$(cut -d' ' -f1 got/SHA256SUMS)" "$(sha256sum <origin | cut -d' ' -f1)" "its sum is noted"
rm got/file
printf 'hel' >got/file.part
ok "one that was cut goes on" "$TOP/data/fetch" "file://$TMP/origin" "$TMP/got/file"
is "$(cat got/file)" hello "and is whole"
echo other >got/file
fails 65 "another file than the first time" "$TOP/data/fetch" "file://$TMP/origin" "$TMP/got/file"
fails 74 "nothing there" "$TOP/data/fetch" "file://$TMP/nowhere" "$TMP/got/none"
fails 66 "by hand" "$TOP/data/fetch" "by-hand:https://example.org" "$TMP/got/none"

# ---- NT2 ----
mkdir -p raw/training_dataset raw/roi_jsons_combined
for name in one two.MP bare; do image make 40 30 1 8 "raw/training_dataset/$name.tif"; done
for name in one two; do
    echo '[{"points": [[2,2],[12,2],[12,12],[2,12]]}, {"points": [[20,5],[30,5],[30,25],[20,25]]}]' \
        >"raw/roi_jsons_combined/${name}_ROI.json"
done
bsdtar -cf data/downloads/train_dataset.zip --format zip -C raw training_dataset
bsdtar -cf data/downloads/Training_ROIs_json.zip --format zip -C raw roi_jsons_combined
is "$(recipe data-nt2 2>&1)" \
    "data-nt2: ready in '$TMP/data/nt2'; next: make table1 SCALE=paper DATA=$TMP/data, with DEVICE=cuda where there is a GPU" \
    "data-nt2 says what comes next"
is "$(cd data/nt2 2>/dev/null && echo images/* masks/*)" "images/one.tif images/two.tif masks/one.tif masks/two.tif" "images and masks"
is "$(ls data/nt2/unannotated)" bare.tif "and what nobody annotated"
is "$(image at data/nt2/masks/one.tif 5 5) $(image at data/nt2/masks/one.tif 25 15) $(image at data/nt2/masks/one.tif 15 15)" "1 2 0" "outlines are filled"
ok "which tile takes" eval 'tile -s 20 -m data/nt2/masks data/nt2/images/* | peek >/dev/null'

# ---- blood cells ----
ok "data-bloodcell without its archive fails" eval '! recipe data-bloodcell'
rm -rf raw
for part in train test; do
    mkdir -p "raw/BCCD Dataset with mask/$part/"{original,mask}
    image make 40 30 3 8 "raw/BCCD Dataset with mask/$part/original/$part-1.png"
    image make 40 30 1 8 "raw/BCCD Dataset with mask/$part/mask/$part-1.png" binary
done
bsdtar -cf data/downloads/bccd-dataset-with-mask.zip --format zip -C raw .
is "$(recipe data-bloodcell 2>&1 | cut -d' ' -f5-8)" "next: make table4 SCALE=paper" "data-bloodcell"
is "$(cd data/bloodcell 2>/dev/null && echo */*/*)" "test/images/test-1.png test/masks/test-1.png train/images/train-1.png train/masks/train-1.png" "images and masks"

# ---- LIVECell ----
rm -rf raw
mkdir -p raw/images/livecell_{train_val,test}_images
for part in train test; do
    image make 40 30 1 8 "raw/images/livecell_${part/train/train_val}_images/A172_$part.tif"
    printf '{"images":[{"id":1,"file_name":"A172_%s.tif","width":40,"height":30}],"categories":[{"id":1,"name":"cell"}],"annotations":[{"id":1,"image_id":1,"category_id":1,"iscrowd":0,"area":100,"bbox":[2,2,10,10],"segmentation":[[2,2,12,2,12,12,2,12]]}]}' \
        $part >data/downloads/livecell_coco_$part.json
done
bsdtar -cf data/downloads/livecell_images.zip --format zip -C raw images
is "$(recipe data-livecell 2>&1 | cut -d' ' -f5-8)" "next: make table4 SCALE=paper" "data-livecell"
is "$(cd data/livecell 2>/dev/null && echo */*/*)" "test/images/A172_test.tif test/masks/A172_test.png train/images/A172_train.tif train/masks/A172_train.png" "images and masks"
is "$(image at data/livecell/test/masks/A172_test.png 5 5) $(image at data/livecell/test/masks/A172_test.png 20 20)" "255 0" "in black and white"

# ---- what the tables make of it ----
cut() { env -C "$TOP" SCALE=smoke SPLIT=image DATA="$TMP/data" STANDIN="$TMP/standin" W="$TMP/w" pipelines/cut "$@"; }
ok "tiles of all three" eval 'for set in nt2 bloodcell livecell; do cut $set || exit; done'
is "$(peek -j w/data/nt2.train.tar w/data/nt2.test.tar | jq -r '.meta.source.name // empty' | sort -u | wc -l)" 2 \
    "NT2, undivided, is divided by image"
is "$(peek -j w/data/bloodcell.test.tar | jq -r '.meta.source.name // empty' | sort -u)" bloodcell/test/images/test-1.png \
    "a set with a test folder keeps it"
mv data/nt2 nt2.away
mkdir -p standin/{itmo_brightfield,pfc_neurons}/{train,test}/{images,masks}
for name in itmo_brightfield pfc_neurons; do
    for part in train test; do
        cp nt2.away/images/one.tif standin/$name/$part/images/$name.tif
        cp nt2.away/masks/one.tif standin/$name/$part/masks/$name.tif
    done
done
ok "without NT2 its stand-ins are taken, also at the smallest scale" cut nt2
is "$(peek -j w/data/nt2.train.tar | jq -r '.meta.source.name // empty' | sort -u | paste -sd' ')" \
    "itmo_brightfield/train/images/itmo_brightfield.tif pfc_neurons/train/images/pfc_neurons.tif" "all that are there"
side=$(awk -F'\t' '$1 == "side" { print $3 }' "$TOP/pipelines/scales/smoke.tsv")
is "$(peek w/data/nt2.train.tar | grep -o 'mask uint[0-9]* [0-9x]*' | awk '{ print $3 }' | sort -u)" "${side}x$side" \
    "cut as the scale says"
rm -rf standin w/drawn
is "$(SCALE=small cut livecell 2>&1; mv data/livecell livecell.away; cd "$TOP" && SCALE=small SPLIT=image DATA="$TMP/data" STANDIN='' \
    W="$TMP/w" pipelines/cut livecell 2>&1)" \
    "cut: LIVECell: neither '$TMP/data/livecell' nor a stand-in in '': images are drawn; make data-livecell fetches the real ones" \
    "without any, one line says so"
done_testing
