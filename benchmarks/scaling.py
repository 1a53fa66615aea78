"""How time grows with rows and shrinks with threads; that more threads than cores cost nothing.

    PYTHON benchmarks/scaling.py [rounds] [millions of rows, by commas: 1,10,100]

No peer. Queries like TPC-H's 1, 6 and 9 and group-bys by few and many keys, over a table in memory.
Threads: time with 1, 2, 4 and 8, and what the process did beside waiting: the sum of user and system
time must not grow with the threads beyond the cores, nor the context switches with the rows; a hot
lock shows in both. Rows: nanoseconds a row for each size, which must stay what they are.
"""
import os
import sys

from peers import Apus, interleave

rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 3
SIZES = [int(float(size) * 1_000_000) for size in (sys.argv[2] if len(sys.argv) > 2 else "1,10,100").split(",")]
QUERIES = {
    "like Q1": "SELECT flag, sum(quantity), sum(price * (1 - discount)), avg(price), count(*) FROM t WHERE day <= 2400 GROUP BY flag",
    "like Q6": "SELECT sum(price * discount) FROM t WHERE day BETWEEN 365 AND 730 AND discount BETWEEN 0.05 AND 0.07 AND quantity < 24",
    "like Q9": "SELECT name, sum(price * (1 - discount) - quantity) FROM t JOIN parts ON t.part = parts.part WHERE name LIKE '%7%' GROUP BY name",
    "group by 100 keys": "SELECT count(*), sum(s) FROM (SELECT key100, sum(quantity) AS s FROM t GROUP BY key100)",
    "group by many keys": "SELECT count(*), sum(s) FROM (SELECT part, sum(quantity) AS s FROM t GROUP BY part)",
    "sort, first 100": "SELECT sum(price) FROM (SELECT price FROM t ORDER BY price DESC, part LIMIT 100)",
}


def table(rows):
    return (
        "CREATE OR REPLACE TABLE t AS SELECT k * 7919 % 200000 AS part, CAST(k * 31 % 50 AS DECIMAL(15, 2)) AS quantity, "
        "CAST(k * 7919 % 100003 AS DECIMAL(15, 2)) AS price, CAST((k % 11) / 100 AS DECIMAL(15, 2)) AS discount, "
        f"CAST(k % 2500 AS INTEGER) AS day, 'f' || (k % 4) AS flag, CAST(k % 100 AS INTEGER) AS key100 FROM (SELECT range AS k FROM range({rows}))")


def used(process):
    """(user + system seconds, context switches) of all threads so far."""
    with open(f"/proc/{process}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    switches = 0
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/status") as status:
            switches += sum(int(line.split()[1]) for line in status if "ctxt_switches" in line)
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK"), switches


apus = Apus(threads=2)
apus.run("CREATE TABLE parts AS SELECT range AS part, 'name ' || (range % 25) AS name FROM range(200000)")
answers, perRow = {}, {title: [] for title in QUERIES}
for size in SIZES:
    apus.run(table(size))
    apus.run("SET threads = 2")
    for title, query in QUERIES.items():
        apus.run(query)
        median = interleave({"two": lambda: apus.run(query)[1]}, rounds)["two"]
        perRow[title].append(median * 1e6 / size)
print(f"{'ns a row, 2 threads':24}" + "".join(f"{size / 1e6:>11g} M" for size in SIZES))
for title, values in perRow.items():
    print(f"{title:24}" + "".join(f"{value:13.2f}" for value in values))

size = min(SIZES, key=lambda rows: abs(rows - 10_000_000))
apus.run(table(size))
THREADS = [1, 2, 4, 8]
print(f"\n{f'{size / 1e6:g} M rows':24}" + "".join(f"{f'{threads} threads':>26}" for threads in THREADS))
print(f"{'':24}" + "".join(f"{'ms':>9}{'cpu ms':>9}{'switch':>8}" for _ in THREADS))
for title, query in QUERIES.items():
    line = f"{title:24}"
    for threads in THREADS:
        apus.run(f"SET threads = {threads}")
        answer = sorted(map(str, apus.run(query)[0]))
        if answers.setdefault(title, answer) != answer:
            sys.exit(f"answers differ with {threads} threads: {title}")
        before = used(apus.process.pid)
        median = interleave({"it": lambda: apus.run(query)[1]}, rounds)["it"]
        after = used(apus.process.pid)
        line += f"{median:9.1f}{(after[0] - before[0]) * 1000 / rounds:9.0f}{(after[1] - before[1]) / rounds:8.0f}"
    print(line, flush=True)
apus.close()
