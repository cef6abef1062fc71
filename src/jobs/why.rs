//! Why: everything that ledger, logs, settlement and journal know of one bill, and what the rules make of it. Reads only.

pub mod books;
mod error;
mod inquiries;
mod money;
mod names;
mod needs;
pub mod report;
mod story;
mod subject;
mod unread;

use std::collections::BTreeSet;

use jiff::Timestamp;
use jiff::civil::Date;

use super::reconcile::{Billed, ReconcileError, read_settlement};
use crate::domain::calendar::{start_of_wib_day, wib_date};
use crate::domain::classify::Period;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::lifecycle::{BillState, Event, Order};
use crate::domain::line::Lines;
use crate::domain::sum::Sum;
use crate::evidence::{self, EvidenceSources, ReadOptions};
use crate::journal;
use crate::ledger::{BillHappening, LedgerView, Names};
use crate::reconcile::{self, Finding, ReconcileTerms};
use crate::register::Register;

use self::books::NamedInBooks as InBooks;
pub use self::error::WhyError;
use self::report::{AskedReport, ReportUnreadable};
pub use self::story::{Judgement, Story, StoryEvent, StoryLine};
pub use self::subject::WhyOptions;
use self::subject::{Concluded, Subject};
use self::unread::asked;
pub use money::MoneyState;
pub use names::named_by;

impl<E: Into<ReconcileError>> From<E> for Box<WhyError> {
    fn from(error: E) -> Self {
        Self::new(WhyError::Read(error.into()))
    }
}

impl From<ReportUnreadable> for Box<WhyError> {
    fn from(error: ReportUnreadable) -> Self {
        Self::new(WhyError::Books(error))
    }
}

/// Gathers, judges and orders.
///
/// # Errors
/// [`WhyError`].
pub async fn why(view: &impl LedgerView, options: &WhyOptions<'_>) -> Result<Story, Box<WhyError>> {
    let journal = journal::read(options.journal)?;
    let register = journal.register()?;
    let mut subject = subject_of(view, &register, options.name).await?;
    let has_evidence = !options.notifications.is_empty() || options.evidence.is_some() || options.settlement.is_some();
    let names = subject.names(options.name, &register);
    let concluded = if has_evidence { Some(conclude(view, &subject, &names, options).await?) } else { None };
    if let (Some(concluded), None) = (&concluded, &subject.bill)
        && let Some(found) = concluded.outcome.findings.iter().find(|finding| finding.id == options.name)
    {
        subject = subject_of_finding(view, &found.invoice_number, &found.payment_code).await?;
    }
    let judgement = match concluded {
        Some(concluded) => {
            let asked = asked(&subject, &concluded, options)?;
            let Concluded { outcome, terms, files, .. } = concluded;
            let about = outcome.about(&asked, &terms);
            let standings = register.standings();
            Some(Judgement { outcome, about, terms, files, standings })
        }
        None => None,
    };
    let mut told: Vec<StoryLine> =
        subject.history.drain(..).map(|(at, happening)| StoryLine { at: Some(at), what: StoryEvent::Ledger(happening) }).collect();
    told.extend(inquiries::told(&subject, &options.inquiries)?);
    told.extend(judgement.iter().flat_map(arrived));
    told.extend(judgement.iter().flat_map(paid_out));
    let mut items = Vec::new();
    for (id, item) in register.items().filter(|(id, item)| is_about(&subject, judgement.as_ref(), id, &item.facts.invoice_number)) {
        items.push((id.clone(), item.status));
        told.extend(
            item.history
                .iter()
                .map(|step| StoryLine { at: Some(step.at), what: StoryEvent::Journal { id: id.clone(), step: step.clone() } }),
        );
    }
    // A stable sort: what one source tells of the same instant stays in its order.
    told.sort_by_key(|told| told.at.unwrap_or(Timestamp::MAX));
    let says = match options.report {
        Some(report) => report.says(&subject.names(options.name, &register), &register, &options.policy)?,
        None => None,
    };
    let is_known =
        says.is_some() || subject.bill.is_some() || !told.is_empty() || judgement.iter().any(|of| of.about.findings().next().is_some());
    if !is_known {
        // That nobody knows it is only as sure as that all is there, and found where it is.
        view.whole().await?;
        return Err(Box::new(WhyError::Unknown(options.name.to_owned())));
    }
    let name = subject.bill.as_ref().map_or_else(|| options.name.to_owned(), |bill| bill.invoice_number.to_string());
    Ok(Story { name, bill: subject.bill, told, judgement, items, says })
}

