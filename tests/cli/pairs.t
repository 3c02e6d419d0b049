#!/bin/bash
# Images and masks that lie together, as people have them: none is taken for the other.
. "$(dirname "$0")/../tap.sh"
plan 17
image() { "$BUILD/tests/helper/image" "$@"; }
cd "$TMP" || exit 1
synth -q -n 2 -s 120x100 --seed 5 -o . || exit 1
first=$(basename "$(find images -name '*.png' | sort | head -n 1)" .png)

names() { tar tf - | sed -n 's|/.*image.npy$||p' | sort -u | tr '\n' ' '; }

mkdir beside
cp images/*.png beside
cd beside || exit 1
for run in once twice; do
    find . -name '*.png' | sort | while read -r image; do
        tile -q "$image" 2>>"../$run" | predict -q -t 1 2>/dev/null | stitch -q -o "${image%.png}_mask.png" 2>/dev/null
    done
    is "$(find . -name '*_mask.png' | wc -l)" 2 "the README's recipe, $run: a mask an image"
done
is "$(find . -name '*_mask_mask*' | wc -l)" 0 "and none of masks"
is "$(grep -c 'result of' ../twice)" 2 "which is said"
tile -q -s full ./*.png 2>message | names >keys
is "$(wc -w <keys)" 2 "of *.png masks are left out"
is "$(grep -c 'left out, as are others' message)" 1 "with a warning"
tile -q -s full - <"${first}_mask.png" >mask.tar
is "$(tar tf mask.tar | grep -c image.npy)" 1 "standard input has no name"
tile -q -s full -m . "$first.png" | stitch -q --mask -o back.png
ok "masks beside images" image same back.png "${first}_mask.png"
label -q -m keep -T with.tsv -i . "${first}_mask.png"
label -q -m keep -T of.tsv -i "$first.png" "${first}_mask.png"
ok "label -i FOLDER measures the image, not the mask" cmp with.tsv of.tsv
rm ./*_mask.png back.png

cp ../masks/"$first".png "${first}_masks.png"
tile -q -s full -m . "$first.png" | stitch -q --mask -o back.png
ok "Cellpose's masks beside images" test -s back.png
rm "${first}_masks.png"
tile -q -s full -m . "$first.png" >none.tar 2>message
is "$? $(wc -l <message)" "66 1" "an image is not its own mask"
is "$(grep -c "find the mask of '$first.png'" message)" 1 "and the mask is missed"

cd "$TMP" || exit 1
mkdir imagesTr labelsTr
cp "images/$first.png" imagesTr/case_001_0000.png
cp "masks/$first.png" labelsTr/case_001.png
is "$(tile -q -s full -m labelsTr imagesTr/*.png | tar tf - | grep -c mask.npy)" 1 "nnU-Net's names"
is "$(label -q -m keep -T - -i imagesTr labelsTr/case_001.png | tail -n 1 | cut -f1)" labelsTr/case_001.png "both ways"

mkdir truth found
cp "masks/$first.png" truth/"${first}_masks.png"
cp "images/$first.png" truth/"$first.png"
cp "masks/$first.png" found/"${first}_cp_masks.png"
is "$(score found truth | cut -f1,2 | tail -n 1)" "$first"$'\t'1 "score: folders of masks, images among them"
cp "images/$first.png" truth/"$first.jpg.png"
tile -q -s full "images/$first.png" | stitch -q --image -o "$first.ome.tif"
is "$(tile -q "$first.ome.tif" | names)" "$first " ".ome.tif is one ending"
printf '{"version":"5","shapes":[{"label":"c","shape_type":"rectangle","points":[[1,1],[9,9]]}],"imagePath":"%s.png"}' "$first" >"images/$first.json"
ok "rasterize --like a folder in which annotations lie" rasterize -q --like images -o r.tif "images/$first.json"
done_testing
