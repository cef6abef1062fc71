//! Where each setting in force comes from: the last layer that has it.

use std::collections::{BTreeMap, BTreeSet};

use toml::{Table, Value};

use super::as_toml::parse;
use super::error::ConfigError;
use super::{Config, former, leaves, variable_name};

/// A setting in force and where it is from.
#[derive(Clone, Debug, PartialEq)]
pub struct Setting {
    /// Its dotted key.
    pub key: String,
    /// What it is.
    pub value: Value,
    /// The variable, the file, or `default`.
    pub origin: String,
}

/// Every setting of `config`, which was resolved from `file` (path and text) and the variables of these names, by its key.
///
/// # Errors
/// When the file is not TOML, or `config` cannot be written as such.
pub fn origins(config: &Config, file: Option<(&str, &str)>, variables: &BTreeSet<String>) -> Result<Vec<Setting>, ConfigError> {
    let in_force = Table::try_from(config).map_err(|error| ConfigError::Value(error.to_string()))?;
    let mut from_file = BTreeSet::new();
    if let Some((name, text)) = file {
        let mut layer = parse(name, text)?;
        former::rename(&mut layer, name)?;
        from_file.extend(leaves(&layer));
    }
    let mut settings = BTreeMap::new();
    for key in leaves(&in_force) {
        let variable = variable_name(&key);
        let origin = match file {
            _ if variables.contains(&variable) => variable,
            Some((name, _)) if from_file.contains(&key) => name.to_owned(),
            _ => "default".to_owned(),
        };
        if let Some(value) = at(&in_force, &key) {
            settings.insert(key.clone(), Setting { value: value.clone(), origin, key });
        }
    }
    Ok(settings.into_values().collect())
}

/// The value at a dotted key; a key of the user's own may have dots in it.
fn at<'a>(table: &'a Table, key: &str) -> Option<&'a Value> {
    if let Some(value) = table.get(key) {
        return Some(value);
    }
    let mut dots = key.match_indices('.').map(|(dot, _)| dot);
    dots.find_map(|dot| at(table.get(key.get(..dot)?)?.as_table()?, key.get(dot.saturating_add(1)..)?))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::resolve;

    #[test]
    fn each_setting_is_of_the_last_layer_that_has_it() {
        let text = "[pacing]\nburst = 7\nrate_per_second = 7\n[intake.columns]\n\"a.b\" = \"x\"\n";
        let file = Some(("my.toml", text));
        let variable = "TAGIH_PACING_BURST".to_owned();
        let config = resolve(file, [(variable.clone(), "8".to_owned())], &[]).unwrap();
        let settings = origins(&config, file, &BTreeSet::from([variable])).unwrap();
        let of = |key: &str| {
            settings.iter().find(|setting| setting.key == key).map(|setting| (setting.value.to_string(), setting.origin.as_str()))
        };
        assert_eq!(of("pacing.burst").unwrap(), ("8".into(), "TAGIH_PACING_BURST"));
        assert_eq!(of("pacing.rate_per_second").unwrap(), ("7".into(), "my.toml"));
        assert_eq!(of("pacing.in_flight_max").unwrap(), ("256".into(), "default"));
        assert_eq!(of("intake.columns.a.b").unwrap(), ("\"x\"".into(), "my.toml"));
    }
}
