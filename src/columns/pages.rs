//! What the pages of somebody else's Parquet say they hold, looked at before its parser makes room for that: the parser takes their word, and
//! where there is not as much memory as one says, the program ends.

use std::fs::File;
use std::io::{self, Cursor};
use std::os::unix::fs::FileExt as _;

use polars_io::parquet::metadata::FileMetadata;
use polars_parquet_format::PageHeader;
use polars_parquet_format::thrift::protocol::TCompactInputProtocol;

/// How many bytes and values a file may have for each of its own bytes, unpacked, and how many any file may.
const EXPANSION_MAX: u64 = 200;
const ANYHOW: u64 = 1 << 26;

/// Bytes of a page's header, statistics and all.
const HEADER_MAX: usize = 1 << 24;

/// Whether the pages of `file` hold as many values as its `metadata` says, and of nothing more than a file of its size may.
///
/// # Errors
/// The system's; and where a page has no header.
pub(super) fn are_believable(file: &File, metadata: &FileMetadata) -> io::Result<bool> {
    let length = file.metadata()?.len();
    let mut left = length.saturating_mul(EXPANSION_MAX).saturating_add(ANYHOW);
    for group in &metadata.row_groups {
        for column in group.parquet_columns() {
            let range = column.byte_range();
            let Some(size) = range.end.checked_sub(range.start).filter(|_| range.end <= length) else { return Ok(false) };
            let mut bytes = vec![0; usize::try_from(size).map_err(io::Error::other)?];
            file.read_exact_at(&mut bytes, range.start)?;
            let claimed = u64::try_from(column.num_values()).ok();
            let is_flat = column.descriptor().descriptor.max_rep_level == 0;
            let is_of_group = !is_flat || claimed == u64::try_from(group.num_rows()).ok();
            if !is_of_group || values(&bytes, claimed, &mut left)? != claimed {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// How many values the pages of a column say they have, looked through until there are `enough`; none if that is more, of values or of bytes,
/// than `left`.
fn values(bytes: &[u8], enough: Option<u64>, left: &mut u64) -> io::Result<Option<u64>> {
    let mut pages = Cursor::new(bytes);
    let mut sum = 0_u64;
    while Some(sum) < enough {
        let header =
            PageHeader::read_from_in_protocol(&mut TCompactInputProtocol::new(&mut pages, HEADER_MAX)).map_err(io::Error::other)?;
        let of_rows = header.data_page_header.map(|page| page.num_values).max(header.data_page_header_v2.map(|page| page.num_values));
        let others = header.dictionary_page_header.map_or(0, |page| page.num_values);
        let [values, others, unpacked, size] =
            [of_rows.unwrap_or(0), others, header.uncompressed_page_size, header.compressed_page_size].map(u64::try_from);
        let (Ok(values), Ok(others), Ok(unpacked), Ok(size)) = (values, others, unpacked, size) else { return Ok(None) };
        let next = pages.position().saturating_add(size);
        let is_there = u64::try_from(bytes.len()).is_ok_and(|length| next <= length);
        let Some(rest) = left.checked_sub(values.max(others).max(unpacked)).filter(|_| is_there) else { return Ok(None) };
        *left = rest;
        sum = sum.saturating_add(values);
        pages.set_position(next);
    }
    Ok(Some(sum))
}
