//! A reader that refuses bytes no CSV of bills can hold: null bytes, anything but UTF-8, and records without end.
//!
//! Belongs here: checks on raw bytes, with their exact line and byte. Must not be here: anything about columns.
//! It sits under the CSV parser, so memory stays bounded whatever the file holds.

use std::cell::{Cell, RefCell};
use std::collections::VecDeque;
use std::io::{self, Read};
use std::rc::Rc;

use super::error::{Fault, Spot};

/// What guard and parser tell each other; bytes count from the beginning of the file.
#[derive(Clone, Debug, Default)]
pub(super) struct Watch(Rc<Shared>);

#[derive(Debug, Default)]
struct Shared {
    /// How far the parser may read before it has finished the current record.
    horizon: Cell<u64>,
    /// How much it has been given.
    given: Cell<u64>,
    /// Where the line feeds are among what it has not finished.
    line_feeds: RefCell<VecDeque<u64>>,
}

impl Watch {
    /// The parser may read up to `byte`.
    pub(super) fn allow(&self, byte: u64) {
        self.0.horizon.set(byte);
    }

    /// Whether the last byte before `byte` is a line feed; forgets those before it. The first byte after the end of the
    /// file is one too: the parser is given it there.
    pub(super) fn ends_in_line_feed(&self, byte: u64) -> bool {
        let last = byte.saturating_sub(1);
        let mut line_feeds = self.0.line_feeds.borrow_mut();
        while line_feeds.front().is_some_and(|&line_feed| line_feed < last) {
            line_feeds.pop_front();
        }
        line_feeds.front() == Some(&last) || last == self.0.given.get()
    }
}

/// The stop of a record that never ends; the parser's owner knows which record it was.
#[derive(Debug, thiserror::Error)]
#[error("the record is too large")]
pub(super) struct Endless;

/// See the module.
pub(super) struct Guard<R> {
    inner: R,
    watch: Watch,
    bytes_max: u64,
    /// The beginning of a character whose rest has not been read yet.
    partial: Vec<u8>,
    at: Spot,
}

impl<R: Read> Guard<R> {
    /// Guards `inner`, which begins at byte `start` of the file.
    pub(super) const fn new(inner: R, start: u64, watch: Watch, bytes_max: u64) -> Self {
        Self { inner, watch, bytes_max, partial: Vec::new(), at: Spot { line: 1, byte: start } }
    }

    /// Checks the bytes that follow those already checked.
    fn check(&mut self, bytes: &[u8]) -> Result<(), Fault> {
        if let Some(offset) = memchr::memchr(0, bytes) {
            return Err(Fault::Nul(self.spot_at(bytes, offset)));
        }
        let mut rest = bytes;
        while !self.partial.is_empty() && !rest.is_empty() {
            let Some((&next, after)) = rest.split_first() else { break };
            self.partial.push(next);
            rest = after;
            match std::str::from_utf8(&self.partial) {
                Ok(_) => self.partial.clear(),
                Err(error) if error.error_len().is_none() => {}
                Err(_) => {
                    let length = u64::try_from(self.partial.len()).unwrap_or_default();
                    let consumed = u64::try_from(bytes.len().saturating_sub(rest.len())).unwrap_or_default();
                    let byte = self.at.byte.saturating_add(consumed).saturating_sub(length);
                    let found = self.partial.first().copied().unwrap_or_default();
                    return Err(not_utf8(Spot { line: self.at.line, byte }, found));
                }
            }
        }
        if let Err(error) = std::str::from_utf8(rest) {
            let wrong = rest.get(error.valid_up_to()..).unwrap_or_default();
            if error.error_len().is_some() {
                let offset = bytes.len().saturating_sub(wrong.len());
                return Err(not_utf8(self.spot_at(bytes, offset), wrong.first().copied().unwrap_or_default()));
            }
            self.partial.extend_from_slice(wrong);
        }
        let place = |offset: usize| self.at.byte.saturating_add(u64::try_from(offset).unwrap_or(u64::MAX));
        self.watch.0.line_feeds.borrow_mut().extend(memchr::memchr_iter(b'\n', bytes).map(place));
        self.at = self.spot_at(bytes, bytes.len());
        self.watch.0.given.set(self.at.byte);
        Ok(())
    }

