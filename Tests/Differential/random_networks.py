#!/usr/bin/env python3
"""Random networks and random trainings, in Apus and in PyTorch.

    python random_networks.py --apus .build/release/apus --networks 300 --trainings 300 --seed 1

A network is a chain of random layers with random options over a vector, a sequence, an image or ids; its
weights are PyTorch's, handed over as safetensors. Compared are what it predicts, the gradient of its first
output by its inputs, and its weights after one step of plain gradient descent (so that every weight's gradient
is), running statistics among them. A training takes a small smooth network through some epochs of full batches
with a random loss, optimizer, schedule, clipping and weights of rows and classes; the losses, learning rates
and last weights are compared.

PyTorch computes in float64. A value may be off by 1e-5 of the largest of its kind, by 1e-4 behind recurrent
layers and attention, or by some times what PyTorch's own float32 is off. Needs torch and safetensors. The
exit status is 1 if something differs; `--only N` runs one case and shows its SQL.
"""

import argparse
import copy
import json
import math
import os
import random
import subprocess
import sys
import tempfile

import torch
from safetensors.torch import save_file
from torch import nn


class Apus:
    """The program behind its JSON-lines protocol; an error is raised."""

    def __init__(self, path):
        self.process = subprocess.Popen([path, "--protocol", "jsonl"], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)

    def ask(self, sql):
        self.process.stdin.write(json.dumps({"sql": sql}) + "\n")
        self.process.stdin.flush()
        line = self.process.stdout.readline()
        if not line:
            raise SystemExit(f"CRASH, exit status {self.process.wait()}: {sql[:2000]}")
        reply = json.loads(line)
        if "error" in reply:
            raise Refused(f"{reply['error']} in {sql[:400]}")
        return reply

    def floats(self, sql):
        """Rows of lists of numbers, or of numbers."""
        return torch.tensor([[float(item) for item in (row[0] or "nan").strip("[]").split(", ")]
                             for row in self.ask(sql)["rows"]], dtype=torch.float64)


class Refused(Exception):
    pass


# MARK: Layers


