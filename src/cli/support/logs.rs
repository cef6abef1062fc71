//! What of a log may leave the house: fields of ours, each of its known kind. Of a line nothing else is kept, so that nobody has to know what
//! else could stand in it: a name in whichever letters, a key in whichever notation.

use clap::CommandFactory as _;
use jiff::Timestamp;
use serde_json::{Map, Value};

use crate::cli::command_line::Cli;
use crate::doku::inquiry::InquiryWord;
use crate::domain::check_status::Word;
use crate::domain::lifecycle::OperationKind;
use crate::domain::row_end::Bucket;

/// What is kept of a log, as JSON Lines.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Kept {
    pub(super) text: String,
    pub(super) lines: usize,
    /// Lines of which nothing is of ours.
    pub(super) dropped: usize,
}

/// Every text that stands in no more than itself among those that the program's log says; a test holds them to the sources.
pub(super) const MESSAGES: [&str; 50] = [
    "Check Status was asked",
    "a connection could not be accepted",
    "a connection ended badly",
    "a file was removed, as it was due",
    "a key was reinstated",
    "a key was revoked",
    "a log could not be compressed; it stays as it is",
    "a log could not be made durable at its end",
    "a log is no log, or not what it was when it was added to the evidence store",
    "a log was added to the evidence",
    "a log was removed or replaced while it was written; it is begun again",
    "a message that is not provably DOKU's was refused",
    "a message was kept after its sender had hung up",
    "a notification came to the Inquiry URL: it is kept, but its URL should be corrected at DOKU",
    "a notification was answered",
    "a payment ends the doubt of an issue",
    "a view has ended early",
    "an accept loop ended early",
    "an answer could not be kept for the other hosts",
    "an attempt was made",
    "an inquiry came to the Notification URL: it is answered, but its URL should be corrected at DOKU",
    "an inquiry could not be looked up",
    "an inquiry was answered",
    "an inquiry was turned down",
    "an operation has ended",
    "caught up with the logs",
    "logs of days that are over were compressed",
    "messages could not be kept, so they were not acknowledged",
    "messages were still under way when the time to drain was over; what the logs have is caught up at the next start",
    "old answers could not be removed",
    "old answers could not be removed from the ledger",
    "payments were applied",
    "requests were still under way when the time to drain was over; none of them was acknowledged",
    "the bill is held",
    "the days that are over could not be added to the evidence store yet",
    "the folder of the logs was replaced; it is begun again",
    "the ledger is not up to date; messages are kept in the log meanwhile",
    "the ledger is not what was recorded",
    "the ledger is still being looked over",
    "the ledger's log could not be copied into its file; it stays as it is, and grows",
    "the log's disk takes messages again",
    "the logs are caught up with once the ledger is back",
    "the number is too long for `serve.inquiry_suffix`, so its inquiries are declined",
    "the number of an answer could not be recorded",
    "the run begins",
    "the run has ended",
    "the secrets could not be read again, so the keys stay as they were",
    "the secrets were read again",
    "what a killed run has left cannot be removed",
    "which keys were revoked is heard once the ledger is back",
];

/// What `decision` says besides what rows, inquiries and questions come to.
const DECISIONS: [&str; 19] = [
    "accepted",
    "channel_refused",
    "credentials_refused",
    "forged",
    "in_doubt",
    "no_answer",
    "not_final",
    "not_kept",
    "not_sent",
    "other_service",
    "path_refused",
    "payment",
    "repeated",
    "replayed",
    "to_be_asked_whose",
    "to_be_confirmed",
    "to_be_sent_again",
    "unreadable",
    "unusable",
];

const LEVELS: [&str; 6] = ["error", "warn", "warning", "info", "debug", "trace"];

/// Numbers of ours are small; a payment code, a telephone number or an account is not.
const NUMBERS: [(&str, u64); 11] = [
    ("attempt", 999),
    ("exit", 255),
    ("files", 9_999),
    ("held", 99_999),
    ("http_status", 599),
    ("keys", 99),
    ("known", 999_999),
    ("lines", 999_999),
    ("new", 999_999),
    ("payments", 999_999),
    ("status", 599),
];

