# The two commands: `make demo` shows what Apus does, `make test` shows that it does it right.

SHELL := /bin/bash
APUS := .build/release/apus
# One build serves tests and program: release code, with the tests' view into the modules.
BUILD := swift build -c release -Xswiftc -enable-testing
FORMATTED := Package.swift Sources Tests

.PHONY: demo build test check format bench differential functions-differential reference packages clean

demo: build
	@mkdir -p build
	$(APUS) -f sql/quickstart.sql

# Only the program, not its tests.
build: packages
	$(BUILD) --product apus

# `swift build` gives the program that the shell's tests drive; `swift test` adds the tests to it.
test: packages
	$(BUILD) --build-tests
	$(BUILD) --product apus
	swift test -c release -Xswiftc -enable-testing --skip-build

check: packages
	swift format lint --strict --recursive --parallel $(FORMATTED)
	$(MAKE) test

format:
	swift format --in-place --recursive --parallel $(FORMATTED)

# Beside the peers that PEERS, a Python outside the repository, has: benchmarks/RESULTS.md. ONLY=h2o,rows
# picks; QUICK=1 only sees that all of it runs.
PEERS ?= python3

bench: build
	$(PEERS) benchmarks/suite.py $(if $(ONLY),--only "$(ONLY)") $(if $(QUICK),--quick)

# Random queries beside DuckDB and SQLite: Tests/Differential/README.md.
N ?= 2000
SEED ?= 1

differential: build
	@$(PEERS) -c 'import duckdb' 2>/dev/null || { echo "differential: needs duckdb (PEERS=$(PEERS))"; exit 1; }
	$(PEERS) Tests/Differential/random_queries.py --apus $(APUS) --queries $(N) --seed $(SEED)

# Each function that both know beside DuckDB, over random arguments.
ROWS ?= 100

functions-differential: build
	@$(PEERS) -c 'import duckdb' 2>/dev/null || { echo "functions-differential: needs duckdb (PEERS=$(PEERS))"; exit 1; }
	$(PEERS) Tests/Differential/random_functions.py --apus $(APUS) --rows $(ROWS) --seed $(SEED)

# Installs the Debian packages that are missing, and asks nothing when none is.
packages:
	@./.ci/install-packages

# docs/reference/functions.md, from the engine's own tables. A debug build writes the same page.
reference: build
	@mkdir -p docs/reference build
	$(APUS) --function-reference > build/functions.md
	mv build/functions.md docs/reference/functions.md

clean:
	rm -rf .build build
