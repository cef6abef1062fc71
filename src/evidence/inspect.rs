//! One raw line → its record: digest, verification, and what its body says. The order of the tests is the rules'.

use std::collections::BTreeSet;
use std::hash::{DefaultHasher, Hash, Hasher as _};

use jiff::Timestamp;

use super::blocks::LINE_MAX;
use super::envelope::{self, Envelope, Received};
use super::read::ReadOptions;
use crate::doku::notification::{self, Message, Notification, NotifiedAmount, TransactionStatus};
use crate::doku::signature::{Components, Stamp};
use crate::domain::classify::{Class, LateFacts, Unverifiable, line_flags};
use crate::domain::digest::{self, Digest};
use crate::domain::line::{Detail, Line, Marks};
use crate::domain::payment;
use crate::domain::store::Stores;

/// Reads lines one after the other.
#[derive(Debug)]
pub(super) struct Inspector<'a> {
    options: &'a ReadOptions<'a>,
}

/// What a message is read from.
#[derive(Clone, Copy, Debug)]
pub(super) enum Raw<'a> {
    /// A line, without its line end.
    Line(&'a [u8]),
    /// What was logged with a record that was written around it.
    Wrapped {
        /// Of what is cited for it.
        digest: Digest,
        /// The message.
        text: &'a str,
    },
}

/// Where ids that match no bill are kept, and the names of stores.
type Kept<'a> = (&'a mut Vec<u8>, &'a mut Stores);

/// Whether a message is DOKU's.
enum Finding {
    Verified,
    Forged,
    /// By a key that was not believed any more when it arrived.
    Withdrawn,
    ForeignClient,
    Unverifiable(Detail),
}

impl<'a> Inspector<'a> {
    pub(super) const fn new(options: &'a ReadOptions<'a>) -> Self {
        Self { options }
    }

    /// The record of one message; the ids that match no bill go to `texts`.
    pub(super) fn inspect(&self, raw: Raw<'_>, texts: &mut Vec<u8>, stores: &mut Stores) -> Line {
        let (digest, bytes) = match raw {
            Raw::Line(bytes) => (digest::of_bytes(bytes), bytes),
            Raw::Wrapped { digest, text } => (digest, text.as_bytes()),
        };
        if bytes.len() > LINE_MAX {
            return refused(digest, Class::N01, Detail::TooLong);
        }
        let Ok(text) = str::from_utf8(bytes) else { return refused(digest, Class::N01, Detail::NotUtf8) };
        match envelope::parse(text) {
            Envelope::Malformed(why) => refused(digest, Class::N01, why),
            Envelope::Bare => match self.options.policy.unverifiable {
                Unverifiable::Strict => refused(digest, Class::N03, Detail::Bare),
                Unverifiable::TrustLog => self.read_body(text, digest, None, (texts, stores)),
            },
            Envelope::Received(received) => self.judge(&received, digest, (texts, stores)),
        }
    }

    /// Verifies a received message, then reads its body.
    fn judge(&self, received: &Received<'_>, digest: Digest, kept: Kept<'_>) -> Line {
        let body_digest = digest::of_bytes(received.body.as_bytes());
        let verified = match self.verify(received, body_digest) {
            Finding::ForeignClient => return refused(digest, Class::N04, Detail::ForeignClient),
            Finding::Forged if is_spaced(&received.body) => return refused(digest, Class::N02, Detail::Rewritten),
            Finding::Forged => return refused(digest, Class::N02, Detail::Forged),
            Finding::Withdrawn => return refused(digest, Class::N02, Detail::Withdrawn),
            Finding::Unverifiable(why) => match self.options.policy.unverifiable {
                Unverifiable::Strict => return refused(digest, Class::N03, why),
                Unverifiable::TrustLog => false,
            },
            Finding::Verified => true,
        };
        let mut line = self.read_body(&received.body, digest, Some(received), kept);
        line.marks = line.marks.and(Marks::VERIFIED, verified);
        line.request_key = received.headers.request_id.as_deref().map_or(0, key);
        line.body_key = short(key(&body_digest));
        line
    }

    fn verify(&self, received: &Received<'_>, body_digest: Digest) -> Finding {
        let (headers, target) = (&received.headers, received.target.as_deref());
        let Some(client_id) = headers.client_id.as_deref() else { return Finding::Unverifiable(Detail::ClientIdMissing) };
        if client_id != self.options.client_id {
            return Finding::ForeignClient;
        }
        let Some(request_id) = headers.request_id.as_deref() else { return Finding::Unverifiable(Detail::RequestIdMissing) };
        let Some(stamp) = headers.timestamp.as_deref() else { return Finding::Unverifiable(Detail::RequestTimestampMissing) };
        let Some(signature) = headers.signature.as_deref() else { return Finding::Unverifiable(Detail::SignatureMissing) };
        let Some(target) = target else { return Finding::Unverifiable(Detail::TargetMissing) };
        if self.options.keys.is_empty() {
            return Finding::Unverifiable(Detail::NoKey);
        }
        let fits = |target: &str| {
            let components = Components { client_id, request_id, stamp: Stamp::Request(stamp), target, body: None };
            self.options.keys.iter().find(|key| key.verify_digested(&components, Some(body_digest), signature).is_ok())
        };
        // Nearly every target is logged as it was signed; only the others cost more.
        match fits(target).or_else(|| readings(target).iter().find_map(|reading| fits(reading))) {
            Some(key) if key.is_believed(received.at) => Finding::Verified,
            Some(_) => Finding::Withdrawn,
            None => Finding::Forged,
        }
    }

