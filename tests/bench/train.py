#!/usr/bin/env python3
"""Times steps of training, ours against the published loop in PyTorch, in turn, and
prints a table.

usage: train.py TRAINING NAME...     TRAINING: build/tests/helper/training

NAME, PEERS, PYTHON, BATCH (4), ROUNDS (3) and THREADS as in predict.py.  Both
compute: images 224 x 224, half cross entropy, half Dice, dropout, SGD with momentum.
"""
import os
import sys

import published
import rounds

BATCH = int(os.environ.get("BATCH") or 4)
ROUNDS = int(os.environ.get("ROUNDS") or 3)
HERE = os.path.dirname(os.path.abspath(__file__))


def ours(training, name, precision):
    return rounds.Runner("train -P " + precision,
                         [training, published.NETWORKS[name][1], str(BATCH), precision,
                          str(published.SIDE)], 1)


def pytorch(name):
    argv = [rounds.python(), os.path.join(HERE, "published.py"), os.environ["PEERS"], "train", name,
            str(BATCH)]
    return rounds.Runner("published loop, PyTorch", argv, 1)


def main(training, *names):
    rounds.introduce()
    print("network, batch %d\twhat\tms a step\twork, ms a step\tfp32 is faster (work)"
          "\tbf16 is faster (work)" % BATCH)
    for name in names:
        own = [ours(training, name, "fp32"), ours(training, name, "bf16")]
        runners = own + ([pytorch(name)] if os.environ.get("PEERS") else [])
        able = rounds.alternate(runners, ROUNDS)
        own = [r for r in own if r in able]
        for r in able:
            wall, work = r.median(0), r.median(1)
            ratios = "" if r in own else "\t".join(
                "%.2f (%.2f)" % (wall / mine.median(0), work / mine.median(1)) for mine in own)
            print("%s\t%s\t%.0f\t%.0f\t%s" % (name, r.name, wall, work, ratios))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    main(*sys.argv[1:])
