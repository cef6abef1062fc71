//! Codes that bills have lost: money for them may come late, and is the bill's all the same.

use std::collections::HashMap;

use jiff::Timestamp;

use super::new_bill::FormerCode;

/// A code as a bill had it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Former {
    pub(super) bill: u32,
    /// When it was made, if DOKU said so.
    pub(super) created_at: Option<Timestamp>,
    /// When it stopped being payable, if DOKU said so.
    pub(super) expires_at: Option<Timestamp>,
}

/// All of them, by code; few bills ever lose one.
#[derive(Debug, Default)]
pub(super) struct FormerCodes(HashMap<Box<str>, Vec<Former>>);

impl FormerCodes {
    pub(super) fn add(&mut self, bill: u32, codes: &[FormerCode<'_>]) {
        for order in codes {
            let Some(code) = order.payment_code else { continue };
            let former = Former { bill, created_at: order.created_at, expires_at: order.expires_at };
            self.0.entry(code.into()).or_default().push(former);
        }
    }

    /// All of them, each with its code.
    pub(super) fn all(&self) -> impl Iterator<Item = (&str, &Former)> {
        self.0.iter().flat_map(|(code, former)| former.iter().map(move |one| (&**code, one)))
    }

    pub(super) fn of(&self, payment_code: &str) -> impl Iterator<Item = &Former> {
        self.0.get(payment_code).into_iter().flatten()
    }
}
