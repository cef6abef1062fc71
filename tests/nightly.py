#!/usr/bin/env python3
"""A night of everything that takes long: each part has its share of the time, goes on where the last night ended, and ends in one table.

usage: nightly.py [--seconds 7200] [--only PART]      run by `make nightly`

What a part does in one go is a batch; batches are numbered for good, so that nights sum up (target/nightly/nights.json) and a batch that
failed can be run again by its number. A batch that fails is kept in target/nightly, the other parts go on, and the night ends with 1.
"""

import argparse
import json
import os
import pathlib
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
PLACE = TARGET / "nightly"
# Stands for the program of the tests, which is built first.
TESTS = "tests"

# Worlds that one batch may live through, so that no two batches share one.
WORLDS = 10_000_000
# Of every fault at every call of every command.
SHARDS = 400
FUZZ_TARGETS = 15
# No batch of any part takes as long on two cores with nothing beside it.
HANGS_SECONDS = 2_400


def simulate(number, seconds):
    return [TESTS, "simulation::whatever_happens"], {
        "TAGIH_SIMULATION_FROM": 1 + (number - 1) * WORLDS, "TAGIH_SIMULATION_SEEDS": WORLDS, "TAGIH_SIMULATION_SECONDS": int(seconds)}


def fuzz(number, seconds):
    # Sorting out its inputs takes a target about as long as ten seconds of work.
    each = max(5, int(seconds * (os.cpu_count() or 1) / FUZZ_TARGETS) - 10)
    return [ROOT / "fuzz" / "run.sh", str(each)], {}


def faults(number, seconds):
    return [TESTS, "faults::a_disk_that_fails", "faults::what_a_server"], {
        "TAGIH_FAULTS_SAMPLE": "all", "TAGIH_FAULTS_SHARD": f"{1 + (number - 1) % SHARDS}/{SHARDS}", "TAGIH_FAULTS_PAIRS": 2,
        "TAGIH_FAULTS_SEED": number}


def damage(number, seconds):
    return [TESTS, "faults::damage"], {"TAGIH_DAMAGE_SAMPLE": 60, "TAGIH_DAMAGE_SEED": number}


def kills(number, seconds):
    return [TESTS, "kill::a_program_killed_at"], {
        "TAGIH_KILL_CAMPAIGNS": 8, "TAGIH_KILL_KILLS": 160, "TAGIH_KILL_CODES": 200, "TAGIH_KILL_SEED": 1 + (number - 1) * 8}


def cluster(number, seconds):
    return [TESTS, "several_hosts::campaign"], {
        "TAGIH_CLUSTER_CAMPAIGNS": 1, "TAGIH_CLUSTER_ROWS": 2_000, "TAGIH_CLUSTER_WORKERS": 8, "TAGIH_CLUSTER_RATE": 120,
        "TAGIH_CLUSTER_SEED": number}


def historic(number, seconds):
    return [sys.executable, ROOT / "tests" / "historic.py", "--from", 1 + (number - 1) * 2_000, "--seconds", int(seconds)], {}


def mutants(number, seconds):
    # The builds take about ten minutes; half of the rest is for those that only end-to-end tests may notice.
    return ["make", "mutants", "MUTANTS=300", f"SEED={number}", f"MUTANTS_SECONDS={max(10, int((seconds - 600) / 2))}"], {}


# (name, share of a hundred, what a batch is, what it prints of what it did)
PARTS = [
    ("simulate", 15, simulate, {"operations": r"(\d+) operations in", "worlds": r"(\d+) worlds from"}),
    ("fuzz", 15, fuzz, {"executions": r"(\d+) executions"}),
    ("faults", 15, faults, {"faults": r"calls, (\d+) faults and", "pairs": r"and (\d+) pairs met"}),
    ("damage", 5, damage, {"changes": r"(\d+) changes"}),
    ("kills", 15, kills, {"kills": r"(\d+) kills landed"}),
    ("cluster", 10, cluster, {"campaigns": r"(campaign) \d+: again"}),
    ("historic", 10, historic, {"found": r"(found) in"}),
    ("mutants", 15, mutants, {"noticed": r"noticed (\d+) of", "mutants": r"noticed \d+ of (\d+)"}),
]


