#!/bin/bash
# The fuzzers' corpora, and files changed from them, through every parser: make fuzz made them.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
changed=${CHANGED:-1000}
case $BUILD in *san) changed=$((changed / 4)) ;; esac
mapfile -t targets < <(cut -d' ' -f1 "$TOP/tests/fuzz/targets")
plan $((2 * ${#targets[@]}))
ulimit -v "$([[ $BUILD == *san ]] && echo unlimited || echo 4000000)"
for target in "${targets[@]}"; do
    mkdir "$TMP/$target"
    ok "$target has a corpus" tar xzf "$TOP/tests/fuzz/corpus/$target.tar.gz" -C "$TMP/$target"
    ok "$target reads it, and what is changed of it" timeout 300 \
        "$BUILD/tests/replay/$target" -n "$changed" "$TMP/$target"
done
done_testing
