"""Alternates our programs with MedPy and scikit-image; see score.sh."""

import csv
import io
import os
import resource
import statistics
import subprocess
import sys
import time

import numpy as np
from medpy.metric import binary
from skimage import io as skio
from skimage import measure

folder, repeats = sys.argv[1], int(sys.argv[2])
wrong = 0


def ours(*command):
    """Output and processor time of a program, start and reading of files included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    text = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return text, after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def theirs(function, *arguments):
    """Result and processor time of a function, on arrays that are in memory."""
    start = time.process_time()
    result = function(*arguments)
    return result, time.process_time() - start


def compare(name, run_ours, run_theirs, promised, agree):
    global wrong
    mine, other = [], []
    for _ in range(repeats):
        a, seconds = run_ours()
        mine.append(seconds)
        b, seconds = run_theirs()
        other.append(seconds)
    agree(a, b)
    mine, other = statistics.median(mine), statistics.median(other)
    ratio = other / mine
    good = ratio >= promised
    wrong += not good
    print(f"{name}\t{mine:.3f}\t{other:.3f}\t{ratio:.1f}\t{promised}\t{'yes' if good else 'NO'}", flush=True)


def cells_image(count=10000, side=4000, seed=3):
    """Ellipses on a grid of 100 x 100, each turned and shifted."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((side, side), bool)
    step = side // int(count**0.5)
    yy, xx = np.mgrid[0:step, 0:step]
    for top in range(0, side, step):
        for left in range(0, side, step):
            a, b, angle = rng.uniform(8, 16), rng.uniform(5, 10), rng.uniform(0, np.pi)
            y, x = yy - step / 2 + rng.uniform(-2, 2), xx - step / 2 + rng.uniform(-2, 2)
            u, v = x * np.cos(angle) + y * np.sin(angle), y * np.cos(angle) - x * np.sin(angle)
            labels[top : top + step, left : left + step] = (u / a) ** 2 + (v / b) ** 2 <= 1
    return labels


a, b = f"{folder}/masks/a_00001.png", f"{folder}/masks/b_00001.png"
mask_a, mask_b = skio.imread(a) > 0, skio.imread(b) > 0


def same_distance(text, value):
    row = next(csv.DictReader(io.StringIO(text), delimiter="\t"))
    assert abs(float(row["hd95"]) - value) < 1e-8 * max(1, value), (row["hd95"], value)


print("what\tours s\ttheirs s\tratio\tpromised\tkept")
compare("HD95 of 3000 x 3000 masks (score: all of its columns) / MedPy hd95",
        lambda: ours("score", a, b), lambda: theirs(binary.hd95, mask_a, mask_b), 10, same_distance)

cells, image = f"{folder}/cells.png", f"{folder}/image.png"
mask = cells_image()
intensity = np.random.default_rng(4).integers(0, 255, mask.shape).astype(np.uint8)
skio.imsave(cells, mask.astype(np.uint8) * 255, check_contrast=False)
skio.imsave(image, intensity, check_contrast=False)
plain = ("label", "bbox", "area", "centroid", "perimeter", "equivalent_diameter", "eccentricity",
         "major_axis_length", "minor_axis_length", "orientation", "mean_intensity")
hull = plain + ("solidity",)


def measured(properties):
    return measure.regionprops_table(measure.label(mask), intensity, properties)


def same_cells(text, table):
    rows = list(csv.DictReader(io.StringIO(text), delimiter="\t"))
    assert len(rows) == len(table["area"]) == 10000, (len(rows), len(table["area"]))
    mine = np.array([[float(r["area"]), float(r["perimeter"])] for r in rows])
    other = np.stack([table["area"], table["perimeter"]], 1)
    assert np.allclose(mine, other, rtol=1e-6)


os.chdir(folder)
for name, properties in (("without hulls", plain), ("with hulls", hull)):
    compare(f"10,000 cells (label: the whole table) / scikit-image {name}",
            lambda: ours("label", "-T", "-", "-i", image, cells),
            lambda: theirs(measured, properties), 5, same_cells)
sys.exit(wrong > 0)
