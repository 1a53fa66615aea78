# The two commands: `make demo` shows what Apus does, `make test` shows that it does it right.

SHELL := /bin/bash
APUS := .build/release/apus
# One build serves tests and program: release code, with the tests' view into the modules.
BUILD := swift build -c release -Xswiftc -enable-testing
FORMATTED := Package.swift Sources Tests

.PHONY: demo build test check format bench packages clean

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

# Every script below benchmarks/ prints its time; the numbers stand in no file.
bench: build
	@mkdir -p build
	@for script in benchmarks/*.sql; do \
	  [ -e "$$script" ] || { echo "no scripts in benchmarks/"; break; }; \
	  echo "== $$script"; $(APUS) --none -c '.timer on' -f "$$script" || exit 1; \
	done

# Installs the Debian packages that are missing, and asks nothing when none is.
packages:
	@./.ci/install-packages

clean:
	rm -rf .build build
