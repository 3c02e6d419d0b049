# shellcheck shell=bash
# Test Anything Protocol for the shell tests.  Source it, say `plan N`, check, end with
# `done_testing`.  A test that ends before its plan, or checks nothing, fails.
# $BIN has the programs, $TMP is a folder of the test's own, removed at the end,
# $SHARED is a folder with real images and hostile files (may be absent).
set -u
TOP=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
BUILD=${BUILD:-$TOP/build}
BIN=$BUILD/bin
SHARED=${SHARED:-$TOP/../shared}
TMP=$(mktemp -d)
trap 'rm -rf "$TMP"' EXIT
# A make that a test starts must not take up the flags of the make that started the tests.
unset MAKEFLAGS MFLAGS MAKELEVEL
PATH=$BIN:$PATH
export PATH TMP SHARED BUILD
tap_count=0
tap_failed=0
tap_planned=0

plan() { # NUMBER of checks
    tap_planned=$1
    echo "1..$1"
}

# ok NAME COMMAND...: passes when the command succeeds
ok() {
    local name=$1
    shift
    tap_count=$((tap_count + 1))
    if "$@" >"$TMP/.ok" 2>&1; then
        echo "ok $tap_count - $name"
    else
        echo "not ok $tap_count - $name"
        sed 's/^/# /' "$TMP/.ok" | head -n 20
        tap_failed=$((tap_failed + 1))
    fi
}

# is GOT EXPECTED NAME
is() {
    tap_count=$((tap_count + 1))
    if [ "$1" = "$2" ]; then
        echo "ok $tap_count - $3"
    else
        echo "not ok $tap_count - $3"
        printf '# got:      %s\n# expected: %s\n' "$1" "$2"
        tap_failed=$((tap_failed + 1))
    fi
}

# fails STATUS NAME COMMAND...: passes when the command exits with STATUS and
# prints one line on standard error that begins with a program's name
fails() {
    local status=$1 name=$2 got=0
    shift 2
    "$@" >"$TMP/.out" 2>"$TMP/.err" </dev/null || got=$?
    local lines
    lines=$(wc -l <"$TMP/.err")
    tap_count=$((tap_count + 1))
    if [ "$got" -eq "$status" ] && [ "$lines" -eq 1 ] && grep -q '^[a-z]*: ' "$TMP/.err"; then
        echo "ok $tap_count - $name"
    else
        echo "not ok $tap_count - $name"
        echo "# exit $got, expected $status; standard error:"
        sed 's/^/#   /' "$TMP/.err" | head -n 10
        tap_failed=$((tap_failed + 1))
    fi
}

skip() { # REASON [NUMBER]: tests that were not run
    local n
    for ((n = ${2:-1}; n > 0; n--)); do
        tap_count=$((tap_count + 1))
        echo "ok $tap_count # SKIP $1"
    done
}

skip_all() { # REASON: nothing in this file was run; before the plan
    echo "1..0 # SKIP $1"
    exit 0
}

done_testing() {
    if [ "$tap_planned" -eq 0 ]; then
        tap_count=$((tap_count + 1))
        echo "not ok $tap_count - a plan of something to check"
    elif [ "$tap_count" -ne "$tap_planned" ]; then
        echo "# planned $tap_planned checks, made $tap_count"
    fi
    exit $((tap_failed != 0 || tap_count != tap_planned))
}
