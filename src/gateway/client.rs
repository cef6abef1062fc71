//! The real way to DOKU: reqwest over TLS, or plain HTTP to a sandbox on loopback.

use std::error::Error;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use jiff::Timestamp;
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Certificate, Client, ClientBuilder, Proxy, Response, redirect, retry};

use super::Gateway;
use crate::clock::Clock;
use crate::doku::signature::{Components, SigningKey, Stamp};
use crate::doku::wire::{Answer, Delivery, HttpMethod, SignatureFinding, WireRequest};
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
    /// Certificates (PEM) that alone vouch for DOKU's; without, this system's.
    pub root_certificates: Option<Vec<u8>>,
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
    /// When the certificates, the TLS set-up of this machine or the proxy's URL cannot be used.
    pub fn new(endpoint: Endpoint, key: SigningKey, clock: Clock) -> Result<Self, reqwest::Error> {
        Ok(Self { client: builder(&endpoint)?.build()?, endpoint, key, previous_key: None, clock })
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
        let has_body = request.method != HttpMethod::Get;
        let components = Components {
            client_id: &self.endpoint.client_id,
            request_id: &request_id,
            stamp: Stamp::Request(&timestamp),
            target: &request.path,
            body: has_body.then_some(request.body.as_ref()),
        };
        let signature = self.key.sign(&components).map_err(|error| error.to_string())?;
        let method = match request.method {
            HttpMethod::Get => reqwest::Method::GET,
            HttpMethod::Post => reqwest::Method::POST,
            HttpMethod::Patch => reqwest::Method::PATCH,
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

    fn plain(&self, error: &reqwest::Error) -> String {
        plain(&self.endpoint.base_url, error)
    }

    async fn receive(&self, request: &WireRequest, mut response: Response, sent_at: Timestamp) -> Result<Answer, String> {
        let status = response.status().as_u16();
        let retry_after_seconds = header(response.headers(), "retry-after").and_then(|value| seconds_until(value, self.clock.now()));
        let mut body = BytesMut::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| self.plain(&error))? {
            if body.len().saturating_add(chunk.len()) > ANSWER_BYTES_MAX {
                return Err("the answer is longer than a mebibyte".into());
            }
            body.extend_from_slice(&chunk);
        }
        let body = body.freeze();
        let signature = self.check(request, response.headers(), &body);
        // Only what DOKU has signed is its own clock: a `Date` may be a proxy's.
        let responded_at = header(response.headers(), "response-timestamp").filter(|_| signature == SignatureFinding::Valid);
        let ahead_seconds = responded_at.and_then(|at| at.parse().ok()).map(|at| ahead_seconds(at, sent_at, self.clock.now()));
        Ok(Answer { status, retry_after_seconds, ahead_seconds, signature, body })
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
                || request.method == HttpMethod::Get && key.verify(&Components { body: None, ..components }, signature).is_ok();
            key.verify(&components, signature).is_ok() || without_digest()
        };
        let previous = self.previous_key.as_ref().filter(|key| key.is_believed(Some(self.clock.now())));
        if fits(&self.key) || previous.is_some_and(fits) { SignatureFinding::Valid } else { SignatureFinding::Wrong }
    }
}

impl Gateway for HttpGateway {
    async fn send(&self, request: &WireRequest) -> Delivery {
        let sent_at = self.clock.now();
        let prepared = match self.prepare(request) {
            Ok(prepared) => prepared,
            Err(reason) => return Delivery::NotSent(reason),
        };
        match prepared.send().await {
            Ok(response) => self.receive(request, response, sent_at).await.map_or_else(Delivery::Unknown, Delivery::Answered),
            Err(error) if never_arrived(&error) => Delivery::NotSent(self.plain(&error)),
            Err(error) => Delivery::Unknown(self.plain(&error)),
        }
    }
}

