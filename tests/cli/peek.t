#!/bin/bash
# peek, and what all readers of a stream do with one that was cut.
# shellcheck source=tests/tap.sh
# shellcheck disable=SC2002,SC2016,SC2317
. "$(dirname "$0")/../tap.sh"
plan 33

synth -q -n 2 -s 8x6 -o "$TMP/a.tar" --prefix s
cat "$TMP/a.tar" "$TMP/a.tar" >"$TMP/two.tar"

is "$(peek "$TMP/a.tar" | sed -n 's/^\(# synth\) [0-9.]*\(: synth -q -n 2\).*/\1\2/p')" \
    "# synth: synth -q -n 2" "says what made the stream"
is "$(peek "$TMP/a.tar" | sed -n 2p | cut -f1-2 | tr '\t' ' ')" "s_00001 image uint8 6x8x1" \
    "a line a sample, height x width x channels"
is "$(peek -n <"$TMP/a.tar")" 2 "counts samples"
is "$(peek -n "$TMP/two.tar")" 4 "two streams in a row"
is "$(peek -p "$TMP/two.tar" | wc -l)" 1 "equal provenance is told once"
is "$(peek -c "$TMP/a.tar" | wc -c)" 0 "a check prints nothing"
if command -v jq >/dev/null; then
    is "$(peek -j "$TMP/a.tar" | jq -s '.[1].members[0].shape == [6, 8, 1]')" true "JSON"
else
    is "$(peek -j "$TMP/a.tar" | sed -n 2p | grep -o '"shape":\[6,8,1\]')" '"shape":[6,8,1]' "JSON"
fi
fails 66 "no such file" peek "$TMP/nothing.tar"
fails 65 "an empty file" peek /dev/null
fails 66 "a folder" peek "$TMP"
fails 64 "an unknown option" peek --nothing
peek -c "$TMP/nothing.tar" "$TMP/a.tar" 2>/dev/null
is "$?" 1 "one of two files failed"
ok "a full disk is noticed" bash -c '! peek "$TMP/a.tar" >/dev/full 2>/dev/null'

# tar makes foreign archives: folders, names without a dot and __x__ are skipped.
mkdir -p "$TMP/f/d" && cd "$TMP/f" || exit 1
echo text >d/k.txt && echo x >README && echo y >__meta__
tar cf ../foreign.tar --format=gnu ./d README __meta__
is "$(peek ../foreign.tar)" "$(printf 'd/k\ttxt 5 bytes')" "a foreign archive"
tar cf ../pax.tar --format=pax d
is "$(peek ../pax.tar)" "$(printf 'd/k\ttxt 5 bytes')" "with pax headers"
cat ../foreign.tar ../a.tar >../mixed.tar
is "$(peek -n ../mixed.tar)" 3 "a stream may follow a foreign archive"
head -c 1536 ../foreign.tar | cat - ../a.tar >../mixed.tar
fails 65 "but not one that was cut" peek ../mixed.tar
cat ../a.tar ../foreign.tar >../mixed.tar
fails 65 "nor a foreign archive a stream" peek ../mixed.tar
ln -s /etc/passwd l.txt && tar cf ../link.tar l.txt
fails 65 "a link" peek ../link.tar
gzip -c ../a.tar >../a.tar.gz
fails 65 "a compressed archive" peek ../a.tar.gz
cd "$TMP" || exit 1

# Members with the same name, and counts that are wrong.
tar xf a.tar
tar cf twice.tar --format=ustar __stream__ s_00001.image.npy
tar rf twice.tar --format=ustar s_00001.image.npy __end__
fails 65 "a member twice" peek twice.tar
ok "is called so" grep -q "has 'image.npy' twice" "$TMP/.err"
tar cf counts.tar --format=ustar __stream__ s_00001.image.npy __end__
fails 65 "counts that are wrong" peek counts.tar
sed 's/"version":1/"version":2/' __stream__ >v2 && cp v2 __stream__
tar cf v2.tar --format=ustar __stream__ s_0000?.* __end__
fails 65 "another version" peek v2.tar

# Records of provenance are told once without comparing each with all others: 100,000
# twice would be minutes.
records=$(seq 100000 | paste -sd, -)
printf '{"format":"tensor-stream","version":1,"provenance":[%s,%s]}' "$records" "$records" \
    >__stream__
tar cf many.tar --format=ustar __stream__ s_0000?.* __end__
is "$(timeout 30 peek -n many.tar)" 2 "a stream with many records of provenance is read in time"

# Every reader refuses a stream that was cut, with one line, and does not end its
# own as if it were whole.
size=$(stat -c %s a.tar)
refuses() { # COMMAND...: at a sample of the places where the stream can be cut
    local cut
    for ((cut = 0; cut < size; cut += 509)); do
        head -c "$cut" a.tar | "$@" >out 2>err && echo "accepts a cut at $cut" && return 1
        [ "$(wc -l <err)" -eq 1 ] || { echo "$(wc -l <err) lines at $cut" && return 1; }
        if [ "$(head -c 10 out)" = __stream__ ] && peek -c out 2>/dev/null; then
            echo "a whole stream at $cut"
            return 1
        fi
    done
}
for reader in peek 'prune' 'prune --blank' 'holdout --train' 'holdout --train --stable' augment \
    stitch score; do
    [ -x "$BIN/${reader%% *}" ] || continue
    # shellcheck disable=SC2086
    ok "$reader refuses a stream that was cut" refuses $reader
done
done_testing
