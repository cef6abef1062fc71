#!/usr/bin/env python3
"""Faults that were once there, put back one at a time into a copy of the sources: the simulation must find each of them.

usage: historic.py [--only NAME] [--seeds COUNT] [--list]

Each is one replacement in one file. A replacement that no longer fits ends the run: whoever changes that place says here what the fault
would be now. Build and copy are below target/historic.
"""

import argparse
import os
import pathlib
import shutil
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parent.parent
COPY = ROOT / "target" / "historic" / "sources"
PARTS = ["src", "tests", "samples", "config", "docs", "packaging", "askama.toml", "Cargo.toml", "Cargo.lock", "README.md"]

# What the copy's tests are made of: the simulation and what it uses, or each fault would compile all tests anew.
SLIM = {
    "tests/it/main.rs": ["border", "simulation", "support"],
    "tests/it/border/mod.rs": ["between", "doku", "wire"],
    "tests/it/support/mod.rs": ["dice"],
}

# (what went wrong, file, what stands there, what stood there)
FAULTS = [
    ("timeout-is-a-failure", "src/jobs/issue/operation.rs",
     "Delivery::Unknown(words) => Judged { status: 0, whose: Whose::Foreign, says: Says::Unclear, answer: None, words, remark: None },",
     "Delivery::Unknown(words) => { (course.last, course.word) = (words, None); return Ok(None); }"),
    ("strangers-refusal-counts", "src/domain/conclusion.rs",
     "(_, Whose::Foreign, _) => Conclusion::InDoubt { answered: false },",
     "(Says::Refused, Whose::Foreign, Before::Nothing) => Conclusion::Rejected { provisional: false },\n"
     "        (_, Whose::Foreign, _) => Conclusion::InDoubt { answered: false },"),
    ("strangers-throttle-is-dokus", "src/jobs/issue/operation.rs",
     "course.stranger_throttles |= !own;", "let _ = own;"),
    ("refusal-of-a-repetition-counts", "src/domain/conclusion.rs",
     "            Conclusion::InDoubt { answered: true }\n", "            Conclusion::Rejected { provisional: false }\n"),
    ("unsigned-success-counts", "src/doku/answer.rs",
     "Whose::Foreign if answer.signature == SignatureFinding::Absent => unusable(\"the answer is not signed\".into()),",
     "Whose::Foreign if answer.signature == SignatureFinding::Absent => Judged { status, whose: Whose::Unsigned, says, "
     "answer: Some(code), words: String::new(), remark },"),
    ("another-orders-answer-counts", "src/doku/answer.rs",
     "if named != expected.wire_invoice_number.as_str() {", "if named.is_empty() {"),
    ("a-new-id-each-attempt", "src/jobs/issue/resolve.rs",
     "let request = pinned.and_then(|body| self.request(open.operation, &open.terms, open.request_id, body));",
     "let request = pinned.and_then(|body| self.request(open.operation, &open.terms, crate::domain::ids::RequestId::from_digest("
     "&crate::domain::digest::of_bytes(&self.caller.randomness.up_to(u64::MAX).to_be_bytes())), body));"),
    ("open-operation-is-planned-anew", "src/domain/plan/mod.rs",
     "    if state.is_some_and(|state| state.status.open_operation().is_some()) {\n        return Step::Resolve;\n    }\n", ""),
    ("not-found-once-is-enough", "src/domain/doubt.rs",
     "counts(last) && earlier.iter().any(|finding| counts(finding) && last.at.duration_since(finding.at) >= APART)",
     "{ let _ = earlier; is_so(last) }"),
    ("what-was-found-too-soon-counts", "src/domain/doubt.rs",
     "is_so(finding) && plan::minutes_between(open.last_sent_at(), finding.at) >= minutes;",
     "is_so(finding) && (minutes < 0 || open.last_sent_at() <= finding.at);"),
    ("dead-before-its-end", "src/domain/doubt.rs",
     "end.is_some_and(|end| plan::minutes_between(end, now) >= patience.grace_minutes)",
     "matches!(last.word, Word::NotFound | Word::Expired) || end.is_some_and(|end| plan::minutes_between(end, now) >= patience.grace_minutes)"),
    ("re-issued-without-asking", "src/domain/plan/mod.rs",
     "let grace_over = minutes_between(expires_at, now) >= rules.reissue_grace_minutes;\n"
     "        let is_wanted = issue_minutes(wanted.expiry, now).is_some();",
     "let grace_over = minutes_between(expires_at, now) >= -1_000_000;\n"
     "        let is_wanted = issue_minutes(wanted.expiry, now).is_some();"),
    ("word-of-an-earlier-order", "src/jobs/issue/confirm.rs",
     ".filter(|state| state.status == Status::Active && state.is_at(&said.order));",
     ".filter(|state| state.status == Status::Active);"),
    ("two-rows-retire-one-code", "src/jobs/issue/confirm.rs",
     ".filter(|state| state.status == Status::Active && state.is_at(&said.order));",
     ".filter(|state| state.is_at(&said.order));"),
    ("known-payment-ends-no-doubt", "src/jobs/issue/resolve.rs",
     "if self.is_proved_by_payment(&state).await? {", "if self.is_proved_by_payment(&state).await? && state.open.is_none() {"),
    ("paid-amendment-in-doubt-for-ever", "src/domain/doubt.rs",
     "(!state.terms.reusable || changes_amount(state, open)).then_some(Ending::Settled(Verdict::NotDone))",
     "changes_amount(state, open).then_some(Ending::Settled(Verdict::NotDone))"),
    ("code-live-twice-in-the-ledger", "src/ledger/memory.rs",
     "            return Err(LedgerError::CodeTaken { invoice_number: entry.invoice_number, other: other.clone() });",
     "            let _ = other;"),
    ("number-stands-for-two", "src/ledger/memory.rs",
     "            return Err(LedgerError::NumberTaken { number: number.clone(), invoice_number: entry.invoice_number.clone(), other });",
     "            let _ = other;"),
    ("overtaken-is-not-noticed", "src/ledger/rules.rs",
     "if !is_own && !entry.basis.holds(before.as_ref()) {", "if !is_own && before.is_none() && !entry.basis.holds(None) {"),
    ("a-message-is-a-payment", "src/domain/payment.rs",
     "const CERTAIN: [Test; 2] = [|known, one| known.canonical == one.canonical, Sameness::is];",
     "const CERTAIN: [Test; 2] = [|known, one| known.identity == one.identity && known.is_numbered && !one.is_numbered, |_, _| false];"),
    ("forged-money-counts", "src/evidence/inspect.rs",
     "Finding::Forged => return refused(digest, Class::N02, Detail::Forged),",
     "Finding::Forged => true,"),
    ("rate-is-each-runs-own", "src/gateway/pacing.rs",
     "    let spent = limiter.check_n(burst);\n", "    let spent: Result<Result<(), ()>, ()> = Ok(Ok(()));\n"),
    ("some-requests-are-free", "src/gateway/pacing.rs",
     "} else if paid >= pace.cost {", "} else if paid >= pace.cost || pace.given % 4 != 0 {"),
    ("intent-lost-and-sent-all-the-same", "src/jobs/issue/carry.rs",
     "Err(LedgerError::Lost { invoice_number }) => return Ok(Next::overtaken(&invoice_number)),\n            // Two rows",
     "Err(LedgerError::Lost { .. }) => {}\n            // Two rows"),
    ("a-repeated-answer-is-ours", "src/domain/conclusion.rs",
     "(Says::Repeated, _, Before::Nothing | Before::Answered) => Conclusion::Confirm,",
     "(Says::Repeated, _, Before::Nothing | Before::Answered) => Conclusion::Accepted { replayed: true },"),
    ("cancelled-because-not-found", "src/domain/doubt.rs",
     "(OperationKind::Cancel, Word::Expired) => Some(Ending::Settled(Verdict::Done)),",
     "(OperationKind::Cancel, Word::Expired | Word::Pending) => Some(Ending::Settled(Verdict::Done)),"),
    ("replayed-without-its-body", "src/jobs/issue/resolve.rs",
     "if let Some(event) = marker\n            && !self.conclude(invoice_number, open.request_id, event).await?\n        {\n            return Ok(Next::PlanAgain(None));\n        }\n",
     "let _ = marker;\n"),
    ("two-hosts-at-one-operation", "tests/it/simulation/store.rs",
     "others.get(number).filter(|life| self.is_sender && !is_fact", "others.get(number).filter(|life| false && !is_fact"),
]


