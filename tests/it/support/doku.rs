//! DOKU in this process: what a job's gateway would put on the wire for it, what it would make of the answer, and what jobs are told of it.

use jiff::Timestamp;
use secrecy::SecretString;
use tagih::doku::answer::{SignaturePolicy, Trust, UnsignedErrors};
use tagih::doku::info::InfoKey;
use tagih::doku::paths::Paths;
use tagih::doku::signature::{Components, SigningKey, Stamp};
use tagih::doku::wire::{Answer, HttpMethod, SignatureFinding, WireRequest};
use tagih::domain::calendar::format_utc_seconds;
use tagih::domain::plan::{AmendBase, Rules};
use tagih::jobs::issue::IssueSettings;
use tagih::sandbox::http::{HttpAnswer, Request};

use super::bills::patience;

/// One client of DOKU's, and the key they share.
pub struct Signer {
    client: &'static str,
    pub key: SigningKey,
}

impl Signer {
    pub fn new(client: &'static str, secret: &str) -> Self {
        Self { client, key: SigningKey::new(&SecretString::from(secret)) }
    }

    /// `wire` as it reaches DOKU, signed at `at`.
    pub fn request(&self, wire: &WireRequest, at: Timestamp) -> Request {
        let (method, body) = match wire.method {
            HttpMethod::Get => ("GET", None),
            HttpMethod::Post => ("POST", Some(wire.body.as_ref())),
            HttpMethod::Patch => ("PATCH", Some(wire.body.as_ref())),
        };
        let (stamp, request_id) = (format_utc_seconds(at), wire.request_id.to_string());
        let components =
            Components { client_id: self.client, request_id: &request_id, stamp: Stamp::Request(&stamp), target: &wire.path, body };
        let signature = self.key.sign(&components).unwrap();
        let headers = [("Client-Id", self.client), ("Request-Id", &request_id), ("Request-Timestamp", &stamp), ("Signature", &signature)];
        Request {
            method: method.into(),
            path: wire.path.clone(),
            headers: headers.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
            body: wire.body.clone(),
        }
    }

    /// DOKU's answer as it is given on, by a machine whose clock shows `now` if it has one.
    pub fn heard(&self, wire: &WireRequest, answer: HttpAnswer, now: Option<Timestamp>) -> Answer {
        let (mut signature, mut ahead_seconds) = (SignatureFinding::Absent, None);
        if let (Some(signed), Some(stamp)) = (answer.header("Signature"), answer.header("Response-Timestamp")) {
            let (request_id, body) = (wire.request_id.to_string(), Some(answer.body.as_ref()));
            let components =
                Components { client_id: self.client, request_id: &request_id, stamp: Stamp::Response(stamp), target: &wire.path, body };
            signature = SignatureFinding::Wrong;
            if self.key.verify(&components, signed).is_ok() {
                signature = SignatureFinding::Valid;
                let ahead = |now: Timestamp| Some(stamp.parse::<Timestamp>().ok()?.as_second() - now.as_second());
                ahead_seconds = now.and_then(ahead);
            }
        }
        let retry_after_seconds = answer.header("Retry-After").and_then(|value| value.parse().ok());
        Answer { status: answer.status, retry_after_seconds, ahead_seconds, signature, body: answer.body }
    }
}

/// The order a request is about.
pub fn about(wire: &WireRequest) -> String {
    let body: serde_json::Value = serde_json::from_slice(&wire.body).unwrap_or_default();
    body["order"]["invoice_number"].as_str().map_or_else(|| wire.path.clone(), str::to_owned)
}

/// What a sending job is told: DOKU's paths, and the defaults of everything else.
pub fn settings(client: &str) -> IssueSettings {
    IssueSettings {
        environment: "sandbox".into(),
        client_id: client.into(),
        request_id_key: [0; 32],
        info_key: InfoKey::Info,
        paths: Paths {
            alfa_doku: "/alfa-online-to-offline/v2/payment-code".into(),
            alfa_merchant: "/alfa-online-to-offline/v2/merchant-payment-code".into(),
            alfa_amend: "/alfa-online-to-offline/v2/payment-code".into(),
            alfa_merchant_amend: "/alfa-online-to-offline/v2/payment-code".into(),
            indomaret_doku: "/indomaret-online-to-offline/v2/payment-code".into(),
        },
        trust: Trust { policy: SignaturePolicy::Enforce, unsigned_errors: UnsignedErrors::Accept },
        rules: Rules { reissue_expired: false, reissue_suffix: "-R".into(), reissue_grace_minutes: 60, retry_rejected: false },
        amend_base: AmendBase::Amendment,
        cancel_name: None,
        replay_window_minutes: 1_440,
        patience: patience(),
        in_flight_max: 3,
    }
}
