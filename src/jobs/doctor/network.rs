//! The way to DOKU: name, connection, certificate, clock, proxies.

use super::finding::{Check, DoctorFinding};
use crate::gateway::probe::{Probe, ProbeAnswer};
use crate::jobs::watch::{CLOCK_SILENT_SECONDS, CLOCK_STOP_SECONDS, clock_words};

/// Days that a certificate should have left.
const CERTIFICATE_DAYS_MIN: i64 = 14;
/// Seconds by which clocks differ although both are right: `Date` has whole seconds, and an answer is under way.
const CLOCK_OK_SECONDS: i64 = 5;

/// Whether a proxy is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Way {
    /// Straight to DOKU.
    Direct,
    /// As the environment says.
    Environment,
    /// Through the one of `doku.proxy`.
    Through(String),
}

/// What is known of the way out.
#[derive(Clone, Debug)]
pub struct Network {
    /// The host of `doku.base_url`.
    pub host: String,
    /// Whether `doku.base_url` has TLS.
    pub has_tls: bool,
    /// Which way is taken.
    pub way: Way,
    /// Variables of the environment that name a proxy.
    pub proxy_variables: Vec<String>,
    /// What was found on the way, or why nobody may go it; none if it was not looked at.
    pub probe: Option<Result<Probe, String>>,
    /// Seconds since 1970 when it was looked at.
    pub now_seconds: i64,
}

pub(super) fn examine(network: &Network) -> Vec<DoctorFinding> {
    let mut findings = vec![proxy(network)];
    let probe = match &network.probe {
        None => return findings,
        Some(Err(reason)) => {
            findings.push(DoctorFinding::error(
                Check::Tls,
                format!("nothing is sent: {reason}"),
                "until then every command that sends ends with 2",
            ));
            return findings;
        }
        Some(Ok(probe)) => probe,
    };
    let host = &network.host;
    match &probe.addresses {
        Some(Ok(count)) => findings.push(DoctorFinding::ok(Check::Dns, format!("{host} has {count} addresses"))),
        Some(Err(reason)) => findings.push(DoctorFinding::error(
            Check::Dns,
            format!("{host} is not known: {reason}"),
            "check `doku.base_url` and /etc/resolv.conf; behind a proxy that looks names up, set `doku.proxy`",
        )),
        None => findings.push(DoctorFinding::ok(Check::Dns, format!("the proxy looks {host} up"))),
    }
    match &probe.heard {
        Ok(heard) => findings.extend(answered(network, heard)),
        // Without a name there is no connection to speak of.
        Err(_) if matches!(probe.addresses, Some(Err(_))) => {}
        Err(reason) => findings.push(DoctorFinding::error(
            Check::Tls,
            format!("no answer: {reason}"),
            "check firewall and proxy; an untrusted certificate is most often a proxy that reads along, whose root belongs into the \
             system's store",
        )),
    }
    findings
}

fn answered(network: &Network, heard: &ProbeAnswer) -> Vec<DoctorFinding> {
    let (host, status) = (&network.host, heard.status);
    let mut findings = Vec::new();
    if network.has_tls {
        findings.push(DoctorFinding::ok(Check::Tls, format!("{host} answers over TLS that is trusted (HTTP {status})")));
        findings.push(certificate(network, heard));
    } else {
        findings.push(DoctorFinding::ok(Check::Tls, format!("{host} answers without TLS, as a sandbox on loopback may (HTTP {status})")));
    }
    findings.push(clock(heard.ahead_seconds));
    findings
}

fn certificate(network: &Network, heard: &ProbeAnswer) -> DoctorFinding {
    let Some(ends_at) = heard.certificate_ends_at else {
        return DoctorFinding::warning(
            Check::Certificate,
            format!("the end of {}'s certificate cannot be read", network.host),
            "look at it with `openssl s_client`",
        );
    };
    let days = ends_at.as_second().saturating_sub(network.now_seconds).div_euclid(86_400);
    let found = format!("{}'s certificate is valid for {days} more days", network.host);
    if days >= CERTIFICATE_DAYS_MIN {
        return DoctorFinding::ok(Check::Certificate, found);
    }
    DoctorFinding::warning(
        Check::Certificate,
        found,
        "ask who runs that host (DOKU, or your proxy) to renew it; afterwards nothing is sent",
    )
}

fn clock(ahead_seconds: Option<i64>) -> DoctorFinding {
    let Some(ahead) = ahead_seconds else {
        return DoctorFinding::warning(
            Check::Clock,
            "the answer bears no Date, so the clock was not compared",
            "compare it with an NTP server",
        );
    };
    let found = clock_words(ahead).replace("signed answers", "answer's Date");
    let remedy = "set it by NTP (`timedatectl set-ntp true`)";
    match ahead.abs() {
        0..=CLOCK_OK_SECONDS => DoctorFinding::ok(Check::Clock, format!("within {CLOCK_OK_SECONDS} s of DOKU's, by its answer's Date")),
        distance if distance > CLOCK_STOP_SECONDS => {
            DoctorFinding::error(Check::Clock, found, format!("{remedy}; beyond {CLOCK_STOP_SECONDS} s nothing is sent"))
        }
        _ => DoctorFinding::warning(Check::Clock, found, format!("{remedy}; runs warn beyond {CLOCK_SILENT_SECONDS} s")),
    }
}

fn proxy(network: &Network) -> DoctorFinding {
    let variables = network.proxy_variables.join(", ");
    // A request over TLS is not sent through what HTTP_PROXY names.
    let is_for_tls = |name: &String| !name.eq_ignore_ascii_case("HTTP_PROXY");
    match &network.way {
        Way::Direct if variables.is_empty() => DoctorFinding::ok(Check::Proxy, "none, and the environment names none"),
        Way::Direct => DoctorFinding::warning(
            Check::Proxy,
            format!("{variables} is set and not used"),
            "set `doku.proxy`, or `doku.use_environment_proxy = true`, if DOKU is reached through a proxy; else unset it",
        ),
        Way::Environment if variables.is_empty() => DoctorFinding::warning(
            Check::Proxy,
            "`doku.use_environment_proxy = true`, but the environment names none",
            "set HTTPS_PROXY where the command runs (cron and systemd have an environment of their own), or unset the setting",
        ),
        Way::Environment if network.has_tls && !network.proxy_variables.iter().any(is_for_tls) => {
            DoctorFinding::warning(Check::Proxy, format!("only {variables} is set, which requests over TLS do not use"), "set HTTPS_PROXY")
        }
        Way::Environment => DoctorFinding::ok(Check::Proxy, format!("as {variables} says")),
        Way::Through(url) => DoctorFinding::ok(Check::Proxy, format!("{url}, by `doku.proxy`")),
    }
}
