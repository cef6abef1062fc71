//! An error as programs read it under `--json`: one line on standard error, the last.

use crate::exit::Exit;

/// `{"error": {"exit_code", "code", "message", "hint", "note"}}`; what an error has not is `null`.
pub(super) fn line(exit: Exit, text: &str) -> String {
    let (rest, note) = split(text, "\nnote: ");
    let (message, hint) = split(rest, "\nhint: ");
    let code = code(text);
    let message = code.and_then(|code| message.strip_prefix(code)?.strip_prefix(": ")).unwrap_or(message);
    serde_json::json!({
        "error": {"exit_code": exit.code(), "code": code, "message": message, "hint": hint, "note": note},
    })
    .to_string()
}

fn split<'a>(text: &'a str, at: &str) -> (&'a str, Option<&'a str>) {
    text.split_once(at).map_or((text, None), |(before, after)| (before, Some(after)))
}

/// The first stable code in the text, such as `E0724`.
fn code(text: &str) -> Option<&str> {
    let is_code = |word: &&str| {
        let digits = word.strip_prefix('E');
        digits.is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()))
    };
    text.split(|c: char| !c.is_ascii_alphanumeric()).find(is_code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_is_taken_apart_into_code_message_hint_and_note() {
        let told = line(Exit::Disk, "E0724: `x` cannot be written\nhint: make room\nnote: settings were read from `t`");
        let told: serde_json::Value = serde_json::from_str(&told).unwrap();
        let wanted = serde_json::json!({"error": {
            "exit_code": 9, "code": "E0724", "message": "`x` cannot be written", "hint": "make room", "note": "settings were read from `t`",
        }});
        assert_eq!(told, wanted);
        let plain: serde_json::Value = serde_json::from_str(&line(Exit::Usage, "no such \"thing\" [E0502], see EX001")).unwrap();
        assert_eq!((plain["error"]["code"].as_str(), plain["error"]["hint"].is_null()), (Some("E0502"), true));
    }
}
