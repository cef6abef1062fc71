//! Configuration: embedded defaults < file < environment < flags, resolved once into plain values.
//!
//! `config/default.toml` is the single list of keys: a key outside it is an error, and every key has an environment name.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use toml::{Table, Value};

use crate::doku::answer::SignaturePolicy;
use crate::doku::paths::Paths;
use crate::domain::plan::AmendBase;

/// The commented defaults, also printed by `tagih init`.
pub const DEFAULT: &str = include_str!("../config/default.toml");

/// Environment variables that begin with TAGIH_ and are not keys.
const OTHER_VARIABLES: [&str; 3] = ["TAGIH_DOKU_SECRET", "TAGIH_CONFIG", "TAGIH_LOG"];

/// Every setting. Meanings, units and defaults are in `config/default.toml`.
#[derive(Clone, Debug, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
#[allow(missing_docs, reason = "config/default.toml is the reference; a second text would drift from it")]
pub struct Config {
    pub doku: Doku,
    pub ledger: Ledger,
    pub pacing: Pacing,
    pub retry: Retry,
    pub timeout: Timeout,
    pub doubt: Doubt,
    pub plan: Plan,
    pub intake: Intake,
    pub reconcile: Reconcile,
}

macro_rules! section {
    ($(#[$doc:meta])* $name:ident { $($field:ident: $type:ty),* $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Debug, Deserialize, Serialize)]
        #[serde(deny_unknown_fields)]
        #[allow(missing_docs, reason = "config/default.toml is the reference; a second text would drift from it")]
        pub struct $name { $(pub $field: $type),* }
    };
}

/// `production` or `sandbox`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Real money.
    Production,
    /// DOKU's sandbox, or ours.
    Sandbox,
}

impl Environment {
    /// The name used in the ledger.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Production => "production",
            Self::Sandbox => "sandbox",
        }
    }
}

section!(
    /// `[doku]`
    Doku {
        environment: Environment, base_url: String, client_id: String, secret_file: String, secret_file_previous: String,
        verify_response: SignaturePolicy, notification_path: String, paths: Paths,
    }
);
section!(
    /// `[ledger]`
    Ledger { path: String }
);
section!(
    /// `[pacing]`
    Pacing { rate_per_second: std::num::NonZeroU32, burst: std::num::NonZeroU32, in_flight_max: std::num::NonZeroU32 }
);
section!(
    /// `[retry]`
    Retry { attempts_max: std::num::NonZeroU32, base_ms: u64, cap_ms: u64, breaker_failures: u32, replay_window_minutes: i64 }
);
section!(
    /// `[timeout]`
    Timeout { connect_ms: u64, request_ms: u64 }
);
section!(
    /// `[doubt]`
    Doubt { not_found_minutes: i64, unchanged_minutes: i64, overdue_hours: i64 }
);
section!(
    /// `[plan]`
    Plan { reissue_suffix: String, reissue_grace_minutes: i64, amend_base: AmendBase, cancel_name: String }
);
section!(
    /// `[intake]`
    Intake {
        delimiter: String, amount_format: String, invoice_number_template: String, merchant_bin: String,
        columns: BTreeMap<String, String>, defaults: Defaults, limits: Limits,
    }
);
section!(
    /// `[intake.defaults]`
    Defaults {
        channel: String, method: String, expiry_minutes: u32, reusable: bool, info: String,
        receipt_description: String, receipt_footer: String,
    }
);
section!(
    /// `[intake.limits]`
    Limits { field_bytes_max: usize, record_bytes_max: usize, columns_max: usize, rows_max: u64 }
);
section!(
    /// `[reconcile]`
    Reconcile {
        tolerance_rupiah: u64, expiry_grace_minutes: i64, skew_minutes: i64, late_evidence_hours: i64,
        unverifiable: String, expired_break_days: i64,
    }
);

