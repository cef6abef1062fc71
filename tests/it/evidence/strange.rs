//! Files as a stranger has them: each is read for what is in it, or named with its cause and its cure; none is passed over.

use std::os::unix::fs::symlink;

use serde_json::{Value, json};

use crate::evidence::logs::{counted, gzip, ledger_of, paid};
use crate::support::world::World;

/// What becomes of a file: its payments are found, or the run ends with 7 and these words.
#[derive(Clone, Copy)]
enum Fate {
    Read,
    Named(&'static [&'static str]),
}
use Fate::{Named, Read};

/// Each of the three messages written by `form`, a line each.
fn each(form: impl Fn(&str) -> String) -> Vec<u8> {
    (1..=3).map(|number| form(&paid(number)) + "\n").collect::<String>().into_bytes()
}

fn value(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

fn body(line: &str) -> String {
    value(line)["body"].as_str().unwrap().to_owned()
}

fn csv(header: &str, row: impl Fn(&str) -> String) -> Vec<u8> {
    [format!("{header}\n").into_bytes(), each(|line| row(&format!("\"{}\"", line.replace('"', "\"\""))))].concat()
}

/// Pieces of at most 200 characters, with whether each is the last.
fn split(form: impl Fn(&str, bool) -> String) -> Vec<u8> {
    each(|line| {
        let pieces: Vec<&str> = line.as_bytes().chunks(200).map(|piece| str::from_utf8(piece).unwrap()).collect();
        let last = pieces.len() - 1;
        pieces.iter().enumerate().map(|(at, piece)| form(piece, at == last)).collect::<Vec<_>>().join("\n")
    })
}

fn carried() -> Vec<(&'static str, Vec<u8>, Fate)> {
    let lines = || (1..=3).map(paid).collect::<Vec<_>>();
    let events: Vec<Value> = lines().iter().map(|line| json!({"timestamp": 1, "message": line})).collect();
    let docker = |log: String| json!({"log": log, "stream": "stdout", "time": "2026-10-15T05:00:00Z"}).to_string();
    let streams: Vec<Value> = lines().iter().map(|line| json!(["1", line])).collect();
    let fields: Vec<Value> =
        lines().iter().map(|line| json!([{"field": "@timestamp", "value": "x"}, {"field": "@message", "value": line}])).collect();
    vec![
        ("docker", split(|piece, is_last| docker(if is_last { format!("{piece}\n") } else { piece.to_owned() })), Read),
        ("docker-unended", each(|line| docker(line.to_owned())), Read),
        ("cri", split(|piece, is_last| format!("2026-10-15T05:00:00.1Z stdout {} {piece}", if is_last { "F" } else { "P" })), Read),
        ("journald-bytes", each(|line| json!({"MESSAGE": line.as_bytes(), "_PID": "1"}).to_string()), Read),
        ("journalctl-short", each(|line| format!("Oct 15 12:00:00 web1 gateway[123]: {line}")), Read),
        ("journalctl-iso", each(|line| format!("2026-10-15T12:00:00+0700 web1 gateway[123]: {line}")), Read),
        ("cloudwatch-tail", each(|line| format!("2026-10-15T05:00:00.000Z\t{line}")), Read),
        ("cloudwatch-array", json!(events).to_string().into(), Read),
        ("cloudwatch.gz", gzip(&json!({ "logEvents": events }).to_string()), Read),
        ("insights.json", json!({ "results": fields }).to_string().into(), Read),
        ("insights.csv", csv("@timestamp,@message", |cell| format!("2026-10-15 05:00:00.000,{cell}")), Read),
        ("loki.csv", csv("Time,Line", |cell| format!("\"2026-10-15 05:00:00.000\",{cell}")), Read),
        ("grafana.csv", csv("tsNs;labels;Line", |cell| format!("1791169202000000000;{{}};{cell}")), Read),
        ("one-column.csv", csv("message", str::to_owned), Read),
        ("logcli.jsonl", each(|line| json!({"labels": {}, "line": line, "timestamp": "x"}).to_string()), Read),
        ("loki-api.json", json!({"status": "success", "data": {"result": [{"stream": {}, "values": streams}]}}).to_string().into(), Read),
        ("gcp-json", each(|line| json!({"insertId": "a", "jsonPayload": value(line)}).to_string()), Read),
        ("gcp-text", each(|line| json!({"insertId": "a", "textPayload": line}).to_string()), Read),
        ("elastic", each(|line| json!({"_source": {"message": line}}).to_string()), Read),
        ("filebeat", each(|line| json!({"message": line, "log": {"file": {"path": "/x"}}}).to_string()), Read),
        ("datadog", each(|line| json!({"message": line, "service": "web", "order": 7}).to_string()), Read),
        ("azure", each(|line| json!({"resultDescription": line}).to_string()), Read),
        ("splunk", each(|line| json!({"result": {"_raw": line}}).to_string()), Read),
        ("syslog-5424", each(|line| format!("<14>1 2026-10-15T05:00:00.000Z web1 gateway 123 - - {line}")), Read),
        ("kubectl-timestamps", each(|line| format!("2026-10-15T05:00:00.123456789Z {line}")), Read),
        ("kubectl-prefix", each(|line| format!("[pod/web-1/app] {line}")), Read),
        ("compose", each(|line| format!("web-1  | {line}")), Read),
        ("coloured", each(|line| format!("\u{1b}[32mINFO\u{1b}[0m {line}")), Read),
        ("array", format!("[{}]", lines().join(",")).into(), Read),
        ("array-lines", format!("[\n{}\n]\n", lines().join(",\n")).into(), Read),
        ("trailing-comma", each(|line| format!("{line},")), Read),
        ("quoted", each(|line| json!(line).to_string()), Read),
    ]
}

fn as_files() -> Vec<(&'static str, Vec<u8>, Fate)> {
    let plain = each(str::to_owned);
    let text = String::from_utf8(plain.clone()).unwrap();
    let utf16 = |unit: fn(u16) -> [u8; 2]| format!("\u{feff}{text}").encode_utf16().flat_map(unit).collect::<Vec<u8>>();
    let har =
        json!({"log": {"version": "1.2", "creator": {"name": "x"}, "entries": [{"request": {"postData": {"text": body(&paid(1))}}}]}});
    let latin = text.replace("Canary", "Jos\u{e9}").chars().map(|c| u8::try_from(u32::from(c)).unwrap()).collect();
    let nginx = |line: &str| format!("{{\"body\":\"{}\"}}", body(line).replace('"', "\\x22"));
    vec![
        ("n.jsonl.1", plain.clone(), Read),
        ("n.jsonl.gz.1", gzip(&text), Read),
        ("N.GZ", gzip(&text), Read),
        ("n.zst", zstd::encode_all(&plain[..], 1).unwrap(), Read),
        ("power-loss.jsonl", [plain.clone(), vec![0; 4096]].concat(), Read),
        ("n.bz2", b"BZh91AY&SY\x01".to_vec(), Named(&["bzip2", "unpack"])),
        ("n.xz", b"\xfd7zXZ\0\0\x04".to_vec(), Named(&["xz", "unpack"])),
        ("n.zip", [b"PK\x03\x04\x14\0".as_slice(), &plain].concat(), Named(&["zip", "unpack"])),
        ("zeros.jsonl", vec![0; 4096], Named(&["zeros", "backup"])),
        ("carriage.jsonl", text.replace('\n', "\r").into(), Named(&["carriage return", "tr "])),
        ("latin.jsonl", latin, Named(&["not UTF-8"])),
        ("little.jsonl", utf16(u16::to_le_bytes), Named(&["UTF-16", "UTF-8"])),
        ("big.jsonl", utf16(u16::to_be_bytes), Named(&["UTF-16", "UTF-8"])),
        (
            "alb.log",
            each(|_| "https 2026-10-15T05:00:00Z app/x/1 \"POST https://x/n HTTP/1.1\" \"-\"".into()),
            Named(&["access log", "bodies"]),
        ),
        ("nginx.log", each(nginx), Named(&["\\x22", "escape=json"])),
        ("pretty.jsonl", each(|line| serde_json::to_string_pretty(&value(line)).unwrap()), Named(&["several lines", "jq -c"])),
        ("n.yaml", each(|line| format!("- body: '{}'", body(line))), Named(&["YAML"])),
        ("n.har", serde_json::to_string_pretty(&har).unwrap().into(), Named(&["HAR", "server"])),
        (
            "objects.jsonl",
            each(|line| json!({"target": "/n", "body": value(&body(line))}).to_string()),
            Named(&["not the text that was signed"]),
        ),
        ("page.jsonl", b"<!DOCTYPE html><html>login</html>".to_vec(), Named(&["page", "login"])),
        ("dump.tsv", each(|line| format!("2026-10-15 05:00:00+00\t/n\t{}", body(line))), Named(&["E0727"])),
        ("lines.csv", each(|line| format!("2026-10-15,/n,{}", body(line))), Named(&["E0727"])),
    ]
}

#[test]
fn every_file_is_read_for_what_is_in_it_or_named_with_its_cure() {
    let world = World::at("http://127.0.0.1:1", "");
    ledger_of(&world);
    let all = [carried(), as_files()].concat();
    assert!(all.len() > 50);
    for (name, bytes, fate) in all {
        world.file(name, bytes);
        match fate {
            Read => {
                let ran = world.run(&["ingest", name, "--json"]).expect(0);
                assert_eq!(counted(&ran)[..2].iter().sum::<u64>(), 3, "{name}: {ran:?}");
                assert!(ran.stderr.is_empty(), "{name}: {ran:?}");
            }
            Named(words) => {
                let ran = world.run(&["ingest", name]).expect(7);
                for word in words.iter().chain(&[name, "hint: "]) {
                    assert!(ran.stderr.contains(word), "{name}: {word}: {}", ran.stderr);
                }
                assert!(!ran.stderr.contains("Canary"), "{name} shows a customer: {}", ran.stderr);
            }
        }
    }
}

#[test]
fn what_is_no_file_or_the_same_file_again_is_told() {
    let world = World::at("http://127.0.0.1:1", "");
    ledger_of(&world);
    world.file("n.jsonl", each(str::to_owned));
    std::fs::create_dir(world.path("logs")).unwrap();
    symlink("loop", world.path("loop")).unwrap();
    symlink("n.jsonl", world.path("link.jsonl")).unwrap();
    for (name, word) in [("logs", "folder"), ("lo?s", "folder"), ("loop", "loop"), ("/dev/null", "pipe or a device"), ("-", "E0701")] {
        world.run(&["ingest", name]).expect(7).says(&[word, "hint: "]);
    }
    world.file("empty.jsonl", "");
    world.run(&["ingest", "empty.jsonl"]).expect(0);
    let ran = world.run(&["ingest", "n.jsonl", "./n.jsonl", "link.jsonl", "--json"]).expect(0);
    assert_eq!(counted(&ran)[..2], [3, 0], "one payment is one, however often its line is given");
}