class Function(nn.Module):
    """A layer without weights."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, x):
        return self.function(x)


def recurrent(kind, features, hidden, layers, both):
    return {"lstm": nn.LSTM, "gru": nn.GRU, "rnn": nn.RNN}[kind](
        features, hidden, layers, batch_first=True, bidirectional=both)


def apply(module, x):
    if isinstance(module, (nn.LSTM, nn.GRU, nn.RNN)):
        return module(x)[0]
    if isinstance(module, nn.MultiheadAttention):
        mask = None
        if module.causal:
            mask = torch.triu(torch.ones(x.shape[1], x.shape[1], dtype=torch.bool), 1)
        return module(x, x, x, attn_mask=mask, need_weights=False)[0]
    if isinstance(module, nn.TransformerEncoderLayer):
        mask = torch.triu(torch.full((x.shape[1], x.shape[1]), -math.inf, dtype=x.dtype), 1) if module.causal else None
        return module(x, src_mask=mask)
    if isinstance(module, nn.Embedding):
        return module(x.long())
    return module(x)


ACTIVATIONS = [
    ("relu()", nn.ReLU), ("leaky_relu()", nn.LeakyReLU), ("gelu()", nn.GELU),
    ("gelu_tanh()", lambda: nn.GELU(approximate="tanh")), ("silu()", nn.SiLU), ("elu()", nn.ELU), ("tanh()", nn.Tanh),
    ("sigmoid()", nn.Sigmoid), ("softplus()", nn.Softplus), ("selu()", nn.SELU), ("mish()", nn.Mish),
    ("hardswish()", nn.Hardswish), ("softsign()", nn.Softsign), ("leaky_relu(0.2)", lambda: nn.LeakyReLU(0.2)),
    ("elu(0.7)", lambda: nn.ELU(0.7)), ("softplus(2.0)", lambda: nn.Softplus(2.0)), ("identity()", nn.Identity),
]


def activation(chance):
    sql, make = chance.choice(ACTIVATIONS)
    return sql, make()


def window(chance, sizes, transposed=False):
    """Kernel, stride, padding and dilation that fit, each a number or one for each axis."""
    axes = len(sizes)

    def pick(low, high):
        both = [chance.randint(low, high) for _ in range(axes)]
        return [both[0]] * axes if chance.random() < 0.6 else both

    for _ in range(50):
        kernel, stride, dilation = pick(1, 4), pick(1, 3), pick(1, 2 if chance.random() < 0.4 else 1)
        padding = pick(0, 2 if chance.random() < 0.6 else 0)
        extents = [d * (k - 1) + 1 for k, d in zip(kernel, dilation)]
        if transposed or all(s + 2 * p >= e for s, p, e in zip(sizes, padding, extents)):
            return kernel, stride, padding, dilation
    return [1] * axes, [1] * axes, [0] * axes, [1] * axes


def written(values):
    if len(values) == 1 or len(set(values)) == 1:
        return str(values[0])
    return "[" + ", ".join(map(str, values)) + "]"


def convolution(chance, shape):
    axes = len(shape) - 1
    kernel, stride, padding, dilation = window(chance, shape[1:])
    groups = chance.choice([g for g in range(1, shape[0] + 1) if shape[0] % g == 0])
    out, bias = groups * chance.randint(1, 3), chance.random() < 0.8
    module = [nn.Conv1d, nn.Conv2d][axes - 1](shape[0], out, kernel, stride, padding, dilation, groups, bias)
    return (f"conv{axes}d({out}, kernel_size => {written(kernel)}, stride => {written(stride)}, "
            f"padding => {written(padding)}, dilation => {written(dilation)}, groups => {groups}, "
            f"bias => {'true' if bias else 'false'})", module)


def transposed(chance, shape):
    kernel, stride, padding, _ = window(chance, shape[1:])
    padding = [min(p, k - 1) for p, k in zip(padding, kernel)]
    extra = [chance.randint(0, s - 1) for s in stride]
    out, bias = chance.randint(1, 3), chance.random() < 0.8
    module = nn.ConvTranspose2d(shape[0], out, kernel, stride, padding, extra, 1, bias)
    return (f"conv_transpose2d({out}, kernel_size => {written(kernel)}, stride => {written(stride)}, "
            f"padding => {written(padding)}, output_padding => {written(extra)}, "
            f"bias => {'true' if bias else 'false'})", module)


def pooling(chance, shape):
    axes = len(shape) - 1
    kernel, stride, padding, _ = window(chance, shape[1:])
    padding = [min(p, k // 2) for p, k in zip(padding, kernel)]
    ceiling = chance.random() < 0.4
    options = (f"{written(kernel)}, stride => {written(stride)}, padding => {written(padding)}, "
               f"ceil_mode => {'true' if ceiling else 'false'}")
    if chance.random() < 0.5:
        return f"max_pool{axes}d({options})", [nn.MaxPool1d, nn.MaxPool2d][axes - 1](
            *pooled(axes, kernel, stride, padding), ceil_mode=ceiling)
    counts = chance.random() < 0.5
    return (f"avg_pool{axes}d({options}, count_include_pad => {'true' if counts else 'false'})",
            [nn.AvgPool1d, nn.AvgPool2d][axes - 1](
                *pooled(axes, kernel, stride, padding), ceil_mode=ceiling, count_include_pad=counts))


def pooled(axes, *values):
    return [value[0] if axes == 1 else tuple(value) for value in values]


def reshaped(chance, count):
    """A sequence or an image of so many values."""
    axes = chance.choice([2, 2, 3])
    for _ in range(30):
        parts, rest = [], count
        for _ in range(axes - 1):
            part = chance.choice([d for d in range(1, rest + 1) if rest % d == 0])
            parts.append(part)
            rest //= part
        parts.append(rest)
        if max(parts) <= 24:
            break
    return f"reshape({', '.join(map(str, parts))})", nn.Unflatten(1, parts)


def layer(chance, shape):
    """A layer that takes rows of this shape: its SQL and its module."""
    width = shape[-1]
    choices = ["activation", "activation", "linear", "linear", "layernorm", "rmsnorm", "batchnorm", "softmax"]
    if len(shape) == 1:
        choices += ["reshape"] * 4 if 4 <= width <= 96 else []
    if len(shape) == 2:
        choices += ["lstm", "gru", "rnn", "attention", "transformer_encoder", "last", "flatten", "mean", "convolution",
                    "pooling", "positions", "global"]
    if len(shape) == 3:
        choices += ["convolution", "convolution", "pooling", "pooling", "transposed", "global", "adaptive", "upsample",
                    "flatten", "groupnorm"]
    kind = chance.choice(choices)
    if kind == "activation":
        return activation(chance)
    if kind == "linear":
        out, bias = chance.randint(1, 12), chance.random() < 0.85
        named = f"linear({width}, {out}" if chance.random() < 0.5 else f"linear({out}"
        return f"{named}, bias => {'true' if bias else 'false'})", nn.Linear(width, out, bias)
    if kind == "layernorm":
        return "layernorm()", nn.LayerNorm(width)
    if kind == "rmsnorm":
        return "rmsnorm()", nn.RMSNorm(width, eps=1e-6)
    if kind == "groupnorm":
        # torch refuses a group of one value.
        groups = chance.choice([g for g in range(1, shape[0] + 1) if shape[0] % g == 0 and math.prod(shape) > g] or [0])
        return (f"groupnorm({groups})", nn.GroupNorm(groups, shape[0])) if groups else ("identity()", nn.Identity())
    if kind == "batchnorm":
        momentum = chance.choice([0.1, 0.3])
        made = [nn.BatchNorm1d, nn.BatchNorm1d, nn.BatchNorm2d][len(shape) - 1]
        return f"batchnorm(momentum => {momentum})", made(shape[0], momentum=momentum)
    if kind == "softmax":
        return chance.choice([("softmax()", nn.Softmax(-1)), ("log_softmax()", nn.LogSoftmax(-1))])
    if kind == "reshape":
        return reshaped(chance, width)
    if kind in ("lstm", "gru", "rnn"):
        hidden, layers, both = chance.randint(1, 7), chance.choice([1, 1, 2, 3]), chance.random() < 0.4
        return (f"{kind}({hidden}, num_layers => {layers}, bidirectional => {'true' if both else 'false'})",
                recurrent(kind, width, hidden, layers, both))
    if kind in ("attention", "transformer_encoder"):
        heads = chance.choice([h for h in range(1, width + 1) if width % h == 0])
        causal = chance.random() < 0.3
        word = "true" if causal else "false"
        if kind == "attention":
            module = nn.MultiheadAttention(width, heads, batch_first=True)
            module.causal = causal
            return f"attention(heads => {heads}, causal => {word})", module
        inner, first = chance.randint(1, 12), chance.random() < 0.4
        name = chance.choice(["relu", "gelu"])
        module = nn.TransformerEncoderLayer(width, heads, inner, 0.0, name, batch_first=True, norm_first=first)
        module.causal = causal
        return (f"transformer_encoder({heads}, {inner}, activation => '{name}', causal => {word}, "
                f"norm_first => {'true' if first else 'false'})", module)
    if kind == "last":
        return "last()", Function(lambda x: x[:, -1])
    if kind == "mean":
        return "mean()", Function(lambda x: x.mean(1))
    if kind == "positions":
        module = Positions(shape)
        return "positions()", module
    if kind == "flatten":
        return "flatten()", nn.Flatten()
    if kind == "global":
        if chance.random() < 0.5:
            return "global_avg_pool()", Function(lambda x: x.flatten(2).mean(2))
        return "global_max_pool()", Function(lambda x: x.flatten(2).amax(2))
    if kind == "adaptive":
        size = [chance.randint(1, shape[1]), chance.randint(1, shape[2])]
        return f"adaptive_avg_pool2d({written(size)})", nn.AdaptiveAvgPool2d(size)
    if kind == "upsample":
        scale = chance.randint(1, 2)
        if chance.random() < 0.5:
            return f"upsample({scale})", nn.Upsample(scale_factor=scale)
        return f"upsample({scale}, mode => 'bilinear')", nn.Upsample(scale_factor=scale, mode="bilinear")
    if kind == "convolution":
        return convolution(chance, shape)
    if kind == "transposed":
        return transposed(chance, shape)
    return pooling(chance, shape)


class Positions(nn.Module):
    def __init__(self, shape):
        super().__init__()
        self.weight = nn.Parameter(torch.randn(shape))

    def forward(self, x):
        return x + self.weight


SENSITIVE = (nn.LSTM, nn.GRU, nn.RNN, nn.MultiheadAttention, nn.TransformerEncoderLayer)


class Network(nn.Module):
    def __init__(self, chance):
        super().__init__()
        self.sql, layers = [], []
        start = chance.choice(["vector", "sequence", "image", "ids"])
        self.takes_ids = start == "ids"
        if start == "vector":
            shape = [chance.randint(1, 24)]
            self.inputs = shape[0]
        elif start == "ids":
            steps, self.vocabulary, width = chance.randint(1, 8), chance.randint(2, 9), chance.randint(1, 6)
            self.inputs = steps
            self.sql.append(f"embedding({self.vocabulary}, {width})")
            layers.append(nn.Embedding(self.vocabulary, width))
            shape = [steps, width]
        else:
            shape = [chance.randint(1, 6) for _ in range(2 if start == "sequence" else 3)]
            if start == "image":
                shape = [shape[0], shape[1] + 2, shape[2] + 2]
            self.inputs = math.prod(shape)
            self.sql.append(f"reshape({', '.join(map(str, shape))})")
            layers.append(nn.Unflatten(1, shape))
        for _ in range(chance.randint(1, 6)):
            text, module = layer(chance, shape)
            made = self.shaped(module, shape)
            if made is None or math.prod(made) > 600:
                continue
            self.sql.append(text)
            layers.append(module)
            shape = made
        if len(shape) > 1:
            self.sql.append("flatten()")
            layers.append(nn.Flatten())
        self.outputs = chance.randint(1, 3)
        self.sql.append(f"linear({self.outputs})")
        layers.append(nn.Linear(math.prod(shape), self.outputs))
        self.layers = nn.ModuleList(layers)
        for parameter in self.parameters():
            nn.init.normal_(parameter, 0, 0.4)
        for name, parameter in self.named_parameters():
            if "norm" in type(self.get_submodule(name.rpartition(".")[0])).__name__.lower():
                with torch.no_grad():
                    parameter += 1
        for name, buffer in self.named_buffers():
            if name.endswith("running_mean"):
                buffer.normal_(0, 0.3)
            if name.endswith("running_var"):
                buffer.uniform_(0.5, 2)
        self.isSensitive = any(isinstance(module, SENSITIVE) for module in layers)

    def shaped(self, module, shape):
        try:
            module.eval()
            with torch.no_grad():
                made = list(apply(module, torch.zeros([2] + shape)).shape[1:])
            return made if all(made) else None
        except RuntimeError:
            return None

    def forward(self, x):
        for module in self.layers:
            x = apply(module, x)
        return x

    def rows(self, generator, count):
        if self.takes_ids:
            return torch.randint(0, self.vocabulary, (count, self.inputs), generator=generator).double()
        return torch.randn(count, self.inputs, generator=generator).float().double()


# MARK: Comparing


class Differences:
    def __init__(self):
        self.worst = {}

    def check(self, what, got, wanted, other, tolerance, smallest=1e-3):
        """`other`: PyTorch's own in float32. Returns what is wrong, or None."""
        wanted = wanted.double()
        scale = max(wanted.abs().max().item() if wanted.numel() else 0, smallest)
        allowed = tolerance * scale
        if other is not None:
            allowed = max(allowed, 8 * (other.double() - wanted).abs().max().item())
        if got.shape != wanted.shape:
            return f"{what}: shape {tuple(got.shape)}, not {tuple(wanted.shape)}"
        distance = (got - wanted).abs().max().item() if wanted.numel() else 0
        self.worst[what] = max(self.worst.get(what, 0), distance / allowed if allowed else 0)
        if distance <= allowed:
            return None
        return f"{what}: off by {distance:.3g}, allowed {allowed:.3g}\n  got    {got.flatten()[:8].tolist()}\n  wanted {wanted.flatten()[:8].tolist()}"


