# make demo   a page with a trained, explained model: makes the environment, installs, trains, opens demo.html
# make test   everything that must hold before a change is shared
# Without make (Windows): see README.md.     A CPU-only torch, much smaller on Linux: make demo TORCH=cpu

PYTHON ?= python3
VENV   ?= .venv
TORCH  ?=
BIN     = $(VENV)/bin
PY      = $(BIN)/python
STAGES  = export clean lint notebooks js docs python browser
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help demo lab test docs bench pictures readme export clean install $(STAGES:%=test-%)

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile; echo 'also: lab docs bench pictures readme export clean, and one stage of the tests: $(STAGES:%=test-%)'

demo: $(VENV)/demo.stamp
	@$(BIN)/mtl-explain demo $(ARGS)

lab: $(VENV)/dev.stamp
	@$(BIN)/mtl-explain lab

# ---- the environment, made once: a stamp is older than pyproject.toml only if what is needed has changed
$(PY):
	@command -v $(PYTHON) >/dev/null || { echo 'There is no `$(PYTHON)`. Install Python 3.11 or newer, or say which: make PYTHON=/path/to/python3.12 ...'; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "`$(PYTHON) --version` is too old: mtl_explain needs Python 3.11 or newer. Install one and say which: make PYTHON=python3.12 ..."; exit 1; }
	@$(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
	  echo 'Python could not make an environment. On Debian and Ubuntu: `sudo apt-get install python3-venv`, then make again.'; exit 1; }
	@$(PY) -m pip install -q -U pip

$(VENV)/torch.stamp: constraints.txt | $(PY)
	@if [ "$(TORCH)" = cpu ]; then $(PY) -m pip install -c constraints.txt torch --index-url https://download.pytorch.org/whl/cpu; fi
	@touch $@

$(VENV)/demo.stamp: pyproject.toml constraints.txt $(VENV)/torch.stamp
	$(PY) -m pip install $(if $(wildcard $@),-q) -c constraints.txt -e .
	@touch $@

$(VENV)/dev.stamp: pyproject.toml constraints.txt $(VENV)/torch.stamp
	$(PY) -m pip install $(if $(wildcard $@),-q) -c constraints.txt -e '.[dev]'
	@touch $@ $(VENV)/demo.stamp

install: $(VENV)/dev.stamp

# ---- everything, in order; goes on after a failure so that one run tells all, and fails at the end
test: $(VENV)/dev.stamp
	@bad=''; times=''; for s in $(STAGES); do printf '\n=== %s\n' $$s; t=$$(date +%s); \
	  if $(MAKE) --no-print-directory test-$$s; then r=ok; else r=FAILED; bad="$$bad $$s"; fi; \
	  times="$$times$$(printf '%-10s %5d s  %s' $$s $$(($$(date +%s)-t)) $$r)\n"; done; \
	printf "\n=== stages\n$$times"; [ -z "$$bad" ] || { echo "make test: failed:$$bad"; exit 1; }; echo 'make test: all stages passed'

export NO_SKIP = 1
test-%: export OMP_NUM_THREADS = 1

test-export: $(VENV)/dev.stamp
	@$(PY) tests/tools/sync.py export
	@$(PY) tests/tools/readme.py --check

test-clean: $(VENV)/dev.stamp
	@$(PY) tests/tools/sync.py clean

test-lint: $(VENV)/dev.stamp
	@$(BIN)/ruff check mtl_explain tests

test-notebooks: $(VENV)/dev.stamp
	@$(BIN)/nbdev-test --n-workers 2 --timing

test-js: $(VENV)/dev.stamp
	@files=$$(find tests -name '*.test.js' -o -name '*.test.mjs'); [ -n "$$files" ] || { echo 'no JavaScript tests in tests/'; exit 1; }; \
	  node=$$($(PY) tests/tools/need.py node) && "$$node" --test $$files

test-docs docs: $(VENV)/dev.stamp
	@$(PY) tests/tools/docs.py

test-python: $(VENV)/dev.stamp
	@$(PY) -m pytest tests --ignore=tests/browser -n 2 --dist loadfile --durations=8

test-browser: $(VENV)/dev.stamp
	@CHROMIUM=$$($(PY) tests/tools/need.py chromium) && export CHROMIUM && { $(PY) -m pytest tests/browser -n 2 --dist loadgroup --no-loadscope-reorder --durations=8 \
	  || { printf '\n=== once more, alone: what failed beside another browser (what fails twice has failed)\n'; $(PY) -m pytest tests/browser --last-failed; }; }

# ---- the rest
bench: $(VENV)/dev.stamp
	@for b in tests/bench/bench_*.py; do printf '\n--- %s\n' $$b; case $$b in *_training.py) $(PY) $$b $(DATA);; *) $(PY) $$b;; esac || exit 1; done

pictures: $(VENV)/dev.stamp
	@$(PY) tests/tools/pictures.py $(ARGS)

readme: $(VENV)/dev.stamp
	@$(PY) tests/tools/readme.py

export: $(VENV)/dev.stamp
	@$(BIN)/nbdev-clean && $(BIN)/nbdev-export && $(PY) tests/tools/readme.py

clean:
	@rm -rf _proc _docs build dist pictures demo.html nbs/nbdev.yml nbs/sidebar.yml .pytest_cache .ruff_cache .hypothesis
	@find . -name __pycache__ -not -path './$(VENV)/*' -prune -exec rm -rf {} +
	@echo 'cleaned; the environment $(VENV) is left: remove it by hand to start afresh'
