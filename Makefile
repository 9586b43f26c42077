# `make demo` and `make test` need Python >= 3.11, git and make; everything else goes into .venv.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
WORKERS ?= auto
PYTEST_ARGS ?=

.PHONY: demo test check docs bench clean help
help: ## what can be made
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST)

demo: $(VENV)/installed ## install, then watch a change travel from pull request to production
	$(BIN)/herodeploy demo

test: $(VENV)/installed-dev ## install what tests need, then run the whole suite
	$(BIN)/pytest -n $(WORKERS) $(PYTEST_ARGS)

check: $(VENV)/installed-dev ## format, lint, types, layers, generated documents
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/herodeploy docs --check

docs: $(VENV)/installed-dev ## write the generated documents anew
	$(BIN)/herodeploy docs

bench: $(VENV)/installed-dev ## print the figures
	for file in benchmarks/bench_*.py; do $(BIN)/python $$file || exit 1; done

clean: ## remove what was installed
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit("herodeploy needs Python 3.11 or newer; this is " + sys.version.split()[0] + ". Name another one: make PYTHON=python3.12 demo") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

$(VENV)/installed-dev: $(BIN)/python pyproject.toml
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev,postgres,tls,github]'
	touch $@ $(VENV)/installed
