//! Somebody with the ledger's file, and an old copy of it: what was put back or removed is answered by no command (docs/security.md).

use std::fs;

use rusqlite::Connection;
use serde_json::Value;

use super::shop::*;

/// What is done to the file, and the bill that is asked about then. `old` is a copy from before bill 1 was amended and bill 2 was paid.
const ATTACKS: [(&str, usize, &str); 6] = [
    ("a bill as it was before its amendment", 1, "DELETE FROM bills WHERE id = 1; INSERT INTO bills SELECT * FROM old.bills WHERE id = 1"),
    (
        "a bill as it was before its amendment, without the events since",
        1,
        "DELETE FROM bills WHERE id = 1; INSERT INTO bills SELECT * FROM old.bills WHERE id = 1; \
         DELETE FROM events WHERE kind = 'bill' AND sequence > (SELECT MAX(sequence) FROM old.events)",
    ),
    (
        "a payment is gone with what it paid",
        2,
        "DELETE FROM payments; DELETE FROM bills WHERE id = 2; INSERT INTO bills SELECT * FROM old.bills WHERE id = 2",
    ),
    ("a bill is gone with all its events", 3, "DELETE FROM bills WHERE id = 3; DELETE FROM events WHERE invoice_number = 'N-00003'"),
    ("the end of the chain is cut off", 4, "DELETE FROM events WHERE sequence > (SELECT MAX(sequence) FROM old.events)"),
    (
        "two bills have each other's seals",
        1,
        "CREATE TEMP TABLE two AS SELECT id, seal FROM bills; \
         UPDATE bills SET seal = (SELECT seal FROM two WHERE two.id = 3 - bills.id) WHERE id IN (1, 2)",
    ),
];

/// Behind triggers and constraints, which are back afterwards.
fn attack(shop: &Shop, sql: &str) {
    let connection = Connection::open(shop.world.path("tagih.ledger")).unwrap();
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'trigger'").unwrap();
    let triggers: Vec<(String, String)> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    let drops = triggers.iter().map(|(name, _)| format!("DROP TRIGGER {name};")).collect::<Vec<_>>().concat();
    let makes = triggers.iter().map(|(_, text)| format!("{text};")).collect::<Vec<_>>().concat();
    let attach = format!("ATTACH '{}' AS old", shop.world.path("old.ledger").display());
    connection.execute_batch(&format!("PRAGMA foreign_keys = OFF; {attach}; {drops} {sql}; {makes}")).unwrap();
}

