//! Both languages say everything, and each in its own words.

use super::*;

/// What is the same word in both languages.
const SAME: [&str; 8] = ["status", "flags_raised", "digest", "unit_rupiah", "amount", "amount_of", "decimal_sign", "version"];

#[test]
fn no_phrase_is_empty_or_left_in_english() {
    let (english, indonesian) = (Words::of(Language::English), Words::of(Language::Indonesian));
    assert!(english.all().len() > 100);
    for ((name, first), (_, second)) in english.all().into_iter().zip(indonesian.all()) {
        assert!(!first.is_empty() && !second.is_empty(), "{name}");
        assert!(first != second || SAME.contains(&name), "{name} is not translated");
        for place in ["{0}", "{1}", "{2}"] {
            assert_eq!(first.contains(place), second.contains(place), "{name}: a value would be lost");
        }
    }
    assert_eq!(
        english.months.iter().zip(indonesian.months).filter(|(a, b)| **a != *b).count(),
        9,
        "April, September and November are the same"
    );
}

/// What is one word in both languages.
const SAME_TERMS: [&str; 0] = [];

#[test]
fn every_term_of_the_books_is_said_in_both_languages() {
    for (name, english, indonesian) in glossary::TERMS {
        assert!(!english.is_empty() && !indonesian.is_empty(), "{name}");
        assert!(english != indonesian || SAME_TERMS.contains(name), "{name} is not translated");
        assert_eq!(english.contains("{0}"), indonesian.contains("{0}"), "{name}: a value would be lost");
    }
    // A term of accounts and movements means one thing.
    for language in [Language::English, Language::Indonesian] {
        let words = Words::of(language);
        let accounts: std::collections::BTreeSet<&str> = Account::ALL.into_iter().map(|account| words.account_name(account)).collect();
        assert_eq!(accounts.len(), Account::ALL.len());
        let movements: std::collections::BTreeSet<&str> = Movement::ALL.into_iter().map(|movement| words.moved(movement)).collect();
        assert_eq!(movements.len(), Movement::ALL.len());
    }
}

#[test]
fn every_class_has_its_own_words_in_indonesian() {
    for class in Class::all() {
        let (english, indonesian) = (Words::of(Language::English).class(class), Words::of(Language::Indonesian).class(class));
        for (first, second) in
            [(english.title, indonesian.title), (english.meaning, indonesian.meaning), (english.remedy, indonesian.remedy)]
        {
            assert!(!second.is_empty() && first != second, "{class} is not translated");
        }
    }
}
