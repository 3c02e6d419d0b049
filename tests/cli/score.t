#!/bin/bash
# score: files, folders, streams, tables of runs, and what is wrong with them.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 50

# Writes NumPy files and a foreign WebDataset archive.  A picture is rows of digits
# separated by '/'; probabilities are those digits / 10, as one plane.
npy() { # FILE DTYPE PICTURE: <f4 gives 1 x H x W
    perl -e 'my ($file, $type, $picture) = @ARGV;
        my @rows = split m{/}, $picture;
        my ($h, $w) = (scalar @rows, length $rows[0]);
        my $shape = $type eq "<f4" ? "(1, $h, $w)" : "($h, $w)";
        my $head = "{\x27descr\x27: \x27$type\x27, \x27fortran_order\x27: False, \x27shape\x27: $shape, }";
        $head .= " " x (63 - (10 + length $head) % 64) . "\n";
        my %pack = ("<f4" => "f<", "|u1" => "C", "<u2" => "S<");
        my @values = map { $type eq "<f4" ? $_ / 10 : $_ } split //, join "", @rows;
        open my $out, ">", $file or die; binmode $out;
        print $out "\x93NUMPY\x01\x00", pack("S<", length $head), $head, pack("$pack{$type}*", @values);
        close $out or die;' "$1" "$2" "$3"
}

