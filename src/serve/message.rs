//! A message as it arrived: the headers that were signed, the bytes, and whether they are DOKU's.

use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use jiff::Timestamp;
use serde::Serialize;

use crate::doku::incoming::Incoming;
use crate::doku::signature::{Components, SigningKey, Stamp};
use crate::domain::digest;

/// The most characters of a `Request-Id`.
const REQUEST_ID_LENGTH_MAX: usize = 128;

/// The URL a message came to. What it is follows from its body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Door {
    /// The Inquiry URL.
    Inquiry,
    /// The Notification URL.
    Notification,
}

impl Door {
    /// The name used in metrics.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Inquiry => "inquiry",
            Self::Notification => "notification",
        }
    }
}

/// What arrived.
pub(super) struct Received {
    pub(super) at: Timestamp,
    pub(super) door: Door,
    /// Path and query as posted.
    target: String,
    pub(super) headers: Headers,
    pub(super) body: Vec<u8>,
    /// A signed header stands there twice, or is no text: which of them was signed cannot be said.
    ambiguous: bool,
}

/// Whose a message is, and the target it was signed for: what answers it is signed alike.
#[derive(Clone, Copy)]
pub(super) struct Signer<'a> {
    pub(super) key: &'a SigningKey,
    pub(super) target: &'a str,
}

/// The headers that are kept.
#[derive(Clone, Debug, Default, Serialize)]
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

