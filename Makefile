# Everything a reader or maintainer does, by name. `make` alone lists it.

PYTHON  ?= python3
CHAPTER ?=
ADDRESS ?=
REF     ?=
ONCE    ?=
PORT    ?= 8000
WORKERS ?= 2
TORCH   ?=

VENV := .venv
BIN  := $(VENV)/bin
HTML := _build/html
# --all: Sphinx does not know that pages depend on the package's style sheets and docstrings.
BOOK := $(BIN)/jupyter-book build . --all -W -n --keep-going

.DEFAULT_GOAL := help
.NOTPARALLEL:  # `make -j test` must not install twice into one environment
.PHONY: help book serve lab execute address new lint test test-fast test-unit test-notebooks test-site \
        test-numerics test-launch bench freeze clean

help:  ## list these targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-15s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

# ---------------------------------------------------------------- environment

# PYTHON counts when the environment is made; to change it later, remove .venv first.
$(BIN)/python:
	@command -v $(PYTHON) >/dev/null || \
	  { echo "$(PYTHON) was not found; name one: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "convbook needs Python 3.11 or newer; try: make PYTHON=python3.12 $(MAKECMDGOALS)"; exit 1; }
	$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); exit 1; }

# The site needs no torch: --no-deps keeps the package's own dependencies out.
$(VENV)/site.installed: requirements-site.txt constraints.txt pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet -r requirements-site.txt
	$(BIN)/python -m pip install --quiet --no-deps -e .
	@touch $@

# TORCH=cpu takes the torch without CUDA, where PyTorch's own index has one for the platform.
$(VENV)/all.installed: requirements.txt requirements-site.txt constraints.txt pyproject.toml | $(BIN)/python
ifeq ($(TORCH),cpu)
	$(BIN)/python -m pip install --quiet $$(grep -E '^torch(vision)?==' requirements.txt) \
	  --index-url https://download.pytorch.org/whl/cpu
endif
	$(BIN)/python -m pip install --quiet -r requirements.txt
	@touch $(VENV)/site.installed $@

# What checks the explorers' JavaScript; Node comes as a wheel, so nobody has to install it.
JS := tools/javascript
FRONT_ENDS := src/convbook/course/explorers src/convbook/course/site/static
$(VENV)/javascript.installed: $(JS)/package-lock.json $(VENV)/all.installed
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/npm ci --silent --prefix $(JS)
	@touch $@

# ---------------------------------------------------------------- the book

book: $(VENV)/site.installed  ## build the site (creates the environment; no torch, no Node)
	$(BOOK) -q
	@echo "The book is built. Open $(CURDIR)/$(HTML)/index.html"

serve: $(VENV)/site.installed  ## build, serve on http://localhost:8000, rebuild on every change
	$(BIN)/python -m tools.serve --port $(PORT)

lab: $(VENV)/all.installed  ## open the chapters in JupyterLab
	$(BIN)/jupyter lab chapters

execute: $(VENV)/all.installed  ## run the notebooks twice, store their outputs (CHAPTER=03 ONCE=1)
	$(BIN)/python -m tools.notebooks execute $(CHAPTER) $(if $(ONCE),--once)

address: $(VENV)/site.installed  ## write the repository's address everywhere (ADDRESS=https://github.com/you/fork)
	$(BIN)/python -m tools.address $(ADDRESS) $(if $(REF),--ref $(REF))

new: $(VENV)/all.installed  ## start a chapter from templates (CHAPTER=04_channels)
	$(BIN)/python -m tools.scaffold $(CHAPTER)

# ---------------------------------------------------------------- tests

lint: $(VENV)/javascript.installed  ## style, the arrows between the rooms, the types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check src tests tools benchmarks conftest.py
	$(BIN)/lint-imports
	$(BIN)/mypy
	$(JS)/node_modules/.bin/biome check --config-path=$(JS) --error-on-warnings $(FRONT_ENDS)
	$(JS)/node_modules/.bin/tsc --project $(JS)

test: lint test-unit test-notebooks test-site  ## style, units, notebooks, site: what a change must pass

# For everyday work: a quarter of the examples that `make test` draws.
test-fast: lint  ## in minutes: style, the library, the package, the notebooks' hygiene
	HYPOTHESIS_PROFILE=quick OMP_NUM_THREADS=1 $(BIN)/pytest tests/library tests/tools \
	  tests/test_package.py -n $(WORKERS)

# One thread per test process: two processes with two threads each would wait for one another. A
# process that is done takes half of what the other has left (worksteal), whatever the file.
test-unit: $(VENV)/all.installed  ## unit and property tests, notebook hygiene
	OMP_NUM_THREADS=1 $(BIN)/pytest tests -m "not browser and not site and not launch" \
	  -n $(WORKERS) --dist=worksteal

test-notebooks: $(VENV)/all.installed  ## every stored output against a fresh run (nbval)
	OMP_NUM_THREADS=1 $(BIN)/pytest --nbval chapters -n $(WORKERS)

test-site: $(VENV)/all.installed  ## build the site with warnings as errors, then try it in Chromium
	rm -rf _build
	$(BOOK) -q
	OMP_NUM_THREADS=1 $(BIN)/pytest tests -m "browser or site" -n $(WORKERS) $(BROWSER_OPTIONS)

# Both runs, even if the first fails; then `seen` is raised where a bounded cell moved further.
test-numerics: export CONVBOOK_SPREAD = $(CURDIR)/_build/spread.jsonl
test-numerics: $(VENV)/all.installed  ## the notebooks as other processors run them; stores the spread
	mkdir -p _build && : > "$(CONVBOOK_SPREAD)"
	status=0; \
	ATEN_CPU_CAPABILITY=default OMP_NUM_THREADS=1 MKL_NUM_THREADS=1 \
	  $(BIN)/pytest --nbval chapters -n $(WORKERS) || status=1; \
	ONEDNN_MAX_CPU_ISA=AVX2 $(BIN)/pytest --nbval chapters || status=1; \
	$(BIN)/python -m tools.notebooks spread "$(CONVBOOK_SPREAD)" || status=1; \
	exit $$status

# The first run installs what Colab preinstalls into .venv-colab; PyPI's torch alone is several GB.
test-launch: $(VENV)/all.installed  ## each notebook alone on what Colab preinstalls; Binder's plan
	$(BIN)/pytest tests/chapters/test_launch.py -m launch --durations=0 --durations-min=1

# ---------------------------------------------------------------- upkeep

bench: $(VENV)/all.installed  ## speed and memory: operations, explorers, chapters, site
	$(BIN)/python -m benchmarks.bench
	$(BIN)/python -m benchmarks.explorers

freeze: $(VENV)/all.installed  ## write the installed versions to constraints.txt
	@! $(BIN)/python -m pip freeze | grep '^torch==.*+cpu' || \
	  { echo "This is the CPU-only torch; freeze an environment that make test installed."; exit 1; }
	@{ echo "# Every package of the book's environment at the version it was tested with."; \
	   echo "# Made by: make freeze"; \
	   $(BIN)/python -m pip list --format=freeze --exclude-editable --exclude pip; \
	 } > constraints.new && mv constraints.new constraints.txt

clean:  ## remove what was built (the environments stay; remove .venv* to start afresh)
	rm -rf _build .pytest_cache .ruff_cache .hypothesis
	find . -name __pycache__ -not -path './$(VENV)*/*' -prune -exec rm -rf {} +
