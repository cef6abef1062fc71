//! Takes personal data out of texts that leave the house: names, addresses and payment codes that the ledger has, and whatever looks like an
//! e-mail address, a telephone number or a key of DOKU's.
//!
//! The texts are small and the ledger is not: so what stands in the texts is gathered first, word by word, and each name of the ledger is
//! looked up in that.

use std::collections::HashSet;

use crate::domain::keylike;

/// Words of a name that are looked at; what follows belongs to the same person.
const WORDS_MAX: usize = 6;
/// A shorter name of one word stands in too many others.
const LETTERS_MIN: usize = 3;
/// What may stand between the words of a name or an address.
const BETWEEN: [char; 9] = [' ', '\t', '.', '-', '_', '@', '\'', '+', ','];
/// Digits of a telephone number.
const DIGITS: std::ops::RangeInclusive<usize> = 9..=14;

/// What stands in place of what was taken out.
pub(super) const REDACTED: &str = "[redacted]";

/// Looks for what the ledger has in some texts.
#[derive(Debug, Default)]
pub(super) struct Redactor {
    /// Every run of up to [`WORDS_MAX`] words of the texts.
    runs: HashSet<String>,
    /// Those that are somebody's.
    personal: HashSet<String>,
}

/// A word and where it is.
struct Word {
    text: String,
    start: usize,
    end: usize,
}

fn words(text: &str) -> Vec<Word> {
    let mut found: Vec<Word> = Vec::new();
    let mut is_open = false;
    for (at, c) in text.char_indices() {
        let end = at.saturating_add(c.len_utf8());
        match found.last_mut().filter(|_| is_open && c.is_alphanumeric()) {
            Some(word) => {
                word.text.extend(c.to_lowercase());
                word.end = end;
            }
            None if c.is_alphanumeric() => found.push(Word { text: c.to_lowercase().collect(), start: at, end }),
            None => {}
        }
        is_open = c.is_alphanumeric();
    }
    found
}

/// Every run of words with nothing but [`BETWEEN`] between them, with where it begins and ends.
fn runs(text: &str, mut visit: impl FnMut(&str, usize, usize)) {
    let words = words(text);
    for (index, first) in words.iter().enumerate() {
        let mut run = first.text.clone();
        let mut end = first.end;
        visit(&run, first.start, end);
        for next in words.iter().skip(index.saturating_add(1)).take(WORDS_MAX.saturating_sub(1)) {
            if !text.get(end..next.start).is_some_and(|between| between.chars().all(|c| BETWEEN.contains(&c))) {
                break;
            }
            run.push(' ');
            run.push_str(&next.text);
            end = next.end;
            visit(&run, first.start, end);
        }
    }
}

impl Redactor {
    /// Will look for what stands in `texts`.
    pub(super) fn of<'t>(texts: impl IntoIterator<Item = &'t str>) -> Self {
        let mut found = Self::default();
        for text in texts {
            runs(text, |run, _, _| {
                found.runs.insert(run.to_owned());
            });
        }
        found
    }

    /// That this is a name, an address or a code of somebody.
    pub(super) fn personal(&mut self, value: &str) {
        let words: Vec<String> = words(value).into_iter().take(WORDS_MAX).map(|word| word.text).collect();
        let run = words.join(" ");
        if run.chars().count() >= LETTERS_MIN && self.runs.contains(&run) {
            self.personal.insert(run);
        }
    }

    /// `text` without it, and how often something was taken out.
    pub(super) fn redacted(&self, text: &str) -> (String, usize) {
        let mut spans = Vec::new();
        runs(text, |run, start, end| {
            if self.personal.contains(run) {
                spans.push((start, end));
            }
        });
        spans.extend(addresses(text));
        spans.extend(telephones(text));
        spans.extend(keylike::dokus(text));
        spans.sort_unstable();
        let (mut out, mut from, mut count) = (String::with_capacity(text.len()), 0, 0_usize);
        for (start, end) in spans {
            if start >= from {
                out.push_str(text.get(from..start).unwrap_or_default());
                out.push_str(REDACTED);
                count = count.saturating_add(1);
            }
            from = from.max(end);
        }
        out.push_str(text.get(from..).unwrap_or_default());
        (out, count)
    }
}

