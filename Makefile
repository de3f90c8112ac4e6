# Two commands do all the set-up: `make demo` runs the main job, `make test` passes the tests.
# The virtual environment is made here, with uv, from the hashed lock; a second run finds its stamps and does nothing.

PYTHON ?= python3.11
VENV   := .venv
BIN    := $(VENV)/bin
STAMPS := $(VENV)/.stamps
SUPERSET := .venv-superset
HUB    := $(BIN)/hub
CONSOLE := hub_api/console
CONSOLE_PACKAGES := $(CONSOLE)/node_modules/.package-lock.json
CONSOLE_CLIENT := $(CONSOLE)/src/api/schema.d.ts
CONSOLE_SOURCES := $(shell find $(CONSOLE)/src $(CONSOLE)/widget $(CONSOLE)/public -type f ! -name schema.d.ts) $(addprefix $(CONSOLE)/,index.html vite.config.ts widget.config.ts tsconfig.json package.json)
NPM    := npm --prefix $(CONSOLE) --silent

.DEFAULT_GOAL := help
.PHONY: help install demo up down packages test e2e check audit format bench soak lock clean

help:  ## List the targets
	@grep -E '^[a-z0-9]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*## /\t/' | expand -t 12

install: $(STAMPS)/project $(STAMPS)/superset $(CONSOLE)/dist/index.html  ## Virtual environment with all dependencies, from the hashed lock; the console's build

$(STAMPS)/venv:
	@command -v $(PYTHON) >/dev/null || { echo "Python 3.11 is needed: set PYTHON=/path/to/python3.11"; exit 1; }
	@echo "making the virtual environment"
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/pip install --quiet --disable-pip-version-check uv
	@mkdir -p $(STAMPS) && touch $@

$(STAMPS)/lock: requirements.lock $(STAMPS)/venv
	@echo "installing the locked dependencies"
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements.lock
	@touch $@

$(STAMPS)/project: pyproject.toml $(STAMPS)/lock
	@VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --editable .
	@touch $@

# Superset needs SQLAlchemy 1.4 and an older pandas: an environment of its own.
$(STAMPS)/superset: dashboards/superset/requirements.txt $(STAMPS)/venv
	@echo "installing Superset"
	@test -x $(SUPERSET)/bin/python || $(PYTHON) -m venv --without-pip $(SUPERSET)
	@VIRTUAL_ENV=$(SUPERSET) $(BIN)/uv pip install --quiet --require-hashes -r dashboards/superset/requirements.txt
	@touch $@

$(CONSOLE_PACKAGES): $(CONSOLE)/package-lock.json
	@echo "installing the packages of the console"
	@npm ci --prefix $(CONSOLE) --silent --ignore-scripts --no-audit --no-fund && touch $@

# The API's description is asked for after every change of the code, and is another file only when it says something else:
# only then is the client generated and the console built again.
$(STAMPS)/openapi: $(shell find hub_api -name '*.py' -not -path '*/node_modules/*') $(STAMPS)/project
	@$(BIN)/python -m hub_api.openapi_file $(CONSOLE)/openapi.json
	@touch $@

$(CONSOLE)/openapi.json: $(STAMPS)/openapi
	@:

$(CONSOLE_CLIENT): $(CONSOLE)/openapi.json $(CONSOLE_PACKAGES)
	@$(NPM) run api >/dev/null && touch $@

$(CONSOLE)/dist/index.html: $(CONSOLE_CLIENT) $(CONSOLE_SOURCES)
	@echo "building the console"
	@$(NPM) run build -- --logLevel warn && touch $@

demo: install  ## The hub with a simulated operator: 90 days of history, live traffic, tables; Ctrl-C stops it
	@$(HUB) up --demo

up: install  ## The same stack, empty
	@$(HUB) up

down: install  ## Stop a stack that runs in the background
	@$(HUB) down

packages: tests/auth/provider/node_modules/.package-lock.json tests/e2e/page/node_modules/.package-lock.json

tests/%/node_modules/.package-lock.json: tests/%/package-lock.json
	@echo "installing the packages of tests/$*"
	@npm ci --prefix tests/$* --silent --ignore-scripts --no-audit --no-fund && touch $@

