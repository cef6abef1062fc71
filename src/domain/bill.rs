//! A bill: what one customer owes once, and the terms under which a counter may take the money.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::additional::Additional;
use super::amount::Amount;
use super::channel::{Channel, IssuanceMethod};
use super::digest;
use super::dimensions::Dimensions;
use super::ids::{InvoiceNumber, PaymentCode};
use super::personal::Personal;

/// One row of the wanted state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Bill {
    /// The key.
    pub invoice_number: InvoiceNumber,
    /// What the row asks for.
    pub wanted: Wanted,
}

/// Whether the row asks for a payable code or for none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// A live code under these terms.
    Live(Box<Terms>),
    /// No live code (`action=cancel`); whatever else the row says does not matter.
    Cancelled,
}

/// When a code stops being payable, exactly as the file gave it: never recomputed, so a re-run compares equal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Expiry {
    /// So many minutes after issue.
    Minutes(u32),
    /// At an instant (UTC).
    At(Timestamp),
}

/// Everything a row says about its code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Terms {
    /// The counter's chain.
    pub channel: Channel,
    /// Who makes the code.
    pub method: IssuanceMethod,
    /// The code, for codes of our own making.
    pub payment_code: Option<PaymentCode>,
    /// What is due, in rupiah.
    pub amount: Amount,
    /// Until when.
    pub expiry: Expiry,
    /// May it be paid more than once.
    pub reusable: bool,
    /// Who owes it.
    pub customer: Customer,
    /// Shown to the cashier.
    pub info: Option<String>,
    /// Printed on the receipt (Indomaret, mandatory there).
    pub receipt_description: Option<String>,
    /// Printed under the receipt.
    pub receipt_footer: Option<String>,
    /// The policy behind the bill.
    pub policy: Policy,
    /// Bills of one debt at several counters share this name.
    pub bill_group: Option<String>,
    /// What DOKU takes beside the order; none for nothing.
    pub additional: Option<Box<Additional>>,
}

/// Who owes a bill.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Customer {
    /// The policy holder's name.
    pub name: Personal,
    /// Their address, if any.
    pub email: Option<Personal>,
    /// In whose name the policy is (`policy_account_name`), where that is not the customer's own.
    pub account_name: Option<Personal>,
}

impl Customer {
    /// The name that insurance data show.
    #[must_use]
    pub const fn name_on_policy(&self) -> &Personal {
        match &self.account_name {
            Some(name) => name,
            None => &self.name,
        }
    }
}

/// The insurance policy behind a bill; all parts optional.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Policy {
    /// The policy's number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub number: Option<String>,
    /// Its product, as shown at the counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// Its state, as shown at the counter.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// When the premium is due (WIB date, ISO form).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub due_date: Option<jiff::civil::Date>,
    /// What it is broken down by in reports; never shown at the counter.
    #[serde(default, skip_serializing_if = "Dimensions::is_empty")]
    pub dimensions: Dimensions,
}

/// Terms as the ledger's events keep them: personal data only as salted digests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecordedTerms {
    /// See [`Terms::channel`].
    pub channel: Channel,
    /// See [`Terms::method`].
    pub method: IssuanceMethod,
    /// See [`Terms::payment_code`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payment_code: Option<PaymentCode>,
    /// See [`Terms::amount`].
    pub amount: Amount,
    /// See [`Terms::expiry`].
    pub expiry: Expiry,
    /// See [`Terms::reusable`].
    pub reusable: bool,
    /// Digest of the name; empty for an adopted code whose name is not known.
    pub name_digest: String,
    /// Digest of the e-mail address; empty for none.
    pub email_digest: String,
    /// Digest of the name on the policy; empty where that is the customer's.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub account_name_digest: String,
    /// See [`Terms::info`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub info: Option<String>,
    /// See [`Terms::receipt_description`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_description: Option<String>,
    /// See [`Terms::receipt_footer`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub receipt_footer: Option<String>,
    /// See [`Terms::policy`].
    #[serde(default)]
    pub policy: Policy,
    /// See [`Terms::bill_group`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub bill_group: Option<String>,
    /// See [`Terms::additional`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub additional: Option<Box<Additional>>,
}

