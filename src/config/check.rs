//! What the types of the settings cannot say: which numbers and texts can be right, and settings that contradict each other.

use std::collections::BTreeSet;

use toml::Table;

use super::addresses;
use super::error::ConfigError;
use super::sections::{Config, Heartbeat, OPEN_SECTIONS, RANGES, Serve, Settlement, key_end};
use crate::domain::calendar::{YEARS, can_be_meant};
use crate::domain::channel::Channel;
use crate::domain::fee::FeeShare;
use crate::domain::keylike;

/// Every number is in the range its section says.
pub(super) fn numbers(settings: &Table) -> Result<(), ConfigError> {
    for (section, ranges) in RANGES {
        let found = section.split('.').try_fold(settings, |table, name| table.get(name)?.as_table());
        for (key, range) in ranges {
            let number = found.and_then(|section| section.get(*key)).and_then(toml::Value::as_integer);
            if let Some(number) = number.filter(|number| !range.contains(number)) {
                let (least, most) = (range.start(), range.end());
                return Err(ConfigError::Value(format!("`{section}.{key}` must be {least} to {most}, not {number}")));
            }
        }
    }
    Ok(())
}

/// What texts may say, and which settings go together.
pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
    let is_elsewhere = |(_, path): &(&str, &str)| !is_plain_path(path);
    let complaint = if let Some(key) = Table::try_from(config).ok().and_then(|table| of_a_key(&table, "")) {
        format!(
            "`{key}` seems to hold the key itself\nhint: put the key into a file of mode 0600, and write that file's name into \
             `doku.secret_file`; if others have seen it, change it (docs/security.md)"
        )
    } else if let Some((name, path)) = config.doku.paths.each().into_iter().find(is_elsewhere) {
        // Whatever else it held would lead to another host, or be signed as something else than it is sent as.
        format!("`doku.paths.{name}` must be a path such as `/alfa/v2/code`, of letters, digits and - . _ ~ between slashes: `{path}`")
    } else if config.doku.client_id.chars().any(char::is_control) {
        "`doku.client_id` holds a control character".to_owned()
    } else if let Some(complaint) = secret_command(&config.doku.secret_command) {
        complaint.to_owned()
    } else if !config.doku.previous_until.is_empty() && key_end(&config.doku.previous_until).is_none() {
        format!(
            "`doku.previous_until` must be a day such as 2026-12-05, or an instant such as 2026-12-05T10:00:00Z or 2026-12-05T17:00:00+07:00, of the \
             years {} to {}",
            YEARS.start(),
            YEARS.end()
        )
    } else if let Some(complaint) = addresses::complaint(config) {
        complaint
    } else {
        return serve(&config.serve)
            .and_then(|()| settlement(&config.settlement))
            .and_then(|()| books(config))
            .and_then(|()| heartbeat(&config.heartbeat))
            .and_then(|()| dimensions(&config.report.dimensions));
    };
    Err(ConfigError::Value(complaint))
}

/// The first setting in which a key of DOKU's stands. What the user calls columns and channels may begin so, and goes nowhere.
fn of_a_key(table: &Table, prefix: &str) -> Option<String> {
    table.iter().find_map(|(key, value)| {
        let path = if prefix.is_empty() { key.clone() } else { format!("{prefix}.{key}") };
        match value {
            toml::Value::Table(_) if OPEN_SECTIONS.contains(&path.as_str()) => None,
            toml::Value::Table(below) => of_a_key(below, &path),
            toml::Value::String(text) => keylike::has_dokus(text).then_some(path),
            toml::Value::Array(texts) => texts.iter().filter_map(toml::Value::as_str).any(keylike::has_dokus).then_some(path),
            _ => None,
        }
    })
}

/// What is wrong with the command that prints the secret. It is run as it stands, by no shell, whatever folder tagih is in.
fn secret_command(words: &[String]) -> Option<&'static str> {
    let program = words.first()?;
    if program.is_empty() || program.contains('/') && !program.starts_with('/') {
        Some("`doku.secret_command` must begin with a program's name, or its whole path, such as [\"pass\", \"show\", \"doku/production\"]")
    } else {
        None
    }
}

fn serve(serve: &Serve) -> Result<(), ConfigError> {
    for (key, path) in [("inquiry_path", &serve.inquiry_path), ("notification_path", &serve.notification_path)] {
        if !is_plain_path(path) || ["/healthz", "/livez", "/readyz", "/metrics"].contains(&path.as_str()) {
            return Err(ConfigError::Value(format!(
                "`serve.{key}` must be a path such as `/doku/inquiry`, without a query, of letters, digits and - . _ ~ between \
                 slashes, and not that of health or metrics: `{path}`"
            )));
        }
    }
    let complaint = if serve.inquiry_path == serve.notification_path {
        "`serve.inquiry_path` and `serve.notification_path` must differ".to_owned()
    } else if serve.inquiry_suffix.len() > 8 || !serve.inquiry_suffix.bytes().all(is_plain) {
        "`serve.inquiry_suffix` must be at most 8 letters, digits and - . _ ~".to_owned()
    } else if serve.customer_name.trim().is_empty() || serve.customer_name.chars().count() > 64 {
        "`serve.customer_name` must have 1 to 64 characters".to_owned()
    } else {
        return Ok(());
    };
    Err(ConfigError::Value(complaint))
}

