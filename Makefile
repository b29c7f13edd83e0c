# `make demo` shows the main job, `make test` runs every test. Each builds .venv from the hash-pinned lock file first.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.DEFAULT_GOAL := help
.PHONY: help bench-law setup demo test lint words pictures format lock bench clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

setup: $(READY) ## build .venv from the lock file

$(READY): requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Twokey needs Python 3.11 or newer; set PYTHON=python3.11 (or newer)" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

demo: setup ## assess the founding case of 28 January 2026, then open the desk on it
	@$(BIN)/python examples/demo.py

test: setup ## run every test
	$(BIN)/python -m pytest -n 2 --dist loadfile --ignore tests/desk
	$(BIN)/python -m pytest -n 2 --dist loadfile tests/desk

lint: setup ## format, lint, types, import arrows, docstrings
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/python tests/docstrings.py

words: setup ## collect the strings of the pages into their Chinese catalogues
	$(BIN)/python -m tests.desk.catalogues

pictures: setup ## take the pictures of the README again
	TWOKEY_PICTURES=1 $(BIN)/python -m pytest tests/desk/web/test_pictures.py

format: setup ## rewrite the code in the house format
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

lock: ## refresh the lock file (needs uv on the path)
	uv pip compile pyproject.toml --all-extras --group dev --generate-hashes --universal --python-version 3.11 --no-header --no-annotate --no-emit-index-url --output-file requirements/dev.txt

.venv-bench/.ready: requirements/bench-law.txt pyproject.toml
	$(PYTHON) -m venv .venv-bench
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements/bench-law.txt
	.venv-bench/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

bench-law: .venv-bench/.ready ## time the law engine beside its peers, in an environment of its own
	.venv-bench/bin/python benchmarks/law.py

clean: ## remove what the targets above made
	rm -rf $(VENV) .venv-bench .mypy_cache .pytest_cache .ruff_cache .hypothesis
