//! What planning says of one bill, and under which rules.
//!
//! Belongs here: the steps there are, and the refusals that every kind of code has in common. Must not be here: which step it is.

use serde::Serialize;

use crate::domain::bill::{Bill, Reach, RecordedTerms, Wanted};
use crate::domain::channel::IssuanceMethod;
use crate::domain::code::StableCode;
use crate::domain::codes;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, OperationKind};

/// What the configuration and the command line add to the files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rules {
    /// Issue expired, unpaid bills anew, under a suffixed number (`--reissue-expired`).
    pub reissue_expired: bool,
    /// What goes between the bill's number and the re-issue's count.
    pub reissue_suffix: String,
    /// Minutes after expiry before a bill may be issued anew: a payment at the last moment may still be on its way.
    pub reissue_grace_minutes: i64,
    /// Send again what DOKU refused, even if the row is the same (`--retry-rejected`).
    pub retry_rejected: bool,
}

/// What to do for one row.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub enum Step {
    /// POST under this number.
    Issue {
        /// The bill's number, or a suffixed one for a re-issue.
        wire_invoice_number: InvoiceNumber,
    },
    /// PATCH ACTIVE with the row's terms.
    Amend,
    /// PATCH DELETE.
    Cancel,
    /// Register, change or cancel a code in our ledger alone: DOKU asks when it is to be paid.
    Register(OperationKind),
    /// Settle the operation an earlier run left open, then plan again.
    Resolve,
    /// Ask DOKU whether the code has expired, then plan again.
    ConfirmExpiry,
    /// Ask DOKU whether an earlier refusal that bore no valid signature stands, then plan again.
    ConfirmRefusal,
    /// Wait for the cancellation of the bill that holds the code, then plan again.
    Wait {
        /// That bill.
        holder: InvoiceNumber,
    },
    /// Ask DOKU whether the code can be taken over from a bill that has expired or is paid, then plan again.
    Release {
        /// That bill.
        holder: InvoiceNumber,
        /// Whether a verified payment of it is known.
        is_paid: bool,
    },
    /// Take the code, of which DOKU was never told, from a bill that has expired or is paid, then plan again.
    Retire {
        /// That bill; this one, if its row wants what no code that it has can become.
        holder: InvoiceNumber,
        /// Whether a verified payment of it is known.
        is_paid: bool,
    },
    /// Record columns that only the ledger keeps.
    Note,
    /// Leave it alone.
    Unchanged(Unchanged),
    /// DOKU refused exactly this before.
    RejectedBefore {
        /// A stable code.
        code: String,
        /// DOKU's words.
        reason: String,
    },
    /// Refuse the row.
    Refused {
        /// Why, as a stable code.
        code: StableCode,
        /// The column at fault.
        column: &'static str,
        /// Why, with the row's facts.
        reason: String,
    },
}

impl Step {
    /// Whether carrying it out for `bill` takes a call to DOKU, or may come to one in the same run.
    #[must_use]
    pub fn calls_doku(&self, bill: &Bill) -> bool {
        match self {
            Self::Issue { .. }
            | Self::Amend
            | Self::Cancel
            | Self::Resolve
            | Self::ConfirmExpiry
            | Self::ConfirmRefusal
            | Self::Release { .. } => true,
            Self::Wait { .. } | Self::Retire { .. } => {
                matches!(&bill.wanted, Wanted::Live(terms) if terms.method != IssuanceMethod::Inquiry)
            }
            Self::Register(_) | Self::Note | Self::Unchanged(_) | Self::RejectedBefore { .. } | Self::Refused { .. } => false,
        }
    }
}

/// Why a row is left alone.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub enum Unchanged {
    /// The live code has the wanted terms.
    Live,
    /// A verified payment is known.
    Paid,
    /// The code expired unpaid.
    Expired,
    /// It is cancelled.
    Cancelled,
    /// There is nothing to cancel any more.
    NotLive,
    /// An earlier code of the bill is paid, and the one it holds now would take the money a second time: it is to be cancelled.
    PaidByEarlierCode,
    /// It waits for a person.
    Held,
}

impl Unchanged {
    /// The name used in files.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Live => "unchanged",
            Self::Paid => "paid",
            Self::Expired => "expired",
            Self::Cancelled => "cancelled",
            Self::NotLive => "not_live",
            Self::PaidByEarlierCode => "paid_by_earlier_code",
            Self::Held => "held",
        }
    }
}

/// The refusal of a change that no live code takes.
pub(super) fn fixed(changes: &[(&'static str, Reach)], wanted: &RecordedTerms, state: &BillState) -> Option<Step> {
    if changes.iter().any(|(column, _)| *column == "channel") {
        let reason = format!("it is live at {}, the row says {}", state.terms.channel, wanted.channel);
        return Some(refused(codes::CHANNEL_CHANGE, "channel", &reason));
    }
    let (column, _) = changes.iter().find(|(_, reach)| *reach == Reach::IssueOnly)?;
    Some(refused(codes::ISSUE_ONLY, column, &format!("`{column}` differs from the live code's")))
}

pub(super) fn refused(code: StableCode, column: &'static str, reason: &str) -> Step {
    Step::Refused { code, column, reason: reason.into() }
}
