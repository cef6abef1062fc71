//! What DOKU accepts in a body: mandatory fields, lengths, digits, formats. The limits are written down here a second time, from
//! the pages, so that a wrong limit in the client does not pass unseen.

use serde::Deserialize;
use serde_json::Number;

use super::chain;
use super::shape::{self, Of};
use super::wire::{AdditionalInfo, ChangeBody, CreateBody, Customer, InsuranceInfo, OrderPart, Share};
use crate::domain::amount::Amount;
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::ids::{InvoiceNumber, PaymentCode};

/// Minutes of validity when `expired_time` is not sent.
const EXPIRY_MINUTES_DEFAULT: u32 = 60;

/// Why a request is turned down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) status: u16,
    pub(super) message: String,
}

impl Refusal {
    pub(super) fn new(status: u16, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

type Checked<T> = Result<T, Refusal>;

/// A create request that passed every rule.
#[derive(Clone)]
pub(super) struct NewOrder {
    pub(super) channel: Channel,
    pub(super) method: IssuanceMethod,
    pub(super) invoice_number: InvoiceNumber,
    pub(super) amount: Amount,
    pub(super) payment_code: Option<PaymentCode>,
    pub(super) expiry_minutes: u32,
    pub(super) reusable: bool,
    pub(super) override_url: Option<String>,
}

/// An amend or cancel request that passed every rule.
#[derive(Clone)]
pub(super) struct Change {
    pub(super) invoice_number: InvoiceNumber,
    pub(super) payment_code: PaymentCode,
    pub(super) cancel: bool,
    pub(super) amount: Option<Amount>,
    pub(super) expiry_minutes: u32,
    pub(super) reusable: bool,
}

/// Reads and checks the body of a POST. `notification_path` is the configured one, which an override may not leave.
pub(super) fn check_create(body: &[u8], channel: Channel, method: IssuanceMethod, notification_path: &str) -> Checked<NewOrder> {
    let body: CreateBody = read(body, Of::Create)?;
    let (invoice_number, amount) = order(body.order)?;
    let amount = amount.ok_or_else(|| required("order.amount"))?;
    let info = body.online_to_offline_info.ok_or_else(|| required("online_to_offline_info"))?;
    let payment_code = match (method, info.payment_code) {
        (IssuanceMethod::Doku, None) => None,
        // Nothing is ever registered here for direct inquiry.
        (IssuanceMethod::Doku, Some(_)) | (IssuanceMethod::Inquiry, _) => {
            return Err(unlisted("online_to_offline_info.payment_code"));
        }
        (IssuanceMethod::Merchant, code) => Some(payment_code(code)?),
    };
    let chain = chain::of(channel);
    let expiry_minutes = expiry_minutes(info.expired_time.as_ref(), chain.expiry_digits_max)?;
    let reusable = info.reusable_status.ok_or_else(|| required("online_to_offline_info.reusable_status"))?;
    at_most(info.info.as_deref(), chain.info_length_max, "online_to_offline_info.info")?;
    customer(body.customer, 64)?;
    match channel {
        Channel::Alfa => {
            if body.indomaret_info.is_some() {
                return Err(unlisted("indomaret_info"));
            }
            let receipt = body.alfa_info.and_then(|info| info.receipt);
            let footer = receipt.and_then(|receipt| receipt.footer_message);
            at_most(footer.as_deref(), chain.footer_length_max, "alfa_info.receipt.footer_message")?;
        }
        Channel::Indomaret => {
            if body.alfa_info.is_some() {
                return Err(unlisted("alfa_info"));
            }
            let receipt = body.indomaret_info.and_then(|info| info.receipt).ok_or_else(|| required("indomaret_info.receipt"))?;
            let description = text(receipt.description, "indomaret_info.receipt.description")?;
            at_most(Some(&description), 128, "indomaret_info.receipt.description")?;
            at_most(receipt.footer_message.as_deref(), chain.footer_length_max, "indomaret_info.receipt.footer_message")?;
        }
    }
    let override_url = additional(body.additional_info, channel, notification_path)?;
    Ok(NewOrder { channel, method, invoice_number, amount, payment_code, expiry_minutes, reusable, override_url })
}

/// Reads and checks the body of a PATCH.
pub(super) fn check_change(body: &[u8]) -> Checked<Change> {
    let body: ChangeBody = read(body, Of::Change)?;
    let (invoice_number, amount) = order(body.order)?;
    let info = body.online_to_offline_info.ok_or_else(|| required("online_to_offline_info"))?;
    let payment_code = payment_code(info.payment_code)?;
    let cancel = match info.status.as_deref() {
        Some("ACTIVE") => false,
        Some("DELETE") => true,
        Some(_) => return Err(not_valid("online_to_offline_info.status")),
        None => return Err(required("online_to_offline_info.status")),
    };
    let expiry_minutes = expiry_minutes(info.expired_time.as_ref(), 5)?;
    let reusable = info.reusable_status.ok_or_else(|| required("online_to_offline_info.reusable_status"))?;
    at_most(info.info.as_deref(), 30, "online_to_offline_info.info")?;
    customer(body.customer, 40)?;
    Ok(Change { invoice_number, payment_code, cancel, amount, expiry_minutes, reusable })
}

/// The body by DOKU's list; a field that is not in it, or of another type, fails the whole body and is named.
fn read<'a, T: Deserialize<'a>>(body: &'a [u8], of: Of) -> Checked<T> {
    serde_json::from_slice(body).map_err(|_| match shape::misfit(body, of) {
        Some(field) => unlisted(&field),
        None => Refusal::new(400, INVALID_JSON),
    })
}

/// DOKU's words, as a sandbox probe saw them.
const INVALID_JSON: &str = "Invalid JSON Format";

fn unlisted(field: &str) -> Refusal {
    Refusal::new(400, format!("{INVALID_JSON}: {field}"))
}

fn required(field: &str) -> Refusal {
    Refusal::new(400, format!("{field} is required"))
}

fn not_valid(field: &str) -> Refusal {
    Refusal::new(400, format!("{field} is not valid"))
}

fn at_most(value: Option<&str>, length_max: usize, field: &str) -> Checked<()> {
    if value.is_some_and(|value| value.chars().count() > length_max) {
        return Err(Refusal::new(400, format!("{field} length must be at most {length_max}")));
    }
    Ok(())
}

/// A mandatory text: present and not blank.
fn text(value: Option<String>, field: &str) -> Checked<String> {
    value.filter(|value| !value.trim().is_empty()).ok_or_else(|| required(field))
}

fn order(part: Option<OrderPart>) -> Checked<(InvoiceNumber, Option<Amount>)> {
    let part = part.ok_or_else(|| required("order"))?;
    let invoice_number = text(part.invoice_number, "order.invoice_number")?;
    at_most(Some(&invoice_number), 64, "order.invoice_number")?;
    let invoice_number = InvoiceNumber::new(invoice_number).map_err(|_| not_valid("order.invoice_number"))?;
    let amount = part.amount.map(|number| {
        let whole = number.as_u64().ok_or_else(|| not_valid("order.amount"))?;
        Amount::new(whole).map_err(|_| not_valid("order.amount"))
    });
    Ok((invoice_number, amount.transpose()?))
}

fn payment_code(code: Option<String>) -> Checked<PaymentCode> {
    let code = text(code, "online_to_offline_info.payment_code")?;
    at_most(Some(&code), 20, "online_to_offline_info.payment_code")?;
    PaymentCode::new(code).map_err(|_| not_valid("online_to_offline_info.payment_code"))
}

fn expiry_minutes(number: Option<&Number>, digits_max: u32) -> Checked<u32> {
    let Some(number) = number else { return Ok(EXPIRY_MINUTES_DEFAULT) };
    let minutes_end = 10_u64.saturating_pow(digits_max);
    let minutes = number.as_u64().filter(|&minutes| minutes >= 1 && minutes < minutes_end);
    minutes.and_then(|minutes| u32::try_from(minutes).ok()).ok_or_else(|| not_valid("online_to_offline_info.expired_time"))
}

fn customer(part: Option<Customer>, name_length_max: usize) -> Checked<()> {
    let part = part.ok_or_else(|| required("customer"))?;
    let name = text(part.name, "customer.name")?;
    at_most(Some(&name), name_length_max, "customer.name")?;
    let Some(email) = part.email else { return Ok(()) };
    at_most(Some(&email), 128, "customer.email")?;
    if is_email(&email) { Ok(()) } else { Err(not_valid("customer.email")) }
}

/// A plain address: `local@host.tld`, ASCII without spaces, no empty label on either side.
fn is_email(text: &str) -> bool {
    let Some((local, host)) = text.split_once('@') else { return false };
    let dotted = |part: &str| part.split('.').all(|label| !label.is_empty());
    let host_ok = host.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-'));
    let local_ok = local.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"(),:;<>@[\\]".contains(&byte));
    local_ok && host_ok && dotted(local) && dotted(host) && host.contains('.')
}

/// Checks `additional_info`; gives the notification URL that takes the place of the configured one.
fn additional(part: Option<AdditionalInfo>, channel: Channel, notification_path: &str) -> Checked<Option<String>> {
    let Some(part) = part else { return Ok(None) };
    if let Some(insurance) = part.insurance_info {
        if !chain::of(channel).takes_insurance {
            return Err(unlisted("additional_info.insurance_info"));
        }
        check_insurance(&insurance)?;
    }
    check_settlement(part.settlement.unwrap_or_default())?;
    for column in part.report.unwrap_or_default() {
        let key = text(column.key, "additional_info.report.key")?;
        at_most(Some(&key), 64, "additional_info.report.key")?;
        text(column.value, "additional_info.report.value")?;
    }
    part.account.map(|account| text(account.id, "additional_info.account.id")).transpose()?;
    let Some(url) = part.override_notification_url else { return Ok(None) };
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let path = rest.and_then(|rest| rest.find('/').and_then(|at| rest.get(at..)));
    if path == Some(notification_path) { Ok(Some(url)) } else { Err(not_valid("additional_info.override_notification_url")) }
}

/// Shares of the net amount: whole rupiah, or percent that do not exceed the whole.
fn check_settlement(shares: Vec<Share>) -> Checked<()> {
    let mut percent = 0_u64;
    for share in shares {
        text(share.bank_account_settlement_id, "additional_info.settlement.bank_account_settlement_id")?;
        let value = share.value.and_then(|value| value.as_u64()).filter(|&value| value > 0);
        let value = value.ok_or_else(|| not_valid("additional_info.settlement.value"))?;
        match share.kind.as_deref() {
            Some("FIX") => {}
            Some("PERCENTAGE") => percent = percent.saturating_add(value),
            Some(_) | None => return Err(not_valid("additional_info.settlement.type")),
        }
    }
    if percent > 100 { Err(not_valid("additional_info.settlement.value")) } else { Ok(()) }
}

/// No lengths are published; 64 is what a point of sale can reasonably show.
fn check_insurance(insurance: &InsuranceInfo) -> Checked<()> {
    let fields = [
        (&insurance.policy_type, "policy_type"),
        (&insurance.policy_number, "policy_number"),
        (&insurance.policy_account_name, "policy_account_name"),
        (&insurance.policy_status, "policy_status"),
        (&insurance.bill_due_date, "bill_due_date"),
    ];
    fields.into_iter().try_for_each(|(value, name)| at_most(value.as_deref(), 64, &format!("additional_info.insurance_info.{name}")))
}
