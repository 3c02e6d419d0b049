#!/bin/bash
# Two runs of train into the same files: the second is refused, until the first is gone,
# however it went.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 12

synth -q -n 8 -s 48 -l phase >"$TMP/in.tar"
run() { # OPTIONS...: the shell becomes train, so that a signal reaches it
    exec train -q -a "unet-s:width=8,levels=2" -b 4 -t 1 --optimizer adamw "$@" "$TMP/in.tar"
}
# shellcheck disable=SC2317 # fails calls it
second() { # the same, and the shell goes on
    (run "$@")
}
wait_for() { # FILE
    for _ in $(seq 600); do
        [ -s "$1" ] && return
        sleep 0.05
    done
    return 1
}
(run --epochs 1000000 -o "$TMP/w.safetensors") &
first=$!
ok "a run begins" wait_for "$TMP/w.ckpt"
cp "$TMP/w.ckpt" "$TMP/before"
fails 73 "a second into the same file" second --epochs 1 -o "$TMP/w.safetensors"
ok "says why" grep -q "lock '.*w.ckpt.lock': another process trains into these files" "$TMP/.err"
fails 73 "to go on with it is no different" second --epochs 1 --resume -o "$TMP/w.safetensors"
fails 73 "a name that leads to the same checkpoint" second --epochs 1 -o "$TMP/w.pth"
fails 73 "another file with the same record" second --epochs 1 --log "$TMP/w.tsv" -o "$TMP/v.safetensors"
ok "a file of its own is fine" second --epochs 1 -o "$TMP/u.safetensors"
ok "the first runs on" kill -0 $first
kill -KILL $first
wait $first 2>/dev/null
ok "after a kill the next goes on" second --epochs 1 --resume -o "$TMP/w.safetensors"
is "$(cd "$TMP" && echo ./*.lock)" "./*.lock" "no lock stays"

# Interrupted in its first epoch, before a step is done and afterwards.
synth -q -n 400 -s 48 -l phase >"$TMP/in.tar"
(run --epochs 2 -b 1 -o "$TMP/t.safetensors") 2>"$TMP/said" &
first=$!
wait_for "$TMP/t.ckpt"
kill -TERM $first
wait $first
is "$? $(wc -l <"$TMP/t.tsv")" "75 1" "interrupted in the first epoch: status 75, before a row"
ok "the checkpoint is whole" weights info "$TMP/t.ckpt"
done_testing
