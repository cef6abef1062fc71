//! Where the settings let anything be sent: to DOKU's hosts, each in its environment, and to others only by a setting of their own.

use super::sections::{Config, Doku, Environment};
use crate::domain::address::Address;

/// DOKU's hosts, and the environment of each.
const HOSTS: [(&str, Environment); 2] = [("api.doku.com", Environment::Production), ("api-sandbox.doku.com", Environment::Sandbox)];

/// What is wrong with the first address that cannot be used.
pub(super) fn complaint(config: &Config) -> Option<String> {
    let mut hosts = config.additional_info.override_hosts.split(',').map(str::trim).filter(|host| !host.is_empty());
    base_url(&config.doku)
        .or_else(|| proxy(&config.doku.proxy, config.doku.use_environment_proxy))
        .or_else(|| hosts.find_map(override_host))
}

fn base_url(doku: &Doku) -> Option<String> {
    let (url, environment) = (doku.base_url.as_str(), doku.environment);
    let address = match Address::parse(url) {
        Ok(address) => address,
        Err(reason) => return Some(format!("`doku.base_url` cannot be used: {reason}")),
    };
    if address.path() != "/" || url.ends_with('/') {
        return Some(format!("`doku.base_url` is scheme and host, without a path and a slash at the end: `{url}`"));
    }
    let is_local = address.is_loopback() && environment == Environment::Sandbox;
    if !address.is_secure() && !is_local {
        return Some(format!("`doku.base_url` must begin with https:// (the sandbox may use http on loopback): `{url}`"));
    }
    match HOSTS.iter().find(|(host, _)| *host == address.host()) {
        Some((_, of)) if *of != environment => {
            Some(format!("`doku.environment` is {}, but `doku.base_url` is DOKU's {} host: `{url}`", environment.name(), of.name()))
        }
        Some((host, _)) if address.authority() != *host => Some(format!("DOKU's hosts are reached without a port: `{url}`")),
        Some(_) => None,
        None if is_local || address.authority() == doku.other_host => None,
        None => Some(format!(
            "`doku.base_url` leads to `{}`, which is none of DOKU's hosts\nhint: correct it; if requests that are signed with your key are \
             to go there, write so: `doku.other_host = \"{}\"`",
            address.authority(),
            address.authority()
        )),
    }
}

/// What is wrong with the proxy; its URL may hold no name and password, as the configuration holds no secrets.
fn proxy(url: &str, use_environment: bool) -> Option<String> {
    if url.is_empty() {
        return None;
    }
    if url.contains('@') {
        let hint = "give it in HTTPS_PROXY, and set `doku.use_environment_proxy = true` instead";
        return Some(format!("`doku.proxy` holds a name or password\nhint: {hint}"));
    }
    if use_environment {
        return Some("`doku.proxy` and `doku.use_environment_proxy = true` contradict each other".into());
    }
    let reason = match Address::parse(url) {
        Ok(address) if address.path() == "/" => return None,
        Ok(_) => "it has a path".into(),
        Err(reason) => reason,
    };
    Some(format!("`doku.proxy` must be a URL such as http://proxy.example.internal:3128: {reason}"))
}

/// What is wrong with a host that a bill's notifications may go to.
fn override_host(host: &str) -> Option<String> {
    let reason = match Address::parse(&format!("https://{host}")) {
        Ok(address) if address.authority() == host => return None,
        Ok(_) => "it is more than a host and a port".into(),
        Err(reason) => reason,
    };
    Some(format!("`additional_info.override_hosts` lists `{host}`, which is no HOST or HOST:PORT: {reason}"))
}

#[cfg(test)]
mod tests {
    use crate::config::error::ConfigError;
    use crate::config::resolve;
    use crate::config::sections::Config;

    fn with(text: &str) -> Result<Config, ConfigError> {
        resolve(Some(("my.toml", text)), [], &[])
    }

    fn doku(environment: &str, base_url: &str, more: &str) -> Result<Config, ConfigError> {
        with(&format!("[doku]\nenvironment = \"{environment}\"\nbase_url = {base_url:?}\n{more}"))
    }

    #[test]
    fn signed_requests_go_to_dokus_host_of_the_environment_to_loopback_in_the_sandbox_or_to_the_host_that_is_named() {
        for (environment, url, more) in [
            ("production", "https://api.doku.com", ""),
            ("sandbox", "https://api-sandbox.doku.com", ""),
            ("sandbox", "http://localhost:1", ""),
            ("sandbox", "https://127.0.0.1:1", ""),
            ("sandbox", "https://doku.example:8443", "other_host = \"doku.example:8443\""),
            ("production", "https://doku.example", "other_host = \"doku.example\""),
        ] {
            assert!(doku(environment, url, more).is_ok(), "{environment} {url}");
        }
        for (environment, url, more) in [
            ("sandbox", "https://api.doku.com", "other_host = \"api.doku.com\""),
            ("sandbox", "https://x@api.doku.com", ""),
            ("sandbox", "https://api.doku.com.", ""),
            ("sandbox", "https://api-sandbox.doku.com:444", ""),
            ("sandbox", "https://dashboard.doku.com", ""),
            ("sandbox", "https://[::1].evil.com", ""),
            ("sandbox", "http://127.0.0.1.nip.io", ""),
            ("sandbox", "http://doku.example", "other_host = \"doku.example\""),
            ("sandbox", "https://doku.example", "other_host = \"other.example\""),
            ("sandbox", "https://doku.example:444", "other_host = \"doku.example\""),
            ("production", "https://api.doku.com@evil.example", ""),
            ("production", "https://api-SANDBOX.doku.com", ""),
            ("production", "https://api-sandbox.doku.com", "other_host = \"api-sandbox.doku.com\""),
            ("production", "https://api.doku.com:444", ""),
            ("production", "https://api.doku.com/x", ""),
            ("production", "https://evil.example", ""),
            ("production", "https://127.0.0.1", ""),
            ("production", "http://127.0.0.1:1", ""),
        ] {
            assert!(matches!(doku(environment, url, more), Err(ConfigError::Value(_))), "{environment} {url}");
        }
    }

    #[test]
    fn a_proxy_and_a_listed_host_are_parsed_alike() {
        assert!(with("[doku]\nproxy = \"http://proxy.example.internal:3128\"").is_ok());
        for proxy in ["http://[::1].evil.com:3", "http://proxy.example:3128/x", "http:///proxy", "socks5://proxy:1", "http://a@b"] {
            assert!(with(&format!("[doku]\nproxy = \"{proxy}\"")).is_err(), "{proxy}");
        }
        assert!(with("[additional_info]\noverride_hosts = \"pay.example.com, pay.example.com:8443\"").is_ok());
        for host in ["pay.example.com:evil.com", "*", "*.example.com", "PAY.example.com", "pay.example.com/x", "a@b", "[::1].evil.com"] {
            assert!(with(&format!("[additional_info]\noverride_hosts = \"{host}\"")).is_err(), "{host}");
        }
    }
}
