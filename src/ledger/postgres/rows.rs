//! What answers of a view are made of: rows of bills and payments that are the ones that were written last, and sums.

use std::collections::{BTreeSet, HashMap};
use std::io::Write;

use jiff::Timestamp;
use tokio_postgres::Row;

use super::engine::Lent;
use super::read::{self, Parameter, listed};
use super::view::PostgresView;
use super::{origin, tree};
use crate::domain::bill::Customer;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::owner::{self, Paid};
use crate::domain::payment::Payment;
use crate::domain::revocation::Revocation;
use crate::domain::sum::Sum;
use crate::ledger::chain::{History, OTHER_HISTORY, Origin, payment_event_at};
use crate::ledger::seals::Seals;
use crate::ledger::sql::cells::{bytes, count, integer, required, signed};
use crate::ledger::sql::fault::Fault;
use crate::ledger::sql::links::{Export, LINKS, Link, PAYMENTS, payment_of, payment_seal};
use crate::ledger::sql::rows::{self, COLUMNS_COUNT, FIRST, row_of, select};
use crate::ledger::sql::standing::Standing;
use crate::ledger::sql::totals::sum_of;
use crate::ledger::sql::tree::Set;
use crate::ledger::{BillHappening, LedgerError, LedgerHead, Names, Noted};

/// Bills of one question.
const BILLS_AT_ONCE: usize = 2_000;

type Answer<T> = Result<T, LedgerError>;

impl PostgresView {
    pub(super) const fn new(lent: Lent) -> Self {
        Self(lent)
    }

    /// Faults get the ledger's name.
    pub(super) async fn ask<T>(&self, question: impl Future<Output = Result<T, Fault>> + Send) -> Answer<T> {
        question.await.map_err(|fault| self.0.engine().server.place().error(fault))
    }

