//! The sandbox on a socket: HTTP/1.1 on loopback, with faults carried out on the connection itself.
//!
//! Belongs here: accepting, reading, cutting, waiting. Must not be here: what an answer says ([`super::model`]).

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, Mutex};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::body::{Body, Frame, Incoming};
use hyper::header::{CONTENT_LENGTH, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, watch};
use tokio::task::{JoinHandle, JoinSet};

use super::http::{Fate, HttpAnswer, Request};
use super::merchant::MerchantUrl;
use super::model::{Model, Timing};
use super::shared::{Shared, append};
use super::{control, deliver, simulator, wire};
use crate::clock::{self, Clock, Waiting};

/// How long a stopping server waits for answers under way.
const DRAIN: Duration = Duration::from_secs(5);

/// How long a connection may take to send its headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(30);

/// How long a torn answer keeps the connection open, so that its first part leaves the machine before the cut.
const TEAR: Duration = Duration::from_millis(20);

/// Where and how a sandbox serves.
#[derive(Clone, Debug)]
pub struct Options {
    /// A loopback address; port 0 takes a free one.
    pub listen: SocketAddr,
    /// Most bytes of a request body; more is answered 413.
    pub body_bytes_max: usize,
    /// Gets one JSON line, `{"call":…,"order":…}`, for every mutation that was done, before its answer leaves.
    pub record_path: Option<PathBuf>,
    /// Gets one log line for every notification made over the control endpoint.
    pub notification_log_path: Option<PathBuf>,
    /// `http://` on loopback: notifications made over the control endpoint are posted there, on DOKU's schedule, scaled.
    pub notification_url: Option<String>,
    /// `http://` on loopback: asked about codes nobody registered.
    pub inquiry_url: Option<String>,
    /// What time it is there.
    pub clock: Clock,
}

impl Options {
    /// Bodies up to 64 KiB, nothing recorded, nothing delivered, the machine's time.
    #[must_use]
    pub fn new(listen: SocketAddr) -> Self {
        Self {
            listen,
            body_bytes_max: 65_536,
            record_path: None,
            notification_log_path: None,
            notification_url: None,
            inquiry_url: None,
            clock: Clock::default(),
        }
    }
}

/// A serving sandbox. Dropping it stops it too, without waiting.
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its state, for assertions beside the traffic.
    pub model: Arc<Mutex<Model>>,
    stop: watch::Sender<()>,
    task: JoinHandle<()>,
}

impl Running {
    /// `http://127.0.0.1:PORT`.
    #[must_use]
    pub fn base_url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// Stops accepting and lets what is under way finish, for five seconds at most.
    pub async fn shutdown(self) {
        drop(self.stop);
        if self.task.await.is_err() {
            tracing::warn!("the sandbox's accept loop ended early");
        }
    }
}

/// Serves `model` on `listen`, with [`Options::new`].
///
/// # Errors
/// An address that is not loopback; whatever binding meets.
pub async fn start(model: Model, listen: SocketAddr) -> io::Result<Running> {
    start_with(model, Options::new(listen)).await
}

/// Serves `model` as `options` say.
///
/// # Errors
/// An address or notification URL that is not on loopback; whatever binding and opening files meet.
pub async fn start_with(mut model: Model, options: Options) -> io::Result<Running> {
    if !options.listen.ip().is_loopback() {
        let problem = format!("the sandbox serves loopback only, and `{}` is not\nhint: listen on `127.0.0.1`", options.listen.ip());
        return Err(io::Error::new(io::ErrorKind::InvalidInput, problem));
    }
    let path = model.settings().notification_path.as_str();
    let notification_url =
        options.notification_url.as_deref().map(|url| MerchantUrl::parse(url, "notification", Some(path))).transpose()?;
    let inquiry_url = options.inquiry_url.as_deref().map(|url| MerchantUrl::parse(url, "inquiry", None)).transpose()?;
    let listener = TcpListener::bind(options.listen).await?;
    let addr = listener.local_addr()?;
    model.set_base_url_if_empty(format!("http://{addr}"));
    let model = Arc::new(Mutex::new(model));
    let shared = Arc::new(Shared {
        model: Arc::clone(&model),
        notification_url,
        inquiry_url,
        posted: Notify::new(),
        notification_log: options.notification_log_path.as_deref().map(append).transpose()?,
        record: options.record_path.as_deref().map(append).transpose()?,
        body_bytes_max: options.body_bytes_max,
        clock: options.clock,
    });
    let (stop, stopped) = watch::channel(());
    tokio::spawn(deliver::run(Arc::clone(&shared), stopped.clone()));
    let task = tokio::spawn(accept(listener, shared, stopped));
    Ok(Running { addr, model, stop, task })
}

