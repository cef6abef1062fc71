//! How files of bills are to be understood.

use jiff::Timestamp;

use super::additional::AdditionalOptions;
use super::code_template::CodeTemplate;
use crate::domain::channel::{Channel, IssuanceMethod, PerChannel};
use crate::table::TableSettings;

/// How a bill file is to be understood.
#[derive(Clone, Debug)]
pub struct Options {
    /// How files are opened, and the user's own headers and formats.
    pub tables: TableSettings,
    /// Values that are let through although they look like none (`--allow-value`).
    pub allowed: Vec<String>,
    /// Makes invoice numbers for files that have none: `{policy_number}-{cycle}`.
    pub invoice_number_template: Option<String>,
    /// The billing cycle (`--cycle`), for the template.
    pub cycle: Option<String>,
    /// What empty cells mean.
    pub defaults: Defaults,
    /// How long the text may be that a counter shows.
    pub info_lengths: PerChannel<usize>,
    /// The prefix DOKU gave for codes of our own making.
    pub merchant_bin: Option<String>,
    /// How codes of our own making come about for rows that bring none; without it every such row must bring its own.
    pub code_template: Option<CodeTemplate>,
    /// What goes out beside the order.
    pub additional: AdditionalOptions,
    /// Whether rows say themselves what they want, or all ask for cancellation.
    pub purpose: Purpose,
    /// The instant expiries are compared with.
    pub now: Timestamp,
}

impl Options {
    /// Canonical columns, plain amounts, no defaults, default limits.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self {
            tables: TableSettings::default(),
            allowed: Vec::new(),
            invoice_number_template: None,
            cycle: None,
            defaults: Defaults::default(),
            info_lengths: PerChannel::from_fn(|channel| channel.profile().info_length_max),
            merchant_bin: None,
            code_template: None,
            additional: AdditionalOptions::default(),
            purpose: Purpose::AsWritten,
            now,
        }
    }
}

/// What the rows of a file are for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Purpose {
    /// The `action` column says it row by row.
    AsWritten,
    /// Every row names a bill to cancel; only the invoice number matters (`tagih cancel FILE`).
    CancelAll,
}

/// What stands for an empty cell or an absent column.
#[derive(Clone, Debug, Default)]
pub struct Defaults {
    /// The channel; without it, every row must name one.
    pub channel: Option<Channel>,
    /// The method; `doku` without it.
    pub method: Option<IssuanceMethod>,
    /// Minutes until a code expires, 1 to the channel's limit; without it, every row must give an expiry.
    pub expiry_minutes: Option<u32>,
    /// Whether codes may be paid more than once; no without it.
    pub reusable: Option<bool>,
    /// Shown to the cashier.
    pub info: Option<String>,
    /// Printed on Indomaret's receipt, where it is mandatory.
    pub receipt_description: Option<String>,
    /// Printed under the receipt.
    pub receipt_footer: Option<String>,
}
