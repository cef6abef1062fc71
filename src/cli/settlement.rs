//! `[settlement]` as the terms that settlement files are held against.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::civil::Date;

use super::failure::Failure;
use super::output;
use super::setup::Setup;
use super::unread_rows::{self, UnreadRow};
use crate::config::SettledChannel;
use crate::domain::calendar::WorkingDays;
use crate::domain::channel::{Channel, PerChannel};
use crate::domain::fee::{FeeSchedule, FeeShare};
use crate::domain::settlement::{ChannelTerms, NamedChannel, SettlementTerms};
use crate::jobs::reconcile::SettlementFiles;
use crate::reconcile::Reconciled;

/// `files` and the terms in force, for the days `from` to `to`; `None` without files.
pub(super) fn files(setup: &Setup, files: &[PathBuf], (from, to): (Date, Date)) -> Result<Option<SettlementFiles>, Failure> {
    if files.is_empty() {
        return Ok(None);
    }
    let terms = terms(setup)?;
    for year in from.year()..=to.year() {
        if !terms.working_days.knows_year(year) && !setup.quiet {
            output::note(format_args!(
                "warning: `settlement.holidays` has no day of {year}, so payments before holidays count as overdue (S02) too early"
            ));
        }
    }
    Ok(Some(SettlementFiles { files: files.to_vec(), terms }))
}

/// Names the rows that could not be read.
pub(super) fn warn(setup: &Setup, outcome: &Reconciled) {
    let Some(files) = outcome.inputs.settlement.as_ref().map(|input| &input.files) else { return };
    let rows = files.malformed.iter().map(|row| -> UnreadRow<'_> { (row.place, &row.column, &row.reason) });
    unread_rows::warn(setup, &files.files, rows, "", "settlement rows cannot be read; settlement.csv lists them (S10)");
}

pub(super) fn terms(setup: &Setup) -> Result<SettlementTerms, Failure> {
    let settings = &setup.config.settlement;
    let mut channels = BTreeMap::new();
    for (name, means) in &settings.channels {
        let channel = Channel::parse(means).map_or(NamedChannel::Other, NamedChannel::Ours);
        if channels.insert(name.trim().to_lowercase(), channel).is_some_and(|other| other != channel) {
            return Err(Failure::setting(format!("`settlement.channels` says two things of `{name}`\nhint: case makes no difference")));
        }
    }
    let shares = settings.shares.iter().filter_map(|(name, share)| Some((name.clone(), FeeShare::parse(share)?)));
    Ok(SettlementTerms {
        channels,
        terms: PerChannel::from_fn(|one| channel(settings.of(one))),
        working_days: WorkingDays::without(settings.holidays.iter().copied()),
        notification_grace_hours: settings.notification_grace_hours,
        shares: shares.collect(),
        third_parties: settings.third_parties.iter().cloned().collect(),
    })
}

fn channel(settings: &SettledChannel) -> ChannelTerms {
    let fee = FeeSchedule { flat_rupiah: settings.fee_rupiah, basis_points: settings.fee_basis_points, vat_percent: settings.vat_percent };
    ChannelTerms {
        is_settled: settings.settled_by_doku,
        working_days: settings.working_days,
        // No channel is free: zeros mean that the contract is not written down here.
        fee: Some(fee).filter(|fee| fee.flat_rupiah > 0 || fee.basis_points > 0),
    }
}
