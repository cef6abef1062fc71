//! Refusals on order: what the next calls are answered, in any shape DOKU's errors were seen in (API reference, section 4.1).

use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::json;

/// How an error's body is written.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Shape {
    /// `{"error":{"message":…}}`, the main one.
    #[default]
    Error,
    /// `{"message":…}`.
    Message,
    /// `{"message":[…]}`.
    MessageList,
    /// `{"error_messages":[…]}`.
    ErrorMessages,
    /// `{"response":{"error":{"code":…,"type":…,"message":…}}}`.
    Response,
    /// Spring's: `{"status":…,"error":…,"message":…}`.
    Spring,
    /// The draft glossary's: `{"status":"FAILED","response_code":…}`.
    ResponseCode,
}

impl Shape {
    /// All of them.
    pub const ALL: [Self; 7] =
        [Self::Error, Self::Message, Self::MessageList, Self::ErrorMessages, Self::Response, Self::Spring, Self::ResponseCode];

    /// The body that says `message` with HTTP `status`.
    #[must_use]
    pub fn body(self, status: u16, message: &str) -> Bytes {
        let body = match self {
            Self::Error => json!({"error": {"message": message}}),
            Self::Message => json!({"message": message}),
            Self::MessageList => json!({"message": [message]}),
            Self::ErrorMessages => json!({"error_messages": [message]}),
            Self::Response => json!({"response": {"error": {"code": status.to_string(), "type": "ERROR", "message": message}}}),
            Self::Spring => json!({"status": status, "error": message, "message": message}),
            Self::ResponseCode => json!({"status": "FAILED", "response_code": message}),
        };
        body.to_string().into()
    }
}

/// What the next calls are answered; nothing is done for them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OrderedRefusal {
    /// 400 to 599.
    pub status: u16,
    /// How many calls; 1 when absent.
    #[serde(default = "once")]
    pub count: u32,
    /// How the body is written.
    #[serde(default)]
    pub shape: Shape,
    /// What it says.
    #[serde(default)]
    pub message: String,
    /// Whether it is signed; as errors are in this sandbox when absent.
    #[serde(default)]
    pub signed: Option<bool>,
    /// `Retry-After`, in seconds.
    #[serde(default)]
    pub retry_after_seconds: Option<u64>,
}

const fn once() -> u32 {
    1
}
