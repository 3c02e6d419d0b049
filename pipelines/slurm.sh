#!/bin/sh
# The runs of the tables as a Slurm array, one task a run:
#     make runs SCALE=paper -n >/dev/null          # (optional) see that the rules are sound
#     n=$(make -s -f pipelines/all.mk SCALE=paper list | wc -l)
#     make -f pipelines/all.mk SCALE=paper data
#     sbatch --array=1-$n%8 --gres=gpu:1 pipelines/slurm.sh SCALE=paper DEVICE=cuda
#     make tables SCALE=paper
#SBATCH --job-name=morphoseg
#SBATCH --output=build/slurm-%A_%a.log
set -eu
record=$(make -s -f pipelines/all.mk "$@" list | sed -n "${SLURM_ARRAY_TASK_ID}p")
exec make -s -f pipelines/all.mk "$@" "$record"
