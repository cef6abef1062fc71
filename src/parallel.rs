//! Work on many things at once, on all processors, with results in the order of the things.
//!
//! Belongs here: spreading. Must not be here: what the work is.

use rayon::prelude::*;

/// Things that one thread takes at a time: fewer are not worth another's waking.
const CHUNK: usize = 64;

/// What `work` makes of each thing.
pub fn map<T: Sync, R: Send>(things: &[T], work: impl Fn(&T) -> R + Sync) -> Vec<R> {
    if things.len() <= CHUNK { things.iter().map(work).collect() } else { things.par_iter().with_min_len(CHUNK).map(&work).collect() }
}

/// What `work` makes of each part of about `size` things.
pub fn map_parts<T: Sync, R: Send>(things: &[T], size: usize, work: impl Fn(&[T]) -> R + Sync) -> Vec<R> {
    things.par_chunks(size.max(1)).map(&work).collect()
}

/// How many threads there are for it.
#[must_use]
pub fn width() -> usize {
    rayon::current_num_threads()
}
