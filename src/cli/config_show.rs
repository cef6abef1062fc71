//! `tagih config show`: the settings in force, and with `--origin` where each is from.

use std::collections::BTreeSet;

use super::failure::Failure;
use super::output;
use super::sender;
use super::setup::Setup;
use crate::config::{self, Setting};
use crate::exit::Exit;
use crate::secret::unsaid;

pub(super) fn show(setup: &Setup, with_origin: bool) -> Result<Exit, Failure> {
    if with_origin {
        origins(setup)?;
    } else if setup.json {
        output::result(serde_json::to_value(&setup.config).map_err(Failure::usage)?);
    } else {
        let text = toml::to_string(&setup.config).map_err(Failure::usage)?;
        output::result(text.trim_end());
    }
    let text = toml::to_string(&setup.config).map_err(Failure::usage)?;
    if *unsaid::without(&text) != text && !setup.quiet {
        output::note("note: what looks like a key stands as ***, and is in force as it was given");
    }
    if let Some(unused) = sender::unused_proxies(setup).filter(|_| !setup.quiet) {
        output::note(unused);
    }
    Ok(Exit::Done)
}

fn origins(setup: &Setup) -> Result<(), Failure> {
    let text = setup.file.as_deref().map(std::fs::read_to_string).transpose()?;
    let name = setup.file.as_ref().map(|file| file.display().to_string()).unwrap_or_default();
    let variables: BTreeSet<String> = std::env::vars_os().filter_map(|(name, _)| name.into_string().ok()).collect();
    let settings = config::origins(&setup.config, text.as_deref().map(|text| (name.as_str(), text)), &variables)?;
    if setup.json {
        let one = |Setting { key, value, origin }: Setting| (key, serde_json::json!({"value": value, "origin": origin}));
        output::result(serde_json::Value::Object(settings.into_iter().map(one).collect()));
        return Ok(());
    }
    let of = |setting: &Setting| format!("{} = {}", setting.key, setting.value);
    let width = settings.iter().map(|setting| of(setting).chars().count()).filter(|width| *width <= 60).max().unwrap_or(0);
    for setting in &settings {
        output::result(format_args!("{:<width$}  # {}", of(setting), setting.origin));
    }
    Ok(())
}
