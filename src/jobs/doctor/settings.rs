//! Settings that disagree with each other, and those that are allowed and yet risky.

use super::finding::{Check, DoctorFinding};

/// DOKU's hosts.
const PRODUCTION: &str = "api.doku.com";
const SANDBOX: &str = "api-sandbox.doku.com";
/// A rate above this wants DOKU's word.
const RATE_MAX: u32 = 50;
/// An answer that is not waited for so long leaves a doubt.
const REQUEST_MS_MIN: u64 = 10_000;

/// What is configured, as far as it is judged here.
#[derive(Clone, Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is a setting")]
pub struct DoctorSettings {
    /// Whether `doku.environment` is production.
    pub is_production: bool,
    /// The host of `doku.base_url`.
    pub host: String,
    /// `doku.client_id`.
    pub client_id: String,
    /// Whether `doku.verify_response` is `off`.
    pub believes_unsigned: bool,
    /// Whether `reconcile.unverifiable` is `trust_log`.
    pub trusts_log: bool,
    /// Whether any limit of `[guard]` is set.
    pub has_guard: bool,
    /// `pacing.rate_per_second`.
    pub rate_per_second: u32,
    /// `timeout.request_ms`.
    pub request_ms: u64,
    /// `retry.breaker_failures`.
    pub breaker_failures: u32,
    /// `serve.freshness_seconds`.
    pub freshness_seconds: u32,
    /// `serve.refusal_details`.
    pub refusal_details: bool,
    /// Whether `serve.listen` takes connections from other machines.
    pub listens_publicly: bool,
    /// Whether `serve.admin_listen` is set.
    pub has_admin_listen: bool,
    /// `serve.connections_max`.
    pub connections_max: u64,
    /// Whether the secret comes from the environment.
    pub secret_in_variable: bool,
}

pub(super) fn environment(settings: &DoctorSettings) -> Vec<DoctorFinding> {
    let (name, expected) = if settings.is_production { ("production", PRODUCTION) } else { ("sandbox", SANDBOX) };
    let host = settings.host.as_str();
    let is_loopback = matches!(host, "localhost" | "[::1]") || host.starts_with("127.");
    let mut findings = Vec::new();
    if settings.client_id.is_empty() {
        let remedy = "set it, as DOKU's Back Office shows it for this environment";
        findings.push(DoctorFinding::error(Check::Environment, "`doku.client_id` is not set", remedy));
    }
    let may_be_anywhere = is_loopback && !settings.is_production;
    if host != expected && !may_be_anywhere {
        findings.push(DoctorFinding::warning(
            Check::Environment,
            format!("`doku.environment` is {name}, and `doku.base_url` leads to {host}, not to {expected}"),
            "right only if that is a gateway of your own; the ledger is bound to the environment, not to the host",
        ));
    }
    if findings.is_empty() {
        vec![DoctorFinding::ok(Check::Environment, format!("{name}, at {host}, as {}", settings.client_id))]
    } else {
        findings
    }
}

pub(super) fn risks(settings: &DoctorSettings) -> Vec<DoctorFinding> {
    let DoctorSettings { is_production, rate_per_second, request_ms, .. } = settings;
    let risks: [(bool, String, &str); 10] = [
        (
            settings.believes_unsigned,
            "`doku.verify_response = \"off\"`: anybody on the way can answer for DOKU".into(),
            "set it to \"enforce\", or \"warn\" until valid signatures were seen",
        ),
        (
            settings.trusts_log,
            "`reconcile.unverifiable = \"trust_log\"`: lines that nobody signed count as money".into(),
            "set it to \"strict\" and log headers and target with each message",
        ),
        (
            *is_production && !settings.has_guard,
            "`[guard]` limits nothing: a wrong file bills everybody".into(),
            "set `guard.rows_max` and `guard.changed_share_max` somewhat above an ordinary night",
        ),
        (
            *rate_per_second > RATE_MAX,
            format!("`pacing.rate_per_second = {rate_per_second}`: DOKU publishes no limit"),
            "keep to what DOKU has agreed to in writing",
        ),
        (
            *request_ms < REQUEST_MS_MIN,
            format!("`timeout.request_ms = {request_ms}`: an answer that comes later leaves a doubt"),
            "set it to 30000",
        ),
        (
            settings.breaker_failures == 0,
            "`retry.breaker_failures = 0`: a run goes on while DOKU is down, and each row becomes a doubt".into(),
            "set it to 20",
        ),
        (
            settings.freshness_seconds == 0,
            "`serve.freshness_seconds = 0`: an inquiry of any age is answered, also one that was recorded and sent again".into(),
            "set it to 300, and the clock by NTP",
        ),
        (
            settings.refusal_details,
            "`serve.refusal_details = true`: refusals name customers".into(),
            "set it only if DOKU's certification asks for it",
        ),
        (
            settings.listens_publicly && !settings.has_admin_listen,
            "`serve.listen` is open to other machines, and health and metrics beside it".into(),
            "listen on 127.0.0.1 behind the reverse proxy, or set `serve.admin_listen`",
        ),
        (
            *is_production && settings.secret_in_variable,
            "the secret is in the environment, where every child and a crash report has it".into(),
            "keep it in a file (0600), or a systemd credential",
        ),
    ];
    let found = risks.into_iter().filter(|(holds, ..)| *holds);
    let findings: Vec<DoctorFinding> = found.map(|(_, found, remedy)| DoctorFinding::warning(Check::Risk, found, remedy)).collect();
    if findings.is_empty() { vec![DoctorFinding::ok(Check::Risk, "no setting is risky")] } else { findings }
}
