# The commands that people use. `make help` lists them.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check

.PHONY: help install install-dev demo test faults mutants docs bench lock clean

help:  ## List these commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-10s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: .venv/.installed  ## Make .venv with A_A in it; does nothing when it is up to date

.venv/.installed: requirements/run.txt pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --require-hashes --requirement requirements/run.txt
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

install-dev: .venv/.installed-dev

.venv/.installed-dev: .venv/.installed requirements/dev.txt
	$(PIP) install --require-hashes --requirement requirements/dev.txt
	@touch $@

lock: install-dev  ## Lock the requirements anew, with hashes and without addresses
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    pyproject.toml requirements/build.in -o requirements/run.txt
	uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate \
	    --constraint requirements/run.txt --group dev pyproject.toml -o requirements/dev.txt

demo: install  ## Serve, submit a real FASTA file over HTTP, show the results
	$(BIN)/python examples/demo.py

test: install-dev  ## All tests and checks
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(MAKE) --no-print-directory docs
	$(BIN)/pytest
	$(BIN)/pytest --stack services

N ?= 2000
KILLS ?= 200
SEED ?= 1
faults: install-dev  ## N submissions under KILLS faults, on both stacks: make faults N=2000 KILLS=200 SEED=1
	AA_TEST_STORM=$(N),$(KILLS),$(SEED) $(BIN)/pytest -q -s --stack embedded tests/faults/test_storm.py
	AA_TEST_STORM=$(N),$(KILLS),$(SEED) $(BIN)/pytest -q -s --stack services tests/faults/test_storm.py

mutants: install-dev  ## Whether such a storm finds a broken engine: it is broken in several places, one after the other
	$(BIN)/python tests/faults/mutants.py

docs: install-dev  ## Build the documentation into site/
	$(BIN)/sphinx-build -W --keep-going -q -b html docs site

bench: install-dev  ## Measure speed and memory, or parts of it: make bench ONLY=polls,scatter
	$(BIN)/python -m bench $(ONLY)

clean:  ## Remove what was made here, but for data folders
	rm -rf .venv site .mypy_cache .pytest_cache .ruff_cache .hypothesis
