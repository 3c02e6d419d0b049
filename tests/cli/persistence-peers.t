#!/bin/bash
# Persistence and matching against cripser and GUDHI, where Python has them:
# PYTHON=/path/to/python with `pip install cripser gudhi pot`.
. "$(dirname "$0")/../tap.sh"
python=${PYTHON:-python3}
for module in numpy cripser gudhi ot; do
    "$python" -c "import $module" 2>/dev/null || skip_all "$python has no $module"
done
plan 2
helper=$BUILD/tests/helper/persistence

ok "diagrams are cripser's and GUDHI's" "$python" - "$helper" <<'EOF'
import subprocess, sys
import numpy as np, cripser, gudhi

def ours(kind, connectivity, f):
    out = subprocess.run([sys.argv[1], kind, str(connectivity), *map(str, f.shape)], check=True,
                         input=f.tobytes(), capture_output=True).stdout.decode()
    return sorted(tuple(map(float, line.split())) for line in out.splitlines())

def pairs(d, f):
    """Sublevel diagram of 1 - f as a superlevel diagram of f; the last death is at f = 0."""
    return sorted((1 - b, max(1 - d, 0)) for b, d in d if b < d)

def close(a, b):
    return len(a) == len(b) and np.allclose(a, b, rtol=0, atol=1e-6)

rng = np.random.default_rng(3)
for shape in [(3, 9), (7, 7), (30, 41), (64, 64)]:
    for blur in range(3):
        f = rng.random(shape)
        for _ in range(blur):
            f = sum(np.roll(f, (i, j), (0, 1)) for i in (-1, 0, 1) for j in (-1, 0, 1)) / 9
        f = np.round(f * 4096).astype(np.float32) / np.float32(4096)
        g = 1 - f.astype(np.float64)
        ph = cripser.computePH(g, maxdim=1)
        for kind, dim in (("components", 0), ("holes", 1)):
            d = [(r[1], r[2]) for r in ph if r[0] == dim]
            assert close(ours(kind, 4, f), pairs(d, f)), ("cripser", shape, blur, kind)
        # GUDHI's cells are the pixels: 8 neighbors.
        c = gudhi.CubicalComplex(top_dimensional_cells=g)
        c.compute_persistence(min_persistence=-1)
        for kind, dim in (("components", 0), ("holes", 1)):
            d = c.persistence_intervals_in_dimension(dim)
            assert close(ours(kind, 8, f), pairs(d, f)), ("gudhi", shape, blur, kind)
EOF

ok "Wasserstein distances are GUDHI's" "$python" - "$helper" <<'EOF'
import subprocess, sys
import numpy as np
from gudhi.wasserstein import wasserstein_distance

def ours(order, a, b):
    return float(subprocess.run([sys.argv[1], str(order), str(len(a)), str(len(b))], check=True,
                                input=a.tobytes() + b.tobytes(), capture_output=True).stdout)

rng = np.random.default_rng(4)
for n, m in [(0, 3), (3, 0), (1, 1), (5, 9), (40, 30), (200, 200)]:
    a = np.sort(rng.random((n, 2)).astype(np.float32), axis=1)[:, ::-1].copy()
    b = np.sort(rng.random((m, 2)).astype(np.float32), axis=1)[:, ::-1].copy()
    x, y = 1 - a.astype(np.float64), 1 - b.astype(np.float64)
    first = wasserstein_distance(x, y)
    second = wasserstein_distance(x, y, order=2, internal_p=2)
    assert abs(ours(1, a, b) - first) < 1e-6, (n, m, ours(1, a, b), first)
    assert abs(ours(2, a, b) - second) < 1e-6, (n, m, ours(2, a, b), second)
EOF
done_testing
