//! The JSON of requests and answers, as strict as DOKU reads and in the order DOKU writes.
//!
//! Every field is optional to the parser, so that a missing one is named in the answer; an unknown one or one of another type
//! fails the whole body, as DOKU does.

use serde::{Deserialize, Serialize};
use serde_json::{Number, Value};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateBody {
    pub(super) order: Option<OrderPart>,
    pub(super) online_to_offline_info: Option<CreateInfo>,
    pub(super) customer: Option<Customer>,
    pub(super) alfa_info: Option<AlfaInfo>,
    pub(super) indomaret_info: Option<IndomaretInfo>,
    pub(super) additional_info: Option<AdditionalInfo>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeBody {
    pub(super) order: Option<OrderPart>,
    pub(super) online_to_offline_info: Option<ChangeInfo>,
    pub(super) customer: Option<Customer>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct OrderPart {
    pub(super) invoice_number: Option<String>,
    pub(super) amount: Option<Number>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct CreateInfo {
    pub(super) payment_code: Option<String>,
    pub(super) expired_time: Option<Number>,
    pub(super) reusable_status: Option<bool>,
    pub(super) info: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeInfo {
    pub(super) payment_code: Option<String>,
    pub(super) status: Option<String>,
    pub(super) expired_time: Option<Number>,
    pub(super) reusable_status: Option<bool>,
    pub(super) info: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Customer {
    pub(super) name: Option<String>,
    pub(super) email: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlfaInfo {
    pub(super) receipt: Option<AlfaReceipt>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct AlfaReceipt {
    pub(super) footer_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IndomaretInfo {
    pub(super) receipt: Option<IndomaretReceipt>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct IndomaretReceipt {
    pub(super) description: Option<String>,
    pub(super) footer_message: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "the others are accepted and their types checked; nothing here depends on their values")]
pub(super) struct AdditionalInfo {
    pub(super) override_notification_url: Option<String>,
    pub(super) insurance_info: Option<InsuranceInfo>,
    pub(super) settlement: Option<Vec<Share>>,
    pub(super) report: Option<Vec<ReportColumn>>,
    hold_settlement: Option<bool>,
    pub(super) account: Option<Account>,
    integration: Option<Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Share {
    pub(super) bank_account_settlement_id: Option<String>,
    pub(super) value: Option<Number>,
    #[serde(rename = "type")]
    pub(super) kind: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReportColumn {
    pub(super) key: Option<String>,
    pub(super) value: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Account {
    pub(super) id: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InsuranceInfo {
    pub(super) policy_type: Option<String>,
    pub(super) policy_number: Option<String>,
    pub(super) policy_account_name: Option<String>,
    pub(super) policy_status: Option<String>,
    pub(super) bill_due_date: Option<String>,
}

/// The success answer of POST and, without the links, of PATCH.
#[derive(Serialize)]
pub(super) struct CodeAnswer<'a> {
    pub(super) order: InvoiceOnly<'a>,
    pub(super) online_to_offline_info: CodeInfo<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) additional_info: Option<Echo<'a>>,
}

#[derive(Serialize)]
pub(super) struct InvoiceOnly<'a> {
    pub(super) invoice_number: &'a str,
}

#[derive(Serialize)]
pub(super) struct CodeInfo<'a> {
    pub(super) payment_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) how_to_pay_page: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) how_to_pay_api: Option<String>,
    pub(super) created_date: String,
    pub(super) expired_date: String,
    pub(super) created_date_utc: String,
    pub(super) expired_date_utc: String,
}

#[derive(Serialize)]
pub(super) struct Echo<'a> {
    pub(super) override_notification_url: &'a str,
}

/// Check Status: like a notification, but without the payment code.
#[derive(Serialize)]
pub(super) struct StatusAnswer<'a> {
    pub(super) order: StatusOrder<'a>,
    pub(super) transaction: Transaction<'a>,
    pub(super) service: Id<'a>,
    pub(super) acquirer: Id<'a>,
    pub(super) channel: Id<'a>,
    pub(super) online_to_offline_info: StatusInfo,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) online_to_offline_payment: Option<PaymentPart<'a>>,
}

#[derive(Serialize)]
pub(super) struct StatusOrder<'a> {
    pub(super) invoice_number: &'a str,
    pub(super) amount: u64,
}

#[derive(Serialize)]
pub(super) struct StatusInfo {
    pub(super) created_date: String,
    pub(super) expired_date: String,
    pub(super) reusable_status: String,
}

#[derive(Serialize)]
pub(super) struct Id<'a> {
    pub(super) id: &'a str,
}

#[derive(Serialize)]
pub(super) struct Transaction<'a> {
    pub(super) status: &'a str,
    pub(super) date: String,
    pub(super) original_request_id: &'a str,
}

#[derive(Serialize)]
pub(super) struct PaymentPart<'a> {
    pub(super) identifier: Vec<Identifier<'a>>,
}

#[derive(Serialize)]
pub(super) struct Identifier<'a> {
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

#[derive(Serialize)]
pub(super) struct ErrorAnswer<'a> {
    pub(super) error: ErrorPart<'a>,
}

#[derive(Serialize)]
pub(super) struct ErrorPart<'a> {
    pub(super) message: &'a str,
}

/// The JSON of `value`; empty if it cannot be written, which none of these types allows.
pub(super) fn json<T: Serialize>(value: &T) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}

/// DOKU's main error shape.
pub(super) fn error(message: &str) -> Vec<u8> {
    json(&ErrorAnswer { error: ErrorPart { message } })
}
