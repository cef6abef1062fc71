//! Who may use what needs no signature: this machine's own programs and pages, and no page of another site in its browser.

use std::net::IpAddr;

use super::http::Request;

/// Why a request is turned away.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Stranger {
    /// Another site's name was made to point here.
    #[error("the `Host` header does not name this machine")]
    Host,
    /// Another site's page sent it.
    #[error("the request comes from a page of another site")]
    Origin,
}

/// Lets `request` in when `Host` is loopback and a browser's `Origin`, if there is one, is that host.
pub(super) fn check(request: &Request) -> Result<(), Stranger> {
    let host = request.header("Host").unwrap_or_default();
    if !is_loopback(host) {
        return Err(Stranger::Host);
    }
    match request.header("Origin") {
        Some(origin) if request.method != "GET" && origin.strip_prefix("http://") != Some(host) => Err(Stranger::Origin),
        _ => Ok(()),
    }
}

/// Whether `host`, with or without a port, is a name that always means this machine.
fn is_loopback(host: &str) -> bool {
    let name = match host.strip_prefix('[') {
        Some(rest) => rest.split_once(']').map_or("", |(name, _)| name),
        None => host.split_once(':').map_or(host, |(name, _)| name),
    };
    name.eq_ignore_ascii_case("localhost") || name.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}
