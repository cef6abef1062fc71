//! `tagih sync`: settles what an earlier run left open, then asks DOKU about bills that no notification came for.

use crate::domain::calendar::wib;
use crate::domain::check_status::Word;
use crate::domain::ids::InvoiceNumber;
use crate::domain::row_end::{Bucket, End, RowCounts};
use crate::exit::Exit;
use crate::jobs::stop::StopReason;
use crate::jobs::sync::{CheckEnd, SyncReport};
use crate::ledger::{Ledger as _, LedgerView as _};

use super::args::Sending;
use super::attention;
use super::failure::Failure;
use super::invoices::{invoice_number, unknown_invoice};
use super::output::{self, Progress};
use super::sender::{Flags, Sender};
use super::sending::{confirm, exit, overdue, tell_stop};
use super::setup::Setup;
use super::stopping::deadline;
use super::waiting::wait;

pub(super) fn sync(setup: &Setup, invoices: &[String], sending: &Sending) -> Result<Exit, Failure> {
    let deadline = deadline(sending, setup.clock.now())?;
    confirm(setup, sending, "status queries and replays")?;
    let flags = Flags { command: "sync", new_ledger: false, reissue_expired: false, retry_rejected: false, sequence_from: None };
    let sender = Sender::open(setup, &flags, Some(&setup.secret()?))?;
    let chosen = chosen(invoices)?;
    let (mut open, known) = wait(async {
        let view = sender.ledger.view().await?;
        Ok((view.open_bills().await?, view.bills(&chosen).await?))
    })?;
    if let Some(unknown) = chosen.iter().find(|number| known.iter().all(|bill| bill.invoice_number != **number)) {
        return Err(unknown_invoice(&sender.ledger, unknown.as_str())?);
    }
    open.retain(|bill| chosen.is_empty() || chosen.contains(&bill.invoice_number));
    let progress = Progress::new("sync", u64::try_from(open.len()).unwrap_or(u64::MAX), setup.quiet);
    let (issuing, syncing) = (sender.issuing(), sender.syncing(setup));
    let (ends, checked): (Vec<End>, SyncReport) = sender.drive(deadline, async {
        let ends = issuing.settle(&open, &|_, _| progress.advance()).await?;
        // What is in doubt goes first: settling it may take the queries of a stopped run.
        Ok::<_, Failure>((ends, syncing.run(&chosen).await?))
    })?;
    progress.finish();
    let counts = RowCounts::of(ends.iter());
    let settled = counts.total().saturating_sub(counts.get(Bucket::InDoubt));
    let (still, oldest_doubt, noted, head) = wait(async {
        let view = sender.ledger.view().await?;
        Ok((view.open_bills().await?.len(), view.oldest_doubt().await?, view.remarkable().await?, view.head().await?))
    })?;
    let (stopped, troubles) = (sender.stop.reason(), sender.stop.troubles());
    setup.figure(|figures| figures.rows("operations", "settled", settled, None));
    setup.figure(|figures| figures.rows("operations", "in_doubt", u64::try_from(still).unwrap_or(u64::MAX), None));
    setup.figure(|figures| figures.doubts(u64::try_from(still).unwrap_or(u64::MAX), oldest_doubt));
    setup.figure(|figures| figures.answers(sender.deliveries()));
    setup.figure_head(head);
    say(setup, open.len(), settled, still, &checked);
    remarks(setup, &checked);
    let of_checks = exit_of(&checked, stopped.as_ref());
    let exit = exit(&counts, 0, stopped.as_ref()).or(of_checks).or(overdue(setup, oldest_doubt)).or(attention::tell(setup, &noted));
    tell_stop(setup, stopped.as_ref(), &troubles, exit);
    Ok(exit)
}

/// The invoices named, each once.
fn chosen(invoices: &[String]) -> Result<Vec<InvoiceNumber>, Failure> {
    let mut chosen = invoices.iter().map(|text| invoice_number(text)).collect::<Result<Vec<_>, _>>()?;
    chosen.sort();
    chosen.dedup();
    Ok(chosen)
}

