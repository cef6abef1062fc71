//! What the types of the settings cannot say: ranges, and settings that contradict each other.

use super::{Config, ConfigError, Environment, Settlement};
use crate::domain::channel::Channel;
use crate::domain::fee::Share;

pub(super) fn check(config: &Config) -> Result<(), ConfigError> {
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
        return settlement(&config.settlement);
    };
    Err(ConfigError::Value(complaint))
}

fn settlement(settings: &Settlement) -> Result<(), ConfigError> {
    let is_channel = |name: &str| name == "other" || Channel::parse(name).is_some();
    let channel = settings.channels.iter().find(|(_, means)| !is_channel(means));
    let share = settings.shares.iter().find(|(_, share)| Share::parse(share).is_none());
    let both = [("alfa", &settings.alfa), ("indomaret", &settings.indomaret)];
    let days = both.iter().find(|(_, channel)| channel.working_days > 60);
    let fee = both.iter().find(|(_, channel)| channel.fee_basis_points > 10_000 || channel.vat_percent > 100);
    let complaint = if let Some((name, means)) = channel {
        format!("`settlement.channels` says `{name}` is `{means}`: it must be alfa, indomaret or other")
    } else if let Some((name, share)) = share {
        format!("`settlement.shares` says `{name}` is `{share}`: it must be whole rupiah or a percentage such as 12.5%")
    } else if let Some((name, _)) = days {
        format!("`settlement.{name}.working_days` must be at most 60")
    } else if let Some((name, _)) = fee {
        format!("`settlement.{name}`: at most 10000 basis points (100 %) and 100 percent VAT")
    } else if !(0..=8_784).contains(&settings.notification_grace_hours) {
        "`settlement.notification_grace_hours` must be between 0 and 8784".to_owned()
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
