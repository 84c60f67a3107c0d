# Everything lives in .venv and in the user's cache; nothing else is needed but git, make and Python 3.11 or newer.
# Each step leaves a stamp, so that a second run starts at once and needs no network.

SHELL := /bin/sh
VENV := .venv
BIN := $(VENV)/bin
ENCODER := memd/encoder/model/manifest.json
BENCH_DATA ?= ../shared/bench
UV := uv==0.13.8

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(VENV)/.project $(ENCODER) ## make .venv, install all into it, build the encoder

demo: setup ## show the whole way on this repository's own notes and history
	$(BIN)/python scripts/demo.py

test: setup ## run the tests
	$(BIN)/python -m pytest -m "not soak" -n auto --maxprocesses 4 --dist loadfile --no-loadscope-reorder $(ARGS)

lint: setup ## check style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/mypy scripts/*.py

fix: setup ## format, and mend what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: setup ## measure how fast memd is, and recall on the evaluation data in BENCH_DATA
	$(BIN)/python scripts/time_command.py
	$(BIN)/python scripts/time_hooks.py
	$(BIN)/memd bench latency
	@test -d "$(BENCH_DATA)" || { echo "error: no evaluation data in $(BENCH_DATA): set BENCH_DATA" >&2; exit 1; }
	$(BIN)/memd bench recall --format locomo "$(BENCH_DATA)/locomo-dev.json"
	$(BIN)/memd bench recall --format commits "$(BENCH_DATA)/commits-sqlite-utils.json"

calibrate: setup ## fit recall's numbers to the encoder, from the evaluation data in BENCH_DATA (about 15 minutes)
	$(BIN)/python scripts/calibrate.py --locomo "$(BENCH_DATA)/locomo-dev.json" --commits "$(BENCH_DATA)/commits-sqlite-utils.json"

soak: setup ## run the tests that take minutes
	$(BIN)/python -m pytest -m soak --timeout 3600 $(ARGS)

wheel: setup ## build dist/*.whl, with the encoder in it
	$(BIN)/python -m build --wheel --no-isolation

lock: $(VENV)/.python ## resolve requirements/dev.txt anew (needs the network)
	$(BIN)/python -m pip install --quiet --upgrade --target $(VENV)/uv $(UV)
	$(VENV)/uv/bin/uv pip compile pyproject.toml --extra dev --extra encryption --universal --python-version 3.11 --generate-hashes \
		--upgrade --quiet --custom-compile-command "make lock" --output-file requirements/dev.txt

clean: ## remove what was made here (not the cache of fetched weights)
	rm -rf $(VENV) memd/encoder/model build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(VENV)/.python:
	@sh scripts/make_venv.sh $(VENV)
	@touch $@

$(VENV)/.packages: requirements/dev.txt | $(VENV)/.python
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements/dev.txt
	@touch $@

$(VENV)/.project: pyproject.toml scripts/hatch_build.py $(VENV)/.packages
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

$(ENCODER): scripts/build_encoder.py memd/encoder/delta.safetensors | $(VENV)/.packages
	$(BIN)/python scripts/build_encoder.py

.PHONY: help setup demo test lint fix bench calibrate soak wheel lock clean
