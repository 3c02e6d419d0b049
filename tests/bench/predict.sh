#!/bin/bash
# Networks against what else can run them, in turn: make bench-predict.
# ONNX=FILE: the published R50+ViT-B/16 without skips, exported with a free batch
# size, for ONNX Runtime; PYTHON: one that has onnxruntime and NumPy.  BATCH, ROUNDS and
# THREADS as in predict.py; THREADS=1 and the column of work on a busy machine.
set -eu
BUILD=${BUILD:-build}
here=$(dirname "$0")
"${PYTHON:-python3}" "$here/predict.py" "$BUILD/tests/helper/network" \
    transunet-r50-b16:skips=0 52 ${ONNX:+"$ONNX"}
