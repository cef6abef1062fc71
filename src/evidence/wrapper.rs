//! What the systems that carry logs put around a line: Docker, Kubernetes (CRI), journald and `CloudWatch`.
//!
//! Belongs here: recognising such records and taking what was logged out of them. Must not be here: what the text means, and which
//! lines of a block belong together ([`super::lines`]).

use std::borrow::Cow;

use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::value::RawValue;

use super::physical_lines::physical;
use super::unnamed_wrapper;
use crate::doku::value::string as text;

/// Lines at the start of a file that are looked at to recognise its wrapper.
const HEAD_LINES: usize = 200;
/// How deep records may stand in records.
const DEPTH_MAX: usize = 4;

/// What stands around the messages of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Wrapper {
    /// Nothing: a line is a message.
    #[default]
    None,
    /// `{"log":"…\n","stream":"stdout","time":"…"}`; a long line is split over records, and the last has the line end.
    Docker,
    /// `TIME stdout F …`, with `P` for the pieces of a long line before its last.
    Cri,
    /// `{"MESSAGE":"…", …}`, the message as text or as an array of bytes; `_LINE_BREAK` says where a long line was split.
    Journald,
    /// `{"events":[{"message":"…"}]}`, `{"logEvents":[…]}`, `{"message":"…"}` or `TIME [STREAM] …`.
    CloudWatch,
    /// One of these as a JSON document over several lines, each `"message": "…"` on a line of its own.
    Document,
    /// Anything else that holds whole messages ([`super::other`]).
    Other,
    /// A table, each row a message ([`super::kept`]).
    Table,
}

/// What was logged with one record.
#[derive(Debug)]
pub(super) struct Record<'a> {
    /// The stream whose pieces belong together.
    pub(super) stream: Cow<'a, str>,
    /// What was logged: one text, or several where one record holds them.
    pub(super) texts: Vec<Cow<'a, str>>,
    /// Whether a line ends with it.
    pub(super) ends: bool,
}

/// The keys by which records are told from messages.
#[derive(Deserialize)]
struct Keys<'a> {
    #[serde(borrow)]
    log: Option<&'a RawValue>,
    #[serde(borrow, rename = "MESSAGE")]
    journal: Option<&'a RawValue>,
    #[serde(borrow, alias = "@message")]
    message: Option<&'a RawValue>,
    #[serde(borrow, alias = "logEvents")]
    events: Option<&'a RawValue>,
    #[serde(borrow)]
    stream: Option<&'a RawValue>,
    #[serde(borrow, rename = "_STREAM_ID")]
    stream_id: Option<&'a RawValue>,
    #[serde(borrow, rename = "_LINE_BREAK")]
    line_break: Option<&'a RawValue>,
    // A message, whatever else it has.
    body: Option<IgnoredAny>,
    #[serde(borrow)]
    service: Option<&'a RawValue>,
    #[serde(borrow)]
    transaction: Option<&'a RawValue>,
    #[serde(borrow)]
    order: Option<&'a RawValue>,
}

impl Keys<'_> {
    /// Whether it is a message, or the bare body of one. Collectors call the service they log for by a plain name.
    fn is_message(&self) -> bool {
        self.body.is_some() || [self.service, self.transaction, self.order].into_iter().flatten().any(|raw| raw.get().starts_with('{'))
    }
}

#[derive(Deserialize)]
struct Logged<'a> {
    #[serde(borrow, alias = "@message")]
    message: Option<&'a RawValue>,
}

impl Wrapper {
    /// The wrapper of a file that begins with `head`.
    pub(super) fn of(head: &[u8]) -> Self {
        let lines = physical(head).filter_map(|(_, raw)| str::from_utf8(raw).ok()).filter(|line| !line.trim().is_empty());
        let lines: Vec<&str> = lines.take(HEAD_LINES).collect();
        let is_document = lines.first().is_some_and(|first| matches!(first.trim(), "{" | "[" | "[{"));
        if is_document && lines.iter().any(|line| of_document(line).is_some_and(|texts| !texts.is_empty())) {
            return Self::Document;
        }
        lines.iter().find_map(|line| record(line)).map_or(Self::None, |(wrapper, _)| wrapper)
    }