# Most tests wait for another process (an engine, a stack): two processes hardly stand in each other's way on two cores.
# A file stays in one of them, with its fixtures; in the tree's order its neighbours stay close. What kills and counts seconds
# has the machine for itself.
test: install packages  ## Tests on real engines (no browser), and the console's
	@$(NPM) test
	@$(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --ignore-glob '*/embedded/test_*' --ignore tests/faults
	@$(BIN)/pytest tests/embedded tests/faults --ignore tests/embedded/warehouse

e2e: install packages  ## The whole stack and a headless Chromium
	@deploy/install-chromium.sh
	@$(BIN)/pytest -m 'e2e and not story'

check: install  ## Lint, format, types, import arrows; known faults of dependencies where their service answers
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(NPM) run lint
	@$(NPM) run types
	@if $(BIN)/python -m tests.support.advisories; then $(MAKE) --no-print-directory audit; fi

audit: install packages  ## Known faults of locked packages; needs PyPI's and npm's advisory services, which a mirror may not offer
	@$(BIN)/uv tool run pip-audit --strict --require-hashes --disable-pip --requirement requirements.lock
	@$(BIN)/uv tool run pip-audit --strict --require-hashes --disable-pip --requirement dashboards/superset/requirements.txt
	@npm audit --prefix tests/auth/provider
	@npm audit --prefix tests/e2e/page
	@npm audit --prefix $(CONSOLE)

format: install  ## Apply formatting and safe fixes
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .
	@$(NPM) run format

bench: install  ## Benchmarks as ratios against a baseline measured in the same run
	@$(BIN)/python -m tests.benchmarks

soak: install  ## Faults and simulations at full size: the tests' own code, larger and longer
	@HUB_TEST_EXPLORE=1 HUB_TEST_STORM=10000 HUB_TEST_POSTGRES_AWAY_S=30 HUB_TEST_KILL_MESSAGES=10000 HUB_TEST_SOCKETS=1000 \
	 HUB_TEST_CAMPAIGN_PEOPLE=200000 HUB_TEST_AA_CAMPAIGNS=5000 \
	 HUB_TEST_HISTORY_DAYS=90 HUB_TEST_HISTORY_CUSTOMERS=20000 \
	 HUB_TEST_POOL_NUMBERS=100 HUB_TEST_POOL_MESSAGES=200000 HUB_TEST_POOL_REPLIES_PER_S=15 HUB_TEST_POOL_SENDERS=4 \
	 HUB_TEST_POOL_BARS=1 HUB_TEST_OPENAPI_EXAMPLES=60 HUB_TEST_EXPERIMENT_RUNS=2000 HUB_TEST_SIMULATIONS=400 HUB_TEST_EFFECT_DAYS=90 HUB_TEST_EFFECT_CUSTOMERS=20000 \
	 $(BIN)/pytest tests/faults tests/auth/test_openapi.py tests/privacy/test_erased_history.py tests/models_ml/experiments/test_simulations.py tests/models_ml/experiments/test_running.py tests/models_ml/forecasting/test_anomalies.py tests/assets/test_planted_effects.py
	@HUB_TEST_EXPLORE=1 $(BIN)/pytest --numprocesses 2 --dist loadfile --no-loadscope-reorder --ignore tests/embedded --ignore tests/faults
	@$(BIN)/pytest -m story tests/e2e/test_campaign_story.py
	@$(BIN)/python -m tests.benchmarks pool
	@$(BIN)/python -m tests.benchmarks --scale 0.01  # each benchmark once, small: what nobody runs breaks

lock: $(STAMPS)/venv  ## Renew the hashed locks after a change in pyproject.toml
	@$(BIN)/uv pip compile pyproject.toml --all-extras --quiet --upgrade $(LOCK_OPTIONS) -o requirements.lock
	@$(BIN)/uv pip compile pyproject.toml --quiet --constraint requirements.lock $(LOCK_OPTIONS) -o deploy/docker/hub.lock
	@$(BIN)/uv pip compile pyproject.toml --extra data --quiet --constraint requirements.lock $(LOCK_OPTIONS) -o deploy/docker/hub-data.lock
	@$(BIN)/uv pip compile dashboards/superset/requirements.in --quiet --upgrade $(LOCK_OPTIONS) -o dashboards/superset/requirements.txt

LOCK_OPTIONS := --generate-hashes --no-header --no-emit-index-url --python-version 3.11

clean:  ## Remove the virtual environment and the console's build (data in .hub stays)
	@rm -rf $(VENV) $(SUPERSET) $(CONSOLE)/dist $(CONSOLE)/node_modules