/// Makes digests of one bill's personal data that cannot be guessed without it: it goes in first. The ledger keeps it with the bill, and
/// destroys it with the bill's personal data.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Salt([u8; 16]);

impl std::fmt::Debug for Salt {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salt(***)")
    }
}

impl Salt {
    /// A salt of these bytes.
    #[must_use]
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The bytes, for the ledger that keeps them.
    #[must_use]
    pub const fn bytes(&self) -> [u8; 16] {
        self.0
    }

    /// Stands for a customer, so that another in its place is found out.
    #[must_use]
    pub fn digest_of_customer(&self, customer: &Customer) -> [u8; 16] {
        let part = |part: &Option<Personal>| part.as_ref().map_or_else(Vec::new, |part| [b"=", part.reveal().as_bytes()].concat());
        let parts = [&self.0[..], customer.name.reveal().as_bytes(), &part(&customer.email), &part(&customer.account_name)];
        let [first, _] = digest::halves(&digest::of_parts(&parts));
        first
    }

    /// Stands for the bytes of a request or an answer, so that others in their place are found out: they hold names, and nobody who has a
    /// list of names can find out which, once the salt is gone.
    #[must_use]
    pub fn digest_of_body(&self, body: &[u8]) -> digest::Digest {
        digest::of_parts(&[&self.0, b"body", body])
    }

    /// Whether `wanted`, hexadecimal, stands for `body`: with the bill's salt, or without in events of before.
    #[must_use]
    pub fn is_of_body(salt: Option<Self>, wanted: &str, body: &[u8]) -> bool {
        let salted = salt.map(|salt| digest::hex(&salt.digest_of_body(body)));
        salted.as_deref() == Some(wanted) || digest::hex(&digest::of_bytes(body)) == wanted
    }

    /// Stands for a text in terms, hexadecimal.
    #[must_use]
    pub fn digest(&self, text: &str) -> String {
        let full = digest::of_parts(&[&self.0, text.as_bytes()]);
        digest::hex(full.get(..12).unwrap_or(&full))
    }
}

/// Salts for bills that have none, out of one run's randomness: the same bill gets the same, wherever in the run it is asked for.
#[derive(Clone)]
pub struct Salts([u8; 32]);

impl std::fmt::Debug for Salts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Salts(***)")
    }
}

impl Salts {
    /// Those of this randomness, which nobody keeps.
    #[must_use]
    pub const fn new(randomness: [u8; 32]) -> Self {
        Self(randomness)
    }

    /// A bill's salt: the one it has, or a new one.
    #[must_use]
    pub fn of(&self, invoice_number: &InvoiceNumber, kept: Option<Salt>) -> Salt {
        kept.unwrap_or_else(|| {
            let [first, _] = digest::halves(&digest::of_parts(&[&self.0, invoice_number.as_str().as_bytes()]));
            Salt(first)
        })
    }
}

impl Terms {
    /// The form the ledger keeps and compares.
    #[must_use]
    pub fn recorded(&self, salt: &Salt) -> RecordedTerms {
        RecordedTerms {
            channel: self.channel,
            method: self.method,
            payment_code: self.payment_code.clone(),
            amount: self.amount,
            expiry: self.expiry,
            reusable: self.reusable,
            name_digest: salt.digest(self.customer.name.reveal()),
            email_digest: self.customer.email.as_ref().map_or_else(String::new, |email| salt.digest(email.reveal())),
            account_name_digest: self.customer.account_name.as_ref().map_or_else(String::new, |name| salt.digest(name.reveal())),
            info: self.info.clone(),
            receipt_description: self.receipt_description.clone(),
            receipt_footer: self.receipt_footer.clone(),
            policy: self.policy.clone(),
            bill_group: self.bill_group.clone(),
            additional: self.additional.clone(),
        }
    }
}

/// How a changed column can reach a live code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Reach {
    /// Kept in our ledger only.
    LedgerOnly,
    /// DOKU's update call takes it.
    Amendable,
    /// Only sent when a code is issued; a change to it is refused.
    IssueOnly,
}

