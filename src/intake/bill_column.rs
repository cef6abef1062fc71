//! The columns tagih knows: their names and aliases, and what each holds.
//!
//! Belongs here: the names. Must not be here: where a file has them (`columns`), what a cell may hold (`cells`).

/// A column tagih knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "each is described in docs/formats-input.md under the name it has in files")]
#[repr(u8)]
pub enum BillColumn {
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
    WireInvoiceNumber,
}

/// How many columns there are.
pub(super) const COLUMN_COUNT: usize = BillColumn::WireInvoiceNumber.ordinal() + 1;

impl BillColumn {
    /// Its place among all of them.
    #[allow(clippy::as_conversions, reason = "a discriminant of one byte")]
    pub(super) const fn ordinal(self) -> usize {
        self as usize
    }

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
        Self::WireInvoiceNumber,
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
            Self::WireInvoiceNumber => "wire_invoice_number",
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
        matches!(
            self,
            Self::InvoiceNumber | Self::PaymentCode | Self::Amount | Self::PolicyNumber | Self::CustomerNumber | Self::WireInvoiceNumber
        )
    }

    /// The column of that name, among all.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::OF_BILLS.iter().chain(Self::OF_CODES).copied().find(|column| column.name() == name)
    }

    /// Whether what is called so, in a file or a layout, holds personal data.
    #[must_use]
    pub fn names_personal(name: &str) -> bool {
        Self::OF_BILLS.iter().chain(Self::OF_CODES).any(|column| column.is_personal() && column.is_called(name))
    }

    /// The words it takes, where only few are known.
    pub(super) const fn choices(self) -> &'static [&'static str] {
        match self {
            Self::Channel => &["alfa", "indomaret"],
            Self::Method => &["doku", "merchant", "inquiry"],
            Self::Action => &["cancel"],
            Self::Reusable | Self::HoldSettlement => &["true", "false", "yes", "no"],
            _ => &[],
        }
    }

    /// Whether it holds a date or a time.
    pub(super) const fn is_date(self) -> bool {
        matches!(self, Self::ExpiresAt | Self::DueDate | Self::CreatedAt)
    }

    /// Whether it holds a number, a code or an invoice number: an apostrophe in front is a spreadsheet's, not the value's.
    pub(super) const fn is_number(self) -> bool {
        self.identifies() || matches!(self, Self::ExpiryMinutes | Self::ExpiresAt | Self::DueDate | Self::CreatedAt)
    }

    pub(super) fn is_called(self, name: &str) -> bool {
        self.name() == name || self.alias() == Some(name)
    }

    /// As [`Column::is_called`], in a file with these headers (normalized): where the customer has a column, a `policy_holder`
    /// beside it is somebody else.
    pub(super) fn is_called_among(self, name: &str, headers: &[String]) -> bool {
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

/// The column that says why a row was refused; it is not read back.
pub const REASON_COLUMN: &str = "tagih_reason";
