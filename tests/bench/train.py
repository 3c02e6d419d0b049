#!/usr/bin/env python3
"""Times steps of training, ours against the published loop in PyTorch, in turn, and
prints a table.

usage: train.py TRAINING NAME...     TRAINING: build/tests/helper/training

NAME, PEERS, TORCH_PYTHON, BATCH (4), ROUNDS (3) and THREADS as in predict.py.  Both
compute: images 224 x 224, half cross entropy, half Dice, dropout, SGD with momentum.
"""
import os
import sys

import published
import rounds

BATCH = int(os.environ.get("BATCH") or 4)
ROUNDS = int(os.environ.get("ROUNDS") or 3)
TORCH_PYTHON = os.environ.get("TORCH_PYTHON") or "/usr/bin/python3"
HERE = os.path.dirname(os.path.abspath(__file__))


def ours(training, name, precision):
    return rounds.Runner("train -P " + precision,
                         [training, published.NETWORKS[name][1], str(BATCH), precision,
                          str(published.SIDE)], 1)


def pytorch(name):
    argv = [TORCH_PYTHON, os.path.join(HERE, "published.py"), os.environ["PEERS"], "train", name,
            str(BATCH)]
    return rounds.Runner("published loop, PyTorch", argv, 1)


def main(training, *names):
    if not os.environ.get("PEERS"):
        print("# no PEERS given: without the published loop")
    print("network, batch %d\twhat\tms a step\twork, ms a step\tfp32 is faster\tbf16 is faster"
          "\tof work: fp32\tbf16" % BATCH)
    for name in names:
        runners = [ours(training, name, "fp32"), ours(training, name, "bf16")]
        if os.environ.get("PEERS"):
            runners.append(pytorch(name))
        able = rounds.alternate(runners, ROUNDS)
        for r in able:
            wall, work = r.median(0), r.median(1)
            ratios = rounds.ratios(r, runners[:2]) if r in runners[2:] else ""
            print("%s\t%s\t%.0f\t%.0f\t%s" % (name, r.name, wall, work, ratios))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
