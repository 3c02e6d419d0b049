#!/bin/bash
# Every program against reads, writes, closes, syncs and renames that fail: a
# non-zero exit, one line on standard error, and no output but a whole one, or a
# stream that every reader knows to be cut.
. "$(dirname "$0")/../tap.sh"
[[ $BUILD == *san* ]] && skip_all "the sanitizers' runtime must be preloaded first"
plan 45
INJECT=$BUILD/tests/fault/inject.so
MAX_CALLS=40

cd "$TMP" || exit 1
synth -n 2 -s 300x260 --seed 5 -o in || exit 1
image=in/images/synth_00001.png
mask=in/masks/synth_00001.png
tile -m in/masks in/images/*.png >both.tar || exit 1
tile -m in/masks "$image" >tiles.tar || exit 1
stitch <tiles.tar >mask.png || exit 1

# survives FUNCTION ERRNO COMMAND: runs COMMAND (a shell line that writes out.*)
# with each call failing in turn until the fault is no longer reached.  Prints
# what went wrong.  Reads and closes of input may be harmless: exit 0 is then
# fine when the output is the right one.
weaknesses() {
    local function=$1 number=$2 command=$3 n status
    rm -f out.*
    sh -c "$command" 2>/dev/null || { echo "fails without a fault"; return; }
    for f in out.*; do mv "$f" "good.${f#out.}"; done
    for ((n = 1; n <= MAX_CALLS; n++)); do
        rm -f out.* reached
        FAULT="$function $n $number" FAULT_REACHED=$TMP/reached \
            sh -c "LD_PRELOAD=$INJECT exec $command" 2>err
        status=$?
        [ -e reached ] || break
        if [ $status -eq 0 ]; then
            for f in good.*; do
                cmp -s "$f" "out.${f#good.}" || echo "$function $n: exit 0 and a wrong output"
            done
        else
            [ $status -lt 128 ] || echo "$function $n: ended by signal $((status - 128))"
            [ "$(wc -l <err)" -eq 1 ] || echo "$function $n: $(wc -l <err) lines of error"
            for f in out.*; do
                cmp -s "$f" "good.${f#out.}" && continue # whole: only the goodbye failed
                [ "$f" = out.stream ] && ! peek "$f" >/dev/null 2>&1 && continue
                [ ! -e "$f" ] || echo "$function $n: left $f"
            done
        fi
    done
    rm -f good.*
}

try() { # NAME COMMAND
    is "$(weaknesses write 28 "$2")" "" "$1: no space left at each write"
    is "$(weaknesses read 5 "$2")" "" "$1: an error at each read"
    is "$(weaknesses close 5 "$2")" "" "$1: an error at each close"
    is "$(weaknesses fsync 5 "$2")" "" "$1: an error at each fsync"
    is "$(weaknesses rename 13 "$2")" "" "$1: a rename that is refused"
}

try tile "tile -m in/masks $image >out.stream"
try stitch "stitch -o out.png <tiles.tar"
try "stitch, TIFF" "stitch -o out.tif <tiles.tar"
try prune "prune <tiles.tar >out.stream"
try augment "augment -n 1 <tiles.tar >out.stream"
try holdout "holdout --train -f 0.5 <both.tar >out.stream"
try overlay "overlay -o out.png $image $mask"
try weights "weights convert $TOP/data/default.safetensors out.safetensors"
try label "label -o out.tif $mask"
done_testing
