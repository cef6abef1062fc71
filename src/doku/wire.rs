//! A request before it is sent and an answer after it arrived, as bytes: what gateway, issuing and the answer table share.

use bytes::Bytes;

use crate::domain::ids::RequestId;

/// The HTTP methods DOKU's API uses.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HttpMethod {
    /// Check Status; has no body and no digest line.
    Get,
    /// Issue.
    Post,
    /// Amend, cancel.
    Patch,
}

/// One request, before it is stamped and signed: those happen anew on every attempt, the rest never changes.
#[derive(Clone, Debug)]
pub struct WireRequest {
    /// The method.
    pub method: HttpMethod,
    /// Path only; also the signature's target.
    pub path: String,
    /// The idempotency key.
    pub request_id: RequestId,
    /// The exact bytes to sign and send; empty for GET.
    pub body: Bytes,
}

/// What came of one attempt.
#[derive(Clone, Debug)]
pub enum Delivery {
    /// It provably did not reach DOKU.
    NotSent(String),
    /// It may have reached DOKU; there is no complete answer.
    Unknown(String),
    /// A complete answer.
    Answered(Answer),
}

impl Delivery {
    /// Every [`Delivery::kind`].
    pub const KINDS: [&str; 10] =
        ["success", "repeated", "refused", "credentials", "forbidden", "not_found", "throttled", "failing", "unanswered", "not_sent"];

    /// What came of it, in one word, by its HTTP status alone: for counting, not for concluding.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::NotSent(_) => "not_sent",
            Self::Unknown(_) => "unanswered",
            Self::Answered(answer) => match answer.status {
                200..=299 => "success",
                409 => "repeated",
                401 => "credentials",
                403 => "forbidden",
                404 => "not_found",
                429 => "throttled",
                400..=499 => "refused",
                _ => "failing",
            },
        }
    }
}

/// A complete HTTP answer.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// `Retry-After` in seconds from now, if it was there and readable.
    pub retry_after_seconds: Option<u64>,
    /// By how much the signed time of the answer lies ahead of this machine's clock, in seconds (negative: behind); none without a
    /// valid signature.
    pub ahead_seconds: Option<i64>,
    /// What the signature says.
    pub signature: SignatureFinding,
    /// The body as received.
    pub body: Bytes,
}

/// What verifying an answer's signature found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SignatureFinding {
    /// It matches.
    Valid,
    /// There is none.
    #[default]
    Absent,
    /// There is one, and it does not match.
    Wrong,
}
