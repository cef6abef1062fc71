//! Notifications kept in a table: however it is written, its rows are the lines of a log.

use super::*;
use crate::domain::line::Line;
use crate::table::{DateFormat, TableLayout};

/// A notification as its columns: `received_at`, target, the headers, body.
struct Kept {
    at: String,
    target: String,
    headers: serde_json::Map<String, serde_json::Value>,
    body: String,
}

fn kept(line: &str) -> Kept {
    let value: serde_json::Value = serde_json::from_str(line).unwrap();
    let text = |name: &str| value[name].as_str().unwrap().to_owned();
    Kept { at: text("received_at"), target: text("target"), headers: value["headers"].as_object().unwrap().clone(), body: text("body") }
}

impl Kept {
    fn header(&self, name: &str) -> String {
        self.headers[name].as_str().unwrap().to_owned()
    }

    fn header_lines(&self) -> String {
        let lines = self.headers.iter().map(|(name, value)| format!("{name}: {}", value.as_str().unwrap()));
        std::iter::once("Accept-Encoding: gzip, deflate, br, zstd".to_owned()).chain(lines).collect::<Vec<_>>().join("\r\n")
    }

    fn with_headers_as_json(&self) -> Vec<String> {
        vec![self.at.clone(), serde_json::to_string_pretty(&self.headers).unwrap(), self.target.clone(), self.body.clone()]
    }

    fn with_headers_as_lines(&self) -> Vec<String> {
        vec![self.at.clone(), self.header_lines(), self.target.clone(), self.body.clone()]
    }

    fn with_headers_apart(&self) -> Vec<String> {
        let header = |name: &str| self.header(name);
        let headers = ["Client-Id", "Request-Id", "Request-Timestamp", "Signature"].map(header);
        [["7".to_owned(), self.body.clone(), self.target.clone()].to_vec(), headers.to_vec(), vec![self.at.clone()]].concat()
    }
}

fn written(header: &str, rows: &[Vec<String>], delimiter: char, end: &str) -> String {
    let cell = |cell: &String| format!("\"{}\"", cell.replace('"', "\"\""));
    let rows = rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(&delimiter.to_string()));
    std::iter::once(header.replace(',', &delimiter.to_string())).chain(rows).map(|row| row + end).collect()
}

const JSON: &str = "received_at,headers,target,body";
const APART: &str = "id,Body,TARGET,Client-Id,Request-Id,Request-Timestamp,Signature,received at";

/// How a notification is written as a row.
type Form = fn(&Kept) -> Vec<String>;

/// What a line was found to say, without where it stands.
fn said(evidence: &Evidence) -> Vec<String> {
    let texts = |line: &Line| format!("{:?} {:?}", evidence.lines.texts(line), (line.class, line.identity, line.amount, line.marks));
    evidence.lines.iter().map(|(_, line)| format!("{} {:?}", texts(line), (line.received_at_us, line.request_key, line.body_key))).collect()
}

#[test]
fn rows_of_a_table_say_what_the_lines_of_a_log_say() {
    let mut lines: Vec<String> = (0..9).map(|number| message(number, number * 60)).collect();
    lines[3] = lines[3].replace("1000", "9000");
    lines[4] = lines[4].replace("\"Client-Id\":\"C\"", "\"Client-Id\":\"D\"");
    let expected = said(&evidence(lines.join("\n").as_bytes()));
    let all: Vec<Kept> = lines.iter().map(|line| kept(line)).collect();
    let forms: [(&str, Form); 3] =
        [(JSON, Kept::with_headers_as_json), (JSON, Kept::with_headers_as_lines), (APART, Kept::with_headers_apart)];
    for (header, form) in forms {
        let rows: Vec<Vec<String>> = all.iter().map(form).collect();
        for delimiter in [',', ';', '\t', '|'] {
            for end in ["\n", "\r\n", "\r"] {
                let text = written(header, &rows, delimiter, end);
                let title = format!("{header}{end}").replace(',', &delimiter.to_string());
                for bytes in [
                    text.clone().into_bytes(),
                    format!("\u{feff}{text}").into_bytes(),
                    format!("\u{feff}{text}\u{feff}{title}").into_bytes(),
                    format!("sep={delimiter}{end}{text}").into_bytes(),
                    format!("{end}{text}{end}{end}{title}").into_bytes(),
                    gzip(text.as_bytes()),
                    [text.as_bytes(), &[0; 99]].concat(),
                ] {
                    let found = evidence(&bytes);
                    let contents = &found.files[0].contents;
                    assert_eq!(said(&found), expected, "{header} {delimiter:?} {end:?}");
                    assert_eq!((contents.wrapper, contents.malformed, contents.oddity.as_ref()), ("table", 0, None));
                    assert_eq!(i128::from(found.files[0].lines), i128::from(contents.messages) + contents.apart());
                }
            }
        }
    }
}

