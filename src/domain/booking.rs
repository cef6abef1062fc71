//! Double entries for what a discrepancy holds, and for what was decided about it.
//!
//! Only money outside the ordinary posting of a matched payment is booked here: held (suspense), too much (the customer's
//! deposit), too little (shortfall). Ids are made from item, chapter and purpose, so a booking exported twice is one booking.

use jiff::civil::Date;

use super::calendar::wib_date;
use super::digest;
use super::discrepancy::{Action, Chapter, Facts, Item};

/// What an amount is booked on; the merchant maps each to an account of theirs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Account {
    /// Money DOKU has collected and not yet paid out.
    InTransit,
    /// Premiums that customers owe.
    Receivable,
    /// Money whose owner or purpose is unknown.
    Suspense,
    /// Money that belongs to a known customer.
    CustomerDeposit,
    /// What a customer paid too little, apart from other premiums owed.
    Shortfall,
    /// What was given up, or kept for good.
    WriteOff,
    /// What a payment may differ within the tolerance.
    Rounding,
    /// DOKU's fees.
    FeeExpense,
    /// VAT on them.
    VatInput,
    /// The bank account DOKU pays to.
    Bank,
}

impl Account {
    /// All, in the order of the configuration.
    pub const ALL: [Self; 10] = [
        Self::InTransit,
        Self::Receivable,
        Self::Suspense,
        Self::CustomerDeposit,
        Self::Shortfall,
        Self::WriteOff,
        Self::Rounding,
        Self::FeeExpense,
        Self::VatInput,
        Self::Bank,
    ];

    /// Its key below `[accounts]`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InTransit => "in_transit",
            Self::Receivable => "receivable",
            Self::Suspense => "suspense",
            Self::CustomerDeposit => "customer_deposit",
            Self::Shortfall => "shortfall",
            Self::WriteOff => "write_off",
            Self::Rounding => "rounding",
            Self::FeeExpense => "fee_expense",
            Self::VatInput => "vat_input",
            Self::Bank => "bank",
        }
    }
}

/// One line of an entry, in rupiah; one of the two amounts is 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Leg {
    /// On which account.
    pub account: Account,
    /// What it receives.
    pub debit: u64,
    /// What it gives.
    pub credit: u64,
}

/// One booking.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Booking {
    /// Stable: the same booking has the same id in every export.
    pub id: String,
    /// Its WIB day.
    pub on: Date,
    /// What is booked, in words.
    pub words: String,
    /// The invoice number; empty when unknown.
    pub invoice_number: String,
    /// The code; empty when unknown.
    pub payment_code: String,
    /// The item; empty for a settlement batch.
    pub discrepancy_id: String,
    /// Its class; empty for a settlement batch.
    pub class: String,
    /// Its lines.
    pub legs: Vec<Leg>,
}

impl Booking {
    /// The sums of debits and of credits.
    #[must_use]
    pub fn totals(&self) -> (i128, i128) {
        self.legs.iter().fold((0, 0), |(debit, credit), leg| {
            (debit.saturating_add(i128::from(leg.debit)), credit.saturating_add(i128::from(leg.credit)))
        })
    }

    /// Whether debits equal credits, and something is booked.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        let (debit, credit) = self.totals();
        debit == credit && debit > 0
    }
}

/// Money outside the ordinary posting: on which account, and how much.
fn holding(facts: &Facts) -> Option<(Account, u64)> {
    let paid = facts.paid.and_then(|paid| u64::try_from(paid).ok());
    let difference = facts.difference();
    let (account, amount) = match facts.class.as_str() {
        "P01" | "P02" | "P15" => (Account::Suspense, paid),
        "P06" | "P07" | "P08" | "P12" => (Account::CustomerDeposit, paid),
        "P04" | "P10" => (Account::CustomerDeposit, difference.and_then(|more| u64::try_from(more).ok())),
        "L11" => (Account::Shortfall, difference.and_then(i64::checked_neg).and_then(|less| u64::try_from(less).ok())),
        _ => return None,
    };
    Some((account, amount.filter(|&amount| amount > 0)?))
}

