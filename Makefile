# The same commands without make, on any system:  python packaging/bootstrap.py COMMAND
PYTHON ?= python3
ARGS ?=

COMMANDS := app demo test lint screenshots journey launcher launcher-remove setup

.DEFAULT_GOAL := help
.PHONY: help $(COMMANDS)

help:
	@$(PYTHON) packaging/bootstrap.py --help

$(COMMANDS):
	@$(PYTHON) packaging/bootstrap.py $@ $(ARGS)
