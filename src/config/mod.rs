//! Configuration: embedded defaults < file < environment < flags, resolved once into plain values.
//!
//! `config/default.toml` is the single list of keys: a key outside it is an error, and every key has an environment name.

mod addresses;
mod as_toml;
mod check;
mod error;
mod former;
mod origin;
mod places;
mod sections;

use std::collections::BTreeMap;

use toml::{Table, Value};

use as_toml::{parse, unrepeated};
pub use error::ConfigError;
pub use origin::{Setting, origins};
pub use places::{ConfiguredPlace, places};
use sections::OPEN_SECTIONS;
pub use sections::*;

use crate::domain::keylike;

/// The commented defaults, also printed by `tagih init`.
pub const DEFAULT: &str = include_str!("../../config/default.toml");

/// Environment variables that hold secrets.
pub const SECRET_VARIABLES: [&str; 3] = ["TAGIH_DOKU_SECRET", "TAGIH_LEDGER_PASSWORD", "TAGIH_LEDGER_SEAL_KEY"];
/// Others that begin with TAGIH_ and are not keys.
const OTHER_VARIABLES: [&str; 2] = ["TAGIH_CONFIG", "TAGIH_LOG"];

/// Whether a variable of the environment is to be a setting.
fn is_setting(variable: &str) -> bool {
    variable.starts_with("TAGIH_") && !SECRET_VARIABLES.contains(&variable) && !OTHER_VARIABLES.contains(&variable)
}

/// Defaults, then `file` (path and text), then `environment`, then `flags` (dotted key, value). Relative paths in the file are
/// relative to it, all others to the working folder.
pub fn resolve(
    file: Option<(&str, &str)>,
    environment: impl IntoIterator<Item = (String, String)>,
    flags: &[(&str, String)],
) -> Result<Config, ConfigError> {
    let mut table = parse("config/default.toml", DEFAULT)?;
    let known = leaves(&table);
    let mut unused = BTreeMap::new();
    if let Some((name, text)) = file {
        let mut layer = parse(name, text)?;
        places::put(&mut layer, name);
        unused.extend(former::rename(&mut layer, name)?);
        merge(&mut table, layer, name, "")?;
    }
    for (variable, text) in environment {
        if !is_setting(&variable) {
            continue;
        }
        if let Some(column) = variable.strip_prefix("TAGIH_INTAKE_COLUMNS_") {
            // The one section whose keys are not in the defaults: a mapping starts out empty.
            let layer = Table::from_iter([(column.to_lowercase(), Value::String(text))]);
            merge(columns(&mut table), layer, &variable, "intake.columns")?;
            continue;
        }
        if let Some(account) = variable.strip_prefix("TAGIH_ACCOUNTS_") {
            let mut layer = Table::from_iter([(account.to_lowercase(), Value::String(text.clone()))]);
            layer = Table::from_iter([("accounts".to_owned(), Value::Table(layer))]);
            unused.extend(former::rename(&mut layer, &variable)?);
            merge(&mut table, layer, &variable, "")?;
            continue;
        }
        let Some(key) = known.iter().find(|key| variable_name(key) == variable) else {
            let names: Vec<String> = known.iter().map(|key| variable_name(key)).collect();
            return Err(ConfigError::UnknownKey {
                source_name: "environment".into(),
                suggestion: nearest(&variable, &names),
                key: variable,
            });
        };
        set(&mut table, key, &text, &variable)?;
    }
    for (key, text) in flags {
        set(&mut table, key, text, key)?;
    }
    check::numbers(&table)?;
    let mut config: Config = table.try_into().map_err(|error: toml::de::Error| ConfigError::Value(unrepeated(error.to_string().trim())))?;
    config.unused = unused;
    check::check(&config)?;
    Ok(config)
}