def literal(tensor):
    return "[" + ", ".join(repr(float(x)) for x in tensor) + "]"


def state(module):
    """The weights as Apus names them."""
    return {name.removeprefix("layers."): value.detach() for name, value in module.state_dict().items()
            if not name.endswith("num_batches_tracked")}


def load(apus, folder, module):
    path = os.path.join(folder, "weights.safetensors")
    save_file({name: value.float().contiguous() for name, value in state(module).items()}, path)
    apus.ask(f"ALTER MODEL m LOAD WEIGHTS FROM '{path}' (STRICT true)")


def weights(apus):
    rows = apus.ask("SELECT name, \"values\" FROM weights(MODEL m)")["rows"]
    return {name: torch.tensor([float(x) for x in text.strip("[]").split(", ")], dtype=torch.float64)
            for name, text in rows}


def compare_weights(differences, what, apus, exact, single, tolerance):
    found, wanted, other = weights(apus), state(exact), state(single)
    if set(found) != set(wanted):
        return [f"{what}: weights {sorted(found)}, not {sorted(wanted)}"]
    return [wrong for name in wanted if (wrong := differences.check(
        what, found[name], wanted[name].flatten(), other[name].flatten(), tolerance, smallest=0.1))]


# MARK: Networks


def network_case(seed, apus, folder, differences, show):
    chance, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    net = Network(chance)
    exact = copy.deepcopy(net).double()
    rows = chance.choice([1, 2, 3, 17, 40])
    x = exact.rows(generator, rows)
    tolerance = 1e-4 if net.isSensitive else 1e-5
    create = (f"CREATE OR REPLACE MODEL m INPUT (v FLOAT[{net.inputs}]) OUTPUT (o FLOAT[{net.outputs}]) "
              f"SEQUENTIAL ({', '.join(net.sql)}) OPTIONS (loss = 'mse', optimizer = 'sgd', batch_size = 'full', "
              f"epochs = 1, shuffle = false)")
    if show:
        print(create)
    apus.ask(create)
    load(apus, folder, net)
    target = torch.randn(rows, net.outputs, generator=generator).float().double()
    values = ", ".join(f"({i}, {literal(a)}, {literal(b)})" for i, (a, b) in enumerate(zip(x, target)))
    apus.ask(f"CREATE OR REPLACE TABLE t AS SELECT i, v::FLOAT[{net.inputs}] AS v, o::FLOAT[{net.outputs}] AS o "
             f"FROM (VALUES {values}) t(i, v, o)")
    wrong = []
    exact.eval(), net.eval()
    x.requires_grad_(True)
    outputs = exact(x)
    with torch.no_grad():
        other = net(x.float())
    wrong.append(differences.check("outputs", apus.floats("SELECT PREDICT(MODEL m) FROM t ORDER BY i"),
                                   outputs.detach(), other, tolerance))
    single_x = x.detach().float().requires_grad_(True)
    if not net.takes_ids:
        outputs[:, 0].sum().backward()
        net(single_x)[:, 0].sum().backward()
        wrong.append(differences.check("input gradients", apus.floats("SELECT gradient(MODEL m, v) FROM t ORDER BY i"),
                                       x.grad, single_x.grad, tolerance))
    if rows > 1 or not any("batchnorm" in text for text in net.sql):
        wrong += trained_once(apus, differences, exact, net, x.detach(), target, tolerance)
    return [text for text in wrong if text]


