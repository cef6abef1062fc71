//! `tagih explain CODE`: what a class, error or exit code means and what to do, offline.

use super::failure::Failure;
use super::output;
use crate::domain::classify::Class;
use crate::domain::code::StableCode;
use crate::domain::language::Language;
use crate::domain::misspelling;
use crate::domain::texts;
use crate::exit::Exit;
use crate::{doku, domain, evidence, exit, intake, jobs, ledger, reconcile, register, serve, table};

/// Every error code of the program, by module, then every class.
fn codes() -> impl Iterator<Item = &'static StableCode> {
    let errors = [
        intake::codes::ALL,
        table::codes::ALL,
        domain::codes::ALL,
        doku::codes::ALL,
        ledger::codes::ALL,
        serve::codes::ALL,
        evidence::codes::ALL,
        reconcile::codes::ALL,
        register::codes::ALL,
        jobs::doctor::codes::ALL,
        exit::codes::ALL,
    ];
    errors.into_iter().flatten().chain(Class::all().map(|class| &class.info().code))
}

/// What a class is called; empty for an unknown one.
pub(super) fn title(class: &str) -> &'static str {
    Class::parse(class).map_or("", |class| class.info().code.title)
}

pub(super) fn explain(wanted: Option<&str>, language: Language, json: bool) -> Result<Exit, Failure> {
    let Some(wanted) = wanted else {
        if json {
            let all: Vec<_> =
                codes().map(|code| serde_json::json!({"code": code.id, "title": texts::text(code, language).title})).collect();
            output::result(serde_json::Value::from(all));
            return Ok(Exit::Done);
        }
        for code in codes() {
            output::result(format_args!("{:<5}  {}", code.id, texts::text(code, language).title));
        }
        return Ok(Exit::Done);
    };
    let Some(code) = codes().find(|code| code.id.eq_ignore_ascii_case(wanted)) else {
        return Err(Failure::usage(format!("there is no code `{wanted}`\nhint: {}`tagih explain` lists them all", meant(wanted))));
    };
    let text = texts::text(code, language);
    if json {
        output::result(serde_json::json!({"code": code.id, "title": text.title, "meaning": text.meaning, "remedy": text.remedy}));
        return Ok(Exit::Done);
    }
    output::result(format_args!("{}: {}\n\n{}", code.id, text.title, text.meaning));
    if let Some(class) = Class::parse(code.id) {
        output::result(format_args!("\n{}", rank(class, language)));
    }
    let label = match language {
        Language::English => "What to do",
        Language::Indonesian => "Tindak lanjut",
    };
    output::result(format_args!("\n{label}: {}", text.remedy));
    Ok(Exit::Done)
}

/// What code may have been meant, as a question and a space; empty for none.
pub(super) fn meant(wanted: &str) -> String {
    let exists = |id: &str| Ok::<_, std::convert::Infallible>(codes().any(|code| code.id == id));
    let near = misspelling::nearest(wanted, exists).unwrap_or_default();
    misspelling::question(&near).map_or_else(String::new, |question| format!("{question} "))
}

/// How a class counts, where its money stands, and who acts. The words are those of files, which programs read, so they are not translated.
fn rank(class: Class, language: Language) -> String {
    let info = class.info();
    let (nature, severity, account, owner) = (info.nature.name(), info.severity.name(), info.stands.name(), info.owner.name());
    let [first, second, books, acts] = match language {
        Language::English => ["nature", "severity", "in the books", "owner"],
        Language::Indonesian => ["sifat", "tingkat", "dalam pembukuan", "penanggung jawab"],
    };
    let acts = if owner.is_empty() { String::new() } else { format!("; {acts}: {owner}") };
    format!("{first} {nature}, {second} {severity}; {books}: {account}{acts}")
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    /// The words in backticks: names that are the same in every language.
    fn names(text: &str) -> BTreeSet<&str> {
        text.split('`').skip(1).step_by(2).collect()
    }

    #[test]
    fn every_code_is_explained_in_indonesian_with_the_same_names_and_nothing_else_is() {
        let known: BTreeSet<&str> = codes().map(|code| code.id).collect();
        let translated: BTreeSet<&str> = texts::translated_ids().collect();
        let missing: Vec<_> = known.difference(&translated).collect();
        let unknown: Vec<_> = translated.difference(&known).collect();
        assert!(missing.is_empty() && unknown.is_empty(), "missing {missing:?}, unknown {unknown:?}");
        for code in codes() {
            let text = texts::text(code, Language::Indonesian);
            for (english, translation) in [(code.title, text.title), (code.meaning, text.meaning), (code.remedy, text.remedy)] {
                assert!(!translation.is_empty() && translation != english, "{}: `{english}` is not translated", code.id);
                assert_eq!(names(english), names(translation), "{}: `{english}`", code.id);
            }
        }
    }
}
