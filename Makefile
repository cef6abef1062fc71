# Every target does its own set-up: cargo fetches and builds what is missing.
# demo and test share the dev profile, so polars, by far the heaviest dependency, is compiled once for both.

.PHONY: help demo demo-cluster test lint soak soak-cluster large browser office books bench clean

help:  ## show this list
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 14

demo:  ## build, then run the main job offline on the sample policies
	cargo run -- demo

demo-cluster:  ## two issuers and two servers on one PostgreSQL (installed by apt if missing), one of each killed
	cargo test --test it several_hosts::demo -- --nocapture

test:  ## build, then run every test
	cargo test

lint:  ## formatting and lints, warnings are errors
	cargo fmt --check
	cargo clippy --all-targets --features bench -- -D warnings

soak:  ## kill the real program 200 times over campaigns of 2,000 codes, make 200 reports beside writers, run long nights among strangers
	TAGIH_KILL_CAMPAIGNS=20 TAGIH_KILL_KILLS=200 TAGIH_KILL_CODES=2000 cargo test --test it kill -- --nocapture
	TAGIH_BESIDE_RUNS=200 cargo test --test it beside
	TAGIH_BORDER_CAMPAIGNS=40 TAGIH_BORDER_NIGHTS=8 TAGIH_BORDER_BILLS=400 cargo test --test it border::campaign -- --nocapture

soak-cluster:  ## 100 campaigns of 20,000 rows by 8 senders on one PostgreSQL, killed, frozen and cut off (hours)
	TAGIH_CLUSTER_CAMPAIGNS=$${TAGIH_CLUSTER_CAMPAIGNS:-100} TAGIH_CLUSTER_ROWS=20000 TAGIH_CLUSTER_WORKERS=8 TAGIH_CLUSTER_RATE=120 cargo test --test it several_hosts::campaign -- --nocapture

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

clean:  ## remove what builds and benches left
	rm -rf target bench-data
