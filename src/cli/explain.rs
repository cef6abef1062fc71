//! `tagih explain CODE`: what a class or error code means and what to do, offline.

use super::output;
use super::setup::Failure;
use crate::domain::classify::Class;
use crate::domain::code::Code;
use crate::exit::Exit;
use crate::{doku, domain, evidence, intake, journal, ledger, reconcile};

/// Every error code of the program, by module, then every class.
fn codes() -> impl Iterator<Item = &'static Code> {
    let errors = [
        intake::codes::ALL,
        domain::codes::ALL,
        doku::codes::ALL,
        ledger::codes::ALL,
        evidence::codes::ALL,
        reconcile::codes::ALL,
        journal::codes::ALL,
    ];
    errors.into_iter().flatten().chain(Class::all().map(|class| &class.info().code))
}

/// What a class is called; empty for an unknown one.
pub(super) fn title(class: &str) -> &'static str {
    Class::parse(class).map_or("", |class| class.info().code.title)
}

pub(super) fn explain(wanted: Option<&str>, json: bool) -> Result<Exit, Failure> {
    let Some(wanted) = wanted else {
        for code in codes() {
            output::result(format_args!("{:<5}  {}", code.id, code.title));
        }
        return Ok(Exit::Done);
    };
    let Some(code) = codes().find(|code| code.id.eq_ignore_ascii_case(wanted)) else {
        return Err(Failure::usage(format!("there is no code `{wanted}`\nhint: `tagih explain` lists them all")));
    };
    if json {
        output::result(serde_json::json!({"code": code.id, "title": code.title, "meaning": code.meaning, "remedy": code.remedy}));
        return Ok(Exit::Done);
    }
    output::result(format_args!("{}: {}\n\n{}", code.id, code.title, code.meaning));
    if let Some(class) = Class::parse(code.id) {
        let info = class.info();
        let evaluated = if info.evaluated { "" } else { "; not evaluated by this version" };
        output::result(format_args!("\nnature {}, severity {}{evaluated}", info.nature.name(), info.severity.name()));
    }
    output::result(format_args!("\nWhat to do: {}", code.remedy));
    Ok(Exit::Done)
}
