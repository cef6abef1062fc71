//! What is held against the bills, read once; and the id of a run, made from its content.

use std::collections::{BTreeSet, HashSet};

use super::error::ReconcileError;
use super::options::{ReconcileOptions, SettlementFiles};
use crate::domain::digest::{self, Digest};
use crate::domain::line::NO_BILL;
use crate::domain::settlement::SettlementRow;
use crate::evidence::bank::{self, Statements};
use crate::evidence::{self, Evidence, EvidenceSources, Inquiries, ReadOptions, settlement};
use crate::journal::{self, Journal, JournalHead};
use crate::reconcile::month::Opening;
use crate::reconcile::{Bills, DigestSum, SettlementInput};
use crate::table;

/// What is held against the bills.
pub(super) struct Gathered {
    pub(super) evidence: Evidence,
    pub(super) settlement: Option<SettlementInput>,
    pub(super) bank: Option<Statements>,
    pub(super) inquiries: Option<Inquiries>,
    pub(super) journal: Journal,
}

impl Gathered {
    pub(super) fn read(bills: &Bills, options: &ReconcileOptions) -> Result<Self, ReconcileError> {
        let ReconcileOptions { keys, client_id, policy, tables, .. } = options;
        let sources = EvidenceSources { logs: &options.notifications, store: options.evidence.as_ref() };
        Ok(Self {
            evidence: evidence::read(sources, &ReadOptions { keys, client_id, policy, pairs: bills, tables })?,
            settlement: options.settlement.as_ref().map(|given| read_settlement(given, tables)).transpose()?,
            bank: (!options.bank.is_empty()).then(|| bank::read(&options.bank, tables, &|text| options.books.counts(text))).transpose()?,
            inquiries: (!options.inquiries.is_empty()).then(|| evidence::inquiries(&options.inquiries)).transpose()?,
            journal: options.journal.as_deref().map(journal::read).transpose()?.unwrap_or_default(),
        })
    }

    /// The numbers and codes that lines without a bill name, and those of settlement rows.
    pub(super) fn named(&self) -> HashSet<&str> {
        let lines = self.evidence.lines.iter().filter(|(_, line)| line.bill == NO_BILL).map(|(_, line)| self.evidence.lines.texts(line));
        let rows = self.settlement.iter().flat_map(|input| &input.files.rows);
        let rows = rows.flat_map(|row| [row.invoice_number.as_str(), &row.report_code, &row.recon_code]);
        lines.flat_map(|(number, code)| [number, code]).chain(rows).filter(|name| !name.is_empty()).collect()
    }

    pub(super) fn content<'a>(&self, bills: Digest, opening: Option<&'a Opening>) -> Content<'a> {
        let mut lines = DigestSum::default();
        for (_, line) in self.evidence.lines.iter() {
            lines.add(&line.digest);
        }
        Content {
            bills,
            lines: lines.finish(),
            settlement: self.settlement.as_ref().map(settlement_digest),
            bank: self.bank.as_ref().map(bank_digest),
            inquiries: self.inquiries.as_ref().map(inquiries_digest),
            journal: self.journal.head(),
            opening,
        }
    }
}

pub(in crate::jobs) fn read_settlement(given: &SettlementFiles, tables: &table::TableSettings) -> Result<SettlementInput, ReconcileError> {
    Ok(SettlementInput { files: settlement::read(&given.files, tables)?, terms: given.terms.clone() })
}

/// What a report is made from, by content.
pub(super) struct Content<'a> {
    bills: Digest,
    lines: Digest,
    settlement: Option<Digest>,
    bank: Option<Digest>,
    inquiries: Option<Digest>,
    /// Decisions are an input: they change what a report says of its findings.
    journal: JournalHead,
    opening: Option<&'a Opening>,
}

/// Equal for equal content of the inputs, whatever their order or files, and equal configuration.
pub(super) fn run_id(options: &ReconcileOptions, content: &Content<'_>, carried: Option<&str>) -> String {
    let asked = digest::of_value(&(options.from, options.to, options.as_of, &options.policy, &options.client_id, &options.books));
    let journal = (content.journal.sequence > 0).then_some(content.journal.hash);
    let mut parts: Vec<&[u8]> = vec![b"run", &content.bills, &content.lines, &asked];
    let given = [("settlement", &content.settlement), ("bank", &content.bank), ("inquiries", &content.inquiries), ("journal", &journal)];
    for (name, part) in given {
        parts.extend(part.iter().flat_map(|digest| [name.as_bytes(), digest.as_slice()]));
    }
    parts.extend(content.opening.iter().flat_map(|opening| [b"opening".as_slice(), opening.from.hash.as_bytes()]));
    parts.extend(carried.iter().flat_map(|hash| [b"books".as_slice(), hash.as_bytes()]));
    let full = digest::of_parts(&parts);
    digest::hex(full.get(..16).unwrap_or(&full))
}

/// Over what rows and totals say, in whatever order, files and format.
fn settlement_digest(input: &SettlementInput) -> Digest {
    let mut sum = DigestSum::default();
    for digest in input.files.rows.iter().map(SettlementRow::content).chain(input.files.malformed.iter().map(|row| row.digest)) {
        sum.add(&digest);
    }
    // The parts of a batch that was split repeat its totals.
    let totals: BTreeSet<_> = input.files.totals.iter().collect();
    for totals in totals {
        sum.add(&digest::of_value(totals));
    }
    digest::of_parts(&[&sum.finish(), &digest::of_value(&input.terms)])
}

/// Over what lines say, in whatever order, files and format.
fn bank_digest(statements: &Statements) -> Digest {
    let mut sum = DigestSum::default();
    for line in &statements.lines {
        sum.add(&digest::of_parts(&[&line.identity(), &line.occurrence.to_be_bytes()]));
    }
    // The report counts the rows that cannot be read.
    for row in statements.unread() {
        sum.add(&digest::of_parts(&[b"unread", row.column.as_bytes(), row.reason.as_bytes()]));
    }
    sum.finish()
}

/// Over what was answered, in whatever order and files.
fn inquiries_digest(inquiries: &Inquiries) -> Digest {
    digest::of_value(&inquiries.by_code)
}
