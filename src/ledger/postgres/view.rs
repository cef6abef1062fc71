//! One consistent state of the database: a session with a repeatable-read transaction, lent from a small pool.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;

use jiff::Timestamp;
use tokio_postgres::Row;

use super::engine::Lent;
use super::read::{self, Parameter, listed};
use crate::domain::bill::Customer;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::mark::{Held, Mark};
use crate::domain::owner::{self, Paid};
use crate::domain::payment::Payment;
use crate::domain::sum::Sum;
use crate::ledger::chain::payment_event_at;
use crate::ledger::rules::{Span, microseconds};
use crate::ledger::sql::cells::{at, optional, required};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::{Export, LINKS, Link, PAYMENTS, payment_of};
use crate::ledger::sql::marks;
use crate::ledger::sql::rows::{FIRST, paid_at_column, row_of, select};
use crate::ledger::sql::totals::{TOTALS, Tally, sum_of};
use crate::ledger::{Happening, Head, Lapses, LedgerError, Names, Noted, Totals, View};

/// Bills of one question.
const BILLS_AT_ONCE: usize = 2_000;

/// A view of a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresView(Lent);

type Answer<T> = Result<T, LedgerError>;

impl PostgresView {
    pub(super) const fn new(lent: Lent) -> Self {
        Self(lent)
    }

    /// Faults get the ledger's name.
    async fn ask<T>(&self, question: impl Future<Output = Result<T, Fault>> + Send) -> Answer<T> {
        question.await.map_err(|fault| self.0.engine().server.place().error(fault))
    }