/// Where something looks like an e-mail address.
fn addresses(text: &str) -> Vec<(usize, usize)> {
    let is_local = |c: &char| c.is_ascii_alphanumeric() || "._%+-".contains(*c);
    let is_host = |c: &char| c.is_ascii_alphanumeric() || ".-".contains(*c);
    let one = |(at, _): (usize, &str)| {
        let (before, after) = (text.get(..at)?, text.get(at.saturating_add(1)..)?);
        let local: usize = before.chars().rev().take_while(is_local).map(char::len_utf8).sum();
        let host: usize = after.chars().take_while(is_host).map(char::len_utf8).sum();
        let host_name = after.get(..host)?.trim_end_matches(['.', '-']);
        let is_one = local > 0 && host_name.rsplit_once('.').is_some_and(|(name, top)| !name.is_empty() && top.len() > 1);
        is_one.then(|| (at.saturating_sub(local), at.saturating_add(1).saturating_add(host_name.len())))
    };
    text.match_indices('@').filter_map(one).collect()
}

/// Where something looks like an Indonesian mobile number: +62 8…, 62 8…, 08…, its digits perhaps in groups.
fn telephones(text: &str) -> Vec<(usize, usize)> {
    // Groups of digits, and whether each goes on from the one before it.
    let mut groups: Vec<(usize, usize, bool)> = Vec::new();
    let mut last_end = None;
    for Word { text: word, start, end } in words(text) {
        let goes_on = last_end.is_some_and(|last| text.get(last..start).is_some_and(|between| [" ", "-", ".", ") "].contains(&between)));
        let is_digits = word.bytes().all(|byte| byte.is_ascii_digit());
        if is_digits {
            groups.push((start, end, goes_on));
        }
        last_end = is_digits.then_some(end);
    }
    let mut found = Vec::new();
    for (index, (start, _, _)) in groups.iter().enumerate() {
        let mut digits = String::new();
        for (at, (from, to, goes_on)) in groups.iter().enumerate().skip(index) {
            if at > index && !goes_on {
                break;
            }
            digits.push_str(text.get(*from..*to).unwrap_or_default());
            let is_mobile = ["08", "628"].iter().any(|prefix| digits.starts_with(prefix));
            if !is_mobile && digits.len() >= 3 || digits.len() > *DIGITS.end() {
                break;
            }
            if is_mobile && DIGITS.contains(&digits.len()) {
                found.push((*start, *to));
            }
        }
    }
    // The longest of those that begin at the same place.
    found.sort_unstable_by_key(|(start, end)| (*start, std::cmp::Reverse(*end)));
    found.dedup_by_key(|(start, _)| *start);
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn taken(text: &str, personal: &[&str]) -> String {
        let mut redactor = Redactor::of([text]);
        for value in personal {
            redactor.personal(value);
        }
        redactor.redacted(text).0
    }

    #[test]
    fn names_addresses_and_codes_of_the_ledger_are_taken_out_however_they_are_written() {
        let personal = ["Budi Utomo", "siti@example.com", "6059000000000001", "Al"];
        for (text, left) in [
            ("paid by BUDI  utomo, twice", "paid by [redacted], twice"),
            ("{\"name\":\"Budi Utomo\",\"code\":\"6059000000000001\"}", "{\"name\":\"[redacted]\",\"code\":\"[redacted]\"}"),
            ("budi-utomo's", "[redacted]'s"),
            ("Budi. \"Utomo\"", "Budi. \"Utomo\""),
            ("to <siti@example.com>", "to <[redacted]>"),
            ("Al, alfa", "Al, alfa"),
            ("Budiutomo", "Budiutomo"),
        ] {
            assert_eq!(taken(text, &personal), left, "{text}");
        }
    }

    #[test]
    fn what_looks_like_an_address_or_a_telephone_number_is_taken_out_and_what_does_not_stays() {
        for (text, left) in [
            ("mail x.y+z@mail.example.co.id.", "mail [redacted]."),
            ("user@host", "user@host"),
            ("call 081234567890 or +62 812-3456-7890", "call [redacted] or +[redacted]"),
            ("2026-11-29 0812 3456 7890", "2026-11-29 [redacted]"),
            ("at 2026-11-29T08:12:34Z of 08:1234", "at 2026-11-29T08:12:34Z of 08:1234"),
            ("head 15:0812345678901abc, 1.500.000, 20261129", "head 15:0812345678901abc, 1.500.000, 20261129"),
        ] {
            assert_eq!(taken(text, &[]), left, "{text}");
        }
    }

    #[test]
    fn what_was_redacted_holds_nothing_more() {
        let text = "Budi Utomo <budi@example.com> 081234567890";
        let mut redactor = Redactor::of([text]);
        redactor.personal("Budi Utomo");
        let (once, count) = redactor.redacted(text);
        assert_eq!((count, redactor.redacted(&once).1), (3, 0), "{once}");
    }
}