#[test]
fn a_row_is_cited_by_the_line_it_begins_on_and_by_its_bytes_in_the_file() {
    let rows: Vec<Vec<String>> = (1..4).map(|number| kept(&message(number, 0)).with_headers_as_lines()).collect();
    let text = written(JSON, &rows, ',', "\r\n");
    let found = evidence(text.as_bytes());
    assert_eq!(paid(&found), ["INV-1", "INV-2", "INV-3"]);
    for (_, line) in found.lines.iter() {
        let from = usize::try_from(line.byte).unwrap();
        let length = text[from..].find("}\"\r\n").unwrap() + 2;
        assert_eq!(line.digest, digest::of_bytes(&text.as_bytes()[from..from + length]));
        assert_eq!(text[..from].matches('\n').count() + 1, usize::try_from(line.number).unwrap());
    }
}

#[test]
fn a_table_of_many_blocks_loses_nothing_and_a_row_too_long_is_one_line() {
    let mut rows: Vec<Vec<String>> = (0..900).map(|number| kept(&message(number, 6_000)).with_headers_as_lines()).collect();
    rows[500][3] = "x".repeat(3 << 20);
    for end in ["\n", "\r\n", "\r"] {
        let text = written(JSON, &rows, ';', end);
        let found = evidence(text.as_bytes());
        assert_eq!(paid(&found).len(), 899, "{end:?}");
        let contents = &found.files[0].contents;
        assert_eq!(i128::from(found.files[0].lines), i128::from(contents.messages) + contents.apart());
        assert_eq!(found.files[0].lines, crate::table::physical_lines(text.as_bytes()));
    }
}

fn why_of(line: &Line) -> String {
    line.detail.map_or_else(String::new, |detail| detail.to_string())
}

#[test]
fn the_times_of_a_table_need_an_offset_and_a_format_and_say_so() {
    let offset = jiff::tz::Offset::from_hours(7).ok();
    let day_first = TableLayout { date_format: DateFormat::DayFirst, ..TableLayout::default() };
    let with = |at: &str, tables: &TableSettings| {
        let mut row = kept(&message(1, 0)).with_headers_as_json();
        at.clone_into(&mut row[0]);
        let found = evidence_by(written(JSON, &[row], ';', "\n").as_bytes(), tables);
        let (_, line) = found.lines.iter().next().unwrap();
        (line.class, line.received_at().map(|at| at.to_string()), why_of(line))
    };
    let wib = TableSettings { offset, ..TableSettings::default() };
    let local = TableSettings { offset, notifications: day_first.clone(), ..TableSettings::default() };
    let read = |at: &str| (Class::N00, Some(at.to_owned()), String::new());
    assert_eq!(with("2026-10-05 10:00:02", &wib), read("2026-10-05T03:00:02Z"));
    assert_eq!(with("05/10/2026 12:00", &local), read("2026-10-05T05:00:00Z"));
    assert_eq!(with("", &wib), (Class::N00, None, String::new()));
    assert_eq!(with("NULL", &wib), (Class::N00, None, String::new()));
    for (at, tables, cure) in [
        ("2026-10-05 10:00:02", TableSettings::default(), "notifications.received_at_offset"),
        ("05/10/2026 12:00", TableSettings { notifications: day_first, ..TableSettings::default() }, "notifications.received_at_offset"),
        ("05/10/2026 12:00", wib, "notifications.date_format"),
        ("kemarin", local, "2026-10-31T17:00:00+07:00"),
    ] {
        let (class, _, why) = with(at, &tables);
        assert!(class == Class::N01 && why.contains(cure), "{at}: {why}");
    }
}

#[test]
fn what_a_database_or_a_spreadsheet_did_to_a_row_is_named() {
    let row = || kept(&message(1, 0)).with_headers_as_json();
    let changed = |place: usize, to: &str| {
        let mut row = row();
        to.clone_into(&mut row[place]);
        written(JSON, &[row], ',', "\n")
    };
    let long = serde_json::to_string(&serde_json::json!({"a": "é".repeat(40_000)})).unwrap();
    let cut: String = long.chars().take(32_767).collect();
    let spaced = kept(&message(1, 0)).body.replace("\":", "\": ");
    let good = written(JSON, &[row()], ',', "\n");
    for (text, class, why) in [
        (changed(3, ""), Class::N01, "there is no body"),
        (changed(3, &cut), Class::N01, "32,767"),
        (changed(3, &spaced), Class::N02, "jsonb"),
        (changed(1, "{'Client-Id': 'C'}"), Class::N01, "`headers`"),
        (changed(1, "C, r1, HMACSHA256=x"), Class::N01, "`headers`"),
        (changed(1, ""), Class::N03, "`Client-Id` is missing"),
        (changed(2, ""), Class::N03, "the target is missing"),
        (written(APART, &[kept(&message(1, 0)).with_headers_apart()], ',', "\n").replace("\"\"", "\\\""), Class::N01, "backslashes"),
        (good.replacen("\"2026", "\"\"2026", 1), Class::N01, "double quote"),
        (format!("{JSON}\n2026-10-05T03:00:02Z,x,/n,{}\n", kept(&message(1, 0)).body), Class::N01, "is not quoted"),
        (format!("Laporan\n{JSON}\n"), Class::N01, "above the header"),
    ] {
        let found = evidence(text.as_bytes());
        let (_, line) = found.lines.iter().next().unwrap();
        assert!(line.class == class && why_of(line).contains(why), "{why}: {} {}", line.class, why_of(line));
    }
    let found = evidence(changed(3, &spaced).as_bytes());
    assert!(found.files[0].contents.is_rewritten() && !found.files[0].contents.is_whole(50));
    // Where anything is as DOKU signed it, the others are forged for all that is known.
    let mixed = written(JSON, &[row(), kept(&message(2, 0).replace("\\\":", "\\\": ")).with_headers_as_json()], ',', "\n");
    assert!(evidence(mixed.as_bytes()).files[0].contents.is_whole(50));
}

