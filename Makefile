# Two commands for a fresh machine: `make demo` and `make test`. Both make what they need.
PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
LOG := sample_logs/job-7204342.log
REPORT := report/job-7204342.md
# real logs that are no part of the repository; tests/corpus/truth.yaml says what they hold
CORPUS ?= $(or $(POSTMORTEM_CORPUS),../shared/corpus)

# of `make fuzz`, shared by its targets
SECONDS ?= 60

.PHONY: demo test lint types unit check-samples browser corpus slurm gpu accuracy fuzz docs picture schema record clean

demo: .venv/replay
	@# 1 means that the log holds findings, as this one does
	@$(BIN)/postmortem analyze $(LOG) -o $(REPORT) || [ $$? -eq 1 ]
	@echo "The report with its figures: $(REPORT)"

test: lint types unit check-samples

lint: .venv/test
	$(BIN)/ruff check
	$(BIN)/ruff format --check

types: .venv/test
	$(BIN)/mypy

unit: .venv/test
	$(BIN)/python -m pytest -q

check-samples: .venv/test  ## hold what is found in the sample logs against what they hold
	$(BIN)/postmortem --no-config check sample_logs --expect sample_logs/expected.yaml --index .postmortem.sqlite

browser: .venv/test  ## show the HTML reports in headless Chromium, which must be installed
	$(BIN)/python -m pytest -q tests/browser

corpus: $(CORPUS)/INDEX.csv .venv/test  ## hold what is read of real logs against what a person reads in them
	POSTMORTEM_CORPUS="$(CORPUS)" $(BIN)/python -m pytest -q tests/corpus

$(CORPUS)/INDEX.csv:
	@echo "make corpus: $(CORPUS) holds no corpus; name its folder: make corpus CORPUS=FOLDER" >&2; exit 2

slurm: .venv/test  ## run replays as jobs of a real SLURM of one node, which lives as long; needs root, slurm-wlm, munge
	slurm/run $(BIN)/python -m pytest -q -p no:randomly tests/slurm

gpu: .venv/test  ## hold the replays against the same figures as `make test` does, on a GPU
	POSTMORTEM_DEVICE=cuda $(BIN)/python -m pytest -q tests/replay tests/lab

accuracy: $(CORPUS)/INDEX.csv .venv/benchmark  ## write docs/accuracy.md: what is said of real logs, beside what a person reads
	$(BIN)/python benchmarks/accuracy.py "$(CORPUS)"

fuzz: .venv/fuzz  ## give the readers bytes until they break, or for this long: make fuzz SECONDS=600
	$(BIN)/python -m fuzz $(SECONDS)

docs: .venv/test  ## write the generated pages and blocks of the documentation anew
	$(BIN)/python -m docs.build

picture: .venv/test  ## take the README's picture of a report anew; needs Chromium
	$(BIN)/python -m tests.browser.chromium $(LOG) docs/figures/report.png

schema: .venv/replay  ## write the published schemas of the JSON outputs anew
	$(BIN)/python -m postmortem.report.schemas docs

record: .venv/replay  ## record the sample logs of real runs anew; starts a SLURM of its own and needs root
	PYTHON=$(CURDIR)/$(BIN)/python sample_logs/record/record

clean:
	rm -rf .venv report build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis

.venv/python:
	$(PYTHON) -m venv .venv
	@touch $@

.venv/replay: .venv/python pyproject.toml constraints.txt hatch_build.py $(wildcard postmortem/parsing/native/*.c)
	$(PIP) --editable '.[replay]'
	@# so that no start compiles them, also where Python is told to write no bytecode
	@$(BIN)/python -m compileall -q postmortem
	@touch $@

.venv/test: .venv/python pyproject.toml constraints.txt hatch_build.py $(wildcard postmortem/parsing/native/*.c)
	$(PIP) --editable '.[replay,test]'
	@$(BIN)/python -m compileall -q postmortem
	@touch $@ .venv/replay

.venv/benchmark: .venv/test
	$(PIP) --editable '.[replay,benchmark]'
	@touch $@

.venv/fuzz: .venv/test
	$(PIP) --editable '.[replay,fuzz]'
	@touch $@
