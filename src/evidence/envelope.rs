//! One log line → the message's headers, target and body bytes, without copying what needs no copy.

use std::borrow::Cow;
use std::fmt;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::{IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

use crate::doku::value::string as text;
use crate::domain::line::Detail;

/// What a line is.
#[derive(Debug)]
pub(super) enum Envelope<'a> {
    /// A message as it was received.
    Received(Box<Received<'a>>),
    /// A body without anything around it.
    Bare,
    /// Neither, and why.
    Malformed(Detail),
}

/// A message as it was received; each header `None` when it is missing, empty or no text.
#[derive(Debug)]
pub(super) struct Received<'a> {
    pub(super) at: Option<Timestamp>,
    pub(super) target: Option<Cow<'a, str>>,
    pub(super) headers: Headers<'a>,
    /// The bytes that were signed.
    pub(super) body: Cow<'a, str>,
}

/// The headers that a signature needs.
#[derive(Debug, Default)]
pub(super) struct Headers<'a> {
    pub(super) client_id: Option<Cow<'a, str>>,
    pub(super) request_id: Option<Cow<'a, str>>,
    pub(super) timestamp: Option<Cow<'a, str>>,
    pub(super) signature: Option<Cow<'a, str>>,
}

/// The shape nearly all lines have, read in one pass.
#[derive(Deserialize)]
struct Ordinary<'a> {
    #[serde(borrow, default)]
    received_at: Cow<'a, str>,
    #[serde(borrow, default)]
    target: Cow<'a, str>,
    #[serde(borrow, default)]
    headers: Headers<'a>,
    #[serde(borrow)]
    body: Cow<'a, str>,
    // Only so that they are refused when they occur twice, as in any other shape.
    #[serde(default, rename = "service")]
    _service: IgnoredAny,
    #[serde(default, rename = "transaction")]
    _transaction: IgnoredAny,
    #[serde(default, rename = "order")]
    _order: IgnoredAny,
}

/// Any shape, with fields of any type.
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
    #[serde(borrow)]
    service: Option<&'a RawValue>,
    #[serde(borrow)]
    transaction: Option<&'a RawValue>,
    #[serde(borrow)]
    order: Option<&'a RawValue>,
}

/// Reads one line.
pub(super) fn parse(line: &str) -> Envelope<'_> {
    if !line.trim_start().starts_with('{') {
        return Envelope::Malformed(Detail::NotAnObject);
    }
    match serde_json::from_str::<Ordinary<'_>>(line) {
        Ok(fields) if !fields.body.is_empty() => Envelope::Received(Box::new(Received {
            at: fields.received_at.parse().ok(),
            target: Some(fields.target).filter(|target| !target.is_empty()),
            headers: fields.headers,
            body: fields.body,
        })),
        _ => of_any_shape(line),
    }
}

fn of_any_shape(line: &str) -> Envelope<'_> {
    let Ok(fields) = serde_json::from_str::<Fields<'_>>(line) else {
        return Envelope::Malformed(Detail::NotAnObject);
    };
    match fields.body {
        Some(body) => match filled(Some(body)) {
            Some(body) => Envelope::Received(Box::new(Received {
                at: fields.received_at.and_then(text).and_then(|at| at.parse().ok()),
                target: filled(fields.target),
                headers: fields.headers.and_then(|raw| serde_json::from_str(raw.get()).ok()).unwrap_or_default(),
                body,
            })),
            None if body.get().starts_with('{') => Envelope::Malformed(Detail::BodyAsJson),
            None => Envelope::Malformed(Detail::NoBody),
        },
        None if [fields.service, fields.transaction, fields.order].into_iter().flatten().any(|raw| raw.get().starts_with('{')) => {
            Envelope::Bare
        }
        None => Envelope::Malformed(Detail::NoBody),
    }
}

fn filled(raw: Option<&RawValue>) -> Option<Cow<'_, str>> {
    raw.and_then(text).filter(|text| !text.is_empty())
}

