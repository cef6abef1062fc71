//! A DOKU notification as a test writes it: the body, the signed headers around it, and the log line around those.
//!
//! Bodies are written by hand, because the quirks under test (`"150000"`, `150000.0`, a code as a number) are in the text.

use jiff::Timestamp;
use secrecy::SecretString;
use tagih::doku::signature::{Components, SigningKey, Stamp};

/// Who is told, and the key that DOKU tells with.
pub const CLIENT: &str = "MCH-0001-CLI";
pub const SECRET: &str = "SK-cli&test-0123456789";
pub const TARGET: &str = "/payments/notifications";

/// Seconds since 1970 as `2026-10-05T12:00:00Z`.
pub fn utc(second: i64) -> String {
    Timestamp::from_second(second).unwrap().to_string()
}

/// The body's fields; amount and code are JSON text, so that they can be written in every way.
#[derive(Clone, Debug)]
pub struct Message {
    pub service: &'static str,
    pub channel: &'static str,
    pub status: &'static str,
    pub date: String,
    pub invoice: String,
    pub amount_json: String,
    pub code_json: String,
    /// Chain, store and transaction; without it the identity is invoice and date.
    pub agent: Option<(String, String, String)>,
    /// `identifer` instead of `identifier`, as some of DOKU's samples have it.
    pub misspelt: bool,
    /// A top-level or dotted field to leave out.
    pub missing: Option<&'static str>,
    /// Text of the currency field, if any.
    pub currency: Option<&'static str>,
    /// Another `acquirer.id` than the channel's.
    pub acquirer: Option<&'static str>,
    /// `payment` instead of `payment_code`, as in one of DOKU's tables.
    pub payment_key: bool,
}

impl Message {
    /// That `amount` was paid at `date` with `code` for `invoice`, in a shop of Alfa's, and nothing is odd about it.
    pub fn paid(invoice: impl Into<String>, code: &str, amount: u64, date: impl Into<String>) -> Self {
        Self {
            service: "ONLINE_TO_OFFLINE",
            channel: "alfa",
            status: "SUCCESS",
            date: date.into(),
            invoice: invoice.into(),
            amount_json: amount.to_string(),
            code_json: format!("\"{code}\""),
            agent: None,
            misspelt: false,
            missing: None,
            currency: None,
            acquirer: None,
            payment_key: false,
        }
    }

    /// The chain, the store and the transaction that it names.
    #[must_use]
    pub fn by(self, chain: &str, store: &str, transaction: &str) -> Self {
        Self { agent: Some((chain.into(), store.into(), transaction.into())), ..self }
    }

    pub fn body(&self) -> String {
        let chain = self.channel.to_uppercase();
        let code_key = if self.payment_key { "payment" } else { "payment_code" };
        let quoted = |text: &str| serde_json::to_string(text).unwrap();
        let mut order = vec![("invoice_number", quoted(&self.invoice)), ("amount", self.amount_json.clone())];
        if let Some(currency) = self.currency {
            order.push(("currency", quoted(currency)));
        }
        let mut groups = vec![
            ("service", vec![("id", quoted(self.service))]),
            ("acquirer", vec![("id", quoted(self.acquirer.unwrap_or(&chain)))]),
            ("channel", vec![("id", quoted(&format!("ONLINE_TO_OFFLINE_{chain}")))]),
            ("transaction", vec![("status", quoted(self.status)), ("date", quoted(&self.date))]),
            ("order", order),
            ("online_to_offline_info", vec![(code_key, self.code_json.clone())]),
        ];
        if let Some((chain, store, transaction)) = &self.agent {
            let named = |name: &str, value: &str| format!(r#"{{"name":"{name}","value":"{value}"}}"#);
            let list = [named("AGENT_ID", chain), named("AGENT_STORE_ID", store), named("AGENT_TRX_ID", transaction)].join(",");
            let name = if self.misspelt { "identifer" } else { "identifier" };
            groups.push(("online_to_offline_payment", vec![(name, format!("[{list}]"))]));
        }
        let mut written = Vec::new();
        for (group, fields) in groups {
            let fields: Vec<String> = fields
                .iter()
                .filter(|(name, _)| self.missing != Some(format!("{group}.{name}").as_str()))
                .map(|(name, value)| format!(r#""{name}":{value}"#))
                .collect();
            written.push(format!(r#""{group}":{{{}}}"#, fields.join(",")));
        }
        format!("{{{}}}", written.join(","))
    }
}

/// What surrounds a body in the log.
#[derive(Clone, Debug)]
pub struct Envelope {
    pub received_at: Option<String>,
    pub target: Option<&'static str>,
    pub client: Option<&'static str>,
    pub request_id: String,
    pub stamp: String,
    /// A header to leave out.
    pub missing: Option<&'static str>,
    pub lower_case: bool,
    pub body: String,
}

impl Envelope {
    /// Stamped and received at `at`, to the right place and whole.
    pub fn of(message: &Message, request_id: impl Into<String>, at: impl Into<String>) -> Self {
        let stamp = at.into();
        Self {
            received_at: Some(stamp.clone()),
            target: Some(TARGET),
            client: Some(CLIENT),
            request_id: request_id.into(),
            stamp,
            missing: None,
            lower_case: false,
            body: message.body(),
        }
    }

    /// The log line, signed with `secret`.
    pub fn line(&self, secret: &str) -> String {
        let signature = SigningKey::new(&SecretString::from(secret.to_owned()))
            .sign(&Components {
                client_id: self.client.unwrap_or_default(),
                request_id: &self.request_id,
                stamp: Stamp::Request(&self.stamp),
                target: self.target.unwrap_or_default(),
                body: Some(self.body.as_bytes()),
            })
            .unwrap();
        self.line_with(&signature, &self.body)
    }

    /// The log line with a signature and a body of the caller's choice.
    pub fn line_with(&self, signature: &str, body: &str) -> String {
        let headers = [
            ("Client-Id", self.client.unwrap_or_default()),
            ("Request-Id", self.request_id.as_str()),
            ("Request-Timestamp", self.stamp.as_str()),
            ("Signature", signature),
        ];
        let headers: Vec<String> = headers
            .iter()
            .filter(|(name, value)| self.missing != Some(name) && !value.is_empty())
            .map(|(name, value)| {
                let name = if self.lower_case { name.to_lowercase() } else { (*name).to_owned() };
                format!(r#""{name}":"{value}""#)
            })
            .collect();
        let mut parts = Vec::new();
        if let Some(at) = &self.received_at {
            parts.push(format!(r#""received_at":"{at}""#));
        }
        if let Some(target) = self.target {
            parts.push(format!(r#""target":"{target}""#));
        }
        parts.push(format!(r#""headers":{{{}}}"#, headers.join(",")));
        parts.push(format!(r#""body":{}"#, serde_json::to_string(body).unwrap()));
        format!("{{{}}}", parts.join(","))
    }
}
