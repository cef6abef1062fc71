//! One raw line → its record: digest, verification, and what its body says. The order of the tests is the rules'.

use std::collections::BTreeSet;

use jiff::Timestamp;

use super::Pairs;
use super::envelope::{self, Envelope, Received};
use super::fact::{Beside, Fact, Verdict, refused};
use super::physical_lines::LINE_MAX;
use super::read_options::ReadOptions;
use crate::doku::claim::{self, Claim};
use crate::doku::notification::{self, Message, NotifiedAmount, TransactionStatus};
use crate::doku::signature::{Components, Stamp};
use crate::domain::classify::{Class, Unverifiable};
use crate::domain::digest::{self, Digest};
use crate::domain::line::{Detail, Line, Marks};
use crate::domain::payment;
use crate::domain::store::Stores;

/// Reads lines one after the other.
#[derive(Debug)]
pub(super) struct Inspector<'a> {
    options: &'a ReadOptions<'a>,
    keeps_all: bool,
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

/// Where ids that match no bill are kept, the names of stores, and the claims of what cannot be booked, each with the digest of its line.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) texts: Vec<u8>,
    pub(super) stores: Stores,
    pub(super) claims: Vec<(Digest, Claim)>,
}

impl<'a> Inspector<'a> {
    /// `keeps_all`: what the present settings do not count is read as well, for other settings to judge.
    pub(super) const fn new(options: &'a ReadOptions<'a>, keeps_all: bool) -> Self {
        Self { options, keeps_all }
    }

    /// What one message is; the ids that match no bill go to `kept`.
    pub(super) fn inspect(&self, raw: Raw<'_>, kept: &mut Kept) -> Fact {
        let (digest, bytes) = match raw {
            Raw::Line(bytes) => (digest::of_bytes(bytes), bytes),
            Raw::Wrapped { digest, text } => (digest, text.as_bytes()),
        };
        if bytes.len() > LINE_MAX {
            return Fact::unread(refused(digest, Class::N01, Detail::TooLong));
        }
        let Ok(text) = str::from_utf8(bytes) else { return Fact::unread(refused(digest, Class::N01, Detail::NotUtf8)) };
        match envelope::parse(text) {
            Envelope::Malformed(why) => Fact::unread(refused(digest, Class::N01, why)),
            Envelope::Bare => {
                let verdict = Verdict::Unverifiable(Detail::Bare);
                let line = if self.reads(verdict) { self.read_body(text, digest, None, kept) } else { Line::of_class(Class::N03, digest) };
                Fact { beside: Beside { verdict, ..Fact::unread(line.clone()).beside }, line }
            }
            Envelope::Received(received) => self.judge(&received, digest, kept),
        }
    }

    /// Verifies a received message, then reads its body.
    fn judge(&self, received: &Received<'_>, digest: Digest, kept: &mut Kept) -> Fact {
        let body_digest = digest::of_bytes(received.body.as_bytes());
        let stamped_at = received.headers.timestamp.as_deref().and_then(|stamp| stamp.parse::<Timestamp>().ok());
        let [stamped_at_us, arrived_at_us] = [stamped_at, received.at].map(|at| at.map_or(Line::UNKNOWN_TIME, Timestamp::as_microsecond));
        let mut beside = Beside { verdict: self.verify(received, body_digest), stamped_at_us, arrived_at_us };
        self.hold_in_time(&mut beside, Line::UNKNOWN_TIME);
        let line = match beside.verdict {
            Verdict::Foreign => refused(digest, Class::N04, Detail::ForeignClient),
            Verdict::Forged(why) => refused(digest, Class::N02, why),
            verdict if self.reads(verdict) => {
                let mut line = self.read_body(&received.body, digest, Some(received), kept);
                line.request_key = received.headers.request_id.as_deref().map_or(0, |id| key(&digest::of_bytes(id.as_bytes())));
                line.body_key = short(key(&body_digest));
                self.hold_in_time(&mut beside, line.paid_at_us);
                let is_claimed = matches!(beside.verdict, Verdict::Signed(_) | Verdict::Withdrawn(_)) && self.reads(beside.verdict);
                if is_claimed {
                    kept.claims.extend(claim_of(&line, &received.body).map(|claim| (digest, claim)));
                }
                line
            }
            _ => Line::of_class(Class::N03, digest),
        };
        Fact { line, beside }
    }

    /// A key that has an end is believed about what came before it, by whatever the message says of when that was.
    fn hold_in_time(&self, beside: &mut Beside, paid_at_us: i64) {
        let Verdict::Signed(place) = beside.verdict else { return };
        let came_at = beside.came_at(paid_at_us, self.options.policy);
        if self.options.keys.get(usize::from(place)).is_some_and(|key| !key.is_believed(came_at)) {
            beside.verdict = Verdict::Withdrawn(place);
        }
    }

