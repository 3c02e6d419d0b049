#!/bin/bash
# The table of label against scikit-image's regionprops, cell by cell.
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"
for python in /usr/bin/python3 python3; do
    "$python" -c 'import skimage, numpy' 2>/dev/null && break
    python=
done
[ -n "$python" ] || skip_all "scikit-image is not there"
plan 18

synth -q -n 2 -s 500x400 --seed 11 -l mixed --instances -o "$TMP/s"
label -q -m keep -T "$TMP/t.tsv" -i "$TMP/s/images" "$TMP"/s/masks/*.png

# Prints the largest difference of each property: relative, or absolute where that
# makes more sense.  Solidity counts the hull's pixels; its widest extent is taken
# from those pixels by scikit-image, from the cell's own here: up to a pixel more.
"$python" - "$TMP" >"$TMP/differences" <<'PYTHON'
import csv, math, sys
import numpy as np
from skimage import io, measure, morphology
folder = sys.argv[1]
rows = list(csv.DictReader(open(folder + "/t.tsv"), delimiter="\t"))
names = {"x": lambda r: r.centroid[1], "y": lambda r: r.centroid[0],
         "left": lambda r: r.bbox[1], "top": lambda r: r.bbox[0],
         "width": lambda r: r.bbox[3] - r.bbox[1], "height": lambda r: r.bbox[2] - r.bbox[0],
         "area": lambda r: r.area, "perimeter": lambda r: r.perimeter,
         "equivalent_diameter": lambda r: r.equivalent_diameter,
         "major_axis": lambda r: r.major_axis_length, "minor_axis": lambda r: r.minor_axis_length,
         "eccentricity": lambda r: r.eccentricity, "solidity": lambda r: r.solidity,
         "feret_max": lambda r: r.feret_diameter_max, "mean_intensity": lambda r: r.mean_intensity,
         "sd_intensity": lambda r: r.intensity_image[r.image].std(),
         "skeleton_length": lambda r: morphology.skeletonize(np.pad(r.image, 1)).sum()}
worst = dict.fromkeys(names, 0.0)
count, lengths = 0, []
for path in sorted({row["image"] for row in rows}):
    mine = {int(row["id"]): row for row in rows if row["image"] == path}
    image = io.imread(path.replace("/masks/", "/images/"))
    image = image.astype(float) if image.ndim == 2 else image[..., 0].astype(float)
    regions = measure.regionprops(io.imread(path).astype(int), image)
    assert len(regions) == len(mine), (len(regions), len(mine))
    for region in regions:
        row = mine[region.label]
        count += 1
        for name, value in names.items():
            key = name if name in row else name + "1"
            a, b = value(region), float(row[key])
            if name == "skeleton_length":
                lengths.append((a, b))
                continue
            absolute = name in ("x", "y", "eccentricity", "solidity", "feret_max")
            worst[name] = max(worst[name], abs(a - b) / (1 if absolute else max(1, abs(a))))
# Thinning is another algorithm: lines of n pixels against lengths.
worst["skeleton_length"] = 1 - np.corrcoef(np.array(lengths).T)[0, 1]
print("cells", count)
for name, off in worst.items():
    print(name, f"{off:.3g}")
PYTHON

within() { # NAME TOLERANCE
    local off
    off=$(awk -v name="$1" '$1 == name { print $2 }' "$TMP/differences")
    ok "$1 within $2 (${off:-missing})" awk -v off="${off:-nan}" -v most="$2" 'BEGIN { exit !(off + 0 <= most && off ~ /^[0-9.e-]+$/) }'
}

ok "cells were compared" awk '$1 == "cells" { exit !($2 >= 20) }' "$TMP/differences"
for name in left top width height area; do
    within $name 0
done
within x 1e-5
within y 1e-5
for name in equivalent_diameter perimeter major_axis minor_axis eccentricity solidity mean_intensity sd_intensity; do
    within $name 1e-6
done
within feret_max 1
within skeleton_length 0.05
done_testing
