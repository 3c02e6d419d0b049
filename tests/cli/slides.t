#!/bin/bash
# Slides by OpenSlide, in Aperio's form; other microscopes' files, which must be converted.
. "$(dirname "$0")/../tap.sh"
plan 34
cd "$TMP" || exit 1
image() { "$BUILD/tests/helper/image" "$@"; }
source_of() { tar xOf - --wildcards '*.json' 2>/dev/null | head -c 600 | grep -oE '"(width|height|pixel_width_um)":[0-9.]+' | head -n 3 | sed 's/.*://' | tr '\n' ' '; }

synth -q -n 1 -s 1500x1100 --seed 3 -o . || exit 1
drawn=$(find images -name '*.png')

# without OpenSlide: a library of its name that is another
mkdir none
for so in 0 1; do echo 'int nothing;' | ${CC:-cc} -shared -o none/libopenslide.so.$so -xc - || exit 1; done
cp "$drawn" a.mrxs
LD_LIBRARY_PATH=$TMP/none tile -q a.mrxs >out.tar 2>message
is "$?" 65 "no OpenSlide: a slide is refused"
is "$(cat message)" "tile: read 'a.mrxs': a slide, which needs OpenSlide (apt-get install libopenslide-dev)" \
    "by a word, and no thumbnail is taken for it"

# files of microscopes
made() { printf %b "$2" >"$1" && fails 65 "$3" tile -q "$1"; }
made a.czi 'ZISRAWFILE\0\0\0\0\0\0more' "Zeiss CZI"
is "$(tile a.czi 2>&1 >out.tar)" "tile: read 'a.czi': Zeiss CZI must be converted: bfconvert 'a.czi' 'a.ome.tif'" \
    "the line that converts it"
made a.nd2 '\xda\xce\xbe\x0amore and more bytes' "Nikon ND2"
made a.lif '\x70\0\0\0\x10\0\0\0*more and more' "Leica LIF"
made a.oir 'OLYMPUSRAWFORMAT more' "Olympus OIR"
tile -q -s full "$drawn" | stitch -q --image -o a.tif
mv a.tif a.vsi
fails 65 "Olympus VSI, a TIFF that holds a thumbnail" tile -q a.vsi
is "$(tile a.vsi 2>&1 >out.tar | grep -c "bfconvert 'a.vsi' 'a.ome.tif'")" 1 "is told as well"

"$BUILD/tests/helper/slide" "$drawn" whole.svs 0.25 deflate || exit 1
tile -q -s full --rgb "$drawn" | stitch -q --image -o drawn.png
LD_LIBRARY_PATH=$TMP/none tile -q -s full whole.svs | stitch -q --image -o ours.png
ok "no OpenSlide: Aperio's TIFF is read" image same ours.png drawn.png

# outlines of a level are in the pixels of level 0, and are painted there or at the level again
LD_LIBRARY_PATH=$TMP/none tile -q -s full --level 1 whole.svs | "$BUILD/tests/helper/stream" prob 2 |
    label -q -m components --geojson level.geojson -o level.tif
is "$(head -n 1 level.geojson | grep -o '"image":{[^}]*}')" '"image":{"width":1500,"height":1100}' "GeoJSON of a level tells the slide's size"
rasterize -q --like level.tif -o back.tif level.geojson
ok "painted at the level's size it gives the same labels" image same back.tif level.tif
rasterize -q -o full.tif level.geojson
is "$(image info full.tif)" "1500 1100 1 16" "else it is as large as the slide"
sizes() { label -q -m keep -T - "$1" | awk -F '\t' -v by="$2" 'NR > 1 { print $10 * by }'; }
is "$(sizes full.tif 1)" "$(sizes level.tif 16)" "with cells as much larger"
fails 65 "another shape is refused" rasterize -s 400x200 -o other.tif level.geojson

if ! python3 -c 'import ctypes, sys
for so in (1, 0):
    try: ctypes.CDLL("libopenslide.so.%d" % so); sys.exit(0)
    except OSError: pass
sys.exit(1)' 2>/dev/null; then
    skip "OpenSlide is not installed" 19
    done_testing
    exit