#[test]
fn headers_of_others_are_mapped_by_the_settings_or_by_a_layout() {
    let kept = kept(&message(1, 0));
    let mut constants = std::collections::BTreeMap::new();
    constants.insert("target".to_owned(), "/n".to_owned());
    let columns = |pairs: &[(&str, &str)]| pairs.iter().map(|(ours, theirs)| ((*ours).to_owned(), (*theirs).to_owned())).collect();
    let mapped =
        TableLayout { columns: columns(&[("body", "ISI"), ("received_at", "WAKTU"), ("headers", "KEPALA")]), ..TableLayout::default() };
    let layout = TableLayout { name: "db".to_owned(), constants, ..mapped.clone() };
    let row = vec![kept.at.clone(), kept.header_lines(), kept.body.clone()];
    let text = written("waktu,kepala,isi", &[row], ';', "\n");
    let by = |tables: &TableSettings| evidence_by(text.as_bytes(), tables);
    assert_eq!(paid(&by(&TableSettings { layouts: vec![layout], ..TableSettings::default() })), ["INV-1"]);
    let (_, line) = by(&TableSettings { notifications: mapped, ..TableSettings::default() })
        .lines
        .iter()
        .next()
        .map(|(at, line)| (at, line.clone()))
        .unwrap();
    assert_eq!((line.class, line.detail), (Class::N03, Some(Detail::TargetMissing)));
    let unmapped = by(&TableSettings::default());
    assert_eq!(
        unmapped.files[0].contents.oddity.as_ref().map(|oddity| &*oddity.what),
        Some("a table without the columns of notifications")
    );
    let near = evidence(written("received_at,target,bodi", &[vec!["x".into(), "y".into(), "z".into()]], ',', "\n").as_bytes());
    assert!(near.files[0].remark.contains("did you mean your `bodi`?"), "{}", near.files[0].remark);
    let twice = evidence(written("received_at,body,body", &[vec!["x".into(), "y".into(), "z".into()]], ',', "\n").as_bytes());
    assert!(twice.files[0].remark.contains("`body` twice"), "{}", twice.files[0].remark);
}

proptest! {
    #[test]
    fn lines_of_a_table_are_rows_blank_or_wrapping_for_any_bytes(
        header in prop::sample::select(vec!["received_at,headers,target,body\n", "a,b,c,message\n1,2,3,{\"a\":1}\n"]),
        parts in prop::collection::vec(
            prop_oneof![
                prop::collection::vec(any::<u8>(), 0..12),
                prop::sample::select(vec![
                    "\n", "\r\n", "\r", "\"", "\"\"", ",", "\0", "received_at,headers,target,body\n", "2026-10-05T03:00:02Z,{},/n,\"{}\"\n",
                    "x,,,\"{\"\"a\"\": 1,\n\"\"b\"\": 2}\"\n", "a,\"b\nc\",d,{}\n", ",,,\n", " \n", "\",\"\n", "1,2,3,\"{\n", "\u{feff}",
                ]).prop_map(|text| text.as_bytes().to_vec()),
                Just(b"\n".to_vec()),
            ],
            0..40,
        ),
    ) {
        let bytes = [header.as_bytes().to_vec(), parts.concat()].concat();
        let found = evidence(&bytes);
        let (file, contents) = (&found.files[0], &found.files[0].contents);
        prop_assert_eq!(contents.wrapper, "table");
        prop_assert_eq!(file.lines, crate::table::physical_lines(&bytes));
        prop_assert_eq!(i128::from(file.lines), i128::from(contents.messages) + contents.apart());
        prop_assert_eq!(contents.messages, u64::try_from(found.lines.len()).unwrap());
        for (_, line) in found.lines.iter() {
            let rest = &bytes[usize::try_from(line.byte).unwrap()..];
            let ends = (1..=rest.len()).filter(|&end| end == rest.len() || matches!(rest[end], b'\n' | b'\r'));
            let stands = ends.into_iter().any(|end| digest::of_bytes(&rest[..end]) == line.digest);
            prop_assert!(contents.packed > 0 || stands, "what is cited stands there");
        }
    }
}
