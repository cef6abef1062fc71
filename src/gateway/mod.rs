//! The way out to DOKU: one trait, a real client behind it, pacing and retries in front.
//!
//! Belongs here: sockets, timeouts, permits. Must not be here: what an answer means (`doku::answer`) or what to send.

mod certificate;
pub mod client;
pub mod heartbeat;
pub mod pacing;
pub mod probe;
pub mod retry;

use std::future::Future;

use crate::doku::wire::{Delivery, WireRequest};

/// One attempt at one request. Retries, pacing and meaning are the caller's.
pub trait Gateway: Sync {
    /// Stamps, signs, sends and waits for the answer, each within its time limit.
    fn send(&self, request: &WireRequest) -> impl Future<Output = Delivery> + Send;
}

/// No way out: what is not there sends nothing.
impl<G: Gateway> Gateway for Option<G> {
    async fn send(&self, request: &WireRequest) -> Delivery {
        match self {
            Some(gateway) => gateway.send(request).await,
            None => Delivery::NotSent("there is no secret key to sign with".into()),
        }
    }
}
