//! `tagih privacy report`: all that is kept about a customer, for whoever asks what it is, and for whoever looks whether a purge has left any.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, Read as _};
use std::path::Path;

use clap::Subcommand;
use serde::Serialize;

use super::failure::Failure;
use super::invoices::{invoice_number, unknown_invoice};
use super::output::{self, rupiah};
use super::setup::Setup;
use super::waiting::done;
use crate::domain::bill::Customer;
use crate::domain::ids::InvoiceNumber;
use crate::domain::lifecycle::{BillState, Event};
use crate::domain::personal::Personal;
use crate::evidence;
use crate::exit::Exit;
use crate::ledger::{BillHappening, Ledger as _, LedgerError, LedgerView, Names};
use crate::serve::log;
use crate::table::STANDARD_INPUT;

#[derive(Debug, Subcommand)]
#[allow(clippy::doc_markdown, reason = "help texts for people")]
pub(super) enum PrivacyCommand {
    /// What the ledger, the server's logs and the journal have about a customer
    Report {
        /// Their name or e-mail address as the bills have it, in any letter case; `-` reads it from standard input
        #[arg(long, value_name = "NAME|EMAIL", required_unless_present = "invoice")]
        customer: Option<String>,
        /// The customer of this invoice
        #[arg(long, value_name = "INVOICE")]
        invoice: Option<String>,
    },
}

/// All that was found.
#[derive(Debug, Serialize)]
struct Report {
    bills: Vec<Bill>,
    logs: Vec<Mentions>,
    journal: Option<Mentions>,
    /// Whether the ledger has a name, an address or a body of theirs.
    keeps_personal_data: bool,
}

/// What the ledger has of one bill.
#[derive(Debug, Serialize)]
struct Bill {
    invoice_number: String,
    status: &'static str,
    amount: u64,
    payment_codes: Vec<String>,
    policy_number: Option<String>,
    name: Option<String>,
    email: Option<String>,
    account_name: Option<String>,
    request_bodies: u64,
    /// Whether the salt of its digests is gone, so that nobody can try names against them.
    is_purged: bool,
    last_event_at: Option<jiff::Timestamp>,
}

/// Lines of a file that name the customer, or an invoice or code of theirs.
#[derive(Debug, Serialize)]
struct Mentions {
    file: String,
    lines: u64,
}

pub(super) fn privacy(setup: &Setup, command: &PrivacyCommand) -> Result<Exit, Failure> {
    let PrivacyCommand::Report { customer, invoice } = command;
    let customer = customer.as_deref().map(given).transpose()?;
    let report = report(setup, customer.as_deref(), invoice.as_deref())?;
    if setup.json {
        output::result(serde_json::to_string(&report).map_err(|error| Failure::new(Exit::Disk, error))?);
    } else {
        print(&report);
    }
    Ok(Exit::Done)
}

/// From standard input, so that it need not stand in a list of processes or a shell's history.
fn given(text: &str) -> Result<String, Failure> {
    let mut written = text.to_owned();
    if text == STANDARD_INPUT {
        written.clear();
        io::stdin().read_to_string(&mut written)?;
    }
    let written = written.trim().to_owned();
    if written.is_empty() { Err(Failure::usage("`--customer` is empty")) } else { Ok(written) }
}

fn is_same(kept: &Personal, wanted: &str) -> bool {
    kept.reveal().trim().to_lowercase() == wanted.to_lowercase()
}

fn parts(customer: &Customer) -> impl Iterator<Item = &Personal> {
    [Some(&customer.name), customer.email.as_ref(), customer.account_name.as_ref()].into_iter().flatten()
}

fn report(setup: &Setup, customer: Option<&str>, invoice: Option<&str>) -> Result<Report, Failure> {
    let ledger = setup.reading()?;
    let invoice = invoice.map(invoice_number).transpose()?;
    let (bills, words) = done(async {
        let view = ledger.view().await?;
        let mut wanted: BTreeSet<String> = customer.map(str::to_owned).into_iter().collect();
        if let Some(customer) = match &invoice {
            Some(invoice) => view.customer(invoice).await?,
            None => None,
        } {
            wanted.extend(parts(&customer).map(|part| part.reveal().trim().to_owned()));
        }
        let mut numbers: BTreeSet<InvoiceNumber> = invoice.iter().cloned().collect();
        view.visit_customers(|number, customer| {
            if parts(&customer).any(|part| wanted.iter().any(|wanted| is_same(part, wanted))) {
                numbers.insert(number);
            }
        })
        .await?;
        let mut bills = Vec::new();
        for state in view.bills(&Vec::from_iter(numbers)).await? {
            let names = Names::of(&state);
            wanted.extend(names.numbers.iter().map(ToString::to_string).chain(names.codes.iter().map(ToString::to_string)));
            bills.push(bill(&view, &state, &names).await?);
        }
        Ok((bills, wanted))
    })?;
    if let Some(invoice) = invoice.filter(|_| bills.is_empty()) {
        return Err(unknown_invoice(&ledger, invoice.as_str())?);
    }
    let has_personal = |bill: &Bill| bill.name.is_some() || bill.email.is_some() || bill.account_name.is_some() || bill.request_bodies > 0;
    Ok(Report {
        keeps_personal_data: bills.iter().any(has_personal),
        logs: logs(setup, &words)?.into_iter().chain(stored(setup, &words)?).collect(),
        journal: mentions(setup.journal_path(), &words)?.filter(|found| found.lines > 0),
        bills,
    })
}

