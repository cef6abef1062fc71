//! Accepting connections, each with its limits, and letting them go.

use std::io::Write as _;
use std::sync::Arc;
use std::time::Duration;

use axum::{Extension, Router};
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::places::{Place, Places, Taken};
use super::settings::ClientLimits;
use super::shared::Shared;
use super::stream::Impatient;
use crate::clock;

/// Bytes of a request's head at most.
const HEAD_BYTES_MAX: usize = 16_384;
/// Headers of a request at most; DOKU sends about ten, a proxy adds a few.
const HEADERS_MAX: usize = 64;
/// What a client above the cap hears, if it listens.
const BUSY: &[u8] = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n";
/// How long to wait after a failed accept: out of file descriptors, most likely.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);

/// Serves until `stopped`, then until all requests under way have been answered, for [`Limits::drain`] at most.
pub(super) async fn serve(
    listener: TcpListener,
    router: Router,
    shared: Arc<Shared>,
    limits: ClientLimits,
    mut stopped: watch::Receiver<()>,
) {
    let places = Places::new(limits.connections_max, limits.per_address_max, &limits.proxies);
    let mut connections = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            // An error means that the sender is gone, which is the signal to stop.
            _ = stopped.changed() => break,
            accepted = listener.accept() => accepted,
        };
        // What has ended is let go, so that the set does not grow.
        while connections.try_join_next().is_some() {}
        let (stream, peer) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                tracing::warn!(%error, "a connection could not be accepted");
                clock::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        let place = match places.take(peer.ip()) {
            Taken::Free(place) => Arc::new(place),
            Taken::Given(place) => {
                shared.metrics.refused();
                Arc::new(place)
            }
            Taken::None => {
                shared.metrics.refused();
                turn_away(stream);
                continue;
            }
        };
        let (router, shared, stopped) = (router.clone(), Arc::clone(&shared), stopped.clone());
        let (head, body) = (limits.header_timeout, limits.body_timeout);
        connections.spawn(async move {
            shared.metrics.connections.inc();
            connection(stream, router, (head, body), &place, stopped).await;
            shared.metrics.connections.dec();
        });
    }
    drop(listener);
    let all_ended = async { while connections.join_next().await.is_some() {} };
    if clock::within(limits.drain, all_ended).await.is_none() {
        tracing::warn!("requests were still under way when the time to drain was over; none of them was acknowledged");
    }
}

/// Never waits: whoever is above the cap must not cost anything.
fn turn_away(stream: TcpStream) {
    if let Ok(mut stream) = stream.into_std() {
        drop(stream.write(BUSY));
    }
}

async fn connection(
    stream: TcpStream,
    router: Router,
    (head, body): (Duration, Duration),
    place: &Arc<Place>,
    mut stopped: watch::Receiver<()>,
) {
    let router = router.layer(Extension(Arc::clone(place)));
    // Only latency depends on it.
    drop(stream.set_nodelay(true));
    // The time for a head begins when the connection is opened or the answer before it has left: it bounds idling as well.
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        // DOKU's own spelling, `Client-Id`: some receivers compare names with their case.
        .title_case_headers(true)
        // A client that has said all it has to say still gets its answer.
        .half_close(true)
        .header_read_timeout(head)
        .max_headers(HEADERS_MAX)
        .max_buf_size(HEAD_BYTES_MAX)
        .serve_connection(TokioIo::new(Impatient::new(stream, body)), TowerToHyperService::new(router));
    tokio::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = place.given_up() => return,
        _ = stopped.changed() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        tracing::debug!(%error, "a connection ended badly");
    }
}
