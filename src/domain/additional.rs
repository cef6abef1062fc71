//! What DOKU takes with an order beside the order itself (`additional_info` without the insurance part): where to notify, how
//! to split the settlement, what its report shows.
//!
//! Belongs here: the parts, how they are written in files and settings, and which combinations can be right. Must not be
//! here: where they come from (`intake`, the configuration) and their JSON (`doku`).

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::address::Address;
use super::amount::Amount;

/// Everything of one bill; absent altogether when there is nothing to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Additional {
    /// Where this bill's notifications go instead of the configured URL.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub override_notification_url: Option<String>,
    /// Who gets which part of the settlement; empty: all goes to the one account.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub settlement: Vec<SettlementShare>,
    /// Columns of the settlement report.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub report: Vec<ReportColumn>,
    /// Whether the settlement is held back.
    #[serde(default, skip_serializing_if = "is_false")]
    pub hold_settlement: bool,
    /// The sub-account (`account.id`).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub account_id: Option<String>,
    /// Texts under keys of the merchant's own, which DOKU repeats in its notifications.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub free: BTreeMap<String, String>,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
const fn is_false(value: &bool) -> bool {
    !*value
}

impl Additional {
    /// Itself, unless there is nothing in it.
    #[must_use]
    pub fn into_given(self) -> Option<Box<Self>> {
        (self != Self::default()).then(|| Box::new(self))
    }

    /// The parts in which two bills' differ, by the names of their columns.
    #[must_use]
    pub fn differences(one: Option<&Self>, other: Option<&Self>) -> Vec<&'static str> {
        let nothing = Self::default();
        let (one, other) = (one.unwrap_or(&nothing), other.unwrap_or(&nothing));
        let parts = [
            ("override_notification_url", one.override_notification_url != other.override_notification_url),
            ("settlement", one.settlement != other.settlement),
            ("report", one.report != other.report),
            ("hold_settlement", one.hold_settlement != other.hold_settlement),
            ("account_id", one.account_id != other.account_id),
            ("additional_info", one.free != other.free),
        ];
        parts.into_iter().filter(|(_, differs)| *differs).map(|(name, _)| name).collect()
    }
}

/// One part of a split settlement, taken from the net amount after fees.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SettlementShare {
    /// The account, as DOKU's Back Office names it.
    pub bank_account_settlement_id: String,
    /// Rupiah or whole percent.
    pub value: u64,
    /// Which of them.
    #[serde(rename = "type")]
    pub kind: ShareKind,
}

/// How a share is counted; the names are DOKU's, and case counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum ShareKind {
    /// So many rupiah.
    Fix,
    /// So many percent.
    Percentage,
}

/// One column of the settlement report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReportColumn {
    /// Its header.
    pub key: String,
    /// What stands in it for this bill.
    pub value: String,
}

/// Most characters of a report column's header; its value is held to the same.
pub const REPORT_LENGTH_MAX: usize = 64;

/// Most characters of an account's id. None is published.
pub const ACCOUNT_LENGTH_MAX: usize = 64;

/// Reads `ACCOUNT:VALUE:TYPE` parts joined by `;`, such as `SBA-0001-1:10:PERCENTAGE;SBA-0001-2:5000:FIX`.
///
/// # Errors
/// What is wrong, in words.
pub fn parse_settlement(text: &str) -> Result<Vec<SettlementShare>, String> {
    let shares: Vec<SettlementShare> = text.split(';').map(|part| parse_share(part.trim())).collect::<Result<_, _>>()?;
    let percent =
        shares.iter().filter(|share| share.kind == ShareKind::Percentage).fold(0_u64, |sum, share| sum.saturating_add(share.value));
    if percent > 100 {
        return Err(format!("its percentages add up to {percent}, at most 100 are allowed"));
    }
    for (index, share) in shares.iter().enumerate() {
        let account = &share.bank_account_settlement_id;
        if shares.iter().take(index).any(|earlier| earlier.bank_account_settlement_id == *account) {
            return Err(format!("`{account}` stands in it twice"));
        }
    }
    Ok(shares)
}

