//! Where each call goes. The defaults are the documented paths; the configuration may override them.

use serde::{Deserialize, Serialize};

use crate::domain::channel::{Channel, Method};

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
    /// Where a code is issued or registered.
    #[must_use]
    pub fn issue(&self, channel: Channel, method: Method) -> &str {
        match (channel, method) {
            (Channel::Alfa, Method::Doku) => &self.alfa_doku,
            (Channel::Alfa, Method::Merchant | Method::Inquiry) => &self.alfa_merchant,
            (Channel::Indomaret, _) => &self.indomaret_doku,
        }
    }

    /// Where a live code is changed or cancelled. Planning refuses this for channels without such a call.
    #[must_use]
    pub fn amend(&self, method: Method) -> &str {
        match method {
            Method::Doku => &self.alfa_amend,
            Method::Merchant | Method::Inquiry => &self.alfa_merchant_amend,
        }
    }
}
