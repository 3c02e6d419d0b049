#!/bin/bash
# What is missing from a stream is told to its end: nothing is made of a part as if it were
# all, of two images as if they were one, or of sizes that are only said.
# shellcheck source=tests/tap.sh
# shellcheck disable=SC2002,SC2015
. "$(dirname "$0")/../tap.sh"
plan 83
image() { "$BUILD/tests/helper/image" "$@"; }
stream() { "$BUILD/tests/helper/stream" "$@"; }
cd "$TMP" || exit 1

# ---- two images of one name and size ----
synth -q -n 2 -s 90x70 -o s
mkdir a b
cp s/images/synth_00001.png a/q.png
cp s/images/synth_00002.png b/q.png
mkdir am bm
cp s/masks/synth_00001.png am/q.png
cp s/masks/synth_00002.png bm/q.png
for d in a b; do
    (cd $d && tile -q -s 40 -m ../${d}m --mask-suffix '' q.png) | stream prob 2 >$d.tar
done
cat a.tar b.tar >both.tar
score both.tar >both.tsv
is "$? $(cut -f 2 both.tsv | tail -n +2 | paste -sd' ')" \
    "0 $(for d in a b; do score $d.tar | cut -f 2 | tail -n 1; done | paste -sd' ')" "score: two rows"
stitch -q --image -o out/ both.tar
is "$(cd out && echo *)" "q-2.png q.png" "stitch: two files"
ok "of the first" image same a/q.png out/q.png
ok "and the second" image same b/q.png out/q-2.png
for d in a b; do (cd $d && tile -q -s 90 -m ../${d}m --mask-suffix '' q.png) >single.$d.tar; done
cat single.a.tar single.b.tar | prune -q | stitch -q --image -o single/
is "${PIPESTATUS[*]} $(cd single && echo *)" "0 0 0 q-2.png q.png" "passed on, two files also of one tile each"
ok "of the first" image same a/q.png single/q.png
ok "and the second" image same b/q.png single/q-2.png
label -q -o cells/ --geojson cells/ -T cells.tsv both.tar
is "$(cd cells && echo *)" "q-2.geojson q-2.tif q.geojson q.tif" "label: two files of each kind"
fails 64 "two images into one file" stitch -o q.png both.tar
for d in a b; do stream noid <$d.tar >old.$d.tar; done
cat old.a.tar old.b.tar >old.tar
for program in "stitch --any-order" score "label -o x.tif"; do
    # shellcheck disable=SC2086
    fails 65 "$program: an older stream is refused" $program old.tar
    is "$(grep -c "read 'old.tar': sample 'q/40/.*comes twice" .err)" 1 "with its name and why"
done
(cd a && tile -q -s 40 --part 1/2 q.png) >1.tar
(cd a && tile -q -s 40 --part 2/2 q.png) >2.tar
cat 1.tar 2.tar | stitch -o joined.png
ok "parts of one image are one" image same a/q.png joined.png
(cd a && cat q.png | tile -q -s 40 --part 2/2) >2.tar
(cd a && tile -q -s 40 --part 1/2 - <q.png) >1.tar
cat 1.tar 2.tar | stitch -o joined.png
ok "of standard input, too" image same a/q.png joined.png
is "$(for d in a b; do cat $d/q.png | tile -q -s full; done | score --by tile 2>&1 | wc -l)" 1 "a row needs a mask"
for d in a b; do (cd $d && cat q.png | tile -q -s full); done >pipes.tar
stitch -q -o piped/ pipes.tar
is "$(cd piped && echo *)" "stdin-2.png stdin.png" "two images of standard input"
ok "are the two" image same b/q.png piped/stdin-2.png

# ---- a source that breaks off, and one that is not there ----
mkdir src masks
image make 120 300 1 8 src/good.png
image make 120 300 3 16 src/bad.png
image make 120 300 1 8 src/last.png
for name in good bad last; do image make 120 300 1 8 masks/$name.png binary; done
size=$(stat -c %s src/bad.png)
head -c $((size * 2 / 3)) src/bad.png >src/cut.png && mv src/cut.png src/bad.png
tile -q -s 40 --normalize none -m masks --mask-suffix '' src/good.png src/bad.png src/none.png src/last.png >t.tar 2>err
is "$? $(wc -l <err)" "1 2" "tile says so"
stream prob 2 <t.tar >p.tar
says() { # NAME COMMAND...: exit 1, and a line that names the source
    local name=$1 status=0
    shift
    "$@" >"$TMP/.out" 2>"$TMP/.err" || status=$?
    is "$status $(grep -c "'src/bad.png' and 1 more failed before" "$TMP/.err")" "1 1" "$name"
}
says "stitch" stitch -q -o half/ p.tar
is "$(cd half && echo *)" "good.png last.png" "has no file of it"
is "$(grep -c "'src/bad.png' is incomplete, and left out: .*src/bad.png" .err)" 1 "and says why"
says "label" label -q -o lhalf/ -T half.tsv --coco half.json p.tar
is "$(cd lhalf && echo *)" "good.tif last.tif" "has no file of it"
is "$(cut -f 1 half.tsv | sort -u | paste -sd' ')" "image src/good.png src/last.png" "and no row"
is "$(grep -c 'bad' half.json)" 0 "and no annotations"
says "score" score p.tar
is "$(cut -f 1 .out | paste -sd' ')" "name src/good.png src/last.png" "has no row of it"
for filter in "prune" "augment -n 1" "holdout --train --allow-leakage" "predict"; do
    # shellcheck disable=SC2086
    [ "${filter%% *}" = predict ] && [ ! -x "$BIN/predict" ] && continue
    # shellcheck disable=SC2086
    says "$filter" $filter t.tar
    cp .out f.tar
    says "and what comes after it" peek -c f.tar
