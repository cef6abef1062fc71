//! The columns tagih knows, and where a file has them.
//!
//! Belongs here: names, aliases, the mapping of a user's own headers. Must not be here: what a cell may hold.

use std::collections::BTreeMap;

use csv::StringRecord;

use super::error::Fault;

/// A column tagih knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is described in docs/formats-input.md under the name it has in files")]
pub enum Column {
    InvoiceNumber,
    Amount,
    CustomerName,
    Email,
    Channel,
    Method,
    PaymentCode,
    ExpiryMinutes,
    ExpiresAt,
    Reusable,
    Info,
    ReceiptDescription,
    ReceiptFooter,
    PolicyNumber,
    PolicyAccountName,
    PolicyType,
    PolicyStatus,
    DueDate,
    BillGroup,
    Action,
    CustomerNumber,
    OverrideNotificationUrl,
    Settlement,
    HoldSettlement,
    AccountId,
    CreatedAt,
}

impl Column {
    /// The columns of a file of bills.
    pub const OF_BILLS: &[Self] = &[
        Self::InvoiceNumber,
        Self::Amount,
        Self::CustomerName,
        Self::Email,
        Self::Channel,
        Self::Method,
        Self::PaymentCode,
        Self::ExpiryMinutes,
        Self::ExpiresAt,
        Self::Reusable,
        Self::Info,
        Self::ReceiptDescription,
        Self::ReceiptFooter,
        Self::PolicyNumber,
        Self::PolicyAccountName,
        Self::PolicyType,
        Self::PolicyStatus,
        Self::DueDate,
        Self::BillGroup,
        Self::Action,
        Self::CustomerNumber,
        Self::OverrideNotificationUrl,
        Self::Settlement,
        Self::HoldSettlement,
        Self::AccountId,
    ];

    /// The columns of a file of codes that exist at DOKU already (`tagih ledger import`).
    pub const OF_CODES: &[Self] = &[
        Self::InvoiceNumber,
        Self::PaymentCode,
        Self::Channel,
        Self::Amount,
        Self::Method,
        Self::Reusable,
        Self::CreatedAt,
        Self::ExpiresAt,
    ];

    /// The name in files and in `intake.columns`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::InvoiceNumber => "invoice_number",
            Self::Amount => "amount",
            Self::CustomerName => "customer_name",
            Self::Email => "email",
            Self::Channel => "channel",
            Self::Method => "method",
            Self::PaymentCode => "payment_code",
            Self::ExpiryMinutes => "expiry_minutes",
            Self::ExpiresAt => "expires_at",
            Self::Reusable => "reusable",
            Self::Info => "info",
            Self::ReceiptDescription => "receipt_description",
            Self::ReceiptFooter => "receipt_footer",
            Self::PolicyNumber => "policy_number",
            Self::PolicyAccountName => "policy_account_name",
            Self::PolicyType => "policy_type",
            Self::PolicyStatus => "policy_status",
            Self::DueDate => "due_date",
            Self::BillGroup => "bill_group",
            Self::Action => "action",
            Self::CustomerNumber => "customer_number",
            Self::OverrideNotificationUrl => "override_notification_url",
            Self::Settlement => "settlement",
            Self::HoldSettlement => "hold_settlement",
            Self::AccountId => "account_id",
            Self::CreatedAt => "created_at",
        }
    }

    /// Another name it goes by.
    #[must_use]
    pub const fn alias(self) -> Option<&'static str> {
        match self {
            Self::Amount => Some("premium"),
            Self::CustomerName => Some(POLICY_HOLDER),
            _ => None,
        }
    }

    /// Whether it holds personal data, which no message may show.
    #[must_use]
    pub const fn is_personal(self) -> bool {
        matches!(self, Self::CustomerName | Self::Email | Self::PolicyAccountName)
    }

    /// Whether its value identifies something, so that a space more or less makes another thing of it.
    pub(super) const fn identifies(self) -> bool {
        matches!(self, Self::InvoiceNumber | Self::PaymentCode | Self::Amount | Self::PolicyNumber | Self::CustomerNumber)
    }

    /// The column of that name, among all.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::OF_BILLS.iter().chain([&Self::CreatedAt]).copied().find(|column| column.name() == name)
    }

    fn is_called(self, name: &str) -> bool {
        self.name() == name || self.alias() == Some(name)
    }

    /// As [`Column::is_called`], in a file with these headers (normalized): where the customer has a column, a `policy_holder`
    /// beside it is somebody else.
    fn is_called_among(self, name: &str, headers: &[String]) -> bool {
        let has = |column: Self| headers.iter().any(|header| header == column.name());
        match self {
            Self::CustomerName if name == POLICY_HOLDER => !has(self),
            Self::PolicyAccountName if name == POLICY_HOLDER => has(Self::CustomerName) && !has(self),
            _ => self.is_called(name),
        }
    }
}

