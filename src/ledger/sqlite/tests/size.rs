//! What a bill costs on disk, with every index, its salt and its seal.

use super::*;
use crate::domain::bill::{Expiry, Policy, Terms};
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::ids::PaymentCode;

/// Whole rows of a portfolio: what issuing a bill records that DOKU is to ask about.
fn registered(bill: u64) -> NewEvent {
    let customer = Customer {
        name: Personal::new(format!("Nasabah {bill:08}")),
        email: Some(Personal::new(format!("nasabah{bill}@example.com"))),
        account_name: None,
    };
    let payment_code = PaymentCode::new(format!("8896500{bill:09}")).unwrap();
    let salt = crate::domain::bill::Salts::new([3; 32]).of(&number(&format!("INQ-2026-10-{bill:08}")), None);
    let terms = Terms {
        channel: Channel::Alfa,
        method: IssuanceMethod::Inquiry,
        payment_code: Some(payment_code),
        amount: crate::domain::amount::Amount::new(50_000 + bill % 2_000 * 500).unwrap(),
        expiry: Expiry::Minutes(43_200),
        reusable: false,
        customer: customer.clone(),
        info: Some("Premi Kesehatan Keluarga".into()),
        receipt_description: None,
        receipt_footer: Some("Layanan nasabah 021 555 0100".into()),
        policy: Policy { number: Some(format!("91{bill:08}")), ..Policy::default() },
        bill_group: None,
        additional: None,
    };
    let event = Event::Registered {
        operation: OperationKind::Issue,
        terms: terms.recorded(&salt),
        answer: answer(&format!("8896500{bill:09}"), Some(at(2_592_000))),
    };
    let private = Private { body: None, customer: Some((customer, salt)) };
    NewEvent { private, ..entry(&format!("INQ-2026-10-{bill:08}"), 0, event) }
}

/// `TAGIH_TEST_BILLS` of them, for whoever looks where the time goes.
#[test]
fn a_registered_bill_costs_at_most_1_1_kb_with_every_index() {
    let bills: u64 = std::env::var("TAGIH_TEST_BILLS").map_or(5_000, |count| count.parse().unwrap());
    let (folder, ledger) = new_sqlite();
    let (numbers, begun) = ((0..bills).collect::<Vec<u64>>(), std::time::Instant::now());
    for part in numbers.chunks(256) {
        wait(ledger.record(part.iter().map(|bill| registered(*bill)).collect())).unwrap();
    }
    let took = begun.elapsed();
    drop(ledger);
    let path = folder.path().join("ledger.db");
    let bytes = fs::metadata(&path).unwrap().len();
    let connection = Connection::open(&path).unwrap();
    let mut statement = connection.prepare("SELECT name, SUM(pgsize) FROM dbstat GROUP BY name ORDER BY 2 DESC").unwrap();
    let each = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, i64>(1)?))).unwrap();
    let each: Vec<String> =
        each.map(Result::unwrap).map(|(name, bytes)| format!("{name} {}", u64::try_from(bytes).unwrap() / bills)).collect();
    let shown = format!("{} bytes a bill in {took:?}: {}", bytes / bills, each.join(", "));
    let is_asked_for = std::env::var_os("TAGIH_TEST_BILLS").is_some();
    assert!(!is_asked_for && bytes / bills <= 1_126, "{shown}");
}
