//! Codes that exist at DOKU already, taken into the ledger: what becomes of each, and recording them.
//!
//! Belongs here: which code may become which bill's. Must not be here: reading the file, and what a person is told.

use std::collections::{BTreeSet, HashMap};

use jiff::Timestamp;

use super::portion::Portion;
use crate::domain::amount::{Amount, grouped};
use crate::domain::channel::Channel;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, Event, OperationKind, Status};
use crate::domain::plan::{MapView, PlanView as _};
use crate::intake::import::{AdoptedCode, EXPIRY_UNKNOWN};
use crate::ledger::{Basis, Ledger as _, LedgerError, Names, NewEvent, Private, Store};

/// What became of one row.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Adoption {
    /// The code is the bill's now.
    Adopted,
    /// It was already, on the same terms.
    Known,
    /// It was already, on other terms; they were taken over, if that was asked for.
    Differs(Vec<TermsDifference>),
    /// It cannot be, and why.
    Refused(AdoptionRefusal),
}

/// Why a code cannot be adopted beside what the ledger holds.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AdoptionRefusal {
    /// The bill has another code.
    #[error("invoice `{number}` is {} with another code", status.name())]
    HasAnother {
        /// The bill's.
        number: InvoiceNumber,
        /// Its own.
        status: Status,
    },
    /// The code is another bill's.
    #[error("its code is live for invoice `{0}`")]
    IsLive(InvoiceNumber),
    /// DOKU knows another bill by this number.
    #[error("its number at DOKU, `{number}`, is that of invoice `{other}`")]
    NumberIsOf {
        /// At DOKU.
        number: InvoiceNumber,
        /// Whose it is.
        other: InvoiceNumber,
    },
    /// An earlier row of the file has the number.
    #[error("another row has its number at DOKU, `{0}`")]
    NumberIsRepeated(InvoiceNumber),
    /// The bill has the code, on other terms that no import gave it.
    #[error(
        "invoice `{number}`: {}; it is {}, and its terms are not from an import: they change with `tagih issue` only",
        listed(differences),
        status.name()
    )]
    TermsAreOurs {
        /// The bill's.
        number: InvoiceNumber,
        /// What the row says otherwise.
        differences: Vec<TermsDifference>,
        /// The bill's.
        status: Status,
    },
    /// Another row brings the same code or number, or it became another bill's just now: the ledger's own words.
    #[error("{0}")]
    IsTaken(String),
}

/// Differences in a sentence.
#[must_use]
pub fn listed(differences: &[TermsDifference]) -> String {
    differences.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

/// What a row says otherwise than the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TermsDifference {
    /// Rupiah.
    #[error("the amount is Rp{} in the ledger and Rp{} in the file", grouped(ours.get().into()), grouped(theirs.get().into()))]
    Amount {
        /// In the ledger.
        ours: Amount,
        /// In the file.
        theirs: Amount,
    },
    /// The chain.
    #[error("the channel is {ours} in the ledger and {theirs} in the file")]
    Channel {
        /// In the ledger.
        ours: Channel,
        /// In the file.
        theirs: Channel,
    },
    /// When it expires (UTC).
    #[error("the expiry is {} in the ledger and {} in the file", shown(*ours), shown(*theirs))]
    Expiry {
        /// In the ledger.
        ours: Option<Timestamp>,
        /// In the file.
        theirs: Option<Timestamp>,
    },
}

fn shown(at: Option<Timestamp>) -> String {
    at.map_or_else(|| "unknown".to_owned(), |at| at.to_string())
}

/// Takes over what can be of `codes`, all or nothing, and says what became of each. Where another run was quicker with one of its bills,
/// all of it is looked at again. `claimed` are the numbers at DOKU that earlier codes of the file have.
///
/// # Errors
/// The ledger's; nothing of `codes` is recorded then.
pub async fn adopt(
    ledger: &Store,
    codes: &[&AdoptedCode],
    takes_updates: bool,
    claimed: &mut BTreeSet<InvoiceNumber>,
    clock: &dyn Fn() -> Timestamp,
) -> Result<Vec<Adoption>, LedgerError> {
    let mut taken: HashMap<InvoiceNumber, AdoptionRefusal> = HashMap::new();
    loop {
        let view = ledger.view().await?;
        let portion = Portion::about(&view, &names(codes)).await?;
        let map = portion.view();
        let mut claimed_now = claimed.clone();
        let judge = |code: &&AdoptedCode| match taken.get(&code.invoice_number) {
            Some(why) => Adoption::Refused(why.clone()),
            None => judged(code, &map, &mut claimed_now),
        };
        let all: Vec<Adoption> = codes.iter().map(judge).collect();
        let is_taken = |one: &Adoption| matches!(one, Adoption::Adopted) || (takes_updates && matches!(one, Adoption::Differs(_)));
        let entries = codes.iter().zip(&all).filter(|(_, one)| is_taken(one));
        let entries: Vec<NewEvent> = entries.map(|(code, _)| entry(code, Basis::of(map.bill(&code.invoice_number)), clock())).collect();
        let recorded = if entries.is_empty() { Ok(Vec::new()) } else { ledger.record(entries).await };
        match recorded {
            Ok(_) => {
                *claimed = claimed_now;
                return Ok(all);
            }
            Err(LedgerError::Lost { .. }) => {}
            // Another row of these brings it too, or it became another bill's just now.
            Err(error) => match &error {
                LedgerError::CodeTaken { invoice_number, .. } | LedgerError::NumberTaken { invoice_number, .. } => {
                    taken.insert(invoice_number.clone(), AdoptionRefusal::IsTaken(error.to_string()));
                }
                _ => return Err(error),
            },
        }
    }
}

