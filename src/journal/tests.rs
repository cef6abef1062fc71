//! The journal against crashes, damage and two writers.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;

use super::*;
use crate::register::{ReconcileRun, Sighting};

fn entry(run_id: &str) -> JournalEntry {
    let run = ReconcileRun { run_id: run_id.into(), from: "2026-10-01".parse().unwrap(), to: "2026-10-31".parse().unwrap(), as_of: at() };
    JournalEntry::Seen { sighting: Sighting { run, new: vec![], changed: vec![], again: vec![], gone: vec![] }, report: None }
}

fn at() -> Timestamp {
    "2026-11-02T03:04:05Z".parse().unwrap()
}

fn author() -> Author {
    Author::new(" Siti ", "month end").unwrap()
}

/// How many lines end in `bytes`.
fn lines_in(bytes: &[u8]) -> u64 {
    u64::try_from(bytes.split(|&byte| byte == b'\n').count() - 1).unwrap()
}

/// A journal of three lines.
fn three(folder: &tempfile::TempDir) -> std::path::PathBuf {
    let path = folder.path().join("tagih.journal");
    let mut writer = JournalWriter::open(&path).unwrap();
    for run in ["a", "b", "c"] {
        writer.append(at(), &author(), entry(run)).unwrap();
    }
    path
}

#[test]
fn what_was_appended_is_read_back_and_a_missing_journal_is_empty() {
    let folder = tempfile::tempdir().unwrap();
    assert_eq!(read(&folder.path().join("none")).unwrap().head().sequence, 0);
    let path = three(&folder);
    let journal = read(&path).unwrap();
    assert_eq!(journal, *JournalWriter::open(&path).unwrap().journal());
    assert_eq!(journal.records()[2].entry, entry("c"));
    assert_eq!((journal.records()[0].actor.as_str(), journal.head().sequence), ("Siti", 3));
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}

#[test]
fn a_file_cut_anywhere_keeps_every_whole_line_and_the_next_writer_goes_on_from_there() {
    let folder = tempfile::tempdir().unwrap();
    let path = three(&folder);
    let bytes = fs::read(&path).unwrap();
    for length in 0..bytes.len() {
        fs::write(&path, &bytes[..length]).unwrap();
        let whole = lines_in(&bytes[..length]);
        assert_eq!(read(&path).unwrap().head().sequence, whole, "{length}");
        let mut writer = JournalWriter::open(&path).unwrap();
        writer.append(at(), &author(), entry("again")).unwrap();
        assert_eq!(read(&path).unwrap().head().sequence, whole + 1, "{length}");
    }
}

#[test]
fn no_byte_can_change_and_no_line_go_or_move_unnoticed() {
    let folder = tempfile::tempdir().unwrap();
    let path = three(&folder);
    let bytes = fs::read(&path).unwrap();
    // The last newline is what makes a line; without it the line was never acknowledged.
    for at in 0..bytes.len() - 1 {
        let mut changed = bytes.clone();
        changed[at] ^= 1;
        fs::write(&path, &changed).unwrap();
        let line = lines_in(&bytes[..at]) + 1;
        let found = read(&path);
        assert!(matches!(found, Err(JournalError::Damaged { line: named, .. }) if named == line), "byte {at}: {found:?}");
        assert!(JournalWriter::open(&path).is_err());
    }
    let lines: Vec<&[u8]> = bytes.split_inclusive(|&byte| byte == b'\n').collect();
    for order in [vec![1, 2], vec![0, 2], vec![1, 0, 2], vec![0, 1, 1, 2]] {
        fs::write(&path, order.iter().map(|&at| lines[at]).collect::<Vec<_>>().concat()).unwrap();
        assert!(matches!(read(&path), Err(JournalError::Damaged { .. })), "{order:?}");
    }
}

#[test]
fn writers_take_turns_and_every_line_of_each_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("tagih.journal");
    std::thread::scope(|scope| {
        for name in 0..4 {
            let path = &path;
            scope.spawn(move || {
                for number in 0..10 {
                    JournalWriter::open(path).unwrap().append(at(), &author(), entry(&format!("{name}-{number}"))).unwrap();
                    read(path).unwrap();
                }
            });
        }
    });
    assert_eq!(read(&path).unwrap().head().sequence, 40);
}

#[test]
fn nobody_and_no_reason_are_refused() {
    for (actor, reason) in [("", "why"), ("  ", "why"), ("Siti", ""), ("Siti", " \t"), ("Si\nti", "why"), ("Siti", "a\u{1b}[2J")] {
        assert!(Author::new(actor, reason).is_err(), "{actor:?} {reason:?}");
    }
}

#[test]
fn decisions_in_one_line_or_in_many_make_the_same_register() {
    use crate::books;
    use crate::domain::reason::{Ids, PaymentReason, Reason};
    use crate::register::{DecidedAction, Decision, DecisionDetails, DecisionStep, DiscrepancyFacts, Sighting};
    let [a, b, c] = ["0a0000000000000000000000", "0b0000000000000000000000", "0c0000000000000000000000"];
    let facts = |id: &str| DiscrepancyFacts {
        id: id.into(),
        class: "P01".into(),
        nature: "BREAK".into(),
        severity: "critical".into(),
        flags: vec!["N03".into()],
        invoice_number: "INV".into(),
        payment_code: "00=12".into(),
        channel: Some("alfa".into()),
        expected: None,
        paid: Some(5_000),
        paid_at: Some(at()),
        reason: "neither is known".into(),
        cause: Reason::from(PaymentReason::Unknown(Ids { invoice_number: "INV".into(), payment_code: "00=12".into() })),
        recommended: "trace".into(),
        evidence: vec!["ab".into()],
        times: 1,
        books: None,
    };
    let JournalEntry::Seen { sighting: empty, .. } = entry("run") else { panic!() };
    let seen = JournalEntry::Seen { sighting: Sighting { new: [a, b, c].map(facts).into(), ..empty }, report: None };
    let decision = |(id, step): (&str, DecisionStep)| Decision {
        id: id.into(),
        facts: facts(id).fingerprint(),
        step,
        reason: "why".into(),
        by: "Siti".into(),
        owner: Some("Finance".into()),
        comment: None,
        person: String::new(),
    };
    let steps = [
        (
            a,
            DecisionStep::Resolve {
                action: DecidedAction::Books(books::Action::Refund),
                reviewer: Some("Budi".into()),
                details: DecisionDetails::default(),
            },
        ),
        (b, DecisionStep::Propose { action: DecidedAction::Books(books::Action::Keep), details: DecisionDetails::default() }),
        (a, DecisionStep::Reopen),
        (c, DecisionStep::Note),
    ];
    let decisions: Vec<Decision> = steps.into_iter().map(decision).collect();
    let registers = [1, 2, 3, 4].map(|size| {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("tagih.journal");
        let mut writer = JournalWriter::open(&path).unwrap();
        writer.append(at(), &author(), seen.clone()).unwrap();
        for chunk in decisions.chunks(size) {
            writer.append(at(), &author(), JournalEntry::Decided { decisions: chunk.to_vec() }).unwrap();
        }
        read(&path).unwrap().register().unwrap()
    });
    assert!(registers.iter().all(|register| register == &registers[0]));
    assert_eq!(registers[0].items().count(), 3);
}
