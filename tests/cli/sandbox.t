#!/bin/bash
# Programs that decode files of others cannot start programs or open sockets.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
[[ $BUILD == *san* ]] && skip_all "sanitizers need what the sandbox takes away"
grep -q '^Seccomp_filters' /proc/self/status || skip_all "no seccomp here"
case $(uname -m) in x86_64 | aarch64) ;; *) skip_all "no filter for this processor" ;; esac
plan 11

helper=$BUILD/tests/helper/sandbox
is "$("$helper")" "runs on" "no socket, no program, no look into others; files and threads"
is "$(MORPHOSEG_SANDBOX=off "$helper" | tr '\n' ' ')" "socket program ptrace socket in a thread runs on " \
    "off when the environment says so"

mkfifo "$TMP/in"
filtered() { # PROGRAM ARGUMENTS...: what the kernel says while it waits for input
    "$@" <"$TMP/in" >"$TMP/out" 2>&1 &
    local pid=$!
    exec 7>"$TMP/in"
    for _ in $(seq 100); do
        [ "$(readlink "/proc/$pid/exe")" = "$(readlink -f "$BIN/$1")" ] &&
            grep -q '^Seccomp:.*2' "/proc/$pid/status" && break
        sleep 0.02
    done
    awk '$1 == "Seccomp:" { print $2 }' "/proc/$pid/status"
    exec 7>&-
    wait $pid
}
for program in peek prune augment stitch label score; do
    is "$(filtered $program)" 2 "$program is filtered"
done
is "$(filtered tile -)" 2 "tile is filtered"
is "$(MORPHOSEG_SANDBOX=off filtered peek)" 0 "but not when told so"
synth -q -n 2 -s 60 >"$TMP/s.tar"
ok "and they work" bash -c "stitch -o '$TMP/o/' <'$TMP/s.tar' && peek -q '$TMP/s.tar'"
done_testing
