# vizkv: two commands and a few more.   make app | make test
#
#   PORT=8600 make app       another port            HOST=0.0.0.0 make app    let the lecture hall in
#   WATCH=auto make app      rerun when a file changes
#   SEED=1234 make test      the tests in the order that a run named
#   PYTHON=python3.12 make   another Python          CHROMIUM=/path make test another browser

SHELL   := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.NOTPARALLEL:
MAKEFLAGS += --no-print-directory

PYTHON ?= python3
HOST   ?= localhost
PORT   ?=
WATCH  ?= none
JOBS   ?= 2
# the tests run in another order each time; the same seed gives the same order
ifndef SEED
SEED   := $(shell echo $$((RANDOM * 32768 + RANDOM)))
endif
VENV   := .venv
BIN    := $(VENV)/bin
PINS   := pyproject.toml constraints.txt

export PIP_DISABLE_PIP_VERSION_CHECK := 1
# one thread a process: the tests run side by side, and small matrices are slower on many
export OMP_NUM_THREADS ?= 1

define banner
@printf '\n== %s\n' $(1)
endef

.PHONY: help app test lint types check bench pins clean chromium

help:
	@echo 'make app      the lab, in a browser (PORT=, HOST=)'
	@echo 'make test     lint, types and every test; installs what is missing'
	@echo 'make bench    what the README quotes, measured here'
	@echo 'make clean    removes what these made'

# -- the environment: a stamp for each of the two ways of installing --------------------------------------------------

$(VENV)/app.stamp: $(PINS)
	@scripts/environment.sh '$(PYTHON)' $(VENV) '.[gguf]'
	@touch $@

$(VENV)/dev.stamp: $(PINS)
	@scripts/environment.sh '$(PYTHON)' $(VENV) '.[dev]'
	@touch $(VENV)/app.stamp $@

chromium:
	@scripts/chromium.sh

$(VENV)/axe/node_modules/axe-core/axe.min.js: $(VENV)/dev.stamp scripts/axe.sh
	@scripts/axe.sh $(VENV)/axe

# -- the app ----------------------------------------------------------------------------------------------------------

app: $(VENV)/app.stamp
	@STREAMLIT_SERVER_FILE_WATCHER_TYPE='$(WATCH)' exec $(BIN)/vizkv app --no-browser --host '$(HOST)' \
	  $(if $(PORT),--port '$(PORT)')

# -- the checks, in the order in which they fail fastest --------------------------------------------------------------

test: $(VENV)/dev.stamp chromium $(VENV)/axe/node_modules/axe-core/axe.min.js lint types check

lint: $(VENV)/dev.stamp
	$(call banner,'Lint')
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .

types: $(VENV)/dev.stamp
	$(call banner,'Types')
	@$(BIN)/mypy

# the browser tests share one app, so all of them run in one of the processes
check: $(VENV)/dev.stamp
	$(call banner,'Tests: unit; property; pages; browser; in the order of SEED=$(SEED)')
	@$(BIN)/python -m scripts.check -n $(JOBS) --dist loadgroup --randomly-seed=$(SEED)

bench: $(VENV)/dev.stamp chromium
	@for file in benchmarks/*.py; do \
	  case $$file in */_*) continue;; esac; \
	  printf '\n== %s\n' "$$file"; $(BIN)/python "$$file"; \
	done

# -- upkeep -----------------------------------------------------------------------------------------------------------

pins:
	@scripts/pins.sh '$(PYTHON)'

clean:
	rm -rf $(VENV) build dist .pytest_cache .hypothesis .mypy_cache .ruff_cache
	find . -name __pycache__ -type d -not -path './.git/*' -prune -exec rm -rf {} +
