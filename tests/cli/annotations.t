#!/bin/bash
# Annotations as other programs write them: what is odd is left out and counted.
# shellcheck source=tests/tap.sh
# shellcheck disable=SC2016
. "$(dirname "$0")/../tap.sh"
plan 93
cd "$TMP" || exit 1
python=python3

# areas OPTIONS... FILE: the status, then the areas of the objects
areas() {
    local status=0
    rm -f r.tif
    rasterize -q -o r.tif "$@" 2>err || status=$?
    printf '%s:' "$status"
    [ ! -e r.tif ] || label -q -m keep -T - r.tif | awk 'NR > 1 { printf " %s", $10 }'
}
text() { printf '%s' "$2" >"$1"; }
square='[[5,5],[15,5],[15,15],[5,15],[5,5]]'
big='[[20,5],[40,5],[40,25],[20,25],[20,5]]'

# ---- GeoJSON as QuPath writes it ----
feature() { # TYPE COORDINATES [PROPERTIES] [MORE OF THE GEOMETRY]
    printf '{"type":"Feature","geometry":{"type":"%s","coordinates":%s%s},"properties":{%s}}' "$1" "$2" "${4-}" "${3-}"
}
collection() { # FEATURE,...
    printf '{"type":"FeatureCollection","features":[%s]}' "$1"
}
geojson=$(collection "$(feature Polygon "[$square]" '"measurements":{"Nucleus: Circularity":NaN,"x":Infinity,"y":-Infinity}')")
text nan.geojson "$geojson"
is "$(areas -s 60x50 nan.geojson)" "0: 100" "measurements that are no numbers"
printf '\357\273\277%s' "$geojson" >bom.geojson
is "$(areas -s 60x50 bom.geojson)" "0: 100" "a byte order mark"
for order in LE BE; do
    iconv -f UTF-8 -t UTF-16$order <<<"$(printf '\357\273\277%s' "$geojson")" >utf16.geojson
    is "$(areas -s 60x50 utf16.geojson)" "0: 100" "UTF-16$order, as PowerShell writes it"
done
text among.geojson "$(collection "$(feature Polygon "[$square]"),$(feature Point '[3,3]'),$(feature LineString '[[1,1],[9,9]]'),
    $(feature MultiPoint '[[3,3]]'),$(feature MultiLineString '[[[1,1],[9,9]]]'),$(feature Polygon "[$big]")")"
is "$(areas -s 60x50 among.geojson)" "0: 100 400" "points and lines among areas"
ok "... are counted" grep -q "4 objects without area are left out; feature 2: Point has no area" err
text broken.geojson "$(collection "$(feature Polygon "[$square]"),$(feature Polygon '[[[1,1],[NaN,2],[3,3]]]'),$(feature Polygon '[[[1],[2]]]'),
    $(feature Blob '[1]'),{\"type\":\"Feature\",\"geometry\":{\"type\":\"Polygon\"}},7,$(feature Polygon "[$big]")")"
