"""Single cells found by the default pipe when they are smaller and larger than they are.

    DATA=DIR PYTHON=PYTHON sizes.py [SET...]

The first MOST (6) test images of each set, made smaller and larger by FACTORS, and their masks
with them; of larger ones the middle, so that no image has more than 1400 pixels a side.  Prints a
row a set: AP at IoU 0.5 of `tile | predict | label` without options by factor, and below it the
median diameter of the cells in pixels.  MODEL and PYTHON as for cells.py.
"""
import os
import sys
import tempfile

import numpy as np
from skimage import io, transform

import cells

SETS = ["bbbc039_u2os", "dsb2018_nuclei", "usiigaci_t98g", "deepcell_phase"]
FACTORS = [0.35, 0.5, 1, 2, 3, 5]
SIDE = 1400


def middle(pixels, factor):
    keep = int(SIDE / factor) if factor > 1 else max(pixels.shape)
    top, left = (max(0, (size - keep) // 2) for size in pixels.shape[:2])
    return pixels[top:top + keep, left:left + keep]


def resized(pixels, factor, order):
    shape = tuple(round(size * factor) for size in pixels.shape[:2]) + pixels.shape[2:]
    return transform.resize(pixels.astype(float), shape, order=order, preserve_range=True,
                            anti_aliasing=order > 0 and factor < 1).round()


def make(source, factor, folder):
    """Writes images and masks; the median diameter of their cells, that of discs as large."""
    diameters = []
    images = sorted(os.listdir(f"{source}/images"))[:int(os.environ.get("MOST", 6))]
    for part in ("images", "truth", "cells", "foreground"):
        os.makedirs(f"{folder}/{part}")
    for name in images:
        stem = os.path.splitext(name)[0]
        image = resized(middle(io.imread(f"{source}/images/{name}"), factor), factor, 1)
        mask = resized(middle(io.imread(f"{source}/masks/{stem}.png"), factor), factor, 0)
        io.imsave(f"{folder}/images/{stem}.png", image.astype(np.uint8), check_contrast=False)
        io.imsave(f"{folder}/truth/{stem}.png", mask.astype(np.uint16), check_contrast=False)
        areas = np.bincount(mask.astype(int).ravel())[1:]
        diameters += list(2 * np.sqrt(areas[areas > 0] / np.pi))
    return float(np.median(diameters))


def row(name, scratch):
    found, wide = [], []
    for factor in FACTORS:
        folder = f"{scratch}/{name}-{factor}"
        wide.append(f"{make(cells.folder_of(name), factor, folder):.0f} px")
        images = [f"{folder}/images/{f}" for f in sorted(os.listdir(f"{folder}/images"))]
        cells.ours(images, f"{folder}/cells", f"{folder}/foreground")
        found.append(f"{cells.summary(f'{folder}/cells', f'{folder}/truth', '-i')['ap50']:.3f}")
    print(f"| {name} | " + " | ".join(found) + " |")
    print("| | " + " | ".join(wide) + " |", flush=True)


def main():
    print("| set | " + " | ".join(f"× {factor}" for factor in FACTORS) + " |")
    print("|" + " --- |" * (len(FACTORS) + 1))
    with tempfile.TemporaryDirectory() as scratch:
        for name in sys.argv[1:] or SETS:
            row(name, scratch)


main()
