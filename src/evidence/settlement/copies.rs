//! What several files say word for word of the same row: a copy, and no second row. Twice in *one* file is twice.

use std::collections::{HashMap, HashSet};
use std::hash::Hash;

use crate::domain::digest::Digest;
use crate::domain::settlement::{MalformedSettlementRow, RowPlace, Settlement};

/// Leaves out of `settlement` what another of its files says as well, and counts it.
pub(super) fn leave_out(settlement: &mut Settlement) {
    let rows = &settlement.rows;
    let copies = copies(rows.iter().map(|row| (row.content(), row.digest, row.place)));
    settlement.rows.retain(|row| {
        let stays = !copies.contains(&row.place);
        if !stays {
            settlement.copies.add(row);
        }
        stays
    });
    let unread = |row: &MalformedSettlementRow| (row.digest, row.digest, row.place);
    let copies = self::copies(settlement.malformed.iter().map(unread));
    settlement.malformed.retain(|row| !copies.contains(&row.place));
    settlement.copies.rows = settlement.copies.rows.saturating_add(count(copies.len()));
}

/// The places of those that are copies. A file that has the same row several times keeps them all; of several files each time counts once, by
/// the smallest digest, whatever the order of the files.
fn copies<K: Copy + Ord + Hash>(rows: impl Iterator<Item = (K, Digest, RowPlace)>) -> HashSet<RowPlace> {
    let mut rows: Vec<(K, Digest, RowPlace)> = rows.collect();
    rows.sort_unstable_by_key(|(content, digest, place)| (*content, place.file, *digest, *place));
    let mut times: HashMap<(K, u32), u32> = HashMap::with_capacity(rows.len());
    let mut rows: Vec<(K, u32, Digest, RowPlace)> = rows
        .into_iter()
        .map(|(content, digest, place)| {
            let times = times.entry((content, place.file)).or_default();
            *times = times.saturating_add(1);
            (content, *times, digest, place)
        })
        .collect();
    rows.sort_unstable();
    let alike = rows.chunk_by(|a, b| (a.0, a.1) == (b.0, b.1));
    alike.flat_map(|alike| alike.iter().skip(1).map(|(_, _, _, place)| *place)).collect()
}

fn count(of: usize) -> u64 {
    u64::try_from(of).unwrap_or(u64::MAX)
}
