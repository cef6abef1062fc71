#!/usr/bin/env python3
"""Faults that were once there, put back into a copy of the sources: the simulation must find each of them; else it is told what does.

usage: historic.py [--only NAME] [--from SEED] [--seeds COUNT] [--seconds S] [--list]

All are put into one build, each behind a switch, and worlds are simulated with one of them turned on at a time. Each is a replacement in a
file, or several; one that no longer fits ends the run: whoever changes that place says here what the fault would be now. Build and copy
are below target/historic.
"""

import argparse
import math
import os
import pathlib
import random
import re
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
TARGET = pathlib.Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target"))
COPY = TARGET / "historic" / "sources"
PARTS = ["src", "tests", "samples", "config", "docs", "packaging", "askama.toml", "Cargo.toml", "Cargo.lock", "README.md"]
# What the copy's tests are made of: the simulation and what it uses.
SLIM = {
    "tests/it/main.rs": ["border", "models", "simulation", "support"],
    "tests/it/border/mod.rs": ["between", "doku", "wire"],
    "tests/it/support/mod.rs": ["bills", "dice", "doku", "folder"],
}

# Whether the fault of the line is turned on.
ON = "crate::is_put_back(NAME)"
SWITCH = '''
/// Whether this fault of before is turned on.
#[must_use]
pub fn is_put_back(fault: &str) -> bool {
    static FAULT: std::sync::LazyLock<Option<std::ffi::OsString>> = std::sync::LazyLock::new(|| std::env::var_os("TAGIH_HISTORIC"));
    FAULT.as_deref().is_some_and(|on| on == fault)
}
'''


def before(there, arm):
    """Another arm before one of a match, if the fault is on."""
    return there, f"{arm}\n        {there}"


def instead(there, then):
    """Another value, if the fault is on."""
    return there, f"if {ON} {{ {then} }} else {{ {there} }}"


