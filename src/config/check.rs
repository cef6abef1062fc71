//! What the types of the settings cannot say: ranges, and settings that contradict each other.

use super::{Config, ConfigError, Environment, Heartbeat, Serve, Settlement};
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
    } else if let Some(complaint) = proxy(&config.doku.proxy, config.doku.use_environment_proxy) {
        complaint
    } else if config.doubt.not_found_minutes < 1 || config.doubt.unchanged_minutes < 1 {
        // Without patience, a request that is still on its way would count as never carried out.
        "`doubt.not_found_minutes` and `doubt.unchanged_minutes` must be at least 1".to_owned()
    } else if config.sync.first_minutes < 0 || config.sync.window_days < 0 || config.sync.spacing_seconds < 0 {
        "`sync.first_minutes`, `sync.window_days` and `sync.spacing_seconds` must not be negative".to_owned()
    } else if !(1..=64).contains(&config.doku.info.alfa_length_max) || !(1..=64).contains(&config.doku.info.indomaret_length_max) {
        "`doku.info.alfa_length_max` and `doku.info.indomaret_length_max` must be 1 to 64".to_owned()
    } else if config.reconcile.status_grace_hours < 0 {
        "`reconcile.status_grace_hours` must not be negative".to_owned()
    } else if config.reconcile.malformed_lines_max_percent > 100 {
        "`reconcile.malformed_lines_max_percent` must be at most 100".to_owned()
    } else {
        return serve(&config.serve)
            .and_then(|()| settlement(&config.settlement))
            .and_then(|()| books(config))
            .and_then(|()| heartbeat(&config.heartbeat));
    };
    Err(ConfigError::Value(complaint))
}

/// The most bytes of a body whose log line, with every byte escaped, is one that `reconcile` reads.
const BODY_BYTES_MAX: usize = 131_072;

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
    } else if !(1_024..=BODY_BYTES_MAX).contains(&serve.body_bytes_max) {
        format!("`serve.body_bytes_max` must be 1024 to {BODY_BYTES_MAX}")
    } else if serve.header_timeout_ms == 0 || serve.body_timeout_ms == 0 {
        "`serve.header_timeout_ms` and `serve.body_timeout_ms` must be at least 1".to_owned()
    } else if serve.freshness_seconds > 86_400 {
        "`serve.freshness_seconds` must be at most 86400".to_owned()
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

/// What the books can work with.
fn books(config: &Config) -> Result<(), ConfigError> {
    let (books, bank) = (&config.books, &config.bank);
    let complaint = if books.lapse_after_days > 3_650 {
        "`books.lapse_after_days` must be 0 (never) to 3650"
    } else if !(3..=120).contains(&books.known_months) {
        "`books.known_months` must be 3 to 120"
    } else if bank.window_days > 60 {
        "`bank.window_days` must be 0 to 60"
    } else if bank.filter.iter().any(|words| words.trim().is_empty() || words.trim() != words) {
        // Every text holds the empty one, so it would let all lines through where some were meant.
        "`bank.filter` must hold words, none of them empty or with blanks around it"
    } else if let Some(account) = config.accounts.iter().find(|(_, name)| name.chars().any(char::is_control)).map(|(account, _)| account) {
        return Err(ConfigError::Value(format!("`accounts.{}` holds a control character", account.name())));
    } else {
        return Ok(());
    };
    Err(ConfigError::Value(complaint.to_owned()))
}

/// Where heartbeats go: an address to which a word can be added.
fn heartbeat(heartbeat: &Heartbeat) -> Result<(), ConfigError> {
    let url = heartbeat.url.as_str();
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let is_usable = rest.is_some_and(|rest| !rest.starts_with('/') && !rest.is_empty() && !rest.contains(['?', '#', '@', ' ']));
    let complaint = if !url.is_empty() && !is_usable {
        "`heartbeat.url` must be a URL such as https://hc-ping.com/PING-KEY/tagih-{command}, without a query, name or password"
    } else if !(100..=10_000).contains(&heartbeat.timeout_ms) {
        "`heartbeat.timeout_ms` must be 100 to 10000"
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

/// What is wrong with the proxy; its URL may hold no name and password, as the configuration holds no secrets.
fn proxy(url: &str, use_environment: bool) -> Option<String> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"));
    match rest {
        _ if url.is_empty() => None,
        _ if url.contains('@') => Some(
            "`doku.proxy` holds a name or password\nhint: give it in HTTPS_PROXY, and set `doku.use_environment_proxy = true` instead"
                .into(),
        ),
        _ if use_environment => Some("`doku.proxy` and `doku.use_environment_proxy = true` contradict each other".into()),
        Some(rest) if !rest.is_empty() && !rest.starts_with('/') => None,
        _ => Some(format!("`doku.proxy` must be a URL such as http://proxy.example.internal:3128, not `{url}`")),
    }
}

/// What stands between scheme and port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split([':', '/']).next().unwrap_or_default()
}
