#!/bin/bash
# A step of training against the published loop in PyTorch, in turn: make bench-train.
# train.py says which variables to set; NETWORKS: which, the paper's when not given.
set -eu
BUILD=${BUILD:-build}
read -ra networks <<<"${NETWORKS:-transunet-r50-b16}"
here=$(dirname "$0")
python3 "$here/train.py" "$BUILD/tests/helper/training" "${networks[@]}"
