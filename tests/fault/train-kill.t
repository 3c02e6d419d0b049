#!/bin/bash
# Killed at random moments, a run has a whole checkpoint each time and ends with the same bytes.
# KILLS=50 for a long test.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 3

RANDOM=${SEED:-1}
synth -q -n 40 -s 48 -l phase >"$TMP/in.tar"
run() { # NAME OPTIONS...: the shell becomes train, so that a signal reaches it
    local name=$1
    shift
    exec train -q -a "unet-s:width=8,levels=2" -b 4 -t 1 --epochs "${EPOCHS:-20}" --optimizer adamw --average 0.9 \
        --vos --vos-start 3 --vos-sample 500 --vos-select 50 --vos-queue 100 -o "$TMP/$name.safetensors" \
        "$@" "$TMP/in.tar"
}
rows() {
    { wc -l <"$TMP/stops.tsv"; } 2>/dev/null || echo 0
}
# Some epochs after it began, somewhere within one: however fast the machine is.
kill_sometime() { # PID
    local until=$(($(rows) + RANDOM % 8))
    while [ "$(rows)" -lt $until ] && [ -e "/proc/$1/exe" ]; do
        sleep 0.01
    done
    sleep "0.0$((RANDOM % 10))$((RANDOM % 10))"
    kill -KILL "$1" 2>/dev/null
    wait "$1" 2>/dev/null
    [ $? != 137 ] || kills=$((kills + 1))
}
(run whole --resume)
kills=0
unfinished=0
broken=0
different=0
while [ $kills -lt "${KILLS:-6}" ]; do
    rm -f "$TMP"/stops.*
    for _ in 1 2 3; do
        (run stops --resume) &
        kill_sometime $!
        [ ! -e "$TMP/stops.ckpt" ] || weights info "$TMP/stops.ckpt" >/dev/null || broken=$((broken + 1))
    done
    echo "# killed $kills times, after $(($(rows) - 1)) epochs" >&3
    (run stops --resume) || unfinished=$((unfinished + 1))
    LC_ALL=C sed 's/whole/stops/' "$TMP/whole.safetensors" >"$TMP/expected"
    cmp -s "$TMP/expected" "$TMP/stops.safetensors" || different=$((different + 1))
done 3>&1 2>"$TMP/messages"
grep '^train:' "$TMP/messages" | sed 's/^/# /'
is $broken 0 "after $kills kills every checkpoint is whole"
is $unfinished 0 "every run could be resumed"
is $different 0 "and ended with the same bytes"
done_testing
