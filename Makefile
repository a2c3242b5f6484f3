# Everything from a fresh checkout: make demo, make test. Needs Python 3.11 to 3.13 and nothing else.
PYTHON ?= $(shell command -v python3.11 || command -v python3)
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo docs test slow lint types format clean

demo: $(VENV)/installed
	$(BIN)/bayesmix demo --out demo --force

docs: $(VENV)/installed
	$(BIN)/python docs/pages --out docs/gallery --force

test: $(VENV)/developing
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not slow"

slow: $(VENV)/developing
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m slow

lint: $(VENV)/developing
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: $(VENV)/developing
	$(BIN)/pyright --pythonpath $(BIN)/python

format: $(VENV)/developing
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

$(VENV)/bin/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/installed: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable .
	touch $@

$(VENV)/developing: pyproject.toml | $(VENV)/bin/python
	$(BIN)/python -m pip install --quiet --editable '.[dev]'
	touch $@ $(VENV)/installed

clean:
	rm -rf $(VENV) demo docs/gallery