    /// Its name for people; empty for none.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::None => "",
            Self::Docker => "docker",
            Self::Cri => "cri",
            Self::Journald => "journald",
            Self::CloudWatch => "cloudwatch",
            Self::Document => "document",
            Self::Other => "other",
            Self::Table => "table",
        }
    }

    /// The name, of those that there are; empty for any other.
    pub(super) fn named(name: &str) -> &'static str {
        const ALL: [Wrapper; 7] =
            [Wrapper::Docker, Wrapper::Cri, Wrapper::Journald, Wrapper::CloudWatch, Wrapper::Document, Wrapper::Other, Wrapper::Table];
        ALL.into_iter().map(Self::name).find(|known| *known == name).unwrap_or_default()
    }
}

/// The record a line is, if it is one; a message is none.
pub(super) fn record(line: &str) -> Option<(Wrapper, Record<'_>)> {
    let line = line.trim();
    if line.starts_with('{') {
        return of_objects(line);
    }
    let text = if line.starts_with(|first: char| first.is_ascii_digit()) { of_text(line) } else { None };
    text.or_else(|| of_other(line))
}

fn of_other(line: &str) -> Option<(Wrapper, Record<'_>)> {
    let texts = unnamed_wrapper::messages(line)?;
    Some((Wrapper::Other, Record { stream: Cow::Borrowed(""), texts, ends: true }))
}

/// The messages in a text that was logged: it may be a record of another kind itself, or hold several lines.
pub(super) fn inner(text: Cow<'_, str>) -> Vec<Cow<'_, str>> {
    inner_at(text, 1)
}

fn inner_at(text: Cow<'_, str>, depth: usize) -> Vec<Cow<'_, str>> {
    if depth < DEPTH_MAX
        && let Some((_, record)) = record(&text)
    {
        let owned = record.texts.into_iter().map(|text| Cow::Owned(text.into_owned()));
        return owned.flat_map(|text| inner_at(text, depth.saturating_add(1))).collect();
    }
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Vec::new();
    }
    // One object may be written over several lines.
    if !trimmed.contains('\n') || is_object(trimmed) {
        return vec![text];
    }
    let lines = trimmed.split('\n').map(str::trim).filter(|line| !line.is_empty());
    lines.map(|line| Cow::Owned(line.to_owned())).collect()
}

/// Whether `text` is a whole JSON object.
pub(super) fn is_object(text: &str) -> bool {
    let text = text.trim();
    text.starts_with('{') && text.ends_with('}') && serde_json::from_str::<IgnoredAny>(text).is_ok()
}

fn of_objects(line: &str) -> Option<(Wrapper, Record<'_>)> {
    if let Ok(keys) = serde_json::from_str::<Keys<'_>>(line) {
        return if keys.is_message() { None } else { of_keys(&keys).or_else(|| of_other(line)) };
    }
    // Deliveries to a bucket stand one after the other without a line end.
    let Ok(all) = serde_json::Deserializer::from_str(line).into_iter::<Keys<'_>>().collect::<Result<Vec<_>, _>>() else {
        return of_other(line);
    };
    let texts = all.iter().map(|keys| keys.events.and_then(of_events)).collect::<Option<Vec<_>>>()?;
    let record = Record { stream: Cow::Borrowed(""), texts: texts.into_iter().flatten().collect(), ends: true };
    Some((Wrapper::CloudWatch, record))
}

fn of_keys<'a>(keys: &Keys<'a>) -> Option<(Wrapper, Record<'a>)> {
    let name = |raw: Option<&'a RawValue>| raw.and_then(text).unwrap_or_default();
    let one = |wrapper, stream, text: Vec<Cow<'a, str>>, ends| Some((wrapper, Record { stream, texts: text, ends }));
    // Some collectors put what they know of a file under `log`, beside the message.
    if let Some(log) = keys.log.filter(|log| !log.get().starts_with('{') || keys.message.is_none()) {
        let log = logged(log)?;
        let ends = log.ends_with('\n');
        return one(Wrapper::Docker, name(keys.stream), vec![log], ends);
    }
    if let Some(message) = keys.journal {
        return one(Wrapper::Journald, name(keys.stream_id), of_journal(message)?, name(keys.line_break) != "line-max");
    }
    if let Some(events) = keys.events {
        return one(Wrapper::CloudWatch, Cow::Borrowed(""), of_events(events)?, true);
    }
    one(Wrapper::CloudWatch, Cow::Borrowed(""), vec![logged(keys.message?)?], true)
}

