//! Logs as files and systems leave them: whatever stands around a message, it is found, and every line is accounted for.

use std::io::Write as _;

use proptest::prelude::*;
use secrecy::SecretString;

use super::*;
use crate::doku::signature::{Components, SigningKey, Stamp};
use crate::domain::classify::{Class, MatchingPolicy};
use crate::domain::digest;
use crate::domain::line::Detail;
use crate::table::TableSettings;

mod kept;

fn key() -> SigningKey {
    SigningKey::new(&SecretString::from("s"))
}

/// A signed notification of a payment, as `tagih serve` writes it, with more bytes in its body.
fn message(number: usize, more: usize) -> String {
    sent_to("/n", "/n", number, more)
}

fn sent_to(signed: &str, logged: &str, number: usize, more: usize) -> String {
    let body = serde_json::json!({
        "service": {"id": "ONLINE_TO_OFFLINE"}, "acquirer": {"id": "ALFA"}, "channel": {"id": "ONLINE_TO_OFFLINE_ALFA"},
        "transaction": {"status": "SUCCESS", "date": "2026-10-05T03:00:00Z"},
        "order": {"invoice_number": format!("INV-{number}"), "amount": 1_000},
        "online_to_offline_info": {"payment_code": format!("{number}")},
        "note": "\\n\" {}".repeat(more / 6),
    })
    .to_string();
    let request = format!("r{number}");
    let stamp = "2026-10-05T03:00:01Z";
    let components =
        Components { client_id: "C", request_id: &request, stamp: Stamp::Request(stamp), target: signed, body: Some(body.as_bytes()) };
    let headers = serde_json::json!({
        "Client-Id": "C", "Request-Id": request, "Request-Timestamp": stamp, "Signature": key().sign(&components).unwrap(),
    });
    serde_json::json!({"received_at": "2026-10-05T03:00:02Z", "target": logged, "headers": headers, "body": body}).to_string()
}

fn evidence(bytes: &[u8]) -> Evidence {
    evidence_by(bytes, &TableSettings::default())
}

fn evidence_by(bytes: &[u8], tables: &TableSettings) -> Evidence {
    let policy = MatchingPolicy::default();
    let keys = vec![key()].into();
    read_bytes(bytes, &ReadOptions { keys: &keys, client_id: "C", policy: &policy, pairs: &NoPairs, tables }).unwrap()
}

#[test]
fn what_a_withdrawn_key_signed_counts_only_if_it_arrived_before() {
    // The message arrived at 03:00:02; without that instant nobody knows.
    let undated = message(1, 0).replacen("\"received_at\":\"2026-10-05T03:00:02Z\",", "", 1);
    for (until, line, class) in [
        ("2026-10-05T03:00:02Z", message(1, 0), Class::N00),
        ("2026-10-05T03:00:01Z", message(1, 0), Class::N02),
        ("2026-10-05T03:00:02Z", undated, Class::N02),
    ] {
        let (policy, keys) = (MatchingPolicy::default(), vec![key().until(until.parse().unwrap())].into());
        let options = ReadOptions { keys: &keys, client_id: "C", policy: &policy, pairs: &NoPairs, tables: &TableSettings::default() };
        let read = read_bytes(line.as_bytes(), &options).unwrap();
        let classes: Vec<Class> = read.lines.iter().map(|(_, line)| line.class).collect();
        assert_eq!(classes, [class], "{until}");
    }
}

/// Invoice numbers of what was verified as paid, in the order of the lines.
fn paid(evidence: &Evidence) -> Vec<String> {
    let lines = evidence.lines.iter().filter(|(_, line)| line.class == Class::N00);
    let mut found: Vec<_> = lines.map(|(_, line)| (line.number, evidence.lines.texts(line).0.to_owned())).collect();
    found.sort_by_key(|(number, _)| *number);
    found.into_iter().map(|(_, invoice)| invoice).collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(text).unwrap();
    gzip.finish().unwrap()
}

