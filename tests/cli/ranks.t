#!/bin/bash
# Several processes train one network.
# shellcheck disable=SC2016,SC2317
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
unset RANK WORLD_SIZE LOCAL_RANK MASTER_ADDR

synth -q -n 12 -s 32 -l phase --contrast 3 >"$TMP/in.tar"
synth -q -n 3 -s 32 -l phase --contrast 3 --seed 2 >"$TMP/val.tar"
port=$((20000 + $$ % 20000))

one() { # BATCH NAME OPTIONS...
    local batch=$1 name=$2
    shift 2
    OMP_NUM_THREADS=1 exec train -q -a unet-s:width=8,levels=2 -t 1 -b "$batch" --steps 4 --lr 0.005 \
        --timeout 120 --clip 1 --val "$TMP/val.tar" -o "$TMP/$name.safetensors" "$@" "$TMP/${data:-in}.tar"
}

two() { # NAME OPTIONS...: rank 1 in the background
    port=$((port + 1))
    (RANK=1 WORLD_SIZE=2 MASTER_PORT=$port one 2 "$@" 2>"$TMP/err.1") &
    (RANK=0 WORLD_SIZE=2 MASTER_PORT=$port one 2 "$@")
    local status=$?
    wait $! || status=1
    return $status
}

close_to() { # A B: no weight differs by more than float32's rounding in a few steps
    weights diff "$1" "$2" >"$TMP/diff"
    [ $? -le 1 ] || return 2
    awk '{ for (i = 2; i <= NF; i++) if ($i ~ /^[0-9.]+(e[-+]?[0-9]+)?$/ && $i > 2e-4) bad = 1 }
        END { exit bad }' "$TMP/diff" && return
    cat "$TMP/diff"
    return 1
}

two probe --steps 1 >"$TMP/probe" 2>&1
if grep -q 'without c10d' "$TMP/probe" "$TMP/err.1"; then
    skip_all "this libtorch has no c10d"
fi
plan 36

ok "one rank, batch 4" eval '(one 4 whole)'
ok "two ranks, batch 2 each" two halves
ok "give the same weights" close_to "$TMP/whole.last.safetensors" "$TMP/halves.last.safetensors"
is "$(wc -l <"$TMP/halves.tsv")" "$(wc -l <"$TMP/whole.tsv")" "one of them writes the log"

vos=(--vos --vos-start 0 --vos-sample 200 --vos-select 20 --vos-queue 50 --loss norm --optimizer adamw --lr 0.0005)
ok "outliers and weighed losses on one rank" eval '(one 4 whole-vos "${vos[@]}")'
ok "and on two" two halves-vos "${vos[@]}"
ok "give the same weights" close_to "$TMP/whole-vos.last.safetensors" "$TMP/halves-vos.last.safetensors"

# Of four masks that each rank's part may have, some number cells and some do not.
synth -q -n 6 -s 32 -l phase --instances --contrast 3 --seed 3 --prefix cells >"$TMP/cells.tar"
cat "$TMP/in.tar" >>"$TMP/cells.tar"
# shellcheck disable=SC2034 # for eval
flows=(--flows --loss norm --optimizer adamw --lr 0.0005)
ok "flows on one rank" eval '(data=cells one 4 whole-flows "${flows[@]}")'
ok "and on two" eval 'data=cells two halves-flows "${flows[@]}"'
ok "give the same weights" close_to "$TMP/whole-flows.last.safetensors" "$TMP/halves-flows.last.safetensors"

ok "a run of two ranks resumes" two halves --steps 6 --resume
ok "and goes as far as one" eval '(one 4 whole --steps 6 --resume)'
ok "to the same weights" close_to "$TMP/whole.last.safetensors" "$TMP/halves.last.safetensors"

# A rank that dies, and one that never comes.
port=$((port + 1))
(RANK=1 WORLD_SIZE=2 MASTER_PORT=$port one 2 lost --steps 100000 2>/dev/null) &
victim=$!
(RANK=0 WORLD_SIZE=2 MASTER_PORT=$port one 2 lost --steps 100000 2>"$TMP/err.0") &
first=$!
for _ in $(seq 300); do
    [ -s "$TMP/lost.tsv" ] && [ "$(wc -l <"$TMP/lost.tsv")" -gt 1 ] && break
    sleep 0.1