    fn read_body(&self, body: &str, digest: Digest, received: Option<&Received<'_>>, (texts, stores): Kept<'_>) -> Line {
        let found = match notification::parse(body) {
            Message::Notification(found) => found,
            Message::OtherService => return Line::of_class(Class::N13, digest),
            Message::Unusable(field) => return refused(digest, Class::N12, Detail::Field(field)),
        };
        let class = if found.status == TransactionStatus::Success { Class::N00 } else { Class::N09 };
        let mut line = Line::of_class(class, digest);
        line.identity = found.identity();
        line.detail = found.left_out.map(Detail::Field);
        line.channel = found.channel;
        line.paid_at_us = found.paid_at.as_microsecond();
        line.content_key = short(content_key(&found));
        if let NotifiedAmount::Usable(amount) = found.amount {
            line.amount = amount.get();
        }
        if class == Class::N00 {
            line.store = stores.number(&found.agent.id, &found.agent.store_id);
        }
        line.marks = self.marks(&found, received);
        if let Some(at) = received.and_then(|received| received.at) {
            line.received_at_us = at.as_microsecond();
        }
        line.text_at = u32::try_from(texts.len()).unwrap_or(u32::MAX);
        match self.options.pairs.pair(&found.invoice_number, &found.payment_code) {
            Some(bill) => line.bill = bill,
            None => keep_texts(&mut line, &found, texts),
        }
        line.moment = payment::moment(found.channel, &found.payment_code, &found.invoice_number, line.amount, found.paid_at);
        let canonical = found.canonical();
        line.marks = line.marks.and(Marks::EVENED, canonical != line.identity).and(Marks::NO_TRANSACTION, !found.has_transaction());
        if canonical != line.identity {
            texts.extend_from_slice(&canonical);
        }
        line
    }

    fn marks(&self, found: &Notification<'_>, received: Option<&Received<'_>>) -> Marks {
        let marks = Marks::default().and(Marks::ACQUIRER_DIFFERS, !found.acquirer_agrees);
        let Some(received) = received else { return marks };
        let Some(received_at) = received.at else { return marks };
        let stamped_at = received.headers.timestamp.as_deref().and_then(|stamp| stamp.parse::<Timestamp>().ok());
        let flags = line_flags(&LateFacts { received_at, stamped_at, paid_at: found.paid_at }, self.options.policy);
        marks.and(Marks::SKEWED, flags.skewed).and(Marks::LATE, flags.late)
    }
}

/// What else a target may have been when it was signed. Whether DOKU signs a query string is not documented; servers and proxies log
/// the whole URL, leave the first slash out or add a last one.
fn readings(target: &str) -> BTreeSet<String> {
    let in_url = match target.split_once("://") {
        Some((_, rest)) => rest.find(['/', '?']).and_then(|at| rest.get(at..)).unwrap_or("/"),
        None => target,
    };
    let with_slash = if in_url.starts_with('/') { in_url.to_owned() } else { format!("/{in_url}") };
    let path = with_slash.split(['?', '#']).next().unwrap_or("/").trim_end_matches('/').to_owned();
    let bare = target.split(['?', '#']).next().unwrap_or(target).to_owned();
    let with_last_slash = format!("{path}/");
    BTreeSet::from([in_url.to_owned(), with_slash.trim_end_matches('/').to_owned(), with_slash, bare, path, with_last_slash])
}

/// Whether JSON is written with a space behind every colon, as databases write what they keep as JSON; DOKU writes none.
fn is_spaced(body: &str) -> bool {
    memchr::memmem::find(body.as_bytes(), b"\": ").is_some()
}

fn keep_texts(line: &mut Line, found: &Notification<'_>, texts: &mut Vec<u8>) {
    line.invoice_length = u8::try_from(found.invoice_number.len()).unwrap_or(0);
    line.code_length = u8::try_from(found.payment_code.len()).unwrap_or(0);
    texts.extend_from_slice(found.invoice_number.as_bytes());
    texts.extend_from_slice(found.payment_code.as_bytes());
}

pub(super) fn refused(digest: Digest, class: Class, why: Detail) -> Line {
    let mut line = Line::of_class(class, digest);
    line.detail = Some(why);
    line
}

fn content_key(found: &Notification<'_>) -> u64 {
    let mut hasher = DefaultHasher::new();
    match &found.amount {
        NotifiedAmount::Usable(amount) => amount.get().hash(&mut hasher),
        NotifiedAmount::Unusable(written) => written.hash(&mut hasher),
    }
    payment::whole_second(found.paid_at).hash(&mut hasher);
    found.invoice_number.hash(&mut hasher);
    hasher.finish()
}

fn key<T: Hash + ?Sized>(value: &T) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Half of a key, where keys meet only few others.
fn short(key: u64) -> u32 {
    u32::try_from(key >> 32).unwrap_or(u32::MAX)
}
