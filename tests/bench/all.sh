#!/bin/bash
# All benchmarks, one after the other: make bench.  predict.py says which variables to
# set for the comparisons with other programs; who is absent is left out with a word.
set -u
here=$(dirname "$0")
export BUILD=${BUILD:-$PWD/build}
networks="transunet-r50-b16 transunet-r50-b16-skips transunet-vit-b16 transunet-vit-l16 \
transunet-r50-l32 unetpp swinunet scaleformer cellpose"

section() { # TITLE COMMAND...
    printf '\n## %s\n' "$1"
    shift
    "$@" || printf 'not measured\n'
}

printf '# %s, level %s\n' "$(sed -n 's/^model name\t: /, /p' /proc/cpuinfo | uniq -c | sed 's/^ *//; s/ , / x /')" \
    "$("$BUILD/tests/helper/cpu")"
echo "# level $("$BUILD/tests/helper/cpu")${MORPHOSEG_ISA:+, limited by MORPHOSEG_ISA}"
section "Segmentation" env NETWORKS="${NETWORKS:-$networks}" "$here/predict.sh"
section "Training" env NETWORKS="${NETWORKS:-transunet-r50-b16}" "$here/train.sh"
section "The pipe" "$here/pipe.sh"
section "Images" "$here/image.sh" "${ROUNDS:-5}"