fn parse_share(part: &str) -> Result<SettlementShare, String> {
    let [account, value, kind] = part.split(':').map(str::trim).collect::<Vec<_>>()[..] else {
        return Err(format!("`{part}` is not `ACCOUNT:VALUE:TYPE`"));
    };
    check_account(account)?;
    let kind = match kind {
        "FIX" => ShareKind::Fix,
        "PERCENTAGE" => ShareKind::Percentage,
        other => return Err(format!("`{other}` is neither `FIX` nor `PERCENTAGE` (case counts)")),
    };
    let digits = !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit());
    let value = if digits { value.parse::<u64>().ok() } else { None };
    match (value, kind) {
        (Some(value @ 1..=100), ShareKind::Percentage) | (Some(value @ 1..=Amount::MAX), ShareKind::Fix) => {
            Ok(SettlementShare { bank_account_settlement_id: account.to_owned(), value, kind })
        }
        (_, ShareKind::Percentage) => Err(format!("`{part}` needs whole percent from 1 to 100")),
        (_, ShareKind::Fix) => Err(format!("`{part}` needs whole rupiah of at least 1")),
    }
}

/// Whether the fixed parts fit into `amount`.
///
/// # Errors
/// What is wrong, in words.
pub fn check_against_amount(shares: &[SettlementShare], amount: Amount) -> Result<(), String> {
    let fixed = shares.iter().filter(|share| share.kind == ShareKind::Fix).fold(0_u64, |sum, share| sum.saturating_add(share.value));
    if fixed > amount.get() {
        return Err(format!("its fixed parts add up to Rp{fixed}, the bill is only Rp{amount}"));
    }
    Ok(())
}

/// An account's id: printable ASCII without spaces, colons and semicolons.
///
/// # Errors
/// What is wrong, in words.
pub fn check_account(id: &str) -> Result<(), String> {
    let is_plain = !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_graphic() && !b":;\"".contains(&byte));
    if is_plain && id.len() <= ACCOUNT_LENGTH_MAX {
        Ok(())
    } else {
        Err(format!("`{id}` is not an account id of 1 to {ACCOUNT_LENGTH_MAX} characters"))
    }
}

/// Most characters of a free key and of its value. None is published; the settlement report's columns have this one.
pub const FREE_LENGTH_MAX: usize = 64;

/// What stands in `additional_info` already, with a meaning of DOKU's.
const TAKEN: [&str; 7] =
    ["override_notification_url", "insurance_info", "settlement", "report", "hold_settlement", "account", "integration"];

/// A key of the merchant's own in `additional_info`: letters, digits, `_` and `-`, and none that DOKU gives a meaning.
///
/// # Errors
/// What is wrong, in words.
pub fn check_free_key(key: &str) -> Result<(), String> {
    let is_plain = !key.is_empty() && key.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-'));
    if !is_plain || key.len() > FREE_LENGTH_MAX {
        return Err(format!("a key has 1 to {FREE_LENGTH_MAX} letters, digits, `_` or `-`"));
    }
    if TAKEN.iter().any(|taken| taken.eq_ignore_ascii_case(key)) {
        return Err(format!("`{key}` means something to DOKU; it has a column and a setting of its own, or none"));
    }
    Ok(())
}

/// What a notification URL of a single bill must keep to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct UrlRules {
    /// The path of the configured notification URL; DOKU lets an override change the host only.
    pub path: String,
    /// The hosts it may name, each with its port where that is not the scheme's own.
    pub hosts: Vec<String>,
    /// Whether plain HTTP to this machine will do: in the sandbox.
    pub loopback: bool,
}

