//! DOKU's error shapes (API reference, section 4.1), and the words in them.

use serde_json::Value;

/// As much of a body as is kept: DOKU's words stand whole.
const CHARACTERS_MAX: usize = 4_096;
/// As much as is kept of a body in none of DOKU's shapes.
const FOREIGN_CHARACTERS_MAX: usize = 300;

/// Where DOKU's error bodies hold their message, and where their code; in the order in which they are tried.
const SHAPES: &[(&str, &str)] = &[
    ("/error/message", "/error/code"),
    ("/response/error/message", "/response/error/code"),
    ("/error_messages", "/error_code"),
    ("/message", "/code"),
    ("/response_message", "/response_code"),
    ("/response_code", "/response_code"),
];

/// Whether a body is a JSON object in one of the documented error shapes.
pub(in crate::doku) fn has_dokus_shape(body: &[u8]) -> bool {
    parsed(body).is_some_and(|value| message(&value).is_some() || is_of_the_framework(&value))
}

/// The body of the framework DOKU's services are built with, for a path that does not exist; some versions hold no message.
fn is_of_the_framework(value: &Value) -> bool {
    value.get("status").is_some_and(Value::is_number) && value.get("error").is_some_and(Value::is_string) && value.get("path").is_some()
}

fn parsed(body: &[u8]) -> Option<Value> {
    serde_json::from_slice(body).ok().filter(Value::is_object)
}

fn message(value: &Value) -> Option<String> {
    SHAPES.iter().find_map(|(message, code)| {
        let words = words_of(value.pointer(message)?)?;
        let code = value.pointer(code).and_then(words_of).filter(|code| !words.contains(code.as_str()));
        Some(code.map_or_else(|| words.clone(), |code| format!("{words} ({code})")))
    })
}

/// A message may be a string, a list or an object.
fn words_of(value: &Value) -> Option<String> {
    let words = match value {
        Value::String(words) => words.clone(),
        Value::Array(parts) => parts.iter().filter_map(words_of).collect::<Vec<_>>().join("; "),
        Value::Number(_) | Value::Object(_) => value.to_string(),
        Value::Null | Value::Bool(_) => return None,
    };
    (!words.trim().is_empty()).then_some(words)
}

/// DOKU's words, from any error shape seen so far; the start of the body where none fits.
#[must_use]
pub fn error_message(body: &[u8]) -> String {
    let found = parsed(body).and_then(|value| message(&value).or_else(|| words_of(value.get("error")?)));
    let (text, most) =
        found.map_or_else(|| (String::from_utf8_lossy(body).into_owned(), FOREIGN_CHARACTERS_MAX), |words| (words, CHARACTERS_MAX));
    let one_line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(most).collect();
    if one_line.trim().is_empty() { "(empty answer)".into() } else { one_line }
}

/// A 400 that is really a 401: DOKU's older gateways answer so.
pub(super) fn names_the_signature(body: &[u8]) -> bool {
    error_message(body).to_lowercase().contains("signature")
}

/// An order that exists already, under whichever status.
pub(super) fn calls_it_a_duplicate(body: &[u8]) -> bool {
    let words = error_message(body).to_lowercase();
    ["duplicate", "already exist", "already been used", "already used"].iter().any(|hint| words.contains(hint))
}
