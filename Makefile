# Shortcuts only: everything here is one command away from being typed.

.PHONY: help bootstrap demo release check fuzz test test-debian test-servers test-api test-clients test-otlp test-console test-faults soak simulate plant-bugs package test-package book docs fmt lint bench bench-module bench-pipeline bench-gateway bench-watchers bench-tail bench-cliff

# Times are of two shared cores with nothing compiled; a second run takes what it runs.
help:
	@echo "make demo          sell 100 units to a stampede of 10,000 buyers, on servers of its own: 4 minutes, 3 of them compiling"
	@echo "make test          every test, over real servers: 15 minutes, 4 of them compiling after make demo"
	@echo "make check         after a change: format, clippy and the tests of a package; P= names it (sale): seconds"
	@echo "make release       the program and the module as they are deployed, in target/release: 9 minutes"
	@echo "make test-debian   the module's tests in Debian 12's other servers, as the CI runs them: 5 minutes"
	@echo "make test-servers  the module's tests in every server that it is made for: a quarter of an hour"
	@echo "make test-api      10,000 requests and more, made from the OpenAPI document: 5 minutes"
	@echo "make package       what a release has, in target/package: Debian packages, a tarball, an SBOM: 12 minutes"
	@echo "make test-package  install the packages into a Debian of their own, sell, and remove them: 3 minutes"
	@echo "make test-clients  clients that are generated from the OpenAPI document, and the official ones, buy: 4 minutes"
	@echo "make test-otlp     a trace from the gateway to the syncer, by OTLP: the program with that feature: 5 minutes"
	@echo "make test-console  the console: is the committed build up to date, and an operator in Chromium: 5 minutes"
	@echo "make test-faults   faults in everything, while buyers buy, as the CI does: at most 25 minutes"
	@echo "make soak          the same at length: hours; ARGS='cut --minutes 60 --count 500' chooses what and how long"
	@echo "make plant-bugs    24 planted mistakes, and the suites that must notice them: half an hour"
	@echo "make simulate      overlapping recoveries by seed: MINUTES= (1) or SCHEDULES=, SEED= (1)"
	@echo "make fuzz          what clients and servers send, by libFuzzer: SECONDS= (60) for each of six targets"
	@echo "make book          the manual as HTML, in target/book; installs mdBook into target: 4 minutes the first time"
	@echo "make docs          the reference pages that are generated from the code: a minute"
	@echo "make fmt           format the code: seconds"
	@echo "make lint          formatting and clippy, as the CI demands them: 3 minutes"
	@echo "make bench         the benchmarks of the parts: 5 minutes"
	@echo "make bench-pipeline from the journal to PostgreSQL, 1,000,000 orders a case: some minutes"
	@echo "make bench-gateway the gateway beside nginx with Lua and a service in Node: some minutes; installs them"
	@echo "make bench-watchers what 10,000 watchers cost buyers: two minutes"
	@echo "make bench-tail    what each durability level loses with Redis: a quarter of an hour"
	@echo "make bench-cliff   100,000 buyers on a disk that is slow now and then: some minutes"
	@echo "make bench-module  the module beside Lua, from a thousand buyers to ten million: half an hour, 3 GB"

bootstrap:
	scripts/bootstrap

# Of the profile that the tests use: what both need is compiled once.
demo: bootstrap
	cargo build -p flash-cli -p flash-module
	target/debug/flash dev --demo

release: bootstrap
	cargo build --release -p flash-cli -p flash-module

# One package: `make check P=gateway`. One integration test: `make check P=tests ARGS='--test it -- forms'`.
P = sale
check:
	cargo fmt --all --check
	cargo clippy -p flash-$(P) --all-targets -- -D warnings
	$(if $(filter tests,$(P)),cargo build -p flash-module -p flash-cli)
	cargo test -p flash-$(P) $(ARGS)

# The tests load the module and run the program, which `cargo test` alone does not put there.
test: bootstrap
	cargo build --workspace --all-targets
	cargo test --workspace --no-fail-fast

# Debian 12's other servers; `make test` has run in its redis-server.
test-debian: bootstrap
	scripts/test-servers redis-7.0-jemalloc valkey-8.0

test-servers: bootstrap
	scripts/test-servers system redis-7.0-jemalloc valkey-8.0 redis-8.0 valkey-8.1 valkey-9

# Prints its seed; SEED= begins with that seed. ARGS= is for schemathesis.
test-api: bootstrap
	cargo build --workspace --all-targets
	scripts/test-api $(ARGS)

package:
	scripts/bootstrap debhelper dpkg-dev
	scripts/package

# Of what the tests have compiled. It needs root.
test-package: bootstrap
	cargo build -p flash-cli -p flash-module
	scripts/test-package

# Needs node 20, java and python. ARGS= chooses steps.
test-clients: bootstrap
	cargo build -p flash-module -p flash-cli
	scripts/test-clients $(ARGS)

