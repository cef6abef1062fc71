//! Notifications on their way to the merchant: one POST an attempt, DOKU's schedule on a scaled clock, until a 2xx.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use http_body_util::Full;
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use jiff::SignedDuration;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::notification::{NotificationMessage, SCHEDULE_SECONDS};
use super::server::Shared;

/// How long one attempt may take.
const ATTEMPT_TIMEOUT: Duration = Duration::from_secs(10);

/// Where notifications go: an address on this machine; the path is the one they are signed for.
pub(super) struct NotificationUrl {
    address: SocketAddr,
    host: String,
}

impl NotificationUrl {
    /// Reads `http://HOST:PORT/path`, whose path must be `notification_path`.
    pub(super) fn parse(url: &str, notification_path: &str) -> io::Result<Self> {
        let wrong = |why: &str| {
            let problem = format!("the notification URL `{url}` {why}\nhint: `http://127.0.0.1:8080{notification_path}`");
            io::Error::new(io::ErrorKind::InvalidInput, problem)
        };
        let uri: hyper::Uri = url.parse().map_err(|_| wrong("cannot be read"))?;
        if uri.scheme_str() != Some("http") {
            return Err(wrong("is not `http`"));
        }
        let host = uri.host().ok_or_else(|| wrong("names no host"))?;
        let ip = match host {
            "localhost" => IpAddr::V4(Ipv4Addr::LOCALHOST),
            _ => host.trim_matches(['[', ']']).parse().map_err(|_| wrong("does not name this machine"))?,
        };
        if !ip.is_loopback() {
            return Err(wrong("does not name this machine"));
        }
        if uri.path() != notification_path || uri.query().is_some() {
            return Err(wrong("has another path than notifications are signed for"));
        }
        let address = SocketAddr::new(ip, uri.port_u16().unwrap_or(80));
        Ok(Self { address, host: address.to_string() })
    }
}

/// Posts `message`, and again at the scaled times while nobody confirms it. A message DOKU did not sign is posted once.
pub(super) async fn until_confirmed(shared: Arc<Shared>, message: NotificationMessage) {
    let Some(url) = &shared.notification_url else { return };
    let begun = Instant::now();
    let (time_scale, ours) = {
        let model = shared.model();
        (model.settings().time_scale.max(1), model.is_signed_by_doku(&message))
    };
    let attempts = if ours { SCHEDULE_SECONDS.len() } else { 1 };
    for (index, seconds) in SCHEDULE_SECONDS.into_iter().take(attempts).enumerate() {
        let offset = Duration::from_secs(seconds.unsigned_abs()).checked_div(time_scale).unwrap_or_default();
        tokio::time::sleep_until(begun.checked_add(offset).unwrap_or(begun)).await;
        let sent_at = message.sent_at.checked_add(SignedDuration::from_secs(seconds)).unwrap_or(message.sent_at);
        let attempt = if index == 0 { message.clone() } else { shared.model().redeliver(&message, sent_at) };
        match tokio::time::timeout(ATTEMPT_TIMEOUT, post(url, &attempt)).await {
            Ok(Ok(200..=299)) => return,
            Ok(Ok(status)) => tracing::info!(attempt = index, status, "a notification was not confirmed"),
            Ok(Err(error)) => tracing::info!(attempt = index, %error, "a notification was not delivered"),
            Err(_) => tracing::info!(attempt = index, "a notification got no answer in time"),
        }
    }
    tracing::warn!(invoice_number = message.invoice_number, "a notification was given up");
}

/// One POST on a connection of its own; gives the status.
async fn post(url: &NotificationUrl, message: &NotificationMessage) -> io::Result<u16> {
    let stream = TcpStream::connect(url.address).await?;
    stream.set_nodelay(true)?;
    let (mut sender, connection) = hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(io::Error::other)?;
    let driver = tokio::spawn(connection);
    let mut request = hyper::Request::post(&message.target).header(HOST, &url.host);
    for (name, value) in &message.headers {
        request = request.header(name, value);
    }
    let request = request.body(Full::new(message.body.clone())).map_err(io::Error::other)?;
    let answered = sender.send_request(request).await.map_err(io::Error::other);
    driver.abort();
    answered.map(|response| response.status().as_u16())
}