def put_in(name, path, there, then):
    """Writes the faulty file into the copy; gives back what stood there."""
    file = COPY / path
    text = file.read_text()
    count = text.count(there)
    if count != 1:
        sys.exit(f"{name}: what is to be replaced stands {count} times in {path}")
    file.write_text(text.replace(there, then))
    return text


def build(environment):
    command = ["cargo", "test", "--no-run", "--test", "it", "--locked", "--manifest-path", str(COPY / "Cargo.toml")]
    ran = subprocess.run(command, env=environment, capture_output=True, text=True)
    for line in ran.stderr.splitlines():
        if "Executable" in line:
            return pathlib.Path(line[line.rindex("(") + 1 : line.rindex(")")])
    errors = [line for line in ran.stderr.splitlines() if line.startswith("error")]
    sys.exit("it does not compile: " + "; ".join(errors[:3]))


def main():
    options = argparse.ArgumentParser()
    options.add_argument("--only")
    options.add_argument("--seeds", type=int, default=2000)
    options.add_argument("--list", action="store_true")
    options = options.parse_args()
    chosen = [fault for fault in FAULTS if options.only in (None, fault[0])]
    if options.list:
        print("\n".join(fault[0] for fault in chosen))
        return
    for part in PARTS:
        source, copy = ROOT / part, COPY / part
        if source.is_dir():
            shutil.copytree(source, copy, dirs_exist_ok=True, copy_function=copy_if_other)
        else:
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy_if_other(source, copy)
    for path, modules in SLIM.items():
        write_if_other(COPY / path, "#![allow(dead_code, unreachable_pub)]\n" + "".join(f"pub mod {module};\n" for module in modules))
    environment = {**os.environ, "CARGO_TARGET_DIR": str(ROOT / "target"), "RUST_BACKTRACE": "0"}
    missed = []
    for name, path, there, then in chosen:
        before = put_in(name, path, there, then)
        try:
            program = build(environment)
            begun = time.monotonic()
            ran = subprocess.run(
                [program, "simulation::whatever_happens"],
                env={**environment, "TAGIH_SIMULATION_SEEDS": str(options.seeds), "CARGO_MANIFEST_DIR": str(COPY)},
                capture_output=True, text=True)
            seconds = time.monotonic() - begun
        finally:
            (COPY / path).write_text(before)
        told = [line for line in ran.stdout.splitlines() + ran.stderr.splitlines() if line.startswith("world ")]
        print(f"{name}: {'found: ' + told[0].split(',')[0] if ran.returncode else 'NOT FOUND'} ({seconds:.0f} s)", flush=True)
        if not ran.returncode:
            missed.append(name)
    print(f"{len(chosen) - len(missed)} of {len(chosen)} found")
    sys.exit(1 if missed else 0)


def copy_if_other(source, copy):
    """So that cargo does not take what is as it was for new."""
    source, copy = pathlib.Path(source), pathlib.Path(copy)
    if str(copy.relative_to(COPY)) in SLIM:
        return
    if not copy.exists() or source.read_bytes() != copy.read_bytes():
        shutil.copy2(source, copy)


def write_if_other(path, text):
    if not path.exists() or path.read_text() != text:
        path.write_text(text)


if __name__ == "__main__":
    main()
