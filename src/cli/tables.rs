//! How files of rows are read: `[intake]`, `[layouts]` and the flags beside them.

use clap::Args;

use super::setup::{Failure, Setup};
use crate::config;
use crate::table::{AmountFormat, DateFormat, Layout, Limits, Settings};

#[derive(Debug, Default, Args)]
pub(super) struct TableFlags {
    /// The layout of the files, one of `[layouts.NAME]` (default: the one whose headers they have)
    #[arg(long, value_name = "NAME")]
    pub(super) layout: Option<String>,
    /// The sheet of a workbook (default: the first)
    #[arg(long, value_name = "NAME")]
    pub(super) sheet: Option<String>,
    /// Let this value through although it looks like none, such as `NULL` or `-`; may be given several times
    #[arg(long, value_name = "VALUE", allow_hyphen_values = true)]
    pub(super) allow_value: Vec<String>,
}

impl Setup {
    /// How tables are opened and understood.
    pub(super) fn tables(&self, flags: &TableFlags) -> Result<Settings, Failure> {
        let settings = &self.config.intake;
        let delimiter = match settings.delimiter.as_str() {
            "auto" => None,
            "," => Some(b','),
            ";" => Some(b';'),
            "tab" | "\t" => Some(b'\t'),
            "|" => Some(b'|'),
            other => return Err(Failure::setting(format!("`intake.delimiter` must be auto, `,`, `;`, tab or `|`, not `{other}`"))),
        };
        let limits = Limits {
            record_bytes_max: settings.limits.record_bytes_max,
            columns_max: settings.limits.columns_max,
            rows_max: settings.limits.rows_max,
            field_bytes_max: settings.limits.field_bytes_max,
            ..Limits::default()
        };
        let amount_format = amount_format("intake", &settings.amount_format)?;
        let base = Layout { columns: settings.columns.clone(), amount_format, ..Layout::default() };
        let layouts = self.config.layouts.iter().map(|(name, layout)| named(name, layout)).collect::<Result<_, _>>()?;
        if let Some(name) = flags.layout.as_ref().filter(|name| !self.config.layouts.contains_key(*name)) {
            let names = self.config.layouts.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
            let known = if names.is_empty() { "the configuration has none".to_owned() } else { format!("there are {names}") };
            let hint = "write `[layouts.NAME]` into the configuration; `tagih init --from FILE` proposes one";
            return Err(Failure::usage(format!("there is no layout `{name}`: {known}\nhint: {hint}")));
        }
        Ok(Settings { base, layouts, layout: flags.layout.clone(), delimiter, sheet: flags.sheet.clone(), limits })
    }
}

fn named(name: &str, layout: &config::Layout) -> Result<Layout, Failure> {
    let section = format!("layouts.{name}");
    let date_format = match layout.date_format.as_str() {
        "" => DateFormat::default(),
        given => DateFormat::parse(given).ok_or_else(|| {
            let known = DateFormat::ALL.map(DateFormat::name).join(", ");
            Failure::setting(format!("`{section}.date_format` must be one of {known}, not `{given}`"))
        })?,
    };
    Ok(Layout {
        name: name.to_owned(),
        columns: layout.columns.clone(),
        amount_format: amount_format(&section, &layout.amount_format)?,
        date_format,
        values: layout.values.clone(),
        constants: layout.constants.clone(),
    })
}

fn amount_format(section: &str, name: &str) -> Result<AmountFormat, Failure> {
    if name.is_empty() {
        return Ok(AmountFormat::default());
    }
    AmountFormat::parse(name)
        .ok_or_else(|| Failure::setting(format!("`{section}.amount_format` must be plain, dot_thousands or comma_thousands, not `{name}`")))
}
