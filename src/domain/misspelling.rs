//! What somebody may have meant who wrote the name of something that is not there: how names are mistyped and copied, as edits.
//!
//! The edits of one name are a few thousand; whoever knows the names is asked which of them exist. No list of names is gone through.

use std::collections::HashSet;

/// Suggestions worth showing.
pub const SHOWN_MAX: usize = 3;
/// Characters of a name that is tried.
const LENGTH_MAX: usize = 80;
/// Characters that are taken for each other, also by eye.
const LOOKALIKES: [(char, char); 6] = [('0', 'O'), ('1', 'I'), ('1', 'l'), ('5', 'S'), ('8', 'B'), ('2', 'Z')];
/// What stands between the parts of a name.
const SEPARATORS: [char; 5] = ['-', '/', '_', '.', ' '];

/// Every name `written` may stand for, the likeliest first; none twice, and never itself.
#[must_use]
pub fn edits(written: &str) -> Vec<String> {
    let mut found = Found { seen: HashSet::from([written.to_owned()]), edits: Vec::new() };
    let bare: String = written.chars().filter(|c| !c.is_whitespace() && !"'\"`".contains(*c)).collect();
    if written.chars().count() > LENGTH_MAX {
        return Vec::new();
    }
    for text in [written.trim(), &bare] {
        found.add(text.to_owned());
        found.add(text.to_uppercase());
        found.add(text.to_lowercase());
    }
    for separator in SEPARATORS {
        found.add(bare.chars().map(|c| if SEPARATORS.contains(&c) { separator } else { c }).collect());
    }
    found.add(bare.chars().filter(|c| !SEPARATORS.contains(c)).collect());
    for (digit, letter) in LOOKALIKES {
        found.add(bare.replace(letter, &digit.to_string()));
        found.add(bare.replace(digit, &letter.to_string()));
    }
    zeros(&bare, &mut found);
    // In another letter case a single slip may stand beside it.
    for text in [bare.clone(), bare.to_uppercase()] {
        one_slip(&text, &mut found);
    }
    found.edits
}

/// The first of the edits of `written` that exist.
///
/// # Errors
/// Whatever `exists` fails with.
pub fn nearest<E>(written: &str, mut exists: impl FnMut(&str) -> Result<bool, E>) -> Result<Vec<String>, E> {
    let mut near = Vec::new();
    for edit in edits(written) {
        if exists(&edit)? {
            near.push(edit);
            if near.len() == SHOWN_MAX {
                break;
            }
        }
    }
    Ok(near)
}

/// `did you mean ...?`; `None` where nothing is near.
#[must_use]
pub fn question(near: &[String]) -> Option<String> {
    let (last, others) = near.split_last()?;
    let others: Vec<String> = others.iter().map(|name| format!("`{name}`")).collect();
    let or = if others.is_empty() { "" } else { " or " };
    Some(format!("did you mean {}{or}`{last}`?", others.join(", ")))
}

struct Found {
    seen: HashSet<String>,
    edits: Vec<String>,
}

impl Found {
    fn add(&mut self, edit: String) {
        if !edit.is_empty() && self.seen.insert(edit.clone()) {
            self.edits.push(edit);
        }
    }
}

/// Zeros in front of each run of digits: one, two or three more, one fewer, none.
fn zeros(text: &str, found: &mut Found) {
    let is_digit = |c: &char| c.is_ascii_digit();
    let chars: Vec<char> = text.chars().collect();
    for (at, _) in chars.iter().enumerate() {
        let (Some(before), Some(run)) = (chars.get(..at), chars.get(at..)) else { continue };
        if before.last().is_some_and(is_digit) || !run.first().is_some_and(is_digit) {
            continue;
        }
        let before: String = before.iter().collect();
        let run: String = run.iter().collect();
        for more in ["0", "00", "000", "0000"] {
            found.add(format!("{before}{more}{run}"));
        }
        let mut rest = run.as_str();
        while let Some(fewer) = rest.strip_prefix('0') {
            found.add(format!("{before}{fewer}"));
            rest = fewer;
        }
    }
}

/// One character too many, too few, another, or two in each other's place.
fn one_slip(text: &str, found: &mut Found) {
    let chars: Vec<char> = text.chars().collect();
    let mut alphabet: Vec<char> = ('0'..='9').chain(SEPARATORS).chain(chars.iter().copied()).chain('A'..='Z').collect();
    let mut seen = HashSet::new();
    alphabet.retain(|c| seen.insert(*c));
    // The end of a name is cut off and doubled most often.
    for at in (0..=chars.len()).rev() {
        let (before, after) = (chars.get(..at).unwrap_or_default(), chars.get(at..).unwrap_or_default());
        let with = |middle: &[char], after: &[char]| -> String { before.iter().chain(middle).chain(after).collect() };
        if let Some((&first, rest)) = after.split_first() {
            found.add(with(&[], rest));
            if let Some((&second, rest)) = rest.split_first() {
                found.add(with(&[second, first], rest));
            }
        }
        for &c in &alphabet {
            found.add(with(&[c], after));
            if let Some((_, rest)) = after.split_first() {
                found.add(with(&[c], rest));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use super::*;

    fn near(written: &str, known: &[&str]) -> Vec<String> {
        nearest(written, |edit| Ok::<_, Infallible>(known.contains(&edit))).unwrap()
    }

    #[test]
    fn names_are_found_however_they_were_mistyped_or_copied() {
        for (written, meant) in [
            ("inv-0042", "INV-0042"),
            (" INV-0042 ", "INV-0042"),
            ("'INV-0042", "INV-0042"),
            ("INV 0042", "INV-0042"),
            ("INV/0042", "INV-0042"),
            ("INV0042", "INV-0042"),
            ("INV-42", "INV-0042"),
            ("INV-00042", "INV-0042"),
            ("INV-OO42", "INV-0042"),
            ("lNV-0042", "INV-0042"),
            ("INV-004", "INV-0042"),
            ("INV-00422", "INV-0042"),
            ("INV-0024", "INV-0042"),
            ("INV-0043", "INV-0042"),
            ("NV-0042", "INV-0042"),
            ("inv-0043", "INV-0042"),
            ("E107", "E0107"),
            ("p6", "P06"),
        ] {
            assert_eq!(near(written, &[meant]), [meant], "{written}");
        }
    }

    #[test]
    fn few_are_shown_none_twice_and_nothing_for_what_is_far() {
        let known: Vec<String> = (0..100).map(|n| format!("INV-{n:04}")).collect();
        let known: Vec<&str> = known.iter().map(String::as_str).collect();
        assert_eq!(near("INV-04", &known)[0], "INV-0004");
        assert_eq!(near("INV-005", &known).len(), SHOWN_MAX);
        assert!(near("POLIS-77", &known).is_empty() && near("", &known).is_empty() && near(&"9".repeat(200), &known).is_empty());
        let edits = edits(&"INV-2026-10-0042".repeat(4));
        assert!(edits.len() < 12_000 && edits.iter().collect::<HashSet<_>>().len() == edits.len(), "{}", edits.len());
        assert_eq!(question(&["A".into(), "B".into(), "C".into()]).unwrap(), "did you mean `A`, `B` or `C`?");
        assert_eq!(question(&["A".into()]).unwrap(), "did you mean `A`?");
    }
}
