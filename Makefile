# Everything on a fresh machine: `make demo` and `make test`.

PYTHON ?= python3
VENV ?= .venv
BIN := $(abspath $(VENV))/bin

# Threads that fight over a core cost a factor of ten and more; set OMP_NUM_THREADS to use idle cores.
export OMP_NUM_THREADS ?= 1

.PHONY: install demo test lint clean

install: $(VENV)/.installed

$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --constraint constraints.txt --editable ".[test,lint,project]"
	touch $@

demo: install
	PATH="$(BIN):$$PATH" $(BIN)/python -m spacy project run all project

test: install
	$(BIN)/python -m pytest -n 2

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

clean:
	rm -rf $(VENV) project/corpus project/training project/packages
