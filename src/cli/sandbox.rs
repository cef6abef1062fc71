//! `tagih sandbox`: the DOKU look-alike for any client, until interrupted.

use super::args::Sandbox;
use super::output;
use super::setup::{Failure, Setup};
use crate::exit::Exit;
use crate::sandbox::fault::Faults;
use crate::sandbox::model::Model;
use crate::sandbox::server::{self, Options};
use crate::sandbox::settings::Settings;

pub(super) fn sandbox(setup: &Setup, arguments: &Sandbox) -> Result<Exit, Failure> {
    if setup.is_production() {
        return Err(Failure::usage("the sandbox does not run under a production configuration"));
    }
    let mut settings = Settings::new(setup.binding()?.client_id, setup.secret()?, arguments.seed);
    settings.faults = Faults { delay_ms: arguments.delay_ms, ..Faults::mixed(arguments.faults) };
    settings.notification_path.clone_from(&setup.config.serve.notification_path);
    settings.merchant_bin.clone_from(&setup.config.intake.merchant_bin);
    let options = Options {
        record_path: arguments.record.clone(),
        notification_log_path: arguments.notification_log.clone(),
        notification_url: arguments.notify.clone(),
        ..Options::new(arguments.listen)
    };
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        let running = server::start_with(Model::new(settings), options).await.map_err(|error| match error.kind() {
            std::io::ErrorKind::InvalidInput => Failure::usage(error),
            _ => Failure::from(error),
        })?;
        output::result(format_args!("sandbox listening on {}", running.base_url()));
        tokio::signal::ctrl_c().await?;
        running.shutdown().await;
        Ok(Exit::Done)
    })
}
