# `make demo` and `make test` need Python >= 3.11 with venv, git and make; they set up the rest.

.DEFAULT_GOAL := help
.PHONY: help demo test check format docs bench lock venv venv-bench clean
.SUFFIXES:

ifeq ($(OS),Windows_NT)
BIN := Scripts
else
BIN := bin
endif
PY := .venv/$(BIN)/python
BENCH_PY := .venv-bench/$(BIN)/python

help: ## Show the targets
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## /  make \1	/'

demo: venv ## Harden an example repository, offline, and show what happened
	@$(PY) scripts/demo.py

test: venv ## Run all tests
	@$(PY) -m pytest

check: venv ## Check style, types, schemas, and that generated files are fresh
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .
	$(PY) -m mypy
	$(PY) scripts/make_catalogue.py --check
	$(PY) scripts/make_docs.py --check
	$(PY) -m check_jsonschema -q --check-metaschema docs/*.schema.json
	$(PY) -m check_jsonschema -q --builtin-schema vendor.github-actions action.yml
	$(PY) -m check_jsonschema -q --builtin-schema vendor.github-workflows .github/workflows/*.yml examples/workflows/*.yml
	$(PY) -m check_jsonschema -q --builtin-schema vendor.dependabot .github/dependabot.yml
	.venv/$(BIN)/zizmor --offline --quiet action.yml .github examples/workflows

format: venv ## Format the code and apply safe style fixes
	$(PY) -m ruff check --fix .
	$(PY) -m ruff format .

docs: venv ## Make all generated files again
	$(PY) scripts/make_catalogue.py
	$(PY) scripts/make_docs.py

bench: venv venv-bench ## Measure speed beside other tools
	@$(PY) benchmarks/run.py --tools .venv-bench/$(BIN)

lock: ## Resolve the dependencies anew (needs uv)
	uv pip compile $(LOCK_FLAGS) pyproject.toml -o requirements/run.lock
	uv pip compile $(LOCK_FLAGS) pyproject.toml --group dev -o requirements/dev.lock
	uv pip compile $(LOCK_FLAGS) --group build -o requirements/build.lock
	uv pip compile $(LOCK_FLAGS) --group bench -o requirements/bench.lock

LOCK_FLAGS := --universal --python-version 3.11 --generate-hashes --no-emit-index-url \
  --no-annotate --custom-compile-command "make lock" --upgrade -q

clean: ## Remove the virtual environments and caches
	rm -rf .venv .venv-bench .hypothesis .mypy_cache .pytest_cache .ruff_cache

# Both are redone only when what they are made of has changed, compared by content: times of
# files say little after a checkout.
venv:
	@sh -c "$$MAKE_VENV" venv .venv $(BIN) requirements/dev.lock pyproject.toml

venv-bench:
	@sh -c "$$MAKE_VENV" venv .venv-bench $(BIN) requirements/bench.lock

# VENV BIN LOCK [PYPROJECT]: an environment with exactly what LOCK says, by hash; with PYPROJECT
# also this project itself, editable (hatchling is in the lock, so nothing more is fetched).
define MAKE_VENV
set -eu
venv=$$1 bin=$$2 lock=$$3 project=$${4:-}
if cmp -s "$$lock" "$$venv/installed.lock" && "$$venv/$$bin/python" -c '' 2>/dev/null; then
  if [ -z "$$project" ] || cmp -s "$$project" "$$venv/installed.toml"; then exit 0; fi
fi
python= too_bare=
for name in python3.14 python3.13 python3.12 python3.11 python3 python; do
  "$$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null || continue
  if "$$name" -c 'import venv, ensurepip' 2>/dev/null; then python=$$name; break; fi
  too_bare=$${too_bare:-$$name}
done
if [ -z "$$python" ] && [ -n "$$too_bare" ]; then
  version=$$("$$too_bare" -c 'import sys; print("%d.%d" % sys.version_info[:2])')
  echo "$$too_bare has no venv module. On Debian and Ubuntu: apt-get install python$$version-venv" >&2
  exit 1
fi
if [ -z "$$python" ]; then
  echo "hardhull needs Python 3.11 or newer, and found none on the PATH." >&2
  exit 1
fi
echo "Setting up $$venv with $$("$$python" --version) (once, and whenever $$lock changes)"
rm -rf "$$venv"
"$$python" -m venv "$$venv"
pip="$$venv/$$bin/python -m pip --disable-pip-version-check --quiet"
$$pip install --require-hashes --no-deps -r "$$lock"
if [ -n "$$project" ]; then
  $$pip install --no-deps --no-build-isolation --editable .
  cp "$$project" "$$venv/installed.toml"
fi
cp "$$lock" "$$venv/installed.lock"
endef
export MAKE_VENV
