//! The table of statuses and events against a second copy, and what holds of every story a register can tell.
#![allow(clippy::arithmetic_side_effects, reason = "small numbers of a test")]

use super::*;

const GRID: &str = "
    status   first again    changed  gone    decide   propose  approve  note     reopen   ask
    unknown  open  .        .        .       .        .        .        .        .        .
    open     .     open     open     cleared accepted proposed .        open     .        .
    proposed .     proposed reopened cleared .        .        accepted proposed reopened .
    accepted .     accepted reopened cleared .        .        .        accepted reopened accepted
    cleared  .     reopened reopened .       .        .        .        cleared  reopened cleared
    reopened .     reopened reopened cleared accepted proposed .        reopened reopened reopened
";

#[test]
fn every_status_meets_every_event_as_the_grid_says() {
    let mut lines = GRID.lines().map(|line| line.split_whitespace().collect::<Vec<_>>()).filter(|words| !words.is_empty());
    assert_eq!(lines.next().unwrap().len(), ItemEventKind::ALL.len() + 1, "the grid has every event, in order");
    let mut statuses = Vec::new();
    for words in lines {
        let status = ItemStatus::parse(words[0]);
        assert_eq!(words.len(), ItemEventKind::ALL.len() + 1, "{words:?}");
        for (event, expected) in ItemEventKind::ALL.into_iter().zip(&words[1..]) {
            assert_eq!(next_status(status, event), ItemStatus::parse(expected), "{} meets {event:?}", words[0]);
        }
        statuses.push(status);
    }
    let all: Vec<_> = std::iter::once(None).chain(ItemStatus::ALL.map(Some)).collect();
    statuses.sort_unstable();
    assert_eq!(statuses, all, "the grid has every status");
}

#[test]
fn decisions_of_journals_of_before_there_were_books_are_read_and_posted() {
    let facts = r#"{"id":"0a0000000000000000000000","class":"P01","nature":"BREAK","severity":"critical","flags":[],"invoice_number":"X",
        "payment_code":"1","channel":"alfa","expected":null,"paid":5000,"paid_at":"2026-10-05T03:00:00Z","reason":"r","recommended":"t",
        "evidence":[],"times":1}"#;
    let facts: DiscrepancyFacts = serde_json::from_str(facts).unwrap();
    let run = ReconcileRun {
        run_id: "r".into(),
        from: "2026-10-01".parse().unwrap(),
        to: "2026-10-31".parse().unwrap(),
        as_of: "2026-11-01T00:00:00Z".parse().unwrap(),
    };
    for (old, posted) in [("refund", "refund"), ("write_off", "keep"), ("credit", "credit"), ("accept", "accept")] {
        let mut register = Register::default();
        let sighting = Sighting { run: run.clone(), new: vec![facts.clone()], changed: vec![], again: vec![], gone: vec![] };
        register.sight(run.as_of, &sighting).unwrap();
        let decision = format!(
            r#"{{"id":"{}","facts":"{}","step":{{"step":"resolve","action":"{old}","reviewer":null}},"reason":"x","by":"Siti","owner":null,"comment":null}}"#,
            facts.id,
            facts.fingerprint()
        );
        register.decide(run.as_of, &serde_json::from_str(&decision).unwrap()).unwrap();
        let made = &register.decisions()[0];
        assert_eq!(
            (made.action.name(), made.account, made.item.key_text()),
            (posted, Some(crate::books::Account::Suspense), facts.id.clone())
        );
    }
}

mod stories {
    use std::collections::{BTreeMap, BTreeSet};

    use jiff::Timestamp;
    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::*;
    use crate::domain::calendar::wib_date;

    /// One thing that is tried; what the rules refuse is left out.
    #[derive(Clone, Debug)]
    enum Try {
        /// A run of month `0..3` finds these items, each with one of three amounts.
        Run {
            month: usize,
            found: Vec<(u8, i64)>,
        },
        Decide {
            item: u8,
            step: DecisionStep,
            by: u8,
        },
    }