is "$(areas -s 60x50 broken.geojson)" "1: 100 400" "broken objects among good ones: status 1"
ok "... are counted, the first is named" grep -q "5 broken objects are left out; feature 2: a point that is no number" err
text none.geojson "$(collection "$(feature Point '[3,3]'),{\"type\":\"Feature\",\"geometry\":null,\"properties\":null}")"
is "$(areas -s 60x50 none.geojson)" "65:" "nothing but points is refused"
text empty.geojson "$(collection '')"
is "$(areas -s 60x50 empty.geojson)" "0:" "no objects are an empty mask"
text old.json "[{\"type\":\"Feature\",\"id\":\"PathCellObject\",\"geometry\":{\"type\":\"Polygon\",\"coordinates\":[$big]},
    \"nucleusGeometry\":{\"type\":\"Polygon\",\"coordinates\":[$square]},\"properties\":{\"classification\":
    {\"name\":\"Tumor\",\"colorRGB\":-3670016},\"isLocked\":false,\"measurements\":[{\"name\":\"a\",\"value\":NaN}]}}]"
is "$(areas -s 60x50 old.json)" "0: 400" "cells of QuPath 0.2: the cell, not its nucleus"
is "$(areas -s 60x50 -m class --classes Tumor old.json)" "0: 400" "... and its class"
text collected.geojson "$(collection "{\"type\":\"Feature\",\"geometry\":{\"type\":\"GeometryCollection\",\"geometries\":
    [{\"type\":\"Point\",\"coordinates\":[1,1]},{\"type\":\"Polygon\",\"coordinates\":[$square]}]},\"properties\":{}}")"
is "$(areas -s 60x50 collected.geojson)" "0: 100" "a collection of geometries"
text planes.geojson "$(collection "$(feature Polygon "[$square]" '' ',"plane":{"c":-1,"z":0,"t":0}'),$(feature Polygon "[$big]" '' ',"plane":{"c":-1,"z":1,"t":0}')")"
is "$(areas -s 60x50 planes.geojson)" "0: 100 400" "two planes"
ok "... are warned of" grep -q "several planes" err
is "$(areas -s 60x50 --z 2 planes.geojson)" "0: 400" "one of two planes"
ok "... without a warning" test ! -s err
is "$(areas -s 60x50 --z 3 planes.geojson)" "0:" "a plane without objects"
ok "... is warned of" grep -q "all 2 objects are on other planes" err

# ---- lists that are something else ----
for list in '[1]' '[{"id":1,"annotations":[{"result":[]}],"data":{"image":"a.png"}}]' '["a"]' '[{"features":[]}]' '[[]]'; do
    text list.json "$list"
    is "$(areas -s 60x50 list.json)" "65:" "not annotations: $list"
done

# ---- COCO ----
image='{"id":1,"file_name":"a.png","width":60,"height":50}'
coco() { # ANNOTATIONS [IMAGES] [CATEGORIES]
    printf '{"images":[%s],"annotations":[%s],"categories":[%s]}' "${2-$image}" "$1" "${3-{\"id\":1,\"name\":\"cell\"\}}"
}
flat='5,5,15,5,15,15,5,15'
annotation() { # SEGMENTATION [IMAGE] [CATEGORY] [MORE]
    printf '{"id":1,"image_id":%s,"category_id":%s,"segmentation":%s%s}' "${2-1}" "${3-1}" "$1" "${4-}"
}
is_coco() { # AREAS NAME OPTIONS... ANNOTATIONS IMAGES CATEGORIES as those of coco
    local expected=$1 name=$2
    shift 2
    coco "$@" >c.json
    is "$(areas c.json)" "$expected" "COCO: $name"
}
is_coco "0: 100" "polygons" "$(annotation "[[$flat]]")"
is_coco "0: 100" "a flat polygon" "$(annotation "[$flat]")"
is_coco "0: 100" "polygons of points" "$(annotation '[[[5,5],[15,5],[15,15],[5,15]]]')"
is_coco "0: 100" "a score of NaN" "$(annotation "[[$flat]]" 1 1 ',"score":NaN')"
is_coco "0: 100" "no category" "$(annotation "[[$flat]]" 1 null)"
is_coco "0: 100" "run lengths" "$(annotation '{"size":[50,60],"counts":[0,100,2900]}')"
is_coco "0: 100" "a text for an id" "$(annotation "[[$flat]]" '"x"' '"c"')" '{"id":"x","file_name":"a.png","width":60,"height":50}' '{"id":"c","name":"cell"}'
is "$(areas -m class --classes cell c.json)" "0: 100" "... and for a category's"
is_coco "0: 100" "ids as 1.0" "$(annotation "[[$flat]]" 1.0)"
is_coco "0: 100" "an orphan" "$(annotation "[[$flat]]"),$(annotation '[[1,1,2,2,1,2]]' 99)"
ok "... is counted" grep -q "1 annotations are of images that it does not list" err
is_coco "65:" "nothing but orphans" "$(annotation "[[$flat]]" 99)"
is_coco "0: 100" "boxes without outlines" "$(annotation "[[$flat]]"),$(annotation '[]'),{\"image_id\":1,\"bbox\":[1,1,5,5]}"
ok "... are counted" grep -q "2 objects without area" err
is_coco "1: 100" "half a point, a word, runs that do not fit" "$(annotation "[[$flat]]"),$(annotation '[[1,2,3]]'),$(annotation '["x"]'),$(annotation '{"size":[50,60],"counts":[1,2]}')"
ok "... are counted" grep -q "3 broken objects are left out; annotation 2: a polygon with half a point" err
is_coco "0: 100" "an image that is listed twice" "$(annotation "[[$flat]]")" "$image,$image"
is_coco "65:" "two images of one id" "$(annotation "[[$flat]]")" "$image,{\"id\":1,\"file_name\":\"b.png\",\"width\":60,\"height\":50}"
is_coco "0: 100" "folders of Windows" "$(annotation "[[$flat]]")" '{"id":1,"file_name":"images\\wellA\\f1.png","width":60,"height":50}'
rm -rf out && rasterize -q -o out/ c.json
is "$(echo out/*)" out/f1.png "... give a name without them"
coco "$(annotation "[[$flat]]")" '{"id":1,"file_name":"a.png"}' >c.json
is "$(areas -s 60x50 c.json)" "0: 100" "COCO: an image without a size"
is "$(areas c.json)" "64:" "... which must be said"
text results.json '[{"image_id":7,"category_id":1,"score":0.9,"segmentation":{"size":[50,60],"counts":[0,100,2900]}},
    {"image_id":"b/two.png","category_id":1,"segmentation":{"size":[50,60],"counts":[100,50,2850]}}]'
rm -rf out && rasterize -q -o out/ results.json
is "$(echo out/*)" "out/7.png out/two.png" "a list of results: its images are named by their ids"
is "$(label -q -m keep -T - out/7.png | cut -f 10 | tail -n 1)" 100 "... with their sizes"
coco "$(annotation "[[$flat]]" 1),$(annotation '[[1]]' 2)" "$image,{\"id\":2,\"file_name\":\"b.png\",\"width\":60,\"height\":50}" >c.json
rm -rf out && rasterize -q -o out/ c.json 2>err
is "$?:$(echo out/*)" "1:out/a.png" "an image of broken objects does not keep the others back"

# ---- LabelMe and X-AnyLabeling ----
shape() { # TYPE POINTS [LABEL] [GROUP] [MORE]
    printf '{"label":"%s","points":%s,"group_id":%s,"shape_type":"%s"%s}' "${3-cell}" "$2" "${4-null}" "$1" "${5-}"
}
labelme() { # SHAPES
    printf '{"version":"5.4.1","flags":{},"shapes":[%s],"imagePath":"..\\\\img\\\\a.png","imageData":null,"imageHeight":50,"imageWidth":60}' "$1" >l.json
}
labelme "$(shape rectangle '[[5,5],[15,15]]'),$(shape rectangle '[[20,5],[40,5],[40,25],[20,25]]'),$(shape rotation '[[50,5],[55,10],[50,15],[45,10]]')"
is "$(areas l.json)" "0: 100 400 50" "LabelMe: rectangles of two and four points, turned ones"
rm -rf out && rasterize -q -o out/ l.json
is "$(echo out/*)" "out/a.png" "... named by the image"
labelme "$(shape circle '[[30,25],[30,35]]')"
is "$(areas l.json)" "0: 316" "a circle"
labelme "$(shape rectangle '[[5,5],[15,15]]'),$(shape point '[[1,1]]'),$(shape line '[[1,1],[2,2]]'),$(shape linestrip '[[1,1],[2,2],[3,1]]'),$(shape points '[[1,1]]')"
is "$(areas l.json)" "0: 100" "points and lines"
ok "... are counted" grep -q "4 objects without area are left out; shape 2: point has no area" err
labelme "$(shape rectangle '[[5,5],[15,15]]'),$(shape cuboid '[[1,1]]'),$(shape rectangle '[[1,1]]'),$(shape mask '[[1,1],[2,2]]'),$(shape mask '[[1,1],[2,2]]' c null ',"mask":"AAAA"'),null"
is "$(areas l.json)" "1: 100" "shapes that are unknown or broken"
ok "... are counted" grep -q "5 broken objects" err
labelme "$(shape rectangle '[[5,5],[15,15]]' cell '"one"'),$(shape line '[[0,0],[1,1]]' cell '"one"'),$(shape rectangle '[[20,5],[30,15]]' cell '"one"'),$(shape rectangle '[[20,25],[30,35]]' cell 2)"
is "$(areas l.json)" "0: 200 100" "groups with names, a line in one"
if $python -c 'import zlib' 2>/dev/null; then
    masks=$($python - <<'END'
import base64, struct, zlib
def chunk(kind, data):
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
for n in 12, 80:
    rows = [b"\0" + bytes([255 if x >= y else 0 for x in range(n)]) for y in range(n)]
    print(base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", n, n, 8, 0, 0, 0, 0))
          + chunk(b"IDAT", zlib.compress(b"".join(rows))) + chunk(b"IEND", b"")).decode())
END
    )
    png=${masks%%$'\n'*} large=${masks#*$'\n'}
    labelme "$(shape mask '[[10.4,20.2],[21,31]]' cell null ",\"mask\":\"$png\"")"
    is "$(areas l.json)" "0: 78" "a mask"
    is "$(label -q -m keep -T - r.tif | awk 'NR > 1 { print $6, $7, $8, $9 }')" "10 20 12 12" "... in its place"
    labelme "$(shape mask '[[54,44],[65,55]]' cell null ",\"mask\":\"$png\""),$(shape mask '[[-6,-6],[5,5]]' cell null ",\"mask\":\"$png\"")"
    is "$(areas l.json)" "0: 21 21" "... as much of it as is in the image"
    labelme "$(shape mask '[[0,0],[79,79]]' cell null ",\"mask\":\"$large\"")"
    rasterize --max-pixels 3000 -o r.tif l.json 2>err
    ok "... but none above the limit" grep -q "80 x 80 pixels are more than 3000, the limit (--max-pixels)" err
