//! `tagih sandbox`: the DOKU look-alike for any client, until interrupted.
#![allow(clippy::doc_markdown, reason = "help texts for people")]

use std::path::PathBuf;

use clap::{Args, ValueEnum};
use tokio::signal::unix::{SignalKind, signal};

use super::failure::Failure;
use super::output;
use super::setup::Setup;
use crate::exit::Exit;
use crate::sandbox::fault::Faults;
use crate::sandbox::model::Model;
use crate::sandbox::server::{self, Options};
use crate::sandbox::settings::{RedeliveryId, Settings};

/// Where it listens unless told otherwise; `init --sandbox` writes this address.
pub(super) const LISTEN: &str = "127.0.0.1:8086";

#[derive(Debug, Args)]
pub(super) struct Arguments {
    /// Where to listen; loopback only
    #[arg(long, default_value = LISTEN, value_name = "ADDRESS")]
    listen: std::net::SocketAddr,
    /// Seed of codes and faults
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Percent of attempts that meet a fault
    #[arg(long, default_value_t = 0, value_parser = clap::value_parser!(u8).range(0..=100))]
    faults: u8,
    /// How long a delayed answer takes, in milliseconds
    #[arg(long, default_value_t = 1_000, value_name = "MS")]
    delay_ms: u64,
    /// Append every notification here, as a log for `ingest` and `reconcile`
    #[arg(long, value_name = "FILE")]
    notification_log: Option<PathBuf>,
    /// Send notifications to this URL on loopback
    #[arg(long, value_name = "URL")]
    notify: Option<String>,
    /// Percent of payments whose notification is lost, doubled, overtaken, or has a forged or FAILED one beside it
    #[arg(long, default_value_t = 0, value_name = "PERCENT", value_parser = clap::value_parser!(u8).range(0..=100))]
    notification_faults: u8,
    /// How many seconds of the redelivery schedule (30 min, 6 h, 12 h) pass in one second
    #[arg(long, default_value_t = 1, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    time_scale: u32,
    /// Whether a notification sent again has a new Request-Id
    #[arg(long, default_value = "new", value_name = "ID")]
    redelivery_id: RedeliveryIdArgument,
    /// Ask this URL on loopback about codes nobody registered (direct inquiry)
    #[arg(long, value_name = "URL")]
    inquire: Option<String>,
    /// Ask only about codes that begin with these digits; may be repeated
    #[arg(long, value_name = "DIGITS", requires = "inquire", value_parser = bin)]
    bin: Vec<String>,
    /// Take only what DOKU's pages list, not what its own plugins send
    #[arg(long)]
    strict: bool,
    /// Send errors without a signature
    #[arg(long)]
    unsigned_errors: bool,
    /// Append every order made, changed or cancelled here as JSON Lines
    #[arg(long, value_name = "FILE")]
    record: Option<PathBuf>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum RedeliveryIdArgument {
    /// A new one each time
    New,
    /// That of the first attempt
    Same,
}

fn bin(text: &str) -> Result<String, String> {
    let is_bin = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_bin { Ok(text.to_owned()) } else { Err("a prefix of payment codes is 1 to 20 digits".into()) }
}

pub(super) fn sandbox(setup: &Setup, arguments: &Arguments) -> Result<Exit, Failure> {
    if setup.is_production() {
        return Err(Failure::setting("the sandbox does not run under a production configuration"));
    }
    let mut settings = Settings::new(setup.binding()?.client_id, setup.secret()?, arguments.seed);
    settings.faults = Faults { delay_ms: arguments.delay_ms, ..Faults::mixed(arguments.faults) };
    settings.notification_path.clone_from(&setup.config.serve.notification_path);
    settings.merchant_bin.clone_from(&setup.config.intake.merchant_bin);
    settings.notification_faults_percent = arguments.notification_faults;
    settings.time_scale = arguments.time_scale;
    settings.strict = arguments.strict;
    settings.signs_errors = !arguments.unsigned_errors;
    settings.inquiry_bins.clone_from(&arguments.bin);
    settings.redelivery_id = match arguments.redelivery_id {
        RedeliveryIdArgument::New => RedeliveryId::New,
        RedeliveryIdArgument::Same => RedeliveryId::Same,
    };
    let options = Options {
        record_path: arguments.record.clone(),
        notification_log_path: arguments.notification_log.clone(),
        notification_url: arguments.notify.clone(),
        inquiry_url: arguments.inquire.clone(),
        ..Options::new(arguments.listen)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
        let running = server::start_with(Model::new(settings), options).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidInput => Failure::usage(error),
            _ => Failure::from(error),
        })?;
        output::result(format_args!("sandbox listening on {}", running.base_url()));
        output::note(format_args!("payment simulator at {}/simulator", running.base_url()));
        if setup.config.doku.base_url != running.base_url() {
            output::note(format_args!(
                "note: this configuration sends to `{}`; to send here: doku.base_url = \"{}\"",
                setup.config.doku.base_url,
                running.base_url()
            ));
        }
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
        running.shutdown().await;
        Ok(Exit::Done)
    })
}