/// The `[intake.columns]` of `table`.
fn columns(table: &mut Table) -> &mut Table {
    let intake = table.entry("intake").or_insert_with(|| Value::Table(Table::new()));
    let columns = intake.as_table_mut().map(|intake| intake.entry("columns").or_insert_with(|| Value::Table(Table::new())));
    match columns {
        Some(Value::Table(columns)) => columns,
        _ => unreachable!("config/default.toml has the table `intake.columns`"),
    }
}

/// `doku.base_url` → `TAGIH_DOKU_BASE_URL`.
fn variable_name(key: &str) -> String {
    format!("TAGIH_{}", key.replace('.', "_").to_uppercase())
}

/// Every key and text that stands in a configuration file with this text; all of it, where it is no TOML.
#[must_use]
pub fn texts(text: &str) -> Vec<String> {
    fn gather(value: Value, found: &mut Vec<String>) {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(values) => values.into_iter().for_each(|value| gather(value, found)),
            Value::Table(table) => {
                for (key, value) in table {
                    found.push(key);
                    gather(value, found);
                }
            }
            Value::Integer(_) | Value::Float(_) | Value::Boolean(_) | Value::Datetime(_) => {}
        }
    }
    let mut found = Vec::new();
    match text.parse::<Table>() {
        Ok(table) => gather(Value::Table(table), &mut found),
        Err(_) => found.push(text.to_owned()),
    }
    found
}

/// Characters from which on a value of the wrong kind is not repeated.
const SLIP_END: usize = 8;

/// Lays `layer` over `base`; only [`OPEN_SECTIONS`] may hold keys of the user's own.
fn merge(base: &mut Table, layer: Table, source_name: &str, prefix: &str) -> Result<(), ConfigError> {
    for (key, value) in layer {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above, source_name, &path)?,
            (Some(slot), value) => *slot = value,
            (None, value) if OPEN_SECTIONS.contains(&prefix) => {
                base.insert(key, value);
            }
            (None, _) => {
                let names: Vec<String> =
                    base.keys().map(|near| if prefix.is_empty() { near.clone() } else { format!("{prefix}.{near}") }).collect();
                let (suggestion, key) = (nearest(&path, &names), keylike::masked(&path));
                return Err(ConfigError::UnknownKey { source_name: source_name.into(), suggestion, key });
            }
        }
    }
    Ok(())
}

/// Sets one key from text, as the kind of value its default has.
fn set(table: &mut Table, key: &str, text: &str, source_name: &str) -> Result<(), ConfigError> {
    // A slip is short; anything longer may be what is nobody's to read.
    let slip = Some(text).filter(|text| text.chars().count() < SLIP_END).map_or_else(String::new, |text| format!(", not `{text}`"));
    let wrong = |kind: &str| ConfigError::Value(format!("`{source_name}` must be {kind}{slip}"));
    let slot = match key.split_once('.') {
        Some((section, rest)) => match table.get_mut(section) {
            Some(Value::Table(below)) => return set(below, rest, text, source_name),
            _ => return Err(wrong("a known setting")),
        },
        None => table.get_mut(key).ok_or_else(|| wrong("a known setting"))?,
    };
    *slot = match slot {
        Value::Integer(_) => Value::Integer(text.parse().map_err(|_| wrong("a whole number"))?),
        Value::Boolean(_) => Value::Boolean(text.parse().map_err(|_| wrong("true or false"))?),
        _ => Value::String(text.to_owned()),
    };
    Ok(())
}

/// Every dotted key that holds a value.
fn leaves(table: &Table) -> Vec<String> {
    let mut found = Vec::new();
    for (key, value) in table {
        match value {
            Value::Table(below) => found.extend(leaves(below).into_iter().map(|rest| format!("{key}.{rest}"))),
            _ => found.push(key.clone()),
        }
    }
    found
}

fn nearest(key: &str, names: &[String]) -> Option<String> {
    let distance = |name: &&String| strsim::damerau_levenshtein(key, name);
    names.iter().min_by_key(distance).filter(|name| distance(name) <= 4).cloned()
}

#[cfg(test)]
mod tests;
