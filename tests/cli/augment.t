#!/bin/bash
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 26

synth -q -n 4 -s 64x48 --instances -l phase -o "$TMP/in.tar"
sum() { # TAR MEMBER
    tar xOf "$1" "$2" | sha256sum
}

augment <"$TMP/in.tar" >"$TMP/one.tar"
ok "writes a whole stream" peek -q "$TMP/one.tar"
is "$(tar tf "$TMP/one.tar" | grep -c image)" 4 "one copy by default, keys kept"
augment -n 3 --keep "$TMP/in.tar" >"$TMP/four.tar"
is "$(tar tf "$TMP/four.tar" | grep -c image)" 16 "three copies and the sample itself"
is "$(sum "$TMP/four.tar" synth_00002.image.npy)" "$(sum "$TMP/in.tar" synth_00002.image.npy)" \
    "--keep passes the sample as it is"
ok "copies differ" test "$(sum "$TMP/four.tar" synth_00002_a1.image.npy)" != \
    "$(sum "$TMP/four.tar" synth_00002_a3.image.npy)"

# A result depends on seed and key, not on the order of samples.
synth -q -n 2 -s 64x48 --instances -l phase | augment -n 3 --keep >"$TMP/short.tar"
is "$(sum "$TMP/short.tar" synth_00002_a2.image.npy)" \
    "$(sum "$TMP/four.tar" synth_00002_a2.image.npy)" "the other samples do not matter"
augment --seed 9 -n 3 --keep "$TMP/in.tar" >"$TMP/seed.tar"
ok "the seed does" test "$(sum "$TMP/seed.tar" synth_00002_a2.image.npy)" != \
    "$(sum "$TMP/four.tar" synth_00002_a2.image.npy)"
is "$(augment -p none "$TMP/in.tar" | tar xO synth_00003.mask.npy | sha256sum)" \
    "$(sum "$TMP/in.tar" synth_00003.mask.npy)" "policy none changes nothing"
ok "two streams in, one out" test "$(augment "$TMP/in.tar" "$TMP/short.tar" | tar t | grep -c image)" = 12

# Cells of a stream, pasted where there is none.
labels() { # TAR: how many labels its three masks have, of uint32
    local i
    for i in 1 2 3; do
        tar xOf "$1" "synth_0000$i.mask.npy" | tail -c $((4 * 128 * 128)) | od -An -v -w4 -tu4 | sort -u | grep -vw 0
    done | wc -l
}
synth -q -n 3 -s 128 --coverage 10 --instances -l fluorescence -o "$TMP/cells.tar"
augment -q -p none --cells "$TMP/cells.tar" --paste 0 "$TMP/cells.tar" >"$TMP/as-it-was.tar"
is "$(sum "$TMP/as-it-was.tar" synth_00002.mask.npy)" \
    "$(augment -p none --instances "$TMP/cells.tar" | tar xO synth_00002.mask.npy | sha256sum)" "--paste 0 pastes none"
augment -q -p none --cells "$TMP/cells.tar" --paste 20 "$TMP/cells.tar" >"$TMP/pasted.tar"
pasted=$(for i in 1 2 3; do tar xOf "$TMP/pasted.tar" "synth_0000$i.json" | grep -o '"pasted":[0-9]*'; done | cut -d: -f2 | paste -sd+)
ok "--cells pastes some" test $((pasted)) -gt 5
is "$(labels "$TMP/pasted.tar")" $(($(labels "$TMP/as-it-was.tar") + pasted)) "each is a label more, as KEY.json says"
augment -q -p none --cells "$TMP/cells.tar" --paste 20 --seed 2 "$TMP/cells.tar" >"$TMP/other.tar"
ok "another seed is other cells" test "$(sum "$TMP/pasted.tar" synth_00001.mask.npy)" != "$(sum "$TMP/other.tar" synth_00001.mask.npy)"
synth -q -n 1 -s 128 --coverage 10 --instances -l fluorescence |
    augment -q -p none --cells "$TMP/cells.tar" --paste 20 >"$TMP/alone.tar"
is "$(sum "$TMP/alone.tar" synth_00001.image.npy)" "$(sum "$TMP/pasted.tar" synth_00001.image.npy)" \
    "with cells, too, the other samples do not matter"
ok "it can be trained on" train -q -a unet-s:width=8 --flows -b 2 --crop 64 --steps 2 -o "$TMP/w.safetensors" "$TMP/pasted.tar"
synth -q -n 2 -s 128 --instances -o "$TMP/gray/"
tile -q --rgb -s full -m "$TMP/gray/masks" "$TMP"/gray/images/* >"$TMP/color.tar"
is "$(augment --cells "$TMP/cells.tar" "$TMP/color.tar" 2>&1 >"$TMP/color-out.tar" | tail -n 1)" \
    "augment: 2 copies got no cells: '$TMP/cells.tar' has none of their type and channels" \
    "cells that fit no image are named"
fails 64 "--paste without --cells" augment --paste 3 "$TMP/cells.tar"
fails 66 "no such stream of cells" augment --cells "$TMP/none.tar" "$TMP/cells.tar"
synth -q -n 1 -s 96 -l fluorescence -o "$TMP/bw/"
tile -q -s full -m "$TMP/bw/masks" "$TMP"/bw/images/* >"$TMP/bw.tar"
fails 65 "cells in black and white" augment --cells "$TMP/bw.tar" "$TMP/cells.tar"
fails 73 "the cells are an input" augment --cells "$TMP/cells.tar" -o "$TMP/cells.tar" "$TMP/in.tar"

fails 64 "an unknown policy" augment -p weak "$TMP/in.tar"
fails 64 "an unknown setting" augment -p paper,x=1 "$TMP/in.tar"
fails 66 "no such stream" augment "$TMP/nothing.tar"
head -c 20000 "$TMP/in.tar" >"$TMP/cut.tar"
fails 65 "a stream that was cut" augment "$TMP/cut.tar"
fails 65 "an empty input" augment /dev/null
# shellcheck disable=SC2016
ok "a full disk is noticed" bash -c '! augment "$TMP/in.tar" >/dev/full 2>/dev/null'
done_testing