/// What the client for `endpoint` is made of.
pub(super) fn builder(endpoint: &Endpoint) -> Result<ClientBuilder, reqwest::Error> {
    let builder = Client::builder()
        .connect_timeout(Duration::from_millis(endpoint.connect_ms))
        .timeout(Duration::from_millis(endpoint.request_ms))
        .redirect(redirect::Policy::none())
        // One retry layer, and it is the job's: it knows which bytes may be sent twice.
        .retry(retry::never())
        // DOKU's own spelling, `Client-Id`, where the protocol keeps it: some servers compare names with their case.
        .http1_title_case_headers()
        .tcp_nodelay(true)
        .user_agent(concat!("tagih/", env!("CARGO_PKG_VERSION")));
    let roots = endpoint.root_certificates.as_ref().map(|pem| Certificate::from_pem_bundle(pem)).transpose()?;
    // Whoever may set a variable of this process is not to say who DOKU is: with these the environment is not looked at.
    let builder = match roots {
        Some(roots) => builder.tls_certs_only(roots),
        None => builder,
    };
    Ok(match &endpoint.proxy {
        ProxyChoice::Direct => builder.no_proxy(),
        ProxyChoice::Environment => builder,
        ProxyChoice::Through(url) => builder.no_proxy().proxy(Proxy::all(url)?),
    })
}

/// Whether a request that failed so provably did not reach DOKU: there was no connection, tunnel or TLS to send it through, or the
/// server says that it has not begun with it.
fn never_arrived(error: &reqwest::Error) -> bool {
    error.is_connect() || error.is_builder() || chain(error).any(is_refused_stream)
}

/// HTTP/2's word, by the server, that a stream was closed before anything was done with it (RFC 9113, section 8.7). A GOAWAY says the
/// same of the streams above the last it names, but which that is, is not to be learnt here: what it cuts off stays in doubt.
fn is_refused_stream(cause: &(dyn Error + 'static)) -> bool {
    let stream = cause.downcast_ref::<h2::Error>().filter(|error| error.is_reset() && error.is_remote());
    stream.and_then(h2::Error::reason) == Some(h2::Reason::REFUSED_STREAM)
}

/// What an error came from, outermost first, without itself.
fn chain(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |&cause| cause.source())
}

/// `Retry-After`: whole seconds, or a date (RFC 9110, section 10.2.3).
fn seconds_until(value: &str, now: Timestamp) -> Option<u64> {
    let value = value.trim();
    value.parse().ok().or_else(|| {
        let at = jiff::fmt::rfc2822::parse(value).ok()?.timestamp();
        u64::try_from(at.as_second().saturating_sub(now.as_second())).ok()
    })
}

/// By how much `responded_at` lies after the time in which the answer can have been made; negative, before it.
pub(super) fn ahead_seconds(responded_at: Timestamp, sent_at: Timestamp, received_at: Timestamp) -> i64 {
    let (at, from, to) = (responded_at.as_second(), sent_at.as_second(), received_at.as_second());
    if at < from { at.saturating_sub(from) } else { at.saturating_sub(to).max(0) }
}

/// Why `base_url` gave no answer, in one line.
pub(super) fn plain(base_url: &str, error: &reqwest::Error) -> String {
    let host = base_url.split_once("://").map_or(base_url, |(_, host)| host);
    let causes = causes(error);
    match (error.is_timeout(), error.is_connect()) {
        (true, true) => format!("{host} takes no connection within the time limit"),
        (true, false) => "no answer within the time limit".into(),
        (false, true) => no_connection(host, &causes),
        (false, false) if causes.is_empty() => "the request failed".into(),
        (false, false) => causes.join(": "),
    }
}

pub(super) fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
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
    // The outermost only says that it is one.
    chain(error).map(ToString::to_string).filter(|cause| !cause.starts_with("client error")).collect()
}