fi
tile -q -s full whole.svs | stitch -q --image -o whole.png
ok "a slide's pixels" image same whole.png drawn.png
tile -q -s 224 whole.svs | stitch -q --image -o tiled.png
ok "tile by tile" image same tiled.png drawn.png
is "$(tile -q whole.svs | source_of)" "1500 1100 0.25 " "its size and Aperio's MPP"
is "$(tile -q --level 1 whole.svs | source_of)" "375 275 1.0 " "a level, and how large its pixels are"
is "$(tile -q --mpp 1 whole.svs | source_of)" "375 275 1.0 " "the level of a size of pixels"
is "$(tile -q --mpp 0.5 whole.svs | source_of)" "750 550 0.5 " "a size between levels"
tile -q --level 1 -s full whole.svs | stitch -q --image -o level.png
tile -q --mpp 1 -s full whole.svs | stitch -q --image -o mpp.png
ok "are the same pixels" image same level.png mpp.png
is "$(tile -q --channel 2 whole.svs | tar tf - | grep -c image.npy)" \
    "$(tile -q "$drawn" | tar tf - | grep -c image.npy)" "a channel"
is "$(tile -q --level 7 whole.svs 2>&1 >out.tar)" \
    "tile: read 'whole.svs': there is no level 7, there is 0 to 2" "a level that is not there"
"$BUILD/tests/helper/slide" "$drawn" jpeg.svs 0.25
LD_LIBRARY_PATH=$TMP/none tile -q -s full --gray jpeg.svs | stitch -q --image -o ours.png
tile -q -s full --gray jpeg.svs | stitch -q --image -o theirs.png
ok "JPEG: as our decoder reads it" \
    awk -v a="$(image mean ours.png)" -v b="$(image mean theirs.png)" 'BEGIN { exit !(a > b - 1 && a < b + 1) }'
cp jpeg.svs jpeg.ndpi
is "$(tile -q --level 2 jpeg.ndpi | source_of | cut -d' ' -f1,2)" "93 68" "whatever slide's ending it has"
head -c 60000 jpeg.svs >cut.svs
fails 65 "a slide that is cut" tile -q cut.svs

tile -q --mpp 0.5 jpeg.svs | predict -q -t 1 | label -q --geojson cells.geojson -T cells.tsv -o cells.tif
is "$?" 0 "tile | predict | label"
ok "outlines are in the slide's own pixels, as QuPath shows it" python3 - cells.geojson cells.tsv <<'END'
import json, sys

def points(item):
    return [item] if not isinstance(item[0], list) else [p for i in item for p in points(i)]

features = json.load(open(sys.argv[1]))["features"]
rows = [line.rstrip("\n").split("\t") for line in open(sys.argv[2])]
assert len(features) == len(rows) - 1 > 0
for feature, row in zip(features, rows[1:]):
    corners = [min(values) for values in zip(*points(feature["geometry"]["coordinates"]))]
    assert corners == [2 * int(row[rows[0].index(name)]) for name in ("left", "top")], row
END
is "$(image info cells.tif | cut -d' ' -f1,2)" "750 550" "at half a micrometer a pixel"
# the largest extent says which pixels are meant: of the TIFF's level and of a scaled PNG, too
extent() { grep -oE '\[[0-9.]+,[0-9.]+\]' | tr -d '[]' | sort -t, -k1,1n | tail -n 1 | cut -d, -f1; }
square() { # OPTION...: one mask over the whole image, as a stream
    LD_LIBRARY_PATH=$TMP/none tile -q -s full "$@" | "$BUILD/tests/helper/stream" prob 2 | label -q -m components --geojson - -o all.tif
}
is "$(square --level 1 whole.svs | extent)" 1500 "a level of a TIFF"

# Ventana's slides are often called .tif
synth -q -n 1 -s 512x512 --seed 4 -o ventana || exit 1
square=$(find ventana/images -name '*.png')
"$BUILD/tests/helper/slide" "$square" ventana.tif 0.25 ventana || exit 1
tile -q -s full --rgb "$square" | stitch -q --image -o square.png
tile -q -s full ventana.tif | stitch -q --image -o ventana.png
ok "a TIFF of Ventana's is a slide: its tiles, not its label" image same ventana.png square.png
is "$(tile -q ventana.tif | source_of)" "512 512 0.25 " "its size and resolution"
LD_LIBRARY_PATH=$TMP/none tile -q ventana.tif >out.tar 2>message
is "$?:$(grep -c 'which needs OpenSlide' message)" "65:1" "without OpenSlide it is refused"
done_testing
