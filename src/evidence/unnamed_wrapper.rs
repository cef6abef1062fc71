//! Records of systems that [`super::wrapper`] does not name: whole messages somewhere in a line.
//!
//! A message is a JSON object with a text `body` and at least one of `received_at`, `target` and `headers`, as an object or as a text that
//! is one: below any key, behind any prefix, in an array, with a comma behind it. Its signature decides what it is worth.

use std::borrow::Cow;

use serde_json::Value;

/// How deep messages may stand in a record.
const DEPTH_MAX: usize = 8;
/// How many places at which an object may begin are tried behind a prefix.
const STARTS_MAX: usize = 8;

/// The messages of a line that is no message itself; `None` where it holds none.
pub(super) fn messages(line: &str) -> Option<Vec<Cow<'_, str>>> {
    // Nearly every line that is none is told by this.
    memchr::memmem::find(line.as_bytes(), b"body")?;
    let line = line.trim().trim_end_matches(',');
    let mut found = Vec::new();
    if line.starts_with(['{', '[', '"'])
        && let Ok(value) = serde_json::from_str::<Value>(line)
    {
        collect(value, DEPTH_MAX, &mut found);
    } else {
        let mut starts = memchr::memmem::find_iter(line.as_bytes(), b"{\"").take(STARTS_MAX);
        let tail = starts.find_map(|at| serde_json::from_str::<Value>(line.get(at..)?).ok());
        collect(tail?, DEPTH_MAX, &mut found);
    }
    (!found.is_empty()).then_some(found)
}

fn collect(value: Value, depth: usize, found: &mut Vec<Cow<'_, str>>) {
    let Some(depth) = depth.checked_sub(1) else { return };
    match value {
        Value::Object(object) if is_message(&object) => found.push(Cow::Owned(Value::Object(object).to_string())),
        Value::Object(object) => object.into_iter().for_each(|(_, value)| collect(value, depth, found)),
        Value::Array(values) => values.into_iter().for_each(|value| collect(value, depth, found)),
        Value::String(text) if text.trim_start().starts_with(['{', '[']) => {
            if let Ok(value) = serde_json::from_str(&text) {
                collect(value, depth, found);
            }
        }
        _ => {}
    }
}

fn is_message(object: &serde_json::Map<String, Value>) -> bool {
    object.get("body").is_some_and(Value::is_string) && ["received_at", "target", "headers"].iter().any(|key| object.contains_key(*key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_is_found_wherever_it_stands_in_a_line_and_nothing_else_is() {
        let message = r#"{"body":"{}","target":"/n"}"#;
        let quoted = serde_json::to_string(message).unwrap();
        for line in [
            format!(r#"{{"line":{quoted},"timestamp":"1"}}"#),
            format!(r#"{{"jsonPayload":{message}}}"#),
            format!(r#"{{"result":{{"_raw":{quoted}}}}}"#),
            format!("[{message}]"),
            format!("{message},"),
            quoted.clone(),
            format!("<14>1 2026-10-15T05:00:00Z web gateway 1 - - {message}"),
            format!("[pod/web-1/app] {{\"a\"}} {message}"),
        ] {
            assert_eq!(messages(&line), Some(vec![Cow::Borrowed(message)]), "{line}");
        }
        let two = format!(r#"{{"values":[["1",{quoted}],["2",{quoted}]]}}"#);
        assert_eq!(messages(&two).map(|found| found.len()), Some(2));
        for line in [r#"{"a":{"body":"x"}}"#, r#"x {"service":{},"order":{}}"#, "body", r#"{"a":{"body":{},"target":""}}"#, "{\"body"] {
            assert_eq!(messages(line), None, "{line}");
        }
    }
}
