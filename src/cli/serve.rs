//! `tagih serve`: DOKU's inquiries and notifications, until interrupted.

use std::net::SocketAddr;
use std::path::Path;
use std::time::Duration;

use jiff::SignedDuration;
use tokio::signal::unix::{SignalKind, signal};

use super::args::Serve;
use super::output;
use super::reconcile::policy;
use super::setup::{Failure, Setup};
use crate::config;
use crate::exit::Exit;
use crate::jobs::serve::{self, ServeOptions, ServingError};
use crate::jobs::stop::{Stop, StopReason};
use crate::ledger::{Create, SqliteLedger};
use crate::serve::log::LogFolder;
use crate::serve::{InvalidSignature, Limits, ServeError, Settings};

impl From<ServingError> for Failure {
    fn from(error: ServingError) -> Self {
        let exit = match error {
            ServingError::Ledger(error) => return error.into(),
            ServingError::Serve(error) => return error.into(),
            ServingError::Evidence(_) => Exit::Input,
            ServingError::Task => Exit::Disk,
        };
        Self::new(exit, error)
    }
}

impl From<ServeError> for Failure {
    fn from(error: ServeError) -> Self {
        let exit = match &error {
            ServeError::Listen { .. } => Exit::Usage,
            ServeError::Held { .. } => Exit::Held,
            ServeError::Folder { .. } => Exit::Disk,
        };
        Self::new(exit, error)
    }
}

pub(super) fn serve(setup: &Setup, arguments: &Serve) -> Result<Exit, Failure> {
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
    let ledger = SqliteLedger::open(setup.ledger_path(), &binding, Create::Never)?;
    let options = ServeOptions {
        settings,
        listen,
        admin_listen,
        folder,
        policy: policy(setup)?,
        reissue_suffix: setup.config.plan.reissue_suffix.clone(),
        close_after: SignedDuration::from_mins(section.close_after_minutes.into()),
        clock: setup.clock.clone(),
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let stop = Stop::default();
        let listening = |address: SocketAddr, admin: Option<SocketAddr>| {
            output::result(format_args!("listening on http://{address}"));
            if let Some(admin) = admin {
                output::result(format_args!("health and metrics on http://{admin}"));
            }
        };
        let stopper = async {
            let code = tokio::select! {
                _ = interrupt.recv() => 130,
                _ = terminate.recv() => 143,
            };
            stop.ask(StopReason::Signal(code));
            std::future::pending::<()>().await;
        };
        tokio::select! {
            ended = serve::serve(ledger, options, &stop, listening) => ended?,
            () = stopper => {}
        }
        // Asked to stop and drained: there is nothing to resume.
        Ok(Exit::Done)
    })
}

fn settings(setup: &Setup, client_id: String) -> Result<Settings, Failure> {
    let section = &setup.config.serve;
    Ok(Settings {
        inquiry_path: section.inquiry_path.clone(),
        notification_path: section.notification_path.clone(),
        client_id,
        keys: setup.verification_keys()?,
        invalid_signature: match section.invalid_signature {
            config::InvalidSignature::Unauthorized => InvalidSignature::Unauthorized,
            config::InvalidSignature::Decline => InvalidSignature::Decline,
        },
        freshness_seconds: section.freshness_seconds,
        customer_name: section.customer_name.clone(),
        limits: Limits {
            connections_max: usize::try_from(section.connections_max.get()).unwrap_or(usize::MAX),
            body_bytes_max: section.body_bytes_max,
            header_timeout: Duration::from_millis(section.header_timeout_ms),
            body_timeout: Duration::from_millis(section.body_timeout_ms),
            drain: Duration::from_secs(section.drain_seconds),
            forged_bytes_max: section.forged_bytes_max,
        },
    })
}

fn address(key: &str, text: &str) -> Result<SocketAddr, Failure> {
    text.parse().map_err(|_| Failure::setting(format!("`serve.{key}` must be an address and port such as 127.0.0.1:8087, not `{text}`")))
}
