//! Every way a value has been written, and every way nobody promised it would not be.

use proptest::prelude::*;

use super::*;

fn raw(json: &str) -> &RawValue {
    serde_json::from_str(json).unwrap()
}

fn rupiah(json: &str) -> Option<u64> {
    amount(raw(json)).ok().map(Amount::get)
}

#[test]
fn an_amount_is_exact_whole_rupiah_however_it_is_written() {
    for (written, expected) in [
        ("150000", 150_000),
        ("150000.0", 150_000),
        ("150000.00", 150_000),
        ("1.5E5", 150_000),
        ("1.5e+5", 150_000),
        ("15e4", 150_000),
        ("1.5E7", 15_000_000),
        ("5.0E4", 50_000),
        ("1.2345678E7", 12_345_678),
        // The decimals that count are those of the plain form.
        ("1.50E1", 15),
        ("0.001E5", 100),
        ("150000.00E0", 150_000),
        ("1500000E-1", 150_000),
        ("1", 1),
        ("0.1e1", 1),
        ("999999999999", Amount::MAX),
        ("9.99999999999E11", Amount::MAX),
        ("9007199254740.993E-1", 0),
    ] {
        let expected = Some(expected).filter(|&rupiah| rupiah > 0);
        assert_eq!(rupiah(written), expected, "{written}");
        assert_eq!(rupiah(&format!("\"{written}\"")), expected, "\"{written}\"");
    }
    assert_eq!(rupiah(r#""000150000""#), Some(150_000));
    assert_eq!(rupiah(r#""\u0031\u0035""#), Some(15));
}

#[test]
fn what_is_no_amount_is_never_a_smaller_one() {
    for written in [
        "150.000",
        "150000.000",
        "150000.5",
        "150000.01",
        "150000.00000000001",
        "0.15",
        "1.5",
        "15E-1",
        "1.5E0",
        "150.000E0",
        "1500000E-3",
        "0",
        "0.0",
        "0E99",
        "-0",
        "-1",
        "-150000",
        "1000000000000",
        "1E12",
        "1E400",
        "1.23456789E7",
        "1E999999999999999999999",
        "1E-999999999999999999999",
        "0.00000000000000000001E17",
        "123456789012345678901234567890",
    ] {
        assert_eq!(rupiah(written), None, "{written}");
        assert_eq!(rupiah(&format!("\"{written}\"")), None, "\"{written}\"");
    }
    for text in [
        "",
        " ",
        "+150000",
        "150,000",
        "150.000,00",
        "150.000.000",
        "1_000",
        "1 000",
        " 150000",
        "150000 ",
        "150000.",
        ".5",
        ".5E1",
        "5.E1",
        "1E",
        "1E+",
        "E5",
        "1E5E5",
        "1.5E5.0",
        "1E++5",
        "0x24",
        "NaN",
        "inf",
        "Infinity",
        "Rp150000",
        "IDR 150000",
        "١٥",
        "１５",
        "15\\n",
        "15\\u0000",
    ] {
        assert_eq!(rupiah(&format!("\"{text}\"")), None, "{text}");
    }
    for other in ["null", "true", "[150000]", r#"{"value":150000}"#] {
        assert_eq!(amount(raw(other)), Err(Unusable::OtherType), "{other}");
    }
}

#[test]
fn why_an_amount_is_unusable_is_said() {
    for (written, why) in [
        ("150.000", Unusable::Fraction),
        ("0.5", Unusable::Fraction),
        (r#""150,000""#, Unusable::NotDecimal),
        (r#""+150000""#, Unusable::NotDecimal),
        ("0", Unusable::Amount(AmountError::Zero)),
        ("1E12", Unusable::Amount(AmountError::TooLarge)),
    ] {
        assert_eq!(amount(raw(written)), Err(why), "{written}");
    }
}

#[test]
fn a_text_is_a_string_or_the_digits_of_an_integer() {
    for (json, expected) in [
        (r#""0073""#, Some("0073")),
        ("73", Some("73")),
        ("88965123456781234567", Some("88965123456781234567")),
        ("20210331115005", Some("20210331115005")),
        (r#""INV\u002d1""#, Some("INV-1")),
        (r#""""#, Some("")),
        (r#""\ud800""#, None),
        ("-73", None),
        ("73.0", None),
        ("7E1", None),
        ("true", None),
        ("[]", None),
        ("{}", None),
    ] {
        assert_eq!(text(raw(json)).as_deref(), expected, "{json}");
    }
    assert_eq!(string(raw("73")), None);
    assert_eq!(written(raw("-7.30E1")).as_deref(), Some("-7.30E1"));
}

#[test]
fn no_other_field_and_no_field_of_another_type_makes_an_object_unreadable() {
    let deep = format!("{}1{}", "[".repeat(100_000), "]".repeat(100_000));
    let huge = format!("1{}E99999999999", "0".repeat(10_000));
    for other in ["0", "true", "null", "[]", "{}", r#"["a",{"code":"no"}]"#, r#""\ud800""#, deep.as_str(), huge.as_str(), "-0.1e-400"] {
        let json = format!(r#" {{"other":{other},"\ud800":1,"date":{other},"c\u006fde":"73","id":"x"}} "#);
        let [code, date, missing] = fields(&json, ["code", "date", "missing"]).unwrap();
        assert_eq!(code.and_then(text).as_deref(), Some("73"));
        assert_eq!(date.map(RawValue::get), Some(other).filter(|&other| other != "null"));
        assert!(missing.is_none());
        let [inner] = section(date, ["code"]);
        assert!(inner.is_none());
    }
    assert_eq!(section(None, ["code"]).map(|field| field.is_none()), [true]);
}

#[test]
fn an_optional_field_of_another_type_is_dropped_and_noted() {
    let [page, date, missing] = fields(r#"{"page":{},"date":20210331115005,"missing":null}"#, ["page", "date", "missing"]).unwrap();
    let mut notes = Vec::new();
    assert_eq!(optional(page, "info.page", text, &mut notes), None);
    assert_eq!(optional(date, "info.date", text, &mut notes).as_deref(), Some("20210331115005"));
    assert_eq!(optional(missing, "info.missing", text, &mut notes), None);
    assert_eq!(notes, ["info.page"]);
}

#[test]
fn a_field_that_says_two_things_says_neither_and_is_not_missing() {
    for (json, expected) in [
        (r#"{"code":"1","code":"1"}"#, Some("1")),
        (r#"{"code":null,"code":"1","code":null}"#, Some("1")),
        (r#"{"code":"1","code":"2"}"#, None),
        (r#"{"code":"1","code":"2","code":"1"}"#, None),
        (r#"{"code":"1","c\u006fde":1}"#, None),
    ] {
        let [code] = fields(json, ["code"]).unwrap();
        assert_eq!(text(code.unwrap()).as_deref(), expected, "{json}");
        assert_eq!(amount(code.unwrap()).is_ok(), expected.is_some(), "{json}");
    }
}

#[test]
fn what_is_no_object_has_no_fields() {
    for json in [
        "",
        "[]",
        r#"[["code","1"]]"#,
        "7",
        "null",
        r#""code""#,
        "{",
        r#"{"code":1"#,
        r#"{"code":1}}"#,
        r#"{"code":1} x"#,
        "{code:1}",
        "<html>",
    ] {
        assert!(fields(json, ["code"]).is_none(), "{json}");
    }
}

/// An exact decimal of another make: the number is written out in full, digit by digit, and only then looked at.
fn written_out(text: &str) -> Option<u64> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i64 = exponent.parse().ok()?;
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let mut before: Vec<char> = whole.chars().collect();
    let mut after: std::collections::VecDeque<char> = fraction.chars().collect();
    for _ in 0..exponent.max(0) {
        before.push(after.pop_front().unwrap_or('0'));
    }
    for _ in exponent.min(0)..0 {
        after.push_front(before.pop().unwrap_or('0'));
    }
    let digits: String = before.into_iter().collect();
    let rupiah: u128 = digits.trim_start_matches('0').parse().ok()?;
    let is_amount = after.len() <= 2 && after.iter().all(|&digit| digit == '0') && rupiah <= u128::from(Amount::MAX);
    is_amount.then(|| u64::try_from(rupiah).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn amounts_agree_with_decimals_written_out(text in "(0|[1-9][0-9]{0,13})(\\.[0-9]{1,4}|\\.0{1,4})?([eE][+-]?[0-9]{1,2})?") {
        prop_assert_eq!(rupiah(&text), written_out(&text));
        let quoted = format!("\"{text}\"");
        prop_assert_eq!(rupiah(&quoted), written_out(&text));
    }

    #[test]
    fn every_way_of_writing_an_amount_reads_back(whole in 1..=Amount::MAX, zeros in 0_usize..=2, moved in 0_usize..=11, upper in any::<bool>()) {
        let digits = whole.to_string();
        let point = if zeros == 0 { String::new() } else { format!(".{}", "0".repeat(zeros)) };
        prop_assert_eq!(rupiah(&format!("{digits}{point}")), Some(whole));
        let moved = moved.min(digits.len() - 1);
        let (head, tail) = digits.split_at(digits.len() - moved);
        let tail = if tail.is_empty() { "0" } else { tail };
        let e = if upper { 'E' } else { 'e' };
        prop_assert_eq!(rupiah(&format!("{head}.{tail}{e}{moved}")), Some(whole));
    }

    #[test]
    fn any_text_at_all_is_read_without_a_panic_and_what_is_read_is_its_digits(text in ".*") {
        let quoted = serde_json::to_string(&text).unwrap();
        let read_back = string(raw(&quoted));
        prop_assert_eq!(read_back.as_deref(), Some(text.as_str()));
        if let Ok(read) = decimal(&text) {
            prop_assert_eq!(written_out(&text), Some(read.get()));
        }
        let is_object = fields(&text, ["a"]).is_some();
        prop_assert!(!is_object || text.trim_start().starts_with('{'), "{}", text);
    }
}

proptest! {
    #[test]
    fn the_one_pass_finds_what_fields_and_sections_find(
        parts in prop::collection::vec(
            (
                prop::sample::select(vec!["a", "b", "c", "a.x", "\\u0061", "\\ud800", ""]),
                prop::sample::select(vec![
                    r#"{"x":1}"#, r#"{"y":"2","x":null}"#, r#"{"x":1,"x":2}"#, r#"{"x":1,"x":1,"z":[1e999]}"#, r#"{"x.y":1}"#, "{}", "null", "7",
                    r#"[{"x":1}]"#, r#""\ud800""#, "{",
                ]),
            ),
            0..5,
        ),
    ) {
        let parts: Vec<_> = parts.iter().map(|(name, value)| format!("\"{name}\":{value}")).collect();
        let json = format!("{{{}}}", parts.join(","));
        let stepwise = fields(&json, ["a", "b", "c"]).map(|[a, b, c]| {
            let ([ax, ay], [bx]) = (section(a, ["x", "y"]), section(b, ["x"]));
            [ax, ay, bx, c].map(|field| field.map(RawValue::get))
        });
        let at_once = paths(&json, ["a.x", "a.y", "b.x", "c"]).map(|found| found.map(|field| field.map(RawValue::get)));
        prop_assert_eq!(at_once, stepwise);
    }
}
