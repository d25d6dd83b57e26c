# Front end: `make demo`, `make test`, `make help`. CMake does the building.

PROGRAM := build/cpu/bin/scion
# One compiler process needs up to 1.5 GB: as many as processors and memory allow.
JOBS ?= $(shell awk -v n="$$(nproc)" '/MemAvailable/ {m = int($$2 / 1572864); \
          print m < 1 ? 1 : m < n ? m : n}' /proc/meminfo)
# Options of `make demo`, e.g. make demo DEMO_FLAGS=--dry-run
DEMO_FLAGS ?=
# Options of `make bench`, e.g. make bench BENCH_FLAGS=--benchmark_filter=training_step
BENCH_FLAGS ?=
# Options of `make test`, e.g. make test TEST_FLAGS="--gtest_filter=Axis*"
TEST_FLAGS ?=
# Seconds that `make fuzz` spends on each reader, or the number of inputs that it tries
FUZZ_SECONDS ?= 30
FUZZ_INPUTS ?=

.DEFAULT_GOAL := build
.PHONY: help deps build test demo bench bench-loss format lint docs cuda asan tsan fuzz clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "make %-10s %s\n", $$1, $$2}' Makefile

deps: ## install missing dependencies: system packages (apt) and libtorch (in .deps)
	@scripts/install_dependencies.sh build

build: deps ## build the program: build/cpu/bin/scion
	@scripts/build.sh cpu $(JOBS)

test: build ## build and run every test
	@scripts/run_tests.sh build/cpu/bin/scion_tests $(TEST_FLAGS)

demo: deps ## train students from random and from selected weights on the speech in data/an4, and compare them
	@echo "demo: builds the program (about 4 minutes on two cores), then trains small recognisers from random"
	@echo "      weights and from a large one's, and shows how much sooner the second kind learns"
	@scripts/build.sh cpu $(JOBS) --target scion
	@$(PROGRAM) compare recipes/an4/demo.toml --out exp/demo $(if $(SEEDS),--study.seeds $(SEEDS)) $(DEMO_FLAGS)

bench: deps ## run the micro-benchmarks (bench/README.md)
	@scripts/install_dependencies.sh bench
	@scripts/build.sh cpu $(JOBS) --target scion_bench -D SCION_BENCH=ON
	@build/cpu/bin/scion_bench $(BENCH_FLAGS)

# The Python peers are installed in .deps/bench-python and .deps/bench-loss.
bench-loss: deps ## compare the transducer loss with its peers: time, memory, share of the hardware's peak
	@scripts/install_dependencies.sh bench
	@scripts/build.sh cpu $(JOBS) --target loss_speed -D SCION_BENCH=ON
	@bench/python.sh loss_speed.py $(BENCH_FLAGS)

format: ## reformat the sources (clang-format)
	@scripts/install_dependencies.sh lint
	@git ls-files '*.h' '*.cc' '*.cu' | xargs clang-format -i

lint: deps ## run clang-format and clang-tidy checks
	@scripts/install_dependencies.sh lint
	@scripts/lint.sh $(JOBS)

docs: build ## generate docs/options.md, docs/scion.1 and docs/an4.svg
	@$(PROGRAM) config --markdown > build/options.md && mv build/options.md docs/options.md
	@$(PROGRAM) manual > build/scion.1 && mv build/scion.1 docs/scion.1
	@scripts/draw_an4.py recipes/an4/report-confirm-2026-11-25.txt > build/an4.svg && mv build/an4.svg docs/an4.svg

cuda: deps ## build with the CUDA kernels: build/cuda/bin/scion
	@scripts/install_dependencies.sh cuda
	@scripts/build.sh cuda $(JOBS)

asan: deps ## run the tests under AddressSanitizer and UndefinedBehaviorSanitizer
	@scripts/build.sh asan $(JOBS)
	@scripts/run_tests.sh build/asan/bin/scion_tests $(TEST_FLAGS)

# libgomp is not instrumented, so the sanitizer does not see its synchronisation: tests of OpenMP
# itself are excluded.
tsan: deps ## run the tests of the loader and its dependencies under ThreadSanitizer
	@scripts/build.sh tsan $(JOBS)
	@OMP_NUM_THREADS=1 TSAN_OPTIONS="suppressions=$(CURDIR)/tests/tsan.txt" \
	  scripts/run_tests.sh build/tsan/bin/scion_tests --gtest_filter=-Threads.* $(TEST_FLAGS)

fuzz: deps ## fuzz every reader of foreign files for FUZZ_SECONDS or with FUZZ_INPUTS each
	@scripts/install_dependencies.sh lint
	@scripts/build.sh fuzz $(JOBS)
	@scripts/fuzz.sh $(if $(FUZZ_INPUTS),-runs=$(FUZZ_INPUTS),-max_total_time=$(FUZZ_SECONDS)) $(JOBS)

clean: ## remove the build folder
	rm -rf build
