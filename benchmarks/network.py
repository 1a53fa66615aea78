"""Training and prediction of networks beside PyTorch and ONNX Runtime, all in one run.

    PYTHON_WITH_TORCH benchmarks/network.py [rounds]

Needs torch, onnxruntime, onnx, numpy, pandas, pyarrow. Two threads each. Training, in milliseconds per epoch: the
multilayer perceptrons 3-64-32-1 (Adam, bce, dropout 0.3), 10-64-1 and 100-256-128-1 (Adam, mse) on 100,000 rows in batches of 32,
of 1,024 and of all; a 2-layer LSTM of 64 on 10,240 sequences of 30 in batches of 512. The loss must fall. Prediction: from the engine's own table, against ONNX Runtime with the same network on a ready-made array. That
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
TRAIN_ROWS, EPOCHS = 100_000, 3
torch.set_num_threads(2)
folder = tempfile.mkdtemp()
generator = np.random.default_rng(1)
apus = Apus()
worst = 0.0


class Perceptron:
    """widths: of the inputs, the hidden layers and the output. A classifier has dropout behind the first layer."""

    def __init__(self, widths, classifies, predict_rows):
        self.widths, self.classifies, self.predict_rows = widths, classifies, predict_rows
        self.text = "-".join(map(str, widths))
        self.name = "net_" + "_".join(map(str, widths))
        self.inputs = [f"x{i}" for i in range(widths[0])]
        self.features, self.targets = self.rows(TRAIN_ROWS)
        layers = []
        for index, (before, width) in enumerate(zip(widths, widths[1:])):
            layers.append(f"linear({before}, {width})")
            if index < len(widths) - 2:
                layers.append("relu()")
                if classifies and index == 0:
                    layers.append("dropout(0.3)")
        if classifies:
            layers.append("sigmoid()")
        apus.run(
            f"CREATE MODEL {self.name} INPUT ({', '.join(name + ' FLOAT' for name in self.inputs)}) "
            f"OUTPUT (target FLOAT) SEQUENTIAL ({', '.join(layers)}) OPTIONS (optimizer = 'adam', seed = 1, "
            f"loss = '{'bce' if classifies else 'mse'}', epochs = {EPOCHS})")
        self.table("train", self.features, self.targets)

    def rows(self, count):
        features = generator.standard_normal(size=(count, self.widths[0]), dtype=np.float32)
        score = 1.5 - features[:, 0] ** 2 + features[:, 1] + features[:, 2]
        if self.classifies:
            score = generator.random(count) < 1 / (1 + np.exp(-score))
        return features, score.astype(np.float32)

    def table(self, use, features, targets):
        columns = {name: features[:, i] for i, name in enumerate(self.inputs)}
        path = f"{folder}/{self.name}_{use}.parquet"
        pq.write_table(pa.table({**columns, "target": targets}), path, compression="none")
        apus.run(f"CREATE TABLE {self.name}_{use} AS FROM '{path}'")
        os.remove(path)

    def torch(self):
        layers = []
        for index, (before, width) in enumerate(zip(self.widths, self.widths[1:])):
            layers.append(torch.nn.Linear(before, width))
            if index < len(self.widths) - 2:
                layers.append(torch.nn.ReLU())
                if self.classifies and index == 0:
                    layers.append(torch.nn.Dropout(0.3))
        return torch.nn.Sequential(*layers, *([torch.nn.Sigmoid()] if self.classifies else []))

    def train_apus(self, batch):
        def run():
            rows, elapsed = apus.run(
                f"TRAIN MODEL {self.name} FROM {self.name}_train OPTIONS (batch_size = {batch})")
            assert len(rows) == EPOCHS and float(rows[-1][2]) < float(rows[0][2]) + 1e-3, rows
            return elapsed / EPOCHS
        return run

    def train_torch(self, batch):
        loss_of = torch.nn.BCELoss() if self.classifies else torch.nn.MSELoss()
        inputs, targets = torch.from_numpy(self.features), torch.from_numpy(self.targets).reshape(-1, 1)
        size = TRAIN_ROWS if batch == "'full'" else batch
        return lambda: train_torch(self.torch(), loss_of, inputs, targets, size, 1 if size < 256 else EPOCHS)

    def onnx(self):
        weights = [p.detach().numpy() for p in self.torch().parameters()]
        nodes, values, last = [], [], "x"
        for index in range(0, len(weights), 2):
            names = [f"w{index}", f"b{index}"]
            values += [numpy_helper.from_array(v, n) for v, n in zip(weights[index:index + 2], names)]
            nodes.append(helper.make_node("Gemm", [last, *names], [f"h{index}"], transB=1))
            last = f"h{index}"
            if index < len(weights) - 2:
                nodes.append(helper.make_node("Relu", [last], [f"r{index}"]))
                last = f"r{index}"
        nodes.append(helper.make_node("Sigmoid" if self.classifies else "Identity", [last], ["y"]))
        graph = helper.make_graph(
            nodes, self.name,
            [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, self.widths[0]])],
            [helper.make_tensor_value_info("y", TensorProto.FLOAT, [None, 1])], values)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
        model.ir_version = 9
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 2
        return onnxruntime.InferenceSession(
            model.SerializeToString(), options, providers=["CPUExecutionProvider"])

    def predict(self):
        """The medians of the engine and of ONNX Runtime over `predict_rows` rows."""
        wide, targets = self.rows(self.predict_rows)
        self.table("predict", wide, targets)
        apus.run(f"TRAIN MODEL {self.name} FROM {self.name}_train OPTIONS (batch_size = 1024, epochs = 1)")
        session = self.onnx()

        def predict_apus():
            rows, elapsed = apus.run(
                f"SELECT sum(PREDICT(MODEL {self.name})), count(*) FROM {self.name}_predict")
            assert int(rows[0][1]) == self.predict_rows and np.isfinite(float(rows[0][0])), rows
            return elapsed

        def predict_onnx():
            start = time.perf_counter()
            total = 0.0
            for first in range(0, self.predict_rows, 16_384):
                total += float(session.run(None, {"x": wide[first:first + 16_384]})[0].sum())
            return (time.perf_counter() - start) * 1000

        medians = interleave({"apus": predict_apus, "ONNX Runtime": predict_onnx}, ROUNDS)
        apus.run(f"DROP TABLE {self.name}_predict")
        return medians


def train_torch(network, loss_of, inputs, targets, size, epochs):
    """Milliseconds per epoch, shuffled."""
    optimizer = torch.optim.Adam(network.parameters())
    start = time.perf_counter()
    for _ in range(epochs):
        order = torch.randperm(len(inputs))
        for first in range(0, len(inputs), size):
            rows = order[first:first + size]
            loss = loss_of(network(inputs[rows]), targets[rows])
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
    return (time.perf_counter() - start) * 1000 / epochs


class Recurrent(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.lstm = torch.nn.LSTM(1, 64, 2, batch_first=True)
        self.linear = torch.nn.Linear(64, 1)

    def forward(self, x):
        return self.linear(self.lstm(x)[0][:, -1, :])


def sequences():
    """The medians of an epoch over 10,240 sequences of 30 values."""
    walks = np.cumsum(generator.standard_normal(size=(10_240, 31), dtype=np.float32) * 0.1, axis=1)
    history = pa.FixedSizeListArray.from_arrays(pa.array(np.ascontiguousarray(walks[:, :30]).ravel()), 30)
    pq.write_table(pa.table({"history": history, "following": walks[:, 30]}), f"{folder}/walks.parquet")
    apus.run(f"CREATE TABLE walks AS SELECT history::FLOAT[30] AS history, following FROM '{folder}/walks.parquet'")
    apus.run(
        "CREATE MODEL recurrent INPUT (history FLOAT[30]) OUTPUT (following FLOAT) "
        "SEQUENTIAL (reshape(30, 1), lstm(64, num_layers => 2), last(), linear(64, 1)) "
        "OPTIONS (loss = 'mse', optimizer = 'adam', batch_size = 512, epochs = 2, seed = 1)")
    inputs, targets = torch.from_numpy(walks[:, :30, None].copy()), torch.from_numpy(walks[:, 30:].copy())

    def train_apus():
        rows, elapsed = apus.run("TRAIN MODEL recurrent FROM walks")
        assert float(rows[1][2]) < float(rows[0][2]), rows
        return elapsed / 2

    return interleave(
        {"apus": train_apus,
         "PyTorch": lambda: train_torch(Recurrent(), torch.nn.MSELoss(), inputs, targets, 512, 2)}, ROUNDS)


networks = [
    Perceptron([3, 64, 32, 1], True, 10_000_000), Perceptron([10, 64, 1], False, 10_000_000),
    Perceptron([100, 256, 128, 1], False, 2_000_000)]
for network in networks:
    for batch in (32, 1024, "'full'"):
        medians = interleave(
            {"apus": network.train_apus(batch), "PyTorch": network.train_torch(batch)},
            1 if batch == 32 else ROUNDS)
        worst = max(worst, report(f"{network.text}: train an epoch, batch {batch}", medians, "PyTorch"))
worst = max(worst, report("2-layer LSTM: train an epoch, batch 512", sequences(), "PyTorch"))
for network in networks:
    title = f"{network.text}: predict {network.predict_rows // 1_000_000} M rows"
    worst = max(worst, report(title, network.predict(), "ONNX Runtime"))
apus.close()
sys.exit(0 if worst <= 1 else f"slower than a peer: {worst:.2f}")
