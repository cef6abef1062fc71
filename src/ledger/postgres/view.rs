//! One consistent state of the database: a session with a repeatable-read transaction, lent from a small pool.

use std::collections::HashMap;

use jiff::Timestamp;
use tokio_postgres::Row;

use super::engine::Lent;
use super::read;
use super::schema;
use super::tree;
use crate::domain::bill::Customer;
use crate::domain::ids::{InvoiceNumber, PaymentCode, RequestId};
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::mark::{BillMark, BillWithCode};
use crate::domain::owner::Paid;
use crate::domain::payment::Payment;
use crate::domain::revocation::Revocation;
use crate::domain::sum::Sum;
use crate::ledger::rules::{Span, microseconds};
use crate::ledger::sql::cells::{at, optional, required};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::{PAYMENTS, payment_of};
use crate::ledger::sql::marks;
use crate::ledger::sql::rows::row_of;
use crate::ledger::sql::totals::{TOTALS, Tally};
use crate::ledger::sql::tree::Set;
use crate::ledger::{BillHappening, Lapses, LedgerError, LedgerHead, LedgerTotals, LedgerView, Names, Noted};

/// A view of a PostgreSQL database.
#[derive(Debug)]
pub struct PostgresView(pub(super) Lent);

type Answer<T> = Result<T, LedgerError>;

/// Where codes stand by text, so that those of a prefix are one stretch of an index.
const CODES: [&str; 4] = [
    "SELECT code AS found FROM bills WHERE code_is_live AND code >= $1 AND code < $2",
    "SELECT code AS found FROM bills WHERE NOT code_is_live AND code >= $1 AND code < $2",
    "SELECT name AS found FROM names WHERE kind = 'code' AND name >= $1 AND name < $2",
    "SELECT payment_code AS found FROM payments WHERE payment_code >= $1 AND payment_code < $2",
];

impl PostgresView {
    /// The head as it was after event `sequence`, if there is one.
    pub(in crate::ledger) async fn head_at(&self, sequence: u64) -> Answer<Option<LedgerHead>> {
        self.ask(async { read::head_at(self.0.session()?, sequence).await }).await
    }
}

/// What follows the last of the codes that begin with `prefix`.
fn after_codes(prefix: &str) -> String {
    format!("{prefix}:")
}

fn code_of(row: &Row) -> Result<PaymentCode, Fault> {
    PaymentCode::new(required(row, 0)?).map_err(|_| Fault::Damaged("a payment code cannot be read".into()))
}

impl LedgerView for PostgresView {
    async fn head(&self) -> Answer<LedgerHead> {
        Ok(self.0.head)
    }

    async fn whole(&self) -> Answer<()> {
        self.ask(async {
            // What is asked of other tables, or through other indexes, than ours says nothing.
            if let Some(difference) = schema::differences(self.0.session()?).await?.into_iter().next() {
                return Err(Fault::Damaged(difference));
            }
            for set in Set::ALL {
                tree::check_all(self.0.session()?, &self.0.top, set).await?;
            }
            Ok(())
        })
        .await
    }

    async fn marks(&self, numbers: &[&InvoiceNumber]) -> Answer<Vec<Option<BillMark>>> {
        self.ask(self.each(numbers, |row, _, seals| marks::mark(row, seals))).await
    }

    async fn held(&self, numbers: &[&InvoiceNumber]) -> Answer<Vec<Option<BillWithCode>>> {
        self.ask(self.each(numbers, marks::held)).await
    }

    async fn bills(&self, numbers: &[InvoiceNumber]) -> Answer<Vec<BillState>> {
        let numbers: Vec<&InvoiceNumber> = numbers.iter().collect();
        let found = self.ask(self.each(&numbers, |row, _, seals| row_of(row, seals))).await?;
        Ok(found.into_iter().flatten().map(|row| row.state).collect())
    }

    async fn bills_about(&self, names: &Names) -> Answer<Vec<BillState>> {
        let (clause, (numbers, codes)) = read::clause_about(names);
        let found = self.ask(self.found(&clause, &[&numbers, &codes])).await?;
        Ok(found.into_iter().map(|row| row.state).collect())
    }

    async fn bills_beginning(&self, prefix: &str) -> Answer<Vec<BillState>> {
        let clause = "WHERE bills.id IN (SELECT id FROM bills WHERE invoice_number >= $1 AND invoice_number < $2 \
                      UNION SELECT bill FROM names WHERE name >= $1 AND name < $2 AND kind = 'number') ORDER BY bills.invoice_number";
        let end = format!("{prefix}\u{10ffff}");
        let found = self.ask(self.found(clause, &[&prefix, &end])).await?;
        Ok(found.into_iter().map(|row| row.state).collect())
    }

