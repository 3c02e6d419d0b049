#!/bin/bash
# OME-TIFFs of stitch, label, rasterize and overlay: tiles, reduced images, names and sizes,
# as tifffile and libvips read them where they are installed.
# shellcheck source=tests/tap.sh
# shellcheck disable=SC2015
. "$(dirname "$0")/../tap.sh"
plan 32
image() { "$BUILD/tests/helper/image" "$@"; }
stream() { "$BUILD/tests/helper/stream" "$@"; }
cd "$TMP" || exit 1
python=
for p in python3 /usr/bin/python3 ${TIFFFILE_PYTHON:-}; do
    "$p" -c 'import tifffile' 2>/dev/null && python=$p && break
done
reads() { # NAME PROGRAM-TEXT: in Python, with what is needed to read levels
    [ "$python" ] || { skip "$1: no tifffile" && return; }
    ok "$1" "$python" - <<END
import numpy as np, tifffile, re
def levels(path):
    with tifffile.TiffFile(path) as tif:
        assert tif.is_ome, path
        series = tif.series[0]
        for page in (p for p in tif.pages if isinstance(p, tifffile.TiffPage)):
            assert page.is_tiled and page.tile[:2] == (256, 256)
            assert all(p.is_tiled and p.is_reduced for p in page.pages or ())
        return [level.asarray() for level in series.levels], tif.ome_metadata
def mean(a):
    h, w = a.shape[:2]
    p = np.pad(a.astype(float), ((0, h % 2), (0, w % 2)) + ((0, 0),) * (a.ndim - 2), mode="edge")
    m = (p[0::2, 0::2] + p[1::2, 0::2] + p[0::2, 1::2] + p[1::2, 1::2]) / 4
    return m if a.dtype.kind == "f" else np.floor(m + 0.5).astype(a.dtype)
def nearest(a):
    return a[::2, ::2]
def check(all, reduce, count):
    assert len(all) == count, len(all)
    for above, level in zip(all, all[1:]):
        planes = [above] if above.ndim == 2 or above.shape[-1] == 3 else list(above)
        below = [level] if len(planes) == 1 else list(level)
        for a, b in zip(planes, below):
            want = reduce(a)
            assert b.shape == want.shape, (b.shape, want.shape)
            assert np.allclose(b, want, rtol=1e-5) if a.dtype.kind == "f" else np.array_equal(b, want)
$2
END
}

image make 1101 703 1 8 gray.png
image make 1101 703 3 8 color.png
image make 1101 703 1 16 deep.tif
image make 1101 703 1 8 mask.png binary
mkdir masks
cp mask.png masks/gray.png

# ---- pictures, masks, probabilities, flows ----
for name in gray.png color.png deep.tif; do
    stem=${name%.*}
    tile -q "$name" | stitch -q -o "$stem.ome.tif"
    ok "$stem: the pixels" image same "$name" "$stem.ome.tif"
    reads "$stem: reduced images" "check(levels('$stem.ome.tif')[0], mean, 4)"
done
reads "color is one page" "
a, xml = levels('color.ome.tif')
assert a[0].shape == (703, 1101, 3) and 'SamplesPerPixel=\"3\"' in xml and 'SizeC=\"3\"' in xml"
tile -q -m masks --mask-suffix '' gray.png | stitch -q --mask -o mask.ome.tif
ok "a mask: the pixels" image same mask.png mask.ome.tif
reads "its reduced images have no gray" "
a, xml = levels('mask.ome.tif')
check(a, nearest, 4)
assert all(set(np.unique(level)) <= {0, 255} for level in a) and 'Name=\"mask\"' in xml"
for name in none lzw deflate; do
    tile -q gray.png | stream prob 3 | stitch -q -c $name -o prob.ome.tif
    is "$(image info prob.ome.tif)" "1101 703 1 8" "compression: $name"
    [ "$name" = lzw ] && continue # tifffile alone cannot
    reads "reduced images of classes" "
