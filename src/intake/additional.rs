//! What a row, or the configuration for all rows, has DOKU take beside the order (`additional_info`).
//!
//! Belongs here: which cell or setting counts, and on which channel. Must not be here: the grammar of the parts (`domain`).

use std::collections::BTreeMap;

use super::bill_column::BillColumn;
use super::cells::parsed_yes_or_no;
use super::codes;
use super::row_cells::Cells;
use super::template::{self, Piece};
use crate::domain::additional::{self, Additional, FREE_LENGTH_MAX, REPORT_LENGTH_MAX, ReportColumn, SettlementShare, UrlRules};
use crate::domain::amount::Amount;
use crate::domain::channel::Channel;
use crate::domain::code::StableCode;

/// What the configuration says (`[additional_info]`). A cell of the row counts before it.
#[derive(Clone, Debug, Default)]
pub struct AdditionalOptions {
    /// What a notification URL must keep to.
    pub url_rules: UrlRules,
    /// Where all bills are notified.
    pub override_notification_url: Option<String>,
    /// How all settlements are split.
    pub settlement: Vec<SettlementShare>,
    /// Whether all settlements are held back.
    pub hold_settlement: bool,
    /// The sub-account of all bills.
    pub account_id: Option<String>,
    /// Whether settlement features are sent for Indomaret too.
    pub indomaret_settlement: bool,
    /// The columns of the settlement report.
    pub report: ReportTemplate,
    /// Texts under keys of the merchant's own.
    pub free: FreeTemplate,
}

/// Texts under keys of the merchant's own, each with what is made for it of a row.
#[derive(Clone, Debug, Default)]
pub struct FreeTemplate(ReportTemplate);

impl FreeTemplate {
    /// Takes them apart: `branch=Jakarta; policy={policy_number}`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str, cycle: Option<&str>) -> Result<Self, String> {
        let template = ReportTemplate::parse(text, cycle)?;
        template.0.iter().try_for_each(|(key, _)| additional::check_free_key(key))?;
        Ok(Self(template))
    }
}

/// The columns of the settlement report, each with what is made for it of a row.
#[derive(Clone, Debug, Default)]
pub struct ReportTemplate(Vec<(String, Vec<Piece>)>);

impl ReportTemplate {
    /// Takes the report's columns apart: `Policy={policy_number}; Cycle={cycle}`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn parse(text: &str, cycle: Option<&str>) -> Result<Self, String> {
        let mut columns: Vec<(String, Vec<Piece>)> = Vec::new();
        for part in text.split(';').map(str::trim).filter(|part| !part.is_empty()) {
            let (key, template) = part.split_once('=').ok_or_else(|| format!("`{part}` is not `KEY=TEMPLATE`"))?;
            let key = key.trim();
            if key.is_empty() || key.chars().count() > REPORT_LENGTH_MAX {
                return Err(format!("the key of `{part}` must have 1 to {REPORT_LENGTH_MAX} characters"));
            }
            if columns.iter().any(|(earlier, _)| earlier == key) {
                return Err(format!("`{key}` stands in it twice"));
            }
            let mut pieces = template::pieces(template.trim(), &["cycle"])?;
            for piece in &mut pieces {
                if let Piece::Other(_, width) = piece {
                    *piece = Piece::Text(cycle.map(|cycle| template::filled(cycle, *width)).unwrap_or_default());
                }
            }
            columns.push((key.to_owned(), pieces));
        }
        Ok(Self(columns))
    }
}

impl AdditionalOptions {
    /// The row's part and the configuration's.
    pub(super) fn of(&self, cells: &mut Cells<'_>, channel: Option<Channel>, amount: Option<Amount>) -> Option<Box<Additional>> {
        let given = self.url(cells);
        let settles = channel.is_none_or(|channel| channel.profile().takes_settlement) || self.indomaret_settlement;
        if !settles {
            refuse_settlement(cells);
            return Additional { override_notification_url: given, free: self.free(cells), ..Additional::default() }.into_given();
        }
        Additional {
            override_notification_url: given,
            settlement: self.settlement(cells, amount),
            report: self.report(cells),
            hold_settlement: cells.parsed(BillColumn::HoldSettlement, parsed_yes_or_no).unwrap_or(self.hold_settlement),
            account_id: self.account_id(cells),
            free: self.free(cells),
        }
        .into_given()
    }

