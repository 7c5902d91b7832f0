# TillSync: everything a person or a machine does with this tree. `make` alone lists it.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo test long lint types format bench lock

VENV := .venv
BIN := $(VENV)/bin
# Touched when the environment holds exactly what requirements.lock says.
INSTALLED := $(VENV)/.installed
# Options for pytest, e.g. `make test TESTS="tests/project -x"`.
TESTS ?=
# Tests at a time: one more than the smallest machine has cores, since a test of processes mostly waits for them.
# Each has a PostgreSQL of its own; `make test WORKERS=0` runs one after the other, as a debugger needs it.
WORKERS ?= 3
CODE := $(wildcard edge_agent sync_server shared tests benchmarks)

help: ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: $(INSTALLED) ## build .venv from requirements.lock, every file checked against its hash

$(INSTALLED): requirements.lock pyproject.toml
	@.ci/setup $(VENV)

demo: setup ## the main job on real input, all on this machine
	$(BIN)/sync-server demo

test: setup ## every test but those that take long by nature
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m "not long" $(TESTS)

long: setup ## the tests that take long by nature
	$(BIN)/pytest -n $(WORKERS) --dist worksteal -m long $(TESTS)

lint: setup ## style and the doors between the rooms
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports --no-cache

types: setup ## strict types, and the agent's once more as on Windows
	$(BIN)/mypy $(CODE)
	$(BIN)/mypy --platform win32 --no-warn-unreachable --cache-dir .mypy_cache/win32 edge_agent shared

format: setup ## rewrite the code in the house style
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format .

bench: setup ## speed as ratios to hand-written limits: a table, and benchmarks/results.json
	$(BIN)/python -m benchmarks

lock: setup ## choose versions anew within pyproject.toml's bounds; `make lock UPGRADE=1` takes the newest
	$(BIN)/uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --generate-hashes \
		--no-emit-index-url --custom-compile-command "make lock" $(if $(UPGRADE),--upgrade) --quiet -o requirements.lock
	@.ci/setup $(VENV)
