#!/bin/bash
# Networks against what else can run them, in turn: make bench-predict.  predict.py
# says which variables to set; NETWORKS: which, the paper's when not given.
set -eu
BUILD=${BUILD:-build}
read -ra networks <<<"${NETWORKS:-transunet-r50-b16}"
here=$(dirname "$0")
python3 "$here/predict.py" "$BUILD/tests/helper/network" "${networks[@]}"
