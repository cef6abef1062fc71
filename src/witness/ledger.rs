//! What the ledger says: its export, folded once more, by as little as the comparison needs.

use std::collections::{BTreeMap, BTreeSet};
use std::io::BufRead;

use jiff::Timestamp;
use serde::Deserialize;

use super::json_lines::{Unreadable, lines};

/// See the module.
#[derive(Clone, Debug, Default)]
pub struct Told {
    /// Bills by their numbers.
    pub bills: BTreeMap<String, Bill>,
    /// Whose each `Request-Id` is, and each number on the wire.
    pub sent: BTreeMap<String, String>,
    /// See above.
    pub wires: BTreeMap<String, String>,
}

/// A bill.
#[derive(Clone, Debug, Default)]
pub struct Bill {
    /// Everything that was ever to be sent about it, oldest first.
    pub operations: Vec<Operation>,
    /// Every code it was ever given.
    pub codes: BTreeSet<String>,
    /// What it asks for now, and by which code; none where nothing is live by the ledger's word.
    pub live: Option<Live>,
    /// Whether the ledger called it cancelled last.
    pub is_cancelled: bool,
    /// Under which number DOKU knows the code that was adopted, if one was.
    pub adopted_as: Option<String>,
}

/// Something that was to be sent.
#[derive(Clone, Debug)]
pub struct Operation {
    /// Its idempotency key.
    pub request_id: String,
    /// `issue`, `amend` or `cancel`.
    pub kind: String,
    /// The number on the wire.
    pub wire_invoice_number: String,
    /// What it asked for.
    pub terms: Terms,
    /// How it ended.
    pub end: End,
    /// The code of the answer, if one told of it.
    pub payment_code: Option<String>,
    /// When Check Status told how it ended, if that did (UTC).
    pub asked_at: Option<Timestamp>,
    /// The `Request-Id` under which the same was meant before, and was in doubt when this was.
    pub before: Option<String>,
}

impl Operation {
    /// Whether it is a cancellation of which only this is said: that Check Status told its order's end, and `end` it was.
    #[must_use]
    pub fn has_found_expired(&self, end: Timestamp) -> bool {
        self.kind == "cancel" && self.asked_at.is_some_and(|asked_at| end <= asked_at)
    }

    /// Whether it is a cancellation of which only this is said: that Check Status told a payment. A counter may have taken that for what was
    /// cancelled, and then nothing shows that it was.
    #[must_use]
    pub fn has_found_paid(&self) -> bool {
        self.kind == "cancel" && self.asked_at.is_some() && self.end == End::NotDone
    }
}

/// How an operation ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// Not yet: it may have been carried out.
    Open,
    /// It was carried out.
    Done,
    /// It was not.
    NotDone,
    /// It was or it was not: nothing can be paid by it any more.
    Over,
}

/// A code that asks for money.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Live {
    /// The number DOKU knows it by.
    pub wire_invoice_number: String,
    /// The code.
    pub payment_code: String,
    /// What it asks for.
    pub terms: Terms,
    /// Its end, if the ledger knows it (UTC).
    pub expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
struct Line {
    #[serde(default)]
    kind: String,
    #[serde(default)]
    invoice_number: String,
    #[serde(default)]
    at: Option<Timestamp>,
    #[serde(default)]
    event: serde_json::Value,
}

/// What a code is to be.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Terms {
    /// In rupiah.
    pub amount: u64,
    /// `alfa` or `indomaret`.
    #[serde(default)]
    pub channel: String,
    /// Whether it may be paid any number of times.
    #[serde(default)]
    pub reusable: bool,
}

#[derive(Deserialize)]
struct Answer {
    payment_code: String,
    #[serde(default)]
    expires_at: Option<Timestamp>,
}

#[derive(Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
enum Event {
    Adopted {
        terms: Terms,
        answer: Answer,
        #[serde(default)]
        wire_invoice_number: Option<String>,
    },
    Intended {
        operation: String,
        terms: Terms,
        request_id: String,
        wire_invoice_number: String,
    },
    NotSent {},
    Rejected {},
    Reopened {},
    Accepted {
        answer: Answer,
        #[serde(default)]
        amount: Option<u64>,
    },
    Settled {
        verdict: String,
        #[serde(default)]
        answer: Option<Answer>,
        #[serde(default)]
        by: String,
    },
    Registered {
        answer: Answer,
    },
    Retired {},
    #[serde(other)]
    Other,
}

impl Told {
    /// Reads `ledger export`.
    ///
    /// # Errors
    /// [`Unreadable`].
    pub fn read(from: impl BufRead) -> Result<Self, Unreadable> {
        const WHAT: &str = "event of a ledger's export";
        let mut told = Self::default();
        for (number, line) in (1..).zip(lines::<Line>(from, WHAT)) {
            let Line { kind, invoice_number, at, event } = line?;
            if kind == "bill" {
                let event = serde_json::from_value(event).map_err(|reason| Unreadable::Line { line: number, what: WHAT, reason })?;
                told.take(invoice_number, at, event);
            }
        }
        Ok(told)
    }

