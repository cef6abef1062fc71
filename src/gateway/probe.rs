//! One look at the way to DOKU, for `tagih doctor`: a name, a connection, a certificate, a clock. Nothing is signed, and nobody is named.

use std::net::SocketAddr;

use jiff::Timestamp;
use reqwest::tls::TlsInfo;

use super::certificate;
use super::client::{Endpoint, ahead_seconds, builder, header, plain};
use crate::clock::Clock;

/// What a look at the way out found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// How many addresses the host's name has, or why none is known. None where a proxy looks names up.
    pub addresses: Option<Result<usize, String>>,
    /// What was heard, or in one line why nothing was.
    pub heard: Result<ProbeAnswer, String>,
}

/// What an answer tells, whatever it says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProbeAnswer {
    /// Its HTTP status.
    pub status: u16,
    /// Seconds by which the answer's `Date` lies ahead (negative: behind) of this machine's clock; none without one.
    pub ahead_seconds: Option<i64>,
    /// When the certificate ends (UTC), if there is one and it can be read.
    pub certificate_ends_at: Option<Timestamp>,
}

/// Asks the host of `endpoint` for its first page, once.
pub async fn probe(endpoint: &Endpoint, clock: &Clock) -> Probe {
    let addresses = match endpoint.proxy {
        super::client::ProxyChoice::Direct => Some(addresses(&endpoint.base_url).await),
        super::client::ProxyChoice::Environment | super::client::ProxyChoice::Through(_) => None,
    };
    Probe { addresses, heard: ask(endpoint, clock).await }
}

async fn addresses(base_url: &str) -> Result<usize, String> {
    let url = reqwest::Url::parse(base_url).map_err(|error| error.to_string())?;
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
    let found = tokio::net::lookup_host((host, url.port_or_known_default().unwrap_or(443))).await;
    let addresses: Vec<SocketAddr> = found.map_err(|error| error.to_string())?.collect();
    if addresses.is_empty() { Err("the name has no address".into()) } else { Ok(addresses.len()) }
}

async fn ask(endpoint: &Endpoint, clock: &Clock) -> Result<ProbeAnswer, String> {
    let client = builder(endpoint).and_then(|builder| builder.tls_info(true).build()).map_err(|error| error.to_string())?;
    let sent_at = clock.now();
    let asked = client.get(format!("{}/", endpoint.base_url)).send().await;
    let response = asked.map_err(|error| plain(&endpoint.base_url, &error))?;
    let received_at = clock.now();
    let date = header(response.headers(), "date").and_then(|date| jiff::fmt::rfc2822::parse(date).ok());
    let certificate = response.extensions().get::<TlsInfo>().and_then(TlsInfo::peer_certificate);
    Ok(ProbeAnswer {
        status: response.status().as_u16(),
        ahead_seconds: date.map(|date| ahead_seconds(date.timestamp(), sent_at, received_at)),
        certificate_ends_at: certificate.and_then(certificate::ends_at),
    })
}
