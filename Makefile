# make demo    the main job: logistic regression and the other bench cases, checked against NumPy
# make test    the whole test suite, two workers, one compile cache for the run
# make lint    ruff and mypy
# VENV and PYTHON may be given: make test VENV=/path/to/venv PYTHON=python3.12

SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
WORKERS ?= 2

.PHONY: demo test lint clean

demo: $(VENV)/.installed-bench
	$(BIN)/python -m nbgraph.bench --quick

test: $(VENV)/.installed-test
	@cache=$$(mktemp -d) && trap 'rm -rf "$$cache"' EXIT && \
	NBGRAPH_CACHE_DIR="$$cache" $(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

lint: $(VENV)/.installed-dev
	$(BIN)/python -m ruff check nbgraph tests
	$(BIN)/python -m mypy

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

# A stamp for each set of extras; a changed pyproject.toml installs again.
$(VENV)/.installed-bench: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[bench]'
	@touch $@

$(VENV)/.installed-test: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[test,bench]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $@

clean:
	rm -rf build dist *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
