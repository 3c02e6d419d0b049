#!/bin/bash
# A room of lib includes those before it in the Makefile's list, none after it; only train and predict link libtorch.
. "$(dirname "$0")/../tap.sh"
cd "$TOP" || exit 1
plan $((7 + $(find lib/* -maxdepth 0 | wc -l) + $(find "$BIN" -type f | wc -l)))

rooms=$(sed -n 's/^ROOMS *= *//p' Makefile)

rooms_until() { # ROOM: it and those before it
    local room
    for room in $rooms; do
        printf '%s ' "$room"
        [ "$room" != "$1" ] || return 0
    done
}

strangers() { # ROOM: includes that it may not have
    local room=$1 allowed
    # Only programs speak to people.
    allowed=$(rooms_until "$room" | sed "s/\bcli //; s/ $//; s/ /|/g")
    [ "$room" != cli ] || allowed="core|cli"
    grep -HnE '^#include "[a-z]+/' "lib/$room"/*.[ch] "lib/$room"/*.cpp 2>/dev/null |
        grep -vE "#include \"($allowed)/"
}

is "$(cd lib && echo */ | tr -d / | tr ' ' '\n' | sort)" \
    "$(echo "$rooms" | tr ' ' '\n' | sort)" "every room stands in the list"

for folder in lib/*/; do
    room=$(basename "$folder")
    is "$(strangers "$room")" "" "lib/$room includes no room after it"
done

is "$(grep -lE '\b(exit|_exit|abort|assert)\(' lib/*/*.c | grep -v '^lib/cli/')" "" \
    "only lib/cli ends a program"
is "$(grep -lE '\b(printf|puts|perror|putchar)\(|fprintf\(std|fputs\(.*std' lib/*/*.c lib/*/*.cpp |
    grep -v '^lib/cli/')" "" "only lib/cli and the programs print"
is "$(grep -lE '\bmkdir\(' lib/*/*.c lib/*/*.cpp tools/*.c)" "lib/core/destination.c" \
    "folders are made in one place"
private_headers() { # internal.h, and those whose head says that they are private to their room
    find lib -name 'internal.h*'
    grep -lE 'Private to lib/|private header of lib/' lib/*/*.h
}
is "$(private_headers | sort -u | while read -r header; do
    grep -rln "#include \"${header#lib/}\"" lib tools | grep -v "^${header%/*}/" | sed "s|$| includes $header|"
done)" "" "no room includes what is private to another"
is "$(find lib tools tests -name '*.cpp' | grep -v '^lib/nn/')" "" "C++ only in lib/nn"
is "$(grep -lE 'torch/|ATen/|c10/' lib/*/*.[ch] tools/*.c)" "" "libtorch's headers only in C++"

for program in "$BIN"/*; do
    name=$(basename "$program")
    case $name in
    train | predict) ok "$name links libtorch" grep -q libtorch <(ldd "$program" 2>/dev/null) ;;
    *) is "$(ldd "$program" 2>/dev/null | grep -c torch)" 0 "$name does not link libtorch" ;;
    esac
done
done_testing
