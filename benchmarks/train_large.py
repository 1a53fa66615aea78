"""A training that does not fit into memory: rows made by the query itself, so that the disk holds but the shuffle.

    python3 benchmarks/train_large.py [--gb 20] [--features 24] [--epochs 1] [--memory 512MB] [--temp DIR] [--apus .build/release/apus]

`--gb` counts the floats that the network is given. Measures from outside, while it runs: the peak of resident
memory (VmHWM) and the size of the temporary file, which must hold the rows once and no more. Checks the answer:
the labels are a linear function of the features, which a linear network must have found. More than 800 MB of
memory fails. Standard library only.
"""
import argparse
import json
import os
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


class Watch(threading.Thread):
    """Peaks of a process: resident memory, its temporary files."""

    def __init__(self, process):
        super().__init__(daemon=True)
        self.process, self.memory, self.spill = process, 0, 0

    def run(self):
        folder = f"/proc/{self.process.pid}"
        while self.process.poll() is None:
            try:
                with open(f"{folder}/status") as status:
                    for line in status:
                        if line.startswith("VmHWM"):
                            self.memory = max(self.memory, int(line.split()[1]) * 1024)
                size = 0
                for number in os.listdir(f"{folder}/fd"):
                    if "apus-spill" in os.readlink(f"{folder}/fd/{number}"):
                        size += os.stat(f"{folder}/fd/{number}").st_size
                self.spill = max(self.spill, size)
            except OSError:
                pass
            time.sleep(0.2)

    def processor(self):
        """Seconds of all its threads so far."""
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", default=os.path.join(ROOT, ".build/release/apus"))
    parser.add_argument("--gb", type=float, default=20)
    parser.add_argument("--features", type=int, default=24)
    parser.add_argument("--epochs", type=int, default=1)
    parser.add_argument("--memory", default="512MB")
    parser.add_argument("--temp", default=None)
    arguments = parser.parse_args()
    width = arguments.features
    rows = int(arguments.gb * 1e9 / 4 / (width + 1))
    names = [f"f{index}" for index in range(width)]
    features = ", ".join(
        f"((i * {2 * index + 7}) % 1009)::FLOAT / 1009 AS {name}" for index, name in enumerate(names))
    source = f"(SELECT {features}, f0 - 2 * f1 + 0.5 AS y FROM range({rows}) r(i))"
    process = subprocess.Popen(
        [arguments.apus, "--protocol", "jsonl"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    watch = Watch(process)
    watch.start()

    def run(sql):
        process.stdin.write(json.dumps({"sql": sql}) + "\n")
        process.stdin.flush()
        answer = json.loads(process.stdout.readline())
        if "error" in answer:
            raise AssertionError(answer)
        return answer["rows"]

    run(f"SET memory_limit = '{arguments.memory}'")
    if arguments.temp:
        run(f"SET temp_directory = '{arguments.temp}'")
    run(
        f"CREATE MODEL m INPUT ({', '.join(name + ' FLOAT' for name in names)}) OUTPUT (y FLOAT) SEQUENTIAL (linear(1)) "
        f"OPTIONS (epochs = {arguments.epochs}, batch_size = 1024, learning_rate = 0.02, lr_schedule = 'constant', seed = 1)")
    start = time.perf_counter()
    sums = ", ".join(f"sum({name})" for name in names)
    run(f"SELECT {sums}, sum(y) FROM {source}")
    scan = time.perf_counter() - start
    used = watch.processor()
    start = time.perf_counter()
    epochs = run(f"WITH h AS (TRAIN MODEL m FROM {source}) SELECT epoch, loss, rows, seconds FROM h")
    seconds = time.perf_counter() - start
    used = watch.processor() - used
    weights = run("SELECT \"values\" FROM weights(MODEL m)")
    error = run(
        f"SELECT max(abs(PREDICT(MODEL m) - y)) FROM (SELECT {features}, f0 - 2 * f1 + 0.5 AS y FROM range(100000) r(i))")
    process.stdin.close()
    process.wait()
    watch.join()
    training = sum(float(epoch[3]) for epoch in epochs)
    size = rows * 4 * (width + 1) / 1e9
    print(f"{rows:,} rows of {width} features, {size:.2f} GB; the query alone {scan:.1f} s")
    print(
        f"TRAIN {seconds:.1f} s: {seconds - training:.1f} s to read and put away ({size / (seconds - training):.2f} GB/s), "
        f"{training / len(epochs):.1f} s an epoch ({size * len(epochs) / training:.2f} GB/s), {used:.1f} s of processors")
    print(
        f"peak resident memory {watch.memory / 1e6:.0f} MB, temporary file {watch.spill / 1e9:.2f} GB, "
        f"loss {float(epochs[-1][1]):.3g}, largest error {float(error[0][0]):.3g}, {len(weights)} tensors")
    if len(epochs) != arguments.epochs or int(epochs[0][2]) != rows or not float(error[0][0]) < 0.05:
        sys.exit("the answer is wrong")
    if watch.spill > rows * 4 * (width + 1) * 1.05 + 64e6:
        sys.exit("the temporary file holds more than the rows once")
    if watch.memory > 800e6:
        sys.exit("more than 800 MB of memory")


if __name__ == "__main__":
    main()
