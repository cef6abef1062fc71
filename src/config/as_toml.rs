//! A text as TOML; what is wrong with one that is none is said without repeating it.

use toml::Table;

use super::error::ConfigError;
use crate::domain::keylike;

/// Says where a file is no TOML, without repeating the line: a key without quotes may stand in it.
pub(super) fn parse(name: &str, text: &str) -> Result<Table, ConfigError> {
    text.parse().map_err(|error: toml::de::Error| {
        let before = error.span().and_then(|span| text.get(..span.start)).unwrap_or_default();
        let (line, column) = (before.matches('\n').count() + 1, before.rsplit('\n').next().unwrap_or_default().chars().count() + 1);
        let reason = format!("line {line}, column {column}: {}", keylike::masked(error.message()));
        ConfigError::Syntax { source_name: name.into(), reason }
    })
}

/// What is said of a value of the wrong kind, without a text that stands where a number or a list belongs: that may be anything.
pub(super) fn unrepeated(message: &str) -> String {
    const WRONG: &str = "invalid type: string ";
    let message = match message.split_once(WRONG).and_then(|(before, rest)| Some((before, rest.rsplit_once(", expected ")?.1))) {
        Some((before, expected)) => format!("{before}invalid type: a text, expected {expected}"),
        None => message.to_owned(),
    };
    keylike::masked(&message)
}
