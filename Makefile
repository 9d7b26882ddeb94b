# The commands people type; each installs what it needs first. The work is done by CMake's presets.
#
#   make demo    the main job: a year of real flights through event-time windows
#   make test    every test, on the release build (assertions stay on)
#
#   make build headers format tidy asan tsan fuzz bench clean
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
JOBS ?= $(shell nproc)

.PHONY: all build demo test headers format tidy asan tsan fuzz bench clean dependencies
all: build

dependencies:
	@tools/install_dependencies

build: dependencies
	@cmake --preset release
	@cmake --build --preset release --parallel $(JOBS)

demo: dependencies
	@cmake --preset release
	@cmake --build --preset release --parallel $(JOBS) --target clepsydra
	@tools/demo

test: build
	@ctest --preset release --parallel $(JOBS)

headers: dependencies
	@cmake --preset dev
	@cmake --build --preset dev --parallel $(JOBS) --target check_headers

format: dependencies
	@tools/format

# Compiles everything with clang, each file followed by clang-tidy; what has not changed is not done again.
tidy: dependencies
	@cmake --preset tidy
	@cmake --build --preset tidy --parallel $(JOBS) -- -k 0

asan tsan: dependencies
	@cmake --preset $@
	@cmake --build --preset $@ --parallel $(JOBS)
	@ctest --preset $@ --parallel $(JOBS)

# Each fuzzer until it has seen 20,000 inputs or a minute has passed.
fuzz: dependencies
	@cmake --preset fuzz
	@cmake --build --preset fuzz --parallel $(JOBS)
	@ctest --preset fuzz --parallel $(JOBS)

bench: dependencies
	@cmake --preset release
	@cmake --build --preset release --parallel $(JOBS) --target benches

# Leaves build/data, which has been downloaded, alone.
clean:
	@rm -rf build/dev build/release build/asan build/tsan build/fuzz build/tidy build/ci