fn is_about(subject: &Subject, judgement: Option<&Judgement>, id: &str, invoice_number: &str) -> bool {
    let found = || judgement.is_some_and(|of| of.about.findings().any(|finding| finding.id == id));
    subject.invoice_numbers.contains(invoice_number) || subject.invoice_numbers.contains(id) || found()
}

/// Whose name it is: an invoice's, a code's, or that of a discrepancy the journal follows; else a name that evidence may know.
async fn subject_of(view: &impl LedgerView, register: &Register, name: &str) -> Result<Subject, Box<WhyError>> {
    let subject = subject_named(view, name).await?;
    match register.get(name) {
        Some(item) if subject.bill.is_none() => {
            let mut subject = subject_of_finding(view, &item.facts.invoice_number, &item.facts.payment_code).await?;
            subject.invoice_numbers.insert(name.to_owned());
            Ok(subject)
        }
        _ => Ok(subject),
    }
}

async fn subject_of_finding(view: &impl LedgerView, invoice: &str, code: &str) -> Result<Subject, Box<WhyError>> {
    let mut subject = subject_named(view, if invoice.is_empty() { code } else { invoice }).await?;
    if subject.bill.is_none() && !code.is_empty() {
        subject.payment_codes = [code.to_owned()].into();
    }
    Ok(subject)
}

async fn subject_named(view: &impl LedgerView, name: &str) -> Result<Subject, Box<WhyError>> {
    let own = match InvoiceNumber::new(name) {
        Ok(number) => view.bill(&number).await?,
        Err(_) => None,
    };
    let found = match own {
        Some(bill) => Some(bill),
        None => holder(view, name).await?,
    };
    let Some(bill) = found else {
        let names = BTreeSet::from([name.to_owned()]);
        return Ok(Subject { invoice_numbers: names.clone(), payment_codes: names, ..Subject::default() });
    };
    let history = view.history(&bill.invoice_number).await?;
    let mut invoice_numbers = BTreeSet::from([bill.invoice_number.to_string()]);
    let mut payment_codes: BTreeSet<String> = bill.code.iter().map(|code| code.answer.payment_code.to_string()).collect();
    for (_, happening) in &history {
        let BillHappening::Event(event) = happening else { continue };
        match event.as_ref() {
            Event::Intended { wire_invoice_number, .. } | Event::Aliased { number: wire_invoice_number } => {
                invoice_numbers.insert(wire_invoice_number.to_string());
            }
            Event::Accepted { answer, .. } | Event::Adopted { answer, .. } | Event::Registered { answer, .. } => {
                payment_codes.insert(answer.payment_code.to_string());
            }
            _ => {}
        }
    }
    Ok(Subject { bill: Some(bill), history, invoice_numbers, payment_codes })
}

