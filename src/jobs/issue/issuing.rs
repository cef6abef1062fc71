//! What the steps of a run share: its collaborators and settings, and where a row goes after a step.
//!
//! Must not be here: a step.

use std::collections::HashMap;
use std::sync::atomic::AtomicU64;

use jiff::Timestamp;

use crate::doku::answer::Trust;
use crate::doku::info::InfoKey;
use crate::doku::paths::Paths;
use crate::domain::channel::Channel;
use crate::domain::digest::Digest;
use crate::domain::doubt::Patience;
use crate::domain::ids::InvoiceNumber;
use crate::domain::plan::{AmendBase, Rules};
use crate::domain::row_end::End;
use crate::gateway::pacing::Time;
use crate::jobs::caller::Caller;

/// What the configuration says about issuing.
#[derive(Clone, Debug)]
pub struct IssueSettings {
    /// `sandbox` or `production`; part of every request id.
    pub environment: String,
    /// Our `Client-Id`; part of every request id.
    pub client_id: String,
    /// Where the calls go.
    pub paths: Paths,
    /// Goes into every request id; follows from the secret key.
    pub request_id_key: Digest,
    /// What the text is called that a counter shows.
    pub info_key: InfoKey,
    /// How much signatures count.
    pub trust: Trust,
    /// How rows become steps.
    pub rules: Rules,
    /// From when DOKU counts an amendment's minutes.
    pub amend_base: AmendBase,
    /// Stands in a cancellation for a customer whose name is not kept.
    pub cancel_name: Option<String>,
    /// Minutes after its intent in which an operation in doubt is replayed; later only Check Status is asked.
    pub replay_window_minutes: i64,
    /// How long a negative finding must last to count.
    pub patience: Patience,
    /// Operations under way at once at most.
    pub in_flight_max: usize,
}

/// A run's collaborators.
pub struct Issuing<'a, L, G, T: Time> {
    /// The record.
    pub ledger: &'a L,
    /// The way to DOKU.
    pub caller: Caller<'a, G, T>,
    /// What the configuration says.
    pub settings: &'a IssueSettings,
    /// The wall clock (UTC).
    pub clock: &'a (dyn Fn() -> Timestamp + Sync),
    /// Channels of which this run knows whether Check Status knows their unpaid codes.
    pub controls: tokio::sync::Mutex<HashMap<Channel, bool>>,
    /// Set once the whole ledger was looked over.
    pub looked_over: tokio::sync::OnceCell<()>,
    /// Successes taken without a valid signature, where the policy is to warn.
    pub badly_signed: AtomicU64,
}

impl<L, G, T: Time> std::fmt::Debug for Issuing<'_, L, G, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Issuing").finish_non_exhaustive()
    }
}

/// Where a row goes after its step.
pub(super) enum Next {
    /// It has ended.
    Ended(End),
    /// The ledger has changed so that another step may be possible; the end stands if none is.
    PlanAgain(Option<End>),
    /// That other host is at its operation.
    Busy(String),
}

impl Next {
    /// Another run changed the bill after it was looked at.
    pub(super) fn overtaken(invoice_number: &InvoiceNumber) -> Self {
        Self::PlanAgain(Some(End::deferred(&format!("another run changed invoice `{invoice_number}` meanwhile"))))
    }
}

/// How a row ends that was not begun.
pub(super) fn stopped_before() -> End {
    End::deferred("the run was stopped before its turn")
}
