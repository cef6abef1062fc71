//! `tagih explain CODE`: what a class or error code means and what to do, offline.

use super::output;
use super::setup::Failure;
use crate::domain::code::Code;
use crate::exit::Exit;
use crate::{doku, domain, intake, ledger};

/// Every error code of the program, by module.
fn errors() -> impl Iterator<Item = &'static Code> {
    [intake::codes::ALL, domain::codes::ALL, doku::codes::ALL, ledger::codes::ALL].into_iter().flatten()
}

pub(super) fn explain(wanted: Option<&str>, json: bool) -> Result<Exit, Failure> {
    let Some(wanted) = wanted else {
        for code in errors() {
            output::result(format_args!("{}  {}", code.id, code.title));
        }
        return Ok(Exit::Done);
    };
    let Some(code) = errors().find(|code| code.id.eq_ignore_ascii_case(wanted)) else {
        return Err(Failure::usage(format!("there is no code `{wanted}`\nhint: `tagih explain` lists them all")));
    };
    if json {
        output::result(serde_json::json!({"code": code.id, "title": code.title, "meaning": code.meaning, "remedy": code.remedy}));
    } else {
        output::result(format_args!("{}: {}\n\n{}\n\nWhat to do: {}", code.id, code.title, code.meaning, code.remedy));
    }
    Ok(Exit::Done)
}
