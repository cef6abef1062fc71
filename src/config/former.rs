//! Keys that settings had before: read under the name they have now, or accepted although nothing reads them any more.

use std::collections::BTreeMap;

use toml::Table;

use super::error::ConfigError;
use crate::books::Account;

/// A purpose that has become no account: what a customer paid too little stays owed until somebody gives it up.
const SHORTFALL: &str = "shortfall";

/// Gives accounts of `layer` their present names, and takes out what nothing reads; answers with the latter.
///
/// # Errors
/// When one account is named twice.
pub(super) fn rename(layer: &mut Table, source_name: &str) -> Result<BTreeMap<String, String>, ConfigError> {
    let Some(accounts) = layer.get_mut("accounts").and_then(toml::Value::as_table_mut) else { return Ok(BTreeMap::new()) };
    let unused = accounts.remove(SHORTFALL).and_then(|value| value.as_str().map(str::to_owned)).filter(|value| !value.is_empty());
    let former: Vec<(String, Account)> = accounts
        .keys()
        .filter_map(|key| Some((key.clone(), Account::parse(key)?)))
        .filter(|(key, account)| key != account.name())
        .collect();
    for (key, account) in former {
        let Some(value) = accounts.remove(&key) else { continue };
        if accounts.insert(account.name().to_owned(), value).is_some() {
            let name = account.name();
            return Err(ConfigError::Value(format!(
                "{source_name}: `accounts.{key}` is the former name of `accounts.{name}`, and both are set\nhint: keep `{name}`"
            )));
        }
    }
    Ok(unused.map(|value| (format!("accounts.{SHORTFALL}"), value)).into_iter().collect())
}
