//! The real way to DOKU: reqwest over TLS, or plain HTTP to a sandbox on loopback.

use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Client, Proxy, Response, redirect, retry};

use super::Gateway;
use crate::clock::Clock;
use crate::doku::signature::{Components, SigningKey, Stamp};
use crate::doku::wire::{Answer, Delivery, Method, SignatureFinding, WireRequest};
use crate::domain::calendar;

/// DOKU's answers are a few hundred bytes; more than this is not one.
const ANSWER_BYTES_MAX: usize = 1 << 20;

/// The way through a proxy. Only what the configuration says: a proxy of the environment is somebody else's word.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProxyChoice {
    /// Straight to DOKU.
    Direct,
    /// As `HTTPS_PROXY`, `HTTP_PROXY`, `ALL_PROXY` and `NO_PROXY` say.
    Environment,
    /// Through this one, by its URL.
    Through(String),
}

/// Where to send and how long to wait.
#[derive(Clone, Debug)]
pub struct Endpoint {
    /// Scheme and host, without a slash at the end.
    pub base_url: String,
    /// Our `Client-Id`.
    pub client_id: String,
    /// Time to connect, in milliseconds.
    pub connect_ms: u64,
    /// Time for the whole request, in milliseconds.
    pub request_ms: u64,
    /// The way through a proxy, if any.
    pub proxy: ProxyChoice,
}

/// A signing HTTP client.
#[derive(Clone, Debug)]
pub struct HttpGateway {
    client: Client,
    endpoint: Endpoint,
    /// The present key, which signs.
    key: SigningKey,
    /// The one before it, while it is being replaced: DOKU may still answer with it.
    previous_key: Option<SigningKey>,
    clock: Clock,
}

impl HttpGateway {
    /// A client for `endpoint` that signs with `key` and stamps by `clock`.
    ///
    /// # Errors
    /// When the TLS set-up of this machine, or the proxy's URL, cannot be used.
    pub fn new(endpoint: Endpoint, key: SigningKey, clock: Clock) -> Result<Self, reqwest::Error> {
        let mut builder = Client::builder()
            .connect_timeout(Duration::from_millis(endpoint.connect_ms))
            .timeout(Duration::from_millis(endpoint.request_ms))
            .redirect(redirect::Policy::none())
            // One retry layer, and it is the job's: it knows which bytes may be sent twice.
            .retry(retry::never())
            .tcp_nodelay(true)
            .user_agent(concat!("tagih/", env!("CARGO_PKG_VERSION")));
        builder = match &endpoint.proxy {
            ProxyChoice::Direct => builder.no_proxy(),
            ProxyChoice::Environment => builder,
            ProxyChoice::Through(url) => builder.no_proxy().proxy(Proxy::all(url)?),
        };
        Ok(Self { client: builder.build()?, endpoint, key, previous_key: None, clock })
    }

    /// The same client, which also believes answers signed with the key before this one.
    #[must_use]
    pub fn believing(self, previous_key: Option<SigningKey>) -> Self {
        Self { previous_key, ..self }
    }

