//! An error as programs read it under `--json`: one line on standard error, the last.

use crate::exit::Exit;

/// `{"error": {"exit_code", "code", "message", "hint", "note"}}`; what an error has not is `null`.
pub(super) fn line(exit: Exit, code: Option<&str>, text: &str) -> String {
    let (rest, note) = split(text, "\nnote: ");
    let (message, hint) = split(rest, "\nhint: ");
    let code = code.or_else(|| first_code(text));
    let message = code.and_then(|code| message.strip_prefix(code)?.strip_prefix(": ")).unwrap_or(message);
    serde_json::json!({
        "error": {"exit_code": exit.code(), "code": code, "message": message, "hint": hint, "note": note},
    })
    .to_string()
}

fn split<'a>(text: &'a str, at: &str) -> (&'a str, Option<&'a str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// Whether it is a stable code, such as `E0724`.
fn is_code(word: &str) -> bool {
    let digits = word.strip_prefix('E');
    digits.is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// The first stable code in the text.
fn first_code(text: &str) -> Option<&str> {
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(|word| is_code(word))
}

/// The code that the text begins with.
pub(super) fn leading_code(text: &str) -> Option<&str> {
    text.split_once(": ").map(|(first, _)| first).filter(|first| is_code(first))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_taken_apart_into_code_message_hint_and_note() {
        let told = line(Exit::Disk, None, "E0724: `x` cannot be written\nhint: make room\nnote: settings were read from `t`");
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let wanted = serde_json::json!({"error": {
            "exit_code": 9, "code": "E0724", "message": "`x` cannot be written", "hint": "make room", "note": "settings were read from `t`",
        }});
        assert_eq!(told, wanted);
        let plain: serde_json::Value = serde_json::from_str(&line(Exit::Usage, None, "no such \"thing\" [E0502], see EX001")).unwrap();
        assert_eq!((plain["error"]["code"].as_str(), plain["error"]["hint"].is_null()), (Some("E0502"), true));
        let known: serde_json::Value = serde_json::from_str(&line(Exit::Disk, Some("E0501"), "the ledger `E0502.ledger` failed")).unwrap();
        assert_eq!(known["error"]["code"], "E0501");
    }
}
