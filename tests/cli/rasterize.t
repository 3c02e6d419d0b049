#!/bin/bash
# Annotations to label images: round trips with what the writers make, the rules
# for odd outlines, and files that are refused.
# shellcheck source=tests/tap.sh
# shellcheck disable=SC2002,SC2016,SC2317
. "$(dirname "$0")/../tap.sh"
plan 40
annotate=$BUILD/tests/helper/annotate
image() { "$BUILD/tests/helper/image" "$@"; }
cd "$TMP" || exit 1
synth -q -n 3 -s 150x110 --instances -o drawn
first=drawn/masks/synth_00001.png

for format in roi geojson coco rle; do
    "$annotate" $format "first.$format" "$first"
    ok "labels to $format and back" bash -c \
        "rasterize --like $first first.$format >back.png && cmp back.png $first"
done
rasterize --like "$first" -f tiff -o named.png first.roi
ok "a file's name tells its format" cmp named.png "$first"
"$annotate" coco all.json drawn/masks/*.png
mkdir back && rasterize -q -o back all.json
for i in 1 2 3; do
    ok "image $i of a COCO file" cmp "back/synth_0000$i.png" "drawn/masks/synth_0000$i.png"
done
mkdir many && cp first.geojson many/synth_00001.geojson && "$annotate" roi many/synth_00002.zip \
    drawn/masks/synth_00002.png
rasterize -q -o out/ --like drawn/images --suffix _mask many/*
ok "sizes from a folder of images" cmp out/synth_00002_mask.png drawn/masks/synth_00002.png
ok "and for all files" cmp out/synth_00001_mask.png drawn/masks/synth_00001.png
rasterize -m binary --like "$first" first.roi >binary.png
is "$(image info binary.png | cut -d' ' -f4)" 8 "a binary mask has 8 bits"

# Rules.
json() { # COORDINATES: an outline as GeoJSON
    printf '{"type":"FeatureCollection","features":[{"geometry":{"type":"Polygon","coordinates":%s},
        "properties":{"classification":"a"}}]}' "$1"
}
mean() { # the share of foreground, in pixels of a 10 x 10 image
    rasterize -q -s 10x10 -m binary /dev/stdin >m.png && image mean m.png |
        awk '{ printf "%.0f\n", $1 * (($1 <= 1) ? 100 : 100 / 255) }'
}
is "$(json '[[[0,0],[10,10],[10,0],[0,10]]]' | mean)" 50 "an outline that crosses itself: odd parts"
is "$(json '[[[-5,-5],[5,-5],[5,50],[-5,50]]]' | mean)" 50 "points outside the image are cut off"
is "$(json '[[[0,0],[10,0],[10,10],[0,10]],[[2,2],[8,2],[8,8],[2,8]]]' | mean)" 64 "a hole"
is "$(json '[[[0.6,0.6],[3.4,0.6],[3.4,3.4],[0.6,3.4]]]' | mean)" 4 "centers count"
json '[[[20,20],[30,20],[30,30]]]' >far.json
rasterize -s 10x10 far.json 2>warned >far.png
is "$?" 0 "an object outside the image"
ok "is warned of" grep -q "1 of 1 objects cover no pixel" warned
json '[[[0,0],[4,0],[4,4],[0,4]]]' >class.json
rasterize -s 4x4 -m class --classes b,a class.json >class.png
is "$(image at class.png 0 0 | tr -d ' ')" 2 "classes are numbered as they are listed"
fails 65 "a class that is not" rasterize -s 4x4 -m class --classes b -o class2.png class.json
ok "leaves nothing" test ! -e class2.png

two='{"images":[{"id":1,"file_name":"x/a.jpg","width":4,"height":4}],"annotations":[
 {"image_id":1,"segmentation":[[0,0,4,0,4,4,0,4]]},{"image_id":1,"segmentation":[[0,0,2,0,2,4,0,4]]}]}'
echo "$two" >two.json
is "$(rasterize two.json >t.png && image at t.png 0 0 | tr -d ' ')" 2 "the last object is seen"
is "$(rasterize --overlap first two.json >t.png && image at t.png 0 0 | tr -d ' ')" 1 "or the first"
cat >labelme.json <<'END'
{"version": "5.0", "shapes": [
 {"label": "cell", "points": [[0,0],[2,4]], "group_id": 1, "shape_type": "rectangle"},
 {"label": "cell", "points": [[6,2],[6,3]], "group_id": 1, "shape_type": "circle"},
 {"label": "cell", "points": [[2,0],[4,0],[4,4],[2,4]], "group_id": null, "shape_type": "polygon"}],
 "imagePath": "a.jpg", "imageData": null, "imageWidth": 8, "imageHeight": 4}
END
rasterize labelme.json >l.png
is "$(for at in 0 6 3; do image at l.png $at 2 | tr -d ' \n'; done)" 112 \
    "LabelMe: shapes of a group are one object"

# What is refused.
fails 64 "no size" rasterize -o x.png first.roi
fails 64 "several images, one file" rasterize -o x.png all.json
fails 65 "a size that is not the annotations'" rasterize -s 9x9 -o x.png two.json
fails 66 "no such file" rasterize -s 9x9 -o x.png nothing.json
fails 66 "no such image" rasterize --like back -o out/ far.json
fails 64 "no annotations" rasterize
head -c -5 first.geojson >cut.json
fails 65 "broken JSON" rasterize -s 9x9 -o x.png cut.json
head -c -40 first.roi >cut.zip
fails 65 "a zip that was cut" rasterize -s 9x9 -o x.png cut.zip
fails 65 "an image is no annotation" rasterize -s 9x9 -o x.png "$first"
sed 's/"height":4/"height":2000000000/; s/"width":4/"width":2000000000/' two.json >huge.json
fails 65 "an image of absurd size" rasterize -o x.png huge.json
ok "nothing was left behind" test ! -e x.png
ok "a full disk is noticed" bash -c '! rasterize two.json >/dev/full 2>/dev/null'

hostile=$SHARED/hostile/archive
if [ -d "$hostile" ]; then
    memory=500000 seconds=5
    case $BUILD in *san) memory=unlimited seconds=60 ;; esac
    limited() { # FILE: the exit status, with limits on memory and time
        local status=0
        (
            ulimit -v "$memory"
            exec timeout "$seconds" rasterize -s 9x9 -o hostile.png "$1"
        ) >/dev/null 2>err || status=$?
        echo $status
    }
    wrong=
    for file in "$hostile"/reject/*.zip; do
        [ "$(limited "$file")" = 65 ] && [ "$(wc -l <err)" = 1 ] || wrong="$wrong ${file##*/}"
    done
    is "$wrong" "" "hostile zip archives are refused"
    ok "and leave nothing" test ! -e hostile.png -a ! -e /tmp/hostile_canary
    for file in "$hostile"/either/*.zip; do
        case $(limited "$file") in 0 | 65) ;; *) wrong="$wrong ${file##*/}" ;; esac
    done
    is "$wrong" "" "or are read without harm"
