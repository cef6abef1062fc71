//! What an order and the answer to an inquiry have in common: order, customer, receipt, and `additional_info` (pages "Insurance
//! data", "Split settlement", "Custom settlement report", "Override notification URL").

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::additional::{Additional, ReportColumn, Share};
use crate::domain::bill::Policy;
use crate::domain::channel::Channel;

#[derive(Serialize)]
pub(super) struct Order<'a> {
    pub(super) invoice_number: &'a str,
    pub(super) amount: u64,
}

#[derive(Serialize)]
pub(super) struct Customer<'a> {
    pub(super) name: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) email: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct ChannelInfo<'a> {
    pub(super) receipt: Receipt<'a>,
}

#[derive(Serialize)]
pub(super) struct Receipt<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) description: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) footer_message: Option<&'a str>,
}

#[derive(Serialize)]
pub(super) struct AdditionalInfo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    override_notification_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    insurance_info: Option<InsuranceInfo<'a>>,
    #[serde(skip_serializing_if = "<[Share]>::is_empty")]
    settlement: &'a [Share],
    #[serde(skip_serializing_if = "<[ReportColumn]>::is_empty")]
    report: &'a [ReportColumn],
    #[serde(skip_serializing_if = "Option::is_none")]
    hold_settlement: Option<bool>,
    #[serde(skip_serializing_if = "Option::is_none")]
    account: Option<Account<'a>>,
    #[serde(flatten)]
    free: Option<&'a BTreeMap<String, String>>,
}

#[derive(Serialize)]
struct Account<'a> {
    id: &'a str,
}

#[derive(Serialize)]
struct InsuranceInfo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_type: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_number: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_account_name: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    policy_status: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    bill_due_date: Option<String>,
}

/// None when there is nothing to say: what is not sent cannot be wrong.
pub(super) fn additional_info<'a>(
    channel: Channel,
    policy: &'a Policy,
    given: Option<&'a Additional>,
    account_name: Option<&'a str>,
) -> Option<AdditionalInfo<'a>> {
    let insurance_info = insurance(channel, policy, account_name);
    (insurance_info.is_some() || given.is_some()).then(|| AdditionalInfo {
        override_notification_url: given.and_then(|given| given.override_notification_url.as_deref()),
        insurance_info,
        settlement: given.map(|given| given.settlement.as_slice()).unwrap_or_default(),
        report: given.map(|given| given.report.as_slice()).unwrap_or_default(),
        hold_settlement: given.filter(|given| given.hold_settlement).map(|_| true),
        account: given.and_then(|given| given.account_id.as_deref()).map(|id| Account { id }),
        free: given.map(|given| &given.free),
    })
}

fn insurance<'a>(channel: Channel, policy: &'a Policy, account_name: Option<&'a str>) -> Option<InsuranceInfo<'a>> {
    let takes_insurance = channel.profile().insurance_length_max.is_some();
    (takes_insurance && policy.number.is_some()).then(|| InsuranceInfo {
        policy_type: policy.kind.as_deref(),
        policy_number: policy.number.as_deref(),
        policy_account_name: account_name,
        policy_status: policy.status.as_deref(),
        bill_due_date: policy.due_date.map(written_out),
    })
}

/// `21 May 2021`: the form of the insurance page.
fn written_out(date: Date) -> String {
    date.strftime("%d %b %Y").to_string()
}
