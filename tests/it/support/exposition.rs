//! A strict reader of what is scraped: Prometheus' text format (0.0.4) and `OpenMetrics` (1.0), as far as tagih writes them.

use std::collections::{BTreeMap, BTreeSet};

/// Which of the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    Prometheus,
    OpenMetrics,
}

/// What was read: the value of each series, written as the format has it with labels in their order.
#[derive(Debug, Default)]
pub struct Scraped {
    pub series: BTreeMap<String, f64>,
    pub names: BTreeSet<String>,
}

impl Scraped {
    /// The one series of this name that has all these labels.
    #[track_caller]
    pub fn one(&self, name: &str, labels: &[(&str, &str)]) -> f64 {
        let wanted: Vec<String> = labels.iter().map(|(name, value)| format!("{name}=\"{value}\"")).collect();
        let is_it = |series: &str| series.split('{').next() == Some(name) && wanted.iter().all(|label| series.contains(label));
        let found: Vec<_> = self.series.iter().filter(|(series, _)| is_it(series)).collect();
        assert_eq!(found.len(), 1, "{name} {labels:?}: {found:?} in {:#?}", self.series.keys());
        *found[0].1
    }
}

/// A family while its lines are read.
struct Family {
    name: String,
    kind: String,
    has_help: bool,
}

/// Reads it whole, or panics at the first line that a scraper may refuse.
#[track_caller]
pub fn parse(text: &str, dialect: Dialect) -> Scraped {
    let body = match dialect {
        Dialect::OpenMetrics => text.strip_suffix("# EOF\n").expect("ends with # EOF"),
        Dialect::Prometheus => text,
    };
    assert!(body.is_empty() || body.ends_with('\n'), "the last line has no end");
    let (mut scraped, mut seen, mut family) = (Scraped::default(), BTreeSet::new(), None::<Family>);
    for line in body.lines() {
        match line.strip_prefix("# ") {
            Some(comment) => described(comment, dialect, &mut seen, &mut family),
            None => sample(line, dialect, family.as_ref().unwrap_or_else(|| panic!("before any TYPE: {line}")), &mut scraped),
        }
    }
    histograms_add_up(&scraped);
    scraped
}

fn described(comment: &str, dialect: Dialect, seen: &mut BTreeSet<String>, family: &mut Option<Family>) {
    let (word, rest) = comment.split_once(' ').unwrap_or_else(|| panic!("{comment}"));
    let (name, text) = rest.split_once(' ').unwrap_or_else(|| panic!("{comment}"));
    assert!(is_name(name, true) && !text.is_empty(), "{comment}");
    if family.as_ref().is_none_or(|family| family.name != name) {
        assert!(seen.insert(name.to_owned()), "{name} stands in two places");
        *family = Some(Family { name: name.to_owned(), kind: String::new(), has_help: false });
    }
    let family = family.as_mut().unwrap();
    match word {
        "HELP" => assert!(!std::mem::replace(&mut family.has_help, true), "{comment}"),
        "TYPE" => {
            assert!(family.kind.is_empty(), "{comment}");
            assert!(["gauge", "counter", "histogram", "info"].contains(&text), "{comment}");
            assert!(dialect == Dialect::OpenMetrics || text != "info", "{comment}");
            text.clone_into(&mut family.kind);
        }
        "UNIT" => assert!(dialect == Dialect::OpenMetrics && name.ends_with(&format!("_{text}")), "{comment}"),
        _ => panic!("{comment}"),
    }
}

fn is_name(text: &str, colon: bool) -> bool {
    let is_part = |(at, c): (usize, char)| c.is_ascii_alphabetic() || c == '_' || (colon && c == ':') || (at > 0 && c.is_ascii_digit());
    !text.is_empty() && text.char_indices().all(is_part)
}

