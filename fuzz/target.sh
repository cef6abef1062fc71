#!/bin/sh
# target.sh SECONDS TARGET [RUNS]: one reader's time, for run.sh, which says what is PROGRAM and PLACE.
set -eu
cd "$(dirname "$0")"
seconds=$1 target=$2 runs=${3:--1} program=$PROGRAM place=$PLACE

# What the repository has of each kind, besides seeds/.
given() {
    case $1 in
        table | bills) ls ../samples/*.csv ;;
        configuration) ls ../config/*.toml ../samples/*.toml ;;
        journal) ls ../tests/fixtures/journals/* ;;
        parquet) ls ../tests/fixtures/carry-format-3/carry/*.parquet ../tests/fixtures/carry-format-3/*.parquet ;;
    esac
}

corpus=$place/corpus/$target
mkdir -p "$corpus" "$place/seeds/$target"
for file in $(given "$target"); do cp "$file" "$place/seeds/$target/"; done
if [ "$target" = carry ]; then
    # Its first byte says which of the files it is.
    number=0
    for file in ../tests/fixtures/carry-format-3/carry/*; do
        { printf "\\$(printf %03o "$number")"; cat "$file"; } >"$place/seeds/carry/$number"
        number=$((number + 1))
    done
fi
seeds=seeds/$target
[ -d "$seeds" ] || seeds=
export TAGIH_FUZZ_TARGET="$target"
# Threads that are handed a few bytes each cost more than what they do, above all beside other fuzzers.
export RAYON_NUM_THREADS=1 POLARS_MAX_THREADS=1
# Tables begin anew with every row: many small ones find more than few large ones.
case $target in table | bills | settlement | bank) length=4096 ;; *) length=65536 ;; esac
# Only what adds an edge is kept.
mkdir -p "$corpus.small"
"$program" -merge=1 -artifact_prefix="$place/crashes/$target-" "$corpus.small" "$corpus" "$place/seeds/$target" $seeds >"$place/$target.log" 2>&1 || true
rm -rf "$corpus" && mv "$corpus.small" "$corpus"
status=0
"$program" -max_total_time="$seconds" -runs="$runs" -max_len="$length" -timeout=20 -rss_limit_mb=3000 -dict=words.dict -print_final_stats=1 \
    -artifact_prefix="$place/crashes/$target-" "$corpus" >"$place/$target.log" 2>&1 || status=$?
executions=$(sed -n 's/^stat::number_of_executed_units: *//p' "$place/$target.log")
edges=$(grep -o 'cov: [0-9]*' "$place/$target.log" | tail -n 1 | cut -d ' ' -f 2)
printf '%-14s %10s executions %7s edges %5s inputs kept  %s\n' "$target" "${executions:-?}" "${edges:-?}" "$(ls "$corpus" | wc -l)" \
    "$([ "$status" -eq 0 ] && echo "no crash" || echo "CRASH: $place/$target.log")"
[ "$status" -eq 0 ]