    async fn payments_about(&self, names: &Names) -> Answer<Vec<Payment>> {
        let (clause, (numbers, codes)) = read::clause_paying(names);
        let found = self.ask(self.payments(clause, &[&numbers, &codes])).await?;
        Ok(found.into_iter().map(|(_, payment)| payment).collect())
    }

    async fn paid(&self, numbers: &[InvoiceNumber]) -> Answer<HashMap<InvoiceNumber, Paid>> {
        self.ask(async {
            let all: Vec<&InvoiceNumber> = numbers.iter().collect();
            let known = self.each(&all, |row, _, seals| Ok(marks::mark(row, seals)?.paid)).await?;
            let mut found = HashMap::new();
            for (number, known) in numbers.iter().zip(known) {
                let paid = match known {
                    Some(paid) => paid,
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
            match self.found("WHERE bills.invoice_number = $1", &[&number.as_str()]).await?.pop() {
                Some(row) => self.customer_of(&row).await,
                None => Ok(None),
            }
        })
        .await
    }

    async fn was_held_for(&self, number: &InvoiceNumber, evidence: &str) -> Answer<bool> {
        self.ask(async {
            let session = self.0.session()?;
            let mut was_held = false;
            for row in self.found("WHERE bills.invoice_number = $1", &[&number.as_str()]).await? {
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

    async fn history(&self, number: &InvoiceNumber) -> Answer<Vec<(Timestamp, BillHappening)>> {
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
        self.ask(async {
            tree::check_all(self.0.session()?, &self.0.top, Set::Bills).await?;
            self.visit(clause, &[&to], all).await
        })
        .await
    }

    async fn visit_unpaid(&self, mut visit: impl FnMut(BillState) -> bool + Send) -> Answer<()> {
        // The last are the newest, and the likeliest to be live still.
        let clause = "WHERE status = 'active' AND paid IS NULL AND bills.id < $1 ORDER BY bills.id DESC LIMIT 64";
        self.ask(async {
            let mut before = i64::MAX;
            loop {
                let found = self.found(clause, &[&before]).await?;
                let Some(last) = found.last() else { return Ok(()) };
                before = last.id;
                if !found.into_iter().all(|row| visit(row.state)) {
                    return Ok(());
                }
            }
        })
        .await
    }

    async fn visit_bills(&self, mut visit: impl FnMut(BillState) + Send) -> Answer<()> {
        let all = |state| {
            visit(state);
            true
        };
        self.ask(async {
            tree::check_all(self.0.session()?, &self.0.top, Set::Bills).await?;
            self.visit("ORDER BY bills.invoice_number", &[], all).await
        })
        .await
    }

    async fn visit_customers(&self, mut visit: impl FnMut(InvoiceNumber, Customer) + Send) -> Answer<()> {
        let sql = "SELECT invoice_number, name, email, account_name FROM customers JOIN bills ON bills.id = bill";
        let one = |row: &Row| {
            let number = InvoiceNumber::new(required(row, 0)?).map_err(|_| Fault::Damaged("an invoice number cannot be read".into()))?;
            visit(number, read::customer_of(row)?);
            Ok(true)
        };
        self.ask(async { self.0.session()?.visit(sql, &[], one).await }).await
    }

    async fn visit_payments(&self, mut visit: impl FnMut(Payment) + Send) -> Answer<()> {
        self.ask(async {
            let session = self.0.session()?;
            tree::check_all(session, &self.0.top, Set::Payments).await?;
            let all = |row: &Row| {
                visit(payment_of(row, &session.seals)?.1);
                Ok(true)
            };
            session.visit(&format!("{PAYMENTS} ORDER BY sequence"), &[], all).await
        })
        .await
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

    async fn totals(&self, now: Timestamp) -> Answer<LedgerTotals> {
        self.ask(async {
            let mut tally = Tally::at(now, self.0.session()?.seals.clone());
            for row in &self.rows(TOTALS, &[]).await? {
                tally.add(row)?;
            }
            let [from, to] = tally.today();
            let ended = self.sum("status = 'active' AND ends_at >= $1 AND ends_at <= $2 AND paid IS NULL", &[&from, &to]).await?;
            tally.finish(ended, self.0.top.totals)
        })
        .await
    }

    async fn revocations(&self) -> Answer<Vec<(Timestamp, Revocation)>> {
        let sequences = self.totals(Timestamp::UNIX_EPOCH).await?.revocations;
        self.ask(self.said(&sequences)).await
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