a, xml = levels('prob.ome.tif')
check(a, nearest, 4)
assert set(np.unique(a[0])) <= {0, 1, 2}"
done
tile -q gray.png | stream prob 2 | stitch -q --prob --class 1 -f ome-tiff >prob.ome.tif
tile -q gray.png | stream prob 2 | stitch -q --prob --class 1 -o prob.tif
ok "probabilities on standard output" image same prob.tif prob.ome.tif
reads "are floats" "
a, xml = levels('prob.ome.tif')
assert a[0].dtype == np.float32 and 'Name=\"probability of class 1\"' in xml
check(a, mean, 4)"
tile -q gray.png | stream logits 5 | stitch -q --logits -o logits.ome.tif
reads "logits are a page each" "
a, xml = levels('logits.ome.tif')
assert a[0].shape == (5, 703, 1101) and re.findall('Name=\"(.*?)\"', xml) == ['logit %d' % i for i in range(5)], xml
check(a, mean, 4)
with tifffile.TiffFile('logits.ome.tif') as tif:
    assert len(tif.pages) == 5"
tile -q -s full -m masks --mask-suffix '' gray.png | stream flows 1 | stitch -q --flows -o flows.ome.tif
reads "flows have names" "
a, xml = levels('flows.ome.tif')
assert a[0].shape == (2, 703, 1101) and 'Name=\"vertical flow\"' in xml and 'Name=\"horizontal flow\"' in xml"
tile -q gray.png | stream prob 2 | stitch -q -o mask.png --overlay over.ome.tif
reads "outlines are in color" "
a, xml = levels('over.ome.tif')
assert a[0].shape == (703, 1101, 3)
check(a, mean, 4)"

# ---- labels, folders, sizes ----
label -q --pixel-size 0.5,0.25 -o cells.ome.tif -T cells.tsv mask.png
label -q -o cells.tif mask.png
ok "labels: the pixels" image same cells.tif cells.ome.tif
reads "have names and sizes" "
a, xml = levels('cells.ome.tif')
check(a, nearest, 4)
assert 'Name=\"cells\"' in xml and 'PhysicalSizeX=\"0.25\"' in xml and 'PhysicalSizeY=\"0.5\"' in xml, xml
assert 'PhysicalSizeXUnit=\"µm\"' in xml
with tifffile.TiffFile('cells.ome.tif') as tif:
    low = tif.pages[0].pages[0]
    x = low.tags['XResolution'].value
    assert abs(1e4 / (x[0] / x[1]) - 0.25 * 1101 / 551) < 1e-3"
mkdir out
tile -q gray.png | stitch -q -f ome-tiff -o out/
is "$(ls out)" "gray.ome.tif" "in a folder"
tile -q gray.png | stream prob 2 | label -q -f ome-tiff -o cells/
is "$(ls cells)" "gray.ome.tif" "labels, too"
image make 20 10 1 8 small.png
tile -q -s full small.png | stitch -q -o small.ome.tif
ok "a small one" image same small.png small.ome.tif
reads "has no reduced images" "check(levels('small.ome.tif')[0], mean, 1)"
tile -q gray.png >gray.tar
fails 73 "nowhere for reduced images" env TMPDIR="$TMP/nowhere" stitch -o no.ome.tif gray.tar
fails 74 "a full disk" bash -c 'stitch -f ome-tiff gray.tar >/dev/full'
is "$(ls no* 2>/dev/null)" "" "failures leave nothing behind"

# ---- memory, and another reader ----
if command -v vips >/dev/null; then
    is "$(vipsheader -f n-subifds gray.ome.tif) $(vipsheader -f n-pages logits.ome.tif)" "3 5" "libvips: pages and sub-images"
    vips tiffload gray.ome.tif low.v --subifd 1
    is "$(vipsheader low.v | cut -d' ' -f2)" "276x176" "libvips: a reduced image"
    vips tiffload color.ome.tif all.png && vips stats all.png stats.v
    ok "libvips: the pixels" image same color.png all.png
else
    skip "no libvips" 3
fi
image make 9000 9000 3 8 large.tif
case $BUILD in *san) skip "memory of a sanitizer's own" ;; *)
    tile -q large.tif | (ulimit -v 400000 && stitch -q -o large.ome.tif)
    is "$? $(image info large.ome.tif)" "0 9000 9000 3 8" "243 MB of pixels within 400 MB of address space"
    ;;
esac
done_testing