async fn bill(view: &impl LedgerView, state: &BillState, names: &Names) -> Result<Bill, LedgerError> {
    let number = &state.invoice_number;
    let (customer, history) = (view.customer(number).await?, view.history(number).await?);
    let mut request_bodies = 0_u64;
    for (_, happening) in &history {
        let BillHappening::Event(event) = happening else { continue };
        let id = match &**event {
            Event::Intended { request_id, .. } => Some(*request_id),
            Event::Checked { payment: Some(payment), .. } => Some(payment.request_id),
            _ => None,
        };
        if let Some(id) = id {
            request_bodies = request_bodies.saturating_add(u64::from(view.body(number, id).await?.is_some()));
        }
    }
    let text = |part: &Personal| part.reveal().to_owned();
    Ok(Bill {
        invoice_number: number.to_string(),
        status: state.status.name(),
        amount: state.terms.amount.get(),
        payment_codes: names.codes.iter().map(ToString::to_string).collect(),
        policy_number: state.terms.policy.number.clone(),
        name: customer.as_ref().map(|customer| text(&customer.name)),
        email: customer.as_ref().and_then(|customer| customer.email.as_ref().map(text)),
        account_name: customer.as_ref().and_then(|customer| customer.account_name.as_ref().map(text)),
        request_bodies,
        is_purged: state.salt.is_none(),
        last_event_at: history.last().map(|(at, _)| *at),
    })
}

/// The server's logs that mention any of the words.
fn logs(setup: &Setup, words: &BTreeSet<String>) -> Result<Vec<Mentions>, Failure> {
    let mut found = Vec::new();
    let entries = match fs::read_dir(&setup.config.serve.log_dir) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(found),
        entries => entries?,
    };
    for entry in entries {
        let entry = entry?;
        if entry.file_name().to_str().is_some_and(|name| log::day_of(name).is_some()) {
            found.extend(mentions(&entry.path(), words)?.filter(|found| found.lines > 0));
        }
    }
    found.sort_by(|a, b| a.file.cmp(&b.file));
    Ok(found)
}

/// Files of the evidence store that do.
fn stored(setup: &Setup, words: &BTreeSet<String>) -> Result<Vec<Mentions>, Failure> {
    let path = Path::new(&setup.config.evidence.store);
    if path.as_os_str().is_empty() || !path.exists() {
        return Ok(Vec::new());
    }
    let found = setup.evidence_at(path)?.naming(words)?;
    Ok(found.into_iter().map(|(path, lines)| Mentions { file: path.display().to_string(), lines }).collect())
}

fn mentions(path: &Path, words: &BTreeSet<String>) -> Result<Option<Mentions>, Failure> {
    let file = path.display().to_string();
    match evidence::lines_naming(path, words) {
        Ok(lines) => Ok(Some(Mentions { file, lines })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(Exit::Input, format!("`{file}` cannot be read: {error}"))),
    }
}

fn print(report: &Report) {
    output::result(format_args!("{} bills in the ledger", report.bills.len()));
    for bill in &report.bills {
        let codes = if bill.payment_codes.is_empty() { "no code".to_owned() } else { format!("code {}", bill.payment_codes.join(", ")) };
        let policy = bill.policy_number.as_ref().map_or_else(String::new, |number| format!(", policy {number}"));
        output::result(format_args!("  {}: {}, {}, {codes}{policy}", bill.invoice_number, bill.status, rupiah(bill.amount.into())));
        for (what, text) in [("name", &bill.name), ("e-mail address", &bill.email), ("account's name", &bill.account_name)] {
            if let Some(text) = text {
                output::result(format_args!("    {what}: {text}"));
            }
        }
        if bill.request_bodies > 0 {
            output::result(format_args!("    {} request bodies, with name and address", bill.request_bodies));
        }
        if bill.is_purged {
            output::result("    its personal data was purged, and the salt of its digests with it");
        }
    }
    for Mentions { file, lines } in report.logs.iter().chain(&report.journal) {
        output::result(format_args!("{lines} lines of {file} name them, or an invoice or code of theirs"));
    }
    output::note("backups, results and files of yours are not looked at; `tagih purge --due` removes what is kept for too long");
}
