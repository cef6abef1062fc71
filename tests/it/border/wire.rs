//! HTTP/1.1 and DOKU's signature, written here a second time so that the program's own are not their judge.

use std::io::{self, BufRead, Write};
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::{Digest as _, Sha256};

pub const CLIENT: &str = "MCH-0001-BORDER";
pub const SECRET: &str = "SK-perbatasan&1-0123456789";

/// A request as it came over the wire; header names in lower case.
#[derive(Clone, Debug)]
pub struct Request {
    pub method: String,
    pub target: String,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Request {
    /// Reads one; `None` where the sender has hung up.
    pub fn read(stream: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut line = String::new();
        if stream.read_line(&mut line)? == 0 {
            return Ok(None);
        }
        let mut words = line.split_ascii_whitespace().map(str::to_owned);
        let (method, target) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
        let mut headers = Vec::new();
        loop {
            line.clear();
            stream.read_line(&mut line)?;
            let Some((name, value)) = line.trim_end().split_once(':') else { break };
            headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
        }
        let mut request = Self { method, target, headers, body: Vec::new() };
        let length = request.header("content-length").parse().unwrap_or(0);
        request.body = vec![0; length];
        stream.read_exact(&mut request.body)?;
        Ok(Some(request))
    }

    /// Sends it on to somebody who is to close the connection afterwards.
    pub fn write(&self, stream: &mut impl Write) -> io::Result<()> {
        let mut head = format!("{} {} HTTP/1.1\r\nConnection: close\r\n", self.method, self.target);
        for (name, value) in self.headers.iter().filter(|(name, _)| name != "connection") {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head += "\r\n";
        stream.write_all(&[head.as_bytes(), &self.body].concat())?;
        stream.flush()
    }

    /// A header's value; empty where it is missing.
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(given, _)| given == name).map_or("", |(_, value)| value)
    }

    pub fn request_id(&self) -> &str {
        self.header("request-id")
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or(Value::Null)
    }

    /// The order it is about: what a status query asks for, or what the body names.
    pub fn about(&self) -> String {
        if self.method == "GET" {
            return percent_decoded(self.target.rsplit('/').next().unwrap_or_default());
        }
        self.json()["order"]["invoice_number"].as_str().unwrap_or_default().to_owned()
    }

    /// Whether DOKU would take the signature.
    pub fn is_signed(&self) -> bool {
        let digest = (self.method != "GET").then_some(self.body.as_slice());
        let stamp = ("Request-Timestamp", self.header("request-timestamp"));
        self.header("client-id") == CLIENT && self.header("signature") == signature(self.request_id(), stamp, &self.target, digest)
    }
}

fn percent_decoded(text: &str) -> String {
    let mut decoded = Vec::new();
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let pair = (byte == b'%').then(|| [bytes.next(), bytes.next()].map(Option::unwrap_or_default));
        let value = pair.map(|pair| u8::from_str_radix(std::str::from_utf8(&pair).unwrap(), 16).unwrap());
        decoded.push(value.unwrap_or(byte));
    }
    String::from_utf8(decoded).unwrap()
}

/// DOKU's five lines (four without a body to digest).
pub fn signature(request_id: &str, (stamp_name, stamp): (&str, &str), target: &str, body: Option<&[u8]>) -> String {
    let mut lines = format!("Client-Id:{CLIENT}\nRequest-Id:{request_id}\n{stamp_name}:{stamp}\nRequest-Target:{target}");
    if let Some(body) = body {
        lines += "\nDigest:";
        lines += &STANDARD.encode(Sha256::digest(body));
    }
    let mut mac = Hmac::<Sha256>::new_from_slice(SECRET.as_bytes()).unwrap();
    mac.update(lines.as_bytes());
    format!("HMACSHA256={}", STANDARD.encode(mac.finalize().into_bytes()))
}

/// An answer as it goes over the wire.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// Interim statuses before it, such as 103.
    pub interim: Vec<u16>,
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn new(status: u16, content_type: &str, body: impl Into<Vec<u8>>) -> Self {
        let headers = if content_type.is_empty() { vec![] } else { vec![("Content-Type".to_owned(), content_type.to_owned())] };
        Self { interim: vec![], status, headers, body: body.into() }
    }

    pub fn json(status: u16, body: &Value) -> Self {
        Self::new(status, "application/json", body.to_string())
    }

    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.retain(|(given, _)| !given.eq_ignore_ascii_case(name));
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// Signed as DOKU signs the answer to `request`, at `stamp`.
    pub fn signed_at(self, request: &Request, stamp: &str) -> Self {
        let signature = signature(request.request_id(), ("Response-Timestamp", stamp), &request.target, Some(&self.body));
        self.with("Client-Id", CLIENT)
            .with("Request-Id", request.request_id())
            .with("Response-Timestamp", stamp)
            .with("Signature", signature)
    }

    /// With a signature that does not fit.
    pub fn forged(self, request: &Request, stamp: &str) -> Self {
        let wrong = signature("somebody else's", ("Response-Timestamp", stamp), &request.target, Some(&self.body));
        self.signed_at(request, stamp).with("Signature", wrong)
    }

    /// Without any of DOKU's headers.
    pub fn unsigned(mut self) -> Self {
        self.headers.retain(|(name, _)| name.eq_ignore_ascii_case("content-type") || name.eq_ignore_ascii_case("retry-after"));
        self
    }

    /// The bytes; `promised` is what Content-Length says.
    pub fn write(&self, stream: &mut impl Write, promised: usize) -> io::Result<()> {
        for interim in &self.interim {
            write!(stream, "HTTP/1.1 {interim} Interim\r\n\r\n")?;
            stream.flush()?;
            std::thread::sleep(Duration::from_millis(2));
        }
        let mut head = format!("HTTP/1.1 {} Said\r\nConnection: close\r\nContent-Length: {promised}\r\n", self.status);
        for (name, value) in &self.headers {
            head.extend([name, ": ", value, "\r\n"]);
        }
        head += "\r\n";
        stream.write_all(head.as_bytes())?;
        stream.write_all(&self.body)?;
        stream.flush()
    }
}

/// The published vectors of DOKU's signature: this judge can sign.
#[test]
fn the_judge_signs_as_doku_does() {
    let body = br#"{"order":{"invoice_number":"I"}}"#;
    let signed = signature("r", ("Response-Timestamp", "2026-01-01T00:00:00Z"), "/t", Some(body));
    let key = tagih::doku::signature::SigningKey::new(&secrecy::SecretString::from(SECRET));
    let stamp = tagih::doku::signature::Stamp::Response("2026-01-01T00:00:00Z");
    let components = tagih::doku::signature::Components { client_id: CLIENT, request_id: "r", stamp, target: "/t", body: Some(body) };
    assert_eq!(key.sign(&components).unwrap(), signed);
}
