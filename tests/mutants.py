"""A seeded sample of mutants of what decides about money, each against the library's tests; the share that tests notice, with its interval.

    python3 tests/mutants.py SAMPLE SEED [FOLDER]      run by `make mutants`
"""

import json
import math
import pathlib
import random
import subprocess
import sys

# What decides: no files, no words, no sandbox.
WHERE = ["src/domain/**", "src/doku/**", "src/books/**", "src/reconcile/**"]
NOT = ["**/tests/**", "**/tests.rs", "src/domain/reason/**", "src/domain/texts/**", "**/codes.rs"]
# What notices them. Whole, these take a minute.
TESTS = ["domain::", "doku::", "books::", "reconcile::", "register::", "jobs::reconcile", "jobs::issue", "evidence::", "intake::"]


def mutants(tool, *more):
    named = [word for glob in WHERE for word in ("--file", glob)] + [word for glob in NOT for word in ("--exclude", glob)]
    return subprocess.run([tool, "mutants", *named, *more], check=False, capture_output="--list" in more, text=True)


def wilson(hits, count):
    """95 %."""
    if count == 0:
        return 0.0, 1.0
    z, share = 1.96, hits / count
    middle, spread = share + z * z / (2 * count), z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (middle - spread) / (1 + z * z / count), (middle + spread) / (1 + z * z / count)


def main():
    size, seed = int(sys.argv[1]), int(sys.argv[2])
    place = pathlib.Path(sys.argv[3] if len(sys.argv) > 3 else "target/mutants")
    tool = "target/tools/bin/cargo-mutants"
    listed = sorted(one["name"] for one in json.loads(mutants(tool, "--list", "--json").stdout))
    sample = sorted(random.Random(seed).sample(listed, min(size, len(listed))))
    place.mkdir(parents=True, exist_ok=True)
    (place / "sample.txt").write_text("\n".join(sample) + "\n")
    print(f"{len(sample)} of {len(listed)} mutants, seed {seed}", flush=True)
    exact = [word for name in sample for word in ("--re", "^" + regex(name) + "$")]
    mutants(tool, *exact, "--output", str(place), "--test-tool", "cargo", "--timeout", "300", "--no-shuffle", *sys.argv[4:], "--", "--lib", "--", *TESTS)
    outcomes = json.loads((place / "mutants.out" / "outcomes.json").read_text())
    caught, missed = outcomes["caught"] + outcomes["timeout"], outcomes["missed"]
    low, high = wilson(caught, caught + missed)
    print(f"noticed {caught} of {caught + missed}: {100 * caught / max(1, caught + missed):.1f} % ({100 * low:.1f} to {100 * high:.1f} %), "
          f"{outcomes['unviable']} do not compile")
    survivors = place / "mutants.out" / "missed.txt"
    print(survivors.read_text(), end="")
    print(f"the list: {survivors}")


def regex(name):
    return "".join("\\" + c if c in r"\.+*?()|[]{}^$#&-~" else c for c in name)


if __name__ == "__main__":
    main()