else
    skip "no python" 4
fi

# ---- VIA ----
region() { printf '{"shape_attributes":{%s},"region_attributes":{"type":{"dead":true},"name":"x"}}' "$1"; }
via() { printf '"%s123":{"filename":"%s","size":123,"regions":%s,"file_attributes":{}}' "$1" "$1" "$2"; }
polygon='"name":"polygon","all_points_x":[5,15,15,5],"all_points_y":[5,5,15,15]'
text via.json "{$(via a.png "[$(region "$polygon")]")}"
is "$(areas -s 60x50 via.json)" "0: 100" "VIA: an image's regions"
is "$(areas -s 60x50 -m class --classes alive,dead via.json)" "0: 100" "... and their class"
text via.json "{$(via a.png "{\"0\":$(region "$polygon")}")}"
is "$(areas -s 60x50 via.json)" "0: 100" "VIA 1: an object of them"
text via.json "{\"_via_settings\":{},\"_via_img_metadata\":{$(via a.png "[$(region "$polygon"),$(region '"name":"rect","x":20,"y":5,"width":20,"height":20'),
    $(region '"name":"circle","cx":50,"cy":10,"r":5'),$(region '"name":"ellipse","cx":30,"cy":38,"rx":10,"ry":5,"theta":0'),
    $(region '"name":"point","cx":3,"cy":3'),$(region '"name":"polyline","all_points_x":[1,2],"all_points_y":[1,2]'),$(region '"name":"star"')]"),
    $(via b.png '[]')},\"_via_attributes\":{}}"