def trained_once(apus, differences, exact, net, x, target, tolerance):
    for module, inputs, wanted in ((exact, x, target), (net, x.float(), target.float())):
        module.zero_grad()
        module.train()
        nn.functional.mse_loss(module(inputs), wanted).backward()
    largest = max((p.grad.abs().max().item() for p in exact.parameters() if p.grad is not None), default=0)
    rate = float(f"{min(1e4, 0.5 / max(largest, 1e-6)):.3g}")
    with torch.no_grad():
        for module in (exact, net):
            for parameter in module.parameters():
                if parameter.grad is not None:
                    parameter -= rate * parameter.grad
    apus.ask(f"TRAIN m WARM START FROM (SELECT v, o FROM t ORDER BY i) OPTIONS (lr = {rate})")
    return compare_weights(differences, "weights after a step", apus, exact, net, tolerance)


# MARK: Trainings


def optimizer(chance):
    """SQL options, and what makes the optimizer of some parameters."""
    rate = round(10 ** chance.uniform(-3, -1.3), 5)
    decay = chance.choice([0, 0, 0.01, 0.1])
    kind = chance.choice(["sgd", "adam", "adamw", "rmsprop", "adagrad", "adadelta", "adamax", "nadam", "radam"])
    options = {"lr": rate}
    if decay or kind == "adamw":
        options["weight_decay"] = decay
    known, betas = {}, (chance.choice([0.9, 0.8, 0.5]), chance.choice([0.999, 0.99]))
    if kind == "sgd":
        if chance.random() < 0.7:
            options["momentum"] = chance.choice([0.5, 0.9])
            if chance.random() < 0.4:
                options["nesterov"] = True
            elif chance.random() < 0.4:
                options["dampening"] = 0.3
    if kind in ("adam", "adamw", "adamax", "nadam", "radam"):
        known = {"beta1": betas[0], "beta2": betas[1]}
        options["betas"] = betas
        if kind in ("adam", "adamw") and chance.random() < 0.4:
            options["amsgrad"] = True
    if kind in ("adam", "adamw", "rmsprop", "adagrad", "adamax") and chance.random() < 0.5:
        options["eps"] = chance.choice([1e-3, 1e-5])
    if kind == "rmsprop":
        options["alpha"] = chance.choice([0.99, 0.9])
        if chance.random() < 0.5:
            options["momentum"] = 0.9
        if chance.random() < 0.5:
            options["centered"] = True
    if kind == "adagrad" and chance.random() < 0.5:
        options |= {"lr_decay": 0.1, "initial_accumulator_value": 0.1}
    if kind == "adadelta":
        options |= {"lr": 1.0, "rho": chance.choice([0.9, 0.7]), "eps": 1e-4}
    written_options = [f"optimizer = '{kind}'"] + [
        f"{name} = {str(value).lower() if isinstance(value, bool) else value}"
        for name, value in (options | known).items() if name != "betas"]
    made = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam, "adamw": torch.optim.AdamW, "nadam": torch.optim.NAdam,
            "rmsprop": torch.optim.RMSprop, "adagrad": torch.optim.Adagrad, "adadelta": torch.optim.Adadelta,
            "adamax": torch.optim.Adamax, "radam": torch.optim.RAdam}[kind]
    return written_options, lambda parameters: made(parameters, **options)


