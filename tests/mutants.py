#!/usr/bin/env python3
"""A seeded sample of mutants of what decides about money: which of them do the tests notice? The share, with its interval.

usage: mutants.py MUTANTS SEED [--seconds S] [--only WORD]      run by `make mutants`

cargo-mutants says which mutants there are. They are put into one copy of the sources, each behind a switch, so that one build has all of them and
a mutant costs what its tests cost until the first that fails: first those beside the file, then its folder's, then all of the library's that are about
what decides, then, for whoever is left, the end-to-end ones. One that does not compile behind its switch is left out and listed. The order is the seed's, so
those that were tried when the seconds were over are a fair sample, too. Build and copy are below target/mutants.
"""

import argparse
import collections
import json
import math
import os
import pathlib
import random
import re
import signal
import subprocess
import sys
import threading
import time

import tree_sitter
import tree_sitter_rust

from historic import PARTS, ROOT, TARGET, write_if_other

# What decides: no files, no words, no sandbox.
WHERE = ["src/domain/**", "src/doku/**", "src/books/**", "src/reconcile/**"]
NOT = ["**/tests/**", "**/tests.rs", "src/domain/reason/**", "src/domain/texts/**", "**/codes.rs"]
# What notices them.
LIBRARY = ["domain::", "doku::", "books::", "reconcile::", "register::", "jobs::", "evidence::", "intake::"]
# Of these, those most likely to, by the folder.
NEAR = {"domain": ["domain::"], "doku": ["doku::"], "books": ["books::"], "reconcile": ["reconcile::", "jobs::reconcile"]}
# What takes longer than all others together comes last.
LONG = ["books::tests::random", "books::tests::opening"]
FARTHER = ["oracle", "metamorphic", "models", "simulation", "border::table", "month_end", "report", "flows", "reconcile::", "intake::carried", "cli::trust",
           "jobs::plan", "jobs::rows"]
PLACE = TARGET / "mutants"
COPY = PLACE / "sources"
# The number of the mutant that is turned on, in a file: end-to-end tests start programs without any variables.
ON = COPY / "mutant"
SWITCH = '''
/// Whether this mutant is turned on.
pub fn is_mutant(number: u32) -> bool {
    static ON: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| {
        std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/mutant")).ok().and_then(|on| on.parse().ok()).unwrap_or(0)
    });
    *ON == number
}
'''
SECONDS_MAX = 600


def listed():
    words = [word for glob in WHERE for word in ("--file", glob)] + [word for glob in NOT for word in ("--exclude", glob)]
    tool = ROOT / "target/tools/bin/cargo-mutants"
    ran = subprocess.run([tool, "mutants", *words, "--list", "--json"], check=True, capture_output=True, text=True, cwd=ROOT)
    return sorted(json.loads(ran.stdout), key=lambda one: one["name"])