    fn prepare(&self, request: &WireRequest) -> Result<reqwest::RequestBuilder, String> {
        let url = format!("{}{}", self.endpoint.base_url, request.path);
        let request_id = request.request_id.to_string();
        let timestamp = calendar::format_utc_seconds(self.clock.now());
        let has_body = request.method != Method::Get;
        let components = Components {
            client_id: &self.endpoint.client_id,
            request_id: &request_id,
            stamp: Stamp::Request(&timestamp),
            target: &request.path,
            body: has_body.then_some(request.body.as_ref()),
        };
        let signature = self.key.sign(&components).map_err(|error| error.to_string())?;
        let method = match request.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
            Method::Patch => reqwest::Method::PATCH,
        };
        let mut builder = self
            .client
            .request(method, url)
            .header("Client-Id", &self.endpoint.client_id)
            .header("Request-Id", request_id)
            .header("Request-Timestamp", timestamp)
            .header("Signature", signature);
        if has_body {
            builder = builder.header(CONTENT_TYPE, "application/json").body(request.body.clone());
        }
        Ok(builder)
    }

    /// Why there was no answer, in one line.
    fn plain(&self, error: &reqwest::Error) -> String {
        let host = self.endpoint.base_url.split_once("://").map_or(self.endpoint.base_url.as_str(), |(_, host)| host);
        let causes = causes(error);
        match (error.is_timeout(), error.is_connect()) {
            (true, true) => format!("{host} takes no connection within the time limit"),
            (true, false) => "no answer within the time limit".into(),
            (false, true) => no_connection(host, &causes),
            (false, false) if causes.is_empty() => "the request failed".into(),
            (false, false) => causes.join(": "),
        }
    }

    async fn receive(&self, request: &WireRequest, mut response: Response) -> Result<Answer, String> {
        let status = response.status().as_u16();
        let retry_after_seconds = header(response.headers(), "retry-after").and_then(|value| value.parse().ok());
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.plain(&error))? {
            if body.len().saturating_add(chunk.len()) > ANSWER_BYTES_MAX {
                return Err("the answer is longer than a mebibyte".into());
            }
            body.extend_from_slice(&chunk);
        }
        let body = body.freeze();
        let signature = self.check(request, response.headers(), &body);
        Ok(Answer { status, retry_after_seconds, signature, body })
    }

    /// With the body's digest first; answers to GET are also seen signed without it.
    fn check(&self, request: &WireRequest, headers: &HeaderMap, body: &Bytes) -> SignatureFinding {
        let (Some(signature), Some(timestamp)) = (header(headers, "signature"), header(headers, "response-timestamp")) else {
            return SignatureFinding::Absent;
        };
        let request_id = request.request_id.to_string();
        let components = Components {
            client_id: &self.endpoint.client_id,
            request_id: &request_id,
            stamp: Stamp::Response(timestamp),
            target: &request.path,
            body: Some(body),
        };
        let fits = |key: &SigningKey| {
            let without_digest =
                || request.method == Method::Get && key.verify(&Components { body: None, ..components }, signature).is_ok();
            key.verify(&components, signature).is_ok() || without_digest()
        };
        if fits(&self.key) || self.previous_key.as_ref().is_some_and(fits) { SignatureFinding::Valid } else { SignatureFinding::Wrong }
    }
}

impl Gateway for HttpGateway {
    async fn send(&self, request: &WireRequest) -> Delivery {
        let prepared = match self.prepare(request) {
            Ok(prepared) => prepared,
            Err(reason) => return Delivery::NotSent(reason),
        };
        match prepared.send().await {
            Ok(response) => self.receive(request, response).await.map_or_else(Delivery::Unknown, Delivery::Answered),
            Err(error) if error.is_connect() || error.is_builder() => Delivery::NotSent(self.plain(&error)),
            Err(error) => Delivery::Unknown(self.plain(&error)),
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

/// What connecting failed at, by the words in the error's causes; what is not here failed while TLS was set up.
const CONNECTING: [(&str, &str); 4] = [
    ("dns error", "is not known (DNS)"),
    ("tcp connect error", "takes no connection"),
    ("unsuccessful tunnel", "cannot be reached through the proxy"),
    ("proxy", "cannot be reached through the proxy"),
];

/// The error's causes, outermost first, without the URL: an invoice number may be in it.
fn causes(error: &reqwest::Error) -> Vec<String> {
    let causes = std::iter::successors(std::error::Error::source(error), |cause| cause.source());
    // The outermost only says that it is one.
    causes.map(ToString::to_string).filter(|cause| !cause.starts_with("client error")).collect()
}

/// Why there is no connection to `host`, in one line: host, what failed, the innermost cause.
fn no_connection(host: &str, causes: &[String]) -> String {
    let words = CONNECTING.iter().find(|(sign, _)| causes.iter().any(|cause| cause.starts_with(sign)));
    let what = words.map_or("has no TLS that can be trusted", |(_, what)| what);
    format!("{host} {what}: {}", causes.last().map_or("no reason given", String::as_str))
}
