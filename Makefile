# The commands of the project. `make book` and `make test` need Python 3.11 or newer, make and a
# package index; everything they install goes into .venv and nowhere else.

PYTHON ?= python3
VENV   := .venv
PY     := $(VENV)/bin/python
ARGS   ?=
N      ?= 1000
SEED   ?= 1

# Everything that .venv is made from: when one of these changes, pip looks again.
PINS := pyproject.toml constraints.txt
# The extras of pyproject.toml: for the book, and for tests and tools on top.
BOOK := book,host
TEST := $(BOOK),drgn,test,dev

# $(call install,EXTRAS): make .venv if there is none and install the project with these extras.
define install
@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
  echo "kernelsim needs Python 3.11 or newer, and '$(PYTHON)' is not; name another one: make PYTHON=python3.12" >&2; exit 1; }
@test -x $(PY) || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
  echo "kernelsim could not make $(VENV): this Python has no venv module (Debian and Ubuntu: apt install python3-venv)." >&2; exit 1; }
@echo "Setting up $(VENV) for: $(1) (the first time takes a minute or two)"
@PIP_DISABLE_PIP_VERSION_CHECK=1 $(PY) -m pip install --constraint constraints.txt --editable '.[$(1)]' \
  > $(VENV)/install.log 2>&1 || { \
  if grep -q -e 'after connection broken' -e '(from versions: none)' $(VENV)/install.log; then \
    echo "kernelsim could not be set up, for no package index could be reached: connect to the network, or tell pip of an index or a folder of wheels, and run make again (details: $(VENV)/install.log)." >&2; \
  else \
    echo "kernelsim could not be set up; pip says (all of it: $(VENV)/install.log):" >&2; grep ERROR $(VENV)/install.log >&2; \
  fi; exit 1; }
@touch $@
endef

.PHONY: help book test check notebooks site slides bench fuzz lint format pins clean

help:  ## this list
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/make \1|\2/p' Makefile | awk -F'|' '{ printf "%-16s%s\n", $$1, $$2 }'

book: $(VENV)/.book  ## set up, then open the book in JupyterLab (ARGS= goes to JupyterLab)
	@$(PY) -m kernelsim lab $(ARGS)

test: $(VENV)/.test  ## set up, then run every test (ARGS= goes to pytest)
	@$(PY) -m pytest --numprocesses 2 --dist loadfile $(ARGS)

check: $(VENV)/.book  ## re-run the notebooks and compare them with what is stored
	@$(PY) -m kernelsim check $(ARGS)

notebooks: $(VENV)/.book  ## re-run the notebooks and store their outputs, normalised
	@$(PY) -m kernelsim notebooks $(ARGS)

site: $(VENV)/.book  ## pages and slides of the book in site/, to be opened without a network
	@$(PY) -m kernelsim export $(ARGS)

slides: $(VENV)/.book  ## the slides alone
	@$(PY) -m kernelsim export --to slides $(ARGS)

bench: $(VENV)/.test  ## measure, against the real kernel where there is one
	@$(PY) bench/run.py $(ARGS)

fuzz: $(VENV)/.test  ## N random programs on Linux and in the simulator (SEED= chooses which)
	@$(PY) -m tests.oracle.fuzz $(N) --seed $(SEED)

lint: $(VENV)/.test  ## ruff and mypy
	@$(PY) -m ruff check .
	@$(PY) -m ruff format --check .
	@$(PY) -m mypy

format: $(VENV)/.test  ## let ruff lay out the code
	@$(PY) -m ruff check --fix-only .
	@$(PY) -m ruff format .

pins: $(VENV)/.test  ## list what .venv holds, in the form of constraints.txt
	@$(PY) -m pip freeze --exclude-editable

clean:  ## remove .venv and what the tools left behind
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis build dist

$(VENV)/.book: $(PINS)
	$(call install,$(BOOK))

$(VENV)/.test: $(PINS)
	$(call install,$(TEST))
	@touch $(VENV)/.book
