//! A month that is opened from its folder, part by part, is opened as it would be from memory.

use super::business::*;
use crate::books::brief::Brief;
use crate::books::carry::{self, Carry, CarryFolder, CarryPage, HeadContent};
use crate::books::fact::{Facts, Payee, RowKind};
use crate::books::item::{BooksSubject, ItemId};
use crate::books::known::Known;
use crate::books::parts::{Link, Part, Parts, Shares};
use crate::columns::vouched::Vouched;
use crate::domain::digest;

/// More than a group of a table holds, so that parts begin and end anywhere in one.
const BILLS: usize = 20_000;

/// A month in which most have a bill and a third a payment; some rows settle one, some payments nobody knows.
fn august() -> Known {
    let name = |number: usize| format!("B{number}");
    let bills: Vec<_> = (0..BILLS).map(|number| bill(&name(number), day(8, 3), 50_000)).collect();
    let (mut payments, mut rows) = (Vec::new(), Vec::new());
    for number in (0..BILLS).step_by(3) {
        let paid = format!("p{number}");
        payments.push(if number % 50 == 0 {
            payment(&paid, day(8, 9), 50_000, Payee::Nobody)
        } else {
            pays(&paid, day(8, 9), 50_000, &name(number))
        });
        payments.last_mut().unwrap().aliases = vec![ItemId::of(BooksSubject::Payment, &[b"also", paid.as_bytes()])];
        if number % 2 == 0 {
            rows.push(row(&paid, "BATCH", day(8, 12), 50_000, settles(&paid)));
        }
        if number % 40 == 0 {
            rows.push(row(&format!("again {paid}"), "BATCH", day(8, 12), 50_000, settles(&paid)));
        }
    }
    rows.push(row("unclaimed", "BATCH", day(8, 12), 7_000, RowKind::Unclaimed(crate::domain::channel::Channel::Alfa)));
    Business::default().close(8, &facts(&bills, &payments, &rows)).known
}

/// The parts where these bills are posted together with everything else, and so many others are told of.
fn parts_beside(brief: &Brief, together: impl Iterator<Item = usize>, others: usize) -> Parts {
    let others = (0..others).map(|number| format!("other {number}"));
    let links = others.map(|number| Link::Bill(ItemId::bill(&number), ItemId::debt_of(&number)));
    Parts::of(brief, &[], together.map(|number| ItemId::debt_of(&format!("B{number}"))), links)
}

fn parts(brief: &Brief, together: impl Iterator<Item = usize>) -> Parts {
    parts_beside(brief, together, 0)
}

fn shares(known: &Known, parts: &Parts, brief: &Brief) -> Shares {
    let mut shares = Shares::default();
    shares.add(known.clone(), parts, brief);
    shares
}

fn write(folder: &std::path::Path, known: &Known, pages: &[Known]) {
    let settings = crate::books::BooksSettings::default();
    let about = HeadContent {
        period: month(8),
        settings: &settings,
        previous: None,
        ledger: String::new(),
        journal: String::new(),
        exported: String::new(),
    };
    let mut carry = Carry::begin(|name| std::fs::File::create(folder.join(name))).unwrap();
    for page in pages {
        carry.put(CarryPage::of(page).unwrap()).unwrap();
    }
    let head = carry.finish(known.began_on, about).unwrap();
    std::fs::write(folder.join(carry::HEAD), head.text().unwrap()).unwrap();
}

fn open(folder: &std::path::Path, listen: impl FnMut(&Known)) -> CarryFolder {
    let vouched = |name: &str| {
        let path = folder.join(name);
        Vouched::open(&path, &digest::hex(&digest::of_bytes(&std::fs::read(&path)?)))
    };
    CarryFolder::open(folder, vouched, listen).unwrap()
}

/// `pages` are how the month before was written; this one posts other debts together, whatever that one did.
fn is_opened_as_from_memory(known: &Known, pages: &[Known]) {
    let place = tempfile::tempdir().unwrap();
    write(place.path(), known, pages);
    let mut heard = Known { began_on: known.began_on, ..Known::default() };
    let folder = open(place.path(), |some| heard.join(some.clone()));
    assert_eq!((&heard.bills, &heard.debts, &heard.payments), (&known.bills, &known.debts, &known.payments));
    assert_eq!((&heard.rows, &heard.balances), (&known.rows, &known.balances));
    assert_eq!(folder.whole().unwrap(), *known);
    let brief = folder.brief();
    assert_eq!(brief.open_debts().count(), known.debts.values().filter(|debt| debt.open().get() > 0).count());
    assert_eq!(brief.unclaimed_rows().collect::<Vec<_>>(), known.unclaimed_rows().collect::<Vec<_>>());
    for others in [0, 300_000] {
        let parts = parts_beside(brief, (0..BILLS).step_by(70), others);
        let mut wanted = shares(known, &parts, &Brief::of(known));
        let mut reader = folder.reader(&parts).unwrap();
        let all: Vec<Part> = parts.apart().chain([Part::Together]).collect();
        for some in all.chunks(4) {
            for (part, found) in some.iter().zip(reader.take(some).unwrap()) {
                assert_eq!(found, wanted.take(*part), "{part:?}");
            }
        }
    }
}

#[test]
fn a_month_is_opened_from_its_folder_as_from_memory_however_the_month_before_was_written() {
    let known = august();
    let brief = Brief::of(&known);
    let parts = parts(&brief, (0..BILLS).step_by(90));
    let mut posted = shares(&known, &parts, &brief);
    let in_parts: Vec<Known> = parts.apart().chain([Part::Together]).filter_map(|part| posted.take(part)).collect();
    is_opened_as_from_memory(&known, &in_parts);
    // As before there were parts.
    is_opened_as_from_memory(&known, std::slice::from_ref(&known));
}

#[test]
fn there_are_as_many_parts_as_bills_need_and_whatever_begins_with_a_byte_stands_in_one_stretch_of_them() {
    for (bills, count) in [(0, 256), (65_536, 256), (65_537, 512), (300_000, 2_048)] {
        let parts = parts_beside(&Brief::default(), 0..0, bills);
        let all: Vec<Part> = parts.apart().collect();
        assert_eq!(all.len(), count, "{bills} bills");
        let bytes: Vec<Option<u8>> = all.iter().map(|part| parts.byte(*part)).collect();
        assert!(bytes.is_sorted() && (bytes[0], bytes[count - 1]) == (Some(0), Some(255)));
        for number in 0..2_000 {
            let debt = ItemId::debt_of(&number.to_string());
            let part = parts.debt(debt);
            assert!(all.contains(&part));
            assert_eq!(parts.byte(part), Some(debt.key()[0]));
        }
    }
}

#[test]
fn a_folder_in_which_two_rows_are_about_one_thing_is_not_read() {
    let mut business = Business::default();
    let known = business.close(8, &Facts { bills: vec![bill("A", day(8, 3), 50_000)], ..Facts::default() }).known;
    let place = tempfile::tempdir().unwrap();
    let twice = Known { balances: std::collections::BTreeMap::new(), ..known.clone() };
    write(place.path(), &known, &[known.clone(), twice]);
    let folder = open(place.path(), |_| ());
    let parts = parts(folder.brief(), 0..0);
    let mut reader = folder.reader(&parts).unwrap();
    let all: Vec<Part> = parts.apart().chain([Part::Together]).collect();
    let refused = reader.take(&all).unwrap_err().to_string();
    assert!(refused.contains("two rows of a table are about one thing"), "{refused}");
}
