//! One log line → the message's headers, target and body bytes, without copying what needs no copy.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::doku::notification::text;

/// What a line is.
#[derive(Debug)]
pub(super) enum Envelope<'a> {
    /// A message as it was received.
    Received(Box<Received<'a>>),
    /// A body without anything around it.
    Bare,
    /// Neither, and why.
    Malformed(&'static str),
}

/// A message as it was received; each header `None` when it is missing, empty or no text.
#[derive(Debug)]
pub(super) struct Received<'a> {
    pub(super) at: Option<Timestamp>,
    pub(super) target: Option<Cow<'a, str>>,
    pub(super) headers: Headers<'a>,
    /// The body as a JSON string literal.
    pub(super) body: &'a RawValue,
}

/// The headers that a signature needs.
#[derive(Debug, Default)]
pub(super) struct Headers<'a> {
    pub(super) client_id: Option<Cow<'a, str>>,
    pub(super) request_id: Option<Cow<'a, str>>,
    pub(super) timestamp: Option<Cow<'a, str>>,
    pub(super) signature: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Fields<'a> {
    #[serde(borrow, default)]
    received_at: Option<&'a RawValue>,
    #[serde(borrow, default)]
    target: Option<&'a RawValue>,
    #[serde(borrow, default)]
    headers: Option<&'a RawValue>,
    #[serde(borrow, default)]
    body: Option<&'a RawValue>,
    service: Option<IgnoredAny>,
    transaction: Option<IgnoredAny>,
    order: Option<IgnoredAny>,
}

/// Reads one line.
pub(super) fn parse(line: &str) -> Envelope<'_> {
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(line) else {
        return Envelope::Malformed("the line is not a JSON object");
    };
    let is_object = line.trim_start().starts_with('{');
    match fields.body {
        _ if !is_object => Envelope::Malformed("the line is not a JSON object"),
        Some(body) if body.get().len() > 2 && body.get().starts_with('"') => Envelope::Received(Box::new(Received {
            at: fields.received_at.and_then(text).and_then(|at| at.parse().ok()),
            target: filled(fields.target),
            headers: fields.headers.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default(),
            body,
        })),
        None if fields.service.is_some() || fields.transaction.is_some() || fields.order.is_some() => Envelope::Bare,
        _ => Envelope::Malformed("there is no body"),
    }
}

fn filled(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    raw.and_then(text).filter(|text| !text.is_empty())
}

impl<'de: 'a, 'a> Deserialize<'de> for Headers<'a> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Names;

        impl<'de> Visitor<'de> for Names {
            type Value = Headers<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object of headers")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Headers<'de>, A::Error> {
                let mut headers = Headers::default();
                while let Some((name, value)) = map.next_entry::<&RawValue, &RawValue>()? {
                    headers.keep(name, value);
                }
                Ok(headers)
            }
        }

        deserializer.deserialize_map(Names)
    }
}

impl<'a> Headers<'a> {
    /// HTTP names have no case; the first of a name stands.
    fn keep(&mut self, name: &'a RawValue, value: &'a RawValue) {
        let Some(name) = text(name) else { return };
        let slot = match &*name {
            name if name.eq_ignore_ascii_case("Client-Id") => &mut self.client_id,
            name if name.eq_ignore_ascii_case("Request-Id") => &mut self.request_id,
            name if name.eq_ignore_ascii_case("Request-Timestamp") => &mut self.timestamp,
            name if name.eq_ignore_ascii_case("Signature") => &mut self.signature,
            _ => return,
        };
        if slot.is_none() {
            *slot = filled(Some(value));
        }
    }
}

/// Writes the text of a JSON string literal into `out`: the bytes as they were received. `false` when it has none, which
/// only half a surrogate pair can cause in a literal that was parsed before.
pub(super) fn unescape(literal: &RawValue, out: &mut String) -> bool {
    out.clear();
    let Some(mut rest) = literal.get().strip_prefix('"').and_then(|text| text.strip_suffix('"')) else { return false };
    while let Some((plain, escaped)) = rest.split_once('\\') {
        out.push_str(plain);
        let Some((taken, character)) = escape(escaped) else { return false };
        out.push(character);
        rest = escaped.get(taken..).unwrap_or_default();
    }
    out.push_str(rest);
    true
}

/// The character an escape stands for, and how many bytes after the backslash it takes.
fn escape(escaped: &str) -> Option<(usize, char)> {
    let simple = |character| Some((1, character));
    match escaped.as_bytes().first()? {
        b'n' => simple('\n'),
        b't' => simple('\t'),
        b'r' => simple('\r'),
        b'b' => simple('\u{8}'),
        b'f' => simple('\u{c}'),
        b'u' => {
            let high = unit(escaped.get(1..5)?)?;
            if let Some(character) = char::from_u32(high) {
                return Some((5, character));
            }
            let low = unit(escaped.get(5..)?.strip_prefix("\\u")?.get(..4)?)?;
            let pair = [u16::try_from(high).ok()?, u16::try_from(low).ok()?];
            Some((11, char::decode_utf16(pair).next()?.ok()?))
        }
        &other => simple(char::from(other)),
    }
}

fn unit(digits: &str) -> Option<u32> {
    u32::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn unescaping_gives_back_what_was_escaped(text in "\\PC{0,80}|[\u{0}-\u{1f}\"\\\\/\u{10000}-\u{10ffff}a]{0,20}") {
            let literal: Box<RawValue> = serde_json::from_str(&serde_json::to_string(&text).unwrap()).unwrap();
            let mut out = String::from("left over");
            prop_assert!(unescape(&literal, &mut out));
            prop_assert_eq!(out, text);
        }
    }

    #[test]
    fn escapes_that_serde_never_writes_are_read_too() {
        let literal: Box<RawValue> = serde_json::from_str(r#""\u0041\/\ud83d\ude00\u00e9""#).unwrap();
        let mut out = String::new();
        assert!(unescape(&literal, &mut out));
        assert_eq!(out, "A/😀é");
        let half: Box<RawValue> = serde_json::from_str(r#""\ud83d""#).unwrap();
        assert!(!unescape(&half, &mut out));
    }

    #[test]
    fn lines_are_told_apart() {
        let kind = |line: &str| match parse(line) {
            Envelope::Received(_) => "received",
            Envelope::Bare => "bare",
            Envelope::Malformed(why) => why,
        };
        assert_eq!(kind(r#"{"body":"{}","more":1}"#), "received");
        assert_eq!(kind(r#"{"service":{"id":"X"}}"#), "bare");
        assert_eq!(kind(r#"{"order":{}}"#), "bare");
        for line in [r#"{"body":""}"#, r#"{"body":{}}"#, r#"{"body":null}"#, "{}"] {
            assert_eq!(kind(line), "there is no body", "{line}");
        }
        for line in ["", " ", "[]", "7", r#"{"body":"{}""#, r#"{"body":"{}"}x"#, r#"["","",{},"{}",{},{},{}]"#] {
            assert_eq!(kind(line), "the line is not a JSON object", "{line}");
        }
    }

    #[test]
    fn header_names_have_no_case_and_empty_values_are_absent() {
        let line = r#"{"body":"{}","headers":{"client-id":"A","REQUEST-ID":"B","Signature":"","Request-Timestamp":7,"x":[]}}"#;
        let Envelope::Received(received) = parse(line) else { panic!("{line}") };
        assert_eq!(received.headers.client_id.as_deref(), Some("A"));
        assert_eq!(received.headers.request_id.as_deref(), Some("B"));
        assert!(received.headers.signature.is_none() && received.headers.timestamp.is_none());
    }
}
