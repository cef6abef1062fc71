//! `tagih serve`: DOKU's inquiries and notifications, until interrupted.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::num::NonZero;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::args::Serve;
use super::failure::Failure;
use super::keys::configured_keys;
use super::matching::policy;
use super::output;
use super::setup::Setup;
use crate::exit::Exit;
use crate::jobs::serve::{self, ServeOptions};
use crate::jobs::stop::{Stop, StopReason};
use crate::ledger::Create;
use crate::serve::keys::Keys;
use crate::serve::log::LogFolder;
use crate::serve::{ClientLimits, ServeSettings, THREADS_MIN};

pub(super) fn serve(setup: &Setup, arguments: &Serve) -> Result<Exit, Failure> {
    let threads = std::thread::available_parallelism().map_or(THREADS_MIN, NonZero::get).max(THREADS_MIN);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(threads).enable_all().build()?;
    // Before anything else: from here on no signal ends the program by itself.
    let signals = runtime.block_on(async { Signals::heard() })?;
    let binding = setup.binding()?;
    let section = &setup.config.serve;
    let listen = arguments.listen.map_or_else(|| address("listen", &section.listen), Ok)?;
    let admin_listen = match arguments.admin_listen {
        None if section.admin_listen.is_empty() => None,
        None => Some(address("admin_listen", &section.admin_listen)?),
        given => given,
    };
    let settings = settings(setup, binding.client_id.clone())?;
    let folder = LogFolder::take(Path::new(&section.log_dir))?;
    let ledger = setup.open_ledger(&binding, Create::Never)?;
    let options = ServeOptions {
        settings,
        listen,
        admin_listen,
        folder,
        policy: policy(setup)?,
        close_after: SignedDuration::from_mins(section.close_after_minutes.into()),
        clock: setup.clock.clone(),
        evidence: super::evidence::kept(setup)?,
    };
    let keys = Arc::clone(&options.settings.keys);
    setup.tell_key_end()?;
    let listening = |address: SocketAddr, admin: Option<SocketAddr>| {
        output::done(format_args!("listening on http://{address}"));
        if let Some(admin) = admin {
            output::done(format_args!("health and metrics on http://{admin}"));
        }
    };
    runtime.block_on(async {
        let stop = Stop::default();
        tokio::select! {
            ended = serve::serve(ledger, options, &stop, listening) => ended?,
            never = signals.obeyed(&stop, async || reload(setup, &keys).await) => match never {},
        }
        // Asked to stop and drained: there is nothing to resume.
        Ok(Exit::Done)
    })
}

/// What an operator may say to the running server.
struct Signals {
    interrupt: Signal,
    terminate: Signal,
    hangup: Signal,
}

impl Signals {
    fn heard() -> std::io::Result<Self> {
        Ok(Self {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
            hangup: signal(SignalKind::hangup())?,
        })
    }

    /// SIGINT and SIGTERM ask for a stop, SIGHUP for `reload`.
    async fn obeyed(mut self, stop: &Stop, reload: impl AsyncFn()) -> Infallible {
        loop {
            tokio::select! {
                _ = self.interrupt.recv() => stop.ask(StopReason::Signal(130)),
                _ = self.terminate.recv() => stop.ask(StopReason::Signal(143)),
                // A command that gives the key may take its time; a stop does not wait for it.
                _ = self.hangup.recv() => tokio::select! {
                    () = reload() => {}
                    _ = self.interrupt.recv() => stop.ask(StopReason::Signal(130)),
                    _ = self.terminate.recv() => stop.ask(StopReason::Signal(143)),
                },
            }
        }
    }
}

/// Reads what the configuration says of the keys, and the keys, again; every other setting stays. What cannot be read leaves the keys as they
/// are: the server goes on with those it has.
async fn reload(setup: &Setup, keys: &Keys) {
    let file = setup.file.clone();
    let read = tokio::task::spawn_blocking(move || configured_keys(&Setup::read_again(file.as_deref())?.doku)).await;
    match read.unwrap_or_else(|error| Err(Failure::new(Exit::Disk, error))) {
        Ok(read) => {
            tracing::info!(keys = read.len(), "the secrets were read again");
            keys.replace(read);
        }
        Err(failure) => {
            tracing::error!(reason = failure.message, "the secrets could not be read again, so the keys stay as they were");
        }
    }
}

fn settings(setup: &Setup, client_id: String) -> Result<ServeSettings, Failure> {
    let section = &setup.config.serve;
    Ok(ServeSettings {
        inquiry_path: section.inquiry_path.clone(),
        notification_path: section.notification_path.clone(),
        client_id,
        keys: Arc::new(Keys::new(setup.configured_keys()?)),
        invalid_signature: section.invalid_signature,
        inquiry_suffix: section.inquiry_suffix.clone(),
        refusal_details: section.refusal_details,
        sign_refusals: section.sign_refusals,
        info_key: setup.config.doku.info.key,
        freshness_seconds: section.freshness_seconds,
        customer_name: section.customer_name.clone(),
        limits: ClientLimits {
            connections_max: usize::try_from(section.connections_max.get()).unwrap_or(usize::MAX),
            per_address_max: usize::try_from(section.connections_per_address_max.get()).unwrap_or(usize::MAX),
            proxies: section.proxies.clone(),
            body_bytes_max: section.body_bytes_max,
            header_timeout: Duration::from_millis(section.header_timeout_ms),
            body_timeout: Duration::from_millis(section.body_timeout_ms),
            drain: Duration::from_secs(section.drain_seconds),
            forged_bytes_max: section.forged_bytes_max,
            reserved_bytes: section.reserved_bytes,
            answers_bytes_max: section.answers_bytes_max,
        },
    })
}

fn address(key: &str, text: &str) -> Result<SocketAddr, Failure> {
    text.parse().map_err(|_| Failure::setting(format!("`serve.{key}` must be an address and port such as 127.0.0.1:8087, not `{text}`")))
}