done
kill -KILL $victim
wait $victim 2>/dev/null
wait $first
is "$?" 74 "a rank that dies stops the other"
is "$(wc -l <"$TMP/err.0")" 1 "with one line"
ok "that says so" grep -q '^train: .*another rank is lost' "$TMP/err.0"
export RANK=0 WORLD_SIZE=2 MASTER_PORT=$((port + 1))
fails 74 "a rank that never comes" eval '(one 2 alone --timeout 1)'
RANK=2 fails 64 "a rank beyond the size" eval '(one 2 alone)'
unset RANK WORLD_SIZE MASTER_PORT

# A rank that is interrupted: all stop, with a checkpoint, and go on to the same weights.
interrupted() { # SIGNAL NAME: sent to rank 1 only
    port=$((port + 1))
    (RANK=1 WORLD_SIZE=2 MASTER_PORT=$port one 2 "$2" --steps 60 2>"$TMP/err.1") &
    local second=$!
    (RANK=0 WORLD_SIZE=2 MASTER_PORT=$port one 2 "$2" --steps 60 2>"$TMP/err.0") &
    local first=$!
    for _ in $(seq 300); do
        [ -s "$TMP/$2.tsv" ] && [ "$(wc -l <"$TMP/$2.tsv")" -gt 2 ] && break
        sleep 0.05
    done
    kill "-$1" $second
    wait $second
    echo "rank 1: $?"
    wait $first
    echo "rank 0: $?"
}
ok "a run to compare with" two straight --steps 60
is "$(interrupted TERM stopped 2>/dev/null | paste -sd' ')" "rank 1: 75 rank 0: 75" \
    "SIGTERM to one rank stops all, as interrupted"
ok "with a whole checkpoint" eval 'weights info "$TMP/stopped.ckpt" >"$TMP/info"'
ok "before the end" test ! -e "$TMP/stopped.last.safetensors"
ok "from which two ranks go on" two stopped --steps 60 --resume
ok "to the same weights" close_to "$TMP/straight.last.safetensors" "$TMP/stopped.last.safetensors"

# Other starters.
started() { # RANK_VARIABLE SIZE_VARIABLE
    port=$((port + 1))
    (export "$1=1" "$2=2" && MASTER_PORT=$port one 2 started 2>"$TMP/err.1") &
    (export "$1=0" "$2=2" && MASTER_PORT=$port one 2 started) && wait $!
}
ok "one rank, batch 4, to compare with" eval '(one 4 alone)'
for starter in SLURM_PROCID,SLURM_NTASKS OMPI_COMM_WORLD_RANK,OMPI_COMM_WORLD_SIZE PMI_RANK,PMI_SIZE; do
    rm -f "$TMP"/started.*
    ok "${starter%,*} and ${starter#*,}" started "${starter%,*}" "${starter#*,}"
    ok "give the weights of one" close_to "$TMP/alone.last.safetensors" "$TMP/started.last.safetensors"
done
if command -v mpirun >/dev/null; then
    export TMP
    export -f one
    port=$((port + 1))
    ok "mpirun" env MASTER_PORT=$port OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 \
        mpirun --oversubscribe -n 2 bash -c 'one 2 mpi'
    ok "gives the weights of one" close_to "$TMP/alone.last.safetensors" "$TMP/mpi.last.safetensors"
else
    skip "there is no mpirun" 2
fi
port=$((port + 1))

# Two hosts, made with network namespaces.
a=ms-a-$$ b=ms-b-$$
hosts() {
    ip netns add $a && ip netns add $b && ip link add ms-v$$ netns $a type veth peer name ms-v$$ netns $b &&
        ip -n $a addr add 10.77.0.1/24 dev ms-v$$ && ip -n $b addr add 10.77.0.2/24 dev ms-v$$ &&
        ip -n $a link set ms-v$$ up && ip -n $b link set ms-v$$ up &&
        ip -n $a link set lo up && ip -n $b link set lo up
}
on() { # HOST RANK: its output in a folder of its own
    mkdir -p "$TMP/$1"
    export -f one
    RANK=$2 WORLD_SIZE=2 MASTER_ADDR=10.77.0.1 MASTER_PORT=$port ip netns exec "$1" bash -c "one 2 $1/w"
}
both_hosts() {
    on "$b" 1 2>"$TMP/err.1" &
    on "$a" 0 && wait $!
}
if hosts 2>"$TMP/err"; then
    ok "two hosts" both_hosts
    ok "give the weights of one" close_to "$TMP/$a/w.last.safetensors" "$TMP/alone.last.safetensors"
    is "$(ls "$TMP/$b")" "" "the second writes nothing"
else
    skip "network namespaces are not permitted: $(head -n 1 "$TMP/err")" 3
fi
ip netns del $a 2>/dev/null
ip netns del $b 2>/dev/null
done_testing
