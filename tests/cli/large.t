#!/bin/bash
# An image far larger than memory should allow goes through with less than 300 MB
# of address space a program: 40,000 pixels wide, as memory grows with the width alone.
. "$(dirname "$0")/../tap.sh"
cd "$TMP" || exit 1
case $BIN in *-asan* | *-tsan*) skip_all "sanitizers reserve all address space" ;; esac
plan 4
image() { "$BUILD/tests/helper/image" "$@"; }

limited() { # COMMAND...: with 300 MB, its shared libraries included
    (
        ulimit -v 300000
        "$@"
    )
}

copy() { # IN OUT: whole only when both programs succeed
    limited tile "$1" | limited stitch -o "$2"
    local statuses=("${PIPESTATUS[@]}")
    [ "${statuses[*]}" = "0 0" ] && image same "$1" "$2"
}

image make 40000 1000 1 8 wide.tif noise
ok "tile | stitch, TIFF" copy wide.tif copy.tif
ok "tile | stitch, PNG" copy wide.tif copy.png
ok "overlay" limited overlay -m 500 -o small.png copy.png copy.tif
outlined() { # IMAGE: a copy is its mask
    mkdir masks && cp "$1" masks/
    limited tile -m masks --mask-suffix '' "$1" | limited stitch -o mask.tif --overlay seen.tif
    local statuses=("${PIPESTATUS[@]}")
    [ "${statuses[*]}" = "0 0" ] && [ "$(image info seen.tif)" = "40000 1000 3 8" ]
}
ok "tile | stitch --overlay" outlined wide.tif
done_testing
