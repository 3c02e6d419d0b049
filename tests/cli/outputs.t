#!/bin/bash
# What programs write never replaces what they read, what the same run wrote, or, under a
# name that they made up, what is not theirs.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 108
# shellcheck disable=SC2317 # called by others
image() { "$BUILD/tests/helper/image" "$@"; }
stream() { "$BUILD/tests/helper/stream" "$@"; }
annotate=$BUILD/tests/helper/annotate
cd "$TMP" || exit 1

synth -q -n 2 -s 90x70 -o one --instances
synth -q -n 2 -s 90x70 -o two --instances --seed 5
mkdir A B
cp one/masks/synth_00001.png A/f1.png
cp two/masks/synth_00001.png B/f1.png
hash_of() { sha256sum <"$1"; }

# unchanged STATUS NAME FILE COMMAND...: fails with that status and leaves FILE as it is
unchanged() {
    local status=$1 name=$2 file=$3 before
    shift 3
    before=$(hash_of "$file")
    fails "$status" "$name" "$@"
    is "$(hash_of "$file")" "$before" "... which stays as it is"
}

# ---- inputs ----
cp one/images/synth_00001.png img.png
cp A/f1.png m.png
label -q -o m.tif m.png
fill() { tile -q "$1" | stream prob 2; }
fill img.png >img.tar
"$annotate" coco coco.json m.png
cp coco.json c.png
weights=$TOP/data/default.safetensors
unchanged 73 "label: a folder that holds its input" m.tif label -q -o ./ m.tif
unchanged 73 "label: its input by name" m.tif label -q -o m.tif m.tif
unchanged 73 "label: its input as outlines" m.png label -q --geojson m.png m.png
unchanged 73 "label: its input as a table" m.png label -q -T m.png m.png
unchanged 73 "label: the image of intensities" img.png label -q -i img.png -T img.png m.png
ln m.tif link.tif
unchanged 73 "label: a second name of its input" link.tif label -q -o link.tif m.tif
rm link.tif && ln -s m.tif link.tif
unchanged 73 "label: a link to its input" m.tif label -q -o link.tif m.tif
ln -s . here
unchanged 73 "label: its input through another folder" m.tif label -q -o here/ m.tif
unchanged 73 "stitch: the image that the stream was made of" img.png stitch -q -o ./ img.tar
unchanged 73 "stitch: the same by name" img.png stitch -q -o img.png img.tar
cp img.tar s.png
unchanged 73 "stitch: its stream" s.png stitch -q -o s.png s.png
unchanged 73 "stitch: outlines over the image" img.png stitch -q -o m2.png --overlay img.png img.tar
ok "... and no mask without them" test ! -e m2.png
unchanged 73 "label: the image of a stream" img.png label -q -f png -o ./ img.tar
unchanged 73 "rasterize: annotations" c.png rasterize -q -o c.png c.png
unchanged 73 "rasterize: annotated images" m.png rasterize -q -o ./ coco.json
unchanged 73 "rasterize: the image that it takes the size from" m.png \
    rasterize -q --like m.png -o m.png coco.json
unchanged 73 "overlay: the image" img.png overlay -o img.png img.png m.png
unchanged 73 "overlay: the mask" m.png overlay -o m.png img.png m.png
unchanged 73 "score: a mask" m.png score --reliability m.png m.png m.png
unchanged 73 "prune: its stream" img.tar prune -q -o img.tar img.tar
tile -q A/f1.png img.png >two.tar
unchanged 73 "holdout: its stream" two.tar holdout -q --train -o two.tar two.tar
unchanged 73 "augment: its stream" img.tar augment -q -o img.tar img.tar
unchanged 73 "predict: its stream" img.tar predict -q -t 1 -o img.tar img.tar
cp "$weights" w.safetensors
unchanged 73 "predict: its weights" w.safetensors predict -q -t 1 -m w.safetensors -o w.safetensors img.tar
tile -q -s 64 -m B A/f1.png >learn.tar
cp learn.tar cells.ckpt && printf 'my\ttable\n' >cells.tsv
arch=(-a unet-s:width=4 --steps 1 -b 1 -t 1)
unchanged 73 "train: weights that it begins with" w.safetensors \
    train -q -a unet-s:width=24 --steps 1 --init w.safetensors -o w.safetensors learn.tar
unchanged 73 "train: a table beside its weights" cells.tsv train -q "${arch[@]}" -o cells.safetensors learn.tar
unchanged 73 "train: a file like its checkpoint" cells.ckpt \
    train -q "${arch[@]}" --log log.tsv -o cells.safetensors learn.tar
unchanged 73 "train: its stream" learn.tar train -q "${arch[@]}" --log learn.tar -o new.safetensors learn.tar
unchanged 73 "weights convert: its weights" w.safetensors weights convert w.safetensors w.safetensors
cp m.tif x.tif && cp m.png x.png
label -q -o ./ x.png x.tif 2>err
is "$?" 1 "label: an input that comes later"
is "$(hash_of x.tif)" "$(hash_of m.tif)" "... stays as it is"

