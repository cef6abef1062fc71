//! What a sandbox is told when it is made: credentials, code prefixes, faults, and the points DOKU leaves open.

use secrecy::SecretString;
use serde::{Deserialize, Serialize};

use super::chain;
use super::fault::Faults;
use crate::domain::channel::{Channel, PerChannel};

/// The moment an amended `expired_time` counts from. DOKU's pages do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AmendBase {
    /// The moment of the PATCH.
    #[default]
    Amendment,
    /// The moment the code was made.
    Creation,
}

/// Whether a redelivered notification repeats the `Request-Id` of the first. DOKU's pages do not say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RedeliveryId {
    /// A new one each time.
    #[default]
    New,
    /// The first one's.
    Same,
}

/// Everything a [`super::model::Model`] is made from. Two models with equal settings answer equal requests with equal bytes.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The only `Client-Id` that is let in.
    pub client_id: String,
    /// The shared secret of both directions.
    pub secret: SecretString,
    /// What codes, transaction ids and faults are drawn from.
    pub seed: u64,
    /// What goes wrong, and how often.
    pub faults: Faults,
    /// What DOKU's own codes begin with: digits, fewer than 16.
    pub bins: PerChannel<String>,
    /// What a merchant's own codes must begin with; empty allows any.
    pub merchant_bin: String,
    /// Scheme and authority of the how-to-pay links, without a final slash; when empty the server puts its own address.
    pub base_url: String,
    /// The path of the merchant's notification URL: the `Request-Target` of every notification.
    pub notification_path: String,
    /// What an amended expiry counts from.
    pub amend_base: AmendBase,
    /// Whether redeliveries keep their `Request-Id`.
    pub redelivery_id: RedeliveryId,
    /// How many seconds of DOKU's redelivery schedule pass in one real second; at least 1.
    pub time_scale: u32,
    /// How many of a hundred payments meet one of [`super::notify::FAULTS`] on the way to the merchant, 0 to 100.
    pub notification_faults_percent: u8,
    /// What codes begin with that the merchant is asked about; empty stands for every code nobody registered.
    pub inquiry_bins: Vec<String>,
    /// Whether only what DOKU's pages list is taken; otherwise also what its own plugins send.
    pub strict: bool,
    /// Whether errors are signed like other answers. DOKU's pages do not say.
    pub signs_errors: bool,
    /// Keys that signed notifications before the present one.
    pub former_secrets: Vec<SecretString>,
    /// Oldest or furthest ahead a `Request-Timestamp` may be, in seconds; `None`, as DOKU documents none, lets any age in.
    pub timestamp_window_seconds: Option<u64>,
}

impl Settings {
    /// Settings without faults, for one merchant.
    #[must_use]
    pub fn new(client_id: impl Into<String>, secret: SecretString, seed: u64) -> Self {
        Self {
            client_id: client_id.into(),
            secret,
            seed,
            faults: Faults::none(),
            bins: PerChannel::from_fn(|channel| chain::of(channel).bin.to_owned()),
            merchant_bin: String::new(),
            base_url: String::new(),
            notification_path: "/payments/notifications".into(),
            amend_base: AmendBase::default(),
            redelivery_id: RedeliveryId::default(),
            time_scale: 1,
            notification_faults_percent: 0,
            inquiry_bins: Vec::new(),
            strict: true,
            signs_errors: true,
            former_secrets: Vec::new(),
            timestamp_window_seconds: None,
        }
    }

    /// What DOKU's own codes begin with on `channel`.
    #[must_use]
    pub fn bin(&self, channel: Channel) -> &str {
        self.bins.of(channel)
    }
}
