//! What a sending command holds while it runs: lock, ledger, gateway, pacing; and how it stops.

use std::fmt::Display;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::SecretString;

use super::failure::Failure;
use super::output;
use super::setup::Setup;
use super::stopping::{listen, tell_no_way};
use crate::config::Doku;
use crate::doku::answer::Trust;
use crate::doku::signature::SigningKey;
use crate::domain::check_status::Schedule;
use crate::domain::doubt::Patience;
use crate::domain::plan::Rules;
use crate::exit::Exit;
use crate::gateway::client::{Endpoint, HttpGateway, ProxyChoice};
use crate::gateway::pacing::{Pacer, Rate, RealTime, in_flight, reachable_per_second};
use crate::gateway::retry::RetryPolicy;
use crate::jobs::caller::Caller;
use crate::jobs::issue::{IssueSettings, Issuing};
use crate::jobs::stop::Stop;
use crate::jobs::sync::Syncing;
use crate::jobs::watch::Watch;
use crate::ledger::{Create, SenderLock, Store};
use crate::private;
use crate::random::MachineRandomness;

/// What of a run's behaviour comes from flags.
pub(super) struct Flags {
    pub(super) command: &'static str,
    pub(super) new_ledger: bool,
    pub(super) reissue_expired: bool,
    pub(super) retry_rejected: bool,
    pub(super) sequence_from: Option<u64>,
}

/// Everything a sender holds while it runs.
pub(super) struct Sender {
    _lock: Option<SenderLock>,
    pub(super) ledger: Store,
    /// None without a secret: nothing can be sent then.
    gateway: Option<HttpGateway>,
    pacer: Pacer<RealTime>,
    watch: Watch,
    rate: Rate,
    pub(super) stop: Stop,
    settings: IssueSettings,
    retry: RetryPolicy,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
    request_ms: u64,
    quiet: bool,
}

impl Sender {
    pub(super) fn open(setup: &Setup, flags: &Flags, secret: Option<&SecretString>) -> Result<Self, Failure> {
        let config = &setup.config;
        let binding = setup.binding()?;
        let clock = setup.clock.clone();
        let create =
            if flags.new_ledger || (flags.command == "issue" && !setup.is_production()) { Create::IfMissing } else { Create::Never };
        let rate = setup.rate();
        let (lock, ledger) = setup.open_ledger_to_send(&binding, create, flags.command, rate.whole())?;
        let endpoint = endpoint(setup)?;
        if let Some(unused) = unused_proxies(setup).filter(|_| secret.is_some() && !setup.quiet) {
            output::note(unused);
        }
        let keys = secret.map(|secret| setup.keys_to_send(secret, &ledger)).transpose()?;
        let previous = keys.and_then(|keys| keys.get(1).cloned());
        let open = |secret| HttpGateway::new(endpoint, SigningKey::new(secret), clock.clone()).map(|gateway| gateway.believing(previous));
        let gateway = secret.map(open).transpose().map_err(|error| Failure::new(Exit::Disk, format!("TLS cannot be set up: {error}")))?;
        let pacer = Pacer::sharing(RealTime::default(), ledger.share(rate.whole()));
        Ok(Self {
            _lock: lock,
            ledger,
            gateway,
            pacer,
            watch: Watch::new(config.retry.breaker_failures),
            rate,
            stop: Stop::default(),
            settings: settings(setup, flags, secret)?,
            retry: RetryPolicy {
                attempts_max: config.retry.attempts_max.get(),
                base_ms: config.retry.base_ms,
                cap_ms: config.retry.cap_ms,
                pause_max_seconds: config.retry.pause_max_seconds,
            },
            now: Box::new(move || clock.now()),
            request_ms: config.timeout.request_ms,
            quiet: setup.quiet,
        })
    }

