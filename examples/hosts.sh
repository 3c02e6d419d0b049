#!/bin/sh
# The same over several hosts that have the programs on PATH: images travel there,
# masks come back.  ":" is this machine.
#
# usage: hosts.sh HOST,HOST,... IMAGE...
set -eu
hosts=${1:?usage: hosts.sh HOST,HOST,... IMAGE...}
shift
parallel --sshlogin "$hosts" --jobs 1 --transferfile '{}' --return '{.}_mask.png' --cleanup \
    --joblog joblog.tsv --resume-failed \
    'tile {} | predict | stitch -o {.}_mask.png' ::: "$@"
