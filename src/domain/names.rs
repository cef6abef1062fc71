//! Names of persons that nobody can take for another's: what is not seen, turns letters about or mixes alphabets makes two names look
//! like one.

/// Whether `c` takes no place of its own: joiners, marks of direction, soft hyphens, tags.
#[must_use]
pub const fn is_invisible(c: char) -> bool {
    matches!(
        c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}' | '\u{1160}' | '\u{17b4}' | '\u{17b5}' | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}'
            | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{2800}' | '\u{3164}' | '\u{fe00}'..='\u{fe0f}' | '\u{feff}' | '\u{ffa0}'
            | '\u{fff0}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}'
    )
}

/// The alphabets whose letters pass for one another's, and all others together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Alphabet {
    Latin,
    Greek,
    Cyrillic,
    Armenian,
    Other,
}

/// The alphabet of a letter; none of what is no letter.
fn alphabet(c: char) -> Option<Alphabet> {
    c.is_alphabetic().then_some(match c {
        '\0'..='\u{2af}' | '\u{1e00}'..='\u{1eff}' => Alphabet::Latin,
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Alphabet::Greek,
        '\u{400}'..='\u{52f}' | '\u{1c80}'..='\u{1c8f}' | '\u{2de0}'..='\u{2dff}' | '\u{a640}'..='\u{a69f}' => Alphabet::Cyrillic,
        '\u{530}'..='\u{58f}' => Alphabet::Armenian,
        _ => Alphabet::Other,
    })
}

/// Whether `name` can be printed and told from every other.
#[must_use]
pub fn is_plain(name: &str) -> bool {
    let mut alphabets = name.chars().filter_map(alphabet);
    let first = alphabets.next();
    alphabets.all(|alphabet| Some(alphabet) == first) && !name.chars().any(|c| c.is_control() || is_invisible(c))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_of_one_alphabet_and_all_of_it_is_seen() {
        for name in
            ["Siti Rahayu", "Jos\u{e9} O'Brien-2", "\u{421}\u{438}\u{442}\u{438}", "\u{738b}\u{5c0f}\u{660e}", "finance@example.com"]
        {
            assert!(is_plain(name), "{name}");
        }
        for name in [
            "S\u{456}ti",
            "Si\u{200b}ti",
            "\u{202e}itiS",
            "Si\u{ad}ti",
            "Siti\u{feff}",
            "\u{41e}mar",
            "\u{391}ni",
            "Si\u{fe0f}ti",
            "Si\u{7}ti",
            "\u{ff33}iti",
        ] {
            assert!(!is_plain(name), "{name:?}");
        }
    }
}
