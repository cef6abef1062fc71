//! A file as it lies on disk → its text: digested and counted as it is, decompressed by what it holds, whatever it is called.

use std::fs::File;
use std::io::{self, BufRead, Read};
use std::path::Path;

use crate::domain::digest::{Digest, Running};

/// Bytes read ahead where something must be looked at before it is taken.
const BUFFER: usize = 1 << 16;

/// Digests and counts what passes through.
pub(super) struct Source {
    inner: Box<dyn Read + Send>,
    running: Running,
    bytes: u64,
    ahead: Vec<u8>,
    at: usize,
}

impl Source {
    fn new(inner: Box<dyn Read + Send>) -> Self {
        Self { inner, running: Running::default(), bytes: 0, ahead: Vec::new(), at: 0 }
    }

    fn pull(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let count = self.inner.read(buffer)?;
        self.running.update(buffer.get(..count).unwrap_or_default());
        self.bytes = self.bytes.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
        Ok(count)
    }

    fn waiting(&self) -> &[u8] {
        self.ahead.get(self.at..).unwrap_or_default()
    }

    /// What comes next, at least `count` bytes of it unless the file ends before.
    fn peek(&mut self, count: usize) -> io::Result<&[u8]> {
        while self.waiting().len() < count {
            let mut piece = vec![0; BUFFER];
            match self.pull(&mut piece) {
                Ok(0) => break,
                Ok(found) => {
                    self.ahead.drain(..self.at);
                    self.at = 0;
                    self.ahead.extend_from_slice(piece.get(..found).unwrap_or_default());
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(self.waiting())
    }

    /// Passes over zeros; whether anything follows them.
    fn skip_zeros(&mut self) -> io::Result<bool> {
        loop {
            let waiting = self.peek(1)?;
            let zeros = waiting.iter().take_while(|&&byte| byte == 0).count();
            let (is_end, is_over) = (waiting.is_empty(), zeros < waiting.len());
            self.consume(zeros);
            if is_end || is_over {
                return Ok(is_over);
            }
        }
    }
}

impl Read for Source {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if self.waiting().is_empty() && buffer.len() >= BUFFER {
            return self.pull(buffer);
        }
        let count = self.fill_buf()?.read(buffer)?;
        self.consume(count);
        Ok(count)
    }
}

impl BufRead for Source {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.peek(1)
    }

    fn consume(&mut self, count: usize) {
        self.at = self.at.saturating_add(count).min(self.ahead.len());
    }
}

/// One compressed part of a file, or all of a file that is not compressed.
enum Part {
    Plain(Source),
    Gzip(Box<flate2::bufread::GzDecoder<Source>>),
    Zstd(Box<zstd::Decoder<'static, Source>>),
    /// Nothing is left.
    Over(Source),
}

impl Part {
    /// What begins here; `None` where it is not compressed.
    fn compressed(mut source: Source) -> io::Result<Result<Self, Source>> {
        Ok(match source.peek(4)? {
            [0x1f, 0x8b, 8, ..] => Ok(Self::Gzip(Box::new(flate2::bufread::GzDecoder::new(source)))),
            [0x28, 0xb5, 0x2f, 0xfd] | [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => {
                Ok(Self::Zstd(Box::new(zstd::Decoder::with_buffer(source)?.single_frame())))
            }
            _ => Err(source),
        })
    }

    fn into_source(self) -> Source {
        match self {
            Self::Plain(source) | Self::Over(source) => source,
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => decoder.finish(),
        }
    }

    /// What comes after a compressed part: another one, or, after any zeros, the end.
    fn after(self) -> io::Result<Self> {
        let mut source = self.into_source();
        if !source.skip_zeros()? {
            return Ok(Self::Over(source));
        }
        Self::compressed(source)?.map_err(|_| io::Error::new(io::ErrorKind::InvalidData, "its compressed part is followed by other bytes"))
    }
}

/// That a file is far smaller than what it is made to expand to, as no log of messages is.
#[derive(Debug, thiserror::Error)]
#[error("it expands to more than {0} times its size")]
pub(super) struct Expansion(pub(super) u64);

/// What a file may expand to, however small it is.
const EXPANSION_FREE: u64 = 1 << 20;

/// The text of a file.
pub(super) struct Decoder {
    part: Option<Part>,
    expanded: u64,
    expansion_max: u64,
}

impl Decoder {
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        Self::new(Box::new(File::open(path)?))
    }

    /// The same of bytes from anywhere.
    pub(super) fn new(bytes: Box<dyn Read + Send>) -> io::Result<Self> {
        let part = Part::compressed(Source::new(bytes))?.unwrap_or_else(Part::Plain);
        Ok(Self { part: Some(part), expanded: 0, expansion_max: u64::MAX })
    }

