#!/bin/bash
# The rooms of lib know only whom they may know; only train and predict link libtorch.
. "$(dirname "$0")/../tap.sh"
cd "$TOP" || exit 1

may_include() { # ROOM: the rooms whose headers it may include
    case $1 in
    core) echo core ;;
    model) echo "core weights nn model" ;;
    picture) echo "core stream image ops picture" ;;
    loader) echo "core stream ops loader" ;;
    train) echo "core stream ops loader weights nn model train" ;;
    *) echo "core $1" ;;
    esac
}

strangers() { # ROOM: includes that it may not have
    local room=$1 allowed
    allowed=$(may_include "$room" | tr ' ' '|')
    grep -HnE '^#include "[a-z]+/' "lib/$room"/*.[ch] "lib/$room"/*.cpp 2>/dev/null |
        grep -vE "#include \"($allowed)/"
}

for folder in lib/*/; do
    room=$(basename "$folder")
    is "$(strangers "$room")" "" "lib/$room includes $(may_include "$room") alone"
done

is "$(grep -lE '\b(exit|_exit|abort|assert)\(' lib/*/*.c | grep -v '^lib/cli/')" "" \
    "only lib/cli ends a program"
is "$(grep -lE '\b(printf|puts|perror|putchar)\(|fprintf\(std|fputs\(.*std' lib/*/*.c lib/*/*.cpp |
    grep -v '^lib/cli/')" "" "only lib/cli and the programs print"
is "$(find lib tools tests -name '*.cpp' | grep -v '^lib/nn/')" "" "C++ only in lib/nn"
is "$(grep -lE 'torch/|ATen/|c10/' lib/*/*.[ch] tools/*.c)" "" "libtorch's headers only in C++"

for program in "$BIN"/*; do
    name=$(basename "$program")
    case $name in
    train | predict) ok "$name links libtorch" grep -q libtorch <(ldd "$program") ;;
    *) is "$(ldd "$program" | grep -c torch)" 0 "$name does not link libtorch" ;;
    esac
done
done_testing
