"""Kills a training with SIGKILL at random moments and lets RESUME go on, until it has ended.

    python3 benchmarks/train_kill.py --rounds 10 [--seed 1] [--apus .build/release/apus] [--epochs 60] [--rows 20000]

A round makes a database file with a model, trains a copy of it without a break, and then the model
itself with the process killed again and again; every next process says TRAIN … RESUME. The weights
must be those of the copy bit for bit, the history must have every epoch once with the same losses, and
VERIFY must hold. Standard library only.
"""
import argparse
import os
import random
import shutil
import sqlite3
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

OPTIONS = {
    "plain": ("", ""),
    "validated": (" VALIDATION SPLIT 0.2", ", lr_schedule = 'reduce_on_plateau(patience => 2)'"),
    "often": (" WEIGHT 1 + x", ", checkpoint_every = 1, optimizer = 'rmsprop'"),
    "fitted": (" VALIDATION WHERE x > 0.9 STOP WHEN epoch > 1000", ", early_stop = true, patience = 500"),
}


def setup(arguments, kind):
    clause, options = OPTIONS[kind]
    transform = " TRANSFORM (standardize(x) AS x, one_hot(c) AS c)" if kind == "fitted" else ""
    inputs = "x FLOAT, c VARCHAR" if kind == "fitted" else "x FLOAT, z FLOAT"
    create = (
        f"CREATE MODEL {{}} INPUT ({inputs}) OUTPUT (y FLOAT){transform} SEQUENTIAL (linear(16), tanh(), "
        f"dropout(0.1), linear(1)) OPTIONS (epochs = {arguments.epochs}, batch_size = 64, seed = 3{options});")
    table = (
        "CREATE TABLE rows AS SELECT split_hash(i, 1)::FLOAT AS x, split_hash(i, 2)::FLOAT AS z, "
        f"'c' || (i % 5) AS c, (sin(7 * x) * z)::FLOAT AS y FROM range({arguments.rows}) r(i);")
    return table + create.format("whole") + create.format("m"), clause


def run(program, path, sql, killed_after=None):
    """Whether it came to its end."""
    process = subprocess.Popen([program, path, "-c", sql], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        output, _ = process.communicate(timeout=killed_after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    if process.returncode != 0:
        raise AssertionError(output.decode())
    return True


def answer(program, path, sql):
    return subprocess.run(
        [program, "--csv", path, "-c", sql], check=True, capture_output=True, text=True).stdout


def one(arguments, generator, kind):
    folder = tempfile.mkdtemp(prefix="apus-train-kill-")
    try:
        path = os.path.join(folder, "file.db")
        statements, clause = setup(arguments, kind)
        run(arguments.apus, path, statements)
        start = time.time()
        run(arguments.apus, path, f"TRAIN MODEL whole FROM rows{clause}")
        seconds = time.time() - start
        train = f"TRAIN MODEL m {{}}FROM rows{clause}"
        kills = 0
        ended = run(arguments.apus, path, train.format(""), generator.uniform(0.1, 0.9) * seconds)
        resumed = 0
        while not ended:
            kills += 1
            if kills > 200:
                raise AssertionError("it never ends")
            database = sqlite3.connect(path)
            resumed += database.execute("SELECT count(*) FROM checkpoints").fetchone()[0]
            sound = database.execute("PRAGMA integrity_check").fetchone()[0]
            database.close()
            if sound != "ok":
                raise AssertionError(sound)
            ended = run(
                arguments.apus, path, train.format("RESUME "), generator.uniform(0.2, 1.2) * seconds)
        same = answer(
            arguments.apus, path,
            "SELECT count(*), bool_and(a.\"values\" = b.\"values\") FROM weights(MODEL m) a "
            "JOIN weights(MODEL whole) b USING (name)").split()[-1]
        history = answer(
            arguments.apus, path,
            "SELECT count(*), bool_and(a.loss = b.loss AND a.val_loss IS NOT DISTINCT FROM b.val_loss "
            "AND a.learning_rate = b.learning_rate AND a.best = b.best) "
            "FROM training_info(MODEL m) a FULL JOIN training_info(MODEL whole) b USING (epoch)").split()[-1]
        # A process that was killed after its commit leaves a version, and the next one makes another.
        verified = answer(arguments.apus, path, "VERIFY MODEL m").split()[-1]
        database = sqlite3.connect(path)
        left = database.execute("SELECT count(*) FROM checkpoints").fetchone()[0]
        database.close()
        if (same, history, left) != ("4,true", f"{arguments.epochs},true", 0) or verified.split(",")[2] != "true":
            raise AssertionError(f"{kind}: weights {same}, history {history}, verified {verified}, left {left}")
        print(f"{kind}: {kills} kills, {resumed} went on from a checkpoint, {seconds:.1f} s whole: the same bits")
        return resumed
    finally:
        shutil.rmtree(folder)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--apus", default=os.path.join(ROOT, ".build/release/apus"))
    parser.add_argument("--rounds", type=int, default=8)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--epochs", type=int, default=60)
    parser.add_argument("--rows", type=int, default=20000)
    arguments = parser.parse_args()
    generator = random.Random(arguments.seed)
    resumed = sum(
        one(arguments, generator, list(OPTIONS)[number % len(OPTIONS)])
        for number in range(arguments.rounds))
    if resumed == 0:
        sys.exit("no training went on from a checkpoint: give more --epochs or --rows")


if __name__ == "__main__":
    main()