    fn url(&self, cells: &mut Cells<'_>) -> Option<String> {
        let check = |url: &str| self.url_rules.check(url).map(|()| url.to_owned()).map_err(|reason| (codes::OVERRIDE_URL, reason));
        let is_given = !cells.get(BillColumn::OverrideNotificationUrl).is_empty();
        if is_given { cells.parsed(BillColumn::OverrideNotificationUrl, check) } else { self.override_notification_url.clone() }
    }

    fn settlement(&self, cells: &mut Cells<'_>, amount: Option<Amount>) -> Vec<SettlementShare> {
        let is_given = !cells.get(BillColumn::Settlement).is_empty();
        let parse = |text: &str| additional::parse_settlement(text).map_err(|reason| (codes::SETTLEMENT, reason));
        let shares = if is_given { cells.parsed(BillColumn::Settlement, parse).unwrap_or_default() } else { self.settlement.clone() };
        if let Some(reason) = amount.and_then(|amount| additional::check_against_amount(&shares, amount).err()) {
            cells.refuse(BillColumn::Settlement, (codes::SETTLEMENT, reason));
        }
        shares
    }

    fn account_id(&self, cells: &mut Cells<'_>) -> Option<String> {
        let parse = |text: &str| additional::check_account(text).map(|()| text.to_owned()).map_err(|reason| (codes::ACCOUNT, reason));
        let is_given = !cells.get(BillColumn::AccountId).is_empty();
        if is_given { cells.parsed(BillColumn::AccountId, parse) } else { self.account_id.clone() }
    }

    /// A report column of which the row has no part is left out.
    fn report(&self, cells: &mut Cells<'_>) -> Vec<ReportColumn> {
        let made = made_of(cells, &self.report, |key| {
            (codes::REPORT, format!("with it the report's `{key}` has more than {REPORT_LENGTH_MAX} characters"))
        });
        made.into_iter().map(|(key, value)| ReportColumn { key, value }).collect()
    }

    /// The setting's texts, each unless the row has a cell under its key; a key of which the row has no part is left out.
    fn free(&self, cells: &mut Cells<'_>) -> BTreeMap<String, String> {
        let made = made_of(cells, &self.free.0, |key| {
            (codes::FREE_KEY, format!("with it `additional_info.{key}` has more than {FREE_LENGTH_MAX} characters"))
        });
        let mut free: BTreeMap<String, String> = made.into_iter().collect();
        for (key, value, index) in cells.free() {
            let is_long = value.chars().count() > FREE_LENGTH_MAX;
            let too_long = || is_long.then(|| format!("the value has more than {FREE_LENGTH_MAX} characters"));
            if let Some(reason) = additional::check_free_key(key).err().or_else(too_long) {
                cells.refuse_at(index, (codes::FREE_KEY, reason));
            }
            free.insert(key.to_owned(), value.to_owned());
        }
        free
    }
}

/// What `template` makes of the row, key by key; a value that is too long is refused as `wrong` says.
fn made_of(cells: &mut Cells<'_>, template: &ReportTemplate, wrong: impl Fn(&str) -> (StableCode, String)) -> Vec<(String, String)> {
    let mut made = Vec::with_capacity(template.0.len());
    for (key, pieces) in &template.0 {
        let Some((value, source)) = filled_in(cells, pieces) else { continue };
        if value.chars().count() > REPORT_LENGTH_MAX {
            cells.refuse(source.unwrap_or(BillColumn::InvoiceNumber), wrong(key));
        }
        made.push((key.clone(), value));
    }
    made
}

/// The text a template makes of the row, and the last column in it; `None` when a column is blank or nothing comes of it.
fn filled_in(cells: &Cells<'_>, pieces: &[Piece]) -> Option<(String, Option<BillColumn>)> {
    let (mut value, mut source) = (String::new(), None);
    for piece in pieces {
        match piece {
            Piece::Text(text) => value.push_str(text),
            Piece::Cell(column, width) => {
                let text = cells.get(*column);
                if text.is_empty() {
                    return None;
                }
                source = Some(*column);
                value.push_str(&template::filled(text, *width));
            }
            Piece::Other(..) => {}
        }
    }
    (!value.is_empty()).then_some((value, source))
}

/// What a row asks for where it cannot be had is refused, not left out.
fn refuse_settlement(cells: &mut Cells<'_>) {
    for column in [BillColumn::Settlement, BillColumn::HoldSettlement, BillColumn::AccountId] {
        if !cells.get(column).is_empty() {
            let reason = "indomaret settles directly, so DOKU has nothing to split, hold or move";
            cells.refuse(column, (codes::SETTLEMENT_CHANNEL, reason.into()));
        }
    }
}
