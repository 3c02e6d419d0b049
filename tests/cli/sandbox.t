#!/bin/bash
# Programs that decode files of others cannot start programs or open sockets.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
[[ $BUILD == *san* ]] && skip_all "sanitizers need what the sandbox takes away"
grep -q '^Seccomp_filters' /proc/self/status || skip_all "no seccomp here"
case $(uname -m) in x86_64 | aarch64) ;; *) skip_all "no filter for this processor" ;; esac
plan 20

helper=$BUILD/tests/helper/sandbox
is "$("$helper")" "runs on" "no socket, no program, no look into others; files and threads"
is "$(MORPHOSEG_SANDBOX=off "$helper" | tr '\n' ' ')" "socket program ptrace socket in a thread runs on " \
    "off when the environment says so"

# What may be written: below the folders of what the words name.  /tmp is for temporary files.
work=$(mktemp -d "$BUILD/sandbox-XXXXXX")
trap 'rm -rf "$TMP" "$work"' EXIT
mkdir "$work/out" "$work/other"
export FORBIDDEN=$work/other/file
tries() { "$helper" "$@" | tr '\n' ' '; }
if ! "$helper" --landlock; then
    skip "no Landlock here" 5
elif [[ $(realpath "$work") == /tmp/* ]]; then
    skip "this was built below /tmp, where temporary files may be made" 5
else
    is "$(cd "$work/out" && tries "$work/out/a.png" -n 3)" "runs on " "no file elsewhere"
    is "$(cd "$work" && FORBIDDEN=out/b tries -o out/new/a.png)" "file runs on " "below the folder that is there"
    is "$(tries "--table=$work/other/t.tsv")" "file runs on " "where an option says"
    rm "$FORBIDDEN"
    synth -q -n 1 -s 60 -o "$work/in"
    is "$(LD_PRELOAD=$BUILD/tests/fault/decoder.so tile -q "$work"/in/images/*.png 2>&1 >"$work/out/s.tar")" \
        "tried" "from inside a decoder no process, no socket, no file"
    is "$(MORPHOSEG_SANDBOX=off LD_PRELOAD=$BUILD/tests/fault/decoder.so \
        tile -q "$work"/in/images/*.png 2>&1 >/dev/null)" "process socket file tried" "which would be, without"
fi
unset FORBIDDEN
synth -q -n 1 -s 60 -o "$work/more"
ok "outputs go into folders that are not there yet" \
    bash -c "cd '$work' && synth -q -s 60 -o out/new && test -d out/new/masks"
ln -s out "$work/link"
ok "and through links" label -q -o "$work/link/l.tif" "$work"/more/masks/*.png

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
is "$(filtered predict)" 2 "predict is filtered"
is "$(filtered train -o "$TMP/w.safetensors")" 2 "train is filtered"
is "$(MORPHOSEG_SANDBOX=off filtered peek)" 0 "but not when told so"
synth -q -n 2 -s 60 >"$TMP/s.tar"
ok "and they work" bash -c "stitch -o '$TMP/o/' <'$TMP/s.tar' && peek -q '$TMP/s.tar'"
done_testing
