//! Channels (Alfa Group, Indomaret), issuance methods, and what DOKU allows on each: limits as data, one row a channel.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A chain of counters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Channel {
    /// Alfamart, Alfamidi, Alfa Express, Lawson, DAN+DAN.
    Alfa,
    /// Indomaret.
    Indomaret,
}

impl Channel {
    /// Both, in the order reports list them.
    pub const ALL: [Self; 2] = [Self::Alfa, Self::Indomaret];

    /// The name used in files: `alfa`, `indomaret`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Alfa => "alfa",
            Self::Indomaret => "indomaret",
        }
    }

    /// Reads a name as [`Channel::name`] writes it, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name().eq_ignore_ascii_case(text))
    }

    /// DOKU's `acquirer.id`.
    #[must_use]
    pub const fn acquirer_id(self) -> &'static str {
        match self {
            Self::Alfa => "ALFA",
            Self::Indomaret => "INDOMARET",
        }
    }

    /// DOKU's `channel.id`.
    #[must_use]
    pub const fn doku_id(self) -> &'static str {
        match self {
            Self::Alfa => "ONLINE_TO_OFFLINE_ALFA",
            Self::Indomaret => "ONLINE_TO_OFFLINE_INDOMARET",
        }
    }

    /// The documented limits.
    #[must_use]
    pub const fn profile(self) -> &'static ChannelProfile {
        match self {
            Self::Alfa => &ALFA,
            Self::Indomaret => &INDOMARET,
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who makes the payment code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// DOKU makes it and returns it (DGPC).
    Doku,
    /// We make it and register it (MGPC).
    Merchant,
    /// We make it and keep it; DOKU asks us when it is to be paid (DIPC).
    Inquiry,
}

impl Method {
    /// Every method.
    pub const ALL: [Self; 3] = [Self::Doku, Self::Merchant, Self::Inquiry];

    /// The name used in files: `doku`, `merchant`, `inquiry`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Doku => "doku",
            Self::Merchant => "merchant",
            Self::Inquiry => "inquiry",
        }
    }

    /// Reads a name as [`Method::name`] writes it, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|method| method.name().eq_ignore_ascii_case(text))
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Most characters of `info`, on each channel. DOKU's pages differ, so it is a setting.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InfoLengths {
    /// 30 on the current page, 32 on older ones.
    pub alfa: usize,
    /// 32.
    pub indomaret: usize,
}

impl Default for InfoLengths {
    fn default() -> Self {
        Self { alfa: 30, indomaret: 32 }
    }
}

impl InfoLengths {
    /// Those of `channel`.
    #[must_use]
    pub const fn of(self, channel: Channel) -> usize {
        match channel {
            Channel::Alfa => self.alfa,
            Channel::Indomaret => self.indomaret,
        }
    }
}

/// What DOKU accepts on one channel. Lengths are in characters, expiry in minutes.
#[derive(Clone, Copy, Debug)]
pub struct ChannelProfile {
    /// Most minutes in `expired_time` (5 digits on Alfa, 8 on Indomaret).
    pub expiry_minutes_max: u32,
    /// Most characters of `customer.name` on POST.
    pub name_length_max: usize,
    /// Most characters of `customer.name` on PATCH.
    pub name_length_max_on_amend: usize,
    /// Most characters of `customer.email`.
    pub email_length_max: usize,
    /// Most characters of the receipt footer.
    pub receipt_footer_length_max: usize,
    /// Most characters of the receipt description; `None` where the channel has no such field.
    pub receipt_description_length_max: Option<usize>,
    /// Most characters of each insurance field; `None` where the channel does not take insurance data.
    pub insurance_length_max: Option<usize>,
    /// Whether codes of our own making can be registered, at DOKU or here.
    pub takes_merchant_codes: bool,
    /// Whether an update (PATCH) is documented.
    pub can_amend: bool,
}

/// Alfa Group page, current edition.
static ALFA: ChannelProfile = ChannelProfile {
    expiry_minutes_max: 99_999,
    name_length_max: 64,
    name_length_max_on_amend: 40,
    email_length_max: 128,
    receipt_footer_length_max: 120,
    receipt_description_length_max: None,
    insurance_length_max: Some(64),
    takes_merchant_codes: true,
    can_amend: true,
};

/// Indomaret page: one method, no update; the receipt description is mandatory.
static INDOMARET: ChannelProfile = ChannelProfile {
    expiry_minutes_max: 99_999_999,
    name_length_max: 64,
    name_length_max_on_amend: 40,
    email_length_max: 128,
    receipt_footer_length_max: 255,
    receipt_description_length_max: Some(128),
    insurance_length_max: None,
    takes_merchant_codes: false,
    can_amend: false,
};