    async fn rows(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Fault> {
        self.0.session()?.query(sql, parameters).await
    }

    /// Visits bills of a clause that follows the tables.
    async fn visit(
        &self,
        clause: &str,
        parameters: &[Parameter<'_>],
        mut visit: impl FnMut(BillState) -> bool + Send,
    ) -> Result<(), Fault> {
        let one = |row: &Row| Ok(visit(row_of(row)?.state));
        self.0.session()?.visit(&select(clause), parameters, one).await
    }

    /// What the rows of these bills say, in the order of `numbers`.
    async fn each<T>(
        &self,
        numbers: &[&InvoiceNumber],
        read: impl Fn(&Row, &InvoiceNumber) -> Result<T, Fault> + Send,
    ) -> Result<Vec<Option<T>>, Fault> {
        let mut all = Vec::with_capacity(numbers.len());
        for part in numbers.chunks(BILLS_AT_ONCE) {
            let rows = self.rows(&select("WHERE bills.invoice_number = ANY($1)"), &[&listed(part.iter().copied())]).await?;
            let by_number = rows.iter().map(|row| Ok((required(row, FIRST)?, row))).collect::<Result<HashMap<_, _>, Fault>>()?;
            for number in part {
                all.push(by_number.get(number.as_str()).map(|row| read(row, number)).transpose()?);
            }
        }
        Ok(all)
    }

    /// The bills of a clause with how they are paid, by number.
    async fn noted(&self, clause: &str) -> Result<Vec<Noted>, Fault> {
        let clause = format!("WHERE {clause} ORDER BY bills.invoice_number");
        let found = read::bills(self.0.session()?, &clause, &[]).await?;
        Ok(found.into_iter().map(|row| (row.state, row.kept.paid)).collect())
    }

    /// Whether a number that no bill has is paid.
    async fn paid_by_nobody(&self, number: &InvoiceNumber) -> Result<Option<Paid>, Fault> {
        let session = self.0.session()?;
        let names = Names { numbers: [number.clone()].into(), ..Names::default() };
        let payments: Vec<Payment> = read::payments_about(session, &names).await?.into_iter().map(|(_, payment)| payment).collect();
        let candidates = read::bills_about(session, &Names::of_payments(&payments)).await?;
        let is_nobodys = |payment: &Payment| owner::owners(candidates.iter().map(|row| &row.state), payment.into()).is_empty();
        Ok(payments.iter().any(is_nobodys).then_some(Paid::ByItsCode))
    }

    /// As [`super::PostgresLedger::export`] has it.
    pub(super) async fn export(&self, out: &mut dyn Write) -> Answer<Head> {
        let mut export = Export::new(out);
        let one = |row: &Row| export.event(&Link::of(row)?).map(|()| true);
        let visited = async { self.0.session()?.visit(&format!("{LINKS} ORDER BY sequence"), &[], one).await };
        let written = visited.await.and_then(|()| export.finish());
        written.map_err(|fault| self.0.engine().server.place().error(fault))
    }

    /// The story of a bill, unsorted, each part with its event.
    async fn story(&self, number: &InvoiceNumber) -> Result<Vec<(u64, Timestamp, Happening)>, Fault> {
        let session = self.0.session()?;
        let mut story = Vec::new();
        let mut numbers = BTreeSet::from([number.clone()]);
        for row in read::bills(session, "WHERE bills.invoice_number = $1", &[&number.as_str()]).await? {
            read::visit_back(session, row.state.last_event, |link| {
                let event = link.event()?;
                if let Event::Intended { wire_invoice_number, .. } = &event {
                    numbers.insert(wire_invoice_number.clone());
                }
                story.push((link.sequence, link.timestamp()?, Happening::Event(Box::new(event))));
                Ok(true)
            })
            .await?;
        }
        for (sequence, payment) in read::payments(session, "WHERE invoice_number = ANY($1)", &[&listed(&numbers)]).await? {
            let at = Timestamp::from_microsecond(payment_event_at(&payment))
                .map_err(|_| Fault::Damaged(format!("event {sequence} is at no time")))?;
            story.push((sequence, at, Happening::Payment(payment)));
        }
        Ok(story)
    }

    async fn sum(&self, what: &str, parameters: &[Parameter<'_>]) -> Result<Sum, Fault> {
        let sql = format!(
            "SELECT COUNT(*), COALESCE(SUM(amount / 1000000), 0)::bigint, COALESCE(SUM(amount % 1000000), 0)::bigint FROM bills WHERE {what}"
        );
        let rows = self.rows(&sql, parameters).await?;
        rows.first().map_or_else(|| Err(Fault::Failed("a sum came to nothing".into())), sum_of)
    }
}

/// Where codes stand by text, so that those of a prefix are one stretch of an index.
const CODES: [&str; 4] = [
    "SELECT code AS found FROM bills WHERE code_is_live AND code >= $1 AND code < $2",
    "SELECT code AS found FROM bills WHERE NOT code_is_live AND code >= $1 AND code < $2",
    "SELECT name AS found FROM names WHERE kind = 'code' AND name >= $1 AND name < $2",
    "SELECT payment_code AS found FROM payments WHERE payment_code >= $1 AND payment_code < $2",
];

/// What follows the last of the codes that begin with `prefix`.
fn after_codes(prefix: &str) -> String {
    format!("{prefix}:")
}

fn code_of(row: &Row) -> Result<PaymentCode, Fault> {
    PaymentCode::new(required(row, 0)?).map_err(|_| Fault::Damaged("a payment code cannot be read".into()))
}

impl View for PostgresView {
    async fn head(&self) -> Answer<Head> {
        Ok(self.0.head)
    }

    async fn marks(&self, numbers: &[&InvoiceNumber]) -> Answer<Vec<Option<Mark>>> {
        self.ask(self.each(numbers, |row, _| marks::mark(row))).await
    }

    async fn held(&self, numbers: &[&InvoiceNumber]) -> Answer<Vec<Option<Held>>> {
        self.ask(self.each(numbers, marks::held)).await
    }

    async fn bills(&self, numbers: &[InvoiceNumber]) -> Answer<Vec<BillState>> {
        let numbers: Vec<&InvoiceNumber> = numbers.iter().collect();
        let found = self.ask(self.each(&numbers, |row, _| row_of(row))).await?;
        Ok(found.into_iter().flatten().map(|row| row.state).collect())
    }

    async fn bills_about(&self, names: &Names) -> Answer<Vec<BillState>> {
        let found = self.ask(async { read::bills_about(self.0.session()?, names).await }).await?;
        Ok(found.into_iter().map(|row| row.state).collect())
    }

    async fn bills_beginning(&self, prefix: &str) -> Answer<Vec<BillState>> {
        let clause = "WHERE bills.id IN (SELECT id FROM bills WHERE invoice_number >= $1 AND invoice_number < $2 \
                      UNION SELECT bill FROM names WHERE name >= $1 AND name < $2 AND kind = 'number') ORDER BY bills.invoice_number";
        let end = format!("{prefix}\u{10ffff}");
        let found = self.ask(async { read::bills(self.0.session()?, clause, &[&prefix, &end]).await }).await?;
        Ok(found.into_iter().map(|row| row.state).collect())
    }

    async fn payments_about(&self, names: &Names) -> Answer<Vec<Payment>> {
        let found = self.ask(async { read::payments_about(self.0.session()?, names).await }).await?;
        Ok(found.into_iter().map(|(_, payment)| payment).collect())
    }

    async fn paid(&self, numbers: &[InvoiceNumber]) -> Answer<HashMap<InvoiceNumber, Paid>> {
        self.ask(async {
            let sql = "SELECT invoice_number, paid FROM bills WHERE invoice_number = ANY($1)";
            let mut known = HashMap::new();
            for row in &self.rows(sql, &[&listed(numbers)]).await? {
                known.insert(required(row, 0)?.to_owned(), paid_at_column(row, 1)?);
            }
            let mut found = HashMap::new();
            for number in numbers {
                let paid = match known.get(number.as_str()) {
                    Some(paid) => *paid,
                    None => self.paid_by_nobody(number).await?,
                };
                found.extend(paid.map(|paid| (number.clone(), paid)));
            }
            Ok(found)
        })
        .await
    }

    async fn body(&self, number: &InvoiceNumber, request_id: RequestId) -> Answer<Option<Vec<u8>>> {
        self.ask(async {
            let sql = "SELECT body FROM bodies WHERE bill = (SELECT id FROM bills WHERE invoice_number = $1) AND request_id = $2";
            let rows = self.rows(sql, &[&number.as_str(), &request_id.to_string()]).await?;
            Ok(rows.first().map(|row| row.try_get(0)).transpose()?)
        })
        .await
    }

    async fn customer(&self, number: &InvoiceNumber) -> Answer<Option<Customer>> {
        self.ask(async {
            let rows = self.rows("SELECT id FROM bills WHERE invoice_number = $1", &[&number.as_str()]).await?;
            let ids = rows.iter().map(|row| Ok(row.try_get(0)?)).collect::<Result<Vec<i64>, Fault>>()?;
            Ok(read::customers(self.0.session()?, &ids).await?.pop().map(|(_, customer)| customer))
        })
        .await
    }

    async fn was_held_for(&self, number: &InvoiceNumber, evidence: &str) -> Answer<bool> {
        self.ask(async {
            let session = self.0.session()?;
            let mut was_held = false;
            for row in read::bills(session, "WHERE bills.invoice_number = $1", &[&number.as_str()]).await? {
                read::visit_back(session, row.state.last_event, |link| {
                    was_held = matches!(link.event()?, Event::Held { evidence: known, .. } if known == evidence);
                    Ok(!was_held)
                })
                .await?;
            }
            Ok(was_held)
        })
        .await
    }

    async fn history(&self, number: &InvoiceNumber) -> Answer<Vec<(Timestamp, Happening)>> {
        let mut story = self.ask(self.story(number)).await?;
        story.sort_by_key(|(sequence, ..)| *sequence);
        Ok(story.into_iter().map(|(_, at, happening)| (at, happening)).collect())
    }

    async fn open_bills(&self) -> Answer<Vec<BillState>> {
        let found = self.ask(self.noted("open IS NOT NULL")).await?;
        Ok(found.into_iter().map(|(state, _)| state).collect())
    }

    async fn oldest_doubt(&self) -> Answer<Option<Timestamp>> {
        self.ask(async {
            let rows = self.rows("SELECT 'bills', MIN(in_doubt_since) FROM bills WHERE in_doubt_since IS NOT NULL", &[]).await?;
            rows.first().map_or(Ok(None), |row| at(row, 1))
        })
        .await
    }

    async fn remarkable(&self) -> Answer<Vec<Noted>> {
        let clause = "(hold IS NOT NULL OR checks IS NOT NULL OR paid = 'by_earlier_code') \
                      AND (hold IS NOT NULL OR paid = 'by_earlier_code' OR json_array_length(checks::json -> 'found') > 0)";
        self.ask(self.noted(clause)).await
    }

    async fn visit_silent(&self, to: Timestamp, mut visit: impl FnMut(BillState) + Send) -> Answer<()> {
        let clause = "WHERE may_tell AND paid IS DISTINCT FROM 'by_its_code' AND ends_at <= $1 ORDER BY ends_at";
        let to = microseconds(to);
        let all = |state| {
            visit(state);
            true
        };
        self.ask(self.visit(clause, &[&to], all)).await
    }

    async fn visit_unpaid(&self, visit: impl FnMut(BillState) -> bool + Send) -> Answer<()> {
        // The last are the newest, and the likeliest to be live still.
        self.ask(self.visit("WHERE status = 'active' AND paid IS NULL ORDER BY bills.id DESC", &[], visit)).await
    }

    async fn visit_bills(&self, mut visit: impl FnMut(BillState) + Send) -> Answer<()> {
        let all = |state| {
            visit(state);
            true
        };
        self.ask(self.visit("ORDER BY bills.invoice_number", &[], all)).await
    }

    async fn visit_payments(&self, mut visit: impl FnMut(Payment) + Send) -> Answer<()> {
        let all = |row: &Row| {
            visit(payment_of(row)?.1);
            Ok(true)
        };
        self.ask(async { self.0.session()?.visit(&format!("{PAYMENTS} ORDER BY sequence"), &[], all).await }).await
    }

    async fn highest_code(&self, prefix: &str, length: usize) -> Answer<Option<PaymentCode>> {
        self.ask(async {
            let (end, length) = (after_codes(prefix), i32::try_from(length).unwrap_or(i32::MAX));
            let mut highest: Option<PaymentCode> = None;
            for source in CODES {
                let sql = format!("SELECT found FROM ({source}) AS codes WHERE length(found) = $3 ORDER BY found DESC LIMIT 1");
                for row in &self.rows(&sql, &[&prefix, &end, &length]).await? {
                    highest = highest.max(Some(code_of(row)?));
                }
            }
            Ok(highest)
        })
        .await
    }

    async fn visit_codes(&self, prefix: &str, length: usize, mut visit: impl FnMut(&PaymentCode) + Send) -> Answer<()> {
        self.ask(async {
            let (end, length) = (after_codes(prefix), i32::try_from(length).unwrap_or(i32::MAX));
            let sql = format!("SELECT found FROM ({}) AS codes WHERE length(found) = $3", CODES.join(" UNION ALL "));
            let one = |row: &Row| {
                visit(&code_of(row)?);
                Ok(true)
            };
            self.0.session()?.visit(&sql, &[&prefix, &end, &length], one).await
        })
        .await
    }

    async fn totals(&self, now: Timestamp) -> Answer<Totals> {
        self.ask(async {
            let mut tally = Tally::at(now);
            for row in &self.rows(TOTALS, &[]).await? {
                tally.add(row)?;
            }
            let [from, to] = tally.today();
            let ended = self.sum("status = 'active' AND ends_at >= $1 AND ends_at <= $2 AND paid IS NULL", &[&from, &to]).await?;
            Ok(tally.finish(ended))
        })
        .await
    }

    async fn scope_totals(&self, from: Timestamp, as_of: Timestamp, expiry_grace_minutes: i64) -> Answer<Sum> {
        let span = Span::new(from, as_of, expiry_grace_minutes);
        let what = "planned_at <= $3 AND COALESCE(cancelled_at >= $1, TRUE) AND (status IN ('requested', 'in_doubt_issue') \
                    OR COALESCE(expires_at >= $2, TRUE)) AND (reusable OR COALESCE(first_paid_at >= $1, TRUE))";
        self.ask(self.sum(what, &[&span.from, &span.expired_from, &span.as_of])).await
    }

    async fn lapses(&self, is_lapsed: impl Fn(&str) -> bool + Send) -> Answer<Lapses> {
        let sql = "SELECT invoice_number, at, COALESCE(terms.text::json #>> '{policy,status}', event::json #>> '{terms,policy,status}') \
                   FROM events LEFT JOIN terms ON terms.id = events.terms \
                   WHERE kind = 'bill' AND (events.terms IS NOT NULL OR json_typeof(event::json -> 'terms') = 'object') ORDER BY sequence";
        let mut found = Lapses::new();
        let lapses = &mut found;
        let one = move |row: &Row| {
            let unreadable = || Fault::Damaged("the terms of an event cannot be read".into());
            let is_so = optional(row, 2)?.is_some_and(&is_lapsed);
            let recorded_at = at(row, 1)?.ok_or_else(unreadable)?;
            let number = InvoiceNumber::new(required(row, 0)?).map_err(|_| unreadable())?;
            // Most bills never have a lapsed policy, and a state before the first lapse changes nothing.
            match lapses.get_mut(&number) {
                Some(states) => states.push((recorded_at, is_so)),
                None if is_so => drop(lapses.insert(number, vec![(recorded_at, is_so)])),
                None => {}
            }
            Ok(true)
        };
        self.ask(async { self.0.session()?.visit(sql, &[], one).await }).await?;
        Ok(found)
    }
}
