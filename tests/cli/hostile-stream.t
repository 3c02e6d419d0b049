#!/bin/bash
# The hostile archives and arrays, each through peek with limits on memory and time.
# shellcheck source=tests/tap.sh
# shellcheck disable=SC2002,SC2015,SC2016,SC2317
. "$(dirname "$0")/../tap.sh"
[ -d "$SHARED/hostile/archive" ] || skip_all "no $SHARED/hostile"
plan 8
cd "$TMP" || exit 1

memory=300000 seconds=5
case $BUILD in *san) memory=unlimited seconds=60 ;; esac # they need address space and time of their own
limited() { # COMMAND...
    (
        ulimit -v "$memory"
        ulimit -f 1000
        exec timeout "$seconds" "$@"
    )
}

# Archives that hold one array each.
wrap() { # FILE TO
    mkdir -p w && cp "$1" w/k.array.npy && tar cf "$2" --format=ustar -C w k.array.npy
}

good() {
    limited peek "$1" >out 2>err || { cat err && return 1; }
}
bad() {
    local status=0
    limited peek -c "$1" >out 2>err || status=$?
    [ "$status" = 65 ] && [ "$(wc -l <err)" = 1 ] || { echo "exit $status" && cat err && return 1; }
}
either() {
    local status=0
    limited peek "$1" >out 2>err || status=$?
    [ "$status" = 0 ] || { [ "$status" = 65 ] && [ "$(wc -l <err)" = 1 ]; } ||
        { echo "exit $status" && cat err && return 1; }
}

all() { # CHECK FILE...: reports the first that fails
    local check=$1 file
    shift
    for file; do
        case $file in *.npy) wrap "$file" wrapped.tar && "$check" wrapped.tar ;; *) "$check" "$file" ;; esac ||
            { echo "$file" && return 1; }
    done
}

hostile=$SHARED/hostile
ok "valid archives" all good "$hostile"/archive/valid/*.tar
ok "archives to reject" all bad "$hostile"/archive/reject/*
ok "archives that may be either" all either "$hostile"/archive/either/*
ok "zip archives are no streams" all bad "$hostile"/archive/valid/*.zip
ok "valid arrays" all good "$hostile"/npy/valid/*.npy
ok "arrays to reject" all bad "$hostile"/npy/reject/*.npy
ok "arrays that may be either" all either "$hostile"/npy/either/*.npy
ok "nothing was written elsewhere" test ! -e /tmp/hostile_canary -a ! -e hostile_pickle_canary
done_testing