/// Why there is no connection to `host`, in one line: host, what failed, the innermost cause.
fn no_connection(host: &str, causes: &[String]) -> String {
    let words = CONNECTING.iter().find(|(sign, _)| causes.iter().any(|cause| cause.starts_with(sign)));
    let what = words.map_or("has no TLS that can be trusted", |(_, what)| what);
    format!("{host} {what}: {}", causes.last().map_or("no reason given", String::as_str))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// What an HTTP/2 server does with a request it has read.
    #[derive(Clone, Copy, Debug)]
    enum Meets {
        /// Closes its stream.
        Resets(h2::Reason),
        /// Begins an answer, and then closes the stream.
        ResetsAfterHeaders(h2::Reason),
        /// Closes the connection.
        GoesAway(h2::Reason),
    }

    async fn serve(listener: tokio::net::TcpListener, meets: Meets) {
        let (stream, _) = listener.accept().await.unwrap();
        let mut connection = h2::server::handshake(stream).await.unwrap();
        // Dropping either half of a stream would reset it.
        let mut held = Vec::new();
        while let Some(Ok((request, mut respond))) = connection.accept().await {
            match meets {
                Meets::Resets(reason) => respond.send_reset(reason),
                Meets::ResetsAfterHeaders(reason) => {
                    let mut body = respond.send_response(hyper::Response::new(()), false).unwrap();
                    // What has not been written yet would be dropped.
                    tokio::spawn(async move {
                        tokio::time::sleep(Duration::from_millis(200)).await;
                        body.send_reset(reason);
                    });
                }
                Meets::GoesAway(reason) => connection.abrupt_shutdown(reason),
            }
            held.push((request, respond));
        }
    }

    async fn delivered(meets: Meets) -> Delivery {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base_url = format!("http://{}", listener.local_addr().unwrap());
        let server = tokio::spawn(serve(listener, meets));
        let (client_id, proxy) = ("C".to_owned(), ProxyChoice::Direct);
        let endpoint = Endpoint { base_url, client_id, connect_ms: 5_000, request_ms: 5_000, proxy, root_certificates: None };
        let client = builder(&endpoint).unwrap().http2_prior_knowledge().build().unwrap();
        let key = SigningKey::new(&secrecy::SecretString::from("SK"));
        let gateway = HttpGateway { client, endpoint, key, previous_key: None, clock: Clock::default() };
        let request_id = crate::domain::ids::RequestId::from_digest(&crate::domain::digest::of_bytes(b"id"));
        let (method, path, body) = (HttpMethod::Post, "/payment-code".to_owned(), Bytes::from_static(b"{}"));
        let delivery = gateway.send(&WireRequest { method, path, request_id, body }).await;
        server.abort();
        delivery
    }

    #[test]
    fn only_a_stream_that_the_server_itself_refused_was_not_sent() {
        use Meets::{GoesAway, Resets, ResetsAfterHeaders};
        use h2::Reason;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let told = |meets| runtime.block_on(delivered(meets));
        let refused = told(Resets(Reason::REFUSED_STREAM));
        assert!(matches!(&refused, Delivery::NotSent(words) if words.contains("refused stream")), "{refused:?}");
        for meets in [
            Resets(Reason::NO_ERROR),
            Resets(Reason::CANCEL),
            Resets(Reason::INTERNAL_ERROR),
            Resets(Reason::ENHANCE_YOUR_CALM),
            ResetsAfterHeaders(Reason::REFUSED_STREAM),
            GoesAway(Reason::NO_ERROR),
            GoesAway(Reason::REFUSED_STREAM),
        ] {
            let delivery = told(meets);
            assert!(matches!(delivery, Delivery::Unknown(_)), "{meets:?}: {delivery:?}");
        }
        // Our own side's word proves nothing.
        assert!(!is_refused_stream(&h2::Error::from(Reason::REFUSED_STREAM)));
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = at("1994-11-06T08:49:00Z");
        assert_eq!(seconds_until("120", now), Some(120));
        assert_eq!(seconds_until("Sun, 06 Nov 1994 08:49:37 GMT", now), Some(37));
        assert_eq!(seconds_until("Sun, 06 Nov 1994 08:48:37 GMT", now), None, "past");
        assert_eq!(seconds_until("soon", now), None);
    }

    #[test]
    fn a_clock_is_measured_against_the_whole_time_the_answer_took() {
        let (sent, received) = (at("2026-10-01T00:00:10Z"), at("2026-10-01T00:00:40Z"));
        for (responded, ahead) in [("2026-10-01T00:00:30Z", 0), ("2026-10-01T00:01:41Z", 61), ("2026-09-30T23:59:10Z", -60)] {
            assert_eq!(ahead_seconds(at(responded), sent, received), ahead, "{responded}");
        }
    }
}
