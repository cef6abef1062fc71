//! More lines than memory should hold, put in order: each part brings its own in order, and they are merged at the end.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::fs::File;
use std::io::{self, BufReader, BufWriter, Read as _, Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use crate::private;

/// What is read of a run at once, in bytes.
const READ_AHEAD: usize = 1 << 13;

/// Lines by the runs in which they came, in a file without a name that ends with the process.
#[derive(Debug)]
pub(super) struct Runs {
    file: BufWriter<File>,
    /// Where each run ends.
    ends: Vec<u64>,
}

/// A run that is read.
struct Run {
    file: Arc<File>,
    at: u64,
    end: u64,
}

impl io::Read for Run {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.end.saturating_sub(self.at)).unwrap_or(usize::MAX);
        let length = into.len().min(left);
        let read = self.file.read_at(into.get_mut(..length).unwrap_or_default(), self.at)?;
        self.at = self.at.saturating_add(u64::try_from(read).unwrap_or(u64::MAX));
        Ok(read)
    }
}

impl Runs {
    /// None yet; their file is on the disk of `folder`.
    pub(super) fn begin(folder: &Path) -> io::Result<Self> {
        super::atomic::make_folder(folder)?;
        Ok(Self { file: BufWriter::with_capacity(1 << 18, private::unnamed(folder)?), ends: Vec::new() })
    }

    /// Adds lines that are in the order of their ranks.
    pub(super) fn add<Rank: AsRef<[u8]>>(&mut self, lines: &[(Rank, Vec<u8>)]) -> io::Result<()> {
        if lines.is_empty() {
            return Ok(());
        }
        let mut end = self.ends.last().copied().unwrap_or_default();
        for part in lines.iter().flat_map(|(rank, line)| [rank.as_ref(), line.as_slice()]) {
            let length = u32::try_from(part.len()).map_err(io::Error::other)?;
            self.file.write_all(&length.to_le_bytes())?;
            self.file.write_all(part)?;
            end = end.saturating_add(4).saturating_add(length.into());
        }
        self.ends.push(end);
        Ok(())
    }

    /// Writes all lines in the order of their ranks; equal ones in the order in which they came.
    pub(super) fn write(self, out: &mut impl io::Write) -> io::Result<()> {
        let mut file = self.file.into_inner().map_err(io::IntoInnerError::into_error)?;
        file.seek(SeekFrom::Start(0))?;
        let file = Arc::new(file);
        let starts = std::iter::once(0).chain(self.ends.iter().copied());
        let runs = starts.zip(self.ends.iter().copied()).map(|(at, end)| Run { file: Arc::clone(&file), at, end });
        let mut runs: Vec<BufReader<Run>> = runs.map(|run| BufReader::with_capacity(READ_AHEAD, run)).collect();
        let mut next = BinaryHeap::new();
        for (number, run) in runs.iter_mut().enumerate() {
            next.extend(read(run)?.map(|(rank, line)| Reverse((rank, number, line))));
        }
        while let Some(Reverse((_, number, line))) = next.pop() {
            out.write_all(&line)?;
            let Some(run) = runs.get_mut(number) else { continue };
            next.extend(read(run)?.map(|(rank, line)| Reverse((rank, number, line))));
        }
        Ok(())
    }
}

/// The next line of a run, and its rank.
fn read(run: &mut BufReader<Run>) -> io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    if run.buffer().is_empty() && run.get_ref().at == run.get_ref().end {
        return Ok(None);
    }
    let mut part = || -> io::Result<Vec<u8>> {
        let mut length = [0; 4];
        run.read_exact(&mut length)?;
        let mut part = vec![0; usize::try_from(u32::from_le_bytes(length)).map_err(io::Error::other)?];
        run.read_exact(&mut part)?;
        Ok(part)
    };
    Ok(Some((part()?, part()?)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_are_merged_into_one_order_and_equal_ranks_stay_as_they_came() {
        let folder = tempfile::tempdir().unwrap();
        let mut runs = Runs::begin(folder.path()).unwrap();
        let line = |rank: u8, text: &str| (vec![rank], format!("{text}\n").into_bytes());
        runs.add(&[line(1, "a"), line(3, "b"), line(3, "c")]).unwrap();
        runs.add::<[u8; 0]>(&[]).unwrap();
        runs.add(&[line(0, "d"), line(3, &"e".repeat(20_000)), line(9, "f")]).unwrap();
        let mut out = Vec::new();
        runs.write(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), format!("d\na\nb\nc\n{}\nf\n", "e".repeat(20_000)));
    }
}
