#!/bin/bash
# The hostile and valid images of $SHARED through `tile`.  valid: read, or refused
# by a reason that names what is not supported; reject: refused in one line;
# either: no signal; all: at most 15 s of a processor, three times what a good one needs, and 1 GB.
. "$(dirname "$0")/../tap.sh"

files=$SHARED/hostile
[ -d "$files" ] || skip_all "no hostile files in $SHARED"
plan 9

# judge CLASS FILE: prints a line when the program did something wrong
judge() {
    local class=$1 file=$2 got=0 log
    log=$TMP/log.$BASHPID
    (
        ulimit -f 4000000
        ulimit -v "$memory" -t "$seconds"
        timeout -k 1 60 tile "$file" >/dev/null 2>"$log"
    ) || got=$?
    local lines
    lines=$(wc -l <"$log")
    case $got in
    0)
        [ "$class" = reject ] && echo "accepted: $file"
        [ "$lines" -eq 0 ] || echo "read with a message: $file: $(head -n 1 "$log")"
        ;;
    64 | 65 | 66 | 71 | 74)
        [ "$lines" -eq 1 ] && grep -q '^tile: ' "$log" || echo "not one line: $file: $(head -n 1 "$log")"
        [ "$class" != valid ] || grep -q 'not supported\|are labels' "$log" ||
            echo "refused without a name: $(cat "$log")"
        ;;
    *) echo "exit $got: $file: $(head -n 1 "$log")" ;;
    esac
    rm -f "$log"
}
export -f judge
export memory=1000000 seconds=15
case $BIN in *-asan* | *-tsan*) memory=unlimited seconds=60 ;; esac

# all_judged FORMAT CLASS
all_judged() {
    # shellcheck disable=SC2016 # the inner shell expands $f and $0
    find "$files/$1/$2" -type f -print0 | sort -z |
        xargs -0 -P 2 -n 16 bash -c 'for f; do judge "$0" "$f"; done' "$2" >"$TMP/wrong"
    cat "$TMP/wrong"
    [ ! -s "$TMP/wrong" ]
}

for format in tiff png jpeg; do
    for class in valid reject either; do
        ok "$format: $class ($(find "$files/$format/$class" -type f | wc -l) files)" \
            all_judged $format $class
    done
done

done_testing