/// What of `log` is ours.
pub(super) fn kept(log: &str) -> Kept {
    let mut kept = Kept::default();
    for line in log.lines().filter(|line| !line.trim().is_empty()) {
        let fields = fields(line);
        // A level alone is in too many texts.
        if fields.keys().all(|name| name == "level" || name == "at") {
            kept.dropped = kept.dropped.saturating_add(1);
        } else {
            kept.lines = kept.lines.saturating_add(1);
            kept.text.push_str(&Value::Object(fields).to_string());
            kept.text.push('\n');
        }
    }
    kept
}

fn fields(line: &str) -> Map<String, Value> {
    let mut fields = match serde_json::from_str(line) {
        Ok(Value::Object(found)) => found.into_iter().filter_map(|(name, value)| field(&name, &value)).collect(),
        _ => of_text(line),
    };
    let codes: Vec<Value> = codes(line).into_iter().map(Value::from).collect();
    if !codes.is_empty() {
        fields.insert("codes".to_owned(), codes.into());
    }
    fields
}

/// `2026-11-29T00:00:00Z  WARN place: message name=value`, as people read it; `<4>message name=value` for journald; `error: …`.
fn of_text(line: &str) -> Map<String, Value> {
    let mut fields = Map::new();
    let mut put = |name: &str, value: &str| fields.extend(field(name, &value.into()));
    let words: Vec<&str> = line.split_whitespace().collect();
    if let Some(first) = words.first() {
        put("at", first);
    }
    let mut begins = words.iter().take(2).map(|word| word.trim_end_matches(':').to_lowercase());
    if let Some(level) = begins.find(|word| LEVELS.contains(&word.as_str())) {
        put("level", &level);
    }
    if let Some(priority) = line.strip_prefix('<').and_then(|rest| rest.split_once('>')) {
        let level = match priority.0 {
            "3" => "error",
            "4" => "warn",
            "6" => "info",
            _ => "debug",
        };
        put("level", level);
    }
    if let Some(message) = MESSAGES.iter().filter(|message| line.contains(*message)).max_by_key(|message| message.len()) {
        put("message", message);
    }
    for (name, value) in words.iter().filter_map(|word| word.split_once('=')) {
        put(name, value.trim_matches('"'));
    }
    fields
}

/// A field, if it is one of ours and what it says is of its kind.
fn field(name: &str, value: &Value) -> Option<(String, Value)> {
    let text = value.as_str().unwrap_or_default();
    let is_hex = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_hexdigit());
    let of_known = |known: bool| known.then(|| Value::from(text));
    let value = match name {
        "at" => text.parse::<Timestamp>().ok().map(|at| at.to_string().into()),
        "level" => of_known(LEVELS.contains(&text)),
        "message" => of_known(MESSAGES.contains(&text)),
        "operation" => of_known(OperationKind::ALL.iter().any(|kind| kind.name() == text)),
        "decision" => of_known(is_decision(text)),
        "version" => of_known(text == env!("CARGO_PKG_VERSION")),
        // 20261129T235417Z-5be7e77c
        "run" => of_known(text.split_once('-').is_some_and(|(second, tail)| {
            let digits = second.bytes().filter(u8::is_ascii_digit).count();
            (second.len(), digits, tail.len()) == (16, 14, 8) && is_hex(tail)
        })),
        "request_id" => of_known(is_uuid(text)),
        "command" => of_known(is_command(text)),
        name => {
            let (_, most) = NUMBERS.iter().find(|(known, _)| *known == name)?;
            let digits = || text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok()).flatten();
            value.as_u64().or_else(digits).filter(|number| number <= most).map(Value::from)
        }
    };
    value.map(|value| (name.to_owned(), value))
}

fn is_decision(text: &str) -> bool {
    DECISIONS.contains(&text)
        || Bucket::ALL.iter().any(|bucket| bucket.name() == text)
        || InquiryWord::ALL.iter().any(|status| status.name() == text)
        || [Word::NotFound, Word::Pending, Word::Success, Word::Expired, Word::Failed, Word::Other].iter().any(|word| word.name() == text)
}

