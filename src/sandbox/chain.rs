//! What the stand-in knows of each chain of counters, one row a channel: its page, its limits, who stands at its tills, what DOKU keeps.
//!
//! It shares none of it with the program, whose own rows are in `domain::channel`: what both sides took from one place would always agree.

use crate::domain::channel::{Channel, IssuanceMethod, PerChannel};
use crate::domain::language::Language;

/// One chain.
#[derive(Debug)]
pub(super) struct Chain {
    /// POST (and PATCH, where codes can be changed): codes of DOKU's making.
    pub codes_path: &'static str,
    /// POST: codes of the merchant's making.
    pub merchant_codes_path: Option<&'static str>,
    /// Where DOKU's page for customers is, and the same as JSON.
    pub page_paths: [&'static str; 2],
    /// What DOKU's own codes begin with.
    pub bin: &'static str,
    /// Which counters take codes, for customers: in English and in Indonesian.
    pub counters: [&'static str; 2],
    /// What its receipts call it.
    pub name: &'static str,
    /// How a settlement calls it. DOKU publishes no such list.
    pub settled_as: &'static str,
    /// `AGENT_ID` of its tills, as often as they are.
    pub agents: [&'static str; 4],
    /// What DOKU keeps of a payment, without VAT, in rupiah.
    pub fee_rupiah: u64,
    /// Most digits of `expired_time`.
    pub expiry_digits_max: u32,
    /// Most characters of `info`.
    pub info_length_max: usize,
    /// Most characters of the receipt footer.
    pub footer_length_max: usize,
    /// Whether a code may be changed or cancelled.
    pub takes_changes: bool,
    /// Whether `insurance_info` is listed.
    pub takes_insurance: bool,
}

impl Chain {
    /// Which counters take codes.
    pub(super) const fn counters_in(&self, language: Language) -> &'static str {
        let [english, indonesian] = self.counters;
        match language {
            Language::English => english,
            Language::Indonesian => indonesian,
        }
    }

    /// Who makes the codes that are sent to `path`.
    pub(super) fn takes(&self, path: &str) -> Option<IssuanceMethod> {
        match path {
            _ if path == self.codes_path => Some(IssuanceMethod::Doku),
            _ if Some(path) == self.merchant_codes_path => Some(IssuanceMethod::Merchant),
            _ => None,
        }
    }
}

/// The one whose codes DOKU asks merchants about.
pub(super) const INQUIRES: Channel = Channel::Alfa;

/// The row of `channel`.
pub(super) const fn of(channel: Channel) -> &'static Chain {
    CHAINS.of(channel)
}

static CHAINS: PerChannel<Chain> = PerChannel::new([
    Chain {
        codes_path: "/alfa-online-to-offline/v2/payment-code",
        merchant_codes_path: Some("/alfa-online-to-offline/v2/merchant-payment-code"),
        page_paths: ["/how-to-pay/v2/alfa-online-to-offline/", "/alfa-online-to-offline/v2/how-to-pay-api/"],
        bin: "60590",
        counters: ["Alfamart, Alfamidi, Alfa Express, Lawson or DAN+DAN", "Alfamart, Alfamidi, Alfa Express, Lawson, atau DAN+DAN"],
        name: "Alfamart",
        settled_as: "Alfa Group",
        agents: ["ALFAMART", "ALFAMART", "ALFAMIDI", "LAWSON"],
        fee_rupiah: 5_000,
        expiry_digits_max: 5,
        info_length_max: 30,
        footer_length_max: 120,
        takes_changes: true,
        takes_insurance: true,
    },
    Chain {
        codes_path: "/indomaret-online-to-offline/v2/payment-code",
        merchant_codes_path: None,
        page_paths: ["/how-to-pay/v2/indomaret-online-to-offline/", "/indomaret-online-to-offline/v2/how-to-pay-api/"],
        bin: "88888",
        counters: ["Indomaret", "Indomaret"],
        name: "Indomaret",
        settled_as: "Indomaret",
        agents: ["INDOMARET", "INDOMARET", "INDOMARET", "INDOMARET"],
        fee_rupiah: 6_500,
        expiry_digits_max: 8,
        info_length_max: 32,
        footer_length_max: 255,
        takes_changes: false,
        takes_insurance: false,
    },
]);