fn sample(line: &str, dialect: Dialect, family: &Family, scraped: &mut Scraped) {
    assert!(!family.kind.is_empty() && family.has_help, "{line}");
    let (name, rest) = line.split_at(line.find(['{', ' ']).unwrap_or_else(|| panic!("{line}")));
    let suffix = name.strip_prefix(family.name.as_str()).unwrap_or_else(|| panic!("{line} is not of {}", family.name));
    let suffixes: &[&str] = match (family.kind.as_str(), dialect) {
        ("counter", Dialect::OpenMetrics) => &["_total"],
        ("histogram", _) => &["_bucket", "_sum", "_count"],
        ("info", _) => &["_info"],
        _ => &[""],
    };
    assert!(is_name(name, true) && suffixes.contains(&suffix), "{line}");
    let value = match rest.strip_prefix('{') {
        Some(labels) => labelled(labels, line),
        None => rest,
    };
    let value = value.strip_prefix(' ').unwrap_or_else(|| panic!("{line}"));
    let number: f64 = value.parse().unwrap_or_else(|_| panic!("{line}"));
    assert!(family.kind == "gauge" || number >= 0.0, "{line}");
    let series = line[..line.len() - value.len() - 1].to_owned();
    assert!(scraped.series.insert(series, number).is_none(), "twice: {line}");
    scraped.names.insert(name.to_owned());
}

/// What follows the labels.
fn labelled<'a>(mut rest: &'a str, line: &str) -> &'a str {
    let mut names = BTreeSet::new();
    loop {
        let (name, value) = rest.split_once("=\"").unwrap_or_else(|| panic!("{line}"));
        assert!(is_name(name, false) && names.insert(name), "{line}");
        let mut characters = value.char_indices();
        let end = loop {
            match characters.next() {
                Some((at, '"')) => break at,
                Some((_, '\\')) => assert!(matches!(characters.next(), Some((_, '\\' | '"' | 'n'))), "{line}"),
                Some(_) => {}
                None => panic!("{line}"),
            }
        };
        rest = &value[end + 1..];
        match rest.strip_prefix(',') {
            Some(more) => rest = more,
            None => return rest.strip_prefix('}').unwrap_or_else(|| panic!("{line}")),
        }
    }
}

/// Buckets are cumulative, and the last one holds all.
fn histograms_add_up(scraped: &Scraped) {
    for name in scraped.names.iter().filter_map(|name| name.strip_suffix("_bucket")) {
        let mut buckets: Vec<(f64, f64)> = Vec::new();
        for (series, count) in &scraped.series {
            if let Some(end) = series.strip_prefix(&format!("{name}_bucket{{le=\"")) {
                let end = end.trim_end_matches("\"}");
                buckets.push((if end == "+Inf" { f64::INFINITY } else { end.parse().unwrap() }, *count));
            }
        }
        buckets.sort_by(|left, right| left.partial_cmp(right).unwrap());
        assert!(buckets.windows(2).all(|pair| pair[0].1 <= pair[1].1), "{name}: {buckets:?}");
        assert_eq!(buckets.last().unwrap().1.to_bits(), scraped.series[&format!("{name}_count")].to_bits(), "{name}");
    }
}

#[test]
fn what_a_scraper_refuses_is_refused() {
    let good = "# HELP a b.\n# TYPE a gauge\na{x=\"\\\\\\\"\\n\",y=\"\"} 1.5\na -2\n";
    assert_eq!(parse(good, Dialect::Prometheus).series.len(), 2);
    for bad in [
        "a 1\n",
        "# TYPE a gauge\na 1\n",
        "# HELP a b\n# TYPE a gauge\na 1",
        "# HELP a b\n# TYPE a gauge\na 1\na 1\n",
        "# HELP a b\n# TYPE a gauge\nb 1\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"\\t\"} 1\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"1\",x=\"2\"} 1\n",
        "# HELP a b\n# TYPE a gauge\na{x=\"1\"}1\n",
        "# HELP a b\n# TYPE a gauge\na one\n",
        "# HELP a b\n# TYPE a counter\na -1\n",
        "# HELP a b\n# TYPE a gauge\na 1\n# HELP b b\n# TYPE b gauge\nb 1\n# HELP a b\n",
        "# HELP 1a b\n# TYPE 1a gauge\n1a 1\n",
        "# EOF\n",
    ] {
        assert!(std::panic::catch_unwind(|| parse(bad, Dialect::Prometheus)).is_err(), "{bad}");
    }
    assert!(std::panic::catch_unwind(|| parse(good, Dialect::OpenMetrics)).is_err(), "no EOF");
}
