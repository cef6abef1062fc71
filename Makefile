# Every target does its own set-up: cargo fetches and builds what is missing.
# demo and test share the dev profile, so polars, by far the heaviest dependency, is compiled once for both.

.PHONY: help demo demo-cluster test lint soak soak-cluster simulate faults historic fuzz mutants nightly large browser audit office books bench clean \
	notices package deb deb-root container container-root reproducible sbom deny

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

demo:  ## build, then run the main job offline on the sample policies
	cargo run -- demo

demo-cluster:  ## two issuers and two servers on one PostgreSQL (installed by apt if missing), one of each killed
	cargo test --test it several_hosts::demo -- --nocapture

test:  ## build, then run every test
	cargo test

lint:  ## formatting and lints, warnings are errors; the faults of before still fit the sources
	cargo fmt --check
	python3 tests/historic.py --fits
	cargo clippy --all-targets --features bench -- -D warnings

soak:  ## kill the real program 200 times over campaigns of 2,000 codes, make 200 reports beside writers, run long nights among strangers
	TAGIH_KILL_CAMPAIGNS=20 TAGIH_KILL_KILLS=200 TAGIH_KILL_CODES=2000 cargo test --test it kill -- --nocapture
	TAGIH_BESIDE_RUNS=200 cargo test --test it beside
	TAGIH_BORDER_CAMPAIGNS=40 TAGIH_BORDER_NIGHTS=8 TAGIH_BORDER_BILLS=400 cargo test --test it border::campaign -- --nocapture

simulate:  ## release build, then simulated worlds on every core for an hour (TAGIH_SIMULATION_SECONDS), from TAGIH_SIMULATION_FROM on
	TAGIH_SIMULATION_SECONDS=$${TAGIH_SIMULATION_SECONDS:-3600} TAGIH_SIMULATION_SEEDS=$${TAGIH_SIMULATION_SEEDS:-1000000000} cargo test --release --test it simulation:: -- --nocapture

faults:  ## the disk fails at every call of every command, and every file of ours is damaged (hours; TAGIH_FAULTS_SAMPLE=N and TAGIH_DAMAGE_SAMPLE=N try so many of each, TAGIH_FAULTS_SHARD=3/40 the third of forty parts)
	TAGIH_FAULTS_SAMPLE=$${TAGIH_FAULTS_SAMPLE:-all} TAGIH_FAULTS_PAIRS=$${TAGIH_FAULTS_PAIRS:-200} TAGIH_DAMAGE_SAMPLE=$${TAGIH_DAMAGE_SAMPLE:-all} cargo test --test it faults:: -- --nocapture

historic:  ## build with 28 faults of before, each behind a switch: with any of them on, a simulated world must go wrong
	python3 tests/historic.py

soak-cluster:  ## 100 campaigns of 20,000 rows by 8 senders on one PostgreSQL, killed, frozen and cut off (hours)
	TAGIH_CLUSTER_CAMPAIGNS=$${TAGIH_CLUSTER_CAMPAIGNS:-100} TAGIH_CLUSTER_ROWS=20000 TAGIH_CLUSTER_WORKERS=8 TAGIH_CLUSTER_RATE=120 cargo test --test it several_hosts::campaign -- --nocapture

FUZZ_SECONDS ?= 60
fuzz:  ## every reader of other people's bytes by libFuzzer, FUZZ_SECONDS each (60), as many at a time as there are cores
	fuzz/run.sh $(FUZZ_SECONDS)

MUTANTS ?= 300
SEED ?= 1
MUTANTS_SECONDS ?= 86400
mutants: | $(TOOLS)/cargo-mutants  ## MUTANTS (300) faults put into what decides, chosen by SEED (1): how many do the tests notice? (hours)
	test -x target/mutants-venv/bin/python || python3 -m venv target/mutants-venv
	target/mutants-venv/bin/pip install --quiet tree-sitter==0.26.1 tree-sitter-rust==0.24.2
	target/mutants-venv/bin/python tests/mutants.py $(MUTANTS) $(SEED) --seconds $(MUTANTS_SECONDS)

NIGHTLY_SECONDS ?= 7200
nightly:  ## a share of two hours (NIGHTLY_SECONDS) for each of the above, where the last night ended; one table, and 1 if anything failed
	python3 tests/nightly.py --seconds $(NIGHTLY_SECONDS)

large:  ## release build, then every command on a million bills in 512 MB (about 20 min)
	cargo build --release
	TAGIH_LARGE_PROGRAM="$(CURDIR)/target/release/tagih" TAGIH_LARGE_BILLS=1000000 TAGIH_LARGE_KILOBYTES=524288 cargo test --test it large:: -- --nocapture

browser:  ## pay codes on the sandbox's pages in headless Chromium, pictures into target/browser-shots (needs Debian's or Ubuntu's apt)
	command -v chromium || { apt-get update && apt-get install --yes --no-install-recommends chromium; }
	test -x target/browser-venv/bin/python || python3 -m venv target/browser-venv
	target/browser-venv/bin/pip install --quiet playwright==1.65.2
	cargo build
	target/browser-venv/bin/python tests/browser/simulator.py target/debug/tagih "$$(command -v chromium)" target/browser-shots

