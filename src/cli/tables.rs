//! How files of rows are read: `[intake]`, `[layouts]` and the flags beside them.

use std::path::Path;

use clap::Args;
use jiff::fmt::temporal::Pieces;
use jiff::tz::Offset;

use super::failure::Failure;
use super::setup::Setup;
use crate::config;
use crate::domain::carried_columns::CarriedColumns;
use crate::domain::dimensions::PRODUCT;
use crate::evidence;
use crate::intake::BillColumn;
use crate::reconcile::is_external_column;
use crate::table::{AmountFormat, DateFormat, TableLayout, TableLimits, TableSettings};

#[derive(Clone, Debug, Default, Args)]
pub(super) struct TableFlags {
    /// The layout of the files, one of `[layouts.NAME]` (default: the one whose headers they have)
    #[arg(long, value_name = "NAME")]
    pub(super) layout: Option<String>,
    /// The sheet of a workbook (default: the first)
    #[arg(long, value_name = "NAME")]
    pub(super) sheet: Option<String>,
}

/// Of files of bills.
#[derive(Debug, Default, Args)]
pub(super) struct BillFlags {
    #[command(flatten)]
    pub(super) tables: TableFlags,
    /// Let this value through although it looks like none, such as `NULL` or `-`; may be given several times
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(super) allow_value: Vec<String>,
    /// Columns of the files that go through to the result files (instead of `results.carry_columns`): headers, or `all` for every
    /// column that tagih does not use
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(super) carry: Vec<String>,
}

impl Setup {
    /// How tables are opened and understood.
    pub(super) fn tables(&self, flags: &TableFlags) -> Result<TableSettings, Failure> {
        let settings = &self.config.intake;
        let delimiter = match settings.delimiter.as_str() {
            "auto" => None,
            "," => Some(b','),
            ";" => Some(b';'),
            "tab" | "\t" => Some(b'\t'),
            "|" => Some(b'|'),
            other => return Err(Failure::setting(format!("`intake.delimiter` must be auto, `,`, `;`, tab or `|`, not `{other}`"))),
        };
        let limits = TableLimits {
            record_bytes_max: settings.limits.record_bytes_max,
            columns_max: settings.limits.columns_max,
            rows_max: settings.limits.rows_max,
            field_bytes_max: settings.limits.field_bytes_max,
            expansion_max: self.config.evidence.expansion_max,
            ..TableLimits::default()
        };
        let amount_format = amount_format("intake", &settings.amount_format)?;
        let carry = self.config.results.carry_columns.clone();
        let base = TableLayout { columns: settings.columns.clone(), amount_format, carry: carry.clone(), ..TableLayout::default() };
        let layouts = self.config.layouts.iter().map(|(name, layout)| named(name, layout, &carry)).collect::<Result<_, _>>()?;
        if let Some(name) = flags.layout.as_ref().filter(|name| !self.config.layouts.contains_key(*name)) {
            let names = self.config.layouts.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let known = if names.is_empty() { "the configuration has none".to_owned() } else { format!("there are {names}") };
            let hint = "write `[layouts.NAME]` into the configuration; `tagih init --from FILE` proposes one";
            return Err(Failure::usage(format!("there is no layout `{name}`: {known}\nhint: {hint}")));
        }
        let (notifications, offset) = self.notifications()?;
        Ok(TableSettings {
            base,
            notifications,
            offset,
            layouts,
            layout: flags.layout.clone(),
            dimensions: self.dimensions()?,
            delimiter,
            sheet: flags.sheet.clone(),
            limits,
            standard_input: self.standard_input.path().map(Path::to_path_buf),
        })
    }

    /// By what bills are broken down: columns that are none of tagih's own.
    fn dimensions(&self) -> Result<Vec<String>, Failure> {
        let names = &self.config.report.dimensions;
        let is_own = |name: &&String| *name == PRODUCT || BillColumn::parse(name).is_some() || is_external_column(name);
        match names.iter().find(is_own) {
            Some(name) => Err(Failure::setting(format!(
                "`report.dimensions` has `{name}`, which is a column of tagih's own\nhint: the product (`policy_type`) is always there"
            ))),
            None => Ok(names.clone()),
        }
    }

    /// The same of files of bills.
    pub(super) fn bill_tables(&self, flags: &BillFlags) -> Result<TableSettings, Failure> {
        let mut tables = self.tables(&flags.tables)?;
        if !flags.carry.is_empty() {
            let carry = CarriedColumns::of(flags.carry.clone());
            for layout in std::iter::once(&mut tables.base).chain(&mut tables.layouts) {
                layout.carry = carry.clone();
            }
        }
        Ok(tables)
    }

    /// How tables of notifications are understood where no layout is chosen, and the offset of their times.
    fn notifications(&self) -> Result<(TableLayout, Option<Offset>), Failure> {
        let settings = &self.config.notifications;
        let unknown = settings.columns.keys().find(|column| !evidence::COLUMNS.contains(&column.as_str()));
        if let Some(unknown) = unknown {
            let known = evidence::COLUMNS.join(", ");
            return Err(Failure::setting(format!("`notifications.columns` has no column `{unknown}`\nhint: there are {known}")));
        }
        let written = settings.received_at_offset.as_str();
        let offset = (!written.is_empty()).then(|| offset(written)).transpose()?;
        let date_format = date_format("notifications", &settings.date_format)?;
        Ok((TableLayout { columns: settings.columns.clone(), date_format, ..TableLayout::default() }, offset))
    }
}

/// `+07:00` or `Z`.
fn offset(written: &str) -> Result<Offset, Failure> {
    let time = format!("2026-01-01T00:00:00{written}");
    let offset = if written == "Z" { Some(Offset::UTC) } else { Pieces::parse(&time).ok().and_then(|pieces| pieces.to_numeric_offset()) };
    offset.ok_or_else(|| Failure::setting(format!("`notifications.received_at_offset` must be such as +07:00, not `{written}`")))
}

fn date_format(section: &str, name: &str) -> Result<DateFormat, Failure> {
    if name.is_empty() {
        return Ok(DateFormat::default());
    }
    DateFormat::parse(name).ok_or_else(|| {
        let known = DateFormat::ALL.map(DateFormat::name).join(", ");
        Failure::setting(format!("`{section}.date_format` must be one of {known}, not `{name}`"))
    })
}

fn named(name: &str, layout: &config::Layout, carry: &CarriedColumns) -> Result<TableLayout, Failure> {
    let section = format!("layouts.{name}");
    Ok(TableLayout {
        name: name.to_owned(),
        columns: layout.columns.clone(),
        amount_format: amount_format(&section, &layout.amount_format)?,
        date_format: date_format(&section, &layout.date_format)?,
        values: layout.values.clone(),
        constants: layout.constants.clone(),
        carry: layout.carry_columns.as_ref().unwrap_or(carry).clone(),
    })
}

fn amount_format(section: &str, name: &str) -> Result<AmountFormat, Failure> {
    if name.is_empty() {
        return Ok(AmountFormat::default());
    }
    AmountFormat::parse(name)
        .ok_or_else(|| Failure::setting(format!("`{section}.amount_format` must be plain, dot_thousands or comma_thousands, not `{name}`")))
}
