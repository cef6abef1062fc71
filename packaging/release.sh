#!/bin/sh
# release.sh TARGET: the program as it is released, built below TARGET. Nothing of this machine's paths gets into it, so that the same
# sources, toolchain and C compiler make the same bytes anywhere.
set -eu
cd "$(dirname "$0")/.."
mkdir -p "$1"
target=$(cd "$1" && pwd)
sources=$(pwd)
crates=${CARGO_HOME:-$HOME/.cargo}
toolchain=$(rustc --print sysroot)
# Where a path fits two, the later one counts.
RUSTFLAGS="--remap-path-prefix=$toolchain=/usr/src/rust --remap-path-prefix=$crates=/usr/src/cargo \
--remap-path-prefix=$sources=/usr/src/tagih --remap-path-prefix=$target=/usr/src/target"
CFLAGS="-ffile-prefix-map=$crates=/usr/src/cargo -ffile-prefix-map=$sources=/usr/src/tagih -ffile-prefix-map=$target=/usr/src/target"
# A day that a C compiler writes into what it makes: that of the dependencies, or each commit would build them anew.
SOURCE_DATE_EPOCH=$(git log -1 --format=%ct -- Cargo.lock)
CARGO_TARGET_DIR=$target CARGO_INCREMENTAL=0
export RUSTFLAGS CFLAGS SOURCE_DATE_EPOCH CARGO_TARGET_DIR CARGO_INCREMENTAL
exec ${CARGO:-cargo} build --profile dist --locked --bin tagih
