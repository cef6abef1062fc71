//! Ledger and journal are never begun anew because a command was run from another folder.

use std::path::{Path, PathBuf};

use super::failure::{Failure, absolute};
use crate::config::{self, Config};

/// Refuses paths that lead to nothing where the same thing lies at hand. `file`: path and text of the configuration file.
pub(super) fn check(file: Option<(&str, &str)>, config: &Config) -> Result<(), Failure> {
    let places = file.map(|(name, text)| config::places(name, text)).transpose()?.unwrap_or_default();
    let in_force = toml::Value::try_from(config).map_err(Failure::usage)?;
    for place in places {
        let value = place.key.split_once('.').and_then(|(section, key)| in_force.get(section)?.get(key)?.as_str());
        if value == Some(&*place.path.display().to_string()) {
            // Such a path used to be one of the working folder.
            same_elsewhere(place.key, &place.path, [PathBuf::from(&place.written)])?;
        }
    }
    let folder = |path: &Path| path.parent().map(Path::to_path_buf);
    let (ledger, journal) = (Path::new(&config.ledger.path), Path::new(&config.journal.path));
    let beside_file = file.and_then(|(name, _)| folder(Path::new(name)));
    let named = |folder: Option<PathBuf>, path: &Path| folder.zip(path.file_name()).map(|(folder, name)| folder.join(name));
    if config.ledger.url.is_empty() {
        same_elsewhere("ledger.path", ledger, named(beside_file.clone(), ledger))?;
    }
    let beside = [beside_file, folder(ledger)].into_iter().filter_map(|folder| named(folder, journal));
    same_elsewhere("journal.path", journal, beside)
}

/// Nothing is at `path`, but something at one of `others`: which is meant is for a person to say.
fn same_elsewhere(setting: &str, path: &Path, others: impl IntoIterator<Item = PathBuf>) -> Result<(), Failure> {
    if path.exists() {
        return Ok(());
    }
    let path = absolute(path);
    let Some(other) = others.into_iter().map(|other| absolute(&other)).find(|other| *other != path && other.exists()) else {
        return Ok(());
    };
    let (section, key) = setting.split_once('.').unwrap_or(("", setting));
    Err(Failure::setting(format!(
        "`{setting}` leads to `{}`, where nothing is, but there is `{}`\n\
         hint: a path in a configuration file is relative to that file, any other to the working folder; \
         to use what is there, write under [{section}]: {key} = \"{}\"",
        path.display(),
        other.display(),
        other.display()
    )))
}
