#!/bin/bash
# What the pipe costs beside its network: make bench-pipe.  ROUNDS: 3.
set -eu
BUILD=${BUILD:-build}
exec python3 "$(dirname "$0")/pipe.py" "$BUILD/bin" "$BUILD/tests/helper/network" "${ROUNDS:-3}"