fn settlement(settings: &Settlement) -> Result<(), ConfigError> {
    let is_channel = |name: &str| name == "other" || Channel::parse(name).is_some();
    let channel = settings.channels.iter().find(|(_, means)| !is_channel(means));
    let share = settings.shares.iter().find(|(_, share)| FeeShare::parse(share).is_none());
    let complaint = if let Some((name, means)) = channel {
        format!("`settlement.channels` says `{name}` is `{means}`: it must be alfa, indomaret or other")
    } else if let Some((name, share)) = share {
        format!("`settlement.shares` says `{name}` is `{share}`: it must be whole rupiah or a percentage such as 12.5%")
    } else if let Some(day) = settings.holidays.iter().find(|day| !can_be_meant(**day)) {
        format!("`settlement.holidays` has {day}: it must be of the years {} to {}", YEARS.start(), YEARS.end())
    } else if let Some(name) = settings.third_parties.iter().find(|name| !settings.shares.contains_key(*name)) {
        format!("`settlement.third_parties` names `{name}`, which `settlement.shares` does not have")
    } else {
        return Ok(());
    };
    Err(ConfigError::Value(complaint))
}

/// What the books can work with.
fn books(config: &Config) -> Result<(), ConfigError> {
    let complaint = if config.bank.filter.iter().any(|words| words.trim().is_empty() || words.trim() != words) {
        // Every text holds the empty one, so it would let all lines through where some were meant.
        "`bank.filter` must hold words, none of them empty or with blanks around it"
    } else if let Some(account) = config.accounts.iter().find(|(_, name)| name.chars().any(char::is_control)).map(|(account, _)| account) {
        return Err(ConfigError::Value(format!("`accounts.{}` holds a control character", account.name())));
    } else {
        return Ok(());
    };
    Err(ConfigError::Value(complaint.to_owned()))
}

/// By what bills are broken down: few names of columns that are nobody else's.
fn dimensions(names: &[String]) -> Result<(), ConfigError> {
    let is_name = |name: &str| {
        let is_small = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_';
        name.len() <= 32 && name.bytes().all(is_small) && name.bytes().next().is_some_and(|byte| byte.is_ascii_lowercase())
    };
    let complaint = if names.len() > 8 {
        format!("`report.dimensions` has {} names, at most 8 are possible", names.len())
    } else if let Some(name) = names.iter().find(|name| !is_name(name)) {
        format!("`report.dimensions` must have names of small letters, digits and _ that begin with a letter, not `{name}`")
    } else if names.iter().collect::<BTreeSet<_>>().len() < names.len() {
        "`report.dimensions` has a name twice".to_owned()
    } else {
        return Ok(());
    };
    Err(ConfigError::Value(complaint))
}

/// Where heartbeats go: an address to which a word can be added.
fn heartbeat(heartbeat: &Heartbeat) -> Result<(), ConfigError> {
    let url = heartbeat.url.as_str();
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_usable = rest.is_some_and(|rest| !rest.starts_with('/') && !rest.is_empty() && !rest.contains(['?', '#', '@', ' ']));
    let complaint = if !url.is_empty() && !is_usable {
        "`heartbeat.url` must be a URL such as https://hc-ping.com/PING-KEY/tagih-{command}, without a query, name or password"
    } else {
        return Ok(());
    };
    Err(ConfigError::Value(complaint.to_owned()))
}

/// What a router, a proxy and a signature all take for the same path.
fn is_plain_path(path: &str) -> bool {
    let is_part = |part: &str| !matches!(part, "" | "." | "..") && part.bytes().all(is_plain);
    path.strip_prefix('/').is_some_and(|rest| rest.split('/').all(is_part))
}

/// A byte that stands for itself wherever a path or a number is written.
const fn is_plain(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_a_key_is_a_wib_day_or_an_instant_and_no_time_of_an_unknown_clock() {
        let end = |text: &str| key_end(text).map(|at| at.to_string());
        assert_eq!(end("2026-10-11").as_deref(), Some("2026-10-11T16:59:59.999999999Z"));
        for text in ["2026-10-11T03:00:00Z", "2026-10-11T10:00:00+07:00"] {
            assert_eq!(end(text).as_deref(), Some("2026-10-11T03:00:00Z"), "{text}");
        }
        for text in [
            "2026-10-11T10:00",
            "2026-10-11T10:00:00",
            "2026-10-11 10:00:00",
            "2026-10-11T10:00[Asia/Jakarta]",
            "20261011",
            "",
            "soon",
            "0000-01-01",
            "1999-12-31T00:00:00Z",
            "9999-12-31",
        ] {
            assert_eq!(end(text), None, "{text}");
        }
    }
}
