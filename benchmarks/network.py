"""Training and prediction of the guide's 3-64-32-1 network beside PyTorch and ONNX Runtime.

    PYTHON_WITH_TORCH benchmarks/network.py [rounds]

Needs torch, onnxruntime, onnx, numpy, pandas, pyarrow. Two threads each. Training: 100,000 rows, batch 1,024,
Adam, bce, dropout 0.3: milliseconds per epoch; the loss must fall. Prediction: 10,000,000 rows, from
the engine's own table, against ONNX Runtime with the same network on a ready-made array. That
predictions are right is for the fixture tests to show: here only counts and ranges are checked.
"""
import os
import sys
import tempfile
import time

import numpy as np
import onnx
import onnxruntime
import pyarrow as pa
import pyarrow.parquet as pq
import torch
from onnx import TensorProto, helper, numpy_helper

from peers import Apus, interleave, report

ROUNDS = int(sys.argv[1]) if len(sys.argv) > 1 else 5
TRAIN_ROWS, PREDICT_ROWS, EPOCHS = 100_000, 10_000_000, 3
torch.set_num_threads(2)
folder = tempfile.mkdtemp()
generator = np.random.default_rng(1)


def people(rows):
    features = generator.normal(size=(rows, 3)).astype(np.float32)
    features[:, 2] = features[:, 2] > 0.5
    chance = 1 / (1 + np.exp(-(1.5 - features[:, 0] ** 2 + features[:, 1] + features[:, 2])))
    return features, (generator.random(rows) < chance).astype(np.float32)


def write(path, features, target):
    columns = {name: features[:, i] for i, name in enumerate(["age", "log_income", "is_weekend"])}
    pq.write_table(pa.table({**columns, "target": target}), path)


x, y = people(TRAIN_ROWS)
write(f"{folder}/train.parquet", x, y)
wide, wide_y = people(PREDICT_ROWS)
write(f"{folder}/predict.parquet", wide, wide_y)

apus = Apus()
apus.run(f"CREATE TABLE train_rows AS FROM '{folder}/train.parquet'")
apus.run(f"CREATE TABLE predict_rows AS FROM '{folder}/predict.parquet'")
layers = "linear(3, 64), relu(), dropout(0.3), linear(64, 32), relu(), linear(32, 1), sigmoid()"
apus.run(
    "CREATE MODEL people INPUT (age FLOAT, log_income FLOAT, is_weekend FLOAT) OUTPUT (target FLOAT) "
    f"SEQUENTIAL ({layers}) OPTIONS (loss = 'bce', optimizer = 'adam', epochs = {EPOCHS}, seed = 1)")


def train_apus(batch):
    def run():
        rows, elapsed = apus.run(f"TRAIN MODEL people FROM train_rows OPTIONS (batch_size = {batch})")
        assert len(rows) == EPOCHS and float(rows[-1][2]) < min(0.7, float(rows[0][2]) + 1e-3), rows
        return elapsed / EPOCHS
    return run


def torch_network():
    return torch.nn.Sequential(
        torch.nn.Linear(3, 64), torch.nn.ReLU(), torch.nn.Dropout(0.3), torch.nn.Linear(64, 32),
        torch.nn.ReLU(), torch.nn.Linear(32, 1), torch.nn.Sigmoid())


def train_torch(batch):
    inputs, targets = torch.from_numpy(x), torch.from_numpy(y).reshape(-1, 1)

    def run():
        network = torch_network()
        optimizer = torch.optim.Adam(network.parameters())
        loss_of = torch.nn.BCELoss()
        size = TRAIN_ROWS if batch == "'full'" else batch
        epochs = 1 if size < 256 else EPOCHS
        start = time.perf_counter()
        for _ in range(epochs):
            order = torch.randperm(TRAIN_ROWS)
            for first in range(0, TRAIN_ROWS, size):
                rows = order[first:first + size]
                loss = loss_of(network(inputs[rows]), targets[rows])
                optimizer.zero_grad()
                loss.backward()
                optimizer.step()
        return (time.perf_counter() - start) * 1000 / epochs
    return run


worst = 0.0
for batch, rounds in ((1024, ROUNDS), ("'full'", ROUNDS), (32, 1)):
    medians = interleave({"apus": train_apus(batch), "PyTorch": train_torch(batch)}, rounds)
    worst = max(worst, report(f"train an epoch, batch {batch}", medians, "PyTorch"))

# Prediction: the same shapes; the values of the weights make no difference to the time.
apus.run("TRAIN MODEL people FROM train_rows OPTIONS (batch_size = 1024)")
network = torch_network().eval()
sample, _ = apus.run("SELECT age, log_income, is_weekend, PREDICT(MODEL people) FROM predict_rows LIMIT 5")
assert all(0 <= float(row[3]) <= 1 for row in sample), sample

weights = [p.detach().numpy() for p in network.parameters()]
names = ["w1", "b1", "w2", "b2", "w3", "b3"]
nodes = [
    helper.make_node("Gemm", ["x", "w1", "b1"], ["h1"], transB=1), helper.make_node("Relu", ["h1"], ["r1"]),
    helper.make_node("Gemm", ["r1", "w2", "b2"], ["h2"], transB=1), helper.make_node("Relu", ["h2"], ["r2"]),
    helper.make_node("Gemm", ["r2", "w3", "b3"], ["h3"], transB=1), helper.make_node("Sigmoid", ["h3"], ["y"])]
graph = helper.make_graph(
    nodes, "people", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 3])],
    [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])],
    [numpy_helper.from_array(value, name) for name, value in zip(names, weights)])
model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
model.ir_version = 9
options = onnxruntime.SessionOptions()
options.intra_op_num_threads = 2
session = onnxruntime.InferenceSession(
    model.SerializeToString(), options, providers=["CPUExecutionProvider"])


def predict_apus():
    rows, elapsed = apus.run("SELECT sum(PREDICT(MODEL people)), count(*) FROM predict_rows")
    assert int(rows[0][1]) == PREDICT_ROWS, rows
    return elapsed


def predict_onnx():
    start = time.perf_counter()
    total = 0.0
    for first in range(0, PREDICT_ROWS, 16_384):
        total += float(session.run(None, {"x": wide[first:first + 16_384]})[0].sum())
    return (time.perf_counter() - start) * 1000


medians = interleave({"apus": predict_apus, "ONNX Runtime": predict_onnx}, ROUNDS)
worst = max(worst, report("predict 10 M rows", medians, "ONNX Runtime"))
apus.close()
sys.exit(0 if worst <= 1 else f"slower than a peer: {worst:.2f}")