impl UrlRules {
    /// Checks `url`.
    ///
    /// # Errors
    /// What is wrong, in words.
    pub fn check(&self, url: &str) -> Result<(), String> {
        let address = Address::parse(url)?;
        let is_local = address.is_loopback() && self.loopback;
        if !(address.is_secure() || is_local) {
            return Err("it must begin with https:// (the sandbox may use http on loopback)".into());
        }
        if address.path() != self.path {
            return Err(format!("its path must be `{}`, the one of the configured notification URL", self.path));
        }
        let authority = address.authority();
        if is_local || self.hosts.contains(&authority) {
            return Ok(());
        }
        Err(format!("`{authority}` is not in `additional_info.override_hosts`"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_split_is_read_whole_or_refused_with_its_reason() {
        let shares = parse_settlement("SBA-1:60:PERCENTAGE; SBA-2:40:PERCENTAGE;SBA-3:5000:FIX").unwrap();
        assert_eq!(shares.iter().map(|share| share.value).collect::<Vec<_>>(), [60, 40, 5000]);
        let json = serde_json::to_string(&shares[2]).unwrap();
        assert_eq!(json, r#"{"bank_account_settlement_id":"SBA-3","value":5000,"type":"FIX"}"#);
        for (text, words) in [
            ("SBA-1:60:PERCENTAGE;SBA-2:41:PERCENTAGE", "add up to 101"),
            ("SBA-1:0:PERCENTAGE", "1 to 100"),
            ("SBA-1:101:PERCENTAGE", "1 to 100"),
            ("SBA-1:12.5:PERCENTAGE", "whole percent"),
            ("SBA-1:0:FIX", "whole rupiah"),
            ("SBA-1:5.000:FIX", "whole rupiah"),
            ("SBA-1:-5:FIX", "whole rupiah"),
            ("SBA-1:+5:FIX", "whole rupiah"),
            ("SBA-1:5:Fix", "case counts"),
            ("SBA-1:5", "ACCOUNT:VALUE:TYPE"),
            ("SBA-1:5:FIX;", "ACCOUNT:VALUE:TYPE"),
            (":5:FIX", "account id"),
            ("SBA 1:5:FIX", "account id"),
            ("SBA-1:5:FIX;SBA-1:6:FIX", "twice"),
        ] {
            let reason = parse_settlement(text).unwrap_err();
            assert!(reason.contains(words), "{text}: {reason}");
        }
        assert!(check_against_amount(&shares, Amount::new(5_000).unwrap()).is_ok());
        assert!(check_against_amount(&shares, Amount::new(4_999).unwrap()).unwrap_err().contains("Rp5000"));
    }

    #[test]
    fn a_free_key_is_plain_and_none_of_dokus() {
        for key in ["branch", "Agent-2", "cost_center", "9"] {
            assert_eq!(check_free_key(key), Ok(()), "{key}");
        }
        for key in ["", "a b", "a.b", "\u{e9}", "settlement", "INSURANCE_INFO", "integration", &"k".repeat(65)] {
            assert!(check_free_key(key).is_err(), "{key}");
        }
    }

    #[test]
    fn a_notification_url_may_change_the_host_only_and_only_to_a_listed_one() {
        let rules = UrlRules { path: "/payments/notifications".into(), hosts: vec!["pay.example.com".into()], loopback: false };
        let sandbox = UrlRules { loopback: true, ..rules.clone() };
        assert_eq!(rules.check("https://pay.example.com/payments/notifications"), Ok(()));
        assert_eq!(sandbox.check("http://127.0.0.1:9/payments/notifications"), Ok(()));
        assert_eq!(sandbox.check("http://[::1]:9/payments/notifications"), Ok(()));
        for (url, words) in [
            ("http://pay.example.com/payments/notifications", "https://"),
            ("ftp://pay.example.com/payments/notifications", "https://"),
            ("https://pay.example.com:8443/payments/notifications", "override_hosts"),
            ("https://pay.example.com:evil.com/payments/notifications", "no URL"),
            ("https://PAY.example.com/payments/notifications", "takes it for"),
            ("https://[::1].evil.com/payments/notifications", "no URL"),
            ("https://pay.example.com/payments/../payments/notifications", "takes it for"),
            ("http://127.0.0.1:9/payments/notifications", "https://"),
            ("https://pay.example.com/payments/other", "its path must be"),
            ("https://pay.example.com", "its path must be"),
            ("https://pay.example.com/payments/notifications?a=1", "query"),
            ("https://pay.example.com/payments/notifications#a", "fragment"),
            ("https://evil.example.com/payments/notifications", "override_hosts"),
            ("https://pay.example.com@evil.com/payments/notifications", "before an `@`"),
            ("https:///payments/notifications", "takes it for"),
        ] {
            let reason = rules.check(url).unwrap_err();
            assert!(reason.contains(words), "{url}: {reason}");
        }
        assert!(sandbox.check("http://pay.example.com/payments/notifications").is_err());
        assert!(sandbox.check("http://[::1].evil.com/payments/notifications").is_err());
    }
}