class Source:
    """A file, and what is put into it: pieces of text at places, and what was there taken away."""

    PARSER = tree_sitter.Parser(tree_sitter.Language(tree_sitter_rust.language()))

    def __init__(self, path):
        self.path, self.bytes = path, (ROOT / path).read_bytes()
        self.tree, self.lines = self.PARSER.parse(self.bytes), self.bytes.split(b"\n")
        self.starts = [0]
        for line in self.lines:
            self.starts.append(self.starts[-1] + len(line) + 1)

    def at(self, place):
        """Lines and columns count from one, in characters."""
        line = self.lines[place["line"] - 1].decode()
        return self.starts[place["line"] - 1] + len(line[: place["column"] - 1].encode())

    def text(self, node):
        return self.bytes[node.start_byte : node.end_byte].decode()

    def around(self, start, *kinds):
        """The innermost node of one of these kinds around a byte."""
        node = self.tree.root_node.descendant_for_byte_range(start, start + 1)
        while node is not None and node.type not in kinds:
            node = node.parent
        return node

    def switched(self, mutant, number):
        """What stands before and after which bytes, or None where no switch can stand: [(from, to, before, after)]."""
        on, start, then = f"crate::is_mutant({number})", self.at(mutant["span"]["start"]), mutant["replacement"]
        end = self.at(mutant["span"]["end"])
        function = self.around(start, "function_item")
        pieces = []
        if function is not None and (const := re.match(r"(pub(\([a-z ]+\))? )?const fn", self.text(function))):
            at = function.start_byte + const.end() - len("const fn")
            pieces.append((at, at + len("const "), "\0", ""))
        match mutant["genre"]:
            case "FnValue":
                body = function.child_by_field_name("body")
                # What it returns may be what the body says; so a mistake in all of it is this mutant's.
                pieces.append((function.start_byte, function.end_byte, "", ""))
                pieces.append((body.start_byte + 1, body.start_byte + 1, f" if {on} {{ return {then}; }} ", ""))
            case "BinaryOperator":
                node = self.around(start, "binary_expression", "compound_assignment_expr")
                if node is None or node.child_by_field_name("operator").start_byte != start:
                    return None
                left, right = (self.text(node.child_by_field_name(side)) for side in ("left", "right"))
                assigns = node.type == "compound_assignment_expr"
                other = f"{left} {then} {right}" if assigns else f"({left}) {then} ({right})"
                pieces.append((node.start_byte, node.end_byte, f"(if {on} {{ {other} }} else {{ ", " })"))
            case "UnaryOperator":
                node = self.around(start, "unary_expression")
                if node is None or node.start_byte != start:
                    return None
                inner = self.bytes[start + 1 : node.end_byte].decode()
                pieces.append((node.start_byte, node.end_byte, f"(if {on} {{ {inner} }} else {{ ", " })"))
            case "MatchArm":
                pattern = self.around(start, "match_arm").child_by_field_name("pattern")
                # Which patterns are left is said of all of it.
                whole = self.around(start, "match_expression")
                pieces.append((whole.start_byte, whole.end_byte, "", ""))
                pieces.append((pattern.end_byte, pattern.end_byte, f" if !{on} ", ""))
            case "MatchArmGuard":
                pieces.append((start, end, f"{on} || (" if then == "true" else f"!{on} && (", ")"))
            case _:
                return None
        return pieces

    def with_all(self, mutants):
        """The text with these mutants, and which bytes of it are whose."""
        pieces = collections.OrderedDict()
        for number, mutant in mutants:
            for start, end, before, after in self.switched(mutant, number):
                pieces.setdefault((start, end, before, after), number)
        marks = []
        for (start, end, before, after), number in pieces.items():
            if before == "\0":
                marks.append((start, 0, 0, b"", number, end))
                continue
            # At one place: what ends there comes first, the inner before the outer; what begins there, the outer before the inner.
            marks.append((start, 2, -(end - start), before.encode(), number, None))
            if end > start:
                marks.append((end, 1, end - start, after.encode(), number, None))
        text, at, owned = bytearray(), 0, collections.defaultdict(list)
        for start, _, _, piece, number, skip_to in sorted(marks, key=lambda mark: mark[:3]):
            text += self.bytes[at:start]
            at = skip_to or start
            owned[number].append((len(text), len(text) + len(piece)))
            text += piece
        text += self.bytes[at:]
        return bytes(text), {number: (min(a for a, _ in spans), max(b for _, b in spans)) for number, spans in owned.items()}


def copy(sample, sources):
    """All files, those with mutants among them; which bytes of which file are whose."""
    owned, written = {}, {"src/lib.rs": (ROOT / "src/lib.rs").read_bytes() + SWITCH.encode()}
    for path in sources:
        mutants = [(number, mutant) for number, mutant in sample.items() if mutant["file"] == path]
        written[path], owned[path] = sources[path].with_all(mutants)
    for part in [*PARTS, "Makefile", "CHANGELOG.md", "ARCHITECTURE.md", "RELIABILITY.md", "LICENSE"]:
        for source in [ROOT / part] if (ROOT / part).is_file() else (ROOT / part).rglob("*"):
            path = str(source.relative_to(ROOT))
            if source.is_file():
                write_if_other(COPY / path, written.get(path) or source.read_bytes())
    return owned


def build(what):
    """The test program, or whose fault it is that there is none."""
    command = ["cargo", "test", "--no-run", *what, "--locked", "--message-format=json", "--manifest-path", str(COPY / "Cargo.toml")]
    environment = {**os.environ, "CARGO_TARGET_DIR": str(PLACE / "build")}
    ran = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=COPY)
    told = [json.loads(line) for line in ran.stdout.splitlines() if line.startswith("{")]
    errors = [one["message"] for one in told if one["reason"] == "compiler-message" and one["message"]["level"] == "error"]
    programs = [one["executable"] for one in told if one["reason"] == "compiler-artifact" and one["profile"]["test"] and one.get("executable")]
    return (programs[-1] if ran.returncode == 0 else None), errors


def to_blame(errors, owned, sample):
    """The innermost mutants around what does not compile, and those of a function that no switch may stand in, for constants are made by it."""
    found = set()
    for error in errors:
        if constant := re.search(r"non-const .*`(?:.*::)?(\w+)`", error["message"]):
            found |= {number for number, mutant in sample.items() if mutant["function"] and mutant["function"]["function_name"].split("::")[-1] == constant[1]}
        for span in [span for span in error["spans"] if span["is_primary"]] or error["spans"]:
            around = [(end - start, number) for number, (start, end) in owned.get(span["file_name"], {}).items()
                      if start <= span["byte_start"] and span["byte_end"] <= end]
            if around:
                found.add(min(around)[1])
    return found


def built(sample, sources):
    """A build with as many of the sample as compile, and those that do not."""
    left_out = {}
    while True:
        owned = copy(sample, sources)
        program, errors = build(["--lib"])
        if program:
            return program, left_out
        blamed = to_blame(errors, owned, sample) or sys.exit("it does not compile: " + "\n".join(error["rendered"] for error in errors)[:4000])
        print(f"{len(blamed)} do not compile", flush=True)
        for number in blamed:
            left_out[number] = sample.pop(number)