/// By what the ledger may know the rows' codes.
fn names(codes: &[&AdoptedCode]) -> Names {
    let mut names = Names::default();
    for item in codes {
        names.numbers.insert(item.invoice_number.clone());
        names.numbers.extend(item.wire_invoice_number.clone());
        names.codes.insert(item.answer.payment_code.clone());
    }
    names
}

fn entry(item: &AdoptedCode, basis: Basis, at: Timestamp) -> NewEvent {
    let AdoptedCode { terms, answer, wire_invoice_number, .. } = item.clone();
    let event = Event::Adopted { terms, answer, wire_invoice_number };
    NewEvent { invoice_number: item.invoice_number.clone(), at, event, basis, private: Private::default() }
}

/// What the ledger makes of a row; `claimed` are the numbers at DOKU of this file's codes.
fn judged(item: &AdoptedCode, view: &MapView<'_>, claimed: &mut BTreeSet<InvoiceNumber>) -> Adoption {
    let bill = view.bill(&item.invoice_number);
    let has_it = |bill: &&BillState| bill.code.as_ref().is_some_and(|held| held.answer.payment_code == item.answer.payment_code);
    let Some(bill) = bill.filter(has_it) else {
        return contradiction(item, view, claimed).map_or(Adoption::Adopted, Adoption::Refused);
    };
    let what = differences(item, bill);
    match (what.is_empty(), bill.terms.is_adopted() && bill.status == Status::Active) {
        (true, _) => Adoption::Known,
        (false, true) => Adoption::Differs(what),
        (false, false) => {
            Adoption::Refused(AdoptionRefusal::TermsAreOurs { number: item.invoice_number.clone(), differences: what, status: bill.status })
        }
    }
}

/// Whether a code from elsewhere can be a bill's: it has none, as far as the ledger knows.
const fn may_adopt(status: Status) -> bool {
    matches!(status, Status::Planned | Status::Rejected | Status::InDoubt(OperationKind::Issue))
}

/// Why a code cannot be adopted beside what the ledger holds; `claimed` are the numbers of this file's codes.
fn contradiction(item: &AdoptedCode, view: &MapView<'_>, claimed: &mut BTreeSet<InvoiceNumber>) -> Option<AdoptionRefusal> {
    let (number, wire) = (&item.invoice_number, item.wire_invoice_number.as_ref());
    let at_doku = wire.unwrap_or(number);
    if let Some(bill) = view.bill(number).filter(|bill| !may_adopt(bill.status)) {
        return Some(AdoptionRefusal::HasAnother { number: number.clone(), status: bill.status });
    }
    if let Some(other) = view.holder(&item.answer.payment_code).filter(|other| *other != number) {
        return Some(AdoptionRefusal::IsLive(other.clone()));
    }
    let others = |number: &InvoiceNumber| view.goes_by(number).filter(|other| **other != item.invoice_number).cloned();
    let taken =
        others(number).or_else(|| wire.and_then(|wire| others(wire).or_else(|| view.bill(wire).map(|bill| bill.invoice_number.clone()))));
    if let Some(other) = taken {
        return Some(AdoptionRefusal::NumberIsOf { number: at_doku.clone(), other });
    }
    (!claimed.insert(at_doku.clone())).then(|| AdoptionRefusal::NumberIsRepeated(at_doku.clone()))
}

/// What a row says otherwise than the ledger; what it does not say does not differ.
fn differences(item: &AdoptedCode, bill: &BillState) -> Vec<TermsDifference> {
    let (ours, theirs) = (&bill.terms, &item.terms);
    let held = bill.code.as_ref().and_then(|code| code.answer.expires_at);
    let expires_otherwise = theirs.expiry != EXPIRY_UNKNOWN && held != item.answer.expires_at;
    [
        (ours.amount != theirs.amount).then_some(TermsDifference::Amount { ours: ours.amount, theirs: theirs.amount }),
        (ours.channel != theirs.channel).then_some(TermsDifference::Channel { ours: ours.channel, theirs: theirs.channel }),
        expires_otherwise.then_some(TermsDifference::Expiry { ours: held, theirs: item.answer.expires_at }),
    ]
    .into_iter()
    .flatten()
    .collect()
}
