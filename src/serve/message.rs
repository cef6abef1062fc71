//! A message as it arrived: the headers that were signed, the bytes, and whether they are DOKU's.

use axum::http::HeaderMap;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::Serialize;

use super::Settings;
use crate::doku::signature::{Components, SigningKey, Stamp};
use crate::domain::digest;

/// The most characters of a `Request-Id`.
const REQUEST_ID_LENGTH_MAX: usize = 128;

/// What arrived.
pub(super) struct Received {
    pub(super) at: Timestamp,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    /// A signed header stands there twice, or is no text: which of them was signed cannot be said.
    ambiguous: bool,
}

/// The headers that are kept.
#[derive(Debug, Default, Serialize)]
pub(super) struct Headers {
    #[serde(rename = "Client-Id", skip_serializing_if = "Option::is_none")]
    client_id: Option<String>,
    #[serde(rename = "Request-Id", skip_serializing_if = "Option::is_none")]
    pub(super) request_id: Option<String>,
    #[serde(rename = "Request-Timestamp", skip_serializing_if = "Option::is_none")]
    timestamp: Option<String>,
    #[serde(rename = "Signature", skip_serializing_if = "Option::is_none")]
    signature: Option<String>,
    #[serde(rename = "Content-Type", skip_serializing_if = "Option::is_none")]
    content_type: Option<String>,
}

/// A line of a log. A body that is no text has its bytes kept under another name, where nobody takes it for a message.
#[derive(Serialize)]
struct LogLine<'a> {
    received_at: Timestamp,
    target: &'a str,
    headers: &'a Headers,
    #[serde(skip_serializing_if = "Option::is_none")]
    body: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    body_base64: Option<String>,
    #[serde(flatten)]
    more: &'a serde_json::Map<String, serde_json::Value>,
}

impl Received {
    pub(super) fn new(at: Timestamp, headers: &HeaderMap, body: Vec<u8>) -> Self {
        let mut ambiguous = false;
        let mut one = |name: &str| {
            let mut values = headers.get_all(name).iter();
            let first = values.next()?;
            ambiguous |= values.next().is_some() || first.to_str().is_err();
            Some(String::from_utf8_lossy(first.as_bytes()).into_owned())
        };
        let headers = Headers {
            client_id: one("client-id"),
            request_id: one("request-id"),
            timestamp: one("request-timestamp"),
            signature: one("signature"),
            content_type: one("content-type"),
        };
        Self { at, headers, body, ambiguous }
    }

    /// The key that signed this message for `target`.
    ///
    /// # Errors
    /// Why it is not provably DOKU's.
    pub(super) fn signer<'k>(&self, settings: &'k Settings, target: &str) -> Result<&'k SigningKey, &'static str> {
        if self.ambiguous {
            return Err("a signed header is repeated or no text");
        }
        let headers = &self.headers;
        let client_id = headers.client_id.as_deref().ok_or("`Client-Id` is missing")?;
        if client_id != settings.client_id {
            return Err("`Client-Id` is not ours");
        }
        let request_id = self.request_id().ok_or("`Request-Id` is missing or unusable")?;
        let timestamp = headers.timestamp.as_deref().ok_or("`Request-Timestamp` is missing")?;
        let signature = headers.signature.as_deref().ok_or("`Signature` is missing")?;
        let components = Components { client_id, request_id, stamp: Stamp::Request(timestamp), target, body: None };
        let body_digest = Some(digest::of_bytes(&self.body));
        let signed = |key: &&SigningKey| key.verify_digested(&components, body_digest, signature).is_ok();
        settings.keys.iter().find(signed).ok_or("the signature does not match")
    }

    /// A `Request-Id` that can be repeated in an answer.
    pub(super) fn request_id(&self) -> Option<&str> {
        let is_usable = |id: &&str| (1..=REQUEST_ID_LENGTH_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        self.headers.request_id.as_deref().filter(is_usable)
    }

    /// Whether it was signed within `seconds` of its arrival.
    pub(super) fn is_fresh(&self, seconds: u32) -> bool {
        let signed_at = self.headers.timestamp.as_deref().and_then(|text| text.parse::<Timestamp>().ok());
        signed_at.is_some_and(|signed_at| self.at.duration_since(signed_at).unsigned_abs().as_secs() <= u64::from(seconds))
    }

    /// The body as text.
    pub(super) fn text(&self) -> Option<&str> {
        str::from_utf8(&self.body).ok()
    }

    /// The log line, without its line feed: what was received, and `more`.
    pub(super) fn line(&self, target: &str, more: &serde_json::Map<String, serde_json::Value>) -> Vec<u8> {
        let body = self.text();
        let body_base64 = if body.is_none() { Some(BASE64.encode(&self.body)) } else { None };
        let line = LogLine { received_at: self.at, target, headers: &self.headers, body, body_base64, more };
        match serde_json::to_vec(&line) {
            Ok(line) => line,
            Err(_) => unreachable!("texts are always JSON"),
        }
    }

    /// The log line of a message that is not provably DOKU's.
    pub(super) fn forged_line(&self, target: &str, why: &str) -> Vec<u8> {
        self.line(target, &serde_json::Map::from_iter([("why".to_owned(), why.into())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(headers: &[(&'static str, &'static str)], body: &[u8]) -> Received {
        let map = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Received::new("2026-10-15T05:00:03.000004Z".parse().unwrap(), &map, body.to_vec())
    }

    #[test]
    fn a_line_is_the_message_as_received_in_the_form_the_logs_have() {
        let headers = [("client-id", "C"), ("REQUEST-ID", "R"), ("request-timestamp", "T"), ("signature", "S"), ("cookie", "secret")];
        let line = received(&headers, b"{\"a\":\"\xc3\xa9\n\"}").line("/n", &serde_json::Map::new());
        let expected = r#"{"received_at":"2026-10-15T05:00:03.000004Z","target":"/n","headers":{"Client-Id":"C","Request-Id":"R","Request-Timestamp":"T","Signature":"S"},"body":"{\"a\":\"é\n\"}"}"#;
        assert_eq!(String::from_utf8(line).unwrap(), expected.replace("é\n", "é\\n"));
        let line = received(&headers, &[0xff]).line("/n", &serde_json::Map::new());
        assert!(String::from_utf8(line).unwrap().ends_with(r#","body_base64":"/w=="}"#));
    }

    #[test]
    fn freshness_is_counted_both_ways() {
        let at = |stamp: &'static str| received(&[("request-timestamp", stamp)], b"");
        assert!(at("2026-10-15T04:55:03Z").is_fresh(300) && at("2026-10-15T05:05:03Z").is_fresh(300));
        assert!(!at("2026-10-15T04:55:02Z").is_fresh(300) && !at("2026-10-15T05:05:05Z").is_fresh(300));
        assert!(!at("yesterday").is_fresh(300));
    }
}
