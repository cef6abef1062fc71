//! Files → blocks of whole lines, read ahead of those who parse them. Counts lines and digests files on its own, so that
//! its figures can be held against the parsers'.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::first_bytes;
use super::lines::{self, Piece};
use super::physical_lines::LINE_MAX;
use super::source::Decoder;
use super::table_line::{self, Columns, Spanned};
use super::wrapper::Wrapper;
use crate::domain::digest::{Digest, Running};
use crate::domain::line::{InputFile, LogContents};
use crate::table::{self, TableSettings};

/// How many bytes a block has, about.
const BLOCK: usize = 1 << 20;
/// Most lines of a block: each becomes a record that is many times as long as the shortest line.
const BLOCK_LINES: usize = 1 << 14;

/// The largest workbook, unpacked from what it is compressed with besides.
const WORKBOOK_BYTES_MAX: usize = 256 << 20;
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
    /// Records of a table, which cover these bytes.
    Rows {
        /// As they stand in the file; of a workbook, as CSV.
        bytes: Vec<u8>,
        /// Where each record is.
        rows: Vec<Spanned>,
        /// What its cells are.
        columns: Arc<Columns>,
    },
    /// The digest of one line that is too long to be kept.
    Oversized(Digest),
}

impl Block {
    /// Shows every piece of the block; none of a line that is too long.
    pub(super) fn pieces<'a>(&'a self, see: impl FnMut(Piece<'a>)) {
        match &self.content {
            Content::Lines(bytes) => lines::pieces(bytes, self.wrapper, see),
            Content::Rows { bytes, rows, columns } => table_line::pieces(bytes, rows, columns, see),
            Content::Oversized(_) => {}
        }
    }

    /// The bytes that spans refer to.
    pub(super) fn bytes(&self) -> &[u8] {
        match &self.content {
            Content::Lines(bytes) | Content::Rows { bytes, .. } => bytes,
            Content::Oversized(_) => &[],
        }
    }
}

/// One file being cut into blocks.
struct Cutter<'a> {
    tables: &'a TableSettings,
    decoder: Decoder,
    file: u32,
    line: u64,
    byte: u64,
    /// The start of a line whose end has not been read yet.
    rest: Vec<u8>,
    at_end: bool,
    /// What the file's first bytes tell; `None` before they are read.
    head: Option<first_bytes::Head>,
}

impl<'a> Cutter<'a> {
    const fn new(decoder: Decoder, file: u32, tables: &'a TableSettings) -> Self {
        Self { tables, decoder, file, line: 0, byte: 0, rest: Vec::new(), at_end: false, head: None }
    }

