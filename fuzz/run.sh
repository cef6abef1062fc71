#!/bin/sh
# run.sh SECONDS [TARGET...]: builds the fuzzer, lets each target run for so long, and prints what came of it. Corpora stay small and below
# target/fuzz; a crash is a file there, and the exit code.
set -eu
cd "$(dirname "$0")"
seconds=$1; shift
built=${CARGO_TARGET_DIR:-$(cd .. && pwd)/target}
place=$built/fuzz
mkdir -p "$place/crashes"
RUSTC_WRAPPER=$(pwd)/rustc.sh CARGO_TARGET_DIR=$built cargo build --release --locked
program=$built/release/tagih-fuzz
targets=${*:-table bills log body answer status inquiry signature settlement bank configuration journal carry parquet edge}

# As many at a time as there are cores.
export PROGRAM="$program" PLACE="$place"
printf '%s\n' $targets | xargs -P "$(nproc)" -n 1 ./target.sh "$seconds"