done
says "peek" peek -c t.tar
prune -q t.tar 2>/dev/null | stream prob 2 | stitch -q -o pruned/ 2>/dev/null
is "$(find pruned -name "*bad*" | wc -l)" 0 "a pruned stream gives no file of it"
image make 120 300 1 8 masks/bad.png
image make 30 30 1 8 src/small.png
tile -q -s 40 --edge fit src/small.png src/good.png >f.tar 2>err
is "$? $(cat err)" "1 tile: cut 'src/small.png': it is smaller than a tile and gives none" \
    "an image without tiles"
stitch -q -o fit/ --image f.tar 2>err
is "$? $(grep -c "'src/small.png' failed before" err)" "1 1" "is missed later"

# ---- nothing at all ----
"$BUILD"/tests/helper/stream drop 1 <a.tar >empty.tar
for program in stitch score "label -o x.tif" "label -T -"; do
    # shellcheck disable=SC2086
    fails 65 "$program: an empty stream" $program empty.tar
    is "$(cat .err)" "${program%% *}: read 'empty.tar': no samples, so no image" "is said"
done
is "$(ls x.tif 2>/dev/null)" "" "and nothing is written"

# ---- sizes that are only said ----
tile -q -s 8 -o 0 src/good.png | stream drop 2 | stream prob 2 >small.tar
stream claim 1000000 <small.tar >bomb.tar
stream claim 16000000 <small.tar >wide.tar
stream place 8000 <small.tar >large.tar
# shellcheck disable=SC2317 # called by others
limited() { # COMMAND...: within 300 MB and some seconds
    (
        case $BUILD in *san) ;; *) ulimit -v 600000 ;; esac
        exec timeout 60 "$@"
    )
}
for program in "stitch -o x.tif" "score --by image" "label -o x.tif"; do
    for stream in bomb wide large; do
        [ "$program $stream" = "score --by image large" ] && continue # in the scale of the tiles
        # shellcheck disable=SC2086
        fails 65 "$program: $stream.tar" limited $program $stream.tar
        is "$(grep -c "read '$stream.tar': " .err)" 1 "with the stream's name"
    done
done
# A tile of 30000 x 12000 pixels, and an interlaced PNG of as many.
perl - <<'PERL'
use Compress::Zlib;
sub put { open(my $to, '>:raw', $_[0]) or die; print $to $_[1]; close $to }
my @tags = ([256, 4, 30000], [257, 4, 12000], [258, 3, 8], [259, 3, 8], [262, 3, 1], [277, 3, 1], [322, 4, 30000], [323, 4, 12000], [324, 4, 200], [325, 4, 400000]);
my $tiff = "II*\0" . pack('V v', 8, scalar @tags) . join('', map { pack('v v V V', $_->[0], $_->[1], 1, $_->[2]) } @tags) . pack('V', 0);
put('tile.tif', $tiff . "\0" x 400200);
sub chunk { return pack('N', length $_[1]) . $_[0] . $_[1] . pack('N', crc32($_[0] . $_[1])) }
put('whole.png', "\x89PNG\r\n\x1a\n" . chunk('IHDR', pack('N N C5', 30000, 12000, 8, 0, 0, 0, 1)) .
    chunk('IDAT', "\0" x 400000) . chunk('IEND', ''));
PERL
limit=", the limit"
case $BUILD in *san) limit= ;; esac
fails 65 "a tile of 360 MB" limited tile tile.tif
ok "and why" grep -q "^tile: read 'tile.tif': ${limit:+a row of its tiles or strips needs 360000000 bytes of memory, more than [0-9]*$limit here}" .err
fails 65 "an interlaced PNG of 360 MB" limited tile whole.png
ok "in the same words" grep -q "^tile: read 'whole.png': ${limit:+30000 x 12000 pixels are more than [0-9]*$limit (--max-pixels)}" .err
fails 65 "--max-pixels" stitch --max-pixels 30000 -o x.tif p.tar
is "$(cat .err)" "stitch: read 'p.tar': sample 'good/40/y000000-x000000': 120 x 300 pixels are more than 30000, the limit (--max-pixels)" "says the limit"
stitch -q -o whole.png <(tile -q -s 40 src/good.png)
limit="120 x 300 pixels are more than 30000, the limit (--max-pixels)"
fails 65 "--max-pixels of a mask" label --max-pixels 30000 -o x.tif whole.png
is "$(cat .err)" "label: read 'whole.png': $limit" "the same words"
fails 65 "--max-pixels of a probability" label -p --max-pixels 30000 -o x.tif whole.png
is "$(cat .err)" "label: read 'whole.png': $limit" "the same words"
fails 65 "--max-pixels of what is compared" score --max-pixels 30000 whole.png whole.png
is "$(cat .err)" "score: read 'whole.png': $limit" "the same words"
ok "no more than that" stitch -q --max-pixels 36000 -o enough.png <(tile -q -s 40 src/good.png)
tile -q -s 20 src/good.png | stream drop 100 | stream claim 9000 >sparse.tar
stitch -q -o sparse.tif sparse.tar 2>err
is "$? $(image info sparse.tif)" "0 9000 9000 1 8" "an image of few tiles is made when it is told of enough"

# ---- many images of one stem ----
image make 4 4 1 8 one.png
yes one.png | head -n 4000 | timeout 60 xargs tile -q -s full >many.tar
is "$? $(peek -n many.tar)" "0 4000" "four thousand images of one stem"
timeout 60 stitch -q -o many/ many.tar
is "$? $(find many -name '*.png' | wc -l) $(find many -name '*.png' -printf '%f\n' | sort -V | tail -n 1)" "0 4000 one-4000.png" "become as many files"
done_testing
