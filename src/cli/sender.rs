//! What a sending command holds while it runs: lock, ledger, gateway, pacing; and how it stops.

use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;
use tokio::signal::unix::{SignalKind, signal};

use super::args::Sending;
use super::setup::{Failure, Setup};
use crate::doku::signature::SigningKey;
use crate::domain::calendar;
use crate::domain::check::Schedule;
use crate::domain::doubt::Patience;
use crate::domain::plan::Rules;
use crate::exit::Exit;
use crate::gateway::client::{Endpoint, HttpGateway};
use crate::gateway::pacing::{Pacer, Rate, RealTime};
use crate::gateway::retry::{Breaker, RetryPolicy};
use crate::jobs::caller::Caller;
use crate::jobs::issue::{Issuing, Settings};
use crate::jobs::stop::{Stop, StopReason};
use crate::jobs::sync::Syncing;
use crate::ledger::{Create, LedgerError, SenderLock, SqliteLedger};

/// What of a run's behaviour comes from flags.
pub(super) struct Flags {
    pub(super) command: &'static str,
    pub(super) new_ledger: bool,
    pub(super) reissue_expired: bool,
    pub(super) retry_rejected: bool,
}

/// Everything a sender holds while it runs.
pub(super) struct Sender {
    _lock: SenderLock,
    pub(super) ledger: SqliteLedger,
    /// None without a secret: nothing can be sent then.
    gateway: Option<HttpGateway>,
    pacer: Pacer<RealTime>,
    breaker: Breaker,
    pub(super) stop: Stop,
    settings: Settings,
    retry: RetryPolicy,
    now: Box<dyn Fn() -> Timestamp + Send + Sync>,
}

impl Sender {
    pub(super) fn open(setup: &Setup, flags: &Flags, secret: Option<&SecretString>) -> Result<Self, Failure> {
        let config = &setup.config;
        let binding = setup.binding()?;
        let clock = setup.clock.clone();
        let create =
            if flags.new_ledger || (flags.command == "issue" && !setup.is_production()) { Create::IfMissing } else { Create::Never };
        let lock = SenderLock::acquire(setup.ledger_path(), flags.command)?;
        let ledger = SqliteLedger::open(setup.ledger_path(), &binding, create)?;
        let endpoint = Endpoint {
            base_url: config.doku.base_url.clone(),
            client_id: binding.client_id,
            connect_ms: config.timeout.connect_ms,
            request_ms: config.timeout.request_ms,
        };
        let previous = setup.previous_key()?;
        let open = |secret| HttpGateway::new(endpoint, SigningKey::new(secret), clock.clone()).map(|gateway| gateway.believing(previous));
        let gateway = secret.map(open).transpose().map_err(|error| Failure::new(Exit::Disk, format!("TLS cannot be set up: {error}")))?;
        let rate = Rate { per_second: config.pacing.rate_per_second, burst: config.pacing.burst };
        Ok(Self {
            _lock: lock,
            ledger,
            gateway,
            pacer: Pacer::new(rate, RealTime::default()),
            breaker: Breaker::new(config.retry.breaker_failures),
            stop: Stop::default(),
            settings: settings(setup, flags)?,
            retry: RetryPolicy {
                attempts_max: config.retry.attempts_max.get(),
                base_ms: config.retry.base_ms,
                cap_ms: config.retry.cap_ms,
            },
            now: Box::new(move || clock.now()),
        })
    }

