//! `tagih doctor`: what of this machine, its settings and its way to DOKU would fail a night, and what to do about it.
//!
//! Belongs here: decisions over facts that were gathered elsewhere. Must not be here: looking at files, sockets or the environment.

pub mod codes;
mod finding;
mod host;
mod network;
mod records;
mod secret;
mod settings;
#[cfg(test)]
mod tests;

pub use finding::{Check, DoctorFinding, Level};
pub use host::{Host, HostPlace, Zone, file_system_of};
pub use network::{Network, Way};
pub use records::{LedgerState, LockState, LogState, RecordsState};
pub use secret::{Kept, Secret, SecretOddity, oddities};
pub use settings::DoctorSettings;

/// Everything that was looked at.
#[derive(Clone, Debug)]
pub struct DoctorFacts {
    /// What is configured.
    pub settings: DoctorSettings,
    /// The present secret, and the previous one where one is configured.
    pub secrets: Vec<Secret>,
    /// The way to DOKU.
    pub network: Network,
    /// Ledger, lock and logs.
    pub records: RecordsState,
    /// The machine.
    pub host: Host,
}

/// What there is to say of `facts`, in the order of [`Check`].
#[must_use]
pub fn examine(facts: &DoctorFacts) -> Vec<DoctorFinding> {
    let mut findings = settings::environment(&facts.settings);
    findings.extend(facts.secrets.iter().flat_map(|kept| secret::examine(kept, facts.host.user_id)));
    findings.extend(network::examine(&facts.network));
    findings.extend(records::examine(&facts.records, facts.settings.is_production));
    findings.extend(host::examine(&facts.host, &facts.settings));
    findings.extend(settings::risks(&facts.settings));
    findings.sort_by_key(|finding| finding.check);
    findings
}
