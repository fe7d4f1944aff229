# make demo   install what is missing, build, run the main job on the data in Data/, report it
# make test   install what is missing, lint, build, run every test
# Both work as often as you like, and without a network once one of them has run here.

SWIFT ?= swift
DEMO_OUTPUT ?= runs/demo
SOURCES = Package.swift Sources Tests

.PHONY: help setup build lint format test demo clean
.DEFAULT_GOAL := help

help:
	@sed -n '/^#/!q; s/^# //p' Makefile

# System packages, DuckDB's library, the Python packages of the tests. Nothing when all is there.
setup:
	@command -v $(firstword $(SWIFT)) >/dev/null || \
	  { echo "found no $(SWIFT): install Swift 6.3 (https://www.swift.org/install)" >&2; exit 1; }
	@Scripts/install-system-packages.sh
	@Scripts/get-duckdb.sh
	@Scripts/make-python.sh

build: setup
	$(SWIFT) build -c release --product amalgam

lint:
	$(SWIFT) format lint --strict --parallel --recursive $(SOURCES)

format:
	$(SWIFT) format --in-place --parallel --recursive $(SOURCES)

# Warnings are errors in Package.swift. XCTest is off: all tests are Swift Testing's.
test: setup lint
	$(SWIFT) build -c release --build-tests
	$(SWIFT) test -c release --disable-xctest --skip-build

# --resume: a run that was interrupted goes on, a finished one is shown again.
demo: build
	.build/release/amalgam reproduce --preset small --output $(DEMO_OUTPUT) --resume
	.build/release/amalgam report $(DEMO_OUTPUT)

# Keeps .deps (downloads) and runs (results); SwiftPM's cache has the packages for the next build.
clean:
	rm -rf .build
