"""Programs that are timed in turn: each is a process that for every line of its
standard input does its work once and answers with the milliseconds that passed and
those of all cores' work."""
import os
import statistics
import subprocess
import sys

LIBRARIES = ("torch", "onnxruntime", "openvino")


def python():
    """One that has the peers' libraries, as far as there is any."""
    made = os.path.join(os.environ.get("PEERS") or ".", "python", "bin", "python")
    return os.environ.get("PYTHON") or (made if os.path.exists(made) else sys.executable)


def introduce():
    """Says with whom we compare."""
    if not os.environ.get("PEERS"):
        print("# no PEERS given: without the published networks")
        return
    script = ("import importlib.metadata as m\nfor n in %r:\n try: print(n, m.version(n))\n"
              " except m.PackageNotFoundError: print('no', n)" % (LIBRARIES,))
    said = subprocess.run([python(), "-c", script], capture_output=True, text=True, check=True)
    print("# peers: " + ", ".join(said.stdout.split("\n")[:-1]))


class Runner:
    """`items`: what one run does; `gflop`: floating-point operations of an item, 1e9."""

    def __init__(self, name, argv, items, gflop=0):
        self.name, self.items, self.gflop = name, items, gflop
        self.times = []
        self.process = subprocess.Popen(argv, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def run(self):
        """False when it cannot."""
        try:
            self.process.stdin.write("\n")
            self.process.stdin.flush()
            answer = self.process.stdout.readline().split()
        except BrokenPipeError:
            return False
        if len(answer) >= 2:
            self.times.append((float(answer[0]), float(answer[1])))
        return len(answer) >= 2

    def median(self, column):
        """Milliseconds an item, without the first run; column 0 wall, 1 work."""
        return statistics.median(t[column] for t in self.times[1:]) / self.items

    def close(self):
        try:
            self.process.stdin.close()
        except BrokenPipeError:
            pass
        self.process.wait()


def alternate(runners, rounds):
    """Runs all in turn, once for nothing; gives those that could."""
    able = [r for r in runners if r.run()]
    for _ in range(rounds):
        for runner in able:
            runner.run()
    for runner in runners:
        runner.close()
    return able


def ratios(runner, own):
    """How many times faster ours are, by the clock and of work: a column for each of
    `own`, two runners, of which the second, bf16, may not have run."""
    return "\t".join("%.2f" % (runner.median(c) / o.median(c)) if o.times else "-"
                     for c in (0, 1) for o in own)
