# SPDX-FileCopyrightText: 2026 The intel.qatvirt authors
# SPDX-License-Identifier: GPL-3.0-or-later
# The steps live in bin/; each works by itself too.

PATH := $(CURDIR)/.venv/bin:$(PATH)
export PATH

.DEFAULT_GOAL := help
.PHONY: help demo test test-all lint unit deps deps-python docs lock lab-down clean

help: ## this list
	@sed -n 's/^\([a-z-]*\):.*## /  make \1\t/p' Makefile | expand -t 20

demo: deps ## start the lab and bring its two nodes from no driver to VFs that a cluster hands out
	@bin/demo

test: deps ## everything that proves this repository: lint, unit, a browser, then the lab, then site.yml on its cluster
	@bin/stages.py lint unit browser lab site

test-all: deps ## and what is long and rarely breaks; run again, it goes on where it was
	@bin/stages.py --keep-going --resume lint unit browser lab site long-lab long-site

lint: deps-python ## all linters; shellcheck only where it is installed
	@bin/stages.py --keep-going lint

unit: deps-python ## tests that need no more than Python and git, with both supported cores
	@bin/stages.py unit

deps: ## Debian packages, Python environments, collections (quick when nothing is missing)
	@bin/deps all

deps-python: ## the Python environments and collections alone, without root
	@bin/deps python

docs: deps-python ## write what is generated in the documents: checks, drills, options of the roles
	@bin/docs.py

lock: deps-python ## pin again what requirements/*.in ask for
	@bin/lock

lab-down: deps ## stop the lab
	@python -m lab down

clean: ## stop the lab and remove what make made in this checkout
	@bin/clean
