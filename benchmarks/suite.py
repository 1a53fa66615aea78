"""All benchmarks beside the peers that this Python has, by one command; ratios are kept.

    make bench                                       # with PEERS=<a Python that has duckdb, torch, …>
    PYTHON benchmarks/suite.py [--only tpch,h2o] [--rounds 3] [--quick] [--no-record]

Data is generated once (data.py), nothing is installed. Each benchmark is a process of its own, checks
its answers, and prints medians of interleaved rounds. In the end: a table, a line in history.jsonl,
and RESULTS.md. `--quick` is a hundredth of the data, to see that all runs; it records nothing.
"""
import argparse
import datetime
import importlib.metadata
import importlib.util
import json
import math
import os
import platform
import subprocess
import sys
import tempfile

from peers import APUS, ROOT

HERE = os.path.join(ROOT, "benchmarks")
# name: modules that the peer needs, arguments behind the rounds, the same for --quick
BENCHMARKS = {
    "tpch parquet": (["duckdb"], "tpch.py", ["1", "parquet"], ["0.01", "parquet"]),
    "tpch file": (["duckdb"], "tpch.py", ["1", "file"], ["0.01", "file"]),
    "h2o": (["duckdb"], "h2o.py", [], ["100000"]),
    "windows": (["duckdb"], "windows.py", [], ["50000"]),
    "strings": (["duckdb"], "strings.py", [], ["100000"]),
    "dates": (["duckdb"], "dates.py", [], ["100000"]),
    "lists": (["duckdb"], "lists.py", [], ["100000"]),
    "kernels": (["duckdb"], "kernels.py", [], ["100000"]),
    "scans": (["duckdb"], "scans.py", ["1"], ["0.01"]),
    "rows": ([], "rows.py", [], ["2000"]),
    "network": (["torch", "onnx", "onnxruntime", "pandas", "pyarrow"], "network.py", [], []),
}
VERSIONS = ["duckdb", "torch", "onnxruntime", "pandas", "numpy", "pyarrow"]


def run(name, options, record):
    modules, script, arguments, quick = BENCHMARKS[name]
    missing = [module for module in modules if importlib.util.find_spec(module) is None]
    if missing:
        print(f"== {name}: passed over, this Python has no {', '.join(missing)}\n")
        return None
    print(f"== {name}", flush=True)
    command = [sys.executable, os.path.join(HERE, script), str(options.rounds)] + (quick if options.quick else arguments)
    open(record, "w").close()
    process = subprocess.run(command, env=dict(os.environ, APUS_BENCHMARK_RECORD=record))
    with open(record) as lines:
        results = [json.loads(line) for line in lines]
    if process.returncode not in (0, 1) or not results:
        print(f"== {name}: failed, exit status {process.returncode}\n")
    # 1 says that a ratio is above the script's own limit, or that answers differ; then the rest is missing.
    return {"results": results, "status": process.returncode}


def summary(results):
    times = [result["ratio"] for result in results if result["unit"] != "MB"]
    memory = [result["ratio"] for result in results if result["unit"] == "MB"]
    mean = math.exp(sum(map(math.log, times)) / len(times)) if times else math.nan
    worst = max((result for result in results if result["unit"] != "MB"), key=lambda result: result["ratio"], default=None)
    return mean, worst, memory[0] if memory else None


def machine():
    with open("/proc/cpuinfo") as lines:
        model = next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{os.cpu_count()} x {model}, {memory:.0f} GiB, {platform.freedesktop_os_release().get('PRETTY_NAME', platform.system())}"


def versions():
    found = {"apus": subprocess.check_output([APUS, "--version"], text=True).strip(), "python": platform.python_version()}
    for name in VERSIONS:
        if importlib.util.find_spec(name):
            found[name] = importlib.metadata.version(name)
    return found


def commit():
    try:
        return subprocess.check_output(["git", "-C", ROOT, "rev-parse", "--short", "HEAD"], text=True).strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


def table(outcomes):
    lines = ["| suite | ratio, geometric mean | worst | peak memory, ratio | peer |", "|---|---|---|---|---|"]
    for name, outcome in outcomes.items():
        mean, worst, memory = summary(outcome["results"])
        peers = ", ".join(sorted({result["peer"] for result in outcome["results"]}))
        place = f"{worst['ratio']:.2f} ({worst['title']})" if worst else "none"
        lines.append(f"| {name} | {mean:.2f} | {place} | {'' if memory is None else f'{memory:.2f}'} | {peers} |")
    return lines


def write(outcomes):
    now = datetime.date.today().isoformat()
    entry = {"date": now, "commit": commit(), "machine": machine(), "versions": versions(), "ratios": {
        name: {result["title"]: round(result["ratio"], 3) for result in outcome["results"]} for name, outcome in outcomes.items()}}
    with open(os.path.join(HERE, "history.jsonl"), "a") as history:
        history.write(json.dumps(entry) + "\n")
    text = [
        "# Results", "", "Written by `make bench`; earlier runs are in `history.jsonl`. A ratio is the time of Apus by that of the peer,",
        "medians of interleaved rounds on the same two threads: below 1, Apus is faster. Only ratios of one run compare.", "",
        f"{now}, commit {entry['commit']}. {entry['machine']}.",
        ", ".join(f"{name} {version.removeprefix(name + ' ')}" for name, version in entry["versions"].items()) + ".", ""]
    text += table(outcomes)
    for name, outcome in outcomes.items():
        text += ["", f"## {name}", "", "| what | Apus | peer | ratio |", "|---|---|---|---|"]
        for result in outcome["results"]:
            text.append(
                f"| {result['title']} | {result['apus']:.1f} {result['unit']} | {result[result['peer']]:.1f} {result['unit']} "
                f"({result['peer']}) | {result['ratio']:.2f} |")
    with open(os.path.join(HERE, "RESULTS.md"), "w") as results:
        results.write("\n".join(text) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--only", help=f"of {', '.join(BENCHMARKS)}, by commas")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-record", action="store_true")
    options = parser.parse_args()
    wanted = options.only.split(",") if options.only else list(BENCHMARKS)
    for name in wanted:
        if name not in BENCHMARKS:
            sys.exit(f"there is no benchmark '{name}': {', '.join(BENCHMARKS)}")
    outcomes = {}
    with tempfile.TemporaryDirectory() as folder:
        for name in wanted:
            outcome = run(name, options, os.path.join(folder, "record"))
            if outcome is not None:
                outcomes[name] = outcome
    failed = [name for name, outcome in outcomes.items() if not outcome["results"] or outcome["status"] not in (0, 1)]
    outcomes = {name: outcome for name, outcome in outcomes.items() if outcome["results"]}
    print("\n".join(table(outcomes)))
    if outcomes and not options.quick and not options.no_record:
        write(outcomes)
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
