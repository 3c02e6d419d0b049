#!/usr/bin/env python3
"""Times one network, ours against others, in turn, and prints a table.

usage: predict.py NETWORK ARCH GFLOP [ONNX]

NETWORK: build/tests/helper/network.  GFLOP: convolutions and linear layers of a
224 x 224 tile.  ONNX: the published network exported (batch size free), for ONNX
Runtime when Python has it.  Environment: BATCH (8), ROUNDS (5), THREADS (one a core).  "work" is
processor time of all threads: it tells more than the clock on a busy machine.
"""
import os
import statistics
import subprocess
import sys
import time

BATCH = int(os.environ.get("BATCH", 8))
ROUNDS = int(os.environ.get("ROUNDS", 5))


class Ours:
    def __init__(self, network, arch, precision):
        self.name = "predict -p " + precision
        self.process = subprocess.Popen(
            [network, "serve", arch, str(BATCH), precision, "224"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, text=True)

    def run(self):
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return tuple(float(word) for word in self.process.stdout.readline().split())


class OnnxRuntime:
    def __init__(self, path):
        import numpy as np
        import onnxruntime
        self.name = "ONNX Runtime %s, float32" % onnxruntime.__version__
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = int(os.environ.get("THREADS", 0))
        self.session = onnxruntime.InferenceSession(path, options, ["CPUExecutionProvider"])
        name = self.session.get_inputs()[0].name
        self.feed = {name: np.random.rand(BATCH, 1, 224, 224).astype(np.float32)}

    def run(self):
        wall, work = time.perf_counter(), time.process_time()
        self.session.run(None, self.feed)
        return 1e3 * (time.perf_counter() - wall), 1e3 * (time.process_time() - work)


def main(network, arch, gflop, onnx=None):
    runners = [Ours(network, arch, "fp32"), Ours(network, arch, "bf16")]
    if onnx:
        runners.append(OnnxRuntime(onnx))
    times = {runner.name: [] for runner in runners}
    for _ in range(ROUNDS + 1):
        for runner in runners:
            times[runner.name].append(runner.run())
    reference = statistics.median(work for _, work in times[runners[-1].name][1:])
    print("%s, batch %d\tms a tile\twork, ms a tile\tGFLOP/s of work\ttimes as fast (work)"
          % (arch, BATCH))
    for name, values in times.items():
        wall = statistics.median(w for w, _ in values[1:]) / BATCH
        work = statistics.median(w for _, w in values[1:])
        print("%s\t%.1f\t%.1f\t%.0f\t%.2f"
              % (name, wall, work / BATCH, float(gflop) / work * BATCH * 1e3, reference / work))


if __name__ == "__main__":
    if len(sys.argv) < 4:
        sys.exit(__doc__)
    main(*sys.argv[1:5])
