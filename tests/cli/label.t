#!/bin/bash
# label: cells of masks, probabilities and flows, and their table.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 92

cell() { # COLUMN FILE [LINE]: of a table
    awk -F'\t' -v name="$1" -v line="${3:-2}" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i }
        NR == line { print $at }' "$2"
}

synth -q -n 2 -s 300x200 --seed 3 -o "$TMP/cells" --instances
synth -q -n 2 -s 300x200 --seed 3 -o "$TMP/masks"
truth=$TMP/cells/masks/synth_00001.png
mask=$TMP/masks/masks/synth_00001.png

# ---- methods ----
ok "components" label -q -o "$TMP/a.png" "$mask"
is "$(score --components 8 "$TMP/a.png" "$mask" | tail -n 1 | cut -f 12)" 1 "are those of score"
ok "a watershed" label -q -m watershed -o "$TMP/w.tif" "$mask"
is "$(score "$TMP/w.tif" "$mask" | tail -n 1 | cut -f 2)" 1 "covers the mask"
label -q -m watershed -o - "$mask" >"$TMP/w2.tif"
is "$(sha256sum <"$TMP/w2.tif")" "$(sha256sum <"$TMP/w.tif")" "the same on standard output"
ok "labels as they are" label -q -m keep -o "$TMP/k.png" "$truth"
is "$(score -i "$TMP/k.png" "$truth" | tail -n 1 | cut -f 12)" 1 "stay"
ok "a folder" label -q -o "$TMP/out/" --suffix _cells "$TMP"/masks/masks/*.png
is "$(cd "$TMP/out" && echo *)" "synth_00001_cells.tif synth_00002_cells.tif" "of label images"
ok "smoothing, holes, sizes, borders" label -q --smooth 2 --fill --min-size 100 --clear-border -o "$TMP/b.png" "$mask"
ok "leave less" test "$(label -T - -m keep "$TMP/b.png" | wc -l)" -lt "$(label -T - "$mask" | wc -l)"

areas=$(label -m keep -T - "$truth" | cut -f 10 | tail -n +2 | sort -n)
median=$(sed -n "$((($(wc -l <<<"$areas") + 1) / 2))p" <<<"$areas")
left=$(awk -v m="$median" '$1 >= 0.9 * m' <<<"$areas" | wc -l)
is "$(label -m keep --min-relative 0.9 -T - "$truth" | tail -n +2 | wc -l)" "$left" "cells smaller than a share of the median go"
ok "which are some of them" test "$left" -gt 0 -a "$left" -lt "$(wc -l <<<"$areas")"

# ---- the table ----
label -q -m keep -T "$TMP/t.tsv" -i "$TMP/cells/images" --pixel-size 0.5 "$truth"
is "$(cell area "$TMP/t.tsv" | awk '{ print $1 / 4 }')" "$(cell area_um2 "$TMP/t.tsv")" "square micrometers"
ok "the intensity" test "$(cell mean_intensity "$TMP/t.tsv")" != nan
is "$(label -m keep -T - "$truth" | cut -f 1 | sort -u | wc -l)" 2 "the table on standard output"

# ---- streams ----
stream() { "$BUILD/tests/helper/stream" "$@"; }
image=$TMP/cells/images/synth_00001.png
columns() { cut -f "$2" <"$1" | tail -n +2; } # FILE FIELDS: of a table, without its header
tile -q -s 100 -o 30 "$image" | stream prob 2 >"$TMP/prob.tar"
ok "a stream" label -q -t 0.5 -o "$TMP/s.tif" -T "$TMP/s.tsv" "$TMP/prob.tar"
stitch -q -t 0.5 -o "$TMP/m.png" "$TMP/prob.tar"
is "$(score --components 8 "$TMP/s.tif" "$TMP/m.png" | tail -n 1 | cut -f 12)" 1 \
    "has the cells of what stitch makes of it"
label -q -m keep -T "$TMP/k.tsv" -i "$image" "$TMP/s.tif"
is "$(columns "$TMP/s.tsv" 26,27)" "$(columns "$TMP/k.tsv" 26,27)" "with the stream's own intensities"
is "$(columns "$TMP/s.tsv" 1 | sort -u)" "$image" "under the name that the image was given by"
stitch -q --prob -o "$TMP/p.tif" "$TMP/prob.tar"
ok "an image of probabilities" label -q -p -t 0.5 -o "$TMP/p2.tif" -T "$TMP/p.tsv" "$TMP/p.tif"
is "$(score -i "$TMP/p2.tif" "$TMP/s.tif" | tail -n 1 | cut -f 12)" 1 "gives the same cells"
is "$(columns "$TMP/p.tsv" 24)" "$(columns "$TMP/s.tsv" 24)" "with the same mean probabilities"
ok "a watershed of probabilities" label -q -p -m watershed --map probability -o "$TMP/wp.tif" "$TMP/p.tif"
label -q -m watershed --map probability <"$TMP/prob.tar" >"$TMP/wp2.tif"
is "$(sha256sum <"$TMP/wp.tif")" "$(sha256sum <"$TMP/wp2.tif")" "the same from a stream on standard input"
tile -q -s 100 -o 30 "$TMP"/cells/images/*.png | stream prob 2 >"$TMP/two.tar"
ok "a stream of two images" label -q -o "$TMP/twice/" -T "$TMP/two.tsv" --geojson "$TMP/twice" "$TMP/two.tar"
is "$(cd "$TMP/twice" && echo *)" \
    "synth_00001.geojson synth_00001.tif synth_00002.geojson synth_00002.tif" "into a folder"
is "$(columns "$TMP/two.tsv" 1 | sort -u | wc -l)" 2 "and one table"
if command -v script >/dev/null; then
    (cd "$TMP" && script -qec "label -T /dev/null two.tar" log >/dev/null 2>&1 </dev/null)
    ok "a terminal is told how many images there are" grep -q '2 of 2 images' "$TMP/log"
else
    skip "no script(1) to make a terminal"
fi
fails 64 "into one file" label -o "$TMP/x.tif" "$TMP/two.tar"
head -c 100000 "$TMP/prob.tar" >"$TMP/cut.tar"
fails 65 "a stream that was cut" label -o "$TMP/x.tif" "$TMP/cut.tar"
fails 65 "flows of a stream that has none" label -m flows -o "$TMP/x.tif" "$TMP/prob.tar"

tile -q -s full -m "$TMP/cells/masks" "$image" | stream flows >"$TMP/flows.tar"
ok "flows of a stream" label -q -m flows -o "$TMP/f.tif" "$TMP/flows.tar"
ok "lead to the cells" awk 'NR == 2 && $12 >= 0.95 { found = 1 } END { exit !found }' \
    <(score -i "$TMP/f.tif" "$truth")
is "$(label -q -m flows -T - "$TMP/flows.tar" | cut -f 24,25 | tail -n +2 | sort -u)" "nan	nan" \
    "and have neither probabilities nor uncertainties"
stitch -q --logits -o "$TMP/logits.tif" "$TMP/flows.tar"
ok "an image of flows" label -q -m flows -o "$TMP/f2.tif" "$TMP/logits.tif"
is "$(sha256sum <"$TMP/f2.tif")" "$(sha256sum <"$TMP/f.tif")" "the same cells"
tile -q -s full -m "$TMP/cells/masks" "$image" | stream flows 1 >"$TMP/apart.tar"
ok "flows beside probabilities" label -q -m flows -o "$TMP/f3.tif" "$TMP/apart.tar"
ok "smoothed, lead to the same cells" awk 'NR == 2 && $12 >= 0.95 { found = 1 } END { exit !found }' \
    <(score -i "$TMP/f3.tif" "$TMP/f.tif")
tile -q -s 300 -m "$TMP/cells/masks" "$image" | stream flows 1 >"$TMP/apart.tar"
ok "flows of tiles that overlap" label -q -m flows -o "$TMP/f3.tif" -T "$TMP/f3.tsv" "$TMP/apart.tar"
ok "lead to the cells" awk 'NR == 2 && $12 >= 0.8 { found = 1 } END { exit !found }' \
    <(score -i "$TMP/f3.tif" "$truth")
ok "which have their probabilities" awk -F '\t' 'NR > 1 && !($24 > 0.85 && $24 < 0.95) { bad = 1 } END { exit bad }' "$TMP/f3.tsv"
synth -q -s 300 -l fluorescence --instances --radius 60 --coverage 40 --seed 3 -o "$TMP/wide/"
tile -q -s full -m "$TMP/wide/masks" "$TMP"/wide/images/* | stream flows 1 >"$TMP/wide.tar"
is "$(label -q -o "$TMP/f4.tif" "$TMP/wide.tar" 2>&1 | grep -c 'its cells are 1[0-9][0-9] pixels wide.*tile --diameter 1')" 1 \
    "cells wider than networks know are told"
tile -q --diameter 100 -m "$TMP/wide/masks" "$TMP"/wide/images/* | stream flows 1 >"$TMP/wide.tar"
is "$(label -q -o "$TMP/f4.tif" "$TMP/wide.tar" 2>&1)" "" "not when their tiles were scaled"

# ---- flows to ridges ----
tile -q -s 300 -m "$TMP/cells/masks" "$image" | stream flows 2 >"$TMP/ridges.tar"
ok "flows of distance" label -q -o "$TMP/r1.tif" "$TMP/ridges.tar"
ok "lead to the cells" awk 'NR == 2 && $12 >= 0.8 { found = 1 } END { exit !found }' <(score -i "$TMP/r1.tif" "$truth")
tile -q -s full -m "$TMP/cells/masks" "$image" | stream flows 2 >"$TMP/ridges.tar"
label -q --steps 1 -o "$TMP/r2.tif" "$TMP/ridges.tar"
stream noplace <"$TMP/ridges.tar" | label -q --steps 1 -o "$TMP/r3.tif"
ok "by another way than those of diffusion, which the stream tells" bash -c '! cmp -s "$@"' - "$TMP/r2.tif" "$TMP/r3.tif"
tile -q -s 300 -m "$TMP/cells/masks" "$image" | stream flows 3 >"$TMP/ridges.tar"
fails 65 "flows of another kind" label -o "$TMP/x.tif" "$TMP/ridges.tar"

# ---- rims and insides ----
label -q -m keep --rims 2 -o "$TMP/classes.png" "$TMP"/wide/masks/*
ok "cells become classes" test "$(label -q -m keep -T - "$TMP/classes.png" | cut -f 2 | tail -n +2 | sort | tr '\n' ' ')" = "1 2 "
ok "of which cells are made again" label -q -m rims -o "$TMP/again.png" "$TMP/classes.png"
ok "the same" awk 'NR == 2 && $12 >= 0.95 { found = 1 } END { exit !found }' <(score -i "$TMP/again.png" "$TMP"/wide/masks/*)
fails 64 "a table of classes" label -m keep --rims 2 -T "$TMP/x.tsv" "$truth"

# ---- a table with commas ----
odd="$TMP/a, \"b\".png" && cp "$mask" "$odd"
label -q -T "$TMP/odd.tsv" "$odd" && label -q -T "$TMP/odd.CSV" "$odd"
is "$(head -n 1 "$TMP/odd.CSV")" "$(head -n 1 "$TMP/odd.tsv" | tr '\t' ,)" "a table of that name has commas"
is "$(sed -n 2p "$TMP/odd.CSV" | cut -d , -f 1,2,3)" "\"$TMP/a, \"\"b\"\".png\",1" "names are quoted where they need it"
is "$(tail -n +2 "$TMP/odd.CSV" | cut -d , -f 3- | tr -s , | sort)" \
    "$(tail -n +2 "$TMP/odd.tsv" | cut -f 2- | tr '\t' , | sed 's/\bnan\b//g' | tr -s , | sort)" "the same numbers; nothing for nan"

# ---- exports ----
label -q -m watershed -o "$TMP/w.png" --rois "$TMP/w.zip" --geojson "$TMP/w.geojson" --coco "$TMP/w.json" \
    --coco-rle "$TMP/rle.json" --svg "$TMP/w.svg" "$mask"
cells=$(label -m keep -T - "$TMP/w.png" | tail -n +2 | wc -l)
is "$(unzip -l "$TMP/w.zip" 2>/dev/null | grep -c '\.roi$' || bsdtar tf "$TMP/w.zip" | grep -c '\.roi$')" "$cells" \
    "a region of interest a cell"
is "$(grep -o '"geometry"' "$TMP/w.geojson" | wc -l)" "$cells" "a feature a cell"
ok "COCO" grep -q '"annotations"' "$TMP/w.json"
ok "SVG" grep -q '<svg' "$TMP/w.svg"
label -q -m keep -i "$image" --pixel-size 0.5 -T "$TMP/q.tsv" --geojson "$TMP/q.geojson" "$TMP/w.png"
if command -v jq >/dev/null; then
    measured() { # NAME: of all cells, in the order of their numbers
        jq -r --arg name "$1" '.features | sort_by(.properties.label) | .[].properties.measurements[$name]' \
            "$TMP/q.geojson" | awk '{ printf "%.6g\n", $1 }'
    }
    for name in area mean_intensity area_um2 circularity; do
        column=$(head -n 1 "$TMP/q.tsv" | tr '\t' '\n' | grep -nx "$name" | cut -d : -f 1)
        is "$(measured $name)" "$(sort -n -k 2 "$TMP/q.tsv" | columns /dev/stdin "$column" | awk '{ printf "%.6g\n", $1 }')" \
            "QuPath gets the $name that the table has"
    done
    is "$(jq '.features[0].properties.measurements | has("mean_probability")' "$TMP/q.geojson")" false \
        "and nothing that is not known"
else
    skip "no jq" 5
fi
for file in w.zip w.geojson w.json rle.json; do
    rasterize -q --like "$mask" -o "$TMP/back.tif" "$TMP/$file"
    is "$(score -i "$TMP/back.tif" "$TMP/w.png" | cut -f 2,12 | tail -n 1)" "1	1" "$file and back: the same cells"
done
mkdir "$TMP/lm" && cp "$TMP/w.png" "$TMP/lm/w.png"
label -q -m keep --labelme "$TMP/lm/" "$TMP/lm/w.png"
ok "LabelMe's file names the image that is beside it" grep -q '"imagePath":"w.png"' "$TMP/lm/w.json"
label -q -m keep --labelme "$TMP/lm/next/" "$TMP/lm/w.png"
ok "or where it is from there" grep -q '"imagePath":"../w.png"' "$TMP/lm/next/w.json"
rasterize -q -o "$TMP/back.tif" "$TMP/lm/w.json"
is "$(score -i "$TMP/back.tif" "$TMP/w.png" | cut -f 2,12 | tail -n 1)" "1	1" "LabelMe and back: the same cells"
is "$(label -q -m keep --labelme - "$TMP/lm/w.png" | grep -o '"imagePath":"[^"]*"')" '"imagePath":"w.png"' \
    "standard output is nowhere: the name alone"
ok "one file for all images" label -q --coco "$TMP/all.json" "$TMP"/masks/masks/*.png
is "$(grep -o '"file_name"' "$TMP/all.json" | wc -l)" 2 "of COCO"
ok "a folder for the others" label -q --rois "$TMP/rois/" "$TMP"/masks/masks/*.png
is "$(cd "$TMP/rois" && echo *)" "synth_00001.zip synth_00002.zip" "a file each"
fails 64 "several images into one zip" label --rois "$TMP/x.zip" "$mask" "$mask"

# ---- what is wrong ----
fails 66 "an image that is not there" label -o "$TMP/x.png" "$TMP/none.png"
fails 64 "several images into a file" label -o "$TMP/x.png" "$mask" "$mask"
fails 64 "a JPEG" label -o "$TMP/x.jpg" "$mask"
fails 64 "COCO into a folder" label --coco "$TMP/x.coco/" "$mask"
fails 65 "flows that are none" label -m flows -o "$TMP/x.png" "$mask"
fails 64 "a method that is none" label -m magic "$mask"
fails 64 "a map without a watershed" label --map probability "$mask"
fails 65 "a map without probabilities" label -m watershed --map probability -o "$TMP/x.png" "$mask"
fails 66 "no image of that stem" label -T "$TMP/x.tsv" -i "$TMP/out" "$mask"
fails 73 "a folder that cannot be made" label -o /dev/null/x/ "$mask"
is "$(ls "$TMP"/x.* 2>/dev/null)" "" "nothing is left behind"
ok "a full disk is noticed" bash -c '! label -o - "'"$mask"'" >/dev/full 2>/dev/null'
ok "also by the table" bash -c '! label -T - "'"$mask"'" >/dev/full 2>/dev/null'
printf 'x' >"$TMP/bad.png"
label -q -o "$TMP/out2/" "$TMP/bad.png" "$mask" 2>/dev/null
is "$?" 1 "one of several that fails: some failed"
is "$(ls "$TMP/out2")" "synth_00001.tif" "the other is there"
done_testing
