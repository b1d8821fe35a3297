# `make train` and `make test` set everything up themselves; nothing needs to be activated.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup train test coverage smoke validate lint workflows audit champion image lock clean

VENV := .venv
PYTHON := $(VENV)/bin/python
UV := $(VENV)/bin/uv
ARGS ?=
IMAGE ?= slu
# TORCH=cpu takes PyTorch's own CPU builds: 1 GB instead of 5, from PyTorch's index.
TORCH ?=
READY := $(VENV)/.ready$(if $(TORCH),-$(TORCH))

help: ## list the targets
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12
	@echo
	@echo 'make train ARGS="model=m2 trainer.max_epochs=5" passes settings on; make setup TORCH=cpu installs without CUDA.'

setup: $(READY) ## virtual environment and pinned dependencies in .venv

$(READY): requirements.txt requirements-cpu.txt requirements-uv.txt pyproject.toml
	@scripts/make_venv.sh $(VENV)
	@$(VENV)/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-uv.txt
ifeq ($(TORCH),cpu)
	@$(UV) pip install --quiet --compile-bytecode --python $(PYTHON) --torch-backend=cpu torch==2.11.0 torchaudio==2.11.0
	@$(UV) pip install --quiet --compile-bytecode --python $(PYTHON) --require-hashes --no-deps -r requirements-cpu.txt
else
	@echo "installing the pinned dependencies into $(VENV) (about 5 GB, most of it PyTorch's CUDA build)"
	@$(UV) pip install --quiet --compile-bytecode --python $(PYTHON) --require-hashes --no-deps -r requirements.txt
endif
	@$(UV) pip install --quiet --python $(PYTHON) --no-deps --no-build-isolation --editable .
	@touch $@

train: $(READY) ## train the embedded orders recogniser, test it, register it
	@$(PYTHON) -m slu.train $(ARGS)

test: $(READY) ## run the tests
	@OMP_NUM_THREADS=1 $(PYTHON) -m pytest --numprocesses=2 --dist=loadfile $(ARGS)

# Before Python 3.12 coverage is a tracer, which Hydra takes for a debugger: a test of its messages fails by that.
coverage: $(READY) ## run the tests, and fail below 85 % of slu/
	@mkdir -p outputs/coverage
	@export COVERAGE_FILE=$(CURDIR)/outputs/coverage/data OMP_NUM_THREADS=1; \
	  $(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 12))' && export COVERAGE_CORE=sysmon; \
	  $(PYTHON) -m pytest --numprocesses=2 --dist=loadfile --cov --cov-report=term \
	  --cov-report=xml:outputs/coverage/coverage.xml $(ARGS)

smoke: $(READY) ## from a spoken corpus to an evaluated bundle in about a minute, in outputs/smoke
	@$(PYTHON) -m slu.train outputs=outputs/smoke model=m2 trainer.max_epochs=1 logger=csv 'noise_test_snr_db=[]' \
	  'synthesis.counts={train: 120, val: 40, test: 40}' 'voices.speakers={train: 6, val: 3, test: 3}' $(ARGS)
	@$(PYTHON) -m slu.evaluate outputs=outputs/smoke bundle=outputs/smoke/registry/orders/latest conditions=clean
	@$(PYTHON) -m slu.validate outputs=outputs/smoke manifest=outputs/smoke/corpus menu=warung

validate: $(READY) ## check recordings: make validate ARGS="manifest=data menu=warung"
	@$(PYTHON) -m slu.validate $(ARGS)

lint: $(READY) ## style, types, import rules
	@$(PYTHON) -m ruff check .
	@$(PYTHON) -m ruff format --check .
	@$(PYTHON) -m mypy
	@$(VENV)/bin/lint-imports

workflows: $(READY) ## security and form of .github/workflows
	@scripts/lint_workflows.sh $(VENV)

audit: $(READY) ## look up known vulnerabilities of the pinned dependencies
	@$(PYTHON) scripts/audit.py

champion: ## what outputs/new has learnt is what the next training is compared with
	rm -rf outputs/champion
	cp -a outputs/new/registry outputs/champion

image: ## build the server's image: make image IMAGE=slu:1.0
	docker build --tag $(IMAGE) .

lock: $(READY) ## renew the pins from pyproject.toml
	@scripts/lock.sh $(UV)

clean: ## remove the virtual environment (outputs/ stays)
	rm -rf $(VENV)