rm -rf out && rasterize -q -s 60x50 -o out/ via.json 2>err
is "$?:$(echo out/*)" "1:out/a.png out/b.png" "VIA: a project of two images"
is "$(label -q -m keep -T - out/a.png | awk 'NR > 1 { printf "%s ", $10 }')" "100 400 80 160 " "... all shapes with an area"
ok "... others are counted" grep -q "2 objects without area" err
# ---- CVAT ----
at() { printf ' %s' "$("$BUILD/tests/helper/image" at r.tif "$1" "$2")"; }
cat >cvat.xml <<'XML'
<?xml version="1.0" encoding="utf-8"?>
<annotations>
  <version>1.1</version>
  <meta><task><labels><label><name>cell</name></label></labels></task></meta>
  <image id="0" name="a/first &amp; last.png" width="60" height="50">
    <polygon label="cell" source="manual" occluded="0" points="5.00,5.00;15.00,5.00;15.00,15.00;5.00,15.00" z_order="0">
      <attribute name="points">1,1;2,2;3,3</attribute>
    </polygon>
    <mask label="cell" source="manual" occluded="0" rle="1, 3, 2, 2" left="30" top="20" width="4" height="2" z_order="0"></mask>
    <box label="nucleus" xtl="20" ytl="5" xbr="24" ybr="10" rotation="90" z_order="0"></box>
    <ellipse label="cell" cx="45" cy="35" rx="5" ry="5" z_order="0"></ellipse>
    <points label="cell" points="1,1"></points>
    <tag label="good"></tag>
  </image>
  <image id="1" name="b.png" width="60" height="50">
    <polyline label="cell" points="5,5;15,5"></polyline>
    <polygon label="cell" points="5,5;x,5;15,15"></polygon>
    <polygon label="cell" points="20,5;40,5;40,25;20,25"></polygon>
    <mask label="cell" rle="1, 3" left="30" top="20" width="4" height="2"></mask>
  </image>
  <image id="2" name="c.png" width="60" height="50"/>
</annotations>
XML
mkdir cvat
rasterize -q -o cvat/ cvat.xml 2>err
is "$?" 1 "CVAT for images: broken shapes give status 1"
is "$(cd cvat && echo *)" "b.png c.png first & last.png" "... a mask an image"
is "$(label -q -m keep -T - "cvat/first & last.png" | awk -F '\t' 'NR > 1 { printf " %s", $10 }')" " 100 20 5 80" \
    "polygons, masks by rows, turned boxes and ellipses"