else
    skip "no $hostile" 3
fi

# What others make of it.
python=
for p in python3 /usr/bin/python3; do
    "$p" -c 'import numpy, skimage' 2>/dev/null && python=$p && break
done
cp first.roi first.zip
if [ "$python" ]; then
    ok "Python's zipfile and json" "$python" - "$first" <<'END'
import json, struct, sys, zipfile
from skimage.io import imread
labels = imread(sys.argv[1])
archive = zipfile.ZipFile("first.zip")
assert archive.testzip() is None
assert len(archive.namelist()) == labels.max()
data = archive.read("000001.roi")
magic, version, kind, top, left, bottom, right, n = struct.unpack(">4sHBxhhhhH", data[:18])
rows, columns = (labels == 1).nonzero()
assert magic == b"Iout" and (top, left) == (rows.min(), columns.min())
assert (bottom, right) == (rows.max() + 1, columns.max() + 1)
features = json.load(open("first.geojson"))["features"]
assert len(features) == labels.max() and features[0]["geometry"]["coordinates"][0][0] == \
    features[0]["geometry"]["coordinates"][0][-1]
coco = json.load(open("all.json"))
assert [i["file_name"] for i in coco["images"]][0].endswith("synth_00001.png")
assert coco["annotations"][0]["area"] == (labels == 1).sum()
END
else
    skip "no scikit-image"
fi
if python3 -c 'import roifile' 2>/dev/null; then
    ok "roifile" python3 -c '
import roifile
rois = roifile.roiread("first.zip")
assert rois[0].name == "000001" and len(rois[0].coordinates()) >= 4'
else
    skip "roifile is not installed"
fi
done_testing