    pub(super) fn issuing(&self) -> Issuing<'_, Store, Option<HttpGateway>, RealTime> {
        let Self { ledger, gateway, pacer, watch, stop, settings, retry, now, .. } = self;
        Issuing {
            ledger,
            caller: Caller { gateway, pacer, watch, stop, retry: *retry, randomness: &MachineRandomness },
            settings,
            clock: now,
            controls: tokio::sync::Mutex::default(),
            looked_over: tokio::sync::OnceCell::new(),
            badly_signed: AtomicU64::default(),
        }
    }

    pub(super) fn syncing<'a>(&'a self, setup: &Setup) -> Syncing<'a, Store, Option<HttpGateway>, RealTime> {
        let (Self { ledger, gateway, pacer, watch, stop, settings, retry, now, .. }, sync) = (self, &setup.config.sync);
        Syncing {
            ledger,
            caller: Caller { gateway, pacer, watch, stop, retry: *retry, randomness: &MachineRandomness },
            clock: now,
            trust: settings.trust,
            schedule: Schedule { first_minutes: sync.first_minutes, window_days: sync.window_days, spacing_seconds: sync.spacing_seconds },
            calls_left: AtomicU64::new(sync.calls_max),
            in_flight_max: settings.in_flight_max,
        }
    }

    /// Attempts so far, by what came of them.
    pub(super) fn deliveries(&self) -> Vec<(&'static str, u64)> {
        self.watch.deliveries()
    }

    /// Runs `work` until it ends; signals and deadlines ask it to stop, it then drains what is in flight.
    pub(super) fn drive<O, E: Into<Failure>>(
        &self,
        deadline: Option<Duration>,
        work: impl Future<Output = Result<O, E>>,
    ) -> Result<O, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            tokio::select! {
                done = work => done.map_err(Into::into),
                failed = listen(&self.stop, deadline, self.request_ms, self.quiet) => match failed {
                    Err(error) => Err(Failure::from(error)),
                    Ok(never) => match never {},
                },
                lost = self.ledger.lost() => Err(Failure::from(lost)),
                never = tell_no_way(&self.stop, self.quiet) => match never {},
            }
        })
    }

    /// Whether so few operations may be under way that the rate was out of reach, in words, as DOKU answered this run.
    pub(super) fn ceiling_warning(&self) -> Option<String> {
        let in_flight_max = self.settings.in_flight_max;
        let is_felt = self.pacer.given() > u64::try_from(in_flight_max).unwrap_or(u64::MAX);
        ceiling_warning(self.rate, self.pacer.latency_ms().filter(|_| is_felt)?, in_flight_max)
    }
}

/// What `config/default.toml` says of `pacing.in_flight_max`.
const IN_FLIGHT_DEFAULT: u32 = 256;

/// See [`Sender::ceiling_warning`].
pub(super) fn ceiling_warning(rate: Rate, latency_ms: u64, in_flight_max: usize) -> Option<String> {
    let reachable = reachable_per_second(rate, latency_ms, in_flight_max);
    (reachable < u64::from(rate.per_second.get())).then(|| {
        format!(
            "warning: `pacing.in_flight_max = {in_flight_max}` allows about {reachable} requests a second while DOKU takes {latency_ms} ms, \
             and `pacing.rate_per_second = {}` is not reached\nhint: set it to {} or more; without the line it is {IN_FLIGHT_DEFAULT}",
            rate.per_second,
            in_flight(rate, latency_ms, usize::MAX)
        )
    })
}

