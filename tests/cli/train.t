#!/bin/bash
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
plan 56

# A small network on drawn cells, one thread: a second or so a run.
synth -q -n 24 -s 48 -l phase --contrast 3 >"$TMP/in.tar"
synth -q -n 4 -s 50x46 -l phase --contrast 3 --seed 2 >"$TMP/val.tar"
small=(-a "unet-s:width=8,levels=3" -b 4 -t 1 --optimizer adamw --lr 0.005)

ok "trains on a stream from a pipe" \
    bash -c "train ${small[*]} --epochs 12 --val '$TMP/val.tar' -o '$TMP/w.safetensors' <'$TMP/in.tar'"
is "$(cd "$TMP" && echo w.*)" "w.ckpt w.last.safetensors w.safetensors w.tsv" "leaves these files"
is "$(wc -l <"$TMP/w.tsv")" 13 "a row an epoch"
column() { # NAME: its last value
    awk -F'\t' -v name="$1" 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == name) c = i } END { print $c }' "$TMP/w.tsv"
}
# shellcheck disable=SC2016
ok "the loss falls" awk -F'\t' 'NR == 2 { a = $4 } END { exit !($4 < 0.8 * a) }' "$TMP/w.tsv"
ok "learns to see cells: DSC $(column val_dsc)" awk -v d="$(column val_dsc)" 'BEGIN { exit !(d > 0.4) }'
ok "the weights name their architecture" \
    grep -q "^architecture.unet-s:width=8,levels=3" <(weights info "$TMP/w.safetensors")
ok "and the seed and the command" test \
    "$(weights info "$TMP/w.safetensors" | grep -c -E '^(seed|command|data_sha256)')" = 3
ok "predict applies them" bash -c "predict -t 1 -m '$TMP/w.safetensors' '$TMP/val.tar' | peek -q"

# The same bytes again, and after interruptions.
run() { # NAME OPTIONS...: the shell becomes train, so that a signal reaches it
    local name=$1
    shift
    exec train -q "${small[@]}" --epochs 5 --average 0.9 --clip 1 -p strong --vos --vos-start 2 \
        --vos-sample 500 --vos-select 50 --vos-queue 100 --val "$TMP/val.tar" \
        -o "$TMP/$name.safetensors" "$@" "$TMP/in.tar"
}
start() { # the same, and the shell goes on
    (run "$@")
}
start whole --resume
start again --resume
ok "the same seed gives the same weights" weights diff -q "$TMP/whole.safetensors" "$TMP/again.safetensors"
start three --loaders 3
ok "however many threads load" weights diff -q "$TMP/whole.safetensors" "$TMP/three.safetensors"
# Files are read where they are, pipes are copied: the same samples in the same order.
for i in 1 2; do synth -q -n 6 -s 48 -l phase --contrast 3 --seed $i >"$TMP/shard-$i.tar"; done
ok "trains on shards" train -q "${small[@]}" --epochs 2 -o "$TMP/shards.safetensors" "$TMP"/shard-[12].tar
ok "or on a pipe" bash -c "cat '$TMP'/shard-[12].tar | train -q ${small[*]} --epochs 2 -o '$TMP/pipe.safetensors'"
ok "to the same weights" weights diff -q "$TMP/shards.safetensors" "$TMP/pipe.safetensors"

if [ -x /usr/bin/time ]; then
    synth -q -n 8 -s 512 -l phase >"$TMP/some.tar"
    for _ in $(seq 5); do cat "$TMP/some.tar"; done >"$TMP/large.tar"
    peak() { # STREAM...: kilobytes, without those that a sanitizer keeps after they were freed
        ASAN_OPTIONS=${ASAN_OPTIONS:-}:quarantine_size_mb=1 \
            /usr/bin/time -f %M train -q "${small[@]}" --crop 64 --steps 2 -o "$TMP/l.safetensors" "$@" 2>&1
    }
    one=$(peak "$TMP/large.tar") ten=$(peak "$TMP"/large.tar{,,,,,,,,,})
    bytes=$(stat -c %s "$TMP/large.tar")
    ok "$((10 * bytes >> 20)) MB need as much memory as $((bytes >> 20)): $ten and $one KB" \
        test "$ten" -lt $((one + 2 * bytes / 1024))
    rm "$TMP"/large.tar
else
    skip "GNU time is not installed"
fi

(run kills --resume) &
pid=$!
sleep 0.7
kill -KILL $! 2>/dev/null
wait $pid 2>/dev/null
for _ in 1 2 3; do
    (run kills --resume) &
    pid=$!
    sleep 0.9
    kill -TERM $pid 2>/dev/null
    wait $pid 2>/dev/null
done 2>/dev/null
ok "resumes after kill and interruption" start kills --resume
LC_ALL=C sed 's/whole/kills/' "$TMP/whole.last.safetensors" >"$TMP/renamed" # the command is noted in it
ok "and ends with the same bytes" cmp "$TMP/kills.last.safetensors" "$TMP/renamed"
cut -f 1-10 "$TMP/whole.tsv" >"$TMP/whole.columns"
ok "and the same log" cmp "$TMP/whole.columns" <(cut -f 1-10 "$TMP/kills.tsv")

start other --seed 2
cp "$TMP/whole.ckpt" "$TMP/other.ckpt"
fails 64 "a checkpoint of another seed" start other --seed 2 --resume
head -c 3000 "$TMP/whole.ckpt" >"$TMP/other.ckpt"
fails 65 "a checkpoint that is cut" start other --resume

