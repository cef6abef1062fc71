//! The lines of a file as they stand there, whatever is said on them: where each begins and ends.
//!
//! Belongs here: bytes and line ends. Must not be here: what stands around a message (`wrapper`), which message a line is (`lines`).

/// The longest line that is looked at, in bytes.
pub(super) const LINE_MAX: usize = 1 << 20;

/// Where a message stands in its block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Span {
    /// How many lines come before.
    pub(super) line: u64,
    /// How many bytes come before.
    pub(super) offset: usize,
    /// How many bytes it has, without line end, byte order mark and zeros around it.
    pub(super) length: usize,
}

impl Span {
    /// What stands there.
    pub(super) fn of(self, block: &[u8]) -> &[u8] {
        block.get(self.offset..self.offset.saturating_add(self.length)).unwrap_or_default()
    }
}

/// The lines of `bytes` without their ends, byte order marks and zeros around them, and where each stands.
pub(super) fn physical(bytes: &[u8]) -> impl Iterator<Item = (Span, &[u8])> {
    let (mut start, mut line) = (0_usize, 0_u64);
    std::iter::from_fn(move || {
        let rest = bytes.get(start..).filter(|rest| !rest.is_empty())?;
        let end = memchr::memchr(b'\n', rest);
        let whole = rest.get(..end.unwrap_or(rest.len())).unwrap_or_default();
        let whole = if end.is_some() { whole.strip_suffix(b"\r").unwrap_or(whole) } else { whole };
        let raw = trimmed(whole);
        let lead = raw.as_ptr().addr().saturating_sub(whole.as_ptr().addr());
        let span = Span { line, offset: start.saturating_add(lead), length: raw.len() };
        start = start.saturating_add(end.unwrap_or(rest.len())).saturating_add(1);
        line = line.saturating_add(1);
        Some((span, raw))
    })
}

/// Without byte order marks before it, and without zeros around it: they are what a file's start and a crash leave.
pub(super) fn trimmed(mut raw: &[u8]) -> &[u8] {
    while let Some(rest) = raw.strip_prefix(b"\xef\xbb\xbf").or_else(|| raw.strip_prefix(b"\0")) {
        raw = rest;
    }
    while let Some(rest) = raw.strip_suffix(b"\0") {
        raw = rest;
    }
    raw
}

/// Whether a record ends a line, as far as that is seen without reading it: Docker's by the line end in its text.
pub(super) fn surely_ends(raw: &[u8]) -> bool {
    memchr::memmem::find_iter(raw, br#"\n""#).any(|at| {
        let before = raw.get(..at).unwrap_or_default();
        before.iter().rev().take_while(|&&byte| byte == b'\\').count() % 2 == 0
    })
}