/// What is kept of a stranger's body.
const STRANGE_BYTES_MAX: usize = 1_024;

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
    pub(super) fn new(at: Timestamp, door: Door, target: &str, headers: &HeaderMap, body: Vec<u8>) -> Self {
        // Whatever is not signed is kept as it came, and decides nothing.
        let mut unsigned = headers.get_all(CONTENT_TYPE).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        let content_type = unsigned.next().map(|first| unsigned.fold(first.into_owned(), |all, one| all + ", " + &one));
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
            content_type,
        };
        Self { at, door, target: target.to_owned(), headers, body, ambiguous }
    }

    /// What it is, whichever door it came to; to be believed of a signed one only.
    pub(super) fn is(&self) -> Incoming {
        Incoming::of(&self.body)
    }

    /// The path it was posted to.
    pub(super) fn path(&self) -> &str {
        self.target.split_once('?').map_or(self.target.as_str(), |(path, _)| path)
    }

    /// Which of `keys` signed this message for the URL it was posted to. Whether DOKU signs the query of a URL is not documented,
    /// and its own plugins differ, so that both are taken; nothing is ever decided by a query.
    ///
    /// # Errors
    /// Why it is not provably DOKU's.
    pub(super) fn signer<'a>(&'a self, keys: &'a [SigningKey], client_id: &str) -> Result<Signer<'a>, &'static str> {
        if self.ambiguous {
            return Err("a signed header is repeated or no text");
        }
        let headers = &self.headers;
        if headers.client_id.as_deref().ok_or("`Client-Id` is missing")? != client_id {
            return Err("`Client-Id` is not ours");
        }
        let request_id = self.request_id().ok_or("`Request-Id` is missing or unusable")?;
        let timestamp = headers.timestamp.as_deref().ok_or("`Request-Timestamp` is missing")?;
        let signature = headers.signature.as_deref().ok_or("`Signature` is missing")?;
        let body_digest = Some(digest::of_bytes(&self.body));
        let signed = |signer: &Signer<'_>| {
            let components = Components { client_id, request_id, stamp: Stamp::Request(timestamp), target: signer.target, body: None };
            signer.key.verify_digested(&components, body_digest, signature).is_ok()
        };
        let with_query = self.target.contains('?').then_some(self.target.as_str());
        let targets = std::iter::once(self.path()).chain(with_query);
        let mut signers = targets.flat_map(|target| keys.iter().map(move |key| Signer { key, target }));
        let found = signers.find(signed).ok_or("the signature does not match")?;
        if found.key.is_believed(Some(self.at)) { Ok(found) } else { Err("the key that signed it is not believed any more") }
    }

    /// A `Request-Id` that can be repeated in an answer.
    pub(super) fn request_id(&self) -> Option<&str> {
        let is_usable = |id: &&str| (1..=REQUEST_ID_LENGTH_MAX).contains(&id.len()) && id.bytes().all(|byte| byte.is_ascii_graphic());
        self.headers.request_id.as_deref().filter(is_usable)
    }

    fn signed_at(&self) -> Option<Timestamp> {
        self.headers.timestamp.as_deref().and_then(|text| text.parse().ok())
    }

    /// How many seconds before its arrival it was signed; negative, after it.
    pub(super) fn age_seconds(&self) -> Option<i64> {
        self.signed_at().map(|signed_at| self.at.duration_since(signed_at).as_secs())
    }

    /// Whether it was signed within `seconds` of its arrival.
    pub(super) fn is_fresh(&self, seconds: u32) -> bool {
        self.signed_at().is_some_and(|signed_at| self.at.duration_since(signed_at).unsigned_abs().as_secs() <= u64::from(seconds))
    }

    /// The body as text.
    pub(super) fn text(&self) -> Option<&str> {
        str::from_utf8(&self.body).ok()
    }

    /// The log line, without its line feed: what was received, and `more`.
    pub(super) fn line(&self, more: &serde_json::Map<String, serde_json::Value>) -> Vec<u8> {
        let body = self.text();
        let body_base64 = if body.is_none() { Some(BASE64.encode(&self.body)) } else { None };
        let line = LogLine { received_at: self.at, target: &self.target, headers: &self.headers, body, body_base64, more };
        match serde_json::to_vec(&line) {
            Ok(line) => line,
            Err(_) => unreachable!("texts are always JSON"),
        }
    }

    /// Whether it says that it is for us.
    pub(super) fn names(&self, client_id: &str) -> bool {
        self.headers.client_id.as_deref() == Some(client_id)
    }

    /// The log line of a message that is not provably DOKU's, `whole` or with the beginning of its body and how long that was.
    pub(super) fn forged_line(&self, why: &str, whole: bool) -> Vec<u8> {
        let why = ("why".to_owned(), serde_json::Value::from(why));
        if whole || self.body.len() <= STRANGE_BYTES_MAX {
            return self.line(&serde_json::Map::from_iter([why]));
        }
        let body = self.body.get(..STRANGE_BYTES_MAX).unwrap_or_default();
        let body = String::from_utf8_lossy(body).into_owned();
        let cut = Self { body: body.into_bytes(), headers: self.headers.clone(), target: self.target.clone(), ..*self };
        cut.line(&serde_json::Map::from_iter([why, ("body_bytes".to_owned(), self.body.len().into())]))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn received(headers: &[(&'static str, &'static str)], body: &[u8]) -> Received {
        let map = headers.iter().map(|(name, value)| (name.parse().unwrap(), value.parse().unwrap())).collect();
        Received::new("2026-10-15T05:00:03.000004Z".parse().unwrap(), Door::Notification, "/n", &map, body.to_vec())
    }

    #[test]
    fn a_line_is_the_message_as_received_in_the_form_the_logs_have() {
        let headers = [("client-id", "C"), ("REQUEST-ID", "R"), ("request-timestamp", "T"), ("signature", "S"), ("cookie", "secret")];
        let line = received(&headers, b"{\"a\":\"\xc3\xa9\n\"}").line(&serde_json::Map::new());
        let expected = r#"{"received_at":"2026-10-15T05:00:03.000004Z","target":"/n","headers":{"Client-Id":"C","Request-Id":"R","Request-Timestamp":"T","Signature":"S"},"body":"{\"a\":\"é\n\"}"}"#;
        assert_eq!(String::from_utf8(line).unwrap(), expected.replace("é\n", "é\\n"));
        let line = received(&headers, &[0xff]).line(&serde_json::Map::new());
        assert!(String::from_utf8(line).unwrap().ends_with(r#","body_base64":"/w=="}"#));
    }

    #[test]
    fn a_strangers_body_is_cut_and_one_that_names_us_is_kept_whole() {
        let body = "x".repeat(60_000);
        let stranger = received(&[("client-id", "S")], body.as_bytes());
        assert!(!stranger.names("C") && received(&[("client-id", "C")], b"").names("C"));
        let line = String::from_utf8(stranger.forged_line("why", false)).unwrap();
        assert!(line.len() < 2_000 && line.ends_with(r#","body_bytes":60000,"why":"why"}"#), "{line}");
        assert!(stranger.forged_line("why", true).len() > 60_000);
    }

    #[test]
    fn an_unsigned_header_is_kept_as_it_came_and_makes_nothing_doubtful() {
        let mut map = HeaderMap::new();
        let values: [&[u8]; 3] = [b"application/json", b"text/plain; charset=\xff", b"application/json, application/json"];
        for value in values {
            map.append(CONTENT_TYPE, axum::http::HeaderValue::from_bytes(value).unwrap());
        }
        let received = Received::new(Timestamp::UNIX_EPOCH, Door::Inquiry, "/i", &map, Vec::new());
        let kept = "application/json, text/plain; charset=\u{fffd}, application/json, application/json";
        assert!(!received.ambiguous && received.headers.content_type.as_deref() == Some(kept));
    }

    #[test]
    fn freshness_is_counted_both_ways() {
        let at = |stamp: &'static str| received(&[("request-timestamp", stamp)], b"");
        assert!(at("2026-10-15T04:55:03Z").is_fresh(300) && at("2026-10-15T05:05:03Z").is_fresh(300));
        assert!(!at("2026-10-15T04:55:02Z").is_fresh(300) && !at("2026-10-15T05:05:05Z").is_fresh(300));
        assert!(!at("yesterday").is_fresh(300));
    }
}