fn is_uuid(text: &str) -> bool {
    let parts: Vec<&str> = text.split('-').collect();
    let is_hex = |part: &&str| part.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    parts.iter().map(|part| part.len()).eq([8, 4, 4, 4, 12]) && parts.iter().all(is_hex)
}

/// The codes of errors that a line names: `E` and four digits.
fn codes(line: &str) -> Vec<&str> {
    let is_code =
        |word: &&str| word.strip_prefix('E').is_some_and(|digits| digits.len() == 4 && digits.bytes().all(|byte| byte.is_ascii_digit()));
    line.split(|c: char| !c.is_ascii_alphanumeric()).filter(is_code).collect()
}

/// A `Request-Id` of somebody else's may be any text.
pub(super) fn is_id(text: &str) -> bool {
    text.contains(|c: char| c.is_ascii_digit()) && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
}

/// Whether it is one of ours, such as `period close`.
fn is_command(text: &str) -> bool {
    let found = text.split(' ').try_fold(Cli::command(), |above, word| above.find_subcommand(word).cloned());
    found.is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_a_line_only_fields_of_ours_are_kept_each_of_its_kind() {
        let at = "2026-11-29T23:54:17.334Z";
        let run = "20261129T235417Z-5be7e77c";
        let id = "7e5d9444-0647-8caa-b39f-d66a0a31b67d";
        for (line, left) in [
            (
                format!(
                    r#"{{"at":"{at}","attempt":1,"decision":"accepted","invoice":"Budi","level":"info","message":"an attempt was made","operation":"issue","reason":"HTTP 200: Budi","request_id":"{id}","run":"{run}","status":200,"x":"Budi"}}"#
                ),
                format!(
                    r#"{{"at":"{at}","attempt":1,"decision":"accepted","level":"info","message":"an attempt was made","operation":"issue","request_id":"{id}","run":"{run}","status":200}}"#
                ),
            ),
            (
                format!("<4>Budi paid run={run} status=500 reason=\"Budi\" request_id={id}"),
                format!(r#"{{"level":"warn","request_id":"{id}","run":"{run}","status":500}}"#),
            ),
            (
                format!("{at}  WARN tagih::serve: an accept loop ended early name=Budi"),
                format!(r#"{{"at":"{at}","level":"warn","message":"an accept loop ended early"}}"#),
            ),
            ("error: E0724: `Budi.csv` cannot be written".to_owned(), r#"{"codes":["E0724"],"level":"error"}"#.to_owned()),
        ] {
            let kept = kept(&line);
            assert_eq!((kept.text.trim_end(), kept.lines, kept.dropped), (left.as_str(), 1, 0), "{line}");
        }
    }

    #[test]
    fn nothing_of_anybody_gets_through_a_log_however_it_is_written() {
        let words = [
            "Xaverius Qwertyman",
            "XAVERIUS QWERTYMAN",
            "Xaverius%20Qwertyman",
            "Qwertyman,_Xaverius",
            "X\u{200b}averius",
            "\\u674e\\u5c0f",
            "李小龙",
            "6059019559239646",
            "6059 0195 5923 9646",
            "6059-0195-5923-9646",
            "SK-tour-not-a-secret",
            "U0stdG91ci1ub3QtYS1zZWNyZXQ=",
            "534b2d746f75722d6e6f742d612d736563726574",
            "SK%2Dtour",
            "0811222333",
            "+62 811 222 333",
            "secretmail0%40zyxmail.example",
        ];
        let names = [
            "at",
            "level",
            "run",
            "message",
            "invoice",
            "reason",
            "decision",
            "operation",
            "command",
            "version",
            "request_id",
            "status",
            "attempt",
        ];
        for word in words {
            let mut log = format!("{word}\nINFO {word}\nerror: {word}\n<3>{word}\nrun={word} status={word} request_id={word}\n");
            for name in names {
                log.push_str(&serde_json::json!({ name: word, "level": "info" }).to_string());
                log.extend(["\n", name, "=", word, "\n"]);
            }
            log.push_str(&serde_json::json!({ word: 1, "status": 200, "attempt": 6_059_019_559_239_646_u64 }).to_string());
            let kept = kept(&log);
            assert_eq!(kept.text, "{\"status\":200}\n", "{word}");
        }
    }
}
