//! What a cashier's screen and the receipt show of a bill, read from a body that names it: a create request or the answer to an
//! inquiry, which have the same fields. Whether those fields are in order is decided elsewhere.

use serde::Deserialize;
use serde_json::Value;
use serde_json::value::RawValue;

use crate::domain::personal::Personal;

/// The insurance fields and what a screen calls them.
pub(super) const INSURANCE: [(&str, &str); 5] = [
    ("policy_type", "Policy type"),
    ("policy_number", "Policy number"),
    ("policy_account_name", "Policy holder"),
    ("policy_status", "Policy status"),
    ("bill_due_date", "Due date"),
];

/// The screen of one bill.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Till {
    customer_name: Option<Personal>,
    info: Option<Personal>,
    receipt: Vec<Personal>,
    insurance: Vec<(&'static str, Personal)>,
    /// The merchant's `additional_info`, byte for byte.
    echo: Option<Personal>,
}

impl Till {
    /// Reads what `body` shows; what it lacks is not shown.
    pub(super) fn of(body: &[u8]) -> Self {
        let body: Value = serde_json::from_slice(body).unwrap_or_default();
        let text = |pointer: &str| body.pointer(pointer).and_then(Value::as_str).filter(|text| !text.trim().is_empty()).map(Personal::new);
        let receipt =
            ["/indomaret_info/receipt/description", "/alfa_info/receipt/footer_message", "/indomaret_info/receipt/footer_message"];
        let insurance = |(name, label)| Some((label, text(&format!("/additional_info/insurance_info/{name}"))?));
        Self {
            customer_name: text("/customer/name"),
            info: text("/online_to_offline_info/info"),
            receipt: receipt.into_iter().filter_map(text).collect(),
            insurance: INSURANCE.into_iter().filter_map(insurance).collect(),
            echo: None,
        }
    }

    /// The same for an inquiry's answer, whose `additional_info` DOKU echoes in the notification.
    pub(super) fn of_answer(body: &[u8]) -> Self {
        #[derive(Deserialize)]
        struct Answer<'a> {
            #[serde(borrow)]
            additional_info: Option<&'a RawValue>,
        }
        let answer = serde_json::from_slice::<Answer<'_>>(body).ok();
        let echo = answer.and_then(|answer| answer.additional_info).map(|json| Personal::new(json.get()));
        Self { echo, ..Self::of(body) }
    }

    /// JSON that the notification repeats.
    pub(super) fn echo(&self) -> Option<&str> {
        self.echo.as_ref().map(Personal::reveal)
    }

    /// The customer's name.
    #[must_use]
    pub fn customer_name(&self) -> Option<&str> {
        self.customer_name.as_ref().map(Personal::reveal)
    }

    /// What the screen says besides the name: (label, text), in the order of the screen.
    #[must_use]
    pub fn lines(&self) -> Vec<(&'static str, &str)> {
        let insurance = self.insurance.iter().map(|(label, text)| (*label, text.reveal()));
        let info = self.info.iter().map(|text| ("Message", text.reveal()));
        let receipt = self.receipt.iter().map(|text| ("On the receipt", text.reveal()));
        insurance.chain(info).chain(receipt).collect()
    }
}