    /// The next block, in `bytes`; whatever that held is gone.
    fn next(&mut self, mut bytes: Vec<u8>) -> io::Result<Option<Block>> {
        bytes.clear();
        bytes.append(&mut self.rest);
        loop {
            self.fill(&mut bytes)?;
            if self.head.is_none() {
                let head = first_bytes::Head::of(&bytes, self.tables);
                self.head = Some(head);
                if first_bytes::is_workbook(&bytes)
                    && let Some(block) = self.workbook(&mut bytes)?
                {
                    return Ok(Some(block));
                }
            }
            if let Some(columns) = self.head.as_ref().and_then(|head| head.table.clone()) {
                match self.rows(&mut bytes, columns)? {
                    Cut::More => continue,
                    Cut::Block(block) => return Ok(Some(block)),
                    Cut::Over => return Ok(None),
                }
            }
            let wrapper = self.head.as_ref().map_or(Wrapper::None, |head| head.wrapper);
            let most = memchr::memchr_iter(b'\n', &bytes).nth(BLOCK_LINES).map(|at| at.saturating_add(1));
            let last = if self.at_end { Some(bytes.len()) } else { memchr::memrchr(b'\n', &bytes).map(|at| at.saturating_add(1)) };
            // A message that is split over lines stays in one block, as long as it may be one at all.
            let joined = |cut: usize| {
                let is_end = self.at_end && cut == bytes.len();
                if is_end || bytes.len() > JOIN_MAX { cut } else { lines::joined(wrapper, bytes.get(..cut).unwrap_or_default()) }
            };
            let cut = most.map(joined).filter(|cut| *cut > 0).or_else(|| last.map(joined));
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
                None if bytes.len() > LINE_MAX => return self.oversized(bytes, false).map(Some),
                None => {}
            }
        }
    }

    /// The records in `bytes`, which begin with one.
    fn rows(&mut self, bytes: &mut Vec<u8>, columns: Arc<Columns>) -> io::Result<Cut> {
        if bytes.is_empty() && self.at_end {
            return Ok(Cut::Over);
        }
        let begun = usize::try_from(self.byte).unwrap_or(usize::MAX);
        let header_at = self.head.as_ref().and_then(|head| head.header_at.checked_sub(begun));
        let (rows, cut, _) = table_line::cut(&columns, bytes, header_at, self.at_end);
        if rows.is_empty() {
            let is_short = bytes.len() <= LINE_MAX.saturating_add(2) && !self.at_end;
            return if is_short { Ok(Cut::More) } else { self.oversized(std::mem::take(bytes), true).map(Cut::Block) };
        }
        self.rest.extend_from_slice(bytes.get(cut..).unwrap_or_default());
        bytes.truncate(cut);
        let lines = table::physical_lines(bytes);
        let content = Content::Rows { bytes: std::mem::take(bytes), rows, columns };
        Ok(Cut::Block(self.block(content, lines, cut)))
    }

    /// The rows of a workbook that begins with `bytes`; `None`, with all of it in `bytes`, where it holds no notifications.
    fn workbook(&mut self, bytes: &mut Vec<u8>) -> io::Result<Option<Block>> {
        while !self.at_end && bytes.len() < WORKBOOK_BYTES_MAX {
            self.fill(bytes)?;
        }
        match table_line::of_workbook(bytes.clone(), self.tables) {
            Ok((columns, bytes, rows)) => {
                let lines = rows.last().map_or(0, |row| row.span.line.saturating_add(row.lines));
                self.head = Some(first_bytes::Head { wrapper: Wrapper::Table, ..first_bytes::Head::default() });
                let content = Content::Rows { bytes, rows, columns: Arc::new(columns) };
                Ok(Some(self.block(content, lines, 0)))
            }
            Err(remark) => {
                if let Some(head) = &mut self.head {
                    head.remark = remark;
                }
                Ok(None)
            }
        }
    }

    /// Fills `bytes` up to the next multiple of a block's size, so that a buffer used again need not grow.
    fn fill(&mut self, bytes: &mut Vec<u8>) -> io::Result<()> {
        let filled = bytes.len();
        let wanted = BLOCK.saturating_sub(filled % BLOCK);
        bytes.reserve_exact(wanted);
        let limit = u64::try_from(wanted).unwrap_or(u64::MAX);
        // Most logs of a quiet night are far smaller than a block, and clearing all of it would be most of their cost.
        let count = self.decoder.by_ref().take(limit).read_to_end(bytes)?;
        self.at_end |= count < wanted;
        Ok(())
    }

    /// Zeros before a line, as many as a log that was cut off while it was written begins with, are no part of it.
    fn skip_zeros(&mut self, bytes: &mut Vec<u8>) {
        let zeros = bytes.iter().take_while(|&&byte| byte == 0).count();
        bytes.drain(..zeros);
        self.byte = self.byte.saturating_add(u64::try_from(zeros).unwrap_or(u64::MAX));
    }

    /// Digests a line to its end, which in a table may be a carriage return, without keeping it.
    fn oversized(&mut self, start: Vec<u8>, is_row: bool) -> io::Result<Block> {
        let (mut running, mut length, mut piece) = (Running::default(), 0_usize, start);
        loop {
            let feed = if is_row { memchr::memchr2(b'\n', b'\r', &piece) } else { memchr::memchr(b'\n', &piece) };
            running.update(piece.get(..feed.unwrap_or(piece.len())).unwrap_or_default());
            length = length.saturating_add(feed.map_or(piece.len(), |at| at.saturating_add(1)));
            if let Some(at) = feed {
                self.rest = piece.split_off(at.saturating_add(1));
                if is_row && piece.last() == Some(&b'\r') {
                    length = length.saturating_add(self.skip_feed()?);
                }
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

    /// Goes over the line feed of a pair; how many bytes that is.
    fn skip_feed(&mut self) -> io::Result<usize> {
        if self.rest.is_empty() && !self.at_end {
            let mut rest = std::mem::take(&mut self.rest);
            self.fill(&mut rest)?;
            self.rest = rest;
        }
        let is_pair = self.rest.first() == Some(&b'\n');
        self.rest.drain(..usize::from(is_pair));
        Ok(usize::from(is_pair))
    }

    fn block(&mut self, content: Content, lines: u64, bytes: usize) -> Block {
        let wrapper = self.head.as_ref().map_or(Wrapper::None, |head| head.wrapper);
        let block = Block { file: self.file, first_line: self.line.saturating_add(1), byte: self.byte, wrapper, content };
        self.line = self.line.saturating_add(lines);
        self.byte = self.byte.saturating_add(u64::try_from(bytes).unwrap_or(u64::MAX));
        block
    }
}

/// What comes of cutting records.
enum Cut {
    /// They are not all there yet.
    More,
    /// A block of them.
    Block(Block),
    /// There are no more.
    Over,
}

/// Line feeds, and the last line if it has none.
fn line_count(bytes: &[u8]) -> u64 {
    let feeds = memchr::memchr_iter(b'\n', bytes).count();
    let torn = usize::from(bytes.last().is_some_and(|&last| last != b'\n'));
    u64::try_from(feeds.saturating_add(torn)).unwrap_or(u64::MAX)
}

/// All files, block by block.
pub(super) struct Blocks<'a> {
    tables: &'a TableSettings,
    waiting: std::slice::Iter<'a, PathBuf>,
    current: Option<(&'a Path, Cutter<'a>)>,
    /// Buffers of blocks that are done with.
    spare: Vec<Vec<u8>>,
    /// What was found of the files that are done.
    pub(super) done: Vec<InputFile>,
}

impl<'a> Blocks<'a> {
    pub(super) fn new(files: &'a [PathBuf], tables: &'a TableSettings) -> Self {
        Self { tables, waiting: files.iter(), current: None, spare: Vec::new(), done: Vec::new() }
    }

    /// The blocks of bytes that are in no file.
    pub(super) fn of_bytes(bytes: &[u8], tables: &'a TableSettings) -> Result<Self, super::EvidenceError> {
        let path = Path::new("(bytes)");
        let decoder = Decoder::new(Box::new(io::Cursor::new(bytes.to_vec())));
        let decoder = decoder.map_err(|error| super::EvidenceError::unreadable(path, &error))?;
        Ok(Self { current: Some((path, Cutter::new(decoder, 0, tables))), ..Self::new(&[], tables) })
    }

    /// The path of the file of this number.
    pub(super) fn path(&self, file: u32) -> PathBuf {
        let done = usize::try_from(file).ok().and_then(|file| self.done.get(file)).map(|file| file.path.clone());
        done.or_else(|| self.current.as_ref().map(|(path, _)| path.to_path_buf())).unwrap_or_default()
    }

    /// Takes back blocks nobody needs any more: fresh memory would have to be cleared by the system each time.
    pub(super) fn take_back(&mut self, blocks: Vec<Block>) {
        self.spare.extend(blocks.into_iter().filter_map(|block| match block.content {
            Content::Lines(bytes) | Content::Rows { bytes, .. } => Some(bytes),
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
                let decoder = decoder.within(self.tables.limits.expansion_max);
                self.current = Some((path, Cutter::new(decoder, file, self.tables)));
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
            self.done.push(InputFile { path: path.to_path_buf(), digest, bytes, lines: cutter.line, contents, remark: head.remark });
        }
    }
}

#[cfg(test)]
mod tests;
