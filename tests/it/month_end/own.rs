//! What only our own ledger can know, planted and found: doubts, terms DOKU changed, payments told by Check Status alone.

use tagih::domain::amount::Amount;
use tagih::domain::channel::Channel;
use tagih::domain::check_status::{FoundPayment, StatusDetails, Word};
use tagih::domain::digest;
use tagih::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use tagih::domain::lifecycle::{Event, OperationKind};
use tagih::domain::payment;

use crate::month_end::period::{Books, at, code, terms};
use crate::reconcile::ours::{line, summary};
use crate::support::bills;

/// Check Status said on `when` that the bill was paid on `paid`.
fn told(books: &Books, invoice: &str, amount: u64, paid: &str, when: &str) {
    let (payment_code, order) = (PaymentCode::new(code(invoice)).unwrap(), InvoiceNumber::new(invoice).unwrap());
    let identity = payment::identity_by_date(Channel::Alfa, payment_code.as_str(), invoice, at(paid));
    let request_id = RequestId::from_digest(&digest::of_bytes(format!("status {invoice}").as_bytes()));
    let payment = FoundPayment {
        identity,
        canonical: None,
        invoice_number: order.clone(),
        payment_code,
        channel: Channel::Alfa,
        amount: Amount::new(amount).unwrap(),
        paid_at: at(paid),
        request_id,
        answer_digest: digest::of_bytes(invoice.as_bytes()),
    };
    books.tell(
        when,
        invoice,
        Event::Checked { order, word: Word::Success, chosen: false, payment: Some(payment), details: StatusDetails::default() },
    );
}

fn met(books: &Books, section: &str) -> Vec<(String, u64, u64)> {
    let summary = summary(&books.world.path("2026-10"));
    assert!(summary["identities"].as_array().unwrap().iter().all(|identity| identity["holds"] == true), "{summary}");
    let classes = summary[section].as_object().unwrap().iter();
    let figures = classes.map(|(class, tally)| (class.clone(), tally["count"].as_u64().unwrap(), tally["amount"].as_u64().unwrap()));
    figures.filter(|(_, count, _)| *count > 0).collect()
}

#[test]
fn doubts_changed_terms_and_payments_told_by_status_alone_are_found_exactly() {
    let books = Books::new("");
    // A-1 matched, B-2 open, C-3 planned only, D-4 in doubt, E-5 with another expiry than asked for.
    books.issue("A-1", 100_000, "2026-10-01", "2026-10-20");
    books.issue("B-2", 200_000, "2026-10-01", "2026-12-30");
    books.tell("2026-10-01", "C-3", Event::Planned { terms: terms(300_000, "2026-12-30", "Motor") });
    let wanted = terms(400_000, "2026-12-30", "Motor");
    books.tell("2026-10-01", "D-4", Event::Planned { terms: wanted.clone() });
    books.tell("2026-10-01", "D-4", bills::intended(OperationKind::Issue, &wanted, "D-4", "D-4"));
    books.tell("2026-10-01", "D-4", Event::Doubted { reason: "timeout".to_owned(), answered: false, refusal: None });
    let asked = terms(500_000, "2026-12-30", "Motor");
    books.tell("2026-10-01", "E-5", Event::Planned { terms: asked.clone() });
    books.operate(OperationKind::Issue, "2026-10-01", "E-5", &asked, "2026-10-01", "2026-12-29");
    // Told by Check Status alone: F-6 long ago, G-7 just now; H-8 is notified too.
    for (invoice, amount) in [("F-6", 600_000), ("G-7", 700_000), ("H-8", 800_000)] {
        books.issue(invoice, amount, "2026-10-01", "2026-10-10");
    }
    told(&books, "F-6", 600_000, "2026-10-05", "2026-10-12");
    told(&books, "G-7", 700_000, "2026-10-06", "2026-10-31");
    told(&books, "H-8", 800_000, "2026-10-07", "2026-10-12");
    let notified = |invoice: &str, amount, date: &str| line(invoice, &code(invoice), amount, &format!("{date}T05:00:00Z"), invoice);
    books.log("october.jsonl", &[notified("A-1", 100_000, "2026-10-04"), notified("H-8", 800_000, "2026-10-07")]);
    books.reconcile("2026-10", "october.jsonl", "2026-11-01", &[]);

    let figures = |classes: &[(&str, u64, u64)]| -> Vec<(String, u64, u64)> {
        classes.iter().map(|(class, count, amount)| ((*class).to_owned(), *count, *amount)).collect()
    };
    assert_eq!(met(&books, "payments"), figures(&[("P00", 2, 900_000), ("P19", 2, 1_300_000)]));
    let bills = [("L00", 4, 2_200_000), ("L01", 2, 700_000), ("L05", 1, 300_000), ("L06", 1, 400_000)];
    assert_eq!(met(&books, "bills"), figures(&bills));
    assert_eq!(met(&books, "flags"), figures(&[("L08", 1, 500_000)]));
    let rows = books.world.rows("2026-10/discrepancies.csv");
    let mut found: Vec<[&str; 3]> =
        rows.iter().map(|row| ["class", "invoice_number", "nature"].map(|column| row[column].as_str())).collect();
    found.sort_unstable();
    assert_eq!(found, [["L05", "C-3", "BREAK"], ["L06", "D-4", "BREAK"], ["P19", "F-6", "BREAK"]]);
    crate::support::audit::agrees(&books.world, "2026-10");
}
