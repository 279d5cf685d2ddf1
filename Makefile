# Every command of this repository. `make` prints the list; all work happens inside .venv.
SHELL := /bin/bash
.DEFAULT_GOAL := help
PYTHON ?= python3.11
VENV := .venv
BIN := $(VENV)/bin
CODE := streams connectors schemas tests
# Written after a complete install, so that a second `make` is instant and a changed lock installs again.
STAMP := $(VENV)/.installed
BENCH_STAMP := $(VENV)-bench/.installed
MODELS_STAMP := $(VENV)-models/.installed

.PHONY: help install run test models check drill drills bench fmt lock clean

help: ## print this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  \033[1mmake %-12s\033[0m %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(STAMP) ## virtual environment with the locked dependencies and the `iris` command

$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is missing: install it, or name another with 'make PYTHON=python3.12'" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)

# The build backend comes first: nothing is built in isolation, where pip would fetch an unlocked one.
$(STAMP): requirements-build.txt requirements.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --require-hashes --requirement requirements-build.txt
	$(BIN)/python -m pip install --quiet --require-hashes --no-build-isolation --requirement requirements.txt
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	@touch $@

run: install ## everything on this machine: embedded broker, all stages, embedded AI
	$(BIN)/iris serve

test: install models ## the whole test suite; ARGS="-k name" narrows it
	$(BIN)/python -m pytest $(ARGS)

drill: install ## one drill: NAME=crash [QUICK=1] [SEED=7]; names: crash zombie restart recovery redelivery intake overload brokers badinput forgery slow
	$(BIN)/python -m tests.fault.drill $(NAME) $(if $(QUICK),--quick) $(if $(SEED),--seed $(SEED))

drills: install ## every drill in its full form, one seed (some 25 minutes); SEED=7
	$(BIN)/python -m tests.fault.drill all $(if $(QUICK),--quick) $(if $(SEED),--seed $(SEED))

check: install ## what CI asks of the code: format, lint, types, import contracts
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: install $(BENCH_STAMP) ## figures beside their yardsticks (25 minutes); QUICK=1 ends within 50 s; ARGS="--only stage"
	@$(BIN)/python -m tests.perf.bench $(if $(QUICK),--quick) $(ARGS)

# Quix Streams, a yardstick, pins older versions of what the product uses: it gets an environment of its own.
$(BENCH_STAMP): requirements-bench.txt
	$(PYTHON) -m venv $(VENV)-bench
	$(VENV)-bench/bin/python -m pip install --quiet --require-hashes --only-binary :all: --requirement requirements-bench.txt
	@touch $@

models: $(MODELS_STAMP) ## other people's libraries, which judge our requests (part of `make test`)

# line-bot-sdk, aiogram, pywa and wechatpy pin older versions than the product uses: an environment of their own, too.
$(MODELS_STAMP): requirements-models.txt
	$(PYTHON) -m venv $(VENV)-models
	$(VENV)-models/bin/python -m pip install --quiet --require-hashes --only-binary :all: --requirement requirements-models.txt
	@touch $@

fmt: install ## format, and fix what the linter can fix
	$(BIN)/ruff check --fix --quiet . || true
	$(BIN)/ruff format .

PIP_COMPILE := $(BIN)/pip-compile --quiet --generate-hashes --strip-extras --allow-unsafe --no-header --no-emit-options \
	--no-emit-index-url --no-emit-find-links --no-emit-trusted-host

lock: install ## compile the lock files: build backend, runtime, runtime with tests, judges, yardstick
	$(BIN)/python -m pip install --quiet pip-tools
	$(PIP_COMPILE) --build-deps-for editable --only-build-deps --output-file requirements-build.txt pyproject.toml
	$(PIP_COMPILE) --extra dev --output-file requirements.txt pyproject.toml
	$(PIP_COMPILE) --constraint requirements.txt --output-file requirements-runtime.txt pyproject.toml
	printf '%s\n' 'aiogram>=3.31' cryptography 'line-bot-sdk>=3.27' 'pywa>=4.5' 'wechatpy>=1.8.18' \
		| $(PIP_COMPILE) --output-file requirements-models.txt -
	echo 'quixstreams>=3.28,<4' | $(PIP_COMPILE) --output-file requirements-bench.txt -

clean: ## remove the environment, caches and local data
	rm -rf $(VENV) $(VENV)-bench $(VENV)-models .iris build dist *.egg-info .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
