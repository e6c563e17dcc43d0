# Two commands: `make gate` judges the sample service, `make test` tests Brownout itself.
#
# make exits with 2 after any failure. Brownout's own exit code (0, 1 or 2) is in the last line that
# `make gate` prints, and in brownout-report/brownout.json.

VENV := .venv
PYTHON := $(VENV)/bin/python
# The environment depends on the requirements and the build, not on the settings of the tools.
MADE_FROM := { sed '/^\[tool\.pytest/,$$d' pyproject.toml; cat constraints.txt; }
ASK_ENGINE := $(PYTHON) -m brownout.backends.docker
# If an engine is required, the target `engine` has already checked that it answers.
ENGINE_ANSWERS := { [ "$${BROWNOUT_REQUIRE_DOCKER:-0}" = 1 ] || $(ASK_ENGINE) >/dev/null 2>&1; }
# An environment of the lowest versions that the package declares, beside a service's of 2022.
OLDEST := .oldest
OLDEST_FROM := { sed '/^\[tool\.pytest/,$$d' pyproject.toml; cat constraints-oldest.txt; }
OLDEST_TESTS := tests/oldest tests/core/test_declaration.py tests/core/test_expectations.py \
    tests/core/test_runner.py tests/engine/test_client.py tests/engine/test_command.py \
    tests/engine/test_hostile_calls.py tests/engine/test_process.py tests/engine/wire/test_patterns.py \
    tests/plugin/test_adopters.py tests/plugin/test_handover.py \
    tests/plugin/test_options.py tests/plugin/test_xdist.py tests/trial/test_probes.py
TYPED := fixtures sample_service suites tests benchmarks examples website conftest.py noxfile.py

TIMES := 8
DETECTION := brownout-report/detection
# Arguments for `brownout gate` or pytest, as in: make gate ARGS="--backend docker"
ARGS :=

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_ROOT_USER_ACTION := ignore
# Many containers set this; then each of some hundred processes would compile every module again.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help gate sweep test oldest pythons release env engine lint compiled docs picture own-tests suites \
    incidents few-trials containers examples incidents-page detection fuzz hunt clean
.DEFAULT_GOAL := help

help:
	@echo 'make gate        judge the sample service; the report goes to brownout-report/'
	@echo 'make sweep       break each step of each of its operations once'
	@echo 'make test        lint, types, own tests, suites, examples; with containers if Docker answers'
	@echo 'make suites      run the suites against the sample service with plain pytest'
	@echo 'make detection   run all controls, and write which defects are caught to docs/explanation/detection.md'
	@echo 'make examples    judge the services in examples/ whole; those without their runtime are skipped'
	@echo 'make few-trials  judge them by a few trials, as make test does'
	@echo 'make incidents   judge the incidents in examples/; those without their runtime are skipped'
	@echo 'make oldest      run some of the own tests with the lowest versions that are declared'
	@echo 'make pythons     run the same tests on each Python that is there, and with the newest versions'
	@echo 'make release     build what is published, and say what is missing for that'
	@echo 'make docs        build the documentation in build/site; a warning is an error'
	@echo 'make picture     make the pictures of a report and of the page of brownout up in the documents'
	@echo 'make lint        run ruff and mypy'
	@echo 'make env         build the environment .venv, which all of these use'
	@echo 'make fuzz        attack the engine for long; TIMES says how many times as much as make test'
	@echo 'make hunt        search for all that only several steps break; make test for what is found in seconds'
	@echo 'make bench-NAME  run the benchmark benchmarks/NAME.py'

gate: env
	@$(VENV)/bin/brownout gate $(ARGS)

sweep: env
	@$(VENV)/bin/brownout gate --only sweep $(ARGS)

# A line that fails ends the run.
test: engine
	@$(MAKE) --no-print-directory -j 2 lint compiled
	@$(MAKE) --no-print-directory own-tests
	@$(MAKE) --no-print-directory suites
	@$(MAKE) --no-print-directory incidents
	@$(MAKE) --no-print-directory few-trials
	@$(MAKE) --no-print-directory containers

lint: env
	@echo '== ruff'
	@$(VENV)/bin/ruff check --quiet .
	@$(VENV)/bin/ruff format --quiet --check .
	@echo '== mypy --strict'
	@$(VENV)/bin/mypy --strict $(TYPED)

# Pages of promises, faults and options are made of the code that defines them.
docs: env
	@echo '== documentation'
	@$(PYTHON) -m website

# Needs Debian's Chromium. Only if the page looks different is the picture worth a commit.
picture: env
	@$(PYTHON) -m website.picture
	@$(PYTHON) -m website.by_hand

