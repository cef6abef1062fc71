//! One finding: what someone must look at, why, and on what evidence.
//!
//! Belongs here: what there is to say of one, and what it is called. Must not be here: what is found (`findings`).

use jiff::Timestamp;

use crate::domain::amount::Rupiah;
use crate::domain::channel::Channel;
use crate::domain::classify::{Class, ClassSet, Nature, Severity, Stands};
use crate::domain::digest;
use crate::domain::digest::Digest;
use crate::domain::reason::Reason;
use crate::register::InBooks;

/// Where a digest's bytes are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Source {
    /// A line of evidence.
    Line(u32),
    /// A row of the external ledger, by its place in the list of malformed rows.
    Row(u32),
    /// A settlement row, by its place among them.
    Settlement(u32),
    /// A settlement row that cannot be read, by its place among those.
    MalformedSettlement(u32),
}

/// One discrepancy.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Made from its subject alone, so that a decision about it stays attached.
    pub id: String,
    /// Its class.
    pub class: Class,
    /// Lower hits and flags.
    pub flags: ClassSet,
    /// Its nature.
    pub nature: Nature,
    /// How bad it is.
    pub severity: Severity,
    /// The invoice number; empty when unknown.
    pub invoice_number: String,
    /// The code; empty when unknown.
    pub payment_code: String,
    /// The bill's channel, else the payment's.
    pub channel: Option<Channel>,
    /// What the bill asks for.
    pub expected: Option<Rupiah>,
    /// What was paid.
    pub paid: Option<Rupiah>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// Both sides' values.
    pub reason: Reason,
    /// Digests it rests on, sorted.
    pub evidence: Vec<Digest>,
    /// Where those are.
    pub sources: Vec<Source>,
    /// The item of the books that it is, once they are posted.
    pub books: Option<Box<InBooks>>,
    /// Whether a decision that stands dealt with it.
    pub is_decided: bool,
}

impl Finding {
    /// What is at stake where no balance says it: of a fee, what is charged beyond the contract and may be claimed.
    pub(super) fn at_stake(&self) -> Rupiah {
        match (self.class, self.paid, self.expected) {
            (Class::S04, Some(charged), Some(agreed)) => charged.minus(agreed),
            (_, paid, expected) => paid.filter(|paid| *paid != Rupiah::ZERO).or(expected).unwrap_or_default(),
        }
    }

    /// Whether it can be a row of the list of what somebody must see to: what is short stands on its bill, and a bill paid twice on the
    /// payment that is over. What is an alarm besides is a row as that.
    #[must_use]
    pub fn has_item(&self) -> bool {
        let is_alarm = |flag: Class| matches!(flag.info().stands, Stands::Alarm | Stands::AlarmOfFile);
        self.class.info().stands != Stands::Shared || self.class == Class::P04 || self.flags.iter().any(is_alarm)
    }

    /// What to do about it by default.
    #[must_use]
    pub fn action(&self) -> &'static str {
        self.action_class().info().code.remedy
    }

    /// The class or flag whose default action it is: a flag's where the class itself needs nobody.
    #[must_use]
    pub fn action_class(&self) -> Class {
        let flag = self.flags.raising().filter(|_| self.class.info().nature != Nature::Break);
        flag.unwrap_or(self.class)
    }
}

/// An id of 24 hexadecimal digits made from what the finding is about.
pub(super) fn id(parts: &[&[u8]]) -> String {
    let full = digest::of_parts(parts);
    digest::hex(full.get(..12).unwrap_or(&full))
}

/// The id of whatever is found about a payment.
pub(super) fn payment_id(identity: &Digest) -> String {
    id(&[b"payment", identity])
}

/// The id of whatever is found about a bill.
pub(super) fn bill_id(invoice_number: &str, payment_code: &str) -> String {
    id(&[b"bill", invoice_number.as_bytes(), payment_code.as_bytes()])
}

/// How bad a finding is: a flag that raises its bearer makes it as bad as itself.
pub(super) fn severity_of(class: Class, nature: Nature, flags: ClassSet) -> Severity {
    let own = if nature == Nature::Break { class.info().severity } else { Severity::None };
    flags.raising().map_or(own, |flag| own.max(flag.info().severity))
}
