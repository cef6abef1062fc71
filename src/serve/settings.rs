//! What a server is started with.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;

use super::keys::Keys;
use crate::doku::info::InfoKey;
use crate::doku::inquiry::InvalidSignature;

/// What a server is told.
#[derive(Clone, Debug)]
pub struct ServeSettings {
    /// The public paths, which DOKU signs.
    pub inquiry_path: String,
    /// See `inquiry_path`.
    pub notification_path: String,
    /// Our `Client-Id`.
    pub client_id: String,
    /// The keys that may have signed.
    pub keys: Arc<Keys>,
    /// See [`InvalidSignature`].
    pub invalid_signature: InvalidSignature,
    /// What stands between a bill's number and what an inquiry adds to it; empty: inquiries are answered with the bill's number.
    pub inquiry_suffix: String,
    /// Whether a refusal of a known code names its order and customer.
    pub refusal_details: bool,
    /// Whether the refusal of what is not provably DOKU's is signed.
    pub sign_refusals: bool,
    /// What the text is called that a counter shows.
    pub info_key: InfoKey,
    /// How far an inquiry's timestamp may be from now, in seconds; 0 for any distance.
    pub freshness_seconds: u32,
    /// Stands in an answer for a customer whose name is not kept.
    pub customer_name: String,
    /// See [`Limits`].
    pub limits: ClientLimits,
}

/// What one client, and all of them together, may take.
#[derive(Clone, Debug)]
pub struct ClientLimits {
    /// Connections at a time; more are turned away.
    pub connections_max: usize,
    /// Connections at a time from one address; more of it are turned away.
    pub per_address_max: usize,
    /// Addresses that speak for many, and are not counted so.
    pub proxies: Vec<IpAddr>,
    /// Bytes of a body; more is 413.
    pub body_bytes_max: usize,
    /// How long a request's head may take, and how long a connection may idle before it.
    pub header_timeout: Duration,
    /// How long a body may take, and how long an answer may find nobody who reads it.
    pub body_timeout: Duration,
    /// How long requests under way may take once a stop is asked for.
    pub drain: Duration,
    /// Bytes a day that strangers' messages may take in the log.
    pub forged_bytes_max: u64,
    /// Bytes of the log's disk that strangers' messages leave free.
    pub reserved_bytes: u64,
    /// Bytes that answers may take, kept to be repeated.
    pub answers_bytes_max: u64,
}

impl ServeSettings {
    /// How long a repeated inquiry can pass for fresh: its timestamp may lie ahead by the whole window.
    #[must_use]
    pub fn answers_kept_for(&self) -> SignedDuration {
        const WITHOUT_WINDOW_SECONDS: i64 = 600;
        match i64::from(self.freshness_seconds) {
            0 => SignedDuration::from_secs(WITHOUT_WINDOW_SECONDS),
            seconds => SignedDuration::from_secs(seconds.saturating_mul(2)),
        }
    }
}