/// A text, or an object that was taken in as JSON, as the text it is.
fn logged(raw: &RawValue) -> Option<Cow<'_, str>> {
    if raw.get().starts_with('{') { Some(Cow::Borrowed(raw.get())) } else { text(raw) }
}

fn of_events(raw: &RawValue) -> Option<Vec<Cow<'_, str>>> {
    let events: Vec<Logged<'_>> = serde_json::from_str(raw.get()).ok()?;
    events.into_iter().map(|event| event.message.and_then(logged)).collect()
}

/// journald writes what is no plain text as an array of its bytes, and a field that was given several times as an array of those.
fn of_journal(raw: &RawValue) -> Option<Vec<Cow<'_, str>>> {
    if !raw.get().starts_with('[') {
        return logged(raw).map(|text| vec![text]);
    }
    if let Ok(bytes) = serde_json::from_str::<Vec<u8>>(raw.get()) {
        return Some(vec![Cow::Owned(String::from_utf8_lossy(&bytes).into_owned())]);
    }
    let several: Vec<&RawValue> = serde_json::from_str(raw.get()).ok()?;
    several.into_iter().map(of_journal).collect::<Option<Vec<_>>>().map(|texts| texts.into_iter().flatten().collect())
}

/// `TIME stdout F …`, `TIME …` and `TIME STREAM …`.
fn of_text(line: &str) -> Option<(Wrapper, Record<'_>)> {
    let (time, rest) = line.split_once([' ', '\t'])?;
    let has = |at: usize, byte: u8| time.as_bytes().get(at) == Some(&byte);
    if !(has(4, b'-') && has(7, b'-') && has(10, b'T') && has(13, b':')) {
        return None;
    }
    let whole = |text| Record { stream: Cow::Borrowed(""), texts: vec![Cow::Borrowed(text)], ends: true };
    if let Some((stream @ ("stdout" | "stderr"), rest)) = rest.split_once(' ') {
        let (tags, text) = rest.split_once(' ').unwrap_or((rest, ""));
        let ends = match tags.split(':').next() {
            Some("F") => true,
            Some("P") => false,
            _ => return None,
        };
        return Some((Wrapper::Cri, Record { stream: Cow::Borrowed(stream), texts: vec![Cow::Borrowed(text)], ends }));
    }
    let rest = rest.trim_start();
    if rest.starts_with('{') {
        return Some((Wrapper::CloudWatch, whole(rest)));
    }
    rest.split_once([' ', '\t'])
        .map(|(_, text)| text.trim_start())
        .filter(|text| text.starts_with('{'))
        .map(|text| (Wrapper::CloudWatch, whole(text)))
}

/// A line of a document: the message it holds, or nothing where it only holds records together; `None` where it is no such line.
pub(super) fn of_document(line: &str) -> Option<Vec<Cow<'_, str>>> {
    let line = line.trim().trim_end_matches(',');
    if line.bytes().all(|byte| b"{}[],: ".contains(&byte)) {
        return Some(Vec::new());
    }
    let (key, value) = line.strip_prefix('"')?.split_once('"')?;
    let value = value.trim_start().strip_prefix(':')?.trim();
    if !matches!(key, "message" | "@message" | "MESSAGE" | "log") {
        return Some(Vec::new());
    }
    let raw: &RawValue = serde_json::from_str(value).ok()?;
    text(raw).map(|text| vec![text])
}

#[cfg(test)]
mod tests {
    use super::*;

    const MESSAGE: &str = r#"{"body":"{}"}"#;