def figure(pattern, text):
    return sum(int(hit) if hit.isdigit() else 1 for hit in re.findall(pattern, text))


def build():
    """The release build of the tests."""
    ran = subprocess.run(["cargo", "test", "--release", "--no-run", "--locked", "--test", "it"], cwd=ROOT, stderr=subprocess.PIPE, text=True)
    found = re.findall(r"Executable .*\((.*)\)", ran.stderr)
    if ran.returncode or not found:
        sys.exit(ran.stderr)
    return str(ROOT / found[0])


class Night:
    def __init__(self):
        self.file = PLACE / "nights.json"
        PLACE.mkdir(parents=True, exist_ok=True)
        self.nights = json.loads(self.file.read_text()) if self.file.exists() else {}
        self.commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True).stdout.strip()
        self.tonight, self.failed = {}, []

    def part(self, name, make, figures, seconds, tests):
        """Batches until the time is over; the last one may take longer than what is left."""
        begun, longest = time.monotonic(), 0
        sums = self.nights.setdefault(name, {"batches": 0})
        tonight = self.tonight[name] = {"batches": f"{sums['batches'] + 1}.."}
        while (left := seconds - (time.monotonic() - begun)) > max(longest, 1):
            number = sums["batches"] + 1
            command, environment = make(number, left)
            if command[0] == TESTS:
                command = [tests, *command[1:], "--nocapture"]
            before = time.monotonic()
            ran = subprocess.run(
                # What hangs is ended with all that it started, and has failed.
                ["timeout", "--kill-after=30", str(int(max(2 * seconds, HANGS_SECONDS))), *(str(word) for word in command)], cwd=ROOT, env={**os.environ, **{key: str(value) for key, value in environment.items()}},
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace")
            longest = max(longest, time.monotonic() - before)
            for what, pattern in figures.items():
                done = figure(pattern, ran.stdout)
                tonight[what], sums[what] = tonight.get(what, 0) + done, sums.get(what, 0) + done
            sums["batches"] = number
            if ran.returncode:
                log = PLACE / f"{name}-{number}.log"
                log.write_text(ran.stdout)
                self.failed.append(f"{name}, batch {number}: {log}")
                print(f"{name}, batch {number} FAILED: {log}", flush=True)
            self.file.write_text(json.dumps(self.nights, indent=1) + "\n")
        tonight["batches"] += str(sums["batches"])
        tonight["seconds"] = int(time.monotonic() - begun)
        print(f"{name}: {tonight}", flush=True)

    def table(self):
        print(f"\n{'part':<10} {'seconds':>7}  {'batches':<12} tonight at {self.commit}, and in all nights")
        for name, done in self.tonight.items():
            figures = [what for what in done if what not in ("batches", "seconds")]
            told = ", ".join(f"{done[what]:,} {what} ({self.nights[name][what]:,})" for what in figures)
            print(f"{name:<10} {done['seconds']:>7}  {done['batches']:<12} {told}")
        print("\n".join(["FAILED:", *self.failed]) if self.failed else "nothing failed")


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--seconds", type=int, default=7200)
    options.add_argument("--only", choices=[part[0] for part in PARTS])
    options = options.parse_args()
    begun, night = time.monotonic(), Night()
    tests = build()
    chosen = [part for part in PARTS if options.only in (None, part[0])]
    for at, (name, share, make, figures) in enumerate(chosen):
        left, shares = options.seconds - (time.monotonic() - begun), sum(part[1] for part in chosen[at:])
        night.part(name, make, figures, max(1, left * share / shares), tests)
    night.table()
    sys.exit(1 if night.failed else 0)


if __name__ == "__main__":
    main()