    /// How many bills have anything to do with DOKU: something was to be sent about them, or their code was adopted.
    #[must_use]
    pub fn sent_about(&self) -> usize {
        self.bills.values().filter(|bill| !bill.operations.is_empty() || bill.adopted_as.is_some()).count()
    }

    /// Whether the ledger adopted a code under this number.
    #[must_use]
    pub fn is_adopted(&self, wire: &str) -> bool {
        let bill = self.wires.get(wire).and_then(|number| self.bills.get(number));
        bill.is_some_and(|bill| bill.adopted_as.as_deref() == Some(wire))
    }

    /// Whether anything was carried out, by its word.
    #[must_use]
    pub fn tells_of_changes(&self) -> bool {
        self.bills.values().any(|bill| bill.adopted_as.is_some() || bill.operations.iter().any(|operation| operation.end == End::Done))
    }

    fn take(&mut self, invoice_number: String, at: Option<Timestamp>, event: Event) {
        if let Event::Intended { request_id, wire_invoice_number, .. } = &event {
            self.sent.insert(request_id.clone(), invoice_number.clone());
            self.wires.insert(wire_invoice_number.clone(), invoice_number.clone());
        }
        if let Event::Adopted { wire_invoice_number, .. } = &event {
            let wire = wire_invoice_number.clone().unwrap_or_else(|| invoice_number.clone());
            self.wires.insert(wire.clone(), invoice_number.clone());
            self.bills.entry(invoice_number.clone()).or_default().adopted_as = Some(wire);
        }
        self.bills.entry(invoice_number).or_default().take(at, event);
    }
}

impl Bill {
    /// The operation that may have been carried out and has not ended.
    #[must_use]
    pub fn open(&self) -> Option<&Operation> {
        self.operations.last().filter(|last| last.end == End::Open)
    }

    fn take(&mut self, at: Option<Timestamp>, event: Event) {
        match event {
            Event::Adopted { terms, answer, .. } => {
                self.codes.insert(answer.payment_code.clone());
                let wire_invoice_number = self.adopted_as.clone().unwrap_or_default();
                self.live = Some(Live { wire_invoice_number, payment_code: answer.payment_code, terms, expires_at: answer.expires_at });
            }
            Event::Intended { operation, terms, request_id, wire_invoice_number } => {
                let same =
                    |open: &&Operation| open.kind == operation && open.terms == terms && open.wire_invoice_number == wire_invoice_number;
                let before = self.open().filter(same).map(|open| open.request_id.clone());
                self.operations.push(Operation {
                    request_id,
                    kind: operation,
                    wire_invoice_number,
                    terms,
                    end: End::Open,
                    payment_code: None,
                    asked_at: None,
                    before,
                });
            }
            Event::NotSent {} | Event::Rejected {} => self.end(End::NotDone),
            Event::Reopened {} => self.end(End::Open),
            Event::Accepted { answer, amount } => self.done(Some(answer), amount),
            Event::Settled { verdict, answer, by } => {
                match verdict.as_str() {
                    "done" => self.done(answer, None),
                    "dead" => {
                        self.codes.extend(answer.map(|answer| answer.payment_code));
                        self.end(End::Over);
                        self.live = None;
                    }
                    _ => self.end(End::NotDone),
                }
                if let Some(last) = self.operations.last_mut() {
                    last.asked_at = at.filter(|_| by == "status");
                }
            }
            // DOKU hears of these only by asking.
            Event::Registered { answer } => drop(self.codes.insert(answer.payment_code)),
            Event::Retired {} => self.live = None,
            Event::Other => {}
        }
    }

    fn end(&mut self, end: End) {
        if let Some(last) = self.operations.last_mut() {
            last.end = end;
        }
    }

    fn done(&mut self, answer: Option<Answer>, amount: Option<u64>) {
        self.end(End::Done);
        let Some(last) = self.operations.last_mut() else { return };
        last.payment_code = answer.as_ref().map(|answer| answer.payment_code.clone());
        self.codes.extend(last.payment_code.clone());
        self.is_cancelled = last.kind == "cancel";
        let before = self.live.take();
        if self.is_cancelled {
            return;
        }
        let known = before.filter(|_| last.kind == "amend");
        let payment_code = last.payment_code.clone().or_else(|| known.as_ref().map(|live| live.payment_code.clone()));
        self.live = payment_code.map(|payment_code| Live {
            wire_invoice_number: last.wire_invoice_number.clone(),
            payment_code,
            terms: Terms { amount: amount.unwrap_or(last.terms.amount), ..last.terms.clone() },
            expires_at: answer.and_then(|answer| answer.expires_at),
        });
    }
}