    /// The spot of `bytes[offset]`, where `bytes` follow what was already checked.
    fn spot_at(&self, bytes: &[u8], offset: usize) -> Spot {
        let before = bytes.get(..offset).unwrap_or(bytes);
        let count = |n: usize| u64::try_from(n).unwrap_or(u64::MAX);
        Spot {
            line: self.at.line.saturating_add(count(memchr::memchr_iter(b'\n', before).count())),
            byte: self.at.byte.saturating_add(count(before.len())),
        }
    }
}

impl<R: Read> Read for Guard<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.at.byte > self.watch.0.horizon.get() {
            return Err(io::Error::other(Endless));
        }
        let count = self.inner.read(buffer)?;
        let bytes = buffer.get(..count).unwrap_or_default();
        if let (true, Some(&found)) = (count == 0, self.partial.first()) {
            let length = u64::try_from(self.partial.len()).unwrap_or_default();
            let spot = Spot { byte: self.at.byte.saturating_sub(length), ..self.at };
            return Err(io::Error::other(not_utf8(spot, found)));
        }
        self.check(bytes).map_err(io::Error::other)?;
        if self.at.byte > self.bytes_max {
            return Err(io::Error::other(Fault::TooLarge(self.bytes_max)));
        }
        Ok(count)
    }
}

/// Windows-1252 uses 0x80 to 0x9f for quotes and dashes; Latin-1 has only control characters there.
const fn not_utf8(spot: Spot, found: u8) -> Fault {
    let likely = match found {
        0x80..=0x9f => "Windows-1252 (an older Windows spreadsheet)",
        0xa0.. => "Windows-1252 or Latin-1 (an older Windows spreadsheet)",
        _ => "a damaged file",
    };
    Fault::NotUtf8 { spot, found, likely }
}

/// UTF-16 betrays itself by its mark, or by a null byte beside every ASCII character of the header.
pub(super) fn utf16(head: &[u8]) -> Option<&'static str> {
    match head {
        [0xff, 0xfe, ..] => return Some("UTF-16 little-endian"),
        [0xfe, 0xff, ..] => return Some("UTF-16 big-endian"),
        _ => {}
    }
    let nulls = |parity: usize| head.iter().take(64).skip(parity).step_by(2).filter(|&&byte| byte == 0).count();
    let (even, odd) = (nulls(0), nulls(1));
    match head.len() {
        0..=3 => None,
        _ if odd > 1 && even == 0 => Some("UTF-16 little-endian"),
        _ if even > 1 && odd == 0 => Some("UTF-16 big-endian"),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands out one byte at a time, so that every character is cut everywhere.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let count = self.0.len().min(1);
            buffer[..count].copy_from_slice(&self.0[..count]);
            self.0 = &self.0[count..];
            Ok(count)
        }
    }

    fn fault(bytes: &[u8], drip: bool) -> Option<String> {
        let watch = Watch::default();
        watch.allow(u64::MAX);
        let mut out = Vec::new();
        let result = if drip {
            Guard::new(Drip(bytes), 0, watch, 1000).read_to_end(&mut out)
        } else {
            Guard::new(bytes, 0, watch, 1000).read_to_end(&mut out)
        };
        result.err().map(|error| error.to_string())
    }

    #[test]
    fn a_wrong_byte_is_found_at_its_line_and_byte_however_the_file_is_cut() {
        for (bytes, line, byte) in
            [(&b"a\nb\xe9c"[..], 2, 3), (b"\xe9", 1, 0), (b"\xc3\xa9\n\n\xf0\x9f\x98x", 3, 4), (b"a\n\xf0\x9f", 2, 2)]
        {
            for drip in [true, false] {
                let found = fault(bytes, drip).unwrap();
                assert!(found.contains(&format!("line {line}, byte {byte}:")), "{found}");
            }
        }
        assert_eq!(fault("é\u{1f600}\nñ".as_bytes(), true), None);
        assert!(fault(b"a\n\0", true).unwrap().contains("line 2, byte 2"));
    }

    #[test]
    fn utf16_is_named_with_and_without_its_mark() {
        let little: Vec<u8> = "invoice".encode_utf16().flat_map(u16::to_le_bytes).collect();
        let big: Vec<u8> = "invoice".encode_utf16().flat_map(u16::to_be_bytes).collect();
        assert_eq!(utf16(&little), Some("UTF-16 little-endian"));
        assert_eq!(utf16(&big), Some("UTF-16 big-endian"));
        assert_eq!(utf16(b"\xff\xfei\0"), Some("UTF-16 little-endian"));
        assert_eq!(utf16(b"invoice_number"), None);
    }
}
