# Everything on a fresh machine: `make demo` and `make test`.

PYTHON ?= python3
VENV ?= .venv
TEST_VENV ?= .venv-test
BIN := $(abspath $(VENV))/bin
TEST_BIN := $(abspath $(TEST_VENV))/bin
DEMO := project/demo

# Threads that fight over a core cost a factor of ten and more; set OMP_NUM_THREADS to use idle cores.
export OMP_NUM_THREADS ?= 1

# a comma would end an argument of `call`
comma := ,

# environment, extras
define install
$(PYTHON) -m venv $(1)
$(1)/bin/python -m pip install --quiet --upgrade pip
$(1)/bin/python -m pip install --quiet --no-compile --constraint constraints.txt --editable ".[$(2)]"
touch $(1)/.installed
endef

.PHONY: configs install demo test lint docs sdist clean

install: $(VENV)/.installed

$(VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	$(call install,$(VENV),project)

$(TEST_VENV)/.installed: setup.cfg pyproject.toml constraints.txt
	$(call install,$(TEST_VENV),test$(comma)lint$(comma)docs$(comma)project)

# A first look: from the annotated files in assets/ to a wheel, and what it predicts where nothing but it is installed.
demo: $(VENV)/.installed
	$(BIN)/python -m spacy project run all project
	@echo "Your own files next: $(BIN)/spacy-datnet init FOLDER --target F --source F; then spacy project run all FOLDER"
	@echo "What was compared, and how sure it is: $(DEMO)/report.html"

test: $(TEST_VENV)/.installed
	$(TEST_BIN)/python -m pytest -n 2 --dist worksteal

lint: $(TEST_VENV)/.installed
	$(TEST_BIN)/ruff check .
	$(TEST_BIN)/ruff format --check .
	$(TEST_BIN)/mypy

# docs/_build/html/index.html; a warning is an error, and nothing is fetched
docs: $(TEST_VENV)/.installed
	$(TEST_BIN)/sphinx-build --quiet --fail-on-warning --keep-going --builder html docs docs/_build/html

# A source distribution that passes its own tests, without the checkout.
sdist: $(TEST_VENV)/.installed
	rm -rf build/sdist && mkdir -p build/sdist
	$(TEST_BIN)/python -m build --sdist --outdir build/sdist .
	tar -xzf build/sdist/*.tar.gz -C build/sdist --strip-components 1
	$(PYTHON) -m venv build/sdist/.venv
	build/sdist/.venv/bin/python -m pip install --quiet --constraint constraints.txt "build/sdist[test]"
	rm -rf build/sdist/spacy_datnet
	cd build/sdist && .venv/bin/pytest -n 2

clean:
	rm -rf $(VENV) $(TEST_VENV) build $(DEMO) project/corpus project/training project/packages docs/_build docs/reference

# what configs/ holds, by the command in each file
configs: $(VENV)/.installed
	sed -n 's/^# spacy-datnet init-config //p' configs/*.cfg | xargs -L 1 $(BIN)/python -m spacy_datnet init-config --force