def schedule(chance):
    s = torch.optim.lr_scheduler
    gamma, steps = chance.choice([0.5, 0.9]), chance.randint(1, 4)
    low = chance.choice([0, 0.0001])
    return chance.choice([
        (None, None), (None, None),
        (f"step(step_size => {steps}, gamma => {gamma})", lambda o: s.StepLR(o, steps, gamma)),
        (f"exponential(gamma => {gamma})", lambda o: s.ExponentialLR(o, gamma)),
        (f"cosine(t_max => {steps + 2}, eta_min => {low})", lambda o: s.CosineAnnealingLR(o, steps + 2, low)),
        (f"multi_step(milestones => [1, {steps + 1}], gamma => {gamma})",
         lambda o: s.MultiStepLR(o, [1, steps + 1], gamma)),
        (f"warmup(start_factor => 0.25, total_iters => {steps})", lambda o: s.LinearLR(o, 0.25, 1.0, steps)),
        (f"polynomial(total_iters => {steps}, power => 2)", lambda o: s.PolynomialLR(o, steps, 2.0)),
        (f"constant(factor => 0.5, total_iters => {steps})", lambda o: s.ConstantLR(o, 0.5, steps)),
        (f"cosine_restarts(t_0 => {steps}, t_mult => 2)", lambda o: s.CosineAnnealingWarmRestarts(o, steps, 2)),
        ("reduce_on_plateau(factor => 0.5, patience => 1)", lambda o: s.ReduceLROnPlateau(o, factor=0.5, patience=1)),
    ])