    fn tries() -> impl Strategy<Value = Vec<Try>> {
        let run = (0..3_usize, vec((0..5_u8, 1..4_i64), 0..5)).prop_map(|(month, found)| Try::Run { month, found });
        let action = prop::sample::select(DecidedAction::all().collect::<Vec<_>>());
        let step = prop_oneof![
            action.clone().prop_map(|action| DecisionStep::Resolve { action, reviewer: None, details: DecisionDetails::default() }),
            action.prop_map(|action| DecisionStep::Propose { action, details: DecisionDetails::default() }),
            Just(DecisionStep::Approve),
            Just(DecisionStep::Reopen),
            Just(DecisionStep::Note),
        ];
        let decide = (0..5_u8, step, 0..3_u8).prop_map(|(item, step, by)| Try::Decide { item, step, by });
        vec(prop_oneof![run, decide.clone(), decide], 1..40)
    }

    /// Items 0 to 2 are payments, 3 an under-paid bill, 4 a second payment.
    fn facts(item: u8, amount: i64) -> DiscrepancyFacts {
        let class = ["P01", "P04", "P02", "L11", "P06"][usize::from(item)];
        let (expected, paid) = match class {
            "L11" => (10_000, 10_000 - amount),
            "P04" => (10_000, 10_000 + amount),
            _ => (0, amount),
        };
        DiscrepancyFacts {
            id: format!("{item:024}"),
            class: class.into(),
            nature: "BREAK".into(),
            severity: "high".into(),
            flags: vec![],
            invoice_number: format!("INV-{item}"),
            payment_code: "0012".into(),
            channel: None,
            expected: Some(expected),
            paid: Some(paid),
            paid_at: (class != "L11").then(|| "2026-10-15T05:00:00Z".parse().unwrap()),
            reason: "why".into(),
            cause: crate::domain::reason::Reason::Nothing,
            recommended: "act".into(),
            evidence: vec![],
            times: 1,
            books: None,
        }
    }

    fn at(second: usize) -> Timestamp {
        Timestamp::from_second(1_793_000_000 + i64::try_from(second).unwrap() * 86_400).unwrap()
    }

    fn run(number: usize, month: usize) -> ReconcileRun {
        let (from, to) = [("2026-10-01", "2026-10-31"), ("2026-11-01", "2026-11-30"), ("2026-10-01", "2026-12-31")][month];
        ReconcileRun { run_id: format!("run-{number}"), from: from.parse().unwrap(), to: to.parse().unwrap(), as_of: at(number) }
    }

    enum Told {
        Seen(Sighting),
        Decided(Decision),
    }

    /// What of the tries came to be, in order, and the register after it.
    fn lived(tries: &[Try]) -> (Vec<(Timestamp, Told)>, Register) {
        let (mut told, mut register) = (Vec::new(), Register::default());
        for (number, tried) in tries.iter().enumerate() {
            match tried {
                Try::Run { month, found } => {
                    let unique: BTreeMap<u8, i64> = found.iter().copied().collect();
                    let found = unique.into_iter().map(|(item, amount)| facts(item, amount)).collect();
                    let sighting = look(&register, &run(number, *month), found, &[], &BTreeSet::new());
                    register.sight(at(number), &sighting).unwrap();
                    told.push((at(number), Told::Seen(sighting)));
                }
                Try::Decide { item, step, by } => {
                    let id = format!("{item:024}");
                    let Some(known) = register.get(&id) else { continue };
                    let decision = Decision {
                        facts: known.facts.fingerprint(),
                        id,
                        step: step.clone(),
                        reason: "because".into(),
                        by: format!("person {by}"),
                        owner: None,
                        comment: None,
                        person: String::new(),
                    };
                    let before = register.clone();
                    match register.decide(at(number), &decision) {
                        Ok(_) => told.push((at(number), Told::Decided(decision))),
                        Err(_) => assert_eq!(register, before, "a refusal changes nothing"),
                    }
                }
            }
        }
        (told, register)
    }

