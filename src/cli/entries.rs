//! `tagih discrepancies entries`: double entries under the merchant's own accounts.

use std::path::Path;

use super::output::{self, rupiah};
use super::reconcile::month;
use super::setup::{Failure, Setup};
use crate::domain::booking::Account;
use crate::exit::Exit;
use crate::jobs::entries::{self, EntriesOptions, Reported};
use crate::journal;
use crate::report::entries::read_settled;
use crate::report::read_rounded;

pub(super) fn entries(setup: &Setup, report: Option<&Path>, period: Option<&str>, out: &Path) -> Result<Exit, Failure> {
    let (config, settlement) = (&setup.config, &setup.config.settlement);
    let name = |account: Account| {
        let known = crate::books::Account::parse(account.name()).and_then(|account| config.accounts.get(&account));
        known.or_else(|| config.unused.get(&format!("accounts.{}", account.name()))).cloned().unwrap_or_default()
    };
    let options = EntriesOptions {
        accounts: Account::ALL.into_iter().map(|account| (account, name(account))).collect(),
        vat_percent: [settlement.alfa.vat_percent, settlement.indomaret.vat_percent],
        days: period.map(month).transpose()?,
    };
    let reported = report.map(read).transpose().map_err(|error| Failure::new(Exit::Input, format!("E0810: {error}")))?;
    let written = entries::write(out, &journal::read(setup.journal_path())?.register()?, &reported.unwrap_or_default(), &options)?;
    if written.left_out > 0 {
        let count = written.left_out;
        output::note(format_args!(
            "warning: {count} settlement rows are not booked: refunds, repeated rows, other products, unpaid, or they do not add up"
        ));
    }
    if setup.json {
        let (total, left_out) = (written.total, written.left_out);
        output::result(serde_json::json!({"entries": written.entries, "total": total, "settlement_rows_left_out": left_out}));
    } else {
        output::result(format_args!("{} entries, debits = credits = {}, in {}", written.entries, rupiah(written.total), out.display()));
    }
    Ok(Exit::Done)
}

fn read(folder: &Path) -> std::io::Result<Reported> {
    Ok(Reported { settled: read_settled(folder)?, rounded: read_rounded(folder)? })
}