def mean(losses, rows):
    """The mean by the rows' weights."""
    while losses.dim() > 1:
        losses = losses.mean(-1)
    return (losses * rows).sum() / rows.sum()


def loss(chance, classes):
    """Its SQL options, the output, the literal of a target and the loss of a batch."""
    f = nn.functional
    kind = chance.choice(["mse", "mae", "huber", "smooth_l1", "bce", "bce_with_logits", "cross_entropy", "softmax"])
    delta = chance.choice([0.5, 1.0, 2.0])
    if kind in ("mse", "mae", "huber", "smooth_l1"):
        function = {"mse": lambda a, b: f.mse_loss(a, b, reduction="none"),
                    "mae": lambda a, b: f.l1_loss(a, b, reduction="none"),
                    "huber": lambda a, b: f.huber_loss(a, b, reduction="none", delta=delta),
                    "smooth_l1": lambda a, b: f.smooth_l1_loss(a, b, reduction="none", beta=delta)}[kind]
        options = [f"loss = '{kind}'"] + ([f"delta = {delta}"] if kind in ("huber", "smooth_l1") else [])
        return options, "numbers", "", lambda a, b, rows: mean(function(a, b), rows)
    if kind in ("bce", "bce_with_logits"):
        positive = chance.choice([None, 2.5])
        options = [f"loss = '{kind}'"] + ([f"pos_weight = {positive}"] if positive else [])

        def binary(a, b, rows):
            weight = torch.tensor(positive, dtype=a.dtype) if positive else None
            return mean(f.binary_cross_entropy_with_logits(a, b, pos_weight=weight, reduction="none"), rows)
        return options, "binary", "sigmoid()" if kind == "bce" else "", binary
    smoothing = chance.choice([0, 0, 0.1])
    chosen = [round(chance.uniform(0.2, 3), 2) for _ in range(classes)] if chance.random() < 0.4 else None
    options = ["loss = 'cross_entropy'"] + ([f"label_smoothing = {smoothing}"] if smoothing else [])
    if chosen:
        options.append("class_weights = {" + ", ".join(f"'{i}': {w}" for i, w in enumerate(chosen)) + "}")

    def categorical(a, b, rows):
        # A row counts with the weight of its class; torch's `weight` would weigh the smoothed part by all classes.
        counts = rows * torch.tensor(chosen, dtype=a.dtype)[b] if chosen else rows
        return mean(f.cross_entropy(a, b, reduction="none", label_smoothing=smoothing), counts)
    return options, "classes", "softmax()" if kind == "softmax" else "", categorical