# (what went wrong, file, (what stands there, what stands there in the copy))
FAULTS = [
    ("timeout-is-a-failure", "src/jobs/issue/operation.rs", before(
        "Delivery::Unknown(words) => {",
        f"Delivery::Unknown(words) if {ON} => {{ (course.last, course.word) = (words, None); return Ok(None); }}")),
    ("strangers-refusal-counts", "src/domain/conclusion.rs", before(
        "(_, Whose::Foreign, _) => Conclusion::InDoubt { answered: false },",
        f"(AnswerSays::Refused, Whose::Foreign, Before::Nothing) if {ON} => Conclusion::Rejected {{ provisional: false }},")),
    ("strangers-throttle-is-dokus", "src/jobs/issue/operation.rs", (
        "course.stranger_throttles |= !own;", f"course.stranger_throttles |= !own && !{ON};")),
    ("refusal-of-a-repetition-counts", "src/domain/conclusion.rs", instead(
        "            Conclusion::InDoubt { answered: true }\n", "Conclusion::Rejected { provisional: false }")),
    ("unsigned-success-counts", "src/doku/answer.rs", before(
        "Whose::Foreign if answer.signature == SignatureFinding::Absent => unusable(\"the answer is not signed\".into()),",
        f"Whose::Foreign if answer.signature == SignatureFinding::Absent && {ON} => JudgedAnswer {{ status, whose: Whose::Unsigned, says, "
        "answer: Some(code), words: String::new(), remark },")),
    ("another-orders-answer-counts", "src/doku/answer.rs", (
        "if named != expected.wire_invoice_number.as_str() {", f"if named != expected.wire_invoice_number.as_str() && !{ON} {{")),
    ("a-new-id-each-attempt", "src/jobs/issue/resolve.rs", (
        "let request = pinned.map(|body| self.request(invoice_number, open.operation, &open.terms, open.request_id, body));",
        "let id = " + instead("open.request_id", "crate::domain::ids::RequestId::from_digest(&crate::domain::digest::of_bytes("
                              "&self.caller.randomness.up_to(u64::MAX).to_be_bytes()))")[1] + ";\n"
        "        let request = pinned.map(|body| self.request(invoice_number, open.operation, &open.terms, id, body));")),
    ("open-operation-is-planned-anew", "src/domain/plan/mod.rs", (
        "if state.is_some_and(|state| state.status.open_operation().is_some()) {",
        f"if state.is_some_and(|state| state.status.open_operation().is_some()) && !{ON} {{")),
    ("open-operation-is-planned-anew", "src/domain/plan/mod.rs", before(
        "Status::Active => active(bill, terms, wanted, state, view, now, rules),",
        f"Status::InDoubt(OperationKind::Issue) if {ON} => issue(bill, wanted, Some(state), view, now, rules),")),
    ("not-found-once-is-enough", "src/domain/doubt.rs", instead(
        "counts(last) && earlier.iter().any(|finding| counts(finding) && last.at.duration_since(finding.at) >= APART)", "is_so(last)")),
    ("what-was-found-too-soon-counts", "src/domain/doubt.rs", (
        "is_so(finding) && plan::minutes_between(open.last_sent_at(), finding.at) >= minutes;",
        f"is_so(finding) && ({ON} || plan::minutes_between(open.last_sent_at(), finding.at) >= minutes);")),
    ("dead-before-its-end", "src/domain/doubt.rs", (
        "end.is_some_and(|end| plan::minutes_between(end, last.at) >= patience.grace_minutes)",
        f"({ON} && matches!(last.word, Word::NotFound | Word::Expired)) "
        "|| end.is_some_and(|end| plan::minutes_between(end, last.at) >= patience.grace_minutes)")),
    ("re-issued-without-asking", "src/jobs/issue/confirm.rs", (
        "match self.word_of(state).await? {\n            OfItsCode::Told(Word::Expired, state)",
        f"if {ON} {{ return self.retire(state, Word::Expired).await; }}\n"
        "        match self.word_of(state).await? {\n            OfItsCode::Told(Word::Expired, state)")),
    ("word-of-an-earlier-order", "src/jobs/issue/confirm.rs", (
        "&& state.is_at(&said.order));", f"&& (state.is_at(&said.order) || {ON}));")),
    ("two-rows-retire-one-code", "src/jobs/issue/confirm.rs", (
        "|state| state.status == Status::Active &&", f"|state| (state.status == Status::Active || {ON}) &&")),
    ("known-payment-ends-no-doubt", "src/jobs/issue/resolve.rs", (
        "if self.is_proved_by_payment(&state).await? {", f"if self.is_proved_by_payment(&state).await? && !{ON} {{")),
    ("paid-amendment-in-doubt-for-ever", "src/domain/doubt.rs", (
        "(!state.terms.reusable || changes_amount(state, open)).then_some(Ending::Over(DoubtVerdict::NotDone))",
        f"((!state.terms.reusable && !{ON}) || changes_amount(state, open)).then_some(Ending::Over(DoubtVerdict::NotDone))")),
    ("code-live-twice-in-the-ledger", "src/ledger/memory.rs", (
        "return Err(LedgerError::CodeTaken { invoice_number: entry.invoice_number, other: other.clone() });",
        f"if !{ON} {{ return Err(LedgerError::CodeTaken {{ invoice_number: entry.invoice_number, other: other.clone() }}); }}")),
    ("number-stands-for-two", "src/ledger/memory.rs", (
        "return Err(LedgerError::NumberTaken { number: number.clone(), invoice_number: entry.invoice_number.clone(), other });",
        f"if !{ON} {{ return Err(LedgerError::NumberTaken {{ number: number.clone(), invoice_number: entry.invoice_number.clone(), "
        "other }); }")),
    ("overtaken-is-not-noticed", "src/ledger/rules.rs", (
        "if !is_own && !entry.basis.holds(before.as_ref()) {",
        f"if !is_own && !(before.is_some() && {ON}) && !entry.basis.holds(before.as_ref()) {{")),
    ("a-message-is-a-payment", "src/domain/payment.rs", (
        "const CERTAIN: [Test; 2] = [|known, one| known.canonical == one.canonical, Sameness::is];",
        f"const CERTAIN: [Test; 2] = [|known, one| !{ON} && known.canonical == one.canonical, |known, one| if {ON} {{ known.identity == "
        "one.identity && known.is_numbered && !one.is_numbered } else { known.is(one) }];")),
    ("forged-money-counts", "src/evidence/inspect.rs", before(
        "Verdict::Forged(why) => refused(digest, Class::N02, why),",
        f"Verdict::Forged(_) if {ON} => self.read_body(&received.body, digest, Some(received), kept),")),
    ("rate-is-each-runs-own", "src/gateway/pacing.rs", (
        "    let spent = limiter.check_n(burst);\n",
        f"    let spent = if {ON} {{ Ok(Ok(())) }} else {{ limiter.check_n(burst) }};\n")),
    ("some-requests-are-free", "src/gateway/pacing.rs", (
        "} else if paid >= pace.cost {", f"}} else if paid >= pace.cost || ({ON} && pace.given % 4 != 0) {{")),
    ("intent-lost-and-sent-all-the-same", "src/jobs/issue/carry.rs", before(
        "Err(LedgerError::Lost { invoice_number }) => return Ok(Next::overtaken(&invoice_number)),\n            // Two rows",
        f"Err(LedgerError::Lost {{ .. }}) if {ON} => {{}}")),
    ("a-repeated-answer-is-ours", "src/domain/conclusion.rs", before(
        "(AnswerSays::Repeated, _, Before::Nothing | Before::Answered) => Conclusion::Confirm,",
        f"(AnswerSays::Repeated, _, Before::Nothing | Before::Answered) if {ON} => Conclusion::Accepted {{ replayed: true }},")),
    ("cancelled-because-not-found", "src/domain/doubt.rs", before(
        "(OperationKind::Cancel, Word::Expired) => Some(Ending::Over(DoubtVerdict::Done)),",
        f"(OperationKind::Cancel, Word::Pending) if {ON} => Some(Ending::Over(DoubtVerdict::Done)),")),
    ("replayed-without-its-body", "src/jobs/issue/resolve.rs", (
        "if let Some(event) = marker\n            && !self.conclude(", f"if let Some(event) = marker.filter(|_| !{ON})\n            && !self.conclude(")),
    ("two-hosts-at-one-operation", "tests/it/simulation/store.rs", (
        "others.get(number).filter(|life| self.is_sender && !is_fact",
        f"others.get(number).filter(|life| self.is_sender && !{ON.replace('crate', 'tagih')} && !is_fact")),
]
ALSO = [
    # So that a switch may stand there.
    ("src/domain/conclusion.rs", "pub const fn conclude(", "pub fn conclude("),
    # A package of its own, or its program would take the place of the one without faults.
    ("Cargo.toml", 'name = "tagih"\n', 'name = "tagih"\nautobins = false\n'),
    ("Cargo.toml", 'version = "0.1.0"\nedition', 'version = "0.1.0-historic"\nedition'),
    ("Cargo.lock", 'name = "tagih"\nversion = "0.1.0"', 'name = "tagih"\nversion = "0.1.0-historic"'),
]


