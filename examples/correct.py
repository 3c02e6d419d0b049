#!/usr/bin/env python3
"""Correct predictions in napari: image after image, each saved when its window is closed.

usage: correct.py next.tsv masks/

next.tsv is what suggest printed; masks/ has a label image NAME.tif of each, which
label -o masks/ wrote.  Needs napari and tifffile.
"""
import os
import sys

import napari
import tifffile


def images_of(table):
    """The column "image" of a table between tabs."""
    with open(table, encoding="utf-8") as lines:
        rows = [line.rstrip("\n").split("\t") for line in lines]
    column = rows[0].index("image")
    return [row[column] for row in rows[1:]]


def save(path, labels):
    """As 16 bits where they suffice, whole or not at all."""
    labels = labels.astype("uint16" if labels.max(initial=0) < 65536 else "uint32")
    tifffile.imwrite(path + ".part", labels)
    os.replace(path + ".part", path)


def correct(image, mask):
    viewer = napari.Viewer(title=image)
    viewer.open(image, plugin="napari")
    layer = viewer.add_labels(tifffile.imread(mask), name="cells")
    napari.run()
    save(mask, layer.data)


def main():
    if len(sys.argv) != 3:
        sys.exit("usage: correct.py next.tsv masks/")
    for image in images_of(sys.argv[1]):
        stem = os.path.splitext(os.path.basename(image))[0]
        mask = os.path.join(sys.argv[2], stem + ".tif")
        correct(image, mask)
        print(f"{mask}: saved")


if __name__ == "__main__":
    main()