/// Why the configuration cannot be used (exit 2).
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// A file is not TOML.
    #[error("{source_name}: {reason}")]
    Syntax {
        /// Which file.
        source_name: String,
        /// Where and why.
        reason: String,
    },
    /// A key nobody reads.
    #[error("{source_name}: there is no setting `{key}`{}", .suggestion.as_ref().map_or_else(String::new, |near| format!("\nhint: did you mean `{near}`?")))]
    UnknownKey {
        /// File or environment.
        source_name: String,
        /// The key as written.
        key: String,
        /// The nearest real one.
        suggestion: Option<String>,
    },
    /// A value of the wrong kind or outside its range.
    #[error("configuration: {0}")]
    Value(String),
}

/// Defaults, then `file` (name and text), then `environment`, then `flags` (dotted key, value).
pub fn resolve(
    file: Option<(&str, &str)>,
    environment: impl IntoIterator<Item = (String, String)>,
    flags: &[(&str, String)],
) -> Result<Config, ConfigError> {
    let mut table = parse("config/default.toml", DEFAULT)?;
    let known = leaves(&table);
    if let Some((name, text)) = file {
        let layer = parse(name, text)?;
        merge(&mut table, layer, name, "")?;
    }
    for (variable, text) in environment {
        if !variable.starts_with("TAGIH_") || OTHER_VARIABLES.contains(&variable.as_str()) {
            continue;
        }
        if let Some(column) = variable.strip_prefix("TAGIH_INTAKE_COLUMNS_") {
            // The one section whose keys are not in the defaults: a mapping starts out empty.
            let layer = Table::from_iter([(column.to_lowercase(), Value::String(text))]);
            merge(columns(&mut table), layer, &variable, "intake.columns")?;
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
    let config: Config = table.try_into().map_err(|error: toml::de::Error| ConfigError::Value(error.to_string().trim().to_owned()))?;
    check(&config)?;
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

fn parse(name: &str, text: &str) -> Result<Table, ConfigError> {
    text.parse()
        .map_err(|error: toml::de::Error| ConfigError::Syntax { source_name: name.into(), reason: error.to_string().trim().to_owned() })
}

/// Lays `layer` over `base`; only `intake.columns` may hold keys of the user's own.
fn merge(base: &mut Table, layer: Table, source_name: &str, prefix: &str) -> Result<(), ConfigError> {
    for (key, value) in layer {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match (base.get_mut(&key), value) {
            (Some(Value::Table(below)), Value::Table(above)) => merge(below, above, source_name, &path)?,
            (Some(slot), value) => *slot = value,
            (None, value) if prefix == "intake.columns" => {
                base.insert(key, value);
            }
            (None, _) => {
                let names: Vec<String> =
                    base.keys().map(|near| if prefix.is_empty() { near.clone() } else { format!("{prefix}.{near}") }).collect();
                return Err(ConfigError::UnknownKey { source_name: source_name.into(), suggestion: nearest(&path, &names), key: path });
            }
        }
    }
    Ok(())
}

/// Sets one key from text, as the kind of value its default has.
fn set(table: &mut Table, key: &str, text: &str, source_name: &str) -> Result<(), ConfigError> {
    let wrong = |kind: &str| ConfigError::Value(format!("`{source_name}` must be {kind}, not `{text}`"));
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

fn check(config: &Config) -> Result<(), ConfigError> {
    let url = config.doku.base_url.as_str();
    let loopback = ["http://127.0.0.1", "http://localhost", "http://[::1]"]
        .iter()
        .any(|prefix| url.strip_prefix(prefix).is_some_and(|rest| rest.is_empty() || rest.starts_with(':')));
    let complaint = if config.doku.client_id.chars().any(char::is_control) {
        "`doku.client_id` holds a control character".to_owned()
    } else if url.ends_with('/') {
        format!("`doku.base_url` must not end with a slash: `{url}`")
    } else if !(url.starts_with("https://") || loopback && config.doku.environment == Environment::Sandbox) {
        format!("`doku.base_url` must begin with https:// (the sandbox may use http on loopback): `{url}`")
    } else if config.doku.environment == Environment::Production && url.contains("sandbox") {
        format!("`doku.environment` is production, but `doku.base_url` is a sandbox: `{url}`")
    } else if config.doku.environment == Environment::Sandbox && host(url).eq_ignore_ascii_case("api.doku.com") {
        "`doku.environment` is sandbox, but `doku.base_url` is DOKU's production host".to_owned()
    } else if config.doubt.not_found_minutes < 1 || config.doubt.unchanged_minutes < 1 {
        // Without patience, a request that is still on its way would count as never carried out.
        "`doubt.not_found_minutes` and `doubt.unchanged_minutes` must be at least 1".to_owned()
    } else {
        return Ok(());
    };
    Err(ConfigError::Value(complaint))
}

/// What stands between scheme and port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split([':', '/']).next().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with_file(text: &str) -> Result<Config, ConfigError> {
        resolve(Some(("my.toml", text)), [], &[])
    }

    #[test]
    fn every_shipped_configuration_is_read_whole() {
        assert_eq!(resolve(None, [], &[]).unwrap().pacing.rate_per_second.get(), 5);
        let production = with_file(include_str!("../config/production.toml")).unwrap();
        assert_eq!(production.doku.environment, Environment::Production);
        assert_eq!(production.intake.columns["amount"], "premi");
    }

    #[test]
    fn later_layers_win() {
        let file = Some(("my.toml", "[pacing]\nburst = 7\nrate_per_second = 7\nin_flight_max = 7"));
        let variables = [("TAGIH_PACING_BURST".to_owned(), "8".to_owned()), ("TAGIH_PACING_RATE_PER_SECOND".to_owned(), "8".to_owned())];
        let pacing = resolve(file, variables, &[("pacing.burst", "9".into())]).unwrap().pacing;
        assert_eq!((pacing.in_flight_max.get(), pacing.rate_per_second.get(), pacing.burst.get()), (7, 8, 9));
    }

    #[test]
    fn a_column_can_be_mapped_from_the_environment() {
        let variable = ("TAGIH_INTAKE_COLUMNS_CUSTOMER_NAME".to_owned(), "nama".to_owned());
        assert_eq!(resolve(None, [variable], &[]).unwrap().intake.columns["customer_name"], "nama");
    }

    #[test]
    fn an_unknown_key_is_an_error_with_a_suggestion() {
        let error = with_file("[pacing]\nrate_per_secnod = 3").unwrap_err().to_string();
        assert_eq!(error, "my.toml: there is no setting `pacing.rate_per_secnod`\nhint: did you mean `pacing.rate_per_second`?");
        let error = resolve(None, [("TAGIH_PACING_BRUST".to_owned(), "3".to_owned())], &[]).unwrap_err().to_string();
        assert_eq!(error, "environment: there is no setting `TAGIH_PACING_BRUST`\nhint: did you mean `TAGIH_PACING_BURST`?");
    }

    #[test]
    fn production_demands_https_and_environments_do_not_mix() {
        for wrong in [
            "[doku]\nenvironment = \"production\"\nbase_url = \"http://127.0.0.1:1\"",
            "[doku]\nenvironment = \"production\"",
            "[doku]\nbase_url = \"http://10.0.0.1\"",
            "[doku]\nbase_url = \"http://127.0.0.1.evil.example\"",
            "[doku]\nbase_url = \"https://api.doku.com\"",
            "[doku]\nbase_url = \"https://API.doku.com:443\"",
            "[doubt]\nnot_found_minutes = 0",
            "[doku]\nbase_url = \"https://api-sandbox.doku.com/\"",
            "[pacing]\nburst = 0",
            "[pacing]\nburst = \"many\"",
        ] {
            assert!(matches!(with_file(wrong), Err(ConfigError::Value(_))), "{wrong}");
        }
        assert!(with_file("[doku]\nbase_url = \"http://127.0.0.1:8080\"").is_ok());
    }
}
