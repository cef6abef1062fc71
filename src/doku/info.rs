//! `online_to_offline_info.info`, the text a counter shows: DOKU's pages do not agree on its key and its length (API reference,
//! section 12, quirks 2 and 8), so both are settings.

use serde::{Deserialize, Serialize};

use crate::domain::channel::{Channel, PerChannel};

/// What the text is called.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InfoKey {
    /// The field tables of every page.
    #[default]
    Info,
    /// A sample of the current Alfa page, and DOKU's own plugins.
    Info1,
}

impl InfoKey {
    /// `text` as the fields `info` and `info1`.
    pub(super) const fn fields(self, text: Option<&str>) -> (Option<&str>, Option<&str>) {
        match self {
            Self::Info => (text, None),
            Self::Info1 => (None, text),
        }
    }
}

/// How the text is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct InfoField {
    /// Its key.
    pub key: InfoKey,
    /// Most characters at Alfa: 30 on the current page, 32 on older ones.
    pub alfa_length_max: usize,
    /// Most characters at Indomaret.
    pub indomaret_length_max: usize,
}

impl InfoField {
    /// Most characters, by channel.
    #[must_use]
    pub fn lengths(&self) -> PerChannel<usize> {
        PerChannel::from_fn(|channel| match channel {
            Channel::Alfa => self.alfa_length_max,
            Channel::Indomaret => self.indomaret_length_max,
        })
    }
}
