//! What an order and the answer to an inquiry have in common: order, customer, receipt, and `additional_info` (pages "Insurance
//! data", "Split settlement", "Custom settlement report", "Override notification URL").

use std::borrow::Cow;
use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::Serialize;

use crate::domain::additional::{Additional, ReportColumn, SettlementShare};
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
    pub(super) footer_message: Option<Cow<'a, str>>,
}

/// Characters of a line on Alfa's receipt, whose footer has lines of a fixed length (page "Alfa Group for Insurance").
const FOOTER_LINE_CHARACTERS: usize = 40;
/// Its lines.
const FOOTER_LINES_MAX: usize = 3;

/// Alfa's footer.
pub(super) fn alfa_footer(text: &str) -> ChannelInfo<'_> {
    ChannelInfo { receipt: Receipt { description: None, footer_message: Some(in_lines(text)) } }
}

/// `text` broken between words, each line but the last filled up with spaces, so that the printer cuts none of them in two. What
/// fits on one line, does not fit on three this way, or has spaces of its own is left as it is.
fn in_lines(text: &str) -> Cow<'_, str> {
    if text.chars().count() <= FOOTER_LINE_CHARACTERS || text.contains("  ") {
        return Cow::Borrowed(text);
    }
    let (mut whole, mut line, mut lines) = (String::new(), String::new(), 1_usize);
    for word in text.split(' ') {
        let (length, written) = (word.chars().count(), line.chars().count());
        if written > 0 && written.saturating_add(length) >= FOOTER_LINE_CHARACTERS {
            let missing = FOOTER_LINE_CHARACTERS.saturating_sub(written);
            whole.extend(std::mem::take(&mut line).chars().chain(std::iter::repeat_n(' ', missing)));
            lines = lines.saturating_add(1);
        } else if written > 0 {
            line.push(' ');
        }
        line.push_str(word);
        if length > FOOTER_LINE_CHARACTERS || lines > FOOTER_LINES_MAX {
            return Cow::Borrowed(text);
        }
    }
    Cow::Owned(whole + &line)
}

#[derive(Serialize)]
pub(super) struct AdditionalInfo<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    override_notification_url: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    insurance_info: Option<InsuranceInfo<'a>>,
    #[serde(skip_serializing_if = "<[SettlementShare]>::is_empty")]
    settlement: &'a [SettlementShare],
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_footer_is_broken_between_words_into_lines_of_forty() {
        let short = "Call Center 021 555-0525";
        let forty = "x".repeat(40);
        let own = "Call Center 021 555-0525                Terima kasih atas kepercayaan Anda";
        let too_long = ["abcdefghijklmnopqrstu"; 5].join(" ");
        let one_word = "x".repeat(41);
        for text in [short, &forty, own, &too_long, &one_word] {
            assert_eq!(in_lines(text), text, "left as it is");
        }
        let broken = in_lines("Pertanyaan tentang tagihan ini: Call Center 021 555-0525 setiap hari kerja, 08.00 sampai 17.00 WIB");
        let lines = ["Pertanyaan tentang tagihan ini: Call    ", "Center 021 555-0525 setiap hari kerja,  ", "08.00 sampai 17.00 WIB"];
        assert_eq!(broken, lines.concat());
        let accents = in_lines("Jangan lupa membawa kartu anggota \u{e9}\u{e9}\u{e9}\u{e9}\u{e9}\u{e9} terima kasih");
        assert_eq!(accents.chars().skip(40).collect::<String>(), "terima kasih", "counted in characters: {accents}");
    }
}