bench:  ## release build, then every figure of docs/benchmarks.md (first time about 15 min, then 5)
	test -x target/bench-venv/bin/python || python3 -m venv target/bench-venv
	target/bench-venv/bin/pip install --quiet duckdb==2.0.0
	cargo build --release --features bench --bin tagih --example bench-tool
	python3 tests/bench/bench.py

audit:  ## let DuckDB recompute every report of the tests from its audit kit, and find forty faults planted in two (about 10 min)
	test -x target/audit-venv/bin/python || python3 -m venv target/audit-venv
	target/audit-venv/bin/pip install --quiet duckdb==2.0.0
	TAGIH_AUDIT_PYTHON="$(CURDIR)/target/audit-venv/bin/python" cargo test --test it -- month_end reconcile:: register:: intake::carried cli::log report:: --nocapture

office:  ## open workbook and page in LibreOffice and Chromium (installed by apt if missing) and hold them against summary.json
	command -v soffice >/dev/null || { apt-get update && apt-get install -y --no-install-recommends libreoffice-calc; }
	command -v chromium >/dev/null || { apt-get update && apt-get install -y --no-install-recommends chromium; }
	test -x target/office-venv/bin/python || python3 -m venv target/office-venv
	target/office-venv/bin/pip install --quiet jsonschema==4.26.0 playwright==1.65.2
	cargo build
	target/office-venv/bin/python tests/office/verify.py

books:  ## let hledger (installed by apt if missing) add the books' journal up again, and many random businesses be kept twice
	command -v hledger >/dev/null || { apt-get update && apt-get install -y --no-install-recommends hledger; }
	TAGIH_HLEDGER="$$(command -v hledger)" PROPTEST_CASES=5000 cargo test --lib books::

# Tools of cargo's are built once, below target; what follows a name is the version and what it is built with.
TOOLS := target/tools/bin
cargo-deb := 3.8.0
cargo-about := 0.9.3 --features cli
cargo-deny := 0.20.2
cargo-cyclonedx := 0.5.9
cargo-mutants := 27.1.0

$(TOOLS)/%:
	cargo install --locked --root target/tools $* --version $($*)

PACKAGE := target/package

notices: $(PACKAGE)/THIRD-PARTY-NOTICES.txt  ## the notices of all that the program is made of, into target/package (five minutes)

$(PACKAGE)/THIRD-PARTY-NOTICES.txt: Cargo.lock about.toml packaging/notices.hbs | $(TOOLS)/cargo-about
	mkdir -p $(PACKAGE)
	cargo fetch --locked
	$(TOOLS)/cargo-about generate --offline --fail packaging/notices.hbs --output-file $@

package: notices  ## release build, and below target/package/root what a package installs
	packaging/release.sh target/package/build
	packaging/stage.sh $(PACKAGE)/build/dist/tagih $(PACKAGE)/THIRD-PARTY-NOTICES.txt $(PACKAGE)/root

deb: package | $(TOOLS)/cargo-deb  ## a package for Debian and its likes, into target/package
	command -v dpkg-shlibdeps >/dev/null || { apt-get update && apt-get install -y --no-install-recommends dpkg-dev; }
	$(TOOLS)/cargo-deb --no-build --no-strip --output $(PACKAGE)/

deb-root: deb  ## install that package into a clean Debian below target (root, apt), and run what it has installed there
	packaging/deb-root.sh $(PACKAGE) target/deb-root

container: package  ## what packaging/Containerfile copies

container-root: container  ## make the container's root without a container engine (root, apt), and run the program in it
	packaging/container-root.sh $(PACKAGE)/root target/container-root

reproducible:  ## the release build, and once more in another folder; they must be the same, byte by byte (40 min of two cores' time)
	packaging/release.sh target/package/build
	packaging/release.sh target/reproducible
	sha256sum target/package/build/dist/tagih target/reproducible/dist/tagih
	cmp target/package/build/dist/tagih target/reproducible/dist/tagih

sbom: | $(TOOLS)/cargo-cyclonedx  ## what the program is made of, as CycloneDX, into target/package
	mkdir -p $(PACKAGE)
	SOURCE_DATE_EPOCH=$$(git log -1 --format=%ct) $(TOOLS)/cargo-cyclonedx cyclonedx --quiet --format json --describe binaries --no-build-deps --spec-version 1.5
	sed 's#path+file://$(CURDIR)#path+file:///usr/src/tagih#g' tagih_bin.cdx.json >$(PACKAGE)/tagih.cdx.json
	rm tagih_bin.cdx.json

deny: | $(TOOLS)/cargo-deny  ## licences, sources and versions of all dependencies by deny.toml; advisories where they can be fetched
	$(TOOLS)/cargo-deny check licenses bans sources
	@if $(TOOLS)/cargo-deny --log-level off fetch db; then $(TOOLS)/cargo-deny check advisories; \
	else echo "advisories: not checked, their data cannot be fetched from here"; fi

clean:  ## remove what builds and benches left
	rm -rf target bench-data