    /// Whether the body of a message counts, or may count under other settings.
    fn reads(&self, verdict: Verdict) -> bool {
        match verdict {
            Verdict::Signed(_) => true,
            Verdict::Unverifiable(_) => self.keeps_all || self.options.policy.unverifiable == Unverifiable::TrustLog,
            Verdict::Withdrawn(_) => self.keeps_all,
            Verdict::Unread | Verdict::Foreign | Verdict::Forged(_) => false,
        }
    }

    fn verify(&self, received: &Received<'_>, body_digest: Digest) -> Verdict {
        let (headers, target) = (&received.headers, received.target.as_deref());
        let Some(client_id) = headers.client_id.as_deref() else { return Verdict::Unverifiable(Detail::ClientIdMissing) };
        if client_id != self.options.client_id {
            return Verdict::Foreign;
        }
        let Some(request_id) = headers.request_id.as_deref() else { return Verdict::Unverifiable(Detail::RequestIdMissing) };
        let Some(stamp) = headers.timestamp.as_deref() else { return Verdict::Unverifiable(Detail::RequestTimestampMissing) };
        let Some(signature) = headers.signature.as_deref() else { return Verdict::Unverifiable(Detail::SignatureMissing) };
        let Some(target) = target else { return Verdict::Unverifiable(Detail::TargetMissing) };
        if self.options.keys.is_empty() {
            return Verdict::Unverifiable(Detail::NoKey);
        }
        let fits = |target: &str| {
            let components = Components { client_id, request_id, stamp: Stamp::Request(stamp), target, body: None };
            (0_u8..).zip(self.options.keys.iter()).find(|(_, key)| key.verify_digested(&components, Some(body_digest), signature).is_ok())
        };
        // Nearly every target is logged as it was signed; only the others cost more.
        match fits(target).or_else(|| readings(target).iter().find_map(|reading| fits(reading))) {
            Some((place, _)) => Verdict::Signed(place),
            None if is_spaced(&received.body) => Verdict::Forged(Detail::Rewritten),
            None => Verdict::Forged(Detail::Forged),
        }
    }

    fn read_body(&self, body: &str, digest: Digest, received: Option<&Received<'_>>, kept: &mut Kept) -> Line {
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
        match &found.amount {
            NotifiedAmount::Usable(amount) => line.amount = amount.get(),
            NotifiedAmount::Unusable(written) => line.content_key = short(key(&digest::of_bytes(written.as_bytes()))),
        }
        if class == Class::N00 {
            line.store = kept.stores.number(&found.agent.id, &found.agent.store_id);
        }
        if let Some(at) = received.and_then(|received| received.at) {
            line.received_at_us = at.as_microsecond();
        }
        let ids = (&*found.invoice_number, &*found.payment_code);
        let canonical = Some(found.canonical()).filter(|canonical| *canonical != line.identity);
        line.marks = line.marks.and(Marks::ACQUIRER_DIFFERS, !found.acquirer_agrees).and(Marks::NO_TRANSACTION, !found.has_transaction());
        name(&mut line, ids, canonical, self.options.pairs, &mut kept.texts);
        line
    }
}

/// Says of a line which bill it names, keeping the texts of those that no bill has.
pub(super) fn name(line: &mut Line, (number, code): (&str, &str), canonical: Option<Digest>, pairs: &dyn Pairs, texts: &mut Vec<u8>) {
    line.text_at = u32::try_from(texts.len()).unwrap_or(u32::MAX);
    match pairs.pair(number, code) {
        Some(bill) => line.bill = bill,
        None => keep_texts(line, number, code, texts),
    }
    line.moment = payment::moment(line.channel, code, number, line.amount, line.paid_at());
    line.marks = line.marks.and(Marks::EVENED, canonical.is_some());
    texts.extend(canonical.iter().flatten());
}

/// What a signed body claims that cannot be booked.
fn claim_of(line: &Line, body: &str) -> Option<Claim> {
    let may_be = line.class == Class::N12 || line.class == Class::N00 && line.usable_amount().is_none();
    may_be.then(|| claim::claim(body))?
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

fn keep_texts(line: &mut Line, number: &str, code: &str, texts: &mut Vec<u8>) {
    line.invoice_length = u8::try_from(number.len()).unwrap_or(0);
    line.code_length = u8::try_from(code.len()).unwrap_or(0);
    texts.extend_from_slice(number.as_bytes());
    texts.extend_from_slice(code.as_bytes());
}

/// The beginning of a digest: the same in every version, for it is also kept.
fn key(digest: &Digest) -> u64 {
    digest.first_chunk::<8>().copied().map_or(0, u64::from_be_bytes)
}

/// Half of a key, where keys meet only few others.
fn short(key: u64) -> u32 {
    u32::try_from(key >> 32).unwrap_or(u32::MAX)
}
