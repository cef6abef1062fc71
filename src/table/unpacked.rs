//! How large the parts of a workbook become when they are unpacked, counted before anything of them is kept: a file of a few megabytes may
//! hold gigabytes of one letter.

use std::io::{self, Cursor, Read as _};

use zip::ZipArchive;

use super::fault::Fault;

/// Bytes of a sheet, which is read cell by cell. A full one, a million rows of twenty columns, has about half of it.
const SHEET_BYTES_MAX: u64 = 2 << 30;
/// Bytes of any other part, such as the texts that cells share: these are kept whole.
const PART_BYTES_MAX: u64 = 512 << 20;
/// Parts; a workbook has a few for each sheet.
const PARTS_MAX: usize = 10_000;

/// Refuses a workbook whose parts are larger than any that people fill, whatever sizes it claims.
pub(super) fn check(content: &[u8]) -> Result<(), Fault> {
    let unreadable = |reason: &dyn std::fmt::Display| Fault::Unreadable(reason.to_string());
    let mut archive = ZipArchive::new(Cursor::new(content)).map_err(|error| unreadable(&error))?;
    if archive.len() > PARTS_MAX {
        return Err(unreadable(&format_args!("the workbook has {} parts, at most {PARTS_MAX} are read", archive.len())));
    }
    for index in 0..archive.len() {
        let part = archive.by_index(index).map_err(|error| unreadable(&error))?;
        let name = part.name().map_err(|error| unreadable(&error))?.into_owned();
        let is_sheet = name.starts_with("xl/worksheets/");
        let bytes_max = if is_sheet { SHEET_BYTES_MAX } else { PART_BYTES_MAX };
        let unpacked = io::copy(&mut part.take(bytes_max.saturating_add(1)), &mut io::sink()).map_err(|error| unreadable(&error))?;
        if unpacked > bytes_max {
            let mebibytes = bytes_max >> 20;
            return Err(unreadable(&format_args!(
                "unpacked, its part `{name}` has more than {mebibytes} MiB: no workbook that people fill"
            )));
        }
    }
    Ok(())
}