    pub(super) async fn rows(&self, sql: &str, parameters: &[Parameter<'_>]) -> Result<Vec<Row>, Fault> {
        self.0.session()?.query(sql, parameters).await
    }

    /// Visits bills of a clause that follows the tables.
    pub(super) async fn visit(
        &self,
        clause: &str,
        parameters: &[Parameter<'_>],
        mut visit: impl FnMut(BillState) -> bool + Send,
    ) -> Result<(), Fault> {
        let session = self.0.session()?;
        let one = |row: &Row| Ok(visit(row_of(row, &session.seals)?.state));
        session.visit(&select(clause), parameters, one).await
    }

    /// What the rows of these bills say, in the order of `numbers`.
    pub(super) async fn each<T>(
        &self,
        numbers: &[&InvoiceNumber],
        read: impl Fn(&Row, &InvoiceNumber, &Seals) -> Result<T, Fault> + Send,
    ) -> Result<Vec<Option<T>>, Fault> {
        let seals = &self.0.session()?.seals;
        let mut all = Vec::with_capacity(numbers.len());
        for part in numbers.chunks(BILLS_AT_ONCE) {
            let rows = self.rows(&select("WHERE bills.invoice_number = ANY($1)"), &[&listed(part.iter().copied())]).await?;
            self.newest(&rows).await?;
            let by_number = rows.iter().map(|row| Ok((required(row, FIRST)?, row))).collect::<Result<HashMap<_, _>, Fault>>()?;
            for number in part {
                all.push(by_number.get(number.as_str()).map(|row| read(row, number, seals)).transpose()?);
            }
        }
        Ok(all)
    }

    /// Whether rows of bills are the ones that were written last.
    pub(super) async fn newest(&self, rows: &[Row]) -> Result<(), Fault> {
        let sealed = |row: &Row| Ok((integer(row, 0)?, bytes(row, FIRST + COLUMNS_COUNT)?));
        let rows = rows.iter().map(sealed).collect::<Result<_, Fault>>()?;
        tree::check(self.0.session()?, &self.0.top, Set::Bills, &rows).await
    }

    /// The bills of a clause that follows the tables, as they were written last.
    pub(super) async fn found(&self, clause: &str, parameters: &[Parameter<'_>]) -> Result<Vec<rows::Row>, Fault> {
        let session = self.0.session()?;
        let found = self.rows(&select(clause), parameters).await?;
        self.newest(&found).await?;
        found.iter().map(|row| row_of(row, &session.seals)).collect()
    }

    /// The payments of a clause that follows the table, as they were written last, each with its event.
    pub(super) async fn payments(&self, clause: &str, parameters: &[Parameter<'_>]) -> Result<Vec<(u64, Payment)>, Fault> {
        let session = self.0.session()?;
        let found = self.rows(&format!("{PAYMENTS} {clause} ORDER BY sequence"), parameters).await?;
        let sealed = |row: &Row| Ok((integer(row, 0)?, payment_seal(row, &session.seals)?));
        let rows = found.iter().map(sealed).collect::<Result<_, Fault>>()?;
        tree::check(session, &self.0.top, Set::Payments, &rows).await?;
        found.iter().map(|row| payment_of(row, &session.seals)).collect()
    }

    /// The bills of a clause with how they are paid, by number.
    pub(super) async fn noted(&self, clause: &str) -> Result<Vec<Noted>, Fault> {
        let clause = format!("WHERE {clause} ORDER BY bills.invoice_number");
        let found = self.found(&clause, &[]).await?;
        Ok(found.into_iter().map(|row| (row.state, row.kept.paid)).collect())
    }

    /// Whether a number that no bill has is paid.
    pub(super) async fn paid_by_nobody(&self, number: &InvoiceNumber) -> Result<Option<Paid>, Fault> {
        let session = self.0.session()?;
        let names = Names { numbers: [number.clone()].into(), ..Names::default() };
        let payments: Vec<Payment> = read::payments_about(session, &names).await?.into_iter().map(|(_, payment)| payment).collect();
        let candidates = read::bills_about(session, &Names::of_payments(&payments)).await?;
        let is_nobodys = |payment: &Payment| owner::owners(candidates.iter().map(|row| &row.state), payment.into()).is_empty();
        Ok(payments.iter().any(is_nobodys).then_some(Paid::ByItsCode))
    }

    /// As [`super::PostgresLedger::export`] has it.
    pub(super) async fn export(&self, out: &mut dyn Write) -> Answer<LedgerHead> {
        let mut export = Export::new(out);
        let one = |row: &Row| export.event(&Link::of(row)?).map(|()| true);
        let visited = async { self.0.session()?.visit(&format!("{LINKS} ORDER BY sequence"), &[], one).await };
        let written = visited.await.and_then(|()| export.finish());
        written.map_err(|fault| self.0.engine().server.place().error(fault))
    }

    /// Who owes a bill, if it is who was given.
    pub(super) async fn customer_of(&self, row: &rows::Row) -> Result<Option<Customer>, Fault> {
        let session = self.0.session()?;
        let kept = read::customers(session, &[row.id]).await?.pop().map(|(_, customer)| customer);
        let (mut given, mut links) = (None, Vec::new());
        if kept.is_some() {
            read::visit_back(session, row.state.last_event, |link| {
                links.push(signed(link.sequence)?);
                given = link.beside.map(<[u8]>::to_vec);
                Ok(given.is_none())
            })
            .await?;
            // That nothing stands beside an event is as much as what does.
            self.check_links(&links, &origin::origin(session).await?).await?;
        }
        rows::check_customer(row, kept.as_ref(), given.as_deref())?;
        Ok(kept)
    }

    /// Whether a bill is paid as its payments say, which are all there.
    async fn check_paid(&self, row: &rows::Row) -> Result<(), Fault> {
        let state = &row.state;
        let names = Names::of(state);
        let (clause, (numbers, codes)) = read::clause_paying(&names);
        let payments: Vec<Payment> = self.payments(clause, &[&numbers, &codes]).await?.into_iter().map(|(_, payment)| payment).collect();
        let mut others = read::bills_about(self.0.session()?, &Names::of_payments(&payments)).await?;
        others.retain(|other| other.state.invoice_number != state.invoice_number);
        let all = || others.iter().map(|other| &other.state).chain([state]);
        let add = |standing: Standing, payment: &Payment| standing.with(state, payment, &owner::owners(all(), payment.into()));
        let standing = payments.iter().fold(Standing::default(), add);
        if Standing::of(&row.kept) == standing { Ok(()) } else { Err(Set::Payments.broken()) }
    }

    /// Whether each of these events follows from the one before it, as far as that can be told: since the key was given.
    async fn check_links(&self, sequences: &[i64], origin: &Origin) -> Result<(), Fault> {
        let keyed_after = signed(origin.keyed_after())?;
        let since: Vec<i64> = sequences.iter().copied().filter(|sequence| *sequence > keyed_after).collect();
        let before: Vec<i64> = since.iter().map(|sequence| sequence.saturating_sub(1)).collect();
        let mut heads = HashMap::from([(0, LedgerHead::EMPTY)]);
        for row in &self.rows("SELECT sequence, hash FROM events WHERE sequence = ANY($1)", &[&before]).await? {
            let sequence = count(row, 0)?;
            heads.insert(sequence, LedgerHead { sequence, hash: bytes(row, 1)? });
        }
        for row in &self.rows(&format!("{LINKS} WHERE sequence = ANY($1)"), &[&since]).await? {
            let link = Link::of(row)?;
            let previous = link.sequence.checked_sub(1).and_then(|before| heads.get(&before));
            if !previous.is_some_and(|previous| link.follows(origin, previous)) {
                return Err(link.edited());
            }
        }
        Ok(())
    }

    /// Whether the events of before the key are those that the event answers for with which it was given.
    async fn check_before(&self, origin: &Origin) -> Result<(), Fault> {
        let (mut history, mut before, mut answers) = (History::default(), LedgerHead::EMPTY, false);
        let one = |row: &Row| {
            let link = Link::of(row)?;
            if link.sequence <= origin.keyed_after() {
                history.take(&link.head(), &link.covered());
                before = link.head();
            } else {
                answers = link.follows(origin, &before) && link.key()?.history == history.clone().finish();
            }
            Ok(true)
        };
        let last = signed(origin.keyed_after())?.saturating_add(1);
        self.0.session()?.visit(&format!("{LINKS} WHERE sequence <= $1 ORDER BY sequence"), &[&last], one).await?;
        if answers { Ok(()) } else { Err(Fault::Damaged(OTHER_HISTORY.into())) }
    }

    /// The story of a bill, unsorted, each part with its event.
    pub(super) async fn story(&self, number: &InvoiceNumber) -> Result<Vec<(u64, Timestamp, BillHappening)>, Fault> {
        let session = self.0.session()?;
        let mut story = Vec::new();
        let mut numbers = BTreeSet::from([number.clone()]);
        for row in self.found("WHERE bills.invoice_number = $1", &[&number.as_str()]).await? {
            self.check_paid(&row).await?;
            read::visit_back(session, row.state.last_event, |link| {
                let event = link.event()?;
                if let Event::Intended { wire_invoice_number, .. } = &event {
                    numbers.insert(wire_invoice_number.clone());
                }
                story.push((link.sequence, link.timestamp()?, BillHappening::Event(Box::new(event))));
                Ok(true)
            })
            .await?;
        }
        let sequences = story.iter().map(|(sequence, ..)| signed(*sequence)).collect::<Result<Vec<i64>, Fault>>()?;
        let origin = origin::origin(session).await?;
        self.check_links(&sequences, &origin).await?;
        if story.iter().any(|(sequence, ..)| *sequence <= origin.keyed_after()) {
            self.check_before(&origin).await?;
        }
        for (sequence, payment) in self.payments("WHERE invoice_number = ANY($1)", &[&listed(&numbers)]).await? {
            let at = Timestamp::from_microsecond(payment_event_at(&payment))
                .map_err(|_| Fault::Damaged(format!("event {sequence} is at no time")))?;
            story.push((sequence, at, BillHappening::Payment(payment)));
        }
        Ok(story)
    }

    /// What was said about DOKU's keys by these events.
    pub(super) async fn said(&self, sequences: &[u64]) -> Result<Vec<(Timestamp, Revocation)>, Fault> {
        let numbers = sequences.iter().map(|sequence| signed(*sequence)).collect::<Result<Vec<i64>, Fault>>()?;
        if numbers.is_empty() {
            return Ok(Vec::new());
        }
        let origin = origin::origin(self.0.session()?).await?;
        self.check_links(&numbers, &origin).await?;
        if sequences.iter().any(|sequence| *sequence <= origin.keyed_after()) {
            self.check_before(&origin).await?;
        }
        let rows = self.rows(&format!("{LINKS} WHERE sequence = ANY($1) ORDER BY sequence"), &[&numbers]).await?;
        let missing = || Fault::Damaged("an event is missing, or tells of no key, by which one was revoked".into());
        let said = rows.iter().map(|row| {
            let link = Link::of(row)?;
            Ok((link.timestamp()?, link.revocation().ok_or_else(missing)?))
        });
        let said = said.collect::<Result<Vec<_>, Fault>>()?;
        if said.len() == sequences.len() { Ok(said) } else { Err(missing()) }
    }

    pub(super) async fn sum(&self, what: &str, parameters: &[Parameter<'_>]) -> Result<Sum, Fault> {
        let sql = format!(
            "SELECT COUNT(*), COALESCE(SUM(amount / 1000000), 0)::bigint, COALESCE(SUM(amount % 1000000), 0)::bigint FROM bills WHERE {what}"
        );
        let rows = self.rows(&sql, parameters).await?;
        rows.first().map_or_else(|| Err(Fault::Failed("a sum came to nothing".into())), sum_of)
    }
}
