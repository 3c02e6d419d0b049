"""Single cells found by the default pipe, beside Otsu's threshold with a distance watershed.

    DATA=DIR PYTHON=PYTHON cells.py [SET...]

DATA has SET/test/images and SET/test/masks (16-bit PNG that number cells, or 0 and 255).
PYTHON, this script's own, has numpy and scikit-image.  Prints a row a set: means over its
images of AP at IoU 0.5, F1, cells true and found, and DSC, as `score` has them, of
`tile | predict | label` without options, the DSC of the foreground that `tile | predict | stitch`
gives, and the former of Otsu's watershed, which takes the
smaller of the two sides of the threshold for cells, is smoothed by 1 pixel before, filled,
rid of objects under 15 pixels, and split at maxima of the distance that are 7 pixels apart.
MODEL: other weights than the default ones; MOST: so many images a set at most; OUT: a folder
that keeps the label images.
"""
import os
import subprocess
import sys
import tempfile

import numpy as np
from scipy import ndimage
from skimage import feature, filters, io, segmentation

SETS = ["bbbc039_u2os", "dsb2018_nuclei", "dsb2018_more", "sbsst265_neuroblastoma", "cervical_lbc",
        "usiigaci_t98g", "deepcell_phase", "qpi_adherent", "qpi_adherent_b", "bbbc041seg_half",
        "pfc_neurons", "nist_stem_colony", "itmo_brightfield", "incucyte_livecell_like"]


def folder_of(name):
    test = os.path.join(os.environ["DATA"], name, "test")
    return test if os.path.isdir(test) else os.path.join(os.environ["DATA"], name)


def ours(images, cells, foreground):
    model = ["-m", os.environ["MODEL"]] if os.environ.get("MODEL") else []
    stream = cells + ".tar"
    tile = subprocess.Popen(["tile", "-q", *images], stdout=subprocess.PIPE)
    subprocess.run(["predict", "-q", *model, "-o", stream], stdin=tile.stdout, check=True)
    if tile.wait():
        sys.exit("tile failed")
    subprocess.run(["label", "-q", "-f", "png", "-o", cells + "/", stream], check=True)
    subprocess.run(["stitch", "-q", "-o", foreground + "/", stream], check=True)
    os.remove(stream)


def gray(path):
    pixels = io.imread(path).astype(float)
    return pixels @ [0.299, 0.587, 0.114] if pixels.ndim == 3 else pixels


def watershed(path):
    pixels = filters.gaussian(gray(path), 1)
    inside = pixels > filters.threshold_otsu(pixels)
    if inside.mean() > 0.5:
        inside = ~inside
    labels, count = ndimage.label(ndimage.binary_fill_holes(inside))
    sizes = np.bincount(labels.ravel())
    inside = (labels > 0) & (sizes[labels] >= 15)
    distance = ndimage.distance_transform_edt(inside)
    peaks = feature.peak_local_max(distance, min_distance=7, labels=ndimage.label(inside)[0])
    markers = np.zeros(inside.shape, int)
    markers[tuple(peaks.T)] = np.arange(1, len(peaks) + 1)
    return segmentation.watershed(-distance, markers, mask=inside)


def otsu(images, to):
    for path in images:
        stem = os.path.splitext(os.path.basename(path))[0]
        io.imsave(f"{to}/{stem}.png", watershed(path).astype(np.uint16), check_contrast=False)


def summary(found, truth, *options):
    text = subprocess.run(["score", "-q", "-s", *options, found, truth], stdout=subprocess.PIPE,
                          text=True, check=True).stdout
    return {row.split("\t")[0]: float(row.split("\t")[1]) for row in text.splitlines()[1:]}


def truth_of(name, images, to):
    masks = os.path.join(folder_of(name), "masks")
    for path in images:
        stem = os.path.splitext(os.path.basename(path))[0]
        os.symlink(os.path.realpath(f"{masks}/{stem}.png"), f"{to}/{stem}.png")


def row(name, work):
    images = sorted(os.path.join(folder_of(name), "images", f)
                    for f in os.listdir(os.path.join(folder_of(name), "images")))
    images = images[:int(os.environ.get("MOST", len(images)))]
    paths = [os.path.join(work, name, part) for part in ("ours", "otsu", "truth", "foreground")]
    for path in paths:
        os.makedirs(path)
    truth_of(name, images, paths[2])
    ours(images, paths[0], paths[3])
    foreground = f" {summary(paths[3], paths[2])['dsc']:.3f} |"
    otsu(images, paths[1])
    # Masks in black and white have no cells to count.
    numbered = max(io.imread(os.path.join(paths[2], f)).max() for f in os.listdir(paths[2])) != 255
    cells = [f"| {name} | {len(images)} |"]
    for found in paths[:2]:
        dsc = summary(found, paths[2])["dsc"]
        if numbered:
            s = summary(found, paths[2], "-i")
            cells.append(f" {s['ap50']:.3f} | {s['f1']:.3f} | {s['n_true']:.0f} / {s['n_pred']:.0f} | {dsc:.3f} |")
        else:
            cells.append(f" – | – | – | {dsc:.3f} |")
        cells.append(foreground if found == paths[0] else "")
    print("".join(cells), flush=True)


def main():
    print("| set | images | AP50 | F1 | cells true / found | DSC | of stitch | Otsu: AP50 | F1 | cells | DSC |")
    print("|" + " --- |" * 11)
    with tempfile.TemporaryDirectory() as scratch:
        for name in sys.argv[1:] or SETS:
            row(name, os.environ.get("OUT", scratch))


if __name__ == "__main__":
    main()