    fn found(line: &str) -> Option<(Wrapper, Vec<String>)> {
        let (wrapper, record) = record(line)?;
        let texts = record.texts.into_iter().flat_map(inner);
        Some((wrapper, texts.map(|text| text.trim().to_owned()).collect()))
    }

    #[test]
    fn every_wrapper_gives_back_what_was_logged() {
        let quoted = serde_json::to_string(&format!("{MESSAGE}\n")).unwrap();
        let bytes = serde_json::to_string(MESSAGE.as_bytes()).unwrap();
        let docker = format!(r#"{{"log":{quoted},"stream":"stdout","time":"2026-10-15T05:00:00Z"}}"#);
        let one = |wrapper| Some((wrapper, vec![MESSAGE.to_owned()]));
        for (line, expected) in [
            (docker.clone(), one(Wrapper::Docker)),
            (format!(r#"{{"stream":"stdout","log":{MESSAGE}}}"#), one(Wrapper::Docker)),
            (format!("2026-10-15T05:00:00.123456789Z stdout F {MESSAGE}"), one(Wrapper::Cri)),
            (format!("2026-10-15T12:00:00.1+07:00 stderr F:x {MESSAGE}"), one(Wrapper::Cri)),
            (format!(r#"{{"MESSAGE":{quoted},"_PID":"1"}}"#), one(Wrapper::Journald)),
            (format!(r#"{{"MESSAGE":{bytes}}}"#), one(Wrapper::Journald)),
            (format!(r#"{{"MESSAGE":[{quoted},{quoted}]}}"#), Some((Wrapper::Journald, vec![MESSAGE.to_owned(); 2]))),
            (
                format!(r#"{{"events":[{{"timestamp":1,"message":{quoted}}},{{"message":{MESSAGE}}}]}}"#),
                Some((Wrapper::CloudWatch, vec![MESSAGE.to_owned(); 2])),
            ),
            (
                format!(r#"{{"logEvents":[{{"message":{quoted}}}]}}{{"logEvents":[{{"message":{quoted}}}]}}"#),
                Some((Wrapper::CloudWatch, vec![MESSAGE.to_owned(); 2])),
            ),
            (format!(r#"{{"@message":{quoted}}}"#), one(Wrapper::CloudWatch)),
            (format!("2026-10-15T05:00:00.000Z {MESSAGE}"), one(Wrapper::CloudWatch)),
            (format!("2026-10-15T05:00:00.000000+00:00 app/web/1 {MESSAGE}"), one(Wrapper::CloudWatch)),
            (format!("2026-10-15T05:00:00.000Z {docker}"), one(Wrapper::CloudWatch)),
            (
                format!(r#"{{"message":{}}}"#, serde_json::to_string(&format!("{MESSAGE}\n{MESSAGE}\n")).unwrap()),
                Some((Wrapper::CloudWatch, vec![MESSAGE.to_owned(); 2])),
            ),
        ] {
            assert_eq!(found(&line), expected, "{line}");
        }
    }

    #[test]
    fn a_message_and_what_is_no_record_are_left_as_they_are() {
        for line in [
            MESSAGE,
            r#"{"log":"x","body":"{}"}"#,
            r#"{"message":"x","order":{}}"#,
            r#"{"message":7}"#,
            r#"{"events":[{"message":"x"},{}]}"#,
            r#"{"log":"x""#,
            "2026-10-15T05:00:00Z started",
            "2026-10-15 05:00:00 {}",
            "torn",
            "",
        ] {
            assert_eq!(found(line), None, "{line}");
        }
    }

    #[test]
    fn a_document_holds_a_message_on_a_line_of_its_own() {
        assert_eq!(of_document(r#"  "message": "{\"a\":1}","#), Some(vec!["{\"a\":1}".into()]));
        for line in ["{", "  ]", "}, {", r#""events": ["#, r#"  "timestamp": 1760504400000,"#] {
            assert_eq!(of_document(line), Some(Vec::new()), "{line}");
        }
        for line in [MESSAGE, "torn", r#""message": 7,"#, r#""message": "cut"#] {
            assert_eq!(of_document(line), None, "{line}");
        }
    }
}