fn say(setup: &Setup, open: usize, settled: u64, still: usize, checked: &SyncReport) {
    let words = Word::ALL.map(|word| (word.name(), checked.count(|end| *end == CheckEnd::Told(word))));
    let found = checked.count(|end| *end == CheckEnd::Found);
    let unusable = checked.count(|end| *end == CheckEnd::Unusable);
    let unanswered = checked.count(|end| matches!(end, CheckEnd::Unanswered(_)));
    let postponed = checked.count(|end| matches!(end, CheckEnd::TooSoon(_)));
    let not_askable = checked.count(|end| matches!(end, CheckEnd::NotAskable(_)));
    let deferred = checked.count(|end| *end == CheckEnd::Deferred);
    let others = [
        ("paid_not_notified", found),
        ("paid_unusable", unusable),
        ("unanswered", unanswered),
        ("postponed", postponed),
        ("not_askable", not_askable),
        ("deferred", deferred),
    ];
    let all = || others.into_iter().chain(words);
    for (name, count) in all() {
        setup.figure(|figures| figures.rows("checks", name, u64::try_from(count).unwrap_or(u64::MAX), None));
    }
    if setup.json {
        let checks: serde_json::Map<String, serde_json::Value> = all().map(|(name, count)| (name.to_owned(), count.into())).collect();
        let result = serde_json::json!({
            "open": open, "settled": settled, "in_doubt": still, "checked": checked.ends.len(), "checks": checks,
        });
        return output::result(result);
    }
    output::done(format_args!("{open} open operations: {settled} settled, {still} still in doubt"));
    let parts: Vec<String> =
        all().filter(|(_, count)| *count > 0).map(|(name, count)| format!("{count} {}", name.replace('_', " "))).collect();
    let parts = if parts.is_empty() { "none due".to_owned() } else { parts.join(", ") };
    output::done(format_args!("{} bills asked about: {parts}", checked.ends.len()));
}

/// What a person should know of single bills.
fn remarks(setup: &Setup, checked: &SyncReport) {
    if setup.quiet {
        return;
    }
    for (number, end) in &checked.ends {
        match end {
            CheckEnd::TooSoon(from) => {
                let from = from.to_zoned(wib()).strftime("%H:%M:%S WIB").to_string();
                output::note(format_args!(
                    "note: invoice `{number}` is postponed to {from}: DOKU asks for a minute after each change or query"
                ));
            }
            CheckEnd::NotAskable(why) => output::note(format_args!("note: invoice `{number}` was not asked about: {why}")),
            CheckEnd::Unusable => {
                output::note(format_args!("warning: DOKU says invoice `{number}` is paid, but not how much or when; ask DOKU"));
            }
            CheckEnd::Unanswered(reason) => output::note(format_args!("note: no usable answer about invoice `{number}`: {reason}")),
            CheckEnd::Told(Word::Failed) => {
                output::note(format_args!("note: DOKU calls invoice `{number}` FAILED, which is not final; it is asked about again"));
            }
            CheckEnd::Found | CheckEnd::Told(_) | CheckEnd::Deferred => {}
        }
    }
}

/// Payments found are the business of `reconcile`; what was not answered, or cut, is this run's.
fn exit_of(checked: &SyncReport, stopped: Option<&StopReason>) -> Exit {
    let cut = stopped.filter(|_| checked.count(|end| *end == CheckEnd::Deferred) > 0);
    if let Some(StopReason::Signal(code)) = cut {
        Exit::Signal(*code)
    } else if cut.is_some() || checked.count(|end| matches!(end, CheckEnd::Unanswered(_))) > 0 {
        Exit::Partial
    } else if checked.count(|end| *end == CheckEnd::Unusable) > 0 {
        Exit::Look
    } else {
        Exit::Done
    }
}
