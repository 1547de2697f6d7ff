# Two commands do everything: `make run` and `make test`.
# Uses uv where it is installed, otherwise python3 -m venv and pip.

SERVE ?= 1
PORT ?= 8000
OUT ?= out
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
UV := $(shell command -v uv 2>/dev/null)

# Python may keep what it compiled, wherever it runs: each of the hundreds of processes that the
# tests start would compile pandas and the service anew, two seconds of work each.
export PYTHONDONTWRITEBYTECODE :=

.PHONY: run test lint loops docs bench bench-full soak lock clean

run: $(VENV)/.run
	$(BIN)/wuqu demo --out $(OUT)
ifneq ($(SERVE),0)
	$(BIN)/wuqu serve --host 127.0.0.1 --port $(PORT)
endif

# A file of tests stays in one process: its fixtures open plans and servers once. Files are handed
# out as tests/file_order.py sorts them, longest first.
test: $(VENV)/.test
	$(MAKE) -j 2 lint loops
	$(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

lint: $(VENV)/.test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Loops are compiled once per machine. While one core reads the code, the other compiles them: each
# of the processes that the tests start would do so itself, side by side, half a minute of work.
loops: $(VENV)/.test
	$(BIN)/wuqu demo --out $(VENV)/demo > $(VENV)/demo.log 2>&1 || { cat $(VENV)/demo.log; exit 1; }

# The documentation site, in site/; a warning stops it.
docs: $(VENV)/.test
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

bench: $(VENV)/.test
	$(BIN)/python benchmarks/full.py --small

# On a quiet machine: hours with WHAT=--million. Writes the table in benchmarks/README.md.
bench-full: $(VENV)/.test
	$(BIN)/python benchmarks/full.py $(WHAT)
	$(BIN)/python benchmarks/intake.py
	$(BIN)/python benchmarks/maps.py
	$(BIN)/python benchmarks/raster.py --no-peer

# Half an hour of fuzzing and random requests; WHAT, SECONDS and EXAMPLES make it shorter.
SOAK_VENV ?= .venv-soak
SECONDS ?= 600
EXAMPLES ?= 1000
soak:
	$(MAKE) VENV=$(SOAK_VENV) $(SOAK_VENV)/.soak
	$(SOAK_VENV)/bin/python benchmarks/soak/run.py $(WHAT) --seconds $(SECONDS) --examples $(EXAMPLES)

# Dependencies come from the hash-locked files only; the project itself is installed without any.
$(VENV)/.run: requirements.txt pyproject.toml
	$(call install,requirements.txt)
	touch $@

$(VENV)/.test: requirements-test.txt pyproject.toml
	$(call install,requirements-test.txt)
	touch $(VENV)/.run $@

$(VENV)/.soak: requirements-soak.txt pyproject.toml
	$(call install,requirements-soak.txt)
	touch $@

ifdef UV
define install
test -x $(BIN)/python || $(UV) venv --quiet --python $(PYTHON) $(VENV)
$(UV) pip install --quiet --python $(BIN)/python --require-hashes -r $(1)
$(UV) pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation --editable .
endef
else
define install
test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
endef
endif

LOCK := uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock:
	$(LOCK) pyproject.toml --extra report --extra ogc requirements-build.in -o requirements.txt
	$(LOCK) pyproject.toml --extra test --extra notebook --extra distributed --extra bench --extra docs --extra ogc --extra postgis --extra report requirements-build.in -o requirements-test.txt
	$(LOCK) pyproject.toml --extra soak requirements-build.in -o requirements-soak.txt

clean:
	rm -rf $(VENV) $(SOAK_VENV) $(OUT) dist site .mypy_cache .ruff_cache .pytest_cache
