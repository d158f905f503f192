# Everything from a fresh checkout. It needs make, and Python 3.11 or newer with its venv module.
# Works with GNU make 3.81 (the one of macOS) and later. `make PYTHON=/path/to/python3.12 test` chooses a Python.

VENV := .venv
RUN := $(VENV)/bin/python
READY := $(VENV)/.set-up
PYTHON ?=
PYTEST ?=
# Many tests wait for a process or a server, so run more workers than a small machine has cores.
WORKERS ?= 5

# Let uv use a Python of this machine, and download none.
export UV_PYTHON_DOWNLOADS = never

# Commands and tests start much sooner from byte code, which some machines switch off.
export PYTHONDONTWRITEBYTECODE =

.PHONY: help demo test test-fast search lint check pages bench deb man setup
.DEFAULT_GOAL := help

help: ## List what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-10s %s\n", $$1, $$2 }' Makefile

demo: $(READY) ## Play two days of an invented university against a sandbox on this machine, in half a minute
	@$(RUN) -m sync demo

# The type checker needs one core of several for half a minute, while the first tests mostly wait.
# The first time, one process translates the tests to byte code, instead of all workers at once.
test: lint ## Run the linter, the type checker and all tests (PYTEST="-k words" adds options)
	@echo "== mypy and tests"
	@$(RUN) -m mypy > $(VENV)/mypy.txt 2>&1 & types=$$!; \
	ls tests/__pycache__/*pytest* >/dev/null 2>&1 || $(RUN) -m pytest --collect-only >/dev/null; \
	$(RUN) -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder $(PYTEST); tests=$$?; \
	wait $$types || { cat $(VENV)/mypy.txt; exit 1; }; \
	exit $$tests

test-fast: $(READY) ## Run the unit tests that start no server and no process, in 3 minutes (PYTEST as above)
	@$(RUN) -m pytest -n $(WORKERS) -m "not server and not process" tests/unit $(PYTEST)

search: $(READY) ## Run the property tests with random examples, which differ each time (PYTEST as above)
	@HYPOTHESIS_PROFILE=search $(RUN) -m pytest -n auto -m hypothesis $(PYTEST)

lint: $(READY) ## Run the linter
	@echo "== ruff"
	@$(RUN) -m ruff check .
	@$(RUN) -m ruff format --check .

check: lint ## Run the linter and the type checker
	@echo "== mypy"
	@$(RUN) -m mypy

pages: $(READY) ## Write the generated parts of the pages again, such as what the tutorial prints
	@$(RUN) tests/system/docs/regenerate.py

bench: $(READY) ## Measure speed and memory by the benchmarks in tests/bench
	@for each in tests/bench/bench_*.py; do echo "== $$each"; $(RUN) "$$each" || exit 1; done

deb: $(READY) ## Build a package for Debian and Ubuntu in dist/, with all that the program needs
	@$(RUN) deploy/debian/build_package.py

man: $(READY) ## Write the man page to dist/inspera-sync.1
	@mkdir -p dist
	@$(RUN) -m sync help man > dist/inspera-sync.1

setup: $(READY) ## Install what this project needs into .venv; the other targets do it first

# Find a usable Python, or say what is missing. A name on the PATH may be an empty shim of a version manager, so try each.
define FIND_PYTHON
found= bare=
for each in $(or $(PYTHON),python3.13 python3.12 python3.11 python3 python); do
	"$$each" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1 || continue
	if "$$each" -c 'import ensurepip, venv' >/dev/null 2>&1; then found=$$each; break; fi
	bare=$$each
done
if [ -z "$$found" ] && [ -n "$$bare" ]; then
	echo "make: $$bare lacks its venv module; install it (Debian, Ubuntu: apt install python3-venv)" >&2
	exit 1
elif [ -z "$$found" ]; then
	echo "make: no Python 3.11 or newer was found; install one, or name it: make PYTHON=/path/to/python3.12" >&2
	exit 1
fi
endef
export FIND_PYTHON

# Write the versions of uv.lock as pip's constraints, so that uv and pip install the same ones. Write the development tools
# of pyproject.toml as requirements, because older versions of pip cannot read them there. Leave a package that is locked
# at two versions, for different machines, to pip.
define WRITE_REQUIREMENTS
import collections, pathlib, sys, tomllib
locked = collections.defaultdict(set)
for package in tomllib.loads(pathlib.Path("uv.lock").read_text("utf-8"))["package"]:
    if "registry" in package["source"]:
        locked[package["name"]].add(package["version"])
pins = [f"{name}=={min(versions)}\n" for name, versions in locked.items() if len(versions) == 1]
tools = [tool + "\n" for tool in tomllib.loads(pathlib.Path("pyproject.toml").read_text("utf-8"))["dependency-groups"]["dev"]]
folder = pathlib.Path(sys.argv[1])
(folder / "constraints.txt").write_text("".join(pins), "utf-8")
(folder / "tools.txt").write_text("".join(tools), "utf-8")
endef
export WRITE_REQUIREMENTS

# Repeat it when pyproject.toml or uv.lock has changed. Replace an incomplete or foreign .venv.
$(READY): pyproject.toml uv.lock
	@rm -f $@
	@if command -v uv >/dev/null 2>&1; then \
		echo "== setting up $(VENV) with uv"; \
		uv sync --frozen --quiet --compile-bytecode $(if $(PYTHON),--python "$(PYTHON)") || exit 1; \
	else \
		eval "$$FIND_PYTHON"; \
		echo "== setting up $(VENV) with $$found and pip"; \
		if ! $(RUN) -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			"$$found" -m venv --clear $(VENV) || exit 1; \
		fi; \
		$(RUN) -m pip --version >/dev/null 2>&1 || $(RUN) -m ensurepip >/dev/null || exit 1; \
		$(RUN) -c "$$WRITE_REQUIREMENTS" $(VENV) || exit 1; \
		$(RUN) -m pip --disable-pip-version-check install --quiet \
			--constraint $(VENV)/constraints.txt --requirement $(VENV)/tools.txt --editable . || exit 1; \
	fi
	@touch $@
