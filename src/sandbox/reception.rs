//! The part of the model that needs no state: who sent this, what is asked, is the body in order; and the signing of answers.
//! The server runs it outside the lock, because hashing is most of the work.

use bytes::Bytes;
use jiff::{SignedDuration, Timestamp};
use secrecy::SecretString;

use super::fault::FaultKind;
use super::form::{Form, percent_decoded};
use super::http::{Fate, HttpAnswer, Reply, Request};
use super::rule::{self, Change, NewOrder, Refusal};
use super::settings::Settings;
use super::till::Till;
use super::{chain, shape, view, wire};
use crate::doku::signature::{Components, SigningKey, Stamp};
use crate::domain::calendar::format_utc_seconds;
use crate::domain::channel::{Channel, IssuanceMethod};
use crate::domain::digest::{self, Digest};
use crate::domain::ids::InvoiceNumber;
use crate::domain::language::Language;

const STATUS: &str = "/orders/v1/status/";

/// What a request asks for.
pub(super) enum Ask {
    Create(Result<(NewOrder, Till), Refusal>),
    Change(Result<Change, Refusal>),
    /// An invoice number or a `Request-Id`.
    Status(String),
}

impl Ask {
    /// The invoice a body names, if the body could be read.
    pub(super) fn invoice_number(&self) -> Option<InvoiceNumber> {
        match self {
            Self::Create(Ok((wanted, _))) => Some(wanted.invoice_number.clone()),
            Self::Change(Ok(change)) => Some(change.invoice_number.clone()),
            Self::Create(Err(_)) | Self::Change(Err(_)) | Self::Status(_) => None,
        }
    }
}

/// A request that may be decided: its sender is known.
pub(super) struct Arrival {
    pub(super) envelope: Envelope,
    /// Of method, target and body: what a repetition must have in common with the first.
    pub(super) fingerprint: Digest,
    pub(super) ask: Ask,
}

/// What reception makes of a request.
pub(super) enum Received {
    /// Let in.
    Arrived(Arrival),
    /// Turned down at the door.
    Refused { envelope: Envelope, refusal: Draft },
    /// A how-to-pay page or its JSON: public, unsigned.
    Page(PageAsked),
}

/// What can be told of a request from the outside.
pub(super) struct Envelope {
    pub(super) method: String,
    pub(super) target: String,
    pub(super) request_id: String,
    /// Of the body alone.
    pub(super) body_digest: Digest,
}

/// How an answer is signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Seal {
    Good,
    Wrong,
    Absent,
}

/// An answer that only lacks its signature.
pub(super) struct Draft {
    pub(super) fate: Fate,
    pub(super) status: u16,
    pub(super) body: Bytes,
    pub(super) content_type: &'static str,
    pub(super) retry_after_seconds: Option<u64>,
    pub(super) seal: Seal,
    pub(super) answered_at: Timestamp,
    pub(super) request_id: String,
    pub(super) target: String,
}

impl Draft {
    /// A deliverable, properly signed answer.
    pub(super) fn new(status: u16, body: impl Into<Bytes>, request_id: &str, target: &str, answered_at: Timestamp) -> Self {
        Self {
            fate: Fate::Deliver,
            status,
            body: body.into(),
            content_type: "application/json",
            retry_after_seconds: None,
            seal: Seal::Good,
            answered_at,
            request_id: request_id.into(),
            target: target.into(),
        }
    }
}

/// Settings and keys: all that reception needs.
#[derive(Debug)]
pub(super) struct Reception {
    pub(super) settings: Settings,
    pub(super) key: SigningKey,
    /// Keys of before.
    pub(super) former_keys: Vec<SigningKey>,
    /// What wrong signatures are made with.
    pub(super) wrong_key: SigningKey,
}

impl Reception {
    pub(super) fn new(settings: Settings) -> Self {
        let key = SigningKey::new(&settings.secret);
        let wrong_key = SigningKey::new(&SecretString::from("not the key of this merchant"));
        let former_keys = settings.former_secrets.iter().map(SigningKey::new).collect();
        Self { settings, key, former_keys, wrong_key }
    }

