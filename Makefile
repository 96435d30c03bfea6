# Everything a checkout can do, on a machine with Python 3.11+, Node 20+ and make.
# Tools are installed from the lock files into this folder (.tools, .venv, node_modules), nowhere else.

UV_VERSION := 0.13.8
PYTHON ?= python3
UV := .tools/bin/uv
RUN := $(UV) run --no-sync

# The reference string for proving, where a copy lies beside the checkout; see docs/data-path.md.
ifndef CRS_PATH
ifneq ($(wildcard ../shared/crs/bn254_g1.dat),)
export CRS_PATH := $(abspath ../shared/crs)
endif
endif

.PHONY: help setup demo test vectors fuzz check bench format clean

help: ## show this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / { printf "  make %-8s %s\n", $$1, $$2 }' Makefile

setup: .tools/.python .tools/.node ## install what the lock files name

$(UV):
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'adyton needs Python 3.11 or newer; name one with make PYTHON=python3.12' >&2; exit 1; }
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)

.tools/.python: $(UV) pyproject.toml uv.lock
	$(UV) sync --locked --quiet --python $(PYTHON)
	@touch $@

.tools/.node: $(UV) package.json package-lock.json
	@command -v npm >/dev/null || { echo 'adyton needs Node 20 or newer with npm, to fetch the prover' >&2; exit 1; }
	npm ci --ignore-scripts --no-audit --no-fund --silent
	@touch $@

demo: setup ## ask a sandbox bank, prove the answers, verify them again
	$(RUN) adyton demo

test: setup ## run all tests
	$(RUN) pytest -n auto --dist worksteal

vectors: setup ## verify real evidence in ADYTON_VECTORS or ../shared/vectors
	$(RUN) python -m tests.vectors

fuzz: setup ## 100,000 broken inputs for every reader; SECONDS=60 guided
	$(if $(SECONDS),@$(UV) sync --locked --quiet --inexact --group fuzz || echo 'atheris could not be installed here' >&2)
	$(RUN) python -m tests.fuzz $(if $(SECONDS),--seconds $(SECONDS))

check: setup ## run all linters
	$(UV) lock --check --quiet
	$(RUN) ruff format --check
	$(RUN) ruff check
	$(RUN) mypy
	$(RUN) lint-imports
	$(RUN) deptry src
	$(RUN) codespell

bench: setup ## measure, as ratios within one run
	$(RUN) python -m bench

format: setup ## lay out the code
	$(RUN) ruff format
	$(RUN) ruff check --fix

clean: ## remove everything that was installed or made here
	rm -rf .tools .venv node_modules .adyton receipts .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
