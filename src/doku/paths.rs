//! Where each call goes. The defaults are the documented paths; the configuration may override them.

use serde::{Deserialize, Serialize};

use crate::domain::channel::{Channel, IssuanceMethod};

/// Paths of the mutating calls, each beginning with `/`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Paths {
    /// POST: Alfa, DOKU makes the code.
    pub alfa_doku: String,
    /// POST: Alfa, we make the code.
    pub alfa_merchant: String,
    /// PATCH: Alfa, codes DOKU made.
    pub alfa_amend: String,
    /// PATCH: Alfa, codes we made (documented only at `alfa_amend`).
    pub alfa_merchant_amend: String,
    /// POST: Indomaret.
    pub indomaret_doku: String,
}

impl Paths {
    /// Each, by its setting.
    #[must_use]
    pub const fn each(&self) -> [(&'static str, &str); 5] {
        let Self { alfa_doku, alfa_merchant, alfa_amend, alfa_merchant_amend, indomaret_doku } = self;
        [
            ("alfa_doku", alfa_doku.as_str()),
            ("alfa_merchant", alfa_merchant.as_str()),
            ("alfa_amend", alfa_amend.as_str()),
            ("alfa_merchant_amend", alfa_merchant_amend.as_str()),
            ("indomaret_doku", indomaret_doku.as_str()),
        ]
    }

    /// Where a code is issued or registered; `None` where DOKU documents no such call.
    #[must_use]
    pub fn issue(&self, channel: Channel, method: IssuanceMethod) -> Option<&str> {
        match (channel, method) {
            (Channel::Alfa, IssuanceMethod::Doku) => Some(&self.alfa_doku),
            (Channel::Alfa, IssuanceMethod::Merchant) => Some(&self.alfa_merchant),
            (Channel::Indomaret, IssuanceMethod::Doku) => Some(&self.indomaret_doku),
            // A code for direct inquiry is never told to DOKU, and Indomaret takes no codes of our making.
            (Channel::Alfa | Channel::Indomaret, IssuanceMethod::Inquiry) | (Channel::Indomaret, IssuanceMethod::Merchant) => None,
        }
    }

    /// Where a live code is changed or cancelled; `None` where DOKU documents no such call.
    #[must_use]
    pub fn amend(&self, channel: Channel, method: IssuanceMethod) -> Option<&str> {
        match (channel, method) {
            (Channel::Alfa, IssuanceMethod::Doku) => Some(&self.alfa_amend),
            (Channel::Alfa, IssuanceMethod::Merchant) => Some(&self.alfa_merchant_amend),
            (Channel::Alfa, IssuanceMethod::Inquiry) | (Channel::Indomaret, _) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leads_to_doku_for_an_inquiry_code_and_no_change_for_indomaret() {
        let paths = crate::config::resolve(None, [], &[]).unwrap().doku.paths;
        for channel in Channel::ALL {
            for method in IssuanceMethod::ALL {
                let issues = matches!(
                    (channel, method),
                    (Channel::Alfa, IssuanceMethod::Doku | IssuanceMethod::Merchant) | (Channel::Indomaret, IssuanceMethod::Doku)
                );
                assert_eq!(paths.issue(channel, method).is_some(), issues, "{channel} {method}");
                let amends = channel == Channel::Alfa && method != IssuanceMethod::Inquiry;
                assert_eq!(paths.amend(channel, method).is_some(), amends, "{channel} {method}");
            }
        }
    }
}
