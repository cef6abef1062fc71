//! Files → blocks of whole lines, read ahead of those who parse them. Counts lines and digests files on its own, so that
//! its figures can be held against the parsers'.

use std::io;
use std::path::{Path, PathBuf};

use super::looks;
use super::source::Decoder;
use super::wrapper::Wrapper;
use crate::domain::digest::{Digest, Running};
use crate::domain::line::{InputFile, LogContents};

/// How many bytes a block has, about.
const BLOCK: usize = 1 << 20;
/// The longest line that is looked at, in bytes.
pub(super) const LINE_MAX: usize = 1 << 20;
/// How many bytes of lines are kept together for a message that is split over them.
const JOIN_MAX: usize = 4 * LINE_MAX;

/// Whole lines of one file.
#[derive(Debug)]
pub(super) struct Block {
    /// Which file.
    pub(super) file: u32,
    /// The number of its first line, from 1.
    pub(super) first_line: u64,
    /// Where it starts in the decompressed file.
    pub(super) byte: u64,
    /// What stands around the file's messages.
    pub(super) wrapper: Wrapper,
    /// What it holds.
    pub(super) content: Content,
}

/// What a block holds.
#[derive(Debug)]
pub(super) enum Content {
    /// Lines, each with its line feed (the file's last may have none).
    Lines(Vec<u8>),
    /// The digest of one line that is too long to be kept.
    Oversized(Digest),
}

/// One file being cut into blocks.
struct Cutter {
    decoder: Decoder,
    file: u32,
    line: u64,
    byte: u64,
    /// The start of a line whose end has not been read yet.
    rest: Vec<u8>,
    at_end: bool,
    /// What the file's first bytes tell; `None` before they are read.
    head: Option<looks::Head>,
}

impl Cutter {
    const fn new(decoder: Decoder, file: u32) -> Self {
        Self { decoder, file, line: 0, byte: 0, rest: Vec::new(), at_end: false, head: None }
    }

    /// The next block, in `bytes`; whatever that held is gone.
    fn next(&mut self, mut bytes: Vec<u8>) -> io::Result<Option<Block>> {
        bytes.clear();
        bytes.append(&mut self.rest);
        loop {
            self.fill(&mut bytes)?;
            let wrapper = self.head.get_or_insert_with(|| looks::Head::of(&bytes)).wrapper;
            let cut = if self.at_end { Some(bytes.len()) } else { memchr::memrchr(b'\n', &bytes).map(|at| at.saturating_add(1)) };
            // A message that is split over lines stays in one block, as long as it may be one at all.
            let whole = cut.filter(|_| !self.at_end && bytes.len() <= JOIN_MAX);
            let cut = whole.map_or(cut, |cut| Some(wrapper.joined(bytes.get(..cut).unwrap_or_default())));
            match cut {
                Some(0) if !self.at_end => {}
                Some(0) => return Ok(None),
                Some(cut) => {
                    self.rest.extend_from_slice(bytes.get(cut..).unwrap_or_default());
                    bytes.truncate(cut);
                    let lines = line_count(&bytes);
                    return Ok(Some(self.block(Content::Lines(bytes), lines, cut)));
                }
                None if bytes.first() == Some(&0) && bytes.len() > LINE_MAX => self.skip_zeros(&mut bytes),
                None if bytes.len() > LINE_MAX => return self.oversized(bytes).map(Some),
                None => {}
            }
        }
    }