    /// Finds out who sent `request` and what it asks for.
    pub(super) fn receive(&self, request: &Request, now: Timestamp) -> Received {
        let target = request.target();
        if request.method == "GET"
            && let Some(page) = PageAsked::of(request)
        {
            return Received::Page(page);
        }
        let request_id = request.header("Request-Id").unwrap_or_default();
        let body_digest = digest::of_bytes(&request.body);
        let envelope = || Envelope { method: request.method.clone(), target: target.into(), request_id: request_id.into(), body_digest };
        let refused = |refusal: Refusal, body: Option<Vec<u8>>| {
            let body = body.unwrap_or_else(|| wire::error(&refusal.message));
            let mut refusal = Draft::new(refusal.status, body, request_id, target, now);
            refusal.seal = self.seal_of_errors();
            Received::Refused { envelope: envelope(), refusal }
        };
        if let Err(refusal) = self.admit(request, request_id, target, now) {
            return refused(refusal, None);
        }
        let path = self.settings.notification_path.as_str();
        let body = if self.settings.strict { request.body.clone() } else { shape::evened(&request.body) };
        let create = |channel, method| {
            let wanted = rule::check_create(&body, channel, method, path);
            Ask::Create(wanted.map(|wanted| (wanted, Till::of(&body))))
        };
        let codes = Channel::ALL.into_iter().find_map(|channel| Some((channel, chain::of(channel).takes(target)?)));
        let ask = match (request.method.as_str(), codes) {
            ("POST", Some((channel, method))) => create(channel, method),
            ("PATCH", Some((channel, IssuanceMethod::Doku))) if chain::of(channel).takes_changes => Ask::Change(rule::check_change(&body)),
            ("GET", None) if target.starts_with(STATUS) => Ask::Status(percent_decoded(target.strip_prefix(STATUS).unwrap_or_default())),
            (_, Some(_)) => {
                return refused(Refusal::new(405, format!("Request method '{}' not supported", request.method)), None);
            }
            _ => {
                let resource = target.trim_start_matches('/');
                let body = serde_json::json!({ "status": 404, "error": "Not Found", "message": format!("No static resource {resource}."), "path": target });
                return refused(Refusal::new(404, ""), Some(wire::json(&body)));
            }
        };
        let fingerprint = digest::of_parts(&[request.method.as_bytes(), target.as_bytes(), &body_digest]);
        Received::Arrived(Arrival { envelope: envelope(), fingerprint, ask })
    }

    pub(super) const fn seal_of_errors(&self) -> Seal {
        if self.settings.signs_errors { Seal::Good } else { Seal::Absent }
    }

    /// Client, signature and headers.
    fn admit(&self, request: &Request, request_id: &str, target: &str, now: Timestamp) -> Result<(), Refusal> {
        let denied = || Refusal::new(401, "Invalid Header Signature");
        let client_id = request.header("Client-Id").filter(|&id| id == self.settings.client_id).ok_or_else(denied)?;
        let stamp = request.header("Request-Timestamp").ok_or_else(denied)?;
        let signature = request.header("Signature").ok_or_else(denied)?;
        let body = if request.method == "GET" { None } else { Some(request.body.as_ref()) };
        let components = Components { client_id, request_id, stamp: Stamp::Request(stamp), target, body };
        self.key.verify(&components, signature).map_err(|_| denied())?;
        if request_id.is_empty() || request_id.chars().count() > 128 {
            return Err(Refusal::new(400, "Invalid Header Request-Id"));
        }
        let stamped: Option<Timestamp> = stamp.parse().ok().filter(|&at| format_utc_seconds(at) == stamp);
        let stamped = stamped.ok_or_else(|| Refusal::new(400, "Invalid Header Request-Timestamp"))?;
        let off = now.duration_since(stamped).unsigned_abs();
        if self.settings.timestamp_window_seconds.is_some_and(|window| off.as_secs() > window) {
            return Err(Refusal::new(400, "Invalid Header Request-Timestamp"));
        }
        match request.header("Content-Type") {
            Some(kind) if request.method != "GET" && !kind.trim().to_ascii_lowercase().starts_with("application/json") => {
                Err(Refusal::new(415, format!("Content type '{kind}' not supported")))
            }
            _ => Ok(()),
        }
    }

