//! Lines → the payments they prove, in memory that grows little with the logs.
//!
//! Whatever may be of one payment names one code. So lines are put aside in shares by code; each share is deduplicated by itself, and
//! what it proves is put aside once more. Payments come back in the order of their numbers, as bills were recorded in most ledgers: then those
//! that are applied together are found, and written, in neighbouring places.

use crate::domain::amount::Rupiah;
use crate::domain::digest::{self, Digest};
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::line::{Line, Lines};
use crate::domain::payment::Payment;
use crate::reconcile::{Tallies, dedupe};
use crate::spool::{KeepingError, Spool, SpooledPart, row_begins, row_ends, rows_of};

/// Shares of the lines. Of ten million each has about a hundred megabytes.
const SHARES: usize = 16;
/// Bytes of a share that gather until they are put aside together.
const GATHERED_BYTES: usize = 1 << 16;

/// Records put aside in shares.
#[derive(Debug, Default)]
struct Shares {
    spool: Spool,
    /// Of which share each part of the spool is.
    of: Vec<usize>,
    gathering: [Vec<u8>; SHARES],
}

impl Shares {
    fn put(&mut self, share: usize, write: impl FnOnce(&mut Vec<u8>)) -> Result<(), KeepingError> {
        let Some(bytes) = self.gathering.get_mut(share) else { return Ok(()) };
        let start = row_begins(bytes);
        write(bytes);
        row_ends(bytes, start);
        if bytes.len() < GATHERED_BYTES { Ok(()) } else { self.put_aside(share) }
    }

    fn put_aside(&mut self, share: usize) -> Result<(), KeepingError> {
        let Some(bytes) = self.gathering.get_mut(share).filter(|bytes| !bytes.is_empty()) else { return Ok(()) };
        self.spool.push(std::slice::from_ref(bytes), 1)?;
        self.of.push(share);
        bytes.clear();
        Ok(())
    }

    /// All that was put is put aside.
    fn close(&mut self) -> Result<(), KeepingError> {
        (0..SHARES).try_for_each(|share| self.put_aside(share))?;
        self.gathering = Default::default();
        Ok(())
    }

    fn parts(&self, share: usize) -> impl Iterator<Item = &SpooledPart> {
        self.spool.parts().iter().zip(&self.of).filter(move |(_, of)| **of == share).map(|(part, _)| part)
    }
}

/// Lines that tell of payments, while they are read.
#[derive(Debug, Default)]
pub(super) struct Proving(Shares);

impl Proving {
    /// Puts those of `lines` aside that tell of payments, and counts the others.
    pub(super) fn take(&mut self, lines: &Lines, tallies: &mut Tallies) -> Result<(), KeepingError> {
        for (_, line) in lines.iter() {
            if line.class.info().money.names_a_payment() {
                let (_, code) = lines.texts(line);
                self.0.put(share_of(code), |bytes| lines.put_told(line, bytes))?;
            } else {
                count(tallies, line);
            }
        }
        Ok(())
    }

    /// What they prove, and how many payments have no usable amount; counts the lines by what they came to be.
    pub(super) fn payments(mut self, tallies: &mut Tallies) -> Result<(ProvedPayments, u64), KeepingError> {
        self.0.close()?;
        let (mut proved, mut unusable) = (Shares::default(), 0_u64);
        for share in 0..SHARES {
            let mut lines = Lines::default();
            for part in self.0.parts(share) {
                read(&self.0.spool, part, |told| lines.take_told(told))?;
            }
            let payments = dedupe(&mut lines);
            lines.iter().for_each(|(_, line)| count(tallies, line));
            let mut proofs: Vec<(u32, &Line)> = payments.proofs().filter_map(|at| Some((at, lines.get(at)?))).collect();
            proofs.sort_by_cached_key(|(_, line)| (lines.texts(line), line.identity));
            for (at, line) in proofs {
                let canonical = payments.canonical(&lines, at).unwrap_or(line.identity);
                if payment(&lines, line, canonical).is_some() {
                    proved.put(share, |bytes| {
                        bytes.extend_from_slice(&canonical);
                        lines.put_told(line, bytes);
                    })?;
                } else {
                    unusable = unusable.saturating_add(1);
                }
            }
        }
        proved.close()?;
        Ok((ProvedPayments(proved), unusable))
    }
}

fn share_of(code: &str) -> usize {
    let [first, ..] = digest::of_bytes(code.as_bytes());
    usize::from(first) % SHARES
}

fn count(tallies: &mut Tallies, line: &Line) {
    tallies.add(line.class, Rupiah::new(line.amount.into()));
}

/// Shows each record of a part to whoever can read it.
fn read(spool: &Spool, part: &SpooledPart, mut take: impl FnMut(&[u8]) -> Option<()>) -> Result<(), KeepingError> {
    let bytes = spool.read(part)?;
    let is_read = rows_of(&bytes).into_iter().try_for_each(&mut take).is_some();
    if is_read { Ok(()) } else { Err(KeepingError::of(&"a line is not as it was kept")) }
}

/// Payments that logs prove.
#[derive(Debug)]
pub(in crate::jobs) struct ProvedPayments(Shares);

impl ProvedPayments {
    pub(in crate::jobs) const fn is_empty(&self) -> bool {
        self.0.of.is_empty()
    }

    /// Each of them, by number, code and identity.
    pub(in crate::jobs) fn iter(&self) -> impl Iterator<Item = Result<Payment, KeepingError>> + Send {
        let mut shares: Vec<_> = (0..SHARES).map(|share| self.of_share(share).peekable()).collect();
        std::iter::from_fn(move || {
            let firsts = (0_usize..).zip(&mut shares).filter_map(|(share, left)| Some((left.peek()?.as_ref().ok().map(place), share)));
            let (_, share) = firsts.min()?;
            shares.get_mut(share)?.next()
        })
    }

    fn of_share(&self, share: usize) -> impl Iterator<Item = Result<Payment, KeepingError>> + Send {
        self.0.parts(share).flat_map(|part| {
            let (mut lines, mut canonicals) = (Lines::default(), Vec::new());
            let whole = read(&self.0.spool, part, |bytes| {
                let (canonical, told) = bytes.split_first_chunk()?;
                canonicals.push(*canonical);
                lines.take_told(told)
            });
            let payments = lines.iter().zip(canonicals).filter_map(|((_, line), canonical)| payment(&lines, line, canonical));
            payments.map(Ok).chain(whole.err().map(Err)).collect::<Vec<_>>()
        })
    }
}

/// Where it stands among payments.
const fn place(payment: &Payment) -> (&InvoiceNumber, &PaymentCode, &Digest) {
    (&payment.invoice_number, &payment.payment_code, &payment.identity)
}

fn payment(lines: &Lines, line: &Line, canonical: Digest) -> Option<Payment> {
    let (invoice_number, payment_code) = lines.texts(line);
    Some(Payment {
        identity: line.identity,
        canonical,
        invoice_number: InvoiceNumber::new(invoice_number).ok()?,
        payment_code: PaymentCode::new(payment_code).ok()?,
        channel: line.channel,
        amount: line.usable_amount()?,
        paid_at: line.paid_at(),
        received_at: line.received_at(),
        line_digest: line.digest,
    })
}
