//! `tagih doctor`: gathers what is known of this machine and prints what `jobs::doctor` makes of it.

mod machine;
mod records;
mod secrets;

use std::net::SocketAddr;
use std::time::Duration;

use super::failure::Failure;
use super::global::Global;
use super::output;
use super::sender::{endpoint, proxy, proxy_variables};
use super::setup::Setup;
use crate::clock;
use crate::config::Config;
use crate::doku::answer::SignaturePolicy;
use crate::exit::Exit;
use crate::gateway::client::{Endpoint, ProxyChoice};
use crate::gateway::probe::{Probe, probe};
use crate::jobs::doctor::{self, Check, DoctorFacts, DoctorFinding, DoctorSettings, Level, Network, Way};

#[derive(Debug, clap::Args)]
#[allow(clippy::doc_markdown, reason = "help texts for people")]
pub(in crate::cli) struct Arguments {
    /// Make no connection: name, TLS, certificate and clock are left out
    #[arg(long)]
    pub(in crate::cli) offline: bool,
    /// Open the ledger without verifying all of it
    #[arg(long, conflicts_with = "head")]
    pub(in crate::cli) quick: bool,
    /// A `sequence:hash` from an earlier summary: finds an older copy put back
    #[arg(long, value_name = "HEAD")]
    pub(in crate::cli) head: Option<String>,
}

/// A look at the way to DOKU takes no longer, whatever the settings allow a request.
const LOOK_MS_MAX: u64 = 10_000;

pub(super) fn doctor(global: &Global, arguments: &Arguments) -> Result<Exit, Failure> {
    let findings = match Setup::load(global, &[]) {
        Ok(setup) => self::findings(&setup, arguments)?,
        // What cannot be configured cannot be looked at either.
        Err(failure) => {
            let (found, remedy) = failure.message.split_once("\nhint: ").unwrap_or((&failure.message, Check::Configuration.code().remedy));
            vec![DoctorFinding::error(Check::Configuration, found, remedy)]
        }
    };
    if global.json {
        output::result(json(&findings));
    } else {
        print(&findings, global.quiet);
    }
    Ok(findings.iter().map(exit).fold(Exit::Done, Exit::or))
}

/// What is found with these settings.
pub(super) fn findings(setup: &Setup, arguments: &Arguments) -> Result<Vec<DoctorFinding>, Failure> {
    Ok(doctor::examine(&facts(setup, arguments)?))
}

/// What a finding ends the command with: the same as the command that would meet it.
fn exit(finding: &DoctorFinding) -> Exit {
    match (finding.level, finding.check) {
        (Level::Ok, _) => Exit::Done,
        (Level::Warning, _) => Exit::Look,
        (Level::Error, Check::Chain) => Exit::Damaged,
        (Level::Error, Check::Dns | Check::Tls | Check::Certificate) => Exit::Breaker,
        (Level::Error, Check::Space | Check::Sync | Check::FileSystem | Check::Owner | Check::Lock | Check::Log) => Exit::Disk,
        (Level::Error, _) => Exit::Usage,
    }
}

fn count(findings: &[DoctorFinding], level: Level) -> usize {
    findings.iter().filter(|finding| finding.level == level).count()
}

fn print(findings: &[DoctorFinding], quiet: bool) {
    for finding in findings.iter().filter(|finding| !quiet || finding.level != Level::Ok) {
        let DoctorFinding { check, level, found, remedy } = finding;
        let indented = found.replace('\n', "\n         ");
        output::result(format_args!("{:<8} {:<13} {indented}", level.name(), check.name()));
        if !remedy.is_empty() {
            output::result(format_args!("         hint: {} [{}]", remedy.replace('\n', "\n         "), check.code()));
        }
    }
    if !quiet {
        let [ok, warnings, errors] = [Level::Ok, Level::Warning, Level::Error].map(|level| count(findings, level));
        output::result(format_args!("ok {ok}, warnings {warnings}, errors {errors}"));
    }
}