/// Whether an action can end an item with these facts. Moving money needs money that is held.
#[must_use]
pub fn fits(action: Action, facts: &Facts) -> bool {
    let held = holding(facts).map(|(account, _)| account);
    match action {
        Action::Accept => true,
        Action::Refund | Action::Apply | Action::Credit => held.is_some_and(|account| account != Account::Shortfall),
        Action::WriteOff => held.is_some(),
        Action::Investigate => false,
    }
}

fn legs(debit: Account, credit: Account, amount: u64) -> Vec<Leg> {
    vec![Leg { account: debit, debit: amount, credit: 0 }, Leg { account: credit, debit: 0, credit: amount }]
}

/// What the finding itself books.
fn found(facts: &Facts) -> Option<Vec<Leg>> {
    let (account, amount) = holding(facts)?;
    Some(if account == Account::Shortfall { legs(account, Account::Receivable, amount) } else { legs(Account::InTransit, account, amount) })
}

/// What a decision books.
fn decided(action: Action, facts: &Facts) -> Option<Vec<Leg>> {
    let (account, amount) = holding(facts)?;
    Some(match (action, account) {
        (Action::WriteOff, Account::Shortfall) => legs(Account::WriteOff, account, amount),
        (Action::WriteOff, _) => legs(account, Account::WriteOff, amount),
        (Action::Refund, _) => legs(account, Account::Bank, amount),
        (Action::Apply, _) => legs(account, Account::Receivable, amount),
        (Action::Credit, Account::Suspense) => legs(account, Account::CustomerDeposit, amount),
        (Action::Credit | Action::Accept | Action::Investigate, _) => return None,
    })
}

fn reversed(legs: &[Leg]) -> Vec<Leg> {
    legs.iter().map(|leg| Leg { account: leg.account, debit: leg.credit, credit: leg.debit }).collect()
}

/// Every booking of an item's life: what was found, what was decided, and the reversal of both where they fell.
#[must_use]
pub fn of_item(item: &Item) -> Vec<Booking> {
    item.chapters.iter().enumerate().flat_map(|(number, chapter)| of_chapter(number, chapter)).collect()
}

fn of_chapter(number: usize, chapter: &Chapter) -> Vec<Booking> {
    let facts = &chapter.facts;
    let booking = |purpose: &str, on: Date, legs: Vec<Leg>| {
        let fingerprint = facts.fingerprint().to_string();
        let number = number.to_string();
        let id = digest::of_parts(&[b"booking", facts.id.as_bytes(), number.as_bytes(), fingerprint.as_bytes(), purpose.as_bytes()]);
        Booking {
            id: format!("B-{}", digest::hex(id.get(..10).unwrap_or(&id))),
            on,
            words: format!("{purpose}: {}", facts.class),
            invoice_number: facts.invoice_number.clone(),
            payment_code: facts.payment_code.clone(),
            discrepancy_id: facts.id.clone(),
            class: facts.class.clone(),
            legs,
        }
    };
    let Some(found) = found(facts) else { return Vec::new() };
    let mut all = vec![booking("found", chapter.opened_on, found.clone())];
    let resolution = chapter.resolution.as_ref();
    let decided = resolution.and_then(|made| Some((made, decided(made.action, facts)?)));
    if let Some((made, legs)) = &decided {
        all.push(booking(made.action.name(), wib_date(made.at), legs.clone()));
    }
    if let Some(on) = chapter.closed_on {
        if let Some((made, legs)) = &decided {
            let on = on.max(wib_date(made.at));
            all.push(booking(&format!("reversal of {}", made.action.name()), on, reversed(legs)));
        }
        all.push(booking("reversal of found", on, reversed(&found)));
    }
    all
}
