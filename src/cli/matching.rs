//! `[reconcile]` as the matching policy.

use super::failure::Failure;
use super::setup::Setup;
use crate::domain::classify::{MatchingPolicy, Unverifiable};

/// The policy in force.
pub(super) fn policy(setup: &Setup) -> Result<MatchingPolicy, Failure> {
    let settings = &setup.config.reconcile;
    let unverifiable = match settings.unverifiable.as_str() {
        "strict" => Unverifiable::Strict,
        "trust_log" => Unverifiable::TrustLog,
        other => return Err(Failure::setting(format!("`reconcile.unverifiable` must be strict or trust_log, not `{other}`"))),
    };
    Ok(MatchingPolicy {
        tolerance_rupiah: settings.tolerance_rupiah,
        expiry_grace_minutes: settings.expiry_grace_minutes,
        skew_minutes: settings.skew_minutes,
        late_evidence_grace_hours: settings.late_evidence_hours,
        expired_break_days: settings.expired_break_days,
        status_grace_hours: settings.status_grace_hours,
        lapsed_policy_statuses: settings.lapsed_policy_statuses.clone(),
        unverifiable,
        ..MatchingPolicy::default()
    })
}
