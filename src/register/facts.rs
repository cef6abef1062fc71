//! What is known of one discrepancy, and the fingerprint by which two looks at it are compared.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use crate::books;
use crate::books::account::Side;
use crate::books::pair::Leg;
use crate::books::{Account, ItemId};
use crate::domain::classify::{Class, Nature};
use crate::domain::digest;
use crate::domain::reason::Reason;

/// What a discrepancy is about; its id is made from that.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum DiscrepancySubject {
    /// A line of evidence (N).
    Line,
    /// A payment (P).
    Payment,
    /// A bill (L).
    Bill,
    /// A row of a ledger or settlement file (L10, S).
    Row,
}

/// One discrepancy as a run found it. Amounts are rupiah.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct DiscrepancyFacts {
    /// The stable id, made from the subject alone.
    pub id: String,
    /// The class, such as `P01`. Text, because a journal outlives the table of classes.
    pub class: String,
    /// `BREAK` or `TIMING`.
    pub nature: String,
    /// `critical`, `high`, `medium` or `none`.
    pub severity: String,
    /// Lower hits and flags.
    pub flags: Vec<String>,
    /// The invoice number; empty when unknown.
    pub invoice_number: String,
    /// The code; empty when unknown.
    pub payment_code: String,
    /// `alfa` or `indomaret`.
    pub channel: Option<String>,
    /// What the bill asks for.
    pub expected: Option<i64>,
    /// What was paid.
    pub paid: Option<i64>,
    /// When, to the second.
    pub paid_at: Option<Timestamp>,
    /// Both sides' values, in English words.
    pub reason: String,
    /// The same as values, of which words in every language are made; nothing in journals and reports of before they were kept.
    #[serde(default, deserialize_with = "Reason::kept", skip_serializing_if = "Reason::is_nothing")]
    pub cause: Reason,
    /// What the class recommends.
    pub recommended: String,
    /// Digests of the lines it rests on.
    pub evidence: Vec<String>,
    /// How many findings share the subject (equal rows of an external ledger).
    pub times: u32,
    /// The open item of the books that it is; none where it has no balance, and in journals of before there were books.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub books: Option<Box<InBooks>>,
}

/// An open item of the books, or an alarm, as a run left it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InBooks {
    /// On which account; none for an alarm.
    pub account: Option<Account>,
    /// Which item.
    pub item: ItemId,
    /// What is open on it: debit +, credit −.
    pub balance: i64,
    /// The facts it rests on: a decision about it keeps them.
    pub ground: books::Facts,
}

/// A digest over the facts that a decision rests on: class, nature, sides, amounts and what is wrong besides. Words and further
/// evidence of the same thing do not count.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Fingerprint(String);

impl Fingerprint {
    /// One as written in a file.
    #[must_use]
    pub fn of_text(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl InBooks {
    fn fingerprint(&self, class: &str) -> Fingerprint {
        let account = self.account.map_or("alarm", Account::name);
        let (item, balance) = (self.item.to_string(), self.balance.to_string());
        let full = digest::of_parts(&[b"item", class.as_bytes(), account.as_bytes(), item.as_bytes(), balance.as_bytes()]);
        Fingerprint(digest::hex(full.get(..8).unwrap_or(&full)))
    }
}

impl DiscrepancyFacts {
    /// See [`Fingerprint`].
    #[must_use]
    pub fn fingerprint(&self) -> Fingerprint {
        if let Some(books) = &self.books {
            return books.fingerprint(&self.class);
        }
        self.fingerprint_without_books()
    }

    /// Whether `later` says what these say: of an item that was noted before there were books, as far as it could be noted then.
    #[must_use]
    pub fn is_same(&self, later: &Self) -> bool {
        match self.books {
            Some(_) => self.fingerprint() == later.fingerprint(),
            None => self.fingerprint_without_books() == later.fingerprint_without_books(),
        }
    }

    fn fingerprint_without_books(&self) -> Fingerprint {
        let mut breaking: Vec<&str> = self.flags.iter().map(String::as_str).filter(|flag| is_breaking(flag)).collect();
        breaking.sort_unstable();
        let amount = |amount: Option<i64>| amount.map_or_else(String::new, |rupiah| rupiah.to_string());
        let full = digest::of_parts(&[
            b"facts",
            self.class.as_bytes(),
            self.nature.as_bytes(),
            breaking.join(";").as_bytes(),
            self.invoice_number.as_bytes(),
            self.payment_code.as_bytes(),
            self.channel.as_deref().unwrap_or_default().as_bytes(),
            amount(self.expected).as_bytes(),
            amount(self.paid).as_bytes(),
            self.paid_at.map_or_else(String::new, |at| at.as_second().to_string()).as_bytes(),
            self.times.to_string().as_bytes(),
        ]);
        Fingerprint(digest::hex(full.get(..8).unwrap_or(&full)))
    }

    /// What it is about.
    #[must_use]
    pub fn subject(&self) -> DiscrepancySubject {
        match self.class.as_bytes().first() {
            Some(b'N') => DiscrepancySubject::Line,
            Some(b'P') => DiscrepancySubject::Payment,
            Some(b'L') if self.class != Class::L10.id() => DiscrepancySubject::Bill,
            _ => DiscrepancySubject::Row,
        }
    }

    /// Where the money of it stands, or what is owed; of an item that was noted before there were books, by its class.
    #[must_use]
    pub fn leg(&self) -> Option<Leg> {
        if let Some(books) = &self.books {
            return books.account.map(|account| Leg::of(account, books.item));
        }
        let class = Class::parse(&self.class)?;
        match (self.subject(), class) {
            (DiscrepancySubject::Payment, _) => Some(Leg::of(Account::Suspense, ItemId::with_key(books::BooksSubject::Payment, &self.id)?)),
            (DiscrepancySubject::Bill, Class::L04) => Some(Leg::of(Account::Unproven, ItemId::debt_of(&self.invoice_number))),
            (DiscrepancySubject::Bill, _) => Some(Leg::of(Account::Receivable, ItemId::debt_of(&self.invoice_number))),
            (DiscrepancySubject::Line | DiscrepancySubject::Row, _) => None,
        }
    }

    /// What is open: in the books, as its account is normally counted; else what was paid, or was to be.
    #[must_use]
    pub fn open(&self) -> Option<i64> {
        let of_books = self.books.as_ref().map(|books| match books.account.map(|account| account.info().side) {
            Some(Side::Credit) => books.balance.saturating_neg(),
            Some(Side::Debit) | None => books.balance,
        });
        of_books.or(self.paid).or(self.expected)
    }

    /// What was paid less what was expected, where both are known.
    #[must_use]
    pub fn difference(&self) -> Option<i64> {
        Some(self.paid?.saturating_sub(self.expected?))
    }

    /// Whether someone must act.
    #[must_use]
    pub fn is_break(&self) -> bool {
        self.nature == Nature::Break.name()
    }
}

/// Whether a flag is a BREAK by itself.
fn is_breaking(flag: &str) -> bool {
    Class::parse(flag).is_some_and(|class| class.info().nature == Nature::Break)
}
