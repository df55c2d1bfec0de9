# Every command of the project. `make` lists them; docs/HACKING.md tells more.
.DEFAULT_GOAL := help
SHELL := /bin/bash

RELEASE := swift build -c release --static-swift-stdlib
PYTEST := -m pytest -q -p no:cacheprovider
export SLIPWAY_MLFLOW1_PYTHON ?= $(CURDIR)/runtime/python/old/bin/python
FUZZ_SECONDS ?= 15
ROUNDS ?= 20
PREFIX ?= /usr/local

.PHONY: help setup build install up demo examples test unit clients conformance bench fuzz crash lint fmt docs release clean

help: ## list the commands
	@awk -F':.*## ' '/^[a-z]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

setup: ## install what building, testing and the demo need and is missing
	@scripts/setup build test demo

build: ## build the release binary, .build/release/slipway
	@scripts/setup build
	@scripts/build-info
	$(RELEASE) --product slipway

install: build ## put slipway, the links mc, minio and mlflow, and shell completion below PREFIX (/usr/local)
	@DESTDIR="$(DESTDIR)" scripts/install "$(PREFIX)"

up: build ## run everything in ./slipway-data
	.build/release/slipway up

demo: build ## the main job on real MNIST: train, track, store, register, serve, call
	@scripts/setup demo
	@python3 examples/pipeline/demo.py

examples: build ## run the five examples (or some: EXAMPLES="tracking pipeline")
	@scripts/setup examples
	@examples/run $(EXAMPLES)

test: lint unit clients ## every test: format, units, then the real clients on the real binary

unit: ## unit tests and the tidy test
	@scripts/setup build units
	swift build --build-tests
	@# One after another: tests of servers beside hundreds of others on two cores wait on one another, and save 30 s in all.
	swift test --skip-build --no-parallel --skip 'FuzzTests|TidyTests|WithoutLeaking'
	swift test --skip-build --filter 'FuzzTests|TidyTests'
	swift test --skip-build --filter WithoutLeaking

clients: ## the real clients on the debug binary
	@scripts/setup build test demo
	swift build --product slipway
	swift build --product netfixture
	runtime/python/old/bin/python $(PYTEST) Tests/Clients/store/test_boto3.py
	runtime/python/test/bin/python $(PYTEST) Tests/Clients

conformance: clients ## the same: clients are the conformance suite

bench: ## the benchmarks beside their peers; prints ratios
	@scripts/setup build bench test
	@scripts/build-info
	$(RELEASE)
	@Benchmarks/run

fuzz: ## fuzz every parser for FUZZ_SECONDS each (SLIPWAY_FUZZ_SEED repeats a run)
	@scripts/setup build
	swift build --build-tests
	SLIPWAY_FUZZ_ITERATIONS=1000000000 SLIPWAY_FUZZ_SECONDS=$(FUZZ_SECONDS) swift test --skip-build --filter FuzzTests

crash: ## kill -9 each role in a loop while it takes writes (ROUNDS)
	@scripts/setup build test
	swift build --product slipway
	@for test in Tests/Crash/*_crash.py; do runtime/python/test/bin/python $$test --rounds $(ROUNDS) || exit 1; done

lint: ## check the format
	swift format lint --strict --recursive --parallel Sources Tests Benchmarks Package.swift

fmt: ## format in place
	swift format --in-place --recursive --parallel Sources Tests Benchmarks Package.swift

docs: ## renew the generated document
	@scripts/setup build
	swift build --product slipway
	.build/debug/slipway configuration > docs/CONFIGURATION.md

release: build ## build the release binary and strip it into slipway-VERSION.tar.gz
	@version=$$(.build/release/slipway version --json | python3 -c 'import json,sys; print(json.load(sys.stdin)["version"])'); \
	strip -o .build/slipway .build/release/slipway && \
	tar -czf slipway-$$version.tar.gz -C .build slipway && echo slipway-$$version.tar.gz

clean: ## remove what was built, not what was installed under runtime/
	rm -rf .build .build-release demo-data slipway-*.tar.gz