    /// Fills `bytes` up to the next multiple of a block's size, so that a buffer used again need not grow.
    fn fill(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let mut filled = bytes.len();
        let wanted = filled.saturating_add(BLOCK).saturating_sub(filled % BLOCK);
        bytes.reserve_exact(wanted.saturating_sub(filled));
        bytes.resize(wanted, 0);
        while filled < wanted {
            match self.decoder.read(bytes.get_mut(filled..).unwrap_or_default()) {
                Ok(0) => {
                    self.at_end = true;
                    break;
                }
                Ok(count) => filled = filled.saturating_add(count),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(())
    }

    /// Zeros before a line, as many as a log that was cut off while it was written begins with, are no part of it.
    fn skip_zeros(&mut self, bytes: &mut Vec<u8>) {
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        bytes.drain(..zeros);
        self.byte = self.byte.saturating_add(u64::try_from(zeros).unwrap_or(u64::MAX));
    }

    /// Digests a line to its end without keeping it.
    fn oversized(&mut self, start: Vec<u8>) -> io::Result<Block> {
        let (mut running, mut length, mut piece) = (Running::default(), 0_usize, start);
        loop {
            let feed = memchr::memchr(b'\n', &piece);
            running.update(piece.get(..feed.unwrap_or(piece.len())).unwrap_or_default());
            length = length.saturating_add(feed.map_or(piece.len(), |at| at.saturating_add(1)));
            if let Some(at) = feed {
                self.rest = piece.split_off(at.saturating_add(1));
                break;
            }
            if self.at_end {
                break;
            }
            piece.clear();
            self.fill(&mut piece)?;
        }
        Ok(self.block(Content::Oversized(running.finish()), 1, length))
    }

    fn block(&mut self, content: Content, lines: u64, bytes: usize) -> Block {
        let wrapper = self.head.as_ref().map_or(Wrapper::None, |head| head.wrapper);
        let block = Block { file: self.file, first_line: self.line.saturating_add(1), byte: self.byte, wrapper, content };
        self.line = self.line.saturating_add(lines);
        self.byte = self.byte.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        block
    }
}

/// Line feeds, and the last line if it has none.
fn line_count(bytes: &[u8]) -> u64 {
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let torn = usize::from(bytes.last().is_some_and(|&last| last != b'\n'));
    u64::try_from(feeds.saturating_add(torn)).unwrap_or(u64::MAX)
}

/// All files, block by block.
pub(super) struct Blocks<'a> {
    waiting: std::slice::Iter<'a, PathBuf>,
    current: Option<(&'a Path, Cutter)>,
    /// Buffers of blocks that are done with.
    spare: Vec<Vec<u8>>,
    /// What was found of the files that are done.
    pub(super) done: Vec<InputFile>,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(files: &'a [PathBuf]) -> Self {
        Self { waiting: files.iter(), current: None, spare: Vec::new(), done: Vec::new() }
    }

    /// The blocks of bytes that are in no file.
    pub(super) fn of_bytes(bytes: &[u8]) -> Result<Self, super::EvidenceError> {
        let path = Path::new("(bytes)");
        let decoder = Decoder::new(Box::new(io::Cursor::new(bytes.to_vec())));
        let decoder = decoder.map_err(|error| super::EvidenceError::unreadable(path, &error))?;
        Ok(Self { current: Some((path, Cutter::new(decoder, 0))), ..Self::new(&[]) })
    }

    /// Takes back blocks nobody needs any more: fresh memory would have to be cleared by the system each time.
    pub(super) fn take_back(&mut self, blocks: Vec<Block>) {
        self.spare.extend(blocks.into_iter().filter_map(|block| match block.content {
            Content::Lines(bytes) => Some(bytes),
            Content::Oversized(_) => None,
        }));
    }

    /// Up to `count` blocks; none at the end.
    pub(super) fn batch(&mut self, count: usize) -> Result<Vec<Block>, super::EvidenceError> {
        let mut batch = Vec::with_capacity(count);
        while batch.len() < count {
            match self.next()? {
                Some(block) => batch.push(block),
                None => break,
            }
        }
        Ok(batch)
    }

    fn next(&mut self) -> Result<Option<Block>, super::EvidenceError> {
        loop {
            let Some((path, mut cutter)) = self.current.take() else {
                let Some(path) = self.waiting.next() else { return Ok(None) };
                let file = u32::try_from(self.done.len()).map_err(|_| super::EvidenceError::TooMany)?;
                let decoder = Decoder::open(path).map_err(|error| super::EvidenceError::unreadable(path, &error))?;
                self.current = Some((path, Cutter::new(decoder, file)));
                continue;
            };
            let unreadable = |error| super::EvidenceError::unreadable(path, &error);
            if let Some(block) = cutter.next(self.spare.pop().unwrap_or_default()).map_err(unreadable)? {
                self.current = Some((path, cutter));
                return Ok(Some(block));
            }
            let (digest, bytes) = cutter.decoder.finish().map_err(unreadable)?;
            let head = cutter.head.unwrap_or_default();
            let contents = LogContents { wrapper: head.wrapper.name(), oddity: head.oddity, ..LogContents::default() };
            self.done.push(InputFile { path: path.to_path_buf(), digest, bytes, lines: cutter.line, contents });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::digest;
    use std::io::Write as _;

    fn cut(name: &str, bytes: &[u8]) -> (Vec<Block>, InputFile) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        let files = [path];
        let mut blocks = Blocks::new(&files);
        let batch = blocks.batch(4_096).unwrap();
        (batch, blocks.done.remove(0))
    }

    fn joined(blocks: &[Block]) -> Vec<u8> {
        let bytes = |block: &Block| if let Content::Lines(bytes) = &block.content { bytes.clone() } else { Vec::new() };
        blocks.iter().flat_map(bytes).collect()
    }

    #[test]
    fn blocks_end_at_line_ends_and_lose_nothing() {
        let text: Vec<u8> = (0..300_000).flat_map(|n| format!("line {n}\n").into_bytes()).collect();
        let (blocks, file) = cut("a.jsonl", &text);
        assert!(blocks.len() > 2);
        assert!(blocks.iter().all(|block| matches!(&block.content, Content::Lines(bytes) if bytes.ends_with(b"\n"))));
        assert_eq!(joined(&blocks), text);
        assert_eq!((file.lines, file.digest), (300_000, digest::of_bytes(&text)));
        let last = blocks.last().unwrap();
        let before: usize = blocks[..blocks.len() - 1].iter().map(|block| joined(std::slice::from_ref(block)).len()).sum();
        assert_eq!(last.byte, u64::try_from(before).unwrap());
    }

    #[test]
    fn compressed_files_give_the_same_lines_and_their_own_digest() {
        let text = b"one\ntwo\nthree";
        let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
        gzip.write_all(text).unwrap();
        let gzip = gzip.finish().unwrap();
        let zstd = zstd::encode_all(&text[..], 1).unwrap();
        // What a file holds counts, not what rotation made of its name.
        for (name, bytes) in [("a.jsonl.gz", gzip.clone()), ("a.jsonl.gz.1", gzip), ("a.ZST", zstd.clone()), ("a.jsonl", zstd)] {
            let (blocks, file) = cut(name, &bytes);
            assert_eq!(joined(&blocks), text);
            assert_eq!((file.lines, file.bytes, file.digest), (3, u64::try_from(bytes.len()).unwrap(), digest::of_bytes(&bytes)));
        }
    }

    #[test]
    fn a_line_too_long_to_keep_is_one_line_with_its_digest() {
        let long = vec![b'x'; 3 * LINE_MAX + 17];
        let text = [b"first\n", &long[..], b"\nlast\n"].concat();
        let (blocks, file) = cut("a.jsonl", &text);
        assert_eq!(file.lines, 3);
        let oversized = blocks.iter().find(|block| matches!(block.content, Content::Oversized(_))).unwrap();
        assert_eq!((oversized.first_line, oversized.byte), (2, 6));
        assert!(matches!(oversized.content, Content::Oversized(found) if found == digest::of_bytes(&long)));
        assert_eq!(joined(&blocks), b"first\nlast\n");
    }

    #[test]
    fn an_empty_file_has_no_lines() {
        let (blocks, file) = cut("a.jsonl", b"");
        assert!(blocks.is_empty());
        assert_eq!((file.lines, file.bytes), (0, 0));
    }
}