def training_case(seed, apus, folder, differences, show):
    chance, generator = random.Random(seed), torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    inputs, hidden, classes, rows = chance.randint(1, 6), chance.randint(2, 9), chance.randint(2, 4), chance.choice(
        [5, 16, 33])
    options, kind, end, measure = loss(chance, classes)
    width = {"numbers": chance.randint(1, 3), "binary": 1, "classes": classes}[kind]
    text, smooth = chance.choice([("tanh()", nn.Tanh()), ("gelu()", nn.GELU()), ("sigmoid()", nn.Sigmoid())])
    net = nn.Sequential(nn.Linear(inputs, hidden), smooth, nn.Linear(hidden, width))
    exact = copy.deepcopy(net).double()
    x = torch.randn(rows, inputs, generator=generator).float().double()
    weighted = chance.random() < 0.4
    row_weights = torch.rand(rows, generator=generator).float().double() + 0.1 if weighted else torch.ones(rows).double()
    if kind == "numbers":
        target = torch.randn(rows, width, generator=generator).float().double()
        output, cells = f"FLOAT[{width}]", [f"{literal(row)}::FLOAT[{width}]" for row in target]
    elif kind == "binary":
        target = torch.randint(0, 2, (rows, 1), generator=generator).double()
        output, cells = "FLOAT", [str(float(row)) for row in target]
    else:
        target = torch.randint(0, classes, (rows,), generator=generator)
        target[:classes] = torch.arange(classes)
        output = f"INTEGER CLASSES ({', '.join(map(str, range(classes)))})"
        cells = [str(int(row)) for row in target]
    steps = chance.randint(2, 8)
    made, optimizer_of = optimizer(chance)
    plan, schedule_of = schedule(chance)
    clip = chance.choice([None, None, ("clip_norm", 0.05), ("clip_value", 0.02)])
    options += made + [f"epochs = {steps}", "batch_size = 'full'"]
    options += [f"lr_schedule = '{plan}'"] if plan else []
    options += [f"{clip[0]} = {clip[1]}"] if clip else []
    penalties = {name: value for name in ("l1_reg", "l2_reg") if (value := chance.choice([0, 0, 0, 0.01]))}
    options += [f"{name} = {value}" for name, value in penalties.items()]
    layers = [f"linear({hidden})", text, f"linear({width})"] + ([end] if end else [])
    create = (f"CREATE OR REPLACE MODEL m INPUT (v FLOAT[{inputs}]) OUTPUT (o {output}) "
              f"SEQUENTIAL ({', '.join(layers)}) OPTIONS ({', '.join(options)})")
    if show:
        print(create)
    apus.ask(create)
    load(apus, folder, net)
    values = ", ".join(f"({i}, {literal(a)}, {cell}, {w})" for i, (a, cell, w) in enumerate(
        zip(x, cells, row_weights.tolist())))
    apus.ask(f"CREATE OR REPLACE TABLE t AS SELECT i, v::FLOAT[{inputs}] AS v, o, w FROM (VALUES {values}) t(i, v, o, w)")
    found = apus.ask(f"TRAIN m WARM START FROM t {'WEIGHT w ' if weighted else ''}ORDER BY i")
    columns = found["columns"]
    got = {name: torch.tensor([float(row[columns.index(name)]) for row in found["rows"]], dtype=torch.float64)
           for name in ("loss", "learning_rate")}
    history = {}
    for name, module, dtype in (("exact", exact, torch.float64), ("single", net, torch.float32)):
        history[name] = run(module, optimizer_of, schedule_of, measure, clip, penalties, steps, x.to(dtype),
                            target if kind == "classes" else target.to(dtype), row_weights.to(dtype))
    wrong = [differences.check("losses", got["loss"], history["exact"][0], history["single"][0], 1e-5),
             differences.check("learning rates", got["learning_rate"], history["exact"][1], None, 1e-6)]
    wrong += compare_weights(differences, "trained weights", apus, exact, net, 1e-5)
    return [text for text in wrong if text]


