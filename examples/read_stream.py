#!/usr/bin/env python3
"""Read a tensor stream with nothing but Python's tarfile and NumPy.

usage: tile img.tif | predict | ./read_stream.py

Prints each sample's key, its arrays and the share of foreground.  The same
stream is a WebDataset: webdataset.WebDataset("tiles.tar").decode().
"""
import io
import json
import sys
import tarfile

import numpy as np


def samples(file):
    """Yields (key, {name: array or object}); raises ValueError when the stream was cut."""
    key, members, end = None, {}, None
    with tarfile.open(fileobj=file, mode="r|") as tar:
        for entry in tar:
            data = tar.extractfile(entry).read()
            if entry.name == "__stream__":
                continue
            if entry.name == "__end__":
                end = json.loads(data)
                continue
            folder, _, base = entry.name.rpartition("/")
            stem, _, name = base.partition(".")
            this = f"{folder}/{stem}" if folder else stem
            if key is not None and this != key:
                yield key, members
                members = {}
            key = this
            if name.endswith(".npy"):
                members[name[:-4]] = np.load(io.BytesIO(data), allow_pickle=False)
            elif name == "json":
                members[name] = json.loads(data)
    if key is not None:
        yield key, members
    if end is None:
        raise ValueError("the stream was cut: it has no __end__")


def main():
    for key, members in samples(sys.stdin.buffer):
        arrays = {n: a for n, a in members.items() if isinstance(a, np.ndarray)}
        shapes = " ".join(f"{n}:{a.dtype}{list(a.shape)}" for n, a in arrays.items())
        line = f"{key}\t{shapes}"
        if "prob" in arrays:
            line += f"\tforeground {np.mean(arrays['prob'].argmax(0) > 0):.3f}"
        print(line)


if __name__ == "__main__":
    try:
        main()
    except (ValueError, tarfile.TarError) as error:
        sys.exit(f"read_stream.py: {error}")
