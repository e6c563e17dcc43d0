# Two commands: `make gate` judges the sample service, `make test` proves the project itself.
#
# make turns every failure into its own exit code 2; Brownout's (0, 1 or 2) is the last line of
# `make gate` and stands in brownout-report/brownout.json.

VENV := .venv
PYTHON := $(VENV)/bin/python
# What the environment is made from: the project's requirements and build, not the tools' settings.
MADE_FROM := { sed '/^\[tool\.pytest/,$$d' pyproject.toml; cat constraints.txt; }
ASK_ENGINE := $(PYTHON) -m brownout.backends.docker
# Where one is required, `engine` has asked already.
ENGINE_ANSWERS := { [ "$${BROWNOUT_REQUIRE_DOCKER:-0}" = 1 ] || $(ASK_ENGINE) >/dev/null 2>&1; }
TYPED := fixtures sample_service suites tests benchmarks conftest.py

# More words for `brownout gate` or pytest, as in: make gate ARGS="--backend docker"
ARGS :=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Where this is set, as in many containers, each of some hundred processes would compile anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help gate test env engine lint compiled own-tests suites containers clean
.DEFAULT_GOAL := help

help:
	@echo 'make gate    judge the sample service: one verdict, a report in brownout-report/'
	@echo 'make test    lint, types, our own tests, the suites; with containers where Docker answers'
	@echo 'make suites  the suites against the sample service, as pytest shows them'
	@echo 'make lint    ruff and mypy'
	@echo 'make env     the environment .venv that all of these use'
	@echo 'make bench-NAME  the benchmark benchmarks/NAME.py'

gate: env
	@$(VENV)/bin/brownout gate $(ARGS)

# Each line ends the run where it fails.
test: engine
	@$(MAKE) --no-print-directory -j 2 lint compiled
	@$(MAKE) --no-print-directory own-tests
	@$(MAKE) --no-print-directory suites
	@$(MAKE) --no-print-directory containers

lint: env
	@echo '== ruff'
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .
	@echo '== mypy --strict'
	@$(VENV)/bin/mypy --strict --num-workers 2 $(TYPED)

# Python compiles a module, and pytest rewrites a test's, when it is first imported: here, once,
# beside the lint, and not by six workers at once. What is wrong, `own-tests` tells.
compiled: env
	@$(PYTHON) -m pytest tests -q --collect-only >/dev/null 2>&1 || :

# Where an engine is required, its absence is told at once, and not after minutes.
engine: env
	@if [ "$${BROWNOUT_REQUIRE_DOCKER:-0}" = 1 ] && ! $(ASK_ENGINE) >/dev/null; then \
	    echo 'BROWNOUT_REQUIRE_DOCKER=1 asks for an engine: start one, or unset the variable;' \
	        'then the tests with containers are left out.' >&2; \
	    exit 1; \
	fi

own-tests: engine
	@if $(ENGINE_ANSWERS); then \
	    echo '== our own tests, with containers, and the controls'; marked=; \
	else \
	    echo '== our own tests, and the controls'; marked='not docker'; \
	fi; \
	$(PYTHON) -m pytest tests -q -rs -n 6 --dist loadfile --no-loadscope-reorder -m "$$marked" $(ARGS)

suites: env
	@echo '== the suites, backend embedded'
	@$(PYTHON) -m pytest suites -q -n 4 $(ARGS)

containers: engine
	@if $(ENGINE_ANSWERS); then \
	    echo '== the suites, backend docker' && \
	    $(PYTHON) -m pytest suites -q -n 3 --brownout-backend=docker $(ARGS); \
	else \
	    echo 'No Docker engine answers: the tests and suites with containers were not run.'; \
	fi

bench-%: env
	@$(PYTHON) -m benchmarks.$* $(ARGS); code=$$?; echo "bench-$*: exit code $$code"; exit $$code

# Built anew only when what it is made from has changed, or when its Python is gone. A new pip takes
# half the time of an old one, and four at once less than half of one alone, which waits for the
# registry at each package. Modules are compiled when they are first imported: most never are.
env:
	@$(MADE_FROM) | cmp -s - $(VENV)/made-from && $(PYTHON) -c '' 2>/dev/null \
	    || $(MAKE) --no-print-directory $(VENV)

.PHONY: $(VENV)
$(VENV):
	@found=; \
	for candidate in $(BROWNOUT_PYTHON) python3 python3.14 python3.13 python3.12 python3.11; do \
	    if $$candidate -c 'import ensurepip, sys, venv; sys.exit(sys.version_info < (3, 11))' \
	        2>/dev/null; then found=$$candidate; break; fi; \
	done; \
	if [ -z "$$found" ]; then \
	    echo 'No Python 3.11 or newer with its venv module was found.' >&2; \
	    echo 'Tried: $(BROWNOUT_PYTHON) python3 python3.14 python3.13 python3.12 python3.11' >&2; \
	    echo 'What to do: install one (on Debian: python3 and python3-venv), or name it with' \
	        'BROWNOUT_PYTHON=/path/to/python.' >&2; \
	    exit 1; \
	fi; \
	echo "== environment: building $(VENV) with $$($$found -V)"; \
	$$found -m venv --clear $(VENV)
	@$(PYTHON) -m pip install -q -c constraints.txt --upgrade pip hatchling
	@grep '^[^#]' constraints.txt \
	    | xargs -P 4 -n 26 $(PYTHON) -m pip install -q --no-deps --no-compile
	@$(PYTHON) -m pip install -q -c constraints.txt --no-compile --no-build-isolation -e '.[dev]'
	@$(MADE_FROM) > $(VENV)/made-from

clean:
	rm -rf $(VENV) brownout-report dist
