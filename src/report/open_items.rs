//! The list of open items read again: what nobody has to deal with yet, for whoever wants to decide about one all the same.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;

use super::manifest::{DigestedFile, ReportFile};
use crate::books::account::{Account, Side};
use crate::books::ground::of_known;
use crate::books::{self, ItemId};
use crate::domain::amount::Rupiah;
use crate::domain::classify::{Class, Nature};
use crate::domain::language::{Language, Say as _};
use crate::domain::reason::{OpenReason, Reason};
use crate::domain::spreadsheet::unescaped;
use crate::register::{DiscrepancyFacts, InBooks};

/// The open items of the report in `folder`, which lists its files so, that are shown under these ids, each with what its books hold of it: a
/// decision keeps that.
///
/// # Errors
/// When the file cannot be read, or a row is no item.
pub fn read(folder: &Path, listed: &[ReportFile], ids: &BTreeSet<String>) -> io::Result<Vec<DiscrepancyFacts>> {
    let mut found = rows(folder, listed, |_, id, _| ids.contains(id))?;
    if !found.is_empty() {
        // What a decision keeps must be what the run has written.
        let mut carried = listed.iter().filter(|file| file.name.starts_with(super::books::CARRY));
        if let Some(file) = carried.find(|file| ReportFile::of(folder, &file.name).ok().as_ref() != Some(*file)) {
            return Err(io::Error::other(format!("{} is not what the run wrote", file.name)));
        }
        let (_, known) = super::books::read_carry(folder).map_err(io::Error::other)?;
        for books in found.iter_mut().filter_map(|facts| facts.books.as_mut()) {
            books.ground = of_known(&known, books.item);
        }
    }
    Ok(found)
}

/// Those that are wanted, by the item, the id under which it is shown, and what is to be done about it.
///
/// # Errors
/// When the file cannot be read, or a row is no item.
pub fn rows(folder: &Path, listed: &[ReportFile], is_wanted: impl Fn(ItemId, &str, &str) -> bool) -> io::Result<Vec<DiscrepancyFacts>> {
    let mut rows = csv::Reader::from_reader(DigestedFile::open(folder, super::books::OPEN_ITEMS, listed)?);
    let mut found = Vec::new();
    for (number, row) in (2_u64..).zip(rows.deserialize::<BTreeMap<String, String>>()) {
        let row = row?;
        let wrong = || io::Error::other(format!("{}: row {number} is no open item", super::books::OPEN_ITEMS));
        let item = row.get("item").and_then(|item| ItemId::parse(item)).ok_or_else(wrong)?;
        let cell = |name: &str| row.get(name).map_or("", String::as_str);
        if is_wanted(item, cell("discrepancy_id"), cell("status")) {
            found.push(facts(&row).ok_or_else(wrong)?);
        }
    }
    rows.into_inner().finish()?;
    Ok(found)
}

fn facts(row: &BTreeMap<String, String>) -> Option<DiscrepancyFacts> {
    let cell = |name: &str| row.get(name).map(String::as_str);
    let text = |name: &str| cell(name).map(|text| unescaped(text).into_owned());
    let account = match cell("account")? {
        "alarm" => None,
        name => Some(Account::parse(name)?),
    };
    let (class, amount) = (cell("class")?, cell("amount")?.parse::<i64>().ok()?);
    let side = account.map(|account| account.info().side);
    let balance = if side == Some(Side::Credit) { amount.saturating_neg() } else { amount };
    let is_owed = matches!(account, Some(Account::Receivable | Account::Unproven | Account::Doku | Account::Direct));
    let cause: Reason =
        OpenReason { since: cell("since")?.parse().ok()?, account: cell("account")?.to_owned().into(), size: Rupiah::new(amount.into()) }
            .into();
    let channel = cell("channel").filter(|channel| !channel.is_empty()).map(str::to_owned);
    Some(DiscrepancyFacts {
        id: text("discrepancy_id")?,
        class: class.to_owned(),
        nature: if cell("status")? == "to_do" { Nature::Break } else { Nature::Timing }.name().to_owned(),
        severity: "none".to_owned(),
        flags: Vec::new(),
        invoice_number: text("invoice_number")?,
        payment_code: text("payment_code")?,
        channel,
        expected: is_owed.then_some(amount),
        paid: (!is_owed).then_some(amount),
        paid_at: None,
        reason: cause.told(Language::English).to_string(),
        cause,
        recommended: Class::parse(class).map_or("", |class| class.info().code.remedy).to_owned(),
        evidence: Vec::new(),
        times: 1,
        books: Some(Box::new(InBooks { account, item: ItemId::parse(cell("item")?)?, balance, ground: books::Facts::default() })),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_read_back_as_it_was_before_it_was_made_harmless() {
        let names = ["'Aisyah", "=1+1", "X;=1+1"];
        let folder = tempfile::tempdir().unwrap();
        let mut csv = crate::columns::Csv::new(Vec::new());
        let columns =
            ["account", "class", "amount", "since", "channel", "status", "discrepancy_id", "item", "payment_code", "invoice_number"];
        csv.texts(columns.into_iter()).unwrap();
        let item = ItemId::bill("A").to_string();
        for name in names {
            csv.texts(["receivable", "", "1000", "2026-10-31", "alfa", "to_do", "d", item.as_str(), "1", name].into_iter()).unwrap();
        }
        std::fs::write(folder.path().join(super::super::books::OPEN_ITEMS), csv.into_inner()).unwrap();
        let mut rows = csv::Reader::from_path(folder.path().join(super::super::books::OPEN_ITEMS)).unwrap();
        let read = rows.deserialize().map(|row| facts(&row.unwrap()).unwrap().invoice_number);
        assert_eq!(read.collect::<Vec<_>>(), names);
    }
}
