//! Channels (Alfa Group, Indomaret), issuance methods, and what is so of each channel: names, ids and limits as data, one row a channel.
//!
//! Must not be here: where calls go and how bodies look (`doku`), what a merchant's contract says (`domain::settlement`, the configuration).

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
    /// Every one, in the order reports list them.
    pub const ALL: [Self; 2] = [Self::Alfa, Self::Indomaret];

    /// Its place in [`Channel::ALL`].
    const fn place(self) -> usize {
        match self {
            Self::Alfa => 0,
            Self::Indomaret => 1,
        }
    }

    /// Its row.
    #[must_use]
    pub const fn profile(self) -> &'static ChannelProfile {
        PROFILES.of(self)
    }

    /// The name used in files: `alfa`, `indomaret`.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.profile().name
    }

    /// Reads a name as [`Channel::name`] writes it, in any case.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|channel| channel.name().eq_ignore_ascii_case(text))
    }

    /// DOKU's `acquirer.id`.
    #[must_use]
    pub const fn acquirer_id(self) -> &'static str {
        self.profile().acquirer_id
    }

    /// DOKU's `channel.id`.
    #[must_use]
    pub const fn doku_id(self) -> &'static str {
        self.profile().doku_id
    }
}

/// Something of every channel.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct PerChannel<T>([T; Channel::ALL.len()]);

impl<T> PerChannel<T> {
    /// In the order of [`Channel::ALL`].
    #[must_use]
    pub const fn new(all: [T; Channel::ALL.len()]) -> Self {
        Self(all)
    }

    /// What `value` gives for each.
    #[must_use]
    pub fn from_fn(value: impl FnMut(Channel) -> T) -> Self {
        Self(Channel::ALL.map(value))
    }

    /// That of `channel`.
    #[must_use]
    #[allow(
        clippy::indexing_slicing,
        reason = "there are as many as in `ALL`, where each has its place, as is asserted below; `get` is not const"
    )]
    pub const fn of(&self, channel: Channel) -> &T {
        &self.0[channel.place()]
    }

    /// That of `channel`, to be changed.
    #[allow(clippy::indexing_slicing, reason = "as above")]
    pub const fn of_mut(&mut self, channel: Channel) -> &mut T {
        &mut self.0[channel.place()]
    }

    /// Each, in the order of [`Channel::ALL`].
    pub fn iter(&self) -> std::slice::Iter<'_, T> {
        self.0.iter()
    }
}

impl<'a, T> IntoIterator for &'a PerChannel<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl<T> IntoIterator for PerChannel<T> {
    type Item = T;
    type IntoIter = std::array::IntoIter<T, { Channel::ALL.len() }>;

    fn into_iter(self) -> Self::IntoIter {
        self.0.into_iter()
    }
}

#[allow(clippy::indexing_slicing, reason = "`get` is not const, and what would panic does not compile")]
const _: () = {
    let mut at = 0;
    while at < Channel::ALL.len() {
        assert!(Channel::ALL[at].place() == at, "a channel stands in `ALL` at its own place");
        at += 1;
    }
};

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Who makes the payment code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum IssuanceMethod {
    /// DOKU makes it and returns it (DGPC).
    Doku,
    /// We make it and register it (MGPC).
    Merchant,
    /// We make it and keep it; DOKU asks us when it is to be paid (DIPC).
    Inquiry,
}

impl IssuanceMethod {
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

impl fmt::Display for IssuanceMethod {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What is so of one channel. Lengths are in characters, expiry in minutes.
#[derive(Clone, Copy, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "a row of what a channel takes and has")]
pub struct ChannelProfile {
    /// The name used in files.
    pub name: &'static str,
    /// DOKU's `acquirer.id`.
    pub acquirer_id: &'static str,
    /// DOKU's `channel.id`.
    pub doku_id: &'static str,
    /// Most characters of `info`, where no setting says otherwise: DOKU's pages differ.
    pub info_length_max: usize,
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
    /// Whether the answer to an inquiry may carry a receipt footer.
    pub inquiry_has_footer: bool,
    /// Whether a code's bill may say how its payment is split and settled; where the page does not say so, a setting may.
    pub takes_settlement: bool,
    /// Most characters of each insurance field; `None` where the channel does not take insurance data.
    pub insurance_length_max: Option<usize>,
    /// Whether codes of our own making can be registered, at DOKU or here.
    pub takes_merchant_codes: bool,
    /// Whether an update (PATCH) is documented.
    pub can_amend: bool,
}

static PROFILES: PerChannel<ChannelProfile> = PerChannel::new([
    // Alfa Group page, current edition.
    ChannelProfile {
        name: "alfa",
        acquirer_id: "ALFA",
        doku_id: "ONLINE_TO_OFFLINE_ALFA",
        // 32 on older pages.
        info_length_max: 30,
        expiry_minutes_max: 99_999,
        name_length_max: 64,
        name_length_max_on_amend: 40,
        email_length_max: 128,
        receipt_footer_length_max: 120,
        receipt_description_length_max: None,
        inquiry_has_footer: true,
        takes_settlement: true,
        insurance_length_max: Some(64),
        takes_merchant_codes: true,
        can_amend: true,
    },
    // Indomaret page: one method, no update; the receipt description is mandatory.
    ChannelProfile {
        name: "indomaret",
        acquirer_id: "INDOMARET",
        doku_id: "ONLINE_TO_OFFLINE_INDOMARET",
        info_length_max: 32,
        expiry_minutes_max: 99_999_999,
        name_length_max: 64,
        name_length_max_on_amend: 40,
        email_length_max: 128,
        receipt_footer_length_max: 255,
        receipt_description_length_max: Some(128),
        inquiry_has_footer: false,
        takes_settlement: false,
        insurance_length_max: None,
        takes_merchant_codes: false,
        can_amend: false,
    },
]);
