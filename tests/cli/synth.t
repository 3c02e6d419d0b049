#!/bin/bash
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 13

ok "draws into a folder" synth -q -n 3 -s 120x80 -l mixed -o "$TMP/drawn"
is "$(cd "$TMP/drawn" && find . -type f -name "[!.]*" | sort | tr '\n' ' ')" \
    "./images/synth_00001.png ./images/synth_00002.png ./images/synth_00003.png ./masks/synth_00001.png ./masks/synth_00002.png ./masks/synth_00003.png " \
    "an image and a mask each"
synth -q -n 3 -s 120x80 -l mixed >"$TMP/a.tar"
ok "draws a stream" peek -q "$TMP/a.tar"
synth -q -n 3 -s 120x80 -l mixed -o "$TMP/b.tar"
is "$(tar xOf "$TMP/b.tar" synth_00002.image.npy | sha256sum)" \
    "$(tar xOf "$TMP/a.tar" synth_00002.image.npy | sha256sum)" "the same seed, the same pixels"
synth -q -n 2 -s 120x80 -l mixed >"$TMP/c.tar"
is "$(tar xOf "$TMP/c.tar" synth_00002.image.npy | sha256sum)" \
    "$(tar xOf "$TMP/a.tar" synth_00002.image.npy | sha256sum)" "an image does not depend on the others"
synth -q --seed 2 -n 3 -s 120x80 -l mixed >"$TMP/d.tar"
ok "another seed, other pixels" test \
    "$(tar xOf "$TMP/d.tar" synth_00002.image.npy | sha256sum)" != \
    "$(tar xOf "$TMP/a.tar" synth_00002.image.npy | sha256sum)"
fails 64 "a size of zero" synth -s 0x5
fails 64 "a size that is none" synth -s 5x
fails 64 "an operand" synth x
fails 64 "a prefix with a dot" synth --prefix a.b
fails 73 "a folder that cannot be made" synth -o /dev/null/x
: >"$TMP/file"
fails 73 "a file where the folder should be" synth -o "$TMP/file"
ok "a full disk is noticed" bash -c '! synth -q -n 2 >/dev/full 2>/dev/null'
done_testing