def notices(program, tests, number, seconds=SECONDS_MAX):
    """The first test that fails, if one does."""
    ON.write_text(str(number))
    environment = {**os.environ, "RUST_BACKTRACE": "0", "TAGIH_SIMULATION_SEEDS": "300"}
    ran = subprocess.Popen([program, *tests], env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, cwd=COPY,
                           errors="replace", process_group=0)
    late = threading.Timer(min(seconds, threading.TIMEOUT_MAX), os.killpg, (ran.pid, signal.SIGKILL))
    late.start()
    failed = None
    for line in ran.stdout:
        if found := re.match(r"test (\S+) .*\.\.\. FAILED|(?:.*)^test (\S+) - .* FAILED", line):
            failed = found[1] or found[2]
            break
    if failed:
        os.killpg(ran.pid, signal.SIGKILL)
    status = ran.wait()
    late.cancel()
    return failed or ("it does not end" if status else None)


def beside(path):
    """The tests of a file's own module."""
    module = pathlib.Path(path).relative_to("src").with_suffix("")
    names = [name for name in module.parts if name != "mod"]
    return "::".join(names) + "::"


def wilson(hits, count):
    """95 %."""
    if count == 0:
        return 0.0, 1.0
    z, share = 1.96, hits / count
    middle, spread = share + z * z / (2 * count), z * math.sqrt(share * (1 - share) / count + z * z / (4 * count * count))
    return (middle - spread) / (1 + z * z / count), (middle + spread) / (1 + z * z / count)


def try_all(sample, library, seconds):
    """What notices each mutant; those for whom there was time. Who is left goes on to what takes longer."""
    outcomes, until = {}, time.monotonic() + seconds
    for number, mutant in sample.items():
        if time.monotonic() > until:
            break
        quick = [word for long in LONG for word in ("--skip", long)]
        stages = [[beside(mutant["file"])], [*NEAR[mutant["file"].split("/")[1]], *quick], [*LIBRARY, *quick]]
        outcomes[number] = by = next(filter(None, (notices(library, stage, number) for stage in stages)), None)
        print(f"{len(outcomes)}/{len(sample)} {mutant['name']}: {by or 'not yet'}", flush=True)
    until += seconds
    ask(outcomes, sample, library, LONG, until)
    if not all(outcomes.values()) and time.monotonic() < until:
        farther, errors = build(["--test", "it"])
        if not farther:
            sys.exit("the end-to-end tests do not compile: " + "\n".join(error["rendered"] for error in errors)[:4000])
        ask(outcomes, sample, farther, FARTHER, until)
    return outcomes


def ask(outcomes, sample, program, tests, until):
    """These tests about whoever nothing has noticed yet."""
    for number in [number for number, by in outcomes.items() if not by]:
        if time.monotonic() > until:
            break
        outcomes[number] = notices(program, tests, number, 3 * SECONDS_MAX)
        print(f"{sample[number]['name']}: {outcomes[number] or 'not yet'}", flush=True)


def main():
    options = argparse.ArgumentParser()
    options.add_argument("mutants", type=int)
    options.add_argument("seed", type=int)
    options.add_argument("--seconds", type=float, default=math.inf, help="no mutant is begun later, and the end-to-end tests are asked for as long again")
    options.add_argument("--only", help="of the sample, those with this in their name")
    options = options.parse_args()
    every = listed()
    drawn = random.Random(options.seed).sample(every, min(options.mutants, len(every)))
    sources = {path: Source(path) for path in sorted({mutant["file"] for mutant in drawn})}
    sample = {number: mutant for number, mutant in enumerate(drawn, 1) if (options.only or "") in mutant["name"]}
    print(f"{len(sample)} of {len(every)} mutants, seed {options.seed}", flush=True)
    no_switch = {number: mutant for number, mutant in sample.items() if sources[mutant["file"]].switched(mutant, number) is None}
    sample = {number: mutant for number, mutant in sample.items() if number not in no_switch}
    library, left_out = built(sample, sources)
    if failed := notices(library, LIBRARY, 0, math.inf):
        sys.exit(f"{failed} fails without any mutant")
    outcomes = try_all(sample, library, options.seconds)
    noticed, survivors = sum(bool(by) for by in outcomes.values()), [sample[number]["name"] for number, by in outcomes.items() if not by]
    low, high = wilson(noticed, len(outcomes))
    (PLACE / "missed.txt").write_text("".join(f"{name}\n" for name in survivors))
    (PLACE / "left-out.txt").write_text("".join(f"{mutant['name']}\n" for mutant in [*left_out.values(), *no_switch.values()]))
    print(f"noticed {noticed} of {len(outcomes)}: {100 * noticed / max(1, len(outcomes)):.1f} % ({100 * low:.1f} to {100 * high:.1f} %); "
          f"{len(left_out) + len(no_switch)} left out, for they do not compile or no switch can stand there: {PLACE / 'left-out.txt'}")
    print("\n".join(["not noticed:", *survivors]) if survivors else "none was not noticed")


if __name__ == "__main__":
    main()