/// What a file calls the customer, or the name on the policy where the customer has a column of their own.
const POLICY_HOLDER: &str = "policy_holder";

/// Before a key of the merchant's own: `additional_info.branch`.
const FREE: &str = "additional_info.";

/// A header as it is compared: `" Invoice Number "`, `invoice-number` and `INVOICE_NUMBER` are one.
pub(super) fn normalized(header: &str) -> String {
    header.trim().chars().map(|c| if c == ' ' || c == '-' { '_' } else { c.to_ascii_lowercase() }).collect()
}

/// A user's own headers: tagih's column name → the header in their file.
pub type Mapping = BTreeMap<String, String>;

/// Whether a header (normalized) means something.
pub(super) fn is_known(header: &str, wanted: &[Column], mapping: &Mapping) -> bool {
    wanted.iter().any(|column| column.is_called(header))
        || header.starts_with(FREE)
        || mapping.values().any(|theirs| normalized(theirs) == header)
}

/// Where a file has its columns.
#[derive(Clone, Debug)]
pub(super) struct Columns {
    found: Vec<(Column, usize)>,
    /// Keys of the merchant's own, and where they are.
    free: Vec<(String, usize)>,
    headers: Vec<String>,
}

impl Columns {
    /// Finds `wanted` in `header`.
    pub(super) fn resolve(header: &StringRecord, wanted: &[Column], mapping: &Mapping) -> Result<Self, Fault> {
        for name in mapping.keys() {
            if Column::parse(name).is_none() {
                let suggestion = suggestion(name, wanted).map_or_else(String::new, |known| format!(", did you mean `{known}`?"));
                return Err(Fault::Mapping { name: name.clone(), suggestion });
            }
        }
        let names: Vec<String> = header.iter().map(normalized).collect();
        let headers: Vec<String> = header.iter().map(|name| name.trim().to_owned()).collect();
        let free = if wanted.contains(&Column::OverrideNotificationUrl) { free_keys(&names, &headers) } else { Vec::new() };
        let mut columns = Self { found: Vec::new(), free, headers };
        if !columns.look_like_data() {
            refuse_twins(&names)?;
        }
        let mut missing = Vec::new();
        for &column in wanted {
            let theirs = mapping.get(column.name()).map(|theirs| normalized(theirs));
            let is_mapped_elsewhere =
                |name: &str| mapping.iter().any(|(other, theirs)| other != column.name() && normalized(theirs) == name);
            let is_it =
                |name: &str| theirs.as_deref() == Some(name) || (column.is_called_among(name, &names) && !is_mapped_elsewhere(name));
            let mut places = names.iter().enumerate().filter(|(_, name)| is_it(name)).map(|(index, _)| index);
            match (places.next(), places.next()) {
                (Some(first), Some(second)) => {
                    let (first, second) = (first.saturating_add(1), second.saturating_add(1));
                    return Err(Fault::ColumnTwice { column: column.name().into(), first, second });
                }
                (Some(index), None) => columns.found.push((column, index)),
                (None, _) => {
                    if let Some(theirs) = mapping.get(column.name()) {
                        missing.push(format!("`{}` (mapped to `{theirs}`)", column.name()));
                    }
                }
            }
        }
        if missing.is_empty() { Ok(columns) } else { Err(columns.missing(&missing)) }
    }

