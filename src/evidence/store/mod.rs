//! The evidence store: what was read and verified once, kept by the WIB day of receipt, for every later run and for other engines.
//!
//! Belongs here: how facts are kept, chained and found again. Must not be here: what counts as money (`fact`), clocks.
//!
//! The folder is what its list (`manifest.jsonl`) says, and nothing else: a file is in place before it is listed under a name that no engine
//! reads, and gets its own name once it is. So whenever a writer is killed, the store is as before or after.

mod add;
mod added;
mod entry;
mod error;
mod list;
mod load;
mod log;
mod mentions;
mod raw;
mod reading;
mod relation;
mod row;
mod store_at;
mod verify;
mod writer;

pub use add::add;
pub use added::{Added, AddedAs};
pub use error::StoreError;
pub use list::List;
pub(super) use load::load;
pub use log::StoredLog;
pub use reading::AddOptions;
pub use store_at::{ReceiptDays, Sealing, StoreAt};
pub use verify::{Verified, verify};
pub use writer::StoreWriter;