/// The bill whose code, or number on the wire, this is or was; of several the one that may be live.
async fn holder(view: &impl LedgerView, name: &str) -> Result<Option<BillState>, Box<WhyError>> {
    let names = Names { numbers: InvoiceNumber::new(name).into_iter().collect(), codes: PaymentCode::new(name).into_iter().collect() };
    let has = |bill: &BillState| {
        let is_it =
            |order: &Order<'_>| order.wire_invoice_number.as_str() == name || order.payment_code.is_some_and(|code| code.as_str() == name);
        bill.orders().any(|order| is_it(&order))
    };
    let (live, mut others): (Vec<BillState>, Vec<BillState>) =
        view.bills_about(&names).await?.into_iter().filter(has).partition(|bill| bill.status.may_be_live());
    let mut found = if live.len() == 1 { live } else { [live, std::mem::take(&mut others)].concat() };
    if found.len() > 1 {
        let mut invoices: Vec<String> = found.iter().map(|bill| bill.invoice_number.to_string()).collect();
        invoices.sort_unstable();
        return Err(Box::new(WhyError::Ambiguous { name: name.to_owned(), invoices }));
    }
    Ok(found.pop())
}

/// The whole evidence under the rules.
async fn conclude(
    view: &impl LedgerView,
    subject: &Subject,
    names: &BTreeSet<String>,
    options: &WhyOptions<'_>,
) -> Result<Concluded, Box<WhyError>> {
    let today = wib_date(options.as_of);
    let whole = |from, to| Period::new(from, to).ok_or(ReconcileError::Period { from, to });
    let mut terms = ReconcileTerms { period: whole(today, today)?, as_of: options.as_of, policy: options.policy.clone() };
    // The totals only serve the control identities of a report.
    let billed = Billed::of_view(view, Sum::default(), &terms).await?;
    let WhyOptions { keys, client_id, policy, tables, .. } = options;
    let read = ReadOptions { keys, client_id, policy, pairs: &billed.bills, tables };
    let mut evidence = evidence::read(EvidenceSources { logs: &options.notifications, store: options.evidence.as_ref() }, &read)?;
    terms.period = if let Some((from, to)) = options.period {
        whole(from, to)?
    } else {
        let planned = subject.bill.as_ref().map(|bill| wib_date(bill.planned_at));
        let (first, last) = days_paid(&evidence.lines).unwrap_or((today, today));
        whole(planned.map_or(first, |planned| planned.min(first)).min(today), today.max(last))?
    };
    let settlement = options.settlement.as_ref().map(|given| read_settlement(given, &options.tables)).transpose()?;
    let (files, places) = (std::mem::take(&mut evidence.files), std::mem::take(&mut evidence.places));
    let (inputs, _) = billed.inputs(evidence, &files, settlement);
    let mut outcome = reconcile::reconcile(inputs, &terms);
    if let Some(known) = options.report.map(AskedReport::known) {
        outcome.follow_books(known, &InBooks::of(known, names).debts, &terms);
    }
    Ok(Concluded { outcome, terms, files, places })
}

/// The first and the last day of any payment that was notified, so that none falls outside a period nobody chose.
fn days_paid(lines: &Lines) -> Option<(Date, Date)> {
    let days = || lines.iter().filter(|(_, line)| line.identity != [0; 32]).map(|(_, line)| line.paid_at_us);
    let day = |at| Timestamp::from_microsecond(at).ok().map(wib_date);
    Some((day(days().min()?)?, day(days().max()?)?))
}

/// Evidence lines as parts of the story.
fn arrived(judgement: &Judgement) -> Vec<StoryLine> {
    let at = |finding: &Finding| judgement.line_of(finding).and_then(crate::domain::line::Line::received_at);
    judgement.about.lines.iter().enumerate().map(|(place, finding)| StoryLine { at: at(finding), what: StoryEvent::Line(place) }).collect()
}

/// Settlement rows as parts of the story, on the day of the pay-out; one that is held on the day of its payment.
fn paid_out(judgement: &Judgement) -> Vec<StoryLine> {
    let told = |(place, finding): (usize, &Finding)| {
        let row = judgement.row_of(finding)?;
        Some(StoryLine { at: start_of_wib_day(row.paid_out_on.unwrap_or(row.transaction_date)), what: StoryEvent::Settlement(place) })
    };
    judgement.about.settlement.iter().enumerate().filter_map(told).collect()
}