sample() { # KEY PROBABILITIES MASK [JSON]
    npy "$TMP/tar/$1.prob.npy" "<f4" "$2"
    npy "$TMP/tar/$1.mask.npy" "|u1" "$3"
    [ $# -lt 4 ] || echo "$4" >"$TMP/tar/$1.json"
}

pack() { # FILE
    (cd "$TMP/tar" && tar --format=ustar -cf "$TMP/$1" -- *)
    rm -f "$TMP"/tar/*
}

column() { # NAME [FILE]: of a table on standard input
    awk -F'\t' -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) at = i; next }
        { print $at }' | tr '\n' ' ' | sed 's/ $//'
}

mkdir "$TMP/tar"

# ---- streams ----
sample a 9900/9900 1000/1000
sample b 0990/0990 0110/0110
pack two.tar
is "$(score <"$TMP/two.tar" | column dsc)" "0.6666666667 1" "a line a sample, from standard input"
is "$(score "$TMP/two.tar" | column name)" "a b" "and from a file"
is "$(score -t 0.95 "$TMP/two.tar" | column sensitivity)" "0 0" "a threshold"
is "$(score -s "$TMP/two.tar" | awk '$1 == "dsc" { print $2, $4 }')" "0.8333333333 2" "a summary"
is "$(score -s "$TMP/two.tar" | awk '$1 == "iou75" || $1 == "map" { print $1, $2 }' | tr '\n' ' ')" \
    "iou75 0.5 map 0.6666666667 " "the share of images that reach an IoU"
is "$(score "$TMP/two.tar" | column ece | xargs printf '%.4f ')" "0.2000 0.0500 " "calibration"
head -c 2048 "$TMP/two.tar" >"$TMP/cut.tar"
fails 65 "a cut stream" score "$TMP/cut.tar"

meta() { # X
    printf '{"source": {"name": "img.tif", "width": 6, "height": 2, "channels": 1, "bits": 8},'
    printf '"tile": {"x": %s, "y": 0, "width": 4, "height": 2, "index": 0, "count": 2}}' "$1"
}
sample t0 9900/9900 1100/1100 "$(meta 0)"
sample t1 0000/0000 0000/0001 "$(meta 2)"
pack tiles.tar
peek -q "$TMP/tiles.tar" >/dev/null || echo "# peek refuses the archive"
is "$(score "$TMP/tiles.tar" | column name)" "img.tif" "tiles of an image are put together"
is "$(score "$TMP/tiles.tar" | column sensitivity)" "0.8" "and compared as one"
is "$(score --by tile "$TMP/tiles.tar" | column sensitivity)" "1 0" "or one by one"

sample u 9000/9000 1100/1100 '{"source": {"name": "u.tif", "width": 8, "height": 4,
    "pixel_width_um": 0.5, "pixel_height_um": 1},
    "tile": {"x": 0, "y": 0, "width": 8, "height": 4},
    "scale": {"x": 0.5, "y": 0.5}}'
pack um.tar
is "$(score --unit um "$TMP/um.tar" | column hd_um)" "1" "micrometers of a source that was shrunk"
is "$(score --unit um --by tile "$TMP/um.tar" | column hd_um)" "1" "and of its tiles one by one"

# ---- images of probabilities: the numbers of a stream of the same ----
npy "$TMP/a.npy" "<f4" 9700/9000
npy "$TMP/truth.npy" "|u1" 1100/1000
sample a 9700/9000 1100/1000
pack same.tar
columns() { # of accuracy and of what a probability alone gives
    awk -F'\t' 'NR == 1 { for (i = 1; i <= NF; i++) if ($i ~ /^(dsc|hd95|ece|brier|auroc)/) at[++n] = i }
        { for (i = 1; i <= n; i++) printf "%s ", $at[i] }'
}
is "$(score --probability "$TMP/a.npy" "$TMP/truth.npy" | columns)" "$(score "$TMP/same.tar" | columns)" \
    "an image of probabilities, as its stream"
ok "and some of it is of probabilities" grep -q ece <(score --probability "$TMP/a.npy" "$TMP/truth.npy")
is "$(score --probability -t 0.8 "$TMP/a.npy" "$TMP/truth.npy" | column sensitivity)" "0.6666666667" "by a threshold"
npy "$TMP/wide.npy" "<f4" 97001/90001
fails 65 "of another size than its truth" score --probability "$TMP/wide.npy" "$TMP/truth.npy"
head -c 130 "$TMP/a.npy" >"$TMP/short.npy"
fails 65 "cut" score --probability "$TMP/short.npy" "$TMP/truth.npy"
fails 66 "not there" score --probability "$TMP/none.npy" "$TMP/truth.npy"
fails 65 "of more pixels than may be" score --probability --max-pixels 4 "$TMP/a.npy" "$TMP/truth.npy"

# ---- objects of a stream: those of the prediction are its components ----
sample o 9909/9900 1102/1100
pack objects.tar
is "$(score -i "$TMP/objects.tar" | column n_true) $(score -i "$TMP/objects.tar" | column n_pred)" "2 2" \
    "objects of a stream"
is "$(score -i "$TMP/objects.tar" | column ap90)" "1" "match the labels of its mask"

# ---- files ----
synth -q -n 3 -s 96x64 --seed 4 -o "$TMP/truth"
synth -q -n 3 -s 96x64 --seed 5 -o "$TMP/other"
synth -q -n 3 -s 80x64 --seed 5 -o "$TMP/narrow"
mask=$TMP/truth/masks/synth_00001.png
is "$(score "$mask" "$mask" | column hd95)" "0" "a mask against itself"
is "$(score "$TMP/truth/masks" "$TMP/truth/masks" | column dsc)" "1 1 1" "folders"
is "$(score "$TMP/truth/masks" "$TMP/truth/masks" | column name)" "synth_00001 synth_00002 synth_00003" \
    "matched by stem"
is "$(score --components 8 "$mask" "$mask" | column ap90)" "1" "objects against themselves"
is "$(score -j "$mask" "$mask" | grep -c '"dsc":1,"iou":1,"hd95":0')" "1" "JSON"
fails 65 "masks of two sizes" score "$mask" "$TMP/narrow/masks/synth_00001.png"
fails 66 "a mask that is not there" score "$TMP/none.png" "$mask"
fails 65 "distances in micrometers of an image that has no resolution" score --unit um "$mask" "$mask"
is "$(score --unit um --pixel-size 0.5,0.25 "$mask" "$mask" | column hd_um)" "0" "or a size given"
fails 65 "classes that are not there" score --classes 2 "$mask" "$mask"
fails 66 "a folder that is not there" score "$TMP/truth/masks" "$TMP/none"
fails 64 "a file and a folder" score "$mask" "$TMP/truth/masks"
fails 64 "three operands" score a b c
fails 64 "a convention that is none" score -c none "$mask" "$mask"
fails 64 "a threshold that is none" score --ap 0.5,x "$mask" "$mask"

rm "$TMP/other/masks/synth_00002.png"
score "$TMP/other/masks" "$TMP/truth/masks" >"$TMP/out.tsv" 2>"$TMP/err"
is "$?" 1 "a mask without its pair: some failed"
is "$(wc -l <"$TMP/out.tsv")" 3 "the others are compared"
is "$(sed "s|$TMP||" "$TMP/err")" "score: match '/truth/masks/synth_00002.png': there is no prediction of that stem" \
    "and it is named"

# ---- runs ----
printf 'name\tdsc\tiou\na\t0.5\t0.4\nb\t0.7\t0.6\n' >"$TMP/run1.tsv"
printf 'name\tdsc\tiou\na\t0.9\t0.8\nb\tnan\tnan\n' >"$TMP/run2.tsv"
is "$(score --runs "$TMP/run1.tsv" "$TMP/run2.tsv" | awk '$1 == "dsc" { print $2, $3, $4 }')" \
    "0.75 0.2121320344 2" "mean and standard deviation over runs"
is "$(score --runs "$TMP/run1.tsv" "$TMP/run2.tsv" | awk '$1 == "iou50" { print $2 }')" "0.75" \
    "IoU-0.5 over runs"
printf 'name\tdsc\na\n' >"$TMP/short.tsv"
fails 65 "a table with a short line" score --runs "$TMP/short.tsv"
printf 'name\tdsc\na\tx\n' >"$TMP/text.tsv"
fails 65 "a table with text for a number" score --runs "$TMP/text.tsv"
fails 66 "a table that is not there" score --runs "$TMP/none.tsv"

# ---- commas ----
is "$(score --csv "$TMP/truth/masks" "$TMP/truth/masks")" \
    "$(score "$TMP/truth/masks" "$TMP/truth/masks" | tr '\t' , | sed 's/,nan\b/,/g')" "commas, and nothing for nan"
is "$(score --csv -s "$TMP/truth/masks" "$TMP/truth/masks" | head -n 1)" "metric,mean,sd,n" "of a summary too"
fails 64 "JSON with commas" score --csv -j "$mask" "$mask"

# ---- curves ----
score --curve "$TMP/curve" --reliability "$TMP/bins" "$TMP/two.tar" >/dev/null
is "$(tail -n 1 "$TMP/curve")" "1	0.125" "the risk of all pixels"
is "$(wc -l <"$TMP/bins")" 16 "bins of the reliability diagram"
ok "a full disk is noticed" bash -c '! score "$TMP/two.tar" >/dev/full 2>/dev/null'
done_testing
