# The manual. `make` prints what there is; each target sets up what it needs and works alone.
SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
VENV := .venv
PIP := $(VENV)/bin/python -m pip --quiet --disable-pip-version-check --no-input
UV ?= uv
ON_DUCKDB2 = tests/metrics tests/test_insights.py $(addprefix tests/data/test_,feed.py warehouse.py check.py metrics.py)
COMPILE = $(UV) pip compile pyproject.toml --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet

export PORT ?= 8501
# Test processes; the tests in a browser share one of them.
WORKERS ?= 2

.PHONY: help setup run test check bench faults mutants lock clean setup-dev setup-bench

help: ## print this list
	@echo "Millrace. Start with: make run"
	@sed -nE 's/^([a-z]+):[^#]*## (.*)/  make \1\t\2/p' Makefile | expand -t 16

setup: $(VENV)/.runtime ## make or update the environment from the locked, hashed packages

run: setup ## serve the demo business on http://127.0.0.1:$PORT (PORT=8501)
	@MILLRACE_DEMO=1 exec $(VENV)/bin/millrace serve

test: setup-dev ## run every test, those in a browser included
	@$(VENV)/bin/python tests/browser/chromium.py --install || true
	@$(VENV)/bin/python -m pytest -n $(WORKERS) --dist loadgroup $(PYTEST_ARGS)

check: setup-dev $(VENV)/.duckdb2 ## lint, format, types, import contracts, migrations, feed and metrics on DuckDB 2.0
	$(VENV)/bin/ruff check .
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/python -m pytest -q tests/data/test_migrations.py
	PYTHONPATH=$(VENV)/duckdb2 MILLRACE_DUCKDB=2. $(VENV)/bin/python -m pytest -q $(ON_DUCKDB2)

bench: setup-bench ## measure beside a reference; one part with NAME=ask|feed|page|import
	@$(VENV)/bin/millrace bench $(NAME) $(BENCH_ARGS)

faults: setup-dev ## the tests of kills and races, at the nightly size
	@MILLRACE_FAULTS=nightly $(VENV)/bin/python -m pytest -m faults

mutants: setup-dev ## show that the tests catch each deliberately wrong build
	@MILLRACE_MUTANTS=all $(VENV)/bin/python -m pytest tests/mutants

lock: ## resolve the packages anew into the three lock files (needs uv; UV=path)
	@$(COMPILE) --group build -o requirements.lock
	@$(COMPILE) --group build --group dev -o requirements-dev.lock
	@$(COMPILE) --group build --group dev --group bench -o requirements-bench.lock
	@echo 'duckdb>=2,<3' | $(UV) pip compile - --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header --quiet -o requirements-duckdb2.lock

clean: ## remove the environment and the caches; local state under .millrace/ stays
	@rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache build *.egg-info
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

setup-dev: $(VENV)/.dev
setup-bench: $(VENV)/.bench

# Each stamp is newer than what it was made from. The three locks agree on every version, so that the larger ones only
# add packages, and going from one target to another installs nothing again.
$(VENV)/.runtime: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || { echo "Millrace needs Python 3.11 or newer; \
	install it, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python cannot make environments; install its venv module \
	(on Debian and Ubuntu: apt-get install python3-venv)." >&2; exit 1; }
	@$(VENV)/bin/python -c 'import pip' 2>/dev/null || { echo "Making the environment $(VENV) …"; rm -rf $(VENV); $(PYTHON) -m venv $(VENV); }
	@echo "Installing the locked packages (a few minutes the first time) …"
	@$(PIP) install --require-hashes -r requirements.lock
	@$(PIP) install --no-deps --no-build-isolation -e .
	@touch $@

$(VENV)/.dev: requirements-dev.lock $(VENV)/.runtime
	@echo "Installing the packages for tests and checks …"
	@$(PIP) install --require-hashes -r requirements-dev.lock
	@touch $@

# The next DuckDB stands beside the one that is installed: the warehouse must run on both.
$(VENV)/.duckdb2: requirements-duckdb2.lock $(VENV)/.dev
	@rm -rf $(VENV)/duckdb2
	@$(PIP) install --require-hashes --no-deps --target $(VENV)/duckdb2 -r requirements-duckdb2.lock
	@touch $@

$(VENV)/.bench: requirements-bench.lock $(VENV)/.dev
	@echo "Installing the packages for measurements …"
	@$(PIP) install --require-hashes -r requirements-bench.lock
	@touch $@
