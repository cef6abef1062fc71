//! `cluster-ledger URL OPERATIONS EVENTS` issues so many bills through the store of several hosts, `EVENTS` events a commit: planned,
//! begun, accepted. `cluster-bare URL EVENTS` puts the rows of that ledger into empty tables of the same kind by a bare loop, in
//! transactions of as many events, under the same lock of the chain's end. Both print their seconds.

use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tagih::domain::amount::Amount;
use tagih::domain::bill::{Expiry, Policy, RecordedTerms};
use tagih::domain::channel::{Channel, IssuanceMethod};
use tagih::domain::digest;
use tagih::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use tagih::domain::lifecycle::{CodeAnswer, Event, OperationKind};
use tagih::ledger::{Basis, Binding, Create, Ledger as _, NewEvent, PostgresLedger, PostgresServer, Private, Seals, ServerAccess};
use tagih::random::MachineRandomness;
use tokio::runtime::{Builder, Runtime};
use tokio_postgres::{Client, NoTls};

/// The schema of the bare loop.
const TABLES: &str = include_str!("../../src/ledger/schema/postgres/0001_first.sql");

/// Events of one operation.
const STEPS: [fn(u64) -> (Event, Private); 3] = [planned, begun, accepted];

fn terms(bill: u64) -> RecordedTerms {
    RecordedTerms {
        channel: Channel::Alfa,
        method: IssuanceMethod::Doku,
        payment_code: None,
        amount: Amount::new(50_000 + bill % 2_000 * 500).unwrap(),
        expiry: Expiry::Minutes(10_080),
        reusable: false,
        name_digest: "000000000000000000000000".into(),
        email_digest: String::new(),
        account_name_digest: String::new(),
        info: Some("Premi Kendaraan Bermotor".into()),
        receipt_description: None,
        receipt_footer: Some("Layanan nasabah 021 555 0100".into()),
        policy: Policy::default(),
        bill_group: None,
        additional: None,
    }
}

fn number(bill: u64) -> InvoiceNumber {
    InvoiceNumber::new(format!("CLUSTER-{bill:09}")).unwrap()
}

fn planned(bill: u64) -> (Event, Private) {
    (Event::Planned { terms: terms(bill) }, Private::default())
}

