//! Who was asked what was said of keys, and what whoever signs must know of the months that a report goes on from.

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::Deserialize;

use crate::doku::keyring::Keyring;
use crate::domain::caveat::{self, Former, Signer, Signers, ToldCaveat};
use crate::domain::revocation::Revocation;
use crate::journal::period::ClosedPeriod;
use crate::journal::{Journal, JournalError};
use crate::report::manifest;
use crate::report::summary_inputs::{KeyFigures, WordFigures};

/// What ledgers said of keys, and what they and the months before come to.
#[derive(Clone, Debug, Default)]
pub struct LedgersAsked {
    /// The heads of the ledgers that were asked, `sequence:hash`.
    pub heads: Vec<String>,
    /// All that any of them says was said of keys, and when.
    pub said: Vec<(Timestamp, Revocation)>,
    /// What whoever signs must know.
    pub caveats: Vec<ToldCaveat>,
}

impl LedgersAsked {
    /// The keys of a report: those of the settings, the present one first, then the others that have signed what counts.
    pub(super) fn keys(&self, keyring: &Keyring, signers: &Signers) -> Vec<KeyFigures> {
        let of = |fingerprint: String, until| {
            let signer = signers.iter().find(|signer| signer.fingerprint == fingerprint);
            let said = self.said.iter().filter(|(_, said)| said.fingerprint == fingerprint);
            KeyFigures {
                until,
                last_received_at: signer.and_then(|signer| signer.last_received_at),
                undated: signer.is_some_and(|signer| signer.undated),
                said: said.map(|(at, said)| WordFigures::of(*at, said)).collect(),
                fingerprint,
            }
        };
        let mut keys: Vec<KeyFigures> = keyring.iter().map(|key| of(key.fingerprint(), key.ends())).collect();
        for signer in signers.iter() {
            if keys.iter().all(|key| key.fingerprint != signer.fingerprint) {
                keys.push(of(signer.fingerprint.clone(), keyring.revoked().after(&signer.fingerprint)));
            }
        }
        keys
    }
}

/// The months that a report from `before` goes on from: those that stand closed before it, if it is carried on from any, and those of `folders`.
///
/// # Errors
/// When the journal is damaged.
pub fn formers(journal: &Journal, before: Date, folders: &[&Path]) -> Result<Vec<Former>, JournalError> {
    if folders.is_empty() {
        return Ok(Vec::new());
    }
    let closed = journal.periods()?;
    let mut formers: Vec<Former> = closed.iter().filter(|period| period.close.closing.to < before).map(ClosedPeriod::former).collect();
    for former in folders.iter().filter_map(|folder| of_folder(folder)) {
        // Of a month that is closed the journal tells, which nobody has changed.
        let is_told = formers.iter().any(|closed| (closed.from, closed.to) == (former.from, former.to) && closed.signers.is_some());
        if !is_told {
            formers.push(former);
        }
    }
    Ok(formers)
}

/// What whoever signs a report must know, and with which close somebody has said that it stands.
///
/// # Errors
/// When the journal is damaged, or those of `is_known`: whether a ledger that was asked has a head.
pub fn caveats<E: From<JournalError>>(
    journal: &Journal,
    formers: &[Former],
    keyring: &Keyring,
    is_known: impl FnMut(&str) -> Result<bool, E>,
) -> Result<Vec<ToldCaveat>, E> {
    let closed = journal.periods()?;
    let accepted = |caveat: &caveat::Caveat| {
        closed.iter().find(|period| period.close.accepted.contains(caveat)).map(|period| period.close.closing.from)
    };
    let found = caveat::caveats(formers, journal.said_of_keys(), keyring.revoked(), is_known)?;
    Ok(found.into_iter().map(|caveat| ToldCaveat { accepted_with: accepted(&caveat), caveat }).collect())
}

/// What a report's summary.json says, as far as this needs it.
#[derive(Deserialize)]
struct Summary {
    period: Days,
    as_of: Timestamp,
    ledger: Source,
    #[serde(default)]
    keys: Vec<Signer>,
    /// Older reports did not say whom they asked, nor what each key had signed.
    revocations_asked: Option<Vec<String>>,
}

#[derive(Deserialize)]
struct Days {
    from: Date,
    to: Date,
}

#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
enum Source {
    Own { sequence: u64, head: String },
    External {},
}

/// The month of the report in `folder`; none where there is no report, which whoever reads its balances says.
fn of_folder(folder: &Path) -> Option<Former> {
    let summary: Summary = serde_json::from_slice(&manifest::summary(folder).ok()?).ok()?;
    let signers = summary.revocations_asked.is_some().then_some(summary.keys);
    let mut ledger_heads = summary.revocations_asked.unwrap_or_default();
    if let Source::Own { sequence, head } = summary.ledger {
        ledger_heads.push(format!("{sequence}:{head}"));
        ledger_heads.sort_unstable();
        ledger_heads.dedup();
    }
    Some(Former { from: summary.period.from, to: summary.period.to, seen_at: summary.as_of, signers, ledger_heads })
}
