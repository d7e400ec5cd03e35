# The front door. `make` alone lists what it can do.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

PYTHON ?= python3
VENV ?= .venv
PY := $(VENV)/bin/python
PORT ?= $(or $(GROUNDS_PORT),8000)
VAR ?= var
FAMILIES ?= 50000
SEED ?= 20260401
JOBS ?= $(shell nproc)
PIP := $(PY) -m pip install --quiet --disable-pip-version-check --require-hashes

# One thread a fit: two threads of one fit on a busy machine took 40 to 100 times longer (docs/adr/0003).
export OMP_NUM_THREADS ?= 1
export GROUNDS_VAR := $(VAR)

PAGES := service/pages/built/grounds.css

help: ## List the commands
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/^([a-z-]+):.*## /  make \1\t/' | expand -t 18

run: free-port $(VENV)/.train kernel-if-possible $(PAGES) $(VAR)/models/active ## [PORT=n] Everything for a newcomer: environment, synthetic cohort, first model, keys, service
	@$(PY) -m service run --port $(PORT)

# First of all: a port that is taken would else be noticed only after environment and training.
free-port:
	@$(or $(wildcard $(PY)),$(PYTHON)) -m service.running.port $(PORT)

test: $(VENV)/.dev kernel $(PAGES) ## Everything needed to test, and the tests
	@ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || tests/architecture/install-debian postgresql
	@command -v strace >/dev/null || tests/architecture/install-debian strace
	@command -v chromium >/dev/null || tests/architecture/install-debian chromium
	@{ command -v buildah && command -v debootstrap; } >/dev/null || tests/architecture/install-debian buildah debootstrap
	$(PY) -m pytest -q -n $(JOBS) --dist loadfile --no-loadscope-reorder $(TESTS)

pages: $(PAGES) ## Build the pages' styles and scripts from the design system's package

# gcc and Python's headers.
COMPILER = { command -v gcc && $(PY) -c 'import os, sysconfig as s; os.stat(s.get_path("include") + "/Python.h")'; } >/dev/null 2>&1

kernel: $(VENV)/.train ## Compile the kernel of a request (model/kernel.pyx), with gcc and Python's headers
	@$(COMPILER) || tests/architecture/install-debian gcc libc6-dev python3-dev
	@model/build_kernel $(PY)

# A request takes a seventh less of the processor with it, and gives the same without.
kernel-if-possible: $(VENV)/.train
	@if $(COMPILER); then model/build_kernel $(PY); else echo "note: no gcc, or no headers of Python: the service runs without its compiled kernel (make kernel)"; fi

check: $(VENV)/.dev ## Lint, types, import contracts, file sizes
	@tests/architecture/check $(PY)

train: $(VENV)/.$(if $(EBM),bench,$(if $(filter dask,$(ENGINE)),cluster,train)) ## Retrain: make train [DATA=file DICTIONARY=file OUT=folder SEED=n PAIRS=0 EBM=1 ENGINE=dask SCHEDULER=address]
	$(if $(EBM),.venv-bench/bin/python,$(PY)) -m training train --seed $(SEED) --families $(FAMILIES) \
	  $(if $(DATA),--data $(DATA)) $(if $(DICTIONARY),--dictionary $(DICTIONARY)) \
	  --out $(if $(OUT),$(OUT),$(VAR)/training) $(if $(EBM),--ebm) $(if $(PAIRS),--pairs $(PAIRS)) \
	  $(if $(ENGINE),--engine $(ENGINE)) $(if $(SCHEDULER),--scheduler $(SCHEDULER)) \
	  $(if $(wildcard $(VAR)/models/active),--against $(VAR)/models)

release: $(VENV)/.train ## Check, sign and activate a trained model: make release [MODEL=folder DATA=file DICTIONARY=file]
	$(PY) -m training release $(if $(MODEL),$(MODEL),$(VAR)/training) --models $(VAR)/models --keys $(VAR)/keys \
	  $(if $(DATA),--cases $(DATA)) $(if $(DICTIONARY),--dictionary $(DICTIONARY))

rollback: $(VENV)/.train ## Make the version released before active again: make rollback [VERSION=name]
	$(PY) -m training rollback $(VERSION) --models $(VAR)/models --keys $(VAR)/keys

verify: $(VENV)/.train ## Verify the whole explanation log
	$(PY) -m service log verify

bench: $(VENV)/.bench kernel $(PAGES) $(VAR)/models/active ## Measure; prints ratio tables: make bench [QUICK=1 DATA=folder]; comparing learners in full takes an hour or more
	.venv-bench/bin/python -m benchmarks
	.venv-bench/bin/python -m benchmarks learners $(if $(DATA),--data $(DATA)) $(if $(QUICK),--quick)

image: ## Build the image: with docker where it runs, else with Debian's buildah on a debootstrap base
	@if docker info >/dev/null 2>&1; then docker build --tag grounds .; else \
	  { command -v buildah && command -v debootstrap && command -v npm; } >/dev/null || tests/architecture/install-debian buildah debootstrap nodejs npm; \
	  mkdir -p $(VAR)/image && tests/image/build $(VAR)/image; fi

sbom: $(VENV)/.dev ## Write the image's bill of materials and licences into var/sbom
	@tests/image/bill_of_materials $(PY) $(VAR)/sbom $(firstword $(wildcard $(VAR)/image/root/ $(VAR)/image/base/))

lock: ## Renew the locked versions (needs uv)
	@tests/architecture/lock

clean: ## Remove the environments and caches; keeps log, models and keys
	rm -rf $(VENV) .venv-bench model/kernel.*.so service/pages/node_modules service/pages/built .mypy_cache .ruff_cache .pytest_cache .hypothesis

# The design system comes from the npm registry, by digest; nothing of Node runs in the service.
$(PAGES): service/pages/package.json service/pages/package-lock.json $(wildcard service/pages/style/*.scss)
	@command -v npm >/dev/null || tests/architecture/install-debian nodejs npm
	@cd service/pages && npm ci --silent && npm run --silent build

# The first model: made once, kept until someone releases another.
$(VAR)/models/active: | $(VENV)/.train
	$(PY) -m training train --seed $(SEED) --families $(FAMILIES) --out $(VAR)/training
	$(PY) -m training release $(VAR)/training --models $(VAR)/models --keys $(VAR)/keys

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' \
	  || { echo "error: Python 3.11, 3.12 or 3.13 is needed; set PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || tests/architecture/install-debian python3-venv
	@echo "Making the environment in $(VENV) (about two minutes, once)"
	@$(PYTHON) -m venv $(VENV)

$(VENV)/.train: requirements-train.lock | $(VENV)/bin/python
	@$(PIP) -r requirements-train.lock
	@touch $@

$(VENV)/.dev: requirements-dev.lock | $(VENV)/bin/python
	@$(PIP) -r requirements-dev.lock
	@touch $@ $(VENV)/.train $(VENV)/.cluster

# Only what runs on a Dask cluster needs Dask.
$(VENV)/.cluster: requirements-cluster.lock $(VENV)/.train
	@$(PIP) -r requirements-cluster.lock
	@touch $@

# Benchmark opponents live in an environment of their own.
$(VENV)/.bench: requirements-bench.lock $(VENV)/.train
	@command -v wrk >/dev/null || tests/architecture/install-debian wrk
	@test -x .venv-bench/bin/python || $(PYTHON) -m venv .venv-bench
	@.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

.PHONY: help run free-port test pages kernel kernel-if-possible check train release rollback verify bench image sbom lock clean
