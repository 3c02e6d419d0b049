#!/bin/bash
# A Slurm array: job number k does every image whose line number is k modulo the
# number of jobs.
#
# usage: ls images/*.tif > list.txt; sbatch --array=0-15 slurm.sh list.txt masks
#SBATCH --cpus-per-task=8
#SBATCH --mem=4G
#SBATCH --time=1:00:00
set -euo pipefail
list=${1:?usage: slurm.sh LIST OUT} out=${2:?usage: slurm.sh LIST OUT}
part=${SLURM_ARRAY_TASK_ID:-0} parts=${SLURM_ARRAY_TASK_COUNT:-1}
mkdir -p "$out"

failed=0
while IFS= read -r image; do
    stem=$(basename "${image%.*}")
    [ -e "$out/${stem}_mask.png" ] && continue
    tile "$image" | predict ${SLURM_CPUS_PER_TASK:+-t "$SLURM_CPUS_PER_TASK"} |
        stitch -o "$out/${stem}_mask.png" || failed=1
done < <(awk -v k="$part" -v n="$parts" '(NR - 1) % n == k' "$list")
exit "$failed"
