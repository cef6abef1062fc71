//! Verified messages that tell of money and cannot be booked, found again where they stand.

use std::collections::HashMap;
use std::path::PathBuf;

use super::EvidenceError;
use super::envelope::{self, Envelope};
use super::visit::visit;
use crate::doku::claim::{self, Claim};
use crate::domain::classify::{Class, Money};
use crate::domain::digest::Digest;
use crate::domain::line::{Lines, Marks};
use crate::table::Settings;

/// What the N12 and P17 of `lines`, which were read from `files` and verified, claim; each with the digest of its line. Files are read a
/// second time only where there is such a line.
///
/// # Errors
/// When a file cannot be read to its end.
pub fn claims(files: &[PathBuf], tables: &Settings, lines: &Lines) -> Result<Vec<(Digest, Claim)>, EvidenceError> {
    let is_money = |class: Class| class.info().money == Money::Told;
    let wanted: HashMap<(u32, u32), Digest> = lines
        .iter()
        .filter(|(_, line)| line.marks.has(Marks::VERIFIED))
        .filter(|(_, line)| line.class == Class::N12 || is_money(line.class) && line.usable_amount().is_none())
        .map(|(_, line)| ((line.file, line.number), line.digest))
        .collect();
    let mut found = Vec::new();
    if wanted.is_empty() {
        return Ok(found);
    }
    visit(files, tables, |file, number, bytes| {
        let Some(digest) = wanted.get(&(file, number)) else { return };
        let Ok(text) = str::from_utf8(bytes) else { return };
        if let Envelope::Received(received) = envelope::parse(text)
            && let Some(claim) = claim::claim(&received.body)
        {
            found.push((*digest, claim));
        }
    })?;
    found.sort_by_key(|claimed| claimed.0);
    found.dedup();
    Ok(found)
}
