#!/bin/bash
# Files of weights made to break readers: each refused with one line, within
# limits of time and memory, nothing executed.
. "$(dirname "$0")/../tap.sh"
hostile=$SHARED/hostile
[ -d "$hostile" ] || skip_all "no $hostile"
plan 11
cd "$TMP" || exit 1

memory=1000000 seconds=5
case $BUILD in *san) memory=unlimited seconds=60 ;; esac
limited() {
    ulimit -v "$memory"
    ulimit -f 200000
    timeout "$seconds" weights "$@"
}

# judge CLASS FILE...: prints what is wrong
judge() {
    local class=$1 file status lines
    shift
    for file; do
        (limited convert "$file" out.safetensors) >out 2>err
        status=$?
        lines=$(wc -l <err)
        case $class-$status in
        valid-0 | either-0) [ "$lines" -eq 0 ] || echo "$file: warns" ;;
        reject-65 | either-65)
            [ "$lines" -eq 1 ] && grep -q '^weights: ' err || echo "$file: $lines lines" ;;
        *) echo "$file: exit $status" ;;
        esac
        if [ $status -ne 0 ] && [ -n "$(ls out.safetensors* 2>/dev/null)" ]; then
            echo "$file: output left behind"
        fi
        rm -f out.safetensors*
    done
}

for kind in pth safetensors npy; do
    suffix=$kind
    [ $kind = npy ] && suffix=npz
    for class in valid reject either; do
        files=("$hostile/$kind/$class"/*."$suffix")
        [ -e "${files[0]}" ] || continue
        is "$(judge $class "${files[@]}")" "" "$class: ${#files[@]} files of $suffix"
    done
done
zips=("$hostile"/archive/*/*.zip)
if [ -e "${zips[0]}" ]; then
    is "$(judge reject "${zips[@]}")" "" "${#zips[@]} zip archives that hold no weights"
fi
ok "nothing was executed" test ! -e hostile_pickle_canary
ok "nothing was unpacked" test ! -e /tmp/hostile_canary
done_testing
