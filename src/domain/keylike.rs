//! Words that may be a key which somebody has put in the wrong place: DOKU's by how it begins, any other by how it looks.
//!
//! Belongs here: what such a word is. Must not be here: which keys there are (`secret`), and who is not told of them.

/// How DOKU's secret keys begin.
const DOKU: &str = "SK-";
/// No shorter one is taken for a key of DOKU's.
const DOKU_LENGTH_MIN: usize = 16;
/// Letters and digits of a hexadecimal number that is no count of anything.
const HEX_MIN: usize = 32;
/// Letters and digits of what somebody has drawn at random, out of capitals, small letters and digits; and out of two of them.
const THREE_KINDS_MIN: usize = 16;
const TWO_KINDS_MIN: usize = 20;
/// The same of a part of a word whose other part was drawn at random.
const PART_MIN: usize = 6;
/// Of so many letters and digits that follow one another, one is of another kind than the one before it.
const CHANGES_EVERY: usize = 4;

/// What stands in their place.
const MASK: &str = "***";

/// Every word of `text` that may be a key; one with slashes in it as a whole and in its parts.
#[must_use]
pub fn keys(text: &str) -> Vec<&str> {
    let is_between = |c: char| !c.is_ascii_alphanumeric() && !"_-+/".contains(c);
    let mut found = Vec::new();
    for word in text.split(is_between) {
        let before = found.len();
        found.extend(word.split('/').filter(|part| has_dokus(part) || is_drawn(part)));
        // A path begins with a slash, or its parts are words.
        if found.len() > before && word.contains('/') && !word.starts_with('/') {
            found.extend(word.split('/').filter(|part| is_mixed(part, PART_MIN)));
            found.push(word);
        }
    }
    found
}

/// Whether a key of DOKU's stands in `text`.
#[must_use]
pub fn has_dokus(text: &str) -> bool {
    !dokus(text).is_empty()
}

/// Where words of `text` are keys of DOKU's.
#[must_use]
pub fn dokus(text: &str) -> Vec<(usize, usize)> {
    let is_part = |c: &char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    let one = |(start, _): (usize, &str)| {
        let is_begun = text.get(..start)?.ends_with(|c: char| c.is_ascii_alphanumeric());
        let length: usize = text.get(start..)?.chars().take_while(is_part).map(char::len_utf8).sum();
        (!is_begun && length >= DOKU_LENGTH_MIN).then(|| (start, start.saturating_add(length)))
    };
    text.match_indices(DOKU).filter_map(one).collect()
}

/// `text` without what may be a key.
#[must_use]
pub fn masked(text: &str) -> String {
    let mut found = keys(text);
    found.sort_by_key(|key| std::cmp::Reverse(key.len()));
    found.into_iter().fold(text.to_owned(), |text, key| text.replace(key, MASK))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Small,
    Capital,
    Digit,
}

const fn kind(byte: u8) -> Option<Kind> {
    match byte {
        b'a'..=b'z' => Some(Kind::Small),
        b'A'..=b'Z' => Some(Kind::Capital),
        b'0'..=b'9' => Some(Kind::Digit),
        _ => None,
    }
}

/// Whether it seems to be drawn at random.
fn is_drawn(word: &str) -> bool {
    let kinds: Vec<Kind> = word.bytes().filter_map(kind).collect();
    let has = |kind| kinds.contains(&kind);
    let (count, has_letters) = (kinds.len(), has(Kind::Small) || has(Kind::Capital));
    let is_hex = word.bytes().all(|byte| byte.is_ascii_hexdigit() || matches!(byte, b'-' | b'_'));
    if is_hex && count >= HEX_MIN {
        return has_letters && has(Kind::Digit);
    }
    let least = if has(Kind::Small) && has(Kind::Capital) && has(Kind::Digit) { THREE_KINDS_MIN } else { TWO_KINDS_MIN };
    is_mixed(word, least)
}

/// Whether its kinds change as often as those of what is drawn at random do. A capital at the beginning of a word is no change, and no part
/// of a name in parts is one after another.
fn is_mixed(word: &str, least: usize) -> bool {
    let count = word.bytes().filter_map(kind).count();
    let is_change = |pair: &[u8]| {
        let (before, after) = (pair.first().copied().and_then(kind), pair.last().copied().and_then(kind));
        before.is_some() && after.is_some() && before != after && (before, after) != (Some(Kind::Capital), Some(Kind::Small))
    };
    let changes = word.as_bytes().windows(2).filter(|pair| is_change(pair)).count();
    count >= least && changes.saturating_mul(CHANGES_EVERY) >= count
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_told_from_words_paths_ids_and_templates() {
        for key in [
            "SK-TOPSECRET-abcdef",
            "SK-Ab3dEfGh1jKlMn0pQrSt",
            "SK-tour-not-a-secret",
            "8fdff8f41d3d4436e1a8ac128c2d9edb5b4ad53ea72200e8d58895dfa3ba56b6",
            "8FDFF8F41D3D4436E1A8AC128C2D9EDB",
            "99ee88d2-6046-4ea7-92c2-acac464b1412",
            "Ab3dEfGh1jKlMn0pQrStUv",
            "q83vEjRWeJq83vEjRWeJq7zN/u8BI0VniavN",
            "l5w2k9q7x3v8z1r4t6y0b2n5",
            "wHqTzVbNkLpRsXcYdGfJmW",
        ] {
            assert!(keys(key).contains(&key), "{key}");
            for text in [format!("a = \"{key}\""), format!("--token={key}"), format!("/etc/{key}"), format!("https://h.example/{key}/x")] {
                assert!(!masked(&text).contains(key) && masked(&text).contains(MASK), "{text}: {}", masked(&text));
            }
        }
        for text in [
            "BRN-0201-1654321234567",
            "MCH-0008-1296507211683",
            "/alfa-online-to-offline/v2/merchant-payment-code",
            "indomaret-online-to-offline",
            "postgres://tagih@db1.production.example.co.id/tagih_production",
            "/srv/Tagih2026/ledger/NotaTagihBulanJktPusat.csv",
            "accounting_2026_q3_v2_final_b4",
            "Backup/Tagih2026/ledger",
            "{bin}{policy_type:2}{customer_number}",
            "SBA-0001-1:10:PERCENTAGE",
            "RISK-2026-assessment",
            "SK-Direksi",
            "6059021370094319",
            "2026-12-05T10:00:00Z",
            "no such file or directory (os error 2)",
        ] {
            assert_eq!(masked(text), text);
        }
    }

    #[test]
    fn the_settings_as_they_are_shipped_have_nothing_that_looks_like_a_key() {
        for text in [include_str!("../../config/default.toml"), include_str!("../../config/production.toml")] {
            assert!(keys(text).is_empty(), "{:?}", keys(text));
        }
    }
}