    pub(super) fn issuing(&self) -> Issuing<'_, SqliteLedger, Option<HttpGateway>, RealTime> {
        let Self { ledger, gateway, pacer, breaker, stop, settings, retry, now, .. } = self;
        Issuing {
            ledger,
            caller: Caller { gateway, pacer, breaker, stop, retry: *retry },
            settings,
            clock: now,
            closed_channels: Mutex::default(),
            badly_signed: AtomicU64::default(),
        }
    }

    pub(super) fn syncing<'a>(&'a self, setup: &Setup) -> Syncing<'a, SqliteLedger, Option<HttpGateway>, RealTime> {
        let (Self { ledger, gateway, pacer, breaker, stop, settings, retry, now, .. }, sync) = (self, &setup.config.sync);
        Syncing {
            ledger,
            caller: Caller { gateway, pacer, breaker, stop, retry: *retry },
            clock: now,
            verify_response: settings.verify_response,
            schedule: Schedule { first_minutes: sync.first_minutes, window_days: sync.window_days, spacing_seconds: sync.spacing_seconds },
            calls_left: AtomicU64::new(sync.calls_max),
            in_flight_max: settings.in_flight_max,
        }
    }

    /// Runs `work` until it ends; signals and deadlines ask it to stop, it then drains what is in flight.
    pub(super) fn drive<O>(&self, deadline: Option<Duration>, work: impl Future<Output = Result<O, LedgerError>>) -> Result<O, Failure> {
        let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
        runtime.block_on(async {
            let stopper = async {
                let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
                let reason = tokio::select! {
                    _ = interrupt.recv() => StopReason::Signal(130),
                    _ = terminate.recv() => StopReason::Signal(143),
                    () = sleep_until(deadline) => StopReason::Deadline,
                };
                self.stop.ask(reason);
                std::future::pending::<Result<std::convert::Infallible, std::io::Error>>().await
            };
            tokio::select! {
                done = work => done.map_err(Failure::from),
                failed = stopper => match failed {
                    Err(error) => Err(Failure::from(error)),
                    Ok(never) => match never {},
                },
            }
        })
    }
}

async fn sleep_until(deadline: Option<Duration>) {
    match deadline {
        Some(left) => tokio::time::sleep(left).await,
        None => std::future::pending().await,
    }
}

/// How long the run may take: the shorter of `--max-duration` and the time to `--until` (WIB, today or tomorrow).
pub(super) fn deadline(sending: &Sending, now: Timestamp) -> Result<Option<Duration>, Failure> {
    let limit = sending.max_duration.as_deref().map(|text| {
        text.parse::<SignedDuration>()
            .ok()
            .and_then(|length| Duration::try_from(length).ok())
            .ok_or_else(|| Failure::usage(format!("`--max-duration {text}` is not a duration\nhint: write it like `90s`, `30m` or `2h`")))
    });
    let until = sending.until.as_deref().map(|text| {
        let wrong = || Failure::usage(format!("`--until {text}` is not a time of day\nhint: write it like `05:30` (WIB)"));
        let time = jiff::civil::Time::strptime("%H:%M", text).map_err(|_| wrong())?;
        let today = calendar::wib_date(now);
        let at = [Some(today), today.tomorrow().ok()].into_iter().flatten().filter_map(|day| calendar::at_wib(day.to_datetime(time)));
        at.filter(|at| *at > now).find_map(|at| Duration::try_from(at.duration_since(now)).ok()).ok_or_else(wrong)
    });
    let (limit, until) = (limit.transpose()?, until.transpose()?);
    Ok(limit.into_iter().chain(until).min())
}

pub(super) fn settings(setup: &Setup, flags: &Flags) -> Result<Settings, Failure> {
    let config = &setup.config;
    let cancel_name = &config.plan.cancel_name;
    Ok(Settings {
        environment: config.doku.environment.name().to_owned(),
        client_id: setup.binding()?.client_id,
        paths: config.doku.paths.clone(),
        info_key: config.doku.info.key,
        verify_response: config.doku.verify_response,
        rules: Rules {
            reissue_expired: flags.reissue_expired,
            reissue_suffix: config.plan.reissue_suffix.clone(),
            reissue_grace_minutes: config.plan.reissue_grace_minutes,
            retry_rejected: flags.retry_rejected,
        },
        amend_base: config.plan.amend_base,
        cancel_name: (!cancel_name.is_empty()).then(|| cancel_name.clone()),
        replay_window_minutes: config.retry.replay_window_minutes,
        patience: Patience { not_found_minutes: config.doubt.not_found_minutes, unchanged_minutes: config.doubt.unchanged_minutes },
        in_flight_max: usize::try_from(config.pacing.in_flight_max.get()).unwrap_or(usize::MAX),
    })
}