# Precision: MORPHOSEG_ISA makes any processor one without bfloat16.
lesser() {
    MORPHOSEG_ISA=avx2 "$@"
}
fails 64 "bf16 on a processor that has not got it" lesser train -P bf16 -o "$TMP/p.safetensors" "$TMP/none.tar"
ok "says why and what to do" grep -Eq "option '-P': bf16 .*(AVX512_BF16).*use auto" "$TMP/.err"
is "$({ lesser train -P bf16 -o "$TMP/p.safetensors" 2>/dev/null; wc -c; } <"$TMP/in.tar")" \
    "$(wc -c <"$TMP/in.tar")" "before anything is read"
fails 64 "fp16 on a CPU" train -P fp16 -o "$TMP/p.safetensors" "$TMP/none.tar"
auto() {
    lesser train -q "${small[@]}" -P auto --steps 4 -o "$TMP/p.safetensors" "$@" "$TMP/in.tar"
}
ok "auto trains in fp32 there" auto
ok "the weights say so" grep -q '^precision.fp32' <(weights info "$TMP/p.safetensors")
LC_ALL=C sed -i 's/"precision":"fp32"/"precision":"bf16"/' "$TMP/p.ckpt"
auto --resume 2>"$TMP/said"
is "$(cat "$TMP/said")" "train: resume from '$TMP/p.ckpt': it was trained in bf16 and goes on in fp32" \
    "a checkpoint made in bf16 goes on in fp32, which is said once"
auto --resume 2>"$TMP/said"
is "$(cat "$TMP/said")" "train: resume from '$TMP/p.ckpt': it was trained in bf16 and goes on in fp32" \
    "as long as it is not written anew"

for loss in balance:released norm pareto pareto:released mgda; do
    ok "--loss $loss" train -q "${small[@]}" --steps 2 --loss $loss --vos --vos-start 0 --vos-sample 200 \
        --vos-select 20 --vos-queue 50 -o "$TMP/l.safetensors" "$TMP/in.tar"
done
ok "--vos-mode released" train -q "${small[@]}" --steps 2 --vos --vos-start 0 --vos-mode released \
    --vos-sample 200 --vos-select 20 -o "$TMP/l.safetensors" "$TMP/in.tar"
ok "--vos-start in percent" train -q "${small[@]}" -b 12 --epochs 4 --vos --vos-start 50% --vos-sample 200 \
    --vos-select 20 -o "$TMP/half.safetensors" "$TMP/in.tar"
is "$(awk 'NR > 1 { print ($7 > 0) }' "$TMP/half.tsv" | paste -sd' ')" "0 0 1 1" "begins there"
ok "--vos-stream" train -q "${small[@]}" --steps 3 --vos --vos-start 0 --vos-sample 2000 --vos-select 100 \
    --vos-stream "$TMP/outliers.tar" -o "$TMP/l.safetensors" "$TMP/in.tar"
is "$(peek -q "$TMP/outliers.tar" | sed -n 2p | cut -f 1,3-5 | tr '\t' ' ')" \
    "epoch001/000 image float32 48x48x1 mask uint8 48x48 prob float32 2x48x48" "shows the last batch of the run"
ok "as one sheet" bash -c "stitch -q '$TMP/outliers.tar' | tile -q -s full - | peek -q | grep -q '96x96x1'"
fails 64 "without outliers" train -q "${small[@]}" --steps 1 --vos-stream "$TMP/outliers.tar" \
    -o "$TMP/l.safetensors" "$TMP/in.tar"
fails 64 "a start beyond the end" train -q "${small[@]}" --vos --vos-start 101% -o "$TMP/l.safetensors" "$TMP/in.tar"
fails 64 "a start that is no number" train -q "${small[@]}" --vos --vos-start soon -o "$TMP/l.safetensors" "$TMP/in.tar"
ok "--plot and --events" train -q "${small[@]}" --steps 4 --plot "$TMP/curve.svg" --events "$TMP/events" \
    -o "$TMP/l.safetensors" "$TMP/in.tar"
if command -v gnuplot >/dev/null; then
    ok "draw a curve" grep -q '<svg' "$TMP/curve.svg"
else
    skip "no gnuplot"
fi
ok "and write scalars" grep -q 'loss/dice' "$TMP"/events/*tfevents*
ok "sgd, accumulated batches, crops" train -q -a unet-s:width=8,levels=2 -b 2 --accumulate 2 --crop 32 -t 1 \
    --steps 3 -o "$TMP/l.safetensors" "$TMP/in.tar"

fails 65 "a loss that is not a number stops" train -q "${small[@]}" --lr 1e6 --optimizer sgd --steps 50 \
    -o "$TMP/nan.safetensors" "$TMP/in.tar"
ok "and names the step" grep -q 'step [0-9]*: the ' "$TMP/.err"
ok "and keeps the checkpoint" weights info "$TMP/nan.ckpt"
fails 64 "no output" train "$TMP/in.tar"
fails 64 "an unknown architecture" train -a nonsense -o "$TMP/x.safetensors" "$TMP/in.tar"
fails 64 "an unknown loss" train --loss best -o "$TMP/x.safetensors" "$TMP/in.tar"
fails 66 "no such stream" train -o "$TMP/x.safetensors" "$TMP/none.tar"
fails 65 "a stream without samples" train -o "$TMP/x.safetensors" <(head -c 0 /dev/null)
head -c 9000 "$TMP/in.tar" >"$TMP/cut.tar"
fails 65 "a stream that was cut" train -o "$TMP/x.safetensors" "$TMP/cut.tar"
fails 73 "an output folder that is not there" train "${small[@]}" --steps 1 -o "$TMP/no/x.safetensors" "$TMP/in.tar"
# shellcheck disable=SC2016
ok "nothing is left of the failures" bash -c '! ls "$TMP"/x.* 2>/dev/null'
done_testing