# ---- two of one name ----
ok "label: one stem from two folders" label -q -o out/ --rois outr/ --coco out.json A/f1.png B/f1.png
is "$(echo out/* outr/*)" "out/f1-2.tif out/f1.tif outr/f1-2.zip outr/f1.zip" "... has two names everywhere"
label -q -m keep -o b.tif B/f1.png
label -q -o b1.tif B/f1.png
ok "... the second is the second" cmp out/f1-2.tif b1.tif
is "$(grep -o '"file_name":"[^"]*"' out.json | tr '\n' ' ')" \
    '"file_name":"A/f1.png" "file_name":"B/f1.png" ' "... in COCO by their folders"
ok "rasterize: COCO of two folders" rasterize -q -o back/ out.json
is "$(echo back/*)" "back/f1-2.png back/f1.png" "... gives two masks"
ok "... of their own" cmp back/f1-2.png <(rasterize -f png --like B/f1.png outr/f1-2.zip)
for d in A B; do "$annotate" geojson $d/f1.geojson $d/f1.png; done
rasterize -q --like A/f1.png -o each/ A/f1.geojson B/f1.geojson
is "$(echo each/*)" "each/f1-2.png each/f1.png" "rasterize: two files of one stem"
tile -q A/f1.png B/f1.png | stitch -q -o tiled/
is "$(echo tiled/*)" "tiled/f1-2.png tiled/f1.png" "stitch"
fails 73 "label: a table and outlines in one file" label -q -o b2.tif -T both --coco both m.png
ok "... which is not there" test ! -e both
fails 73 "two outputs on standard output" label -q -T - --coco - m.png
fails 73 "score: two tables in one file" score --curve both --reliability both m.png m.png

# ---- what was there ----
echo precious >his.tif && mkdir keep && cp his.tif keep/m.tif
unchanged 73 "a file under a name that was made up" keep/m.tif label -q -o keep/ m.png
ok "... is replaced by force" label -q --force -o keep/ m.png
ok "... and is then the program's own" label -q -o keep/ m.png
ok "a file that is named is replaced" label -q -o his.tif m.png
ok "a run again" label -q -o out/ --rois outr/ --coco out.json A/f1.png B/f1.png
is "$(echo out/*)" "out/f1-2.tif out/f1.tif" "... gives the same files"
mkdir other && cp B/f1.png other/
unchanged 73 "a name that another input has" out/f1.tif label -q -o out/ other/f1.png
printf x >>out/f1.tif
unchanged 1 "a file that was changed by hand" out/f1.tif label -q -o out/ A/f1.png B/f1.png
cd A && label -q -o ../rel/ f1.png && cd ..
cd B && unchanged 73 "one relative path, another file" ../rel/f1.tif label -q -o ../rel/ f1.png && cd ..
ok "stitch again" bash -c 'tile -q A/f1.png B/f1.png | stitch -q -o tiled/'
unchanged 73 "stitch: of another folder" tiled/f1.png stitch -q -o tiled/ <(tile -q B/f1.png)
unchanged 73 "another program's" tiled/f1.png rasterize -q --like A/f1.png -o tiled/ A/f1.geojson
ok "rasterize again" rasterize -q --like A/f1.png -o each/ A/f1.geojson B/f1.geojson
ok "synth again" synth -q -n 2 -s 90x70 -o one --instances
cp img.png one/images/synth_00001.png
unchanged 73 "synth: an image that is not its own" one/images/synth_00001.png synth -q -s 90x70 -o one
ok "a list of what was written is in the folder" grep -q "f1-2.tif" out/.morphoseg

# ---- what killed runs left ----
leave() { # SUFFIX WHEN: a temporary file
    : >"left.png.tmp-$1" && touch -d "$2" "left.png.tmp-$1"
}
case $(stat -f -c %T .) in
ext2/ext3 | xfs | btrfs | tmpfs | overlayfs | f2fs)
    leave killed '2 minutes ago'
    leave others 'now'
    leave locked '2 minutes ago'
    leave tooLongs '2 minutes ago'
    flock left.png.tmp-locked stitch -q -o left.png img.tar
    ok "a temporary file that nobody holds is gone" test ! -e left.png.tmp-killed
    ok "but none that is new" test -e left.png.tmp-others
    ok "nor one that is held" test -e left.png.tmp-locked
    ok "nor what is called otherwise" test -e left.png.tmp-tooLongs
    ;;
*) skip "locks are not believed here" 4 ;;
esac

# ---- several programs make one folder ----
for name in p q r s; do
    synth -q -n 1 -s 40 --prefix $name -o several --force
    tile -q several/images/${name}_00001.png >$name.tar
done
for i in $(seq 60); do
    for name in p q r s; do stitch -q -o "several$i/" $name.tar 2>>said & done
    wait
done
is "$(cat said) $(find several* -maxdepth 1 -name '*.png' | wc -l)" " 240" "each finds it there or makes it"

echo taken >taken
synth -q -s 32 >t.tar
says() { # PROGRAM FOLDER COMMAND...: says in one line that the folder cannot be made
    is "$("${@:3}" 2>&1)" "$1: create '$2': Not a directory" "$1: a file where its folder would be"
}
says synth taken synth -q -o taken
says gallery taken gallery -q -o taken img.png
says label taken/ label -q -o taken/ one/masks/*.png
says stitch taken/ stitch -q -o taken/ img.tar
says train taken train -q -a unet-s:width=8 -b 1 --steps 1 --events taken -o w.safetensors t.tar
is "$(cat taken)" "taken" "... which stays as it is"
done_testing
