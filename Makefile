# Everything runs in .venv, made from the locked and hashed dependencies.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PORT ?= 8000

.PHONY: demo test interop lint bench soak dist lock clean

$(VENV)/installed: requirements/test.lock pyproject.toml hatch_build.py
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/test.lock
	$(BIN)/python -m pip install --quiet --no-deps --no-build-isolation --editable .
	touch $@

# What is measured against, and the fuzzer, come on top of that.
$(VENV)/installed-bench: $(VENV)/installed requirements/bench.lock
	$(BIN)/python -m pip install --quiet --require-hashes -r requirements/bench.lock
	touch $@

# Three towns on this machine, kept in .demo; Ctrl-C ends them.
demo: $(VENV)/installed
	@$(BIN)/python -m node demo --port $(PORT)

# A file of tests at a time on each processor: each has nodes of its own.
test: $(VENV)/installed
	$(BIN)/python -m pytest -m "not soak" -n auto --maxprocesses 4 --dist loadfile

interop: $(VENV)/installed
	$(BIN)/python -m pytest tests/interop

lint: $(VENV)/installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

bench: $(VENV)/installed-bench
	$(BIN)/python -m bench

# FUZZ=… for another number of inputs to each target.
soak: $(VENV)/installed-bench
	$(BIN)/python -m pytest -m soak

# A wheel, and beside it every wheel it needs, to install where there is no internet; and the
# hashes of the scripts that seal, to be published with it.
dist: $(VENV)/installed
	rm -rf dist
	$(BIN)/python -m pip wheel --quiet --no-deps --no-build-isolation --wheel-dir dist .
	$(BIN)/python -m pip download --quiet --require-hashes --no-deps --only-binary :all: \
	    --dest dist/wheels -r requirements/run.lock
	cd node/web/static && sha256sum *.js > ../../../dist/scripts.sha256

# Locks every dependency with its hashes and no address. Done by hand, reviewed like code.
lock:
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-header --allow-unsafe \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-annotate \
	    --output-file requirements/run.lock pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-header --allow-unsafe \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-annotate \
	    --extra test --constraint requirements/run.lock \
	    --output-file requirements/test.lock pyproject.toml
	$(BIN)/pip-compile --quiet --strip-extras --generate-hashes --no-header --allow-unsafe \
	    --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --no-annotate \
	    --extra test --extra bench --constraint requirements/test.lock \
	    --output-file requirements/bench.lock pyproject.toml

clean:
	rm -rf $(VENV) dist build
