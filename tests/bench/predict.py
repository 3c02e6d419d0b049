#!/usr/bin/env python3
"""Times networks, ours against others, in turn, and prints a table.

usage: predict.py NETWORK NAME...     NETWORK: build/tests/helper/network
       predict.py onnx FILE BATCH     serves ONNX Runtime as rounds.py wants
       predict.py openvino FILE BATCH the same with OpenVINO

NAME: of published.py's networks.  Environment: PEERS, a folder that peers.sh made: the
published networks' clones and a Python with the libraries; PYTHON, another Python with
PyTorch, onnxruntime and openvino; COMPILED=all: torch.compile for every network, not the
first alone.  ONNX Runtime, OpenVINO and batches of one tile are timed for the first.  Who
is absent is left out with a word.  BATCH (8), ROUNDS (5), THREADS (one a core).  "work"
is processor time of all threads: it tells more than the clock on a busy machine.
"""
import os
import subprocess
import sys

import published
import rounds

BATCH = int(os.environ.get("BATCH") or 8)
ROUNDS = int(os.environ.get("ROUNDS") or 5)
HERE = os.path.dirname(os.path.abspath(__file__))
PEAK = 77.3  # GFLOP of `network peak`


def ours(network, name, precision):
    _, arch, _, gflop = published.NETWORKS[name]
    return rounds.Runner("predict -p %s, batch %d" % (precision, BATCH),
                         [network, "serve", arch, str(BATCH), precision, "224"], BATCH, gflop)


def peak(network, precision):
    return rounds.Runner("oneDNN's product, " + precision, [network, "peak", "-", "-", precision,
                                                            "-"], 1, PEAK)


def pytorch(name, batch, how="serve"):
    argv = [rounds.python(), os.path.join(HERE, "published.py"), os.environ["PEERS"], how, name,
            str(batch)]
    said = "published, PyTorch%s, batch %d" % (" compiled" if how == "compiled" else "", batch)
    return rounds.Runner(said, argv, batch, published.NETWORKS[name][3])


def exported(name):
    """The network as an ONNX file, or None."""
    path = os.path.join(os.environ["PEERS"], name + ".onnx")
    if not os.path.exists(path):
        subprocess.run([rounds.python(), os.path.join(HERE, "published.py"), os.environ["PEERS"],
                        "export", name, path], stdout=subprocess.DEVNULL, check=False)
    return path if os.path.exists(path) else None


def runtime(name, title, which, path):
    argv = [rounds.python(), os.path.join(HERE, "predict.py"), which, path, str(BATCH)]
    return rounds.Runner("%s, batch %d" % (title, BATCH), argv, BATCH,
                         published.NETWORKS[name][3])


def serve_onnx(path, batch):
    import numpy as np
    import onnxruntime
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = published.threads()
    session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
    given = session.get_inputs()[0]
    x = np.random.rand(batch, given.shape[1], published.SIDE, published.SIDE).astype(np.float32)
    published.serve(lambda: session.run(None, {given.name: x}))


def serve_openvino(path, batch):
    import numpy as np
    import openvino
    core = openvino.Core()
    model = core.read_model(path)
    channels = model.input(0).partial_shape[1].get_length()
    model.reshape([batch, channels, published.SIDE, published.SIDE])
    compiled = core.compile_model(model, "CPU", {"INFERENCE_NUM_THREADS": published.threads(),
                                                 "INFERENCE_PRECISION_HINT": "f32"})
    request = compiled.create_infer_request()
    x = np.random.rand(batch, channels, published.SIDE, published.SIDE).astype(np.float32)
    published.serve(lambda: request.infer({0: x}))


def peers(name, first):
    """Those of the published network, the first network's at length."""
    if not os.environ.get("PEERS"):
        return []
    found = [pytorch(name, BATCH)]
    if first or os.environ.get("COMPILED") == "all":
        found.append(pytorch(name, BATCH, "compiled"))
    path = exported(name) if first else None
    if first:
        found.append(pytorch(name, 1))
    if path:
        found += [runtime(name, "ONNX Runtime", "onnx", path),
                  runtime(name, "OpenVINO", "openvino", path)]
    return found


def compare(network, name, first):
    """Ours, that is those of the precisions that this processor has; others."""
    own = [ours(network, name, "fp32"), ours(network, name, "bf16")]
    others = peers(name, first)
    if first:
        others += [peak(network, "fp32"), peak(network, "bf16")]
    able = rounds.alternate(own + others, ROUNDS)
    return [r for r in able if r in own], [r for r in able if r in others]


def print_row(name, r, ratios):
    wall = r.median(0)
    print("%s\t%s\t%.1f\t%.1f\t%.0f\t%s" % (name, r.name, wall, r.median(1),
                                           1e3 * r.gflop / wall, ratios))


def print_rows(name, own, others):
    for r in own:
        print_row(name, r, "")
    for r in others:
        if r.name.startswith("oneDNN"):
            mine = own["bf16" in r.name]
            share = 100 * mine.gflop / mine.median(0) / (r.gflop / r.median(0))
            print_row(name, r, "%s reaches %.0f %% of it" % (mine.name, share))
        else:
            print_row(name, r, "\t".join("%.2f (%.2f)" % (r.median(0) / mine.median(0),
                                                          r.median(1) / mine.median(1))
                                         for mine in own))


def main(network, *names):
    rounds.introduce()
    print("network\twhat\tms a tile\twork, ms a tile\tGFLOP/s\tfp32 is faster (work)"
          "\tbf16 is faster (work)")
    for i, name in enumerate(names):
        print_rows(name, *compare(network, name, i == 0))


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    if sys.argv[1] == "onnx":
        serve_onnx(sys.argv[2], int(sys.argv[3]))
    elif sys.argv[1] == "openvino":
        serve_openvino(sys.argv[2], int(sys.argv[3]))
    else:
        main(*sys.argv[1:])