    /// Puts a fault on a finished answer.
    pub(super) fn afflict(&self, draft: &mut Draft, fault: FaultKind) {
        let faults = &self.settings.faults;
        let mut fail = |status: u16, message: &str| {
            draft.status = status;
            draft.body = wire::error(message).into();
        };
        match fault {
            FaultKind::TooManyRequests => fail(429, "Too Many Requests"),
            FaultKind::TooManyRequestsRetryAfter => {
                fail(429, "Too Many Requests");
                draft.retry_after_seconds = Some(faults.retry_after_seconds);
            }
            FaultKind::ServerErrorBefore | FaultKind::ServerErrorAfter => fail(500, "Internal Server Error"),
            FaultKind::UnavailableBefore | FaultKind::UnavailableAfter => fail(503, "Service Unavailable"),
            FaultKind::GatewayTimeoutAfter => {
                // A gateway in front of DOKU answers in its own words, and does not sign.
                draft.status = 504;
                draft.body = Bytes::from_static(b"<html><body><h1>504 Gateway Time-out</h1></body></html>");
                draft.content_type = "text/html";
                draft.seal = Seal::Absent;
            }
            FaultKind::DelayBefore => draft.fate = Fate::DelayThenProcess(faults.delay_ms),
            FaultKind::DelayAfter => draft.fate = Fate::DelayThenDeliver(faults.delay_ms),
            FaultKind::ResetBefore => draft.fate = Fate::CutBeforeProcessing,
            FaultKind::ResetAfter => draft.fate = Fate::CutAfterProcessing,
            FaultKind::Truncated => draft.fate = Fate::Truncated(draft.body.len() / 2),
            FaultKind::Unsigned => draft.seal = Seal::Absent,
            FaultKind::WronglySigned => draft.seal = Seal::Wrong,
            FaultKind::ExtraFields => draft.body = with_extra_fields(&draft.body),
            FaultKind::ClockSkew => {
                let skew = SignedDuration::from_secs(faults.clock_skew_seconds);
                draft.answered_at = draft.answered_at.checked_add(skew).unwrap_or(draft.answered_at);
            }
        }
    }

    /// Stamps and signs.
    pub(super) fn seal(&self, draft: Draft) -> Reply {
        let mut headers: Vec<(String, String)> = vec![("Content-Type".into(), draft.content_type.into())];
        if let Some(seconds) = draft.retry_after_seconds {
            headers.push(("Retry-After".into(), seconds.to_string()));
        }
        if draft.content_type == view::HTML {
            headers.extend(view::page_headers());
        }
        if draft.request_id.is_empty() {
            return Reply { fate: draft.fate, answer: HttpAnswer { status: draft.status, headers, body: draft.body } };
        }
        let stamp = format_utc_seconds(draft.answered_at);
        let components = Components {
            client_id: &self.settings.client_id,
            request_id: &draft.request_id,
            stamp: Stamp::Response(&stamp),
            target: &draft.target,
            body: Some(&draft.body),
        };
        let signature = match draft.seal {
            Seal::Good => self.key.sign(&components).ok(),
            Seal::Wrong => self.wrong_key.sign(&components).ok(),
            Seal::Absent => None,
        };
        headers.push(("Client-Id".into(), self.settings.client_id.clone()));
        headers.push(("Request-Id".into(), draft.request_id));
        headers.push(("Response-Timestamp".into(), stamp));
        if let Some(signature) = signature {
            headers.push(("Signature".into(), signature));
        }
        Reply { fate: draft.fate, answer: HttpAnswer { status: draft.status, headers, body: draft.body } }
    }
}

/// `{"a":1}` → `{"x_trace":…,"a":1}`: the fields known before stay where and as they were.
fn with_extra_fields(body: &Bytes) -> Bytes {
    match body.strip_prefix(b"{") {
        Some(rest) if rest.len() > 1 => {
            let mut grown = br#"{"x_trace":{"node":"7","hops":[1,2]},"x_note":null,"#.to_vec();
            grown.extend_from_slice(rest);
            grown.into()
        }
        _ => body.clone(),
    }
}

/// The how-to-pay page or JSON that a request asks for.
pub(super) struct PageAsked {
    pub(super) payment_code: String,
    pub(super) channel: Channel,
    pub(super) is_json: bool,
    pub(super) language: Language,
}

impl PageAsked {
    /// What `request` asks for, if it is one of them.
    pub(super) fn of(request: &Request) -> Option<Self> {
        let paths = Channel::ALL.into_iter().flat_map(|channel| {
            let [page, json] = chain::of(channel).page_paths;
            [(page, channel, false), (json, channel, true)]
        });
        let language = Form::of_query(&request.path).get("lang").and_then(Language::parse).unwrap_or_default();
        paths.into_iter().find_map(|(prefix, channel, is_json)| {
            let payment_code = request.target().strip_prefix(prefix)?.to_owned();
            Some(Self { payment_code, channel, is_json, language })
        })
    }
}
