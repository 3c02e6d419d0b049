#!/bin/bash
# shellcheck source=tests/tap.sh
# shellcheck disable=SC2002,SC2016,SC2317
. "$(dirname "$0")/../tap.sh"
plan 24
cd "$TMP" || exit 1
synth -q -n 10 -s 96x64 -o drawn
tile -q -s 48 -o 16 drawn/images/*.png >a.tar
total=$(peek -n a.tar)
sources() { # the names of source images in a stream
    peek -j "$@" | grep -o '"name":"[^"]*\.png"' | sort -u
}

holdout --train a.tar >train.tar
holdout --test <a.tar >test.tar
is "$(sources test.tar | wc -l)" 2 "a fifth of ten images is two"
is "$(sources train.tar | wc -l)" 8 "eight are left"
is "$(sources train.tar test.tar | wc -l)" 10 "and none is in both"
is "$(($(peek -n train.tar) + $(peek -n test.tar)))" "$total" "no tile is lost"
cat a.tar | holdout --test >again.tar
is "$(sha256sum <again.tar)" "$(sha256sum <test.tar)" "the same from a pipe"
is "$(holdout --test -f 0.01 a.tar | sources | wc -l)" 1 "never none"
is "$(holdout --test -f 0.99 a.tar | sources | wc -l)" 9 "never all"
splits=$(for seed in 1 2 3 4 5 6; do holdout --test --seed $seed a.tar | sources | sha256sum; done | sort -u | wc -l)
ok "seeds differ ($splits of 6)" test "$splits" -ge 4
(for i in 9 3 5 1; do tile -q -s 48 -o 16 drawn/images/*"$i.png"; done) >other.tar
stable() { # STREAM: the sources held out from it
    holdout --stable --test -f 0.5 "$1" | sources
}
is "$(stable other.tar)" "$(comm -12 <(stable a.tar) <(sources other.tar))" \
    "--stable: a source's part does not depend on the others"
is "$(holdout --stable --train -f 0.5 a.tar | sources | wc -l)" "$((10 - $(stable a.tar | wc -l)))" \
    "and parts complete each other"

tile -q -s 48 -o 16 ./drawn//masks/../images/*.png >typed.tar
is "$(holdout --test typed.tar | sources | sed 's|"\./drawn//masks/\.\./|"drawn/|')" "$(sources test.tar)" \
    "a file is the same however its path is typed"

fails 65 "tiles of an image in both parts" holdout --train --by tile a.tar
ok "is called leakage" grep -q leakage "$TMP/.err"
is "$(holdout --train --by tile --allow-leakage a.tar | peek -n)" \
    "$((total - (total * 2 + 5) / 10))" "unless asked for"
fails 65 "--stable sees it at the end" holdout --train --by tile --stable a.tar

# The same picture under two names.
mkdir same && cp drawn/images/*1.png same/one.png
for i in 2 3 4 5 6 7 8 9; do cp same/one.png same/$i.png; done
tile -q -s 48 -o 16 same/*.png >same.tar
fails 65 "the same pixels in both parts" holdout --train same.tar
is "$(holdout --test --allow-leakage same.tar | sources | wc -l)" 2 "unless asked for"

tile -q -s 48 -o 16 same/one.png >one.tar
fails 65 "one image cannot be split" holdout --train one.tar
mkdir f && echo x >f/k.txt && tar cf foreign.tar --format=ustar -C f k.txt
fails 65 "samples that do not name their source" holdout --train foreign.tar
fails 64 "neither --train nor --test" holdout a.tar
fails 64 "both" holdout --train --test a.tar
fails 64 "a fraction of 1" holdout --train -f 1 a.tar
fails 65 "a stream that was cut" holdout --train <(head -c 9000 a.tar)
TMPDIR=$TMP/nowhere
export TMPDIR
cat a.tar | holdout --train >none 2>err
is "$?" 73 "no room for a temporary file"
done_testing