pub(super) fn json(findings: &[DoctorFinding]) -> serde_json::Value {
    let one = |finding: &DoctorFinding| {
        let DoctorFinding { check, level, found, remedy } = finding;
        serde_json::json!({
            "check": check.name(), "level": level.name(), "code": check.code().id, "found": found, "remedy": remedy,
        })
    };
    serde_json::json!({
        "ok": count(findings, Level::Ok), "warnings": count(findings, Level::Warning), "errors": count(findings, Level::Error),
        "findings": findings.iter().map(one).collect::<Vec<_>>(),
    })
}

fn facts(setup: &Setup, arguments: &Arguments) -> Result<DoctorFacts, Failure> {
    let secrets = secrets::of(setup);
    let in_variable = secrets.iter().any(|secret| matches!(secret.kept, doctor::Kept::Variable(_)));
    let records = records::of(setup, arguments.quick, arguments.head.as_deref())?;
    let can_be_asked = matches!(records.ledger, doctor::LedgerState::Opened { .. } | doctor::LedgerState::Verified { .. });
    Ok(DoctorFacts {
        settings: settings(&setup.config, in_variable),
        secrets: if can_be_asked { secrets::said(setup, secrets) } else { secrets },
        network: network(setup, arguments.offline)?,
        records,
        host: machine::of(setup),
    })
}

fn settings(config: &Config, secret_in_variable: bool) -> DoctorSettings {
    let (guard, serve) = (&config.guard, &config.serve);
    let limits = [guard.rows_max, guard.rupiah_max, guard.amount_max, guard.cancellations_max, guard.changed_share_max];
    DoctorSettings {
        is_production: config.doku.environment == crate::config::Environment::Production,
        host: host(&config.doku.base_url).to_owned(),
        client_id: config.doku.client_id.clone(),
        believes_unsigned: config.doku.verify_response == SignaturePolicy::Off,
        trusts_log: config.reconcile.unverifiable == "trust_log",
        has_guard: limits.iter().any(|limit| *limit > 0),
        rate_per_second: config.pacing.rate_per_second.get(),
        request_ms: config.timeout.request_ms,
        breaker_failures: config.retry.breaker_failures,
        freshness_seconds: serve.freshness_seconds,
        refusal_details: serve.refusal_details,
        listens_publicly: serve.listen.parse().is_ok_and(|address: SocketAddr| !address.ip().is_loopback()),
        has_admin_listen: !serve.admin_listen.is_empty(),
        connections_max: serve.connections_max.get().into(),
        secret_in_variable,
    }
}

/// What stands between scheme and port.
fn host(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    let rest = rest.split('/').next().unwrap_or_default();
    match rest.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host,
        _ => rest,
    }
}

fn network(setup: &Setup, offline: bool) -> Result<Network, Failure> {
    let base_url = &setup.config.doku.base_url;
    let way = match proxy(setup) {
        ProxyChoice::Direct => Way::Direct,
        ProxyChoice::Environment => Way::Environment,
        ProxyChoice::Through(url) => Way::Through(url),
    };
    let look = || match endpoint(setup) {
        Ok(endpoint) => looked(setup, endpoint).map(Ok),
        // Whose certificates to believe is not said: a finding like any other.
        Err(failure) => Ok(Err(failure.message)),
    };
    Ok(Network {
        host: host(base_url).to_owned(),
        has_tls: base_url.starts_with("https://"),
        way,
        proxy_variables: proxy_variables().into_iter().map(str::to_owned).collect(),
        probe: if offline { None } else { Some(look()?) },
        now_seconds: setup.clock.now().as_second(),
    })
}

/// What is found on the way, within a limit of its own.
fn looked(setup: &Setup, mut endpoint: Endpoint) -> Result<Probe, Failure> {
    endpoint.connect_ms = endpoint.connect_ms.min(LOOK_MS_MAX);
    endpoint.request_ms = endpoint.request_ms.min(LOOK_MS_MAX);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let looked = runtime.block_on(async {
        // A name is looked up without a limit of its own.
        clock::within(Duration::from_millis(2 * LOOK_MS_MAX), probe(&endpoint, &setup.clock)).await
    });
    let silent = || Probe { addresses: None, heard: Err("no answer within the time limit".into()) };
    // A look-up that hangs would be waited for.
    runtime.shutdown_background();
    Ok(looked.unwrap_or_else(silent))
}