# Compile all modules once, beside the lint, instead of in six workers at once: Python compiles a
# module, and pytest rewrites a test module, on first import. `own-tests` reports any errors.
compiled: env
	@$(PYTHON) -m pytest tests -q --collect-only >/dev/null 2>&1 || :

# If an engine is required but absent, fail at once instead of after minutes.
engine: env
	@if [ "$${BROWNOUT_REQUIRE_DOCKER:-0}" = 1 ] && ! $(ASK_ENGINE) >/dev/null; then \
	    echo 'BROWNOUT_REQUIRE_DOCKER=1 asks for an engine, but none answers: start one, or' \
	        'unset the variable to skip the tests with containers.' >&2; \
	    exit 1; \
	fi

own-tests: engine
	@if $(ENGINE_ANSWERS); then \
	    echo '== our own tests, with containers, and the controls'; marked='not alone'; \
	else \
	    echo '== our own tests, and the controls'; marked='not alone and not docker'; \
	fi; \
	$(PYTHON) -m pytest tests -q -rs -n 4 --dist loadfile --no-loadscope-reorder -m "$$marked" $(ARGS)
	@echo '== those of our own tests that need the machine to themselves'
	@$(PYTHON) -m pytest tests -q -rs -m alone $(ARGS)

suites: env
	@echo '== the suites and the sweep, backend embedded'
	@$(PYTHON) -m pytest suites -q -n 4 --brownout-sweep=all $(ARGS)

incidents: env
	@echo '== the incidents in examples/'
	@$(PYTHON) -m pytest examples/test_incidents.py -q -rs -n 4 $(ARGS)

containers: engine
	@if $(ENGINE_ANSWERS); then \
	    echo '== the suites, backend docker' && \
	    $(PYTHON) -m pytest suites -q -n 3 --brownout-backend=docker $(ARGS); \
	else \
	    echo 'No Docker engine answers: the tests and suites with containers were not run.'; \
	fi

# A control that fails is told by the matrix as well, so the page is written in any case.
detection: env
	@echo '== the controls, and what is caught'
	@rm -rf $(DETECTION); export BROWNOUT_DETECTION=$(DETECTION); code=0; \
	$(PYTHON) -m pytest tests/controls/test_controls.py -q -n 4 --dist loadfile --no-loadscope-reorder \
	    -m 'not alone' $(ARGS) || code=$$?; \
	$(PYTHON) -m pytest tests/controls/test_controls.py -q -m alone $(ARGS) || code=$$?; \
	$(PYTHON) -m tests.controls.detection $(DETECTION) && exit $$code

examples: env
	@echo '== the services in examples/'
	@$(PYTHON) -m pytest examples/test_whole_examples.py -q -rs $(ARGS)

few-trials: env
	@echo '== the services in examples/, by a few trials'
	@$(PYTHON) -m pytest examples/test_examples.py -q -rs $(ARGS)

incidents-page: env
	@$(PYTHON) -m examples.gallery

oldest: env
	@$(OLDEST_FROM) | cmp -s - $(OLDEST)/made-from && $(OLDEST)/bin/python -c '' 2>/dev/null \
	    || $(MAKE) --no-print-directory $(OLDEST)
	@echo '== some of our own tests, with the lowest versions that are declared'
	@$(OLDEST)/bin/python -m pytest $(OLDEST_TESTS) -q -n 2 --dist loadfile $(ARGS)

.PHONY: $(OLDEST)
$(OLDEST):
	@echo "== environment: building $(OLDEST)"
	@$(PYTHON) -m venv --clear $(OLDEST)
	@$(OLDEST)/bin/python -m pip install -q --no-compile -c constraints-oldest.txt \
	    -e '.[asyncio,embedded]' fastapi hypothesis
	@$(OLDEST_FROM) > $(OLDEST)/made-from

pythons: env
	@$(VENV)/bin/nox -- $(OLDEST_TESTS) $(ARGS)

release: env
	@$(VENV)/bin/nox -s release

# It ends with what was tried, and with what the engine held before and after.
fuzz: env
	@BROWNOUT_FUZZ=$(TIMES) $(PYTHON) -m pytest tests/engine/fuzz -q -s $(ARGS)

# Each search may need every pair of faults, which takes a minute or two.
hunt: env
	@BROWNOUT_HUNT=all $(PYTHON) -m pytest tests/chaos/test_hunted.py -q $(ARGS)

bench-%: env
	@$(PYTHON) -m benchmarks.$* $(ARGS); code=$$?; echo "bench-$*: exit code $$code"; exit $$code

# Rebuilt only if its inputs have changed or its Python is gone. A new pip takes half the time of an
# old one; four at once take less than half the time of one, which waits for the registry at each
# package. --no-compile, because most modules are never imported.
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
	rm -rf $(VENV) $(OLDEST) brownout-report build dist