# The program stays built with the feature until it is built again without.
test-otlp: bootstrap
	cargo build --workspace --features flash-cli/otlp
	cargo test -p flash-tests --features otlp --test it -- otlp

# Screenshots of the pages stay in console/shots. ARGS= chooses pages and tests.
test-console: bootstrap
	cargo build --workspace --all-targets
	scripts/test-console $(ARGS)

# A violation prints its seed and a short schedule.
simulate:
	cargo run --release -p flash-explore -- --seed $(or $(SEED),1) $(if $(SCHEDULES),--schedules $(SCHEDULES),--minutes $(if $(filter command line,$(origin MINUTES)),$(MINUTES),1))

# A violation prints its seed and its schedule; FAULT_SEED= begins with that seed. docs/explanation/faults.md says more.
MINUTES = 25
FAULTS = cargo test -p flash-tests --test faults --

test-faults: bootstrap
	cargo build --workspace --all-targets
	$(FAULTS) --column ci --minutes $(MINUTES) $(ARGS)

# Some of its scenarios are suites of `make test`, which it runs as that does.
soak: bootstrap
	cargo build --workspace --all-targets
	cargo build --profile soak -p flash-module -p flash-cli -p flash-tests
	cargo test --profile soak -p flash-tests --test faults -- --column soak --report $(CURDIR)/docs/explanation/faults.md $(ARGS)

plant-bugs: bootstrap
	scripts/plant-bugs

book:
	test -x target/tools/bin/mdbook || cargo install --root target/tools --target-dir target/tools/build --no-default-features --version '^0.5' mdbook
	target/tools/bin/mdbook build docs

docs:
	cargo build -p flash-cli -p flash-module
	UPDATE_DOCS=1 cargo test -p flash-tests --test it -- reference

fmt:
	cargo fmt --all

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets -- -D warnings
	cargo clippy -p flash-cli -p flash-tests --all-targets --features flash-cli/otlp,flash-tests/otlp -- -D warnings

bench: bootstrap
	cargo bench -p flash-benches

# `target/release/cliff --help` has the options. It needs strace.
bench-cliff: bootstrap
	cargo build --release -p flash-module -p flash-cli -p flash-benches
	target/release/cliff $(ARGS) >target/bench-cliff.md
	mv target/bench-cliff.md benches/cliff.md

# `target/release/module --help` has the options; `--quick` takes a minute.
bench-module: bootstrap
	cargo build --release -p flash-module -p flash-benches
	target/release/module --plot benches/module.svg >benches/module.md

# `target/release/pipeline --help` has the options; `--quick` takes a minute.
bench-pipeline: bootstrap
	cargo build --release -p flash-module -p flash-cli -p flash-benches
	target/release/pipeline >benches/pipeline.md

# `target/release/gateway --help` has the options; `--quick` takes a minute. It installs nginx and what npm has.
bench-gateway: bootstrap
	scripts/bootstrap-bench
	cargo build --release -p flash-module -p flash-cli -p flash-benches
	target/release/gateway >target/bench-gateway.md
	mv target/bench-gateway.md benches/gateway.md

# `target/release/watchers --help` has the options.
bench-watchers: bootstrap
	cargo build --release -p flash-module -p flash-cli -p flash-benches
	target/release/watchers >target/bench-watchers.md
	mv target/bench-watchers.md benches/watchers.md

# `target/release/tail --help` has the options; `--quick` takes some minutes. ARGS= is for it.
bench-tail: bootstrap
	cargo build --release -p flash-module -p flash-cli -p flash-benches
	target/release/tail $(ARGS) >target/bench-tail.md
	mv target/bench-tail.md benches/tail.md

# Each target for so many seconds. libFuzzer counts in stable Rust too: what is instrumented is the compiler's own pass.
SECONDS = 60
FUZZED = head body form event snapshot envelope
INSTRUMENTED = -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table -Cllvm-args=-sanitizer-coverage-trace-compares -Ccodegen-units=1

# A target is named, so that what runs while it is built is not instrumented.
fuzz: HOST = $(shell rustc -vV | sed -n 's/^host: //p')
fuzz:
	mkdir -p target/fuzz/found
	for target in $(FUZZED); do \
		mkdir -p target/fuzz/corpus/$$target && \
		RUSTFLAGS="$(INSTRUMENTED)" cargo run --manifest-path fuzz/Cargo.toml --target-dir target/fuzz --target $(HOST) --bin $$target -- \
			target/fuzz/corpus/$$target fuzz/corpus/$$target -max_total_time=$(SECONDS) -timeout=10 -rss_limit_mb=2048 \
			-max_len=16384 -print_final_stats=1 -artifact_prefix=target/fuzz/found/$$target- || exit 1; \
	done
