# sfumato: `make demo` shows it, `make test` checks it. Each sets up .venv by itself, once.

VENV   ?= .venv
PYTHON := $(VENV)/bin/python
READY  := $(VENV)/.sfumato-ready
EXTRAS := dev,train,fast

.PHONY: demo serve test check lint types layers readme tables docs mutants bench wheel wheel-check clean setup
.DEFAULT_GOAL := demo

demo: $(READY)
	$(VENV)/bin/sfumato demo

# The service, at http://127.0.0.1:8000; the first start prints a key. More: make serve SERVE='--workers 4'
serve: $(READY)
	$(VENV)/bin/sfumato serve $(SERVE)

# Bytecode is kept for the many short processes that tests start, whatever the shell says.
test: export OMP_NUM_THREADS = 1
test: $(READY)
	env -u PYTHONDONTWRITEBYTECODE $(PYTHON) -m pytest -n 2 --dist loadfile $(TESTS)

check: lint types layers tables test

lint: $(READY)
	$(PYTHON) -m ruff check .

types: $(READY)
	$(PYTHON) -m mypy

layers: $(READY)
	$(VENV)/bin/lint-imports

# Every table of these pages, from benchmarks/results; `tables` only says which differ.
PAGES = $(shell grep -l '^<!-- table' README.md MODEL_CARD.md docs/*.md)

readme: $(READY)
	for page in $(PAGES); do $(VENV)/bin/sfumato bench tables "$$page" || exit; done

tables: $(READY)
	for page in $(PAGES); do $(VENV)/bin/sfumato bench tables --check "$$page" || exit; done

# The pages as a site, under site/: open site/index.html. A link that leads nowhere is an error; nothing is fetched.
docs: export NO_MKDOCS_2_WARNING = 1
docs: $(READY)
	$(PYTHON) -m mkdocs build --strict

# Small faults put into the trusted modules: how many do the tests find? A seeded sample; every one: make mutants ALL=1
mutants: export OMP_NUM_THREADS = 1
mutants: $(READY)
	$(PYTHON) tests/mutation/gate.py $(if $(ALL),--all) $(if $(ONLY),--only '$(ONLY)')

# A folder of clips, one person a clip: make bench FOOTAGE=clips/
bench: $(READY)
	@test -n "$(FOOTAGE)" || { echo "Say where the clips are (one person a clip): make bench FOOTAGE=DIR" >&2; exit 2; }
	$(VENV)/bin/sfumato bench quality --footage "$(FOOTAGE)"

wheel: $(READY)
	$(PYTHON) -c "import shutil; shutil.rmtree('build', ignore_errors=True)"
	$(PYTHON) -c "import os, setuptools.build_meta as b; os.makedirs('dist', exist_ok=True); print('dist/' + b.build_wheel('dist'))"

# The wheel where no source is: installed by pipx for this once (7 GB, minutes), then used in an empty folder.
wheel-check: wheel
	sh .ci/wheel_check.sh dist

clean:
	rm -rf build dist site .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis .mutants *.egg-info

setup: $(READY)

$(READY): pyproject.toml .ci/setup.sh
	EXTRAS="$(EXTRAS)" sh .ci/setup.sh "$(VENV)"
	@touch $@