def copied():
    """The files of the copy, with every fault in them."""
    texts = {"src/lib.rs": (ROOT / "src/lib.rs").read_text() + SWITCH}
    for path, modules in SLIM.items():
        texts[path] = "#![allow(warnings)]\n" * (path == "tests/it/main.rs") + "".join(f"pub mod {module};\n" for module in modules)
    there_and_then = [(f"`{name}`", path, there, then.replace("NAME", f'"{name}"')) for name, path, (there, then) in FAULTS]
    for name, path, there, then in [*(("", *also) for also in ALSO), *there_and_then]:
        text = texts.get(path) or (ROOT / path).read_text()
        if text.count(there) != 1:
            sys.exit(f"{name}: what is to be replaced stands {text.count(there)} times in {path}: {there}")
        texts[path] = text.replace(there, then)
    return texts


def copy(texts):
    """Only what is another: cargo takes what was written for new."""
    for part in PARTS:
        for source in [ROOT / part] if (ROOT / part).is_file() else (ROOT / part).rglob("*"):
            path = source.relative_to(ROOT)
            if source.is_file() and str(path) not in texts:
                write_if_other(COPY / path, source.read_bytes())
    for path, text in texts.items():
        write_if_other(COPY / path, text.encode())


def write_if_other(path, content):
    if not path.exists() or path.read_bytes() != content:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)