pub(super) fn settings(setup: &Setup, flags: &Flags, secret: Option<&SecretString>) -> Result<IssueSettings, Failure> {
    let config = &setup.config;
    let cancel_name = &config.plan.cancel_name;
    Ok(IssueSettings {
        environment: config.doku.environment.name().to_owned(),
        client_id: setup.binding()?.client_id,
        paths: config.doku.paths.clone(),
        // Without a secret nothing is sent, so no request gets an id.
        request_id_key: secret.map_or([0; 32], |secret| SigningKey::new(secret).derived(b"request ids")),
        info_key: config.doku.info.key,
        trust: Trust { policy: config.doku.verify_response, unsigned_errors: config.doku.unsigned_errors },
        rules: Rules {
            reissue_expired: flags.reissue_expired,
            reissue_suffix: config.plan.reissue_suffix.clone(),
            reissue_grace_minutes: config.plan.reissue_grace_minutes,
            retry_rejected: flags.retry_rejected,
        },
        amend_base: config.plan.amend_base,
        cancel_name: (!cancel_name.is_empty()).then(|| cancel_name.clone()),
        replay_window_minutes: config.retry.replay_window_minutes,
        patience: Patience {
            not_found: config.doubt.not_found,
            not_found_minutes: config.doubt.not_found_minutes,
            unchanged_minutes: config.doubt.unchanged_minutes,
            grace_minutes: config.plan.reissue_grace_minutes,
            cancelled_words: config.doku.status_words.cancelled.clone(),
        },
        in_flight_max: setup.in_flight_max(),
    })
}

/// Where DOKU is.
pub(super) fn endpoint(setup: &Setup) -> Result<Endpoint, Failure> {
    let config = &setup.config;
    Ok(Endpoint {
        base_url: config.doku.base_url.clone(),
        client_id: config.doku.client_id.clone(),
        connect_ms: config.timeout.connect_ms,
        request_ms: config.timeout.request_ms,
        proxy: proxy(setup),
        root_certificates: root_certificates(&config.doku)?,
    })
}

/// The way to DOKU, by the configuration alone.
pub(super) fn proxy(setup: &Setup) -> ProxyChoice {
    let doku = &setup.config.doku;
    match doku.proxy.as_str() {
        "" if doku.use_environment_proxy => ProxyChoice::Environment,
        "" => ProxyChoice::Direct,
        url => ProxyChoice::Through(url.to_owned()),
    }
}

/// Whose word it is that DOKU is DOKU: this system's certificates or those of the file, never what the environment names.
fn root_certificates(doku: &Doku) -> Result<Option<Vec<u8>>, Failure> {
    let path = doku.root_certificates_file.as_str();
    if !path.is_empty() {
        let wrong = |reason: &dyn Display| Failure::setting(format!("`doku.root_certificates_file` `{path}` cannot be used: {reason}"));
        let pem = private::whole(std::path::Path::new(path)).map_err(|error| wrong(&error))?;
        let has_some = String::from_utf8_lossy(&pem).contains("-----BEGIN CERTIFICATE-----");
        return if has_some { Ok(Some(pem)) } else { Err(wrong(&"it holds no certificate (PEM)")) };
    }
    let is_set = |name: &&str| std::env::var_os(name).is_some_and(|value| !value.is_empty());
    match ["SSL_CERT_FILE", "SSL_CERT_DIR"].into_iter().find(is_set).filter(|_| doku.base_url.starts_with("https://")) {
        None => Ok(None),
        Some(name) => Err(Failure::setting(format!(
            "{name} is set, and would decide whom this program takes for DOKU\nhint: unset it for tagih, or name a file of certificates as \
             `doku.root_certificates_file`"
        ))),
    }
}

/// The variables of the environment that name a proxy.
pub(super) fn proxy_variables() -> Vec<&'static str> {
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy", "HTTP_PROXY", "http_proxy"];
    names.into_iter().filter(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty())).collect()
}

/// Says which proxies of the environment are left aside, so that nobody looks for them in vain.
pub(super) fn unused_proxies(setup: &Setup) -> Option<String> {
    let set = proxy_variables();
    (proxy(setup) == ProxyChoice::Direct && !set.is_empty()).then(|| {
        let hint = "set `doku.proxy`, or `doku.use_environment_proxy = true`, if DOKU is reached through a proxy";
        format!("note: {} is set and not used\nhint: {hint}", set.join(", "))
    })
}
