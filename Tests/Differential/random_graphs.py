#!/usr/bin/env python3
"""Random GRAPHs of several inputs and outputs, in Apus and in PyTorch.

    python random_graphs.py --apus .build/release/apus --graphs 300 --seed 1

Nodes are layers over one or several earlier nodes, which anybody may read again: values that are written in
place, spared, added up on the way back. Compared are every output, its gradient by every input, and the weights
after one step of plain gradient descent over the outputs' weighted losses. Tolerances as in random_networks.py.
"""

import argparse
import random

import torch
from torch import nn

from random_networks import ACTIVATIONS, compare_weights, literal, load, run_cases


class Graph(nn.Module):
    def __init__(self, chance):
        super().__init__()
        self.widths = {f"i{n}": chance.randint(1, 6) for n in range(chance.randint(1, 3))}
        self.inputs = dict(self.widths)
        self.nodes, self.sql, self.layers = [], [], nn.ModuleDict()
        for number in range(chance.randint(2, 10)):
            self.add(chance, f"n{number}", None)
        self.outputs = {f"o{n}": chance.randint(1, 3) for n in range(chance.randint(1, 3))}
        for name, width in self.outputs.items():
            self.add(chance, name, width)
        for parameter in self.parameters():
            nn.init.normal_(parameter, 0, 0.5)

    def add(self, chance, name, width):
        """A node of that width, or of any."""
        names = list(self.widths)
        # Mostly what came last, so that a graph is deep.
        source = chance.choice(names[-3:] if chance.random() < 0.6 else names)
        kinds = ["linear", "act linear", "linear act"] if width else [
            "linear", "act linear", "act", "act", "softmax", "add", "add", "mul", "concat", "layernorm", "act concat"]
        kind = chance.choice(kinds)
        text, made = chance.choice(ACTIVATIONS)
        text, activation = text[:-1], made()
        arguments = f", {text.partition('(')[2]}" if text.partition("(")[2] else ""
        text = text.partition("(")[0]
        others = [n for n in names if self.widths[n] == self.widths[source]]
        second = chance.choice(others if kind in ("add", "mul") else names)
        joined = self.widths[source] + self.widths[second]
        out = width or chance.randint(1, 6)
        if "linear" in kind:
            self.layers[name] = nn.Linear(self.widths[source], out)
        linear = self.layers[name] if name in self.layers else None
        if kind == "layernorm":
            linear = self.layers[name] = nn.LayerNorm(self.widths[source])
        sql, size, function = {
            "linear": (f"linear({source}, {out})", out, lambda x, y: linear(x)),
            "act linear": (f"{text}(linear({source}, {out}){arguments})", out, lambda x, y: activation(linear(x))),
            "linear act": (f"linear({text}({source}{arguments}), {out})", out, lambda x, y: linear(activation(x))),
            "act": (f"{text}({source}{arguments})", self.widths[source], lambda x, y: activation(x)),
            "softmax": (f"softmax({source})", self.widths[source], lambda x, y: x.softmax(-1)),
            "layernorm": (f"layernorm({source})", self.widths[source], lambda x, y: linear(x)),
            "add": (f"{source} + {second}" if chance.random() < 0.5 else f"add({source}, {second})",
                    self.widths[source], lambda x, y: x + y),
            "mul": (f"mul({source}, {second})", self.widths[source], lambda x, y: x * y),
            "concat": (f"concat({source}, {second})", joined, lambda x, y: torch.cat([x, y], -1)),
            "act concat": (f"{text}(concat({source}, {second}){arguments})", joined,
                           lambda x, y: activation(torch.cat([x, y], -1))),
        }[kind]
        self.widths[name] = size
        self.nodes.append((name, source, second, function))
        self.sql.append(f"{sql} AS {name}")

    def forward(self, inputs):
        values = dict(inputs)
        for name, source, second, function in self.nodes:
            values[name] = function(values[source], values[second])
        return [values[name] for name in self.outputs]


