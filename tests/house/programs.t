#!/bin/bash
# What every program has: help, version, a man page in step with its options,
# loud failure on a full disk, and a quick start.
. "$(dirname "$0")/../tap.sh"
cd "$TOP" || exit 1
plan $((7 * $(find "$BIN" -type f | wc -l))) # train and predict start slower, and two more

long_options() { # PROGRAM: its own, from its help
    "$1" --help | grep -oE '^ +(-., )?--[a-z0-9-]+' | grep -oE -- '--[a-z0-9-]+' |
        grep -vxE -- '--(help|version|quiet)' | sort -u
}

documented_options() { # PROGRAM: from its man page
    mandoc -T ascii "man/$1.1" | col -b | grep -oE -- '--[a-z0-9][a-z0-9-]*' | sort -u
}

undocumented() { # PROGRAM: options that its man page does not name
    comm -23 <(long_options "$1") <(documented_options "$1")
}

milliseconds() { # PROGRAM: the least of 7 starts
    local least=1000000 before after
    for _ in 1 2 3 4 5 6 7; do
        before=$(date +%s%N)
        "$1" --version >/dev/null
        after=$(date +%s%N)
        [ $((after - before)) -lt "$least" ] && least=$((after - before))
    done
    echo $((least / 1000000))
}

for path in "$BIN"/*; do
    name=$(basename "$path")
    is "$("$name" --version | grep -cE "^$name \(MorphoSeg in C\) [0-9.]+$")" 1 "$name --version"
    is "$("$name" --help | grep -c "^usage: $name")" 1 "$name --help"
    fails 64 "$name refuses an unknown option" "$name" --no-such-option
    is "$("$name" --help 2>&1 >/dev/full | grep -c 'standard output')" 1 "$name --help > /dev/full"
    ok "man/$name.1 is there and sound" mandoc -T lint -W warning "man/$name.1"
    is "$(undocumented "$name")" "" "man/$name.1 has every option"
    case $name in
    train | predict) ;;
    *)
        if [[ $BUILD == *san* ]]; then
            skip "$name: start not timed under a sanitizer"
        else
            ms=$(milliseconds "$name")
            ok "$name starts in under 10 ms ($ms ms)" test "$ms" -lt 10
        fi
        ;;
    esac
done
ok "image-formats.7 is sound" mandoc -T lint -W warning man/image-formats.7
ok "tensor-stream.5 is sound" mandoc -T lint -W warning man/tensor-stream.5
done_testing