    /// The fault of lacking `missing`, naming what there is; a first record that looks like data is not shown.
    pub(super) fn missing(&self, missing: &[String]) -> Fault {
        let found = if self.look_like_data() {
            "its first record looks like a bill, not like a header".to_owned()
        } else {
            format!("it has {}", quoted(&self.headers))
        };
        Fault::ColumnMissing { missing: missing.join(", "), found }
    }

    /// Whether the first record seems to be a bill: its cells may be personal then, and no message shows them.
    fn look_like_data(&self) -> bool {
        let is_data = |header: &String| header.contains('@') || (!header.is_empty() && header.bytes().all(|byte| byte.is_ascii_digit()));
        self.headers.iter().any(is_data)
    }

    /// Where `column` is, from 0.
    pub(super) fn index(&self, column: Column) -> Option<usize> {
        self.found.iter().find(|(found, _)| *found == column).map(|&(_, index)| index)
    }

    /// The column at a place, if tagih uses it.
    pub(super) fn at(&self, index: usize) -> Option<Column> {
        self.found.iter().find(|(_, place)| *place == index).map(|&(column, _)| column)
    }

    /// The columns under keys of the merchant's own: the key, and where it is, from 0.
    pub(super) fn free(&self) -> &[(String, usize)] {
        &self.free
    }

    /// The header at a place.
    pub(super) fn header(&self, index: usize) -> &str {
        self.headers.get(index).map_or("", String::as_str)
    }

    /// How many cells a row must have.
    pub(super) const fn count(&self) -> usize {
        self.headers.len()
    }

    /// A note for each column that is not used, so that a typo is seen.
    pub(super) fn unused_notes(&self, wanted: &[Column]) -> Vec<String> {
        let unused = self.headers.iter().enumerate().filter(|(index, header)| {
            !header.is_empty() && self.at(*index).is_none() && !self.free.iter().any(|(_, place)| place == index)
        });
        unused
            .map(|(_, header)| {
                let missing: Vec<Column> = wanted.iter().copied().filter(|&column| self.index(column).is_none()).collect();
                let hint = suggestion(header, &missing).map_or_else(String::new, |known| format!("; did you mean `{known}`?"));
                format!("column `{header}` is not used{hint}")
            })
            .collect()
    }
}

/// A key is written as the header has it: in JSON its case counts.
fn free_keys(names: &[String], headers: &[String]) -> Vec<(String, usize)> {
    let places = names.iter().zip(headers).enumerate().filter(|(_, (name, _))| name.starts_with(FREE));
    places.map(|(index, (_, header))| (header.get(FREE.len()..).unwrap_or_default().to_owned(), index)).collect()
}

fn refuse_twins(names: &[String]) -> Result<(), Fault> {
    for (index, name) in names.iter().enumerate() {
        let twin = names.iter().take(index).position(|earlier| earlier == name);
        if let (Some(twin), false) = (twin, name.is_empty()) {
            return Err(Fault::ColumnTwice { column: name.clone(), first: twin.saturating_add(1), second: index.saturating_add(1) });
        }
    }
    Ok(())
}

fn quoted(names: &[String]) -> String {
    names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")
}

/// The known name that `name` most resembles, if it does.
fn suggestion(name: &str, candidates: &[Column]) -> Option<&'static str> {
    const RESEMBLANCE_MIN: f64 = 0.88;
    let name = normalized(name);
    let names = candidates.iter().flat_map(|column| [Some(column.name()), column.alias()]).flatten();
    names
        .map(|known| (strsim::jaro_winkler(&name, known), known))
        .filter(|(resemblance, _)| *resemblance >= RESEMBLANCE_MIN)
        .max_by(|(left, _), (right, _)| left.total_cmp(right))
        .map(|(_, known)| known)
}