    /// The same, refusing to expand to more than `times` the bytes that were read.
    pub(super) fn within(self, times: u64) -> Self {
        Self { expansion_max: times, ..self }
    }

    /// The digest and size of the file, to its very end.
    pub(super) fn finish(self) -> io::Result<(Digest, u64)> {
        let mut source = self.part.ok_or_else(|| io::Error::other("it was read on after an error"))?.into_source();
        io::copy(&mut source, &mut io::sink())?;
        Ok((source.running.finish(), source.bytes))
    }
}

impl Read for Decoder {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while let Some(part) = &mut self.part {
            let (count, taken) = match part {
                Part::Plain(source) => return source.read(buffer),
                Part::Over(_) => return Ok(0),
                Part::Gzip(decoder) => (decoder.read(buffer)?, decoder.get_ref().bytes),
                Part::Zstd(decoder) => (decoder.read(buffer)?, decoder.get_ref().bytes),
            };
            self.expanded = self.expanded.saturating_add(u64::try_from(count).unwrap_or(u64::MAX));
            if self.expanded > taken.saturating_mul(self.expansion_max).max(EXPANSION_FREE) {
                return Err(io::Error::other(Expansion(self.expansion_max)));
            }
            if count > 0 || buffer.is_empty() {
                return Ok(count);
            }
            self.part = self.part.take().map(Part::after).transpose()?;
        }
        Err(io::Error::other("it was read on after an error"))
    }
}

/// The whole of a file, decompressed, with its digest and size as it is on disk.
pub(super) fn read_whole(path: &Path, bytes_max: u64) -> io::Result<(Vec<u8>, Digest, u64)> {
    let mut decoder = Decoder::open(path)?;
    let (mut content, mut piece) = (Vec::new(), vec![0; 1 << 20]);
    loop {
        match decoder.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => content.extend_from_slice(piece.get(..count).unwrap_or_default()),
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
        if u64::try_from(content.len()).is_ok_and(|length| length > bytes_max) {
            return Err(io::Error::other(format!("it has more than {bytes_max} bytes")));
        }
    }
    let (digest, bytes) = decoder.finish()?;
    Ok((content, digest, bytes))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest;
    use std::io::Write as _;

    pub(in crate::evidence) fn gzip(text: &[u8]) -> Vec<u8> {
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text).unwrap();
        gzip.finish().unwrap()
    }

    fn text_of(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("log");
        std::fs::write(&path, bytes).unwrap();
        let (text, found, length) = read_whole(&path, u64::MAX)?;
        assert_eq!((found, length), (digest::of_bytes(bytes), u64::try_from(bytes.len()).unwrap()));
        Ok(text)
    }

    #[test]
    fn what_a_file_holds_decides_and_parts_follow_each_other_with_zeros_between_and_after() {
        let (one, two) = (b"one\n".as_slice(), b"two\n".as_slice());
        let big: Vec<u8> = (0..400_000_u32).flat_map(|n| n.wrapping_mul(2_654_435_761).to_le_bytes()).collect();
        let (z_one, z_two) = (zstd::encode_all(one, 1).unwrap(), zstd::encode_all(two, 1).unwrap());
        let zeros = vec![0; 3 * BUFFER];
        let skippable = [0x50, 0x2a, 0x4d, 0x18, 2, 0, 0, 0, 9, 9];
        for (bytes, text) in [
            (Vec::new(), Vec::new()),
            (one.to_vec(), one.to_vec()),
            (b"(x)".to_vec(), b"(x)".to_vec()),
            (gzip(b""), Vec::new()),
            ([gzip(one), gzip(two)].concat(), b"one\ntwo\n".to_vec()),
            ([gzip(one), zeros.clone(), gzip(two), zeros.clone()].concat(), b"one\ntwo\n".to_vec()),
            ([z_one.clone(), skippable.to_vec(), z_two, zeros.clone()].concat(), b"one\ntwo\n".to_vec()),
            ([gzip(&big), z_one].concat(), [big.as_slice(), one].concat()),
            (gzip(&zeros), zeros),
        ] {
            assert!(text_of(&bytes).unwrap() == text, "{} bytes", bytes.len());
        }
    }

    #[test]
    fn a_part_that_is_cut_or_followed_by_other_bytes_is_an_error() {
        let whole = gzip(b"one\ntwo\n");
        let frame = zstd::encode_all(&b"one\ntwo\n"[..], 1).unwrap();
        for bytes in [&whole[..whole.len() - 1], &whole[..12], &frame[..frame.len() - 1], &[&whole[..], b"x"].concat()] {
            text_of(bytes).unwrap_err();
        }
    }
}