    proptest! {
        #[test]
        fn a_register_folded_again_is_the_one_that_lived(tries in tries(), cut in 0..40_usize) {
            let (told, lived) = lived(&tries);
            let mut register = Register::default();
            let (head, tail) = told.split_at(cut.min(told.len()));
            for part in [head, tail] {
                // A reader that stops between two lines and goes on later sees the same.
                register = register.clone();
                for (at, happened) in part {
                    match happened {
                        Told::Seen(sighting) => { register.sight(*at, sighting).unwrap(); }
                        Told::Decided(decision) => { register.decide(*at, decision).unwrap(); }
                    }
                }
            }
            prop_assert_eq!(register, lived);
        }

        /// Recorders' clocks differ; the lines of a journal have one order.
        #[test]
        fn the_books_go_by_the_order_of_the_journal_and_by_each_clocks_day(tries in tries(), clocks in vec(0..40_usize, 40)) {
            let (told, lived) = lived(&tries);
            let mut register = Register::default();
            for ((_, happened), clock) in told.iter().zip(&clocks) {
                match happened {
                    Told::Seen(sighting) => { register.sight(at(*clock), sighting).unwrap(); }
                    Told::Decided(decision) => { register.decide(at(*clock), decision).unwrap(); }
                }
            }
            let (made, expected) = (register.decisions(), lived.decisions());
            let ids = |made: &[crate::books::BooksDecision]| made.iter().map(|made| made.id).collect::<Vec<_>>();
            prop_assert_eq!(ids(made), ids(expected));
            for pair in made.windows(2) {
                let is_of_its_clock = clocks.iter().any(|clock| at(*clock) == pair[1].made_at);
                prop_assert!(pair[0].made_at < pair[1].made_at || is_of_its_clock && pair[0].made_at == pair[1].made_at);
            }
            for made in made {
                prop_assert!(clocks.iter().any(|clock| wib_date(at(*clock)) == made.effective_on));
            }
        }

        #[test]
        fn looking_twice_with_the_same_findings_changes_nothing_more(tries in tries(), found in vec((0..5_u8, 1..4_i64), 0..5)) {
            let (_, mut register) = lived(&tries);
            let unique: BTreeMap<u8, i64> = found.into_iter().collect();
            let found: Vec<DiscrepancyFacts> = unique.into_iter().map(|(item, amount)| facts(item, amount)).collect();
            let first = look(&register, &run(100, 2), found.clone(), &[], &BTreeSet::new());
            register.sight(at(100), &first).unwrap();
            let second = look(&register, &run(100, 2), found.clone(), &[], &BTreeSet::new());
            prop_assert!(second.new.is_empty() && second.changed.is_empty() && second.gone.is_empty(), "{:?}", second);
            let ids: BTreeSet<&String> = second.again.iter().collect();
            prop_assert_eq!(ids, found.iter().map(|facts| &facts.id).collect());
        }

        /// However its item stands, and however many there are of it: the latest first, each once.
        #[test]
        fn every_decision_in_force_can_be_taken_back_and_nothing_else(tries in tries()) {
            let (_, mut register) = lived(&tries);
            let ids: Vec<String> = register.items().map(|(id, _)| id.clone()).collect();
            for id in ids {
                loop {
                    let item = register.get(&id).unwrap();
                    let (facts, expected) = (item.facts.fingerprint(), item.taken_back().map(|fell| fell.posted_as));
                    let (step, by) = (DecisionStep::Reopen, "person 9".to_owned());
                    let decision =
                        Decision { id: id.clone(), facts, step, reason: "because".into(), by, owner: None, comment: None, person: String::new() };
                    let before = register.decisions().len();
                    let decided = register.decide(at(200), &decision);
                    let fell = register.decisions()[before..].iter().map(|made| (made.action, made.item)).collect::<Vec<_>>();
                    prop_assert_eq!(decided.is_ok(), expected.is_some());
                    let Some(expected) = expected else { break };
                    prop_assert_eq!(fell, expected.map(|of| (crate::books::Action::Reopen, of)).into_iter().collect::<Vec<_>>());
                }
            }
            let reopened = |made: &&crate::books::BooksDecision| made.action == crate::books::Action::Reopen;
            let fell: Vec<_> = register.decisions().iter().filter(reopened).map(|made| made.item).collect();
            let made: BTreeSet<_> = register.decisions().iter().filter(|made| !reopened(made)).map(|made| made.id).collect();
            prop_assert_eq!(fell.len(), made.len(), "each once");
            prop_assert_eq!(fell.into_iter().collect::<BTreeSet<_>>(), made);
        }

        #[test]
        fn a_decision_stands_exactly_while_its_facts_do(tries in tries()) {
            let (_, register) = lived(&tries);
            for (_, item) in register.items() {
                prop_assert_eq!(item.status == ItemStatus::Accepted, item.resolution.is_some() && item.status != ItemStatus::Cleared);
                prop_assert_eq!(item.status == ItemStatus::Proposed, item.proposal.is_some() && item.status != ItemStatus::Cleared);
                if let Some(made) = &item.resolution {
                    prop_assert!(made.reviewed_by.as_ref().is_none_or(|reviewer| !is_same_person(reviewer, &made.decided_by)));
                }
            }
        }
    }
}