def build(environment, what):
    command = ["cargo", "test", "--no-run", *what, "--locked", "--manifest-path", str(COPY / "Cargo.toml")]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT)
    for line in ran.stderr.splitlines():
        if "Executable" in line:
            return ROOT / line[line.rindex("(") + 1 : line.rindex(")")]
    sys.exit("it does not compile: " + ran.stderr[-3000:])


def by_others(name, environment, program):
    """What else finds a fault: the model of doubts, or the library's tests of what decides."""
    if subprocess.run([program, "models::doubt"], capture_output=True, env={**environment, "TAGIH_HISTORIC": name}).returncode:
        return "models::doubt"
    library = build(environment, ["--lib"])
    ran = subprocess.run([library, "domain::", "jobs::", "ledger::", "gateway::"], capture_output=True, text=True, env={**environment, "TAGIH_HISTORIC": name})
    failed = re.findall(r"^test (\S+) \.\.\. FAILED", ran.stdout, re.MULTILINE)
    return failed[0] if failed else None


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--only")
    options.add_argument("--from", type=int, default=1, dest="first")
    options.add_argument("--seeds", type=int, default=2000)
    options.add_argument("--seconds", type=float, help="none is begun later, and which come first is a matter of the seed")
    options.add_argument("--list", action="store_true")
    options.add_argument("--fits", action="store_true", help="only look whether each still fits the sources")
    options = options.parse_args()
    if options.fits:
        copied()
        return
    chosen = list(dict.fromkeys(fault[0] for fault in FAULTS if options.only in (None, fault[0])))
    if options.list:
        print("\n".join(chosen))
        return
    if options.seconds:
        random.Random(options.first).shuffle(chosen)
    until = time.monotonic() + (options.seconds or math.inf)
    copy(copied())
    environment = {**os.environ, "CARGO_TARGET_DIR": str(TARGET), "RUST_BACKTRACE": "0"}
    program = build(environment, ["--test", "it"])
    def worlds(fault, first, count):
        """The number of the first world that goes wrong, if one does."""
        ran = subprocess.run(
            [program, "simulation::whatever_happens"], capture_output=True, text=True,
            env={**environment, "TAGIH_HISTORIC": fault, "TAGIH_SIMULATION_FROM": str(first), "TAGIH_SIMULATION_SEEDS": str(count)})
        found = re.search(r"^world (\d+) went wrong", ran.stdout + ran.stderr, re.MULTILINE)
        if ran.returncode and not found:
            sys.exit(f"{fault}: " + ran.stdout[-3000:] + ran.stderr[-3000:])
        return int(found[1]) if found else None

    missed, tried = [], 0
    for name in chosen:
        begun = time.monotonic()
        if begun > until and tried:
            break
        tried += 1
        found = worlds(name, options.first, options.seeds)
        # A world that goes wrong without the fault says nothing about it.
        if found and worlds("", found, 1):
            sys.exit(f"world {found} goes wrong without any of them")
        place = f"world {found}" if found else by_others(name, environment, program)
        seconds = time.monotonic() - begun
        print(f"{name}: {f'found in {place}' if place else 'NOT FOUND'} ({seconds:.0f} s)", flush=True)
        if not place:
            missed.append(name)
    print(f"{tried - len(missed)} of {tried} found")
    sys.exit(1 if missed else 0)


if __name__ == "__main__":
    main()