fn quoted(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// `text` in pieces of `size` bytes, and whether each is the last.
fn in_pieces(text: &str, size: usize) -> Vec<(&str, bool)> {
    let pieces: Vec<&str> = text.as_bytes().chunks(size).map(|piece| str::from_utf8(piece).unwrap()).collect();
    let count = pieces.len();
    pieces.into_iter().enumerate().map(|(at, piece)| (piece, at + 1 == count)).collect()
}

/// Each wrapper there is, with long lines split as its system splits them.
fn wrapped(messages: &[String], size: usize) -> Vec<(&'static str, String)> {
    let split = |record: &dyn Fn(&str, bool) -> String| {
        messages
            .iter()
            .flat_map(|message| in_pieces(message, size))
            .map(|(piece, is_last)| record(piece, is_last) + "\n")
            .collect::<String>()
    };
    let whole = |record: &dyn Fn(&str) -> String| messages.iter().map(|message| record(message) + "\n").collect::<String>();
    let docker = |piece: &str, is_last: bool| {
        let log = if is_last { format!("{piece}\n") } else { piece.to_owned() };
        format!(r#"{{"log":{},"stream":"stdout","time":"2026-10-05T03:00:02.1Z"}}"#, quoted(&log))
    };
    let journald = |piece: &str, is_last: bool| {
        let more = if is_last { "" } else { r#","_LINE_BREAK":"line-max""# };
        format!(r#"{{"__CURSOR":"s=1","_STREAM_ID":"x","MESSAGE":{}{more}}}"#, quoted(piece))
    };
    let events: Vec<_> = messages.iter().map(|message| serde_json::json!({"timestamp": 1, "message": message})).collect();
    let document = serde_json::to_string_pretty(&serde_json::json!({"events": events, "searchedLogStreams": []})).unwrap();
    vec![
        ("plain", whole(&str::to_owned)),
        ("docker", split(&docker)),
        ("cri", split(&|piece, is_last| format!("2026-10-05T03:00:02.123456789Z stdout {} {piece}", if is_last { "F" } else { "P" }))),
        ("journald", split(&journald)),
        ("journald", whole(&|message| format!(r#"{{"MESSAGE":{}}}"#, serde_json::to_string(message.as_bytes()).unwrap()))),
        ("cloudwatch", serde_json::json!({ "events": events }).to_string()),
        ("cloudwatch", whole(&|message| format!("2026-10-05T03:00:02.000Z {message}"))),
        ("cloudwatch", whole(&|message| format!("2026-10-05T03:00:02.000Z {}", docker(message, true)))),
        ("document", document),
    ]
}

#[test]
fn whatever_stands_around_the_messages_they_are_the_same_payments() {
    let messages: Vec<String> = (0..20).map(|number| message(number, number * 50)).collect();
    let expected: Vec<String> = (0..20).map(|number| format!("INV-{number}")).collect();
    for (name, text) in wrapped(&messages, 400) {
        for marked in [text.clone(), format!("\u{feff}{text}"), text.replace('\n', "\r\n"), format!("\0\0\n\n{text}\0\0\0")] {
            let found = evidence(marked.as_bytes());
            let mut paid = paid(&found);
            if name == "cloudwatch" {
                paid.sort_by_key(|invoice| invoice[4..].parse::<usize>().unwrap());
            }
            assert_eq!(paid, expected, "{name}");
            assert!(found.files[0].contents.is_whole(0), "{name}: {:?}", found.files[0].contents);
            assert_eq!(found.files[0].contents.wrapper, if name == "plain" { "" } else { name });
        }
    }
}

#[test]
fn messages_split_over_records_stay_whole_where_blocks_end() {
    let messages: Vec<String> = (0..400).map(|number| message(number, number % 7 * 1_200)).collect();
    for (name, text) in wrapped(&messages, 700).into_iter().filter(|(name, _)| ["docker", "cri", "journald"].contains(name)) {
        // Another stream's records lie between the pieces.
        let noise = wrapped(&["started".to_owned()], 700).into_iter().find(|(found, _)| *found == name).unwrap().1;
        let noise = noise.replace("stdout", "stderr").replace("\"x\"", "\"y\"");
        let mixed: String = text.split_inclusive('\n').flat_map(|line| [line, &noise]).collect();
        let found = evidence(mixed.as_bytes());
        assert!(mixed.len() > 2 << 20, "{name}: several blocks");
        assert_eq!(paid(&found).len(), messages.len(), "{name}");
    }
}

#[test]
fn a_wrapped_line_is_cited_as_it_stands_in_its_file() {
    let first = message(1, 0);
    let record = format!(r#"{{"log":{},"stream":"stdout"}}"#, quoted(&format!("{}\n", message(2, 0))));
    for text in [format!("{record}\n{first}\n"), format!("{first}\n{record}\n"), format!("\u{feff}{first}\n\n{record}\n")] {
        let found = evidence(text.as_bytes());
        assert_eq!(found.lines.len(), 2, "records are found also where a file does not begin with them");
        for (_, line) in found.lines.iter() {
            let from = usize::try_from(line.byte).unwrap();
            let raw = text[from..].lines().next().unwrap();
            assert_eq!(line.digest, digest::of_bytes(raw.as_bytes()));
            assert_eq!(text[..from].matches('\n').count() + 1, usize::try_from(line.number).unwrap());
        }
    }
}

#[test]
fn zeros_before_a_line_however_many_are_no_part_of_it() {
    let zeros = vec![0; 5 << 20];
    let line = message(1, 0);
    let found = evidence(&[zeros.as_slice(), line.as_bytes(), b"\n", &zeros].concat());
    assert_eq!(paid(&found), ["INV-1"]);
    let (_, line) = found.lines.iter().next().unwrap();
    assert_eq!((line.number, line.byte), (1, 5 << 20));
    assert_eq!((found.files[0].lines, found.files[0].contents.blank, found.lines.len()), (2, 1, 1));
}

#[test]
fn targets_are_tried_as_servers_log_them() {
    let logged = |logged: &str| paid(&evidence(sent_to("/pay/n", logged, 1, 0).as_bytes())).len();
    for target in
        ["/pay/n", "pay/n", "/pay/n/", "pay/n/", "https://h.example/pay/n", "http://h:8/pay/n/", "/pay/n?a=b", "https://h/pay/n?a=/b"]
    {
        assert_eq!(logged(target), 1, "{target}");
    }
    for target in ["/pay", "/n", "/pay/n/x", "https://h.example/other", "//", "/PAY/N"] {
        assert_eq!(logged(target), 0, "{target}");
    }
    assert_eq!(paid(&evidence(sent_to("/pay/n?a=b", "https://h/pay/n?a=b", 1, 0).as_bytes())).len(), 1, "the query was signed too");
    assert_eq!(paid(&evidence(sent_to("/pay/n/", "/pay/n", 1, 0).as_bytes())).len(), 1);
}

#[test]
fn a_file_that_is_no_log_is_named_for_what_it_is() {
    let utf16: Vec<u8> = message(1, 0).encode_utf16().flat_map(u16::to_le_bytes).collect();
    let pretty = serde_json::to_string_pretty(&serde_json::from_str::<serde_json::Value>(&message(1, 0)).unwrap()).unwrap();
    let line = message(1, 0);
    let tar = [&[b'x'; 257][..], b"ustar\0", &[0; 249], line.as_bytes(), b"\n"].concat();
    for (bytes, what) in [
        ([b"\xff\xfe".as_slice(), &utf16].concat(), "UTF-16"),
        (utf16.clone(), "UTF-16"),
        ([b"\0".as_slice(), &utf16].concat(), "UTF-16"),
        (pretty.into_bytes(), "JSON that is spread over several lines"),
        (br#"[{"level":"info"},{"level":"warn"}]"#.to_vec(), "one JSON array"),
        (format!("{}\r{}\r", message(1, 0), message(2, 0)).into_bytes(), "text whose lines end with a carriage return alone"),
        (br#"{"body":"{\x22a\x22:1}"}"#.to_vec(), "written with `\\x22` for quotes, as nginx does unless told otherwise"),
        (b"- received_at: x\n  body: y\n".to_vec(), "YAML"),
        (b"__CURSOR=s=1\n_PID=7\n\n".to_vec(), "a journal of systemd in its export format"),
        (vec![0; 4096], "nothing but zeros, as a power loss leaves them"),
        (b"\x5d\0\0\x80\0".to_vec(), "compressed with lzma"),
        (br#"{"level":"info","msg":"up"}"#.to_vec(), "JSON objects without a `body` of their own"),
        (b"<!DOCTYPE html><html>login</html>".to_vec(), "a page or an XML file"),
        (br#"1.2.3.4 - - [05/Oct/2026:03:00:02 +0700] "POST /n HTTP/1.1" 200 2"#.to_vec(), "a web server's access log"),
        (b"web-1  | {\"level\":\"info\"}\n".to_vec(), "JSON objects behind something that tagih does not know"),
        (b"received_at;target;isi\n2026;x;y\n".to_vec(), "a table without the columns of notifications"),
        (b"a;b;c\n1;2;3\n".to_vec(), "a table without the columns of notifications"),
        (b"PK\x03\x04\x14".to_vec(), "a zip archive or a workbook"),
        (tar, "a tar archive"),
    ] {
        let found = evidence(&bytes);
        let contents = &found.files[0].contents;
        assert!(!contents.is_whole(50), "{what}: {contents:?}");
        assert_eq!(contents.oddity.as_ref().map(|oddity| &*oddity.what), Some(what));
    }
    let torn = evidence(b"torn\nalso torn\n").files[0].contents.clone();
    assert_eq!((torn.oddity, torn.fault), (None, Some(Detail::NotAnObject)));
    assert!(evidence(line.as_bytes()).files[0].contents.oddity.is_none());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]
    #[test]
    fn lines_are_messages_blank_or_wrapping_for_any_bytes(
        parts in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..20),
                prop::sample::select(vec![
                    "\n", "\r\n", "\0", "\u{feff}", " \t", "{", "[", "}", "{}", "torn", "\"message\": \"{}\",", "\"events\": [",
                    r#"{"log":"x\n","stream":"stdout"}"#, r#"{"log":"{\"a\":","stream":"stdout"}"#, r#"{"log":"1}\n","stream":"stdout"}"#,
                    r#"{"log":"\n"}"#, r#"{"MESSAGE":[123,125]}"#, r#"{"MESSAGE":["{}","{}"]}"#, r#"{"MESSAGE":"{","_LINE_BREAK":"line-max"}"#,
                    r#"{"events":[{"message":"{}"},{"message":"{}\n{}"}]}"#, r#"{"events":[]}"#, r#"{"message":""}"#,
                    r#"x {"target":"","body":"{}"}"#, r#"[{"target":"","body":"{}"}]"#,
                    "2026-10-05T03:00:02Z stdout P {", "2026-10-05T03:00:02Z stderr P {", "2026-10-05T03:00:02Z stdout F }",
                    "2026-10-05T03:00:02Z stdout F", "2026-10-05T03:00:02Z {}", "2026-10-05T03:00:02Z x {}", r#"{"body":"{}"}"#,
                ]).prop_map(|text| text.as_bytes().to_vec()),
                Just(b"\n".to_vec()),
            ],
            0..40,
        ),
    ) {
        let bytes = parts.concat();
        let compressed = bytes.starts_with(&[0x1f, 0x8b, 8]) || bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
        prop_assume!(!compressed && !matches!(bytes.as_slice(), [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]));
        let found = evidence(&bytes);
        let count = |length: usize| u64::try_from(length).unwrap();
        let physical = bytes.split_inclusive(|&byte| byte == b'\n').count();
        let contents = found.files.first().map(|file| (file.lines, file.contents.clone())).unwrap_or_default();
        prop_assert_eq!(contents.0, count(physical));
        prop_assert_eq!(i128::from(contents.0), i128::from(contents.1.messages) + contents.1.apart());
        prop_assert_eq!(contents.1.messages, count(found.lines.len()));
        let raws: Vec<_> = physical_lines::physical(&bytes).collect();
        for (_, line) in found.lines.iter() {
            let cited = raws.iter().find(|(span, _)| span.line + 1 == u64::from(line.number)).copied();
            prop_assert_eq!(cited.map(|(span, _)| count(span.offset)), Some(line.byte));
            // Of several messages in one line, each is cited by its own text.
            prop_assert!(contents.1.packed > 0 || cited.map(|(_, raw)| digest::of_bytes(raw)) == Some(line.digest));
        }
        let places = |found: &Evidence| found.lines.iter().map(|(_, line)| (line.number, line.byte, line.digest, line.class)).collect::<Vec<_>>();
        let (start, end) = bytes.split_at(bytes.len() / 2);
        let packed = [zstd::encode_all(start, 1).unwrap(), vec![0; 9], gzip(end), vec![0; 9]].concat();
        let unpacked = evidence(&packed);
        prop_assert_eq!(places(&unpacked), places(&found));
        prop_assert_eq!(unpacked.files.first().map(|file| (file.lines, file.contents.clone())).unwrap_or_default(), contents);
    }
}
