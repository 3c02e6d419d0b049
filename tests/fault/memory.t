#!/bin/bash
# Programs with each allocation failing in turn: no wrong output with exit 0, no temporary file
# left, whoever ends the program, and a word of the program.  Ends by a signal are
# counted, not judged, where streams are read or written: they are libarchive's.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
[[ $BUILD == *san* ]] && skip_all "the sanitizers' runtime must be preloaded first"
plan 9
INJECT=$BUILD/tests/fault/inject.so
MAX_CALLS=${MAX_CALLS:-300}

cd "$TMP" || exit 1
synth -n 1 -s 60x40 --seed 5 -o in || exit 1
image=in/images/synth_00000.png
[ -e "$image" ] || image=$(echo in/images/*.png)
mask=in/masks/${image##*/}
tile -m in/masks "$image" >tiles.tar || exit 1
stitch <tiles.tar >mask.png || exit 1
cp "$SHARED/cases/trust/R08-no-memory/w.safetensors" . 2>/dev/null ||
    weights convert "$TOP/data/default.safetensors" w.safetensors

weaknesses() { # COMMAND: a shell line that writes out.*
    local command=$1 n status signals=0
    rm -f out.* good.*
    sh -c "$command" 2>/dev/null || { echo "fails without a fault"; return; }
    for f in out.*; do mv "$f" "good.${f#out.}"; done
    for ((n = 1; n <= MAX_CALLS; n++)); do
        rm -f out.* reached
        FAULT="malloc $n 12" FAULT_REACHED=$TMP/reached sh -c "LD_PRELOAD=$INJECT exec $command" 2>err
        status=$?
        [ -e reached ] || break
        if [ $status -eq 0 ]; then
            for f in good.*; do
                cmp -s "$f" "out.${f#good.}" || echo "malloc $n: exit 0 and a wrong output"
            done
        elif [ $status -ge 128 ]; then
            signals=$((signals + 1))
            [[ $command == *stream* || $command == *tiles.tar* ]] || echo "malloc $n: signal $((status - 128))"
        elif ! grep -q "^${command%% *}: " err; then
            echo "malloc $n: exit $status and no message"
        fi
        ! ls out.*.tmp-* >left 2>/dev/null || echo "malloc $n: left $(cat left)"
    done
    echo "# $((n - 1)) allocations, $signals signals: $command" >&3
    rm -f good.*
}
exec 3>&1
try() { # NAME COMMAND
    is "$(weaknesses "$2" 2>/dev/null)" "" "$1: each allocation fails"
}
try tile "tile -q -m in/masks $image >out.stream"
try augment "augment -q -n 1 <tiles.tar >out.stream"
try stitch "stitch -q -o out.png <tiles.tar"
try score "score -q --json $mask $mask >out.json"
try peek "peek --json <tiles.tar >out.json"
try label "label -q -T out.tsv -o out.tif $mask"
try overlay "overlay -q -o out.ome.tif $image $mask"
try convert "weights convert w.safetensors out.safetensors"
try info "weights info --json w.safetensors >out.json"
done_testing
