#!/usr/bin/python3
"""ood.py KNOWN.tar OTHER.tar: how well uncertainty tells tiles of OTHER from tiles of KNOWN.

Both are streams of `predict --uncertainty`.  Prints the area under the ROC curve of the tiles'
mean uncertainty: 1 when every tile of OTHER is less certain than every tile of KNOWN, 0.5 when
it tells nothing."""
import io
import sys
import tarfile

import numpy as np


def means(path):
    with tarfile.open(path) as tar:
        members = (m for m in tar if m.name.endswith(".uncertainty.npy"))
        return np.array([np.load(io.BytesIO(tar.extractfile(m).read())).mean(dtype=np.float64) for m in members])


def auroc(known, other):
    """The share of pairs in the right order; half for a tie."""
    order = np.sign(other[:, None] - known[None, :])
    return (order.mean() + 1) / 2


if len(sys.argv) != 3:
    sys.exit(__doc__)
print(f"{auroc(means(sys.argv[1]), means(sys.argv[2])):.6f}")
