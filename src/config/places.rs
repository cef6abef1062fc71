//! Where the paths in a configuration file lead: beside that file, whatever the working folder is.

use std::path::{Path, PathBuf};

use toml::{Table, Value};

use super::as_toml::parse;
use super::error::ConfigError;

/// Every setting that is a path of ours.
const PATHS: [&str; 10] = [
    "doku.secret_file",
    "doku.secret_file_previous",
    "doku.root_certificates_file",
    "ledger.path",
    "ledger.password_file",
    "ledger.ca_file",
    "ledger.seal_key_file",
    "journal.path",
    "serve.log_dir",
    "evidence.store",
];

/// A relative path in a configuration file, and where it leads.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfiguredPlace {
    /// The dotted key.
    pub key: &'static str,
    /// As it is written.
    pub written: String,
    /// Beside the file.
    pub path: PathBuf,
}

/// The relative paths that the file called `name`, with this text, sets.
///
/// # Errors
/// When it is not TOML.
pub fn places(name: &str, text: &str) -> Result<Vec<ConfiguredPlace>, ConfigError> {
    Ok(of(&parse(name, text)?, name))
}

fn of(layer: &Table, name: &str) -> Vec<ConfiguredPlace> {
    let written = |key: &str| {
        let (section, rest) = key.split_once('.')?;
        layer.get(section)?.get(rest)?.as_str().filter(|text| !text.is_empty() && Path::new(text).is_relative()).map(str::to_owned)
    };
    let place = |key: &'static str| {
        let written = written(key)?;
        Some(ConfiguredPlace { key, path: Path::new(name).with_file_name(&written), written })
    };
    PATHS.into_iter().filter_map(place).collect()
}

/// Puts every relative path of `layer` beside the file called `name`.
pub(super) fn put(layer: &mut Table, name: &str) {
    for place in of(layer, name) {
        let Some((section, rest)) = place.key.split_once('.') else { continue };
        if let Some(slot) = layer.get_mut(section).and_then(|section| section.get_mut(rest)) {
            *slot = Value::String(place.path.display().to_string());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{DEFAULT, resolve};

    #[test]
    fn paths_in_a_file_lead_beside_it_and_those_of_environment_flags_and_defaults_into_the_working_folder() {
        let text = "[ledger]\npath = \"l/a\"\n[journal]\npath = \"/var/j\"\n[serve]\nlog_dir = \"logs\"\n[doku]\nsecret_file = \"s\"";
        let file = Some(("/etc/tagih/t.toml", text));
        let config =
            resolve(file, [("TAGIH_SERVE_LOG_DIR".to_owned(), "env".to_owned())], &[("doku.secret_file_previous", "p".into())]).unwrap();
        let doku = &config.doku;
        assert_eq!((config.ledger.path.as_str(), config.journal.path.as_str()), ("/etc/tagih/l/a", "/var/j"));
        assert_eq!(
            (config.serve.log_dir.as_str(), doku.secret_file.as_str(), doku.secret_file_previous.as_str()),
            ("env", "/etc/tagih/s", "p")
        );
        assert_eq!(resolve(Some(("t.toml", text)), [], &[]).unwrap().ledger.path, "l/a");
        let empty = resolve(Some(("/etc/t.toml", "[doku]\nsecret_file = \"\"")), [], &[]).unwrap();
        assert_eq!((empty.doku.secret_file.as_str(), empty.ledger.path.as_str()), ("", "tagih.ledger"));
        let keys: Vec<_> = places("/etc/tagih/t.toml", text).unwrap().into_iter().map(|place| place.key).collect();
        assert_eq!(keys, ["doku.secret_file", "ledger.path", "serve.log_dir"]);
    }

    #[test]
    fn every_setting_that_sounds_like_a_path_of_ours_is_listed() {
        let ends = ["_file", "_file_previous", "_dir", ".path", ".store"];
        let all = crate::config::leaves(&DEFAULT.parse().unwrap());
        let sounding: Vec<&String> = all.iter().filter(|key| ends.iter().any(|end| key.ends_with(end))).collect();
        assert_eq!(sounding.len(), PATHS.len(), "{sounding:?}");
        assert!(sounding.iter().all(|key| PATHS.contains(&key.as_str())));
    }
}