impl RecordedTerms {
    /// The columns in which `wanted` differs from these terms, each with how the change can reach the counter. What is registered
    /// here only can change in everything but what makes it that code.
    #[must_use]
    pub fn changes_to(&self, wanted: &Self) -> Vec<(&'static str, Reach)> {
        use Reach::{Amendable, IssueOnly, LedgerOnly};
        if self.is_adopted() {
            return self.adopted_changes_to(wanted);
        }
        let is_ours = self.method == IssuanceMethod::Inquiry;
        let at_issue = if is_ours { Amendable } else { IssueOnly };
        let insurance = if self.channel.profile().insurance_length_max.is_some() { at_issue } else { LedgerOnly };
        let mut changes = listed(&[
            ("channel", IssueOnly, self.channel != wanted.channel),
            ("method", IssueOnly, self.method != wanted.method),
            ("payment_code", IssueOnly, self.payment_code != wanted.payment_code),
            ("amount", Amendable, self.amount != wanted.amount),
            ("expiry", Amendable, self.expiry != wanted.expiry),
            ("reusable", Amendable, self.reusable != wanted.reusable),
            ("customer_name", Amendable, self.name_digest != wanted.name_digest),
            ("email", Amendable, self.email_digest != wanted.email_digest),
            ("info", Amendable, self.info != wanted.info),
            ("receipt_description", at_issue, self.receipt_description != wanted.receipt_description),
            ("receipt_footer", at_issue, self.receipt_footer != wanted.receipt_footer),
            ("policy_number", insurance, self.policy.number != wanted.policy.number),
            ("policy_account_name", insurance, self.account_name_digest != wanted.account_name_digest),
            ("policy_type", insurance, self.policy.kind != wanted.policy.kind),
            ("policy_status", insurance, self.policy.status != wanted.policy.status),
            ("due_date", insurance, self.policy.due_date != wanted.policy.due_date),
            ("bill_group", LedgerOnly, self.bill_group != wanted.bill_group),
            ("dimensions", LedgerOnly, self.policy.dimensions != wanted.policy.dimensions),
        ]);
        let additional = Additional::differences(self.additional.as_deref(), wanted.additional.as_deref());
        changes.extend(additional.into_iter().map(|part| (part, at_issue)));
        changes
    }

    /// Whether these terms came with `ledger import`, where only code, channel, amount, expiry and reuse are known.
    #[must_use]
    pub fn is_adopted(&self) -> bool {
        self.name_digest.is_empty()
    }

    /// These terms, with the digests of `known` where its bill's salt is gone: what was purged cannot be said to differ.
    #[must_use]
    pub fn with_digests_of(self, known: &Self) -> Self {
        let Self { name_digest, email_digest, account_name_digest, .. } = known.clone();
        Self { name_digest, email_digest, account_name_digest, ..self }
    }

    /// The same whichever ledger they are recorded in.
    #[must_use]
    pub fn without_digests(&self) -> Self {
        let nothing = String::new;
        Self { name_digest: nothing(), email_digest: nothing(), account_name_digest: nothing(), ..self.clone() }
    }

    /// What is not known of an adopted code cannot be said to differ; its expiry is compared only with an instant. One that is
    /// registered here only takes over everything from its first row, or DOKU could not be answered.
    fn adopted_changes_to(&self, wanted: &Self) -> Vec<(&'static str, Reach)> {
        let code_differs = wanted.payment_code.is_some() && self.payment_code != wanted.payment_code;
        let expiry_differs = matches!(wanted.expiry, Expiry::At(_)) && self.expiry != wanted.expiry;
        listed(&[
            ("channel", Reach::IssueOnly, self.channel != wanted.channel),
            ("payment_code", Reach::IssueOnly, code_differs),
            ("amount", Reach::Amendable, self.amount != wanted.amount),
            ("expiry", Reach::Amendable, expiry_differs),
            ("reusable", Reach::Amendable, self.reusable != wanted.reusable),
            ("method", Reach::IssueOnly, (self.method == IssuanceMethod::Inquiry) != (wanted.method == IssuanceMethod::Inquiry)),
            ("customer_name", Reach::Amendable, self.method == IssuanceMethod::Inquiry),
        ])
    }
}

fn listed(columns: &[(&'static str, Reach, bool)]) -> Vec<(&'static str, Reach)> {
    columns.iter().filter(|(_, _, differs)| *differs).map(|&(column, reach, _)| (column, reach)).collect()
}
