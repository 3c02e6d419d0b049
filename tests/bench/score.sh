#!/bin/bash
# How much faster than the usual Python: the distances of score against MedPy, and
# label against scikit-image.  Runs alternate, so that what else the machine does
# falls on both; times are of the processor, the median of N.  Fails when a ratio
# is below what is promised.  PYTHON has medpy and skimage; without one that does,
# a virtual environment is made in $TMPDIR.
set -eu
. "$(dirname "$0")/../tap.sh"
N=${N:-3}

has_both() { "$1" -c 'import medpy.metric.binary, skimage.measure' 2>/dev/null; }

PYTHON=${PYTHON:-python3}
if ! has_both "$PYTHON"; then
    PYTHON=${TMPDIR:-/tmp}/morphoseg-bench/bin/python
    if ! has_both "$PYTHON"; then
        if ! { /usr/bin/python3 -m venv --system-site-packages "${TMPDIR:-/tmp}/morphoseg-bench" &&
            "$PYTHON" -m pip -q install medpy scikit-image; }; then
            skip_all "no MedPy and no network"
        fi
    fi
fi

synth -q -s 3000x3000 --seed 1 --prefix a -o "$TMP"
synth -q -s 3000x3000 --seed 2 --prefix b -o "$TMP"
"$PYTHON" "$TOP/tests/bench/score.py" "$TMP" "$N"
