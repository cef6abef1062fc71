//! The merchant's URLs, which must name this machine, and one POST to one of them.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::header::HOST;
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;

use super::http::HttpAnswer;
use crate::clock;

/// How long one POST may take.
const TIMEOUT: Duration = Duration::from_secs(10);

/// Most bytes of an answer that are read.
const ANSWER_BYTES_MAX: usize = 65_536;

/// Where to reach the merchant: an address on this machine, and the path that is signed for. A query is sent and not signed:
/// DOKU's pages do not say whether it is, and one of its shop plugins verifies without it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MerchantUrl {
    address: SocketAddr,
    path: String,
    query: Option<String>,
}

impl MerchantUrl {
    /// Reads `http://HOST:PORT/path`; `what` names it in errors. A `path` that is given must be the URL's.
    pub(super) fn parse(url: &str, what: &str, path: Option<&str>) -> io::Result<Self> {
        let wrong = |why: &str| {
            let example = path.unwrap_or("/doku/inquiry");
            let problem = format!("the {what} URL `{url}` {why}\nhint: `http://127.0.0.1:8080{example}`");
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
        if path.is_some_and(|path| path != uri.path()) {
            return Err(wrong("has another path than requests are signed for"));
        }
        let address = SocketAddr::new(ip, uri.port_u16().unwrap_or(80));
        Ok(Self { address, path: uri.path().into(), query: uri.query().map(Into::into) })
    }

    /// The path: the `Request-Target` of what is posted there.
    pub(super) fn path(&self) -> &str {
        &self.path
    }

    /// Path and query, as HTTP asks for them.
    fn resource(&self) -> String {
        self.query.as_ref().map_or_else(|| self.path.clone(), |query| format!("{}?{query}", self.path))
    }

    /// Posts `body` on a connection of its own and gives the answer, or in a few words why there is none.
    pub(super) async fn post(&self, headers: &[(String, String)], body: Bytes) -> Result<HttpAnswer, String> {
        match clock::within(TIMEOUT, self.exchange(headers, body)).await {
            Some(Ok(answer)) => Ok(answer),
            Some(Err(error)) => Err(format!("no answer: {error}")),
            None => Err(format!("no answer within {} seconds", TIMEOUT.as_secs())),
        }
    }

    async fn exchange(&self, headers: &[(String, String)], body: Bytes) -> io::Result<HttpAnswer> {
        let stream = TcpStream::connect(self.address).await?;
        stream.set_nodelay(true)?;
        // As DOKU writes them, `Client-Id`: a receiver that compares names with their case must work here as it does there.
        let mut client = hyper::client::conn::http1::Builder::new();
        let handshake = client.title_case_headers(true).handshake(TokioIo::new(stream)).await;
        let (mut sender, connection) = handshake.map_err(io::Error::other)?;
        let driver = tokio::spawn(connection);
        let mut request = hyper::Request::post(self.resource()).header(HOST, self.address.to_string());
        for (name, value) in headers {
            request = request.header(name, value);
        }
        let request = request.body(Full::new(body)).map_err(io::Error::other)?;
        let answered = async {
            let (parts, body) = sender.send_request(request).await.map_err(io::Error::other)?.into_parts();
            let body = Limited::new(body, ANSWER_BYTES_MAX).collect().await.map_err(io::Error::other)?.to_bytes();
            let text = |value: &hyper::header::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
            let headers = parts.headers.iter().map(|(name, value)| (name.as_str().into(), text(value))).collect();
            Ok(HttpAnswer { status: parts.status.as_u16(), headers, body })
        };
        let answered = answered.await;
        driver.abort();
        answered
    }
}

impl std::fmt::Display for MerchantUrl {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "http://{}{}", self.address, self.resource())
    }
}
