#!/bin/bash
# The attack of `make attack`, a small one: 0 wherever 0 is expected.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
[[ $BUILD == *san* ]] && skip_all "the sanitizers' runtime must be preloaded first"
plan 2
SCALE=smoke "$TOP/tests/attack" >"$TMP/table"
is $? 0 "nothing wrong comes of it"
sed 's/^/# /' "$TMP/table"
is "$(grep -c '^| [a-z]* | [1-9]' "$TMP/table")" "$(if unshare -m true 2>/dev/null; then echo 8; else echo 7; fi)" \
    "each part has been"
done_testing