ok "... points are counted" grep -q "first & last.png': 1 objects without area are left out; points 5: points has no area" err
is "$(label -q -m keep -T - cvat/b.png | awk 'NR > 1 { printf " %s", $10 }')" " 400" "broken points and runs are left out"
ok "... and counted" grep -q "2 broken objects are left out; polygon 2: its points are malformed" err
sed '/<image id="1"/,$d; s|</image>|<mask label="cell" rle="9000" left="0" top="0" width="100" height="90"/></image>|' cvat.xml >large.xml
echo '</annotations>' >>large.xml
rasterize --max-pixels 8000 -o r.tif large.xml 2>err
ok "... as are masks above the limit" grep -q "100 x 90 pixels are more than 8000, the limit (--max-pixels)" err
{ sed '/<image id="1"/,$d' cvat.xml && echo '</annotations>'; } >one.xml
is "$(areas -m class --classes nucleus,cell one.xml; at 22 7; at 12 7)" "0: 185 20 1 2" "classes"
sed '20q' cvat.xml >cut.xml
fails 65 "XML that was cut" rasterize -o cut.png cut.xml
printf '<annotations><track id="0" label="cell"><polygon frame="0" points="1,1;2,2;3,1"/></track></annotations>' >track.xml
is "$(areas track.xml; cat err)" "65:rasterize: read 'track.xml': tracks of a video are not supported: export it as 'CVAT for images'" "tracks are refused"
printf '<annotation><object><bndbox/></object></annotation>' >voc.xml
is "$(areas -s 60x50 voc.xml; cat err)" "65:rasterize: read 'voc.xml': XML that is not of CVAT" "other XML"
iconv -f UTF-8 -t UTF-16 cvat.xml | sed 's/x/x/' >cvat16.xml
mkdir cvat16
rasterize -q -o cvat16/ cvat16.xml 2>err
ok "XML in UTF-16" cmp "cvat/first & last.png" "cvat16/first & last.png"

# ---- YOLO ----
printf '0 0.1 0.1 0.3 0.1 0.3 0.3 0.1 0.3\r\n1 0.5 0.5 1 0.5 1 0.9 0.5 0.9 0.87\r\n' >yolo.txt
is "$(areas -s 50x50 yolo.txt)" "0: 100 500" "YOLO's polygons, with or without a probability"
is "$(areas -s 50x50 -m class --classes 1,0 yolo.txt; at 7 7; at 30 30)" "0: 100 500 2 1" "... and classes"
fails 64 "... need a size" rasterize -o yolo.png yolo.txt
printf '1\0x 0.1 0.1 0.3 0.1 0.3 0.3\n' >zero.txt
fails 65 "... and have no zero bytes" rasterize --size 50x50 -o yolo.png zero.txt
printf '\0' >zero.txt
fails 65 "... nor one alone" rasterize --size 50x50 -o yolo.png zero.txt
"$BUILD/tests/helper/image" make 50 50 1 8 yolo.jpg.png
mkdir -p beside
cp yolo.txt beside/it.txt
cp yolo.jpg.png beside/it.png
is "$(areas beside/it.txt)" "0: 100 500" "... which the image beside tells"
printf '0 0.5 0.5 0.1 0.1\n0 0.1 0.1 0.3 0.1 0.3 0.3 0.1 0.3\n' >boxes.txt
is "$(areas -s 50x50 boxes.txt)" "0: 100" "boxes have no outline"
ok "... and are counted" grep -q "line 1: a box without an outline" err
: >empty.txt
is "$(areas -s 50x50 empty.txt)" "0:" "no objects are an empty text"
printf '0 12 14 16 20 30 20\n' >pixels.txt
is "$(areas -s 50x50 pixels.txt | head -c 3)" "65:" "numbers in pixels are not YOLO's"

# ---- and others ----
text bare.geojson "{\"type\":\"GeometryCollection\",\"geometries\":[{\"type\":\"Polygon\",\"coordinates\":[$square]},{\"type\":\"Polygon\",\"coordinates\":[$big]}]}"
is "$(areas -s 60x50 bare.geojson)" "0: 100 400" "a collection of geometries alone: each is an object"
labelme "$(shape oriented_rectangle '[[50,5],[55,10],[50,15],[45,10]]'),$(shape polygon '[[5,5],[15,5],[15,15],[5,15]]' | sed 's/"polygon"/null/')"
is "$(areas l.json)" "0: 100 50" "LabelMe: turned rectangles, a polygon that is not called one"
is_coco "0: 100" "sizes as texts" "$(annotation "[[$flat]]")" '{"id":1,"file_name":"a.png","width":"60","height":"50"}'
printf '%s' "$geojson" | iconv -f UTF-8 -t UTF-16LE >utf16.geojson
is "$(areas -s 60x50 utf16.geojson)" "0: 100" "UTF-16 without a byte order mark"
done_testing
