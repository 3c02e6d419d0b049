#!/bin/sh
# Several processes train one network, each on its part of every batch.
#
# usage: ranks.sh RANKS WEIGHTS STREAM [OPTION...]         on this machine
#        HOSTS=a,b ranks.sh RANKS WEIGHTS STREAM [OPTION...]   one rank a host, by ssh
#        srun -n RANKS ranks.sh - WEIGHTS STREAM [OPTION...]   Slurm counts the ranks
#        mpirun -n RANKS ranks.sh - WEIGHTS STREAM [OPTION...]
#        torchrun --no_python --nproc_per_node RANKS ranks.sh - WEIGHTS STREAM [OPTION...]
set -eu
ranks=${1:?usage: ranks.sh RANKS|- WEIGHTS STREAM [OPTION...]} weights=$2 stream=$3
shift 3
if [ "$ranks" = - ]; then # started once for each rank already
    exec train --resume "$@" -o "$weights" "$stream"
fi
port=${MASTER_PORT:-29500} address=${MASTER_ADDR:-127.0.0.1}
last=$((ranks - 1))
if [ -n "${HOSTS-}" ]; then # MASTER_ADDR: the first host, as the others see it
    set -- --sshlogin "$HOSTS" --jobs 1 --workdir . -- "$@"
else
    set -- --jobs "$ranks" -- "$@"
fi
options=
while [ "$1" != -- ]; do
    options="$options $1"
    shift
done
shift
# shellcheck disable=SC2086
seq 0 $last | parallel -q --halt now,fail=1 $options \
    env RANK={} WORLD_SIZE="$ranks" MASTER_ADDR="$address" MASTER_PORT="$port" \
    train --resume "$@" -o "$weights" "$stream"
