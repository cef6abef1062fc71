//! The ledger's head as people give it, and as `ledger verify --head-file` keeps it from one night to the next, so that an older copy put back is found by itself.

use std::io::{self, Write as _};
use std::path::Path;

use super::failure::Failure;
use super::output;
use crate::domain::digest::Digest;
use crate::ledger::LedgerHead;
use crate::private;
use crate::report::atomic;
use crate::report::issue::head_text;

/// The head that was kept; none the first time.
pub(super) fn kept(path: &Path) -> Result<Option<LedgerHead>, Failure> {
    let shown = path.display();
    match private::text(path) {
        Ok(text) => parse_head(text.trim()).map(Some).map_err(|_| {
            Failure::usage(format!("`{shown}` holds no head\nhint: it has `sequence:hash`; only if nobody meddled, remove it"))
        }),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            output::note(format_args!("note: no head was kept in `{shown}` before, so an older copy would not be noticed this time"));
            Ok(None)
        }
        Err(error) => Err(Failure::disk(path, "read", &error)),
    }
}

/// Keeps the head of a ledger that is whole, in place of the one before.
pub(super) fn keep(path: &Path, head: LedgerHead) -> Result<(), Failure> {
    Ok(atomic::write(path, |draft| writeln!(draft, "{}", head_text(head)))?)
}

/// `sequence:hash`, as every summary prints it.
pub(super) fn parse_head(text: &str) -> Result<LedgerHead, Failure> {
    let parsed = text.split_once(':').and_then(|(sequence, hash)| {
        let mut bytes: Digest = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(hash.get(index * 2..index * 2 + 2)?, 16).ok()?;
        }
        (hash.len() == 64).then_some(LedgerHead { sequence: sequence.parse().ok()?, hash: bytes })
    });
    parsed.ok_or_else(|| Failure::usage(format!("`--head {text}` is not `sequence:hash`\nhint: copy `ledger_head` from a summary.json")))
}