/// The text in an array of one: servers that keep repeated headers write every value so.
fn only(raw: &RawValue) -> Option<Cow<'_, str>> {
    let [value]: [&RawValue; 1] = serde_json::from_str(raw.get()).ok()?;
    filled(Some(value))
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
            *slot = filled(Some(value)).or_else(|| only(value));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn body_of(line: &str) -> Option<String> {
        if let Envelope::Received(received) = parse(line) { Some(received.body.into_owned()) } else { None }
    }

    proptest! {
        #[test]
        fn a_body_is_given_back_as_it_was_escaped(text in "\\PC{1,80}|[\u{0}-\u{1f}\"\\\\/\u{10000}-\u{10ffff}a]{1,20}") {
            prop_assert_eq!(body_of(&serde_json::json!({ "body": text }).to_string()), Some(text));
        }

        #[test]
        fn the_one_pass_finds_what_reading_any_shape_finds(
            parts in prop::collection::vec(
                (
                    prop::sample::select(vec!["received_at", "target", "headers", "body", "service", "order", "more", "b\\u006fdy"]),
                    prop::sample::select(vec![
                        r#""{\"a\":1}""#, r#""""#, r#""\ud83d""#, r#""2026-10-01T00:00:00Z""#, "null", "7", "[1e999]", "{}", "{",
                        r#"{"client-id":"A","Client-Id":"B","SIGNATURE":"\u0041","Request-Id":7,"\ud83d":"x"}"#,
                    ]),
                ),
                0..6,
            ),
        ) {
            let parts: Vec<_> = parts.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
            let line = format!("{{{}}}", parts.join(","));
            prop_assert_eq!(format!("{:?}", parse(&line)), format!("{:?}", of_any_shape(&line)));
        }
    }

    #[test]
    fn escapes_that_serde_never_writes_are_read_too() {
        assert_eq!(body_of(r#"{"body":"\u0041\/\ud83d\ude00\u00e9"}"#).as_deref(), Some("A/😀é"));
        assert_eq!(body_of(r#"{"body":"\ud83d"}"#), None);
    }

    #[test]
    fn lines_are_told_apart() {
        let kind = |line: &str| match parse(line) {
            Envelope::Received(_) => Ok("received"),
            Envelope::Bare => Ok("bare"),
            Envelope::Malformed(why) => Err(why),
        };
        assert_eq!(kind(r#"{"body":"{}","more":1}"#), Ok("received"));
        assert_eq!(kind(r#"{"service":{"id":"X"}}"#), Ok("bare"));
        assert_eq!(kind(r#"{"order":{}}"#), Ok("bare"));
        assert_eq!(kind(r#"{"body":{}}"#), Err(Detail::BodyAsJson));
        for line in [r#"{"body":""}"#, r#"{"service":"web"}"#, r#"{"body":null}"#, "{}"] {
            assert_eq!(kind(line), Err(Detail::NoBody), "{line}");
        }
        for line in ["", " ", "[]", "7", r#"{"body":"{}""#, r#"{"body":"{}"}x"#, r#"["","",{},"{}",{},{},{}]"#] {
            assert_eq!(kind(line), Err(Detail::NotAnObject), "{line}");
        }
    }

    #[test]
    fn header_names_have_no_case_and_empty_values_are_absent() {
        let line = r#"{"body":"{}","headers":{"client-id":"A","REQUEST-ID":"B","Signature":"","Request-Timestamp":7,"x":[]}}"#;
        let Envelope::Received(received) = parse(line) else { panic!("{line}") };
        assert_eq!(received.headers.client_id.as_deref(), Some("A"));
        assert_eq!(received.headers.request_id.as_deref(), Some("B"));
        assert!(received.headers.signature.is_none() && received.headers.timestamp.is_none());
        let line = r#"{"body":"{}","headers":{"client-id":["A"],"Request-Id":["B","B"],"Signature":[],"Request-Timestamp":[""]}}"#;
        let Envelope::Received(received) = parse(line) else { panic!("{line}") };
        assert_eq!(received.headers.client_id.as_deref(), Some("A"));
        assert!(received.headers.request_id.is_none() && received.headers.signature.is_none() && received.headers.timestamp.is_none());
    }
}