fn begun(bill: u64) -> (Event, Private) {
    let body = format!(r#"{{"order":{{"invoice_number":"CLUSTER-{bill:09}"}},"filler":"{:0300}"}}"#, 0).into_bytes();
    let (operation, body_digest) = (OperationKind::Issue, digest::hex(&digest::of_bytes(&body)));
    let request_id = RequestId::from_digest(&digest::of_bytes(&body));
    let event = Event::Intended { operation, terms: terms(bill), request_id, wire_invoice_number: number(bill), body_digest };
    (event, Private { body: Some((request_id, body)), customer: None })
}

fn accepted(bill: u64) -> (Event, Private) {
    let payment_code = PaymentCode::new(format!("88{bill:014}")).unwrap();
    let expires_at = Some("2099-01-01T00:00:00Z".parse().unwrap());
    let answer = CodeAnswer { payment_code, created_at: None, expires_at, how_to_pay_page: None, how_to_pay_api: None };
    (Event::Accepted { answer, replayed: false, amount: None, remark: None }, Private::default())
}

fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

/// See the module.
pub fn ledger(url: &str, operations: u64, events: u64) {
    let access = ServerAccess {
        password: None,
        ca_file: None,
        patience: Duration::from_secs(20),
        lease: Duration::from_secs(30),
        seals: &Seals::UNKEYED,
    };
    let server = PostgresServer::new(url, &access, Arc::new(MachineRandomness)).unwrap();
    let binding = Binding { environment: "sandbox".into(), client_id: "BENCH".into(), seals: Seals::UNKEYED };
    let ledger = PostgresLedger::open(server, &binding, Create::IfMissing).unwrap();
    ledger.lease("bench", tagih::domain::share::RateShare { per_1000_seconds: 1_000_000, burst: 8 }).unwrap();
    let began = Instant::now();
    for from in (0..operations).step_by(usize::try_from(events).unwrap()) {
        for step in STEPS {
            let entry = |bill| {
                let (event, private) = step(bill);
                NewEvent { invoice_number: number(bill), at: Timestamp::now(), event, basis: Basis::Any, private }
            };
            let entries = (from..operations.min(from + events)).map(entry).collect();
            runtime().block_on(ledger.record(entries)).unwrap();
        }
    }
    println!("{:.3}", began.elapsed().as_secs_f64());
}

/// Rows of one table in a transaction, as texts.
struct Part {
    table: &'static str,
    rows: Vec<String>,
}

/// Rows of a table from one place to another of its key.
async fn part(client: &Client, table: &'static str, key: &str, from: i64, to: i64) -> Part {
    let sql = format!("SELECT given::text FROM tagih.{table} AS given WHERE {key} > $1 AND {key} <= $2 ORDER BY {key}");
    let rows = client.query(&sql, &[&from, &to]).await.unwrap();
    Part { table, rows: rows.iter().map(|row| row.get(0)).collect() }
}

async fn copied(url: &str, events: i64) -> Duration {
    let (client, connection) = tokio_postgres::connect(url, NoTls).await.unwrap();
    drop(tokio::spawn(connection));
    client
        .batch_execute(&format!("DROP SCHEMA IF EXISTS bare CASCADE; CREATE SCHEMA bare; SET search_path = bare; {TABLES}"))
        .await
        .unwrap();
    client.batch_execute("INSERT INTO head (sequence, hash, bill, terms, lease) SELECT 0, hash, 0, 0, 0 FROM tagih.head").await.unwrap();
    let last: i64 = client.query_one("SELECT sequence FROM tagih.head", &[]).await.unwrap().get(0);
    // What is written once a bill goes with the first of its three events, and the row of a bill with each of them.
    let bills: i64 = client.query_one("SELECT bill FROM tagih.head", &[]).await.unwrap().get(0);
    let mut parts = Vec::new();
    for (from, bill) in (0..last).step_by(usize::try_from(events).unwrap()).zip((0..).map(|commit| commit / 3 * events)) {
        let (first, to) = (bill, (bill + events).min(bills));
        let step = from / events % 3;
        let mut of_commit =
            vec![part(&client, "events", "sequence", from, from + events).await, part(&client, "bills", "id", first, to).await];
        if step == 1 {
            of_commit.push(part(&client, "bodies", "bill", first, to).await);
        }
        if step == 2 {
            of_commit.push(part(&client, "names", "bill", first, to).await);
        }
        parts.push((step, of_commit));
    }
    let began = Instant::now();
    for (step, of_commit) in parts {
        client.batch_execute("BEGIN").await.unwrap();
        client.query("SELECT sequence FROM head FOR UPDATE", &[]).await.unwrap();
        for Part { table, rows } in of_commit {
            let given = format!("SELECT (given).* FROM (SELECT UNNEST($1::text[]::tagih.{table}[]) AS given OFFSET 0) AS rows");
            let sql = if table == "bills" && step > 0 {
                "UPDATE bills SET status = given.status, generation = given.generation, code = given.code, code_is_live = given.code_is_live, \
                 open = given.open, last_event = given.last_event, seal = given.seal, ends_at = given.ends_at, may_tell = given.may_tell \
                 FROM (".to_owned() + &given + ") AS given WHERE bills.id = given.id"
            } else {
                format!("INSERT INTO {table} {given}")
            };
            let statement = client.prepare(&sql).await.unwrap();
            client.execute(&statement, &[&rows]).await.unwrap();
        }
        client.execute("UPDATE head SET sequence = sequence + $1", &[&events]).await.unwrap();
        client.batch_execute("COMMIT").await.unwrap();
    }
    began.elapsed()
}

/// See the module.
pub fn bare(url: &str, events: i64) {
    println!("{:.3}", runtime().block_on(copied(url, events)).as_secs_f64());
}
