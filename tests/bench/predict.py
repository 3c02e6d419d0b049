#!/usr/bin/env python3
"""Times networks, ours against others, in turn, and prints a table.

usage: predict.py NETWORK NAME...     NETWORK: build/tests/helper/network
       predict.py onnx FILE BATCH     serves ONNX Runtime as rounds.py wants

NAME: of published.py's networks.  Environment: PEERS, a folder of the published
networks' clones (published.py says which); TORCH_PYTHON (/usr/bin/python3), one that
has PyTorch; PYTHON, one that has onnxruntime and NumPy; ONNX, the first network
exported by published.py.  Who is absent is left out with a word.  BATCH (8), ROUNDS
(5), THREADS (one a core).  "work" is processor time of all threads: it tells more than
the clock on a busy machine.
"""
import os
import sys

import published
import rounds

BATCH = int(os.environ.get("BATCH") or 8)
ROUNDS = int(os.environ.get("ROUNDS") or 5)
TORCH_PYTHON = os.environ.get("TORCH_PYTHON") or "/usr/bin/python3"
HERE = os.path.dirname(os.path.abspath(__file__))
PEAK = 77.3  # GFLOP of `network peak`


def ours(network, name, precision):
    _, arch, _, gflop = published.NETWORKS[name]
    return rounds.Runner("predict -p %s, batch %d" % (precision, BATCH),
                         [network, "serve", arch, str(BATCH), precision, "224"], BATCH, gflop)


def peak(network, precision):
    return rounds.Runner("oneDNN's product, " + precision, [network, "peak", "-", "-", precision,
                                                            "-"], 1, PEAK)


def pytorch(name, batch):
    argv = [TORCH_PYTHON, os.path.join(HERE, "published.py"), os.environ["PEERS"], "serve", name,
            str(batch)]
    return rounds.Runner("published, PyTorch, batch %d" % batch, argv, batch,
                         published.NETWORKS[name][3])


def onnx(name):
    argv = [os.environ.get("PYTHON") or sys.executable, os.path.join(HERE, "predict.py"), "onnx",
            os.environ["ONNX"], str(BATCH)]
    return rounds.Runner("ONNX Runtime, batch %d" % BATCH, argv, BATCH,
                         published.NETWORKS[name][3])


def serve_onnx(path, batch):
    import numpy as np
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = published.threads()
    session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    x = np.random.rand(batch, given.shape[1], 224, 224).astype(np.float32)
    published.serve(lambda: session.run(None, {given.name: x}))


def compare(network, name, first):
    runners = [ours(network, name, "fp32"), ours(network, name, "bf16")]
    if os.environ.get("PEERS"):
        runners.append(pytorch(name, BATCH))
        if first:
            runners.append(pytorch(name, 1))
    if first and os.environ.get("ONNX"):
        runners.append(onnx(name))
    if first:
        runners += [peak(network, "fp32"), peak(network, "bf16")]
    return runners[:2], rounds.alternate(runners, ROUNDS)


def print_rows(name, own, able):
    fp32, bf16 = own
    for r in able:
        wall, work = r.median(0), r.median(1)
        gflops = 1e3 * r.gflop / wall
        if r.name.startswith("oneDNN"):
            ours = fp32 if r.name.endswith("fp32") else bf16
            share = 100 * 1e3 * ours.gflop / ours.median(0) / gflops
            print("%s\t%s\t\t\t%.0f\t%s reaches %.0f %% of it" % (name, r.name, gflops, ours.name,
                                                              share))
            continue
        ratios = "" if r in own else rounds.ratios(r, own)
        print("%s\t%s\t%.1f\t%.1f\t%.0f\t%s" % (name, r.name, wall, work, gflops, ratios))


def main(network, *names):
    for variable in ("PEERS", "ONNX"):
        if not os.environ.get(variable):
            print("# no %s given: those are left out" % variable)
    print("network\twhat\tms a tile\twork, ms a tile\tGFLOP/s\tfp32 is faster\tbf16 is faster"
          "\tof work: fp32\tbf16")
    for i, name in enumerate(names):
        print_rows(name, *compare(network, name, i == 0))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if sys.argv[1] == "onnx":
        serve_onnx(sys.argv[2], int(sys.argv[3]))
    else:
        main(*sys.argv[1:])
