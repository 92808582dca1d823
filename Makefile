# Everything a user or a contributor needs. `make demo` and `make test` are the two that matter;
# both build .venv from the lock by themselves.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
RUNS := $(VENV)/.runs

# The pip that is there installs into .venv: to put another one there takes longer than a mirror of a small company.
HOST_PIP = $(shell $(PYTHON) -c 'import pip; print("yes" * (int(pip.__version__.split(".")[0]) >= 23))' 2>/dev/null)
PIP = $(if $(HOST_PIP),$(PYTHON) -m pip --python $(VENV),$(BIN)/python -m pip)
# The lock names all there is, so no dependency is to be found. The demo compiles what it imports, which is a tenth of it.
PIP_FLAGS := --quiet --disable-pip-version-check --no-deps
INSTALL = $(PIP) install $(PIP_FLAGS) --no-compile

.DEFAULT_GOAL := help
.PHONY: help demo test tests check wheel image lint style types docs pictures bench sweep mutants lock clean

help: ## this list
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 10

$(RUNS): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "precoro-daemon needs Python 3.11 or newer; $(PYTHON) is older. Try: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@echo "building $(VENV) from requirements.lock (once)"
	@$(PYTHON) -m venv $(if $(HOST_PIP),--without-pip) $(VENV)
	@sed '/^# From here on: for development only/,$$d' requirements.lock \
	  | awk -v half=$(VENV)/half '/^[a-z]/ {n++} {print > (half n % 2 ".lock")}'
	@$(INSTALL) --require-hashes -r $(VENV)/half0.lock & other=$$!; \
	  $(INSTALL) --require-hashes -r $(VENV)/half1.lock; code=$$?; wait $$other && exit $$code
	@$(INSTALL) --no-build-isolation -e .
	@touch $@

$(STAMP): $(RUNS)
	@echo "adding what development needs (once)"
	@$(INSTALL) --require-hashes -r requirements.lock
	@$(BIN)/python -m compileall -q -j 0 $(VENV)/lib > /dev/null || true  # some libraries ship what does not compile
	@touch $@

demo: export PYTHONDONTWRITEBYTECODE :=  # each of its processes would compile all that it imports
demo: $(RUNS) ## mirror a made-up company from the built-in sandbox and show the result
	@$(BIN)/precoro-daemon demo

check: lint types ## lint, types, layers, architecture

lint: style
	$(BIN)/pytest -q tests/test_architecture.py

style: $(STAMP)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

types: $(STAMP)
	$(BIN)/mypy

# Most tests wait more than they work.
WORKERS ?= 4
# They make states by the thousand, each synced; where there is room for it in memory nobody waits for a disk.
IN_MEMORY := $(shell df --output=avail -k /dev/shm 2>/dev/null | awk 'NR == 2 && $$1 > 4000000 {print "/dev/shm"}')
export PYTEST_DEBUG_TEMPROOT ?= $(IN_MEMORY)

test: ## all that CI runs
	@$(MAKE) --no-print-directory --jobs=3 types style tests

tests: $(STAMP)
	$(BIN)/pytest --workers=$(WORKERS)

wheel: $(STAMP) ## dist/: the program to install, and runtime.lock with the hashes of its libraries
	@mkdir -p dist && sed '/^# From here on/,$$d' requirements.lock > dist/runtime.lock
	@$(PIP) wheel $(PIP_FLAGS) --no-build-isolation --wheel-dir dist .

# What the image is built on, by the digest that the tag has when this is first made; without the file it is asked anew.
PYTHON_IMAGE ?= python:3.13-slim-bookworm
.python-image:
	@digest=$$(docker buildx imagetools inspect $(PYTHON_IMAGE) | awk '$$1 == "Digest:" {print $$2; exit}'); \
	  case "$$digest" in sha256:*) echo "$(PYTHON_IMAGE)@$$digest" > $@;; \
	  *) echo "docker did not tell the digest of $(PYTHON_IMAGE)" >&2; exit 1;; esac

image: .python-image ## the container image, built on a Python that is pinned by its digest in .python-image
	docker build --build-arg PYTHON_IMAGE=$$(cat .python-image) --tag precoro-daemon .

bench: $(STAMP) ## measure; prints ratios taken in one run (ONLY=name for one of them)
	$(BIN)/python -m tests.bench $(ONLY)

docs: $(STAMP) ## write the tables that the code owns into the manual
	$(BIN)/python -m tests.docs

pictures: $(STAMP) ## take the manual's pictures of the program at work (needs chromium; three minutes)
	$(BIN)/python -m tests.docs.pictures

SEED ?= 0
MINUTES ?= 10
sweep: $(STAMP) ## long random tests: make sweep SEED=1 MINUTES=30 (ONLY=name for one kind)
	$(BIN)/python -m tests.sweep --seed $(SEED) --minutes $(MINUTES) $(if $(ONLY),--only $(ONLY))

mutants: $(STAMP) ## put bugs that cost money into copies of the tree; each must be caught by its test
	$(BIN)/python -m tests.mutants

LOCK_FLAGS ?= --upgrade
LOCKED := --extra object-stores --extra notify --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header
lock: ## renew requirements.lock (needs uv)
	uv pip compile pyproject.toml --group dev $(LOCKED) $(LOCK_FLAGS) -o requirements.lock
	uv pip compile pyproject.toml $(LOCKED) --constraint requirements.lock -o .runtime.lock
	uv pip compile pyproject.toml --group build $(LOCKED) --constraint requirements.lock -o .build.lock
	$(PYTHON) -m tests.lock .runtime.lock .build.lock requirements.lock
	rm .runtime.lock .build.lock

clean: ## remove what the commands above made
	rm -rf $(VENV) .venv-bench .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache demo
