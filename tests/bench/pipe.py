#!/usr/bin/env python3
"""What the pipe costs beside its network, in turn, and prints a table.

usage: pipe.py BIN NETWORK [ROUNDS]     BIN: build/bin; NETWORK: build/tests/helper/network

A drawn image of 4000 x 3000 pixels: `tile | predict | stitch` against `predict` alone on
the same tiles, with the default model; the same with R50+ViT-B/16 of random weights
on a part of 896 x 896, its time for the whole image from that by tiles; the peak
memory of each program; and eight images by as many pipes at once as there are processors,
each with its default threads, against one after the other.
"""
import concurrent.futures
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time


class Pipe:
    """Commands joined by pipes: seconds; of each, processor time and kilobytes at most."""

    def __init__(self, *commands, given=None):
        self.commands, self.given = commands, given
        self.seconds, self.work, self.peak = [], [], [0] * len(commands)

    def run(self):
        begin, source, processes, work = time.perf_counter(), None, [], []
        first = open(self.given, "rb") if self.given else subprocess.DEVNULL
        for i, command in enumerate(self.commands):
            last = i + 1 == len(self.commands)
            p = subprocess.Popen(command, stdin=source or first,
                                 stdout=subprocess.DEVNULL if last else subprocess.PIPE)
            if source:
                source.close()
            source = p.stdout
            processes.append(p)
        for i, p in enumerate(processes):
            _, status, usage = os.wait4(p.pid, 0)
            p.returncode = os.waitstatus_to_exitcode(status)
            if p.returncode:
                sys.exit("%s: exit status %d" % (self.commands[i][0], p.returncode))
            self.peak[i] = max(self.peak[i], usage.ru_maxrss)
            work.append(usage.ru_utime + usage.ru_stime)
        self.work.append(work)
        self.seconds.append(time.perf_counter() - begin)

    def median(self):
        return statistics.median(self.seconds)

    def median_work(self):
        """Of each command."""
        return [statistics.median(w) for w in zip(*self.work)]


def compare(folder, programs, image, model, rounds):
    """Both pipes, `predict` alone and all, and the number of tiles."""
    tiles = os.path.join(folder, "tiles.tar")
    with open(tiles, "wb") as out:
        subprocess.run([programs + "/tile", "-q", image], stdout=out, check=True)
    predict = [programs + "/predict", "-q"] + model
    alone = Pipe(predict, given=tiles)
    whole = Pipe([programs + "/tile", "-q", image], predict,
                 [programs + "/stitch", "-q", "-o", os.path.join(folder, "mask.png")])
    for _ in range(rounds):
        alone.run()
        whole.run()
    listed = subprocess.run(["tar", "tf", tiles], capture_output=True, text=True, check=True)
    count = sum(line.endswith(".image.npy") for line in listed.stdout.split("\n"))
    return alone, whole, count


def draw(programs, folder, size, count=1):
    into = os.path.join(folder, size)
    subprocess.run([programs + "/synth", "-q", "-n", str(count), "-s", size, "--seed", "1",
                    "-o", into], check=True)
    images = os.path.join(into, "images")
    return [os.path.join(images, name) for name in sorted(os.listdir(images))]


def segment(programs, image):
    Pipe([programs + "/tile", "-q", image], [programs + "/predict", "-q"],
         [programs + "/stitch", "-q"]).run()


def seconds_of_all(programs, images, at_once):
    begin = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        list(pool.map(lambda image: segment(programs, image), images))
    return time.perf_counter() - begin


def compare_crowds(programs, folder, rounds):
    """Seconds for eight images one after the other, and at once."""
    images, seconds = draw(programs, folder, "1500x1500", 8), {1: [], os.cpu_count(): []}
    for _ in range(rounds):
        for at_once, times in seconds.items():
            times.append(seconds_of_all(programs, images, at_once))
    return [statistics.median(times) for times in seconds.values()]


def row(what, value, aim):
    print("%s\t%s\t%s" % (what, value, aim))


def report(name, weights, alone, whole):
    row("%s: predict alone, s" % name, "%.2f" % alone.median(), "")
    row("%s: tile | predict | stitch, s" % name, "%.2f" % whole.median(), "")
    row("%s: the pipe over predict alone" % name,
        "%+.1f %%" % (100 * whole.median() / alone.median() - 100), "at most +5 %")
    tile, predict, stitch = whole.median_work()
    row("%s: processor time of tile, predict, stitch, s" % name,
        "%.2f, %.2f, %.2f: %+.1f %%" % (tile, predict, stitch, 100 * (tile + stitch) / predict),
        "at most +5 %")
    row("%s: peak memory of predict beyond the weights, MB" % name,
        "%.0f" % (whole.peak[1] * 1024 / 1e6 - weights / 1e6), "at most 1500")
    row("%s: peak memory of tile, stitch, MB" % name,
        "%.0f, %.0f" % (whole.peak[0] * 1024 / 1e6, whole.peak[2] * 1024 / 1e6), "")


def main(programs, network, rounds):
    default = os.path.join(programs, "../../data/default.safetensors")
    with tempfile.TemporaryDirectory() as folder:
        large, small = draw(programs, folder, "4000x3000")[0], draw(programs, folder, "896x896")[0]
        weights = os.path.join(folder, "r50.safetensors")
        subprocess.run([network, "transunet-r50-b16:skips=0", "2", "1", "1", weights], check=True)
        print("what\tmeasured\taim")
        alone, whole, count = compare(folder, programs, large, [], rounds)
        report("default model, 4000 x 3000", os.path.getsize(default), alone, whole)
        times = {}
        level = subprocess.run([os.path.join(os.path.dirname(network), "cpu")], text=True,
                               stdout=subprocess.PIPE, check=True).stdout.strip()
        for precision in ("fp32", "bf16") if level == "avx512bf16" else ("fp32",):
            a, w, n = compare(folder, programs, small, ["-m", weights, "-p", precision], rounds)
            report("R50+ViT-B/16 %s, 896 x 896 (%d tiles)" % (precision, n),
                   os.path.getsize(weights), a, w)
            times[precision] = a.median() / n * count
        row("R50+ViT-B/16, 4000 x 3000 (%d tiles), s: %s" % (count, ", ".join(times)),
            ", ".join("%.0f" % t for t in times.values()), "")
        row("default model's share of that in fp32", "1/%.1f" % (times["fp32"] / whole.median()),
            "at most 1/10")
        if os.cpu_count() > 1:
            apart, at_once = compare_crowds(programs, folder, rounds)
            row("8 images of 1500 x 1500, s: one after the other, %d at once" % os.cpu_count(),
                "%.1f, %.1f" % (apart, at_once), "")


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    main(os.path.abspath(sys.argv[1]), os.path.abspath(sys.argv[2]),
         int(sys.argv[3]) if len(sys.argv) > 3 else 3)