#[test]
fn what_an_insider_put_back_or_removed_is_answered_by_no_command() {
    let mut shop = Shop::new("");
    shop.many(4);
    shop.world.run(&["ledger", "backup", "old.ledger"]).expect(0);
    let amended = format!("invoice_number,payment_code,channel,amount,method\nN-00001,{},alfa,99999,inquiry\n", code_of(1));
    shop.world.file("amended.csv", amended);
    shop.world.run(&["ledger", "import", "amended.csv", "--update"]).expect(0);
    shop.pay(&[tagih::domain::payment::Payment {
        identity: [1; 32],
        canonical: [1; 32],
        invoice_number: invoice("N-00002"),
        payment_code: answer(&code_of(2)).payment_code,
        channel: tagih::domain::channel::Channel::Alfa,
        amount: tagih::domain::amount::Amount::new(10_002).unwrap(),
        paid_at: jiff::Timestamp::now(),
        received_at: None,
        line_digest: [1; 32],
    }]);
    let rows = (1..=4).map(|n| format!("N-{n:05},{},Budi,alfa,inquiry,{},43200\n", if n == 1 { 99_999 } else { 10_000 + n }, code_of(n)));
    let head = "invoice_number,amount,customer_name,channel,method,payment_code,expiry_minutes\n";
    shop.world.file("bills.csv", format!("{head}{}", rows.collect::<String>()));
    shop.world.file("none.jsonl", "");
    let period = jiff::Timestamp::now().to_string();
    let reconcile = ["reconcile", "--period", &period[..7], "--notifications", "none.jsonl", "--out", "report"];
    let sound = fs::read(shop.world.path("tagih.ledger")).unwrap();
    let status = shop.world.run(&["status"]).expect(0).stdout.clone();
    for (at, (what, bill, sql)) in ATTACKS.into_iter().enumerate() {
        fs::write(shop.world.path("tagih.ledger"), &sound).unwrap();
        shop.open();
        let asked = |id: &str| shop.send(&Message::inquiry(&format!("{id}-{at}"), &code_of(bill)));
        assert_eq!(asked("before").status, if bill == 2 { 400 } else { 200 }, "{what}: it is to be paid, but for bill 2, which is");
        attack(&shop, sql);
        let after = asked("after");
        // Refused as what cannot be looked up, and not as a code that nobody has.
        let why = shop.lines("inquiries").last().map(Value::to_string).unwrap_or_default();
        assert!(after.status != 200 && why.contains("books unreadable"), "{what}: an inquiry is answered: {after:?}: {why}");
        shop.kill();
        for command in [&["issue", "bills.csv", "--dry-run"][..], &reconcile, &["ledger", "verify"]] {
            let ran = shop.world.run(command);
            assert_eq!(ran.code, 8, "{what}: {ran:?}");
        }
        let told = shop.world.run(&["status"]);
        assert!(told.code == 8 || told.stdout == status, "{what}: {told:?}");
        for beside in ["tagih.ledger-wal", "tagih.ledger-shm"] {
            drop(fs::remove_file(shop.world.path(beside)));
        }
    }
}

#[test]
fn a_bill_that_is_hidden_from_an_index_is_not_billed_again() {
    let shop = Shop::new("");
    shop.many(3);
    let connection = Connection::open(shop.world.path("tagih.ledger")).unwrap();
    // To the file an index is a table of its keys and the numbers of its rows.
    let lookalike = "CREATE TABLE lookalike (key, row, PRIMARY KEY (key, row)) WITHOUT ROWID; PRAGMA writable_schema = ON";
    connection.execute_batch(lookalike).unwrap();
    let root = |name: &str| -> i64 {
        connection.query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0)).unwrap()
    };
    let own = root("lookalike");
    for (index, key) in [("sqlite_autoindex_bills_1", "N-00002".to_owned()), ("bills_one_a_live_code", code_of(2))] {
        let point = |page: i64| {
            let sql = format!("PRAGMA writable_schema = ON; UPDATE sqlite_schema SET rootpage = {page} WHERE name = 'lookalike'");
            Connection::open(shop.world.path("tagih.ledger")).unwrap().execute_batch(&sql).unwrap();
        };
        point(root(index));
        let open = Connection::open(shop.world.path("tagih.ledger")).unwrap();
        assert_eq!(open.execute("DELETE FROM lookalike WHERE key = ?1", [key]).unwrap(), 1);
        point(own);
    }
    drop(connection);
    Connection::open(shop.world.path("tagih.ledger")).unwrap().execute_batch("DROP TABLE lookalike").unwrap();
    let head = "invoice_number,amount,customer_name,channel,method,payment_code,expiry_minutes\n";
    shop.world.file("bills.csv", format!("{head}N-00002,10002,Budi,alfa,inquiry,{},43200\n", code_of(2)));
    shop.world.file("none.jsonl", "");
    let period = jiff::Timestamp::now().to_string();
    let reconcile = ["reconcile", "--period", &period[..7], "--notifications", "none.jsonl", "--out", "report"];
    for command in [&["issue", "bills.csv"][..], &["issue", "bills.csv", "--dry-run"], &reconcile, &["ledger", "verify"]] {
        let ran = shop.world.run(command);
        assert_eq!(ran.code, 8, "{ran:?}");
    }
}