async fn accept(listener: TcpListener, shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            // An error means that the sender is gone, which is the signal to stop.
            _ = stopped.changed() => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, _)) => {
                    connections.spawn(connection(stream, Arc::clone(&shared), stopped.clone()));
                }
                // Most likely no file descriptor is free; one will be when a connection ends.
                Err(_) => clock::sleep(Duration::from_millis(10)).await,
            },
        }
    }
    drop(listener);
    let drained = async { while connections.join_next().await.is_some() {} };
    if clock::within(DRAIN, drained).await.is_none() {
        tracing::warn!("connections were cut because they did not finish within {} seconds", DRAIN.as_secs());
    }
    if let Err(error) = deliver::flush(&shared) {
        tracing::error!(%error, "the notification log could not be written");
    }
    if clock::within(DRAIN, deliver::answered(&shared)).await.is_none() {
        tracing::warn!("notifications were cut because they were not answered within {} seconds", DRAIN.as_secs());
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, mut stopped: watch::Receiver<()>) {
    if stream.set_nodelay(true).is_err() {
        return;
    }
    let service = service_fn(|incoming| answer(Arc::clone(&shared), incoming));
    let mut builder = http1::Builder::new();
    builder.timer(TokioTimer::new()).header_read_timeout(HEADER_TIMEOUT).title_case_headers(true);
    let serving = builder.serve_connection(TokioIo::new(stream), service);
    let mut serving = std::pin::pin!(serving);
    let ended = tokio::select! {
        ended = serving.as_mut() => ended,
        _ = stopped.changed() => {
            serving.as_mut().graceful_shutdown();
            serving.await
        }
    };
    if let Err(error) = ended {
        // A cut on purpose ends here as well.
        tracing::debug!(%error, "a connection ended early");
    }
}

/// The error that makes hyper drop a connection without an answer.
#[derive(Debug, thiserror::Error)]
#[error("the connection is cut on purpose")]
struct Cut;

async fn answer(shared: Arc<Shared>, incoming: hyper::Request<Incoming>) -> Result<hyper::Response<Outgoing>, Cut> {
    let (parts, body) = incoming.into_parts();
    let body = match Limited::new(body, shared.body_bytes_max).collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => {
            let headers = vec![("Content-Type".into(), "application/json".into())];
            return Ok(whole(&HttpAnswer { status: 413, headers, body: wire::error("Payload Too Large").into() }));
        }
        Err(_) => return Err(Cut),
    };
    let text = |value: &HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let request = Request {
        method: parts.method.as_str().into(),
        path: parts.uri.path_and_query().map_or_else(String::new, ToString::to_string),
        headers: parts.headers.iter().map(|(name, value)| (name.as_str().into(), text(value))).collect(),
        body,
    };
    if request.target().starts_with(control::PREFIX) {
        return Ok(whole(&control::answer(&shared, &request).await));
    }
    if simulator::is_page(request.target()) {
        return Ok(whole(&simulator::answer(&shared, &request).await));
    }
    let reply = shared.handle(&request, Timing::OnArrival);
    match reply.fate {
        Fate::Deliver => Ok(whole(&reply.answer)),
        Fate::DelayThenDeliver(delay_ms) => {
            clock::sleep(Duration::from_millis(delay_ms)).await;
            Ok(whole(&reply.answer))
        }
        Fate::DelayThenProcess(delay_ms) => {
            // A task of its own, because hyper drops this future when the client gives up, and DOKU would not.
            let late = tokio::spawn(async move {
                clock::sleep(Duration::from_millis(delay_ms)).await;
                shared.handle(&request, Timing::Late)
            });
            late.await.map(|reply| whole(&reply.answer)).map_err(|_| Cut)
        }
        Fate::CutBeforeProcessing | Fate::CutAfterProcessing => Err(Cut),
        Fate::Truncated(length) => Ok(torn(&reply.answer, length)),
    }
}

fn response(answer: &HttpAnswer, body: Outgoing) -> hyper::Response<Outgoing> {
    let mut response = hyper::Response::new(body);
    *response.status_mut() = hyper::StatusCode::from_u16(answer.status).unwrap_or(hyper::StatusCode::INTERNAL_SERVER_ERROR);
    for (name, value) in &answer.headers {
        if let (Ok(name), Ok(value)) = (HeaderName::try_from(name), HeaderValue::try_from(value)) {
            response.headers_mut().append(name, value);
        }
    }
    response
}

fn whole(answer: &HttpAnswer) -> hyper::Response<Outgoing> {
    response(answer, Outgoing::Whole(Full::new(answer.body.clone())))
}

/// Announces the whole body and sends `length` bytes of it.
fn torn(answer: &HttpAnswer, length: usize) -> hyper::Response<Outgoing> {
    let part = answer.body.slice(..length.min(answer.body.len()));
    let mut response = response(answer, Outgoing::Torn { part: Some(part), pause: clock::waiting(TEAR) });
    response.headers_mut().insert(CONTENT_LENGTH, HeaderValue::from(answer.body.len()));
    response
}

/// An answer's body: all of it, or a part and then an error that makes hyper drop the connection.
enum Outgoing {
    Whole(Full<Bytes>),
    Torn { part: Option<Bytes>, pause: Waiting },
}

impl Body for Outgoing {
    type Data = Bytes;
    type Error = Cut;

    fn poll_frame(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Cut>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body).poll_frame(context).map_err(|never: Infallible| match never {}),
            Self::Torn { part, pause } => {
                if let Some(part) = part.take() {
                    return Poll::Ready(Some(Ok(Frame::data(part))));
                }
                ready!(pause.as_mut().poll(context));
                Poll::Ready(Some(Err(Cut)))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(body) => body.is_end_stream(),
            Self::Torn { .. } => false,
        }
    }

    fn size_hint(&self) -> hyper::body::SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::Torn { .. } => hyper::body::SizeHint::default(),
        }
    }
}