def run(module, optimizer_of, schedule_of, measure, clip, penalties, steps, x, target, rows):
    made = optimizer_of(module.parameters())
    plan = schedule_of(made) if schedule_of else None
    losses, rates = [], []
    for _ in range(steps):
        rates.append(made.param_groups[0]["lr"])
        made.zero_grad()
        value = measure(module(x), target, rows)
        matrices = [p for p in module.parameters() if p.dim() > 1]
        whole = value + penalties.get("l1_reg", 0) * sum(p.abs().sum() for p in matrices)
        (whole + penalties.get("l2_reg", 0) * sum((p * p).sum() for p in matrices)).backward()
        if clip and clip[0] == "clip_norm":
            nn.utils.clip_grad_norm_(module.parameters(), clip[1])
        if clip and clip[0] == "clip_value":
            nn.utils.clip_grad_value_(module.parameters(), clip[1])
        made.step()
        losses.append(value.item())
        if isinstance(plan, torch.optim.lr_scheduler.ReduceLROnPlateau):
            plan.step(value.item())
        elif plan:
            plan.step()
    return torch.tensor(losses, dtype=torch.float64), torch.tensor(rates, dtype=torch.float64)


def run_cases(program, cases, seed, only):
    """Runs cases of (name, number, function), or the one named `only`; exits with 1 if something differs."""
    torch.set_num_threads(1)
    apus, differences, failures = Apus(program), Differences(), 0
    with tempfile.TemporaryDirectory() as folder:
        for name, number, case in cases:
            if only and only != name:
                continue
            try:
                wrong = case(seed * 1_000_003 + number, apus, folder, differences, bool(only))
            except Refused as refusal:
                wrong = [f"refused: {refusal}"]
            if wrong:
                failures += 1
                print(f"--seed {seed} --only {name}\n  " + "\n  ".join(wrong), flush=True)
    print(f"{len(cases)} cases, {failures} differ; the worst, as a part of what is allowed: "
          + ", ".join(f"{what} {share:.2f}" for what, share in sorted(differences.worst.items())))
    sys.exit(1 if failures else 0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--apus", required=True)
    parser.add_argument("--networks", type=int, default=300)
    parser.add_argument("--trainings", type=int, default=300)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", help="n17 or t17: one network or training of this seed")
    arguments = parser.parse_args()
    cases = [(f"n{i}", i, network_case) for i in range(arguments.networks)]
    cases += [(f"t{i}", i, training_case) for i in range(arguments.trainings)]
    run_cases(arguments.apus, cases, arguments.seed, arguments.only)


if __name__ == "__main__":
    main()
