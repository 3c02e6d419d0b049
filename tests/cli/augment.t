#!/bin/bash
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 15

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

fails 64 "an unknown policy" augment -p weak "$TMP/in.tar"
fails 64 "an unknown setting" augment -p paper,x=1 "$TMP/in.tar"
fails 66 "no such stream" augment "$TMP/nothing.tar"
head -c 20000 "$TMP/in.tar" >"$TMP/cut.tar"
fails 65 "a stream that was cut" augment "$TMP/cut.tar"
fails 65 "an empty input" augment /dev/null
# shellcheck disable=SC2016
ok "a full disk is noticed" bash -c '! augment "$TMP/in.tar" >/dev/full 2>/dev/null'
done_testing