def case(seed, apus, folder, differences, show):
    chance, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    net = Graph(chance)
    # Made anew, not copied: the nodes' functions hold on to their layers.
    exact = Graph(random.Random(seed))
    exact.load_state_dict(net.state_dict())
    exact.double()
    rows = chance.choice([1, 2, 5, 33])
    inputs = {name: torch.randn(rows, width, generator=generator).float().double() for name, width in net.inputs.items()}
    targets = [torch.randn(rows, width, generator=generator).float().double() for width in net.outputs.values()]
    parts = {name: chance.choice([1, 0.5, 2]) for name in net.outputs}
    options = ["optimizer = 'sgd'", "batch_size = 'full'", "epochs = 1", "shuffle = false",
               "loss_weights = {" + ", ".join(f"{name}: {part}" for name, part in parts.items()) + "}"]
    create = (f"CREATE OR REPLACE MODEL m INPUT ({', '.join(f'{n} FLOAT[{w}]' for n, w in net.inputs.items())}) "
              f"OUTPUT ({', '.join(f'{n} FLOAT[{w}]' for n, w in net.outputs.items())}) "
              f"GRAPH ({', '.join(net.sql)}) OPTIONS ({', '.join(options)})")
    if show:
        print(create)
    apus.ask(create)
    load(apus, folder, net)
    names = list(net.inputs) + list(net.outputs)
    widths = list(net.inputs.values()) + list(net.outputs.values())
    values = ", ".join(f"({i}, {', '.join(literal(t[i]) for t in list(inputs.values()) + targets)})" for i in range(rows))
    apus.ask(f"CREATE OR REPLACE TABLE t AS SELECT i, {', '.join(f'{n}::FLOAT[{w}] AS {n}' for n, w in zip(names, widths))} "
             f"FROM (VALUES {values}) t(i, {', '.join(names)})")
    wrong = []
    for tensor in inputs.values():
        tensor.requires_grad_(True)
    single = {name: tensor.detach().float().requires_grad_(True) for name, tensor in inputs.items()}
    given, other = exact(inputs), net(single)
    for place, name in enumerate(net.outputs):
        wrong.append(differences.check(
            "outputs", apus.floats(f"SELECT model_output.{name} FROM PREDICT(MODEL m, TABLE t) ORDER BY i"),
            given[place].detach(), other[place].detach(), 1e-5))
        slopes = torch.autograd.grad(given[place][:, 0].sum(), inputs.values(), retain_graph=True, allow_unused=True)
        rough = torch.autograd.grad(other[place][:, 0].sum(), single.values(), retain_graph=True, allow_unused=True)
        for (feature, tensor), slope, near in zip(inputs.items(), slopes, rough):
            zero = torch.zeros_like(tensor)
            wrong.append(differences.check(
                "gradients", apus.floats(f"SELECT gradient(MODEL m, {feature}, output => '{name}') FROM t ORDER BY i"),
                zero if slope is None else slope, zero if near is None else near, 1e-5))
    wrong += trained(apus, differences, exact, net, inputs, targets, parts)
    return [text for text in wrong if text]


def trained(apus, differences, exact, net, inputs, targets, parts):
    for module, kind in ((exact, torch.float64), (net, torch.float32)):
        module.zero_grad()
        outputs = module({name: tensor.detach().to(kind) for name, tensor in inputs.items()})
        sum(part * nn.functional.mse_loss(output, target.to(kind))
            for part, output, target in zip(parts.values(), outputs, targets)).backward()
    largest = max((p.grad.abs().max().item() for p in exact.parameters() if p.grad is not None), default=0)
    rate = float(f"{min(1e4, 0.5 / max(largest, 1e-6)):.3g}")
    with torch.no_grad():
        for module in (exact, net):
            for parameter in module.parameters():
                if parameter.grad is not None:
                    parameter -= rate * parameter.grad
    apus.ask(f"TRAIN m WARM START FROM t ORDER BY i OPTIONS (lr = {rate})")
    return compare_weights(differences, "weights after a step", apus, exact, net, 1e-5)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apus", required=True)
    parser.add_argument("--graphs", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="g17: one graph of this seed")
    arguments = parser.parse_args()
    run_cases(arguments.apus, [(f"g{i}", i, case) for i in range(arguments.graphs)], arguments.seed, arguments.only)


if __name__ == "__main__":
    main()
