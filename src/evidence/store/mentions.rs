//! Which files of a store name somebody, for who asks what is kept about them.

use std::collections::BTreeSet;
use std::io;
use std::path::PathBuf;

use super::error::StoreError;
use super::list::List;
use super::load::stored;
use super::store_at::StoreAt;
use crate::evidence::mentions::Words;

impl StoreAt {
    /// The files in which messages or lines name one of `words`, each with how many do.
    ///
    /// # Errors
    /// [`StoreError`].
    pub fn naming(&self, words: &BTreeSet<String>) -> Result<Vec<(PathBuf, u64)>, StoreError> {
        let (list, spelt, mut found) = (List::read(self)?, Words::of(words), Vec::new());
        for log in list.logs() {
            for (held, is_raw) in log.held.iter().map(|held| (held, false)).chain(log.raw.iter().map(|held| (held, true))) {
                let (path, table) = (self.path.join(&held.part.path), stored(self, held)?);
                let failed = |error: io::Error| StoreError::damaged(&path, error);
                let count = if is_raw {
                    table.digests("raw").map_err(failed)?.into_iter().flatten().filter(|raw| spelt.are_in(raw)).count()
                } else {
                    let ids = |name| table.texts(name).map_err(failed);
                    let named = |text: Option<&str>| text.is_some_and(|text| words.contains(text));
                    ids("invoice_number")?
                        .into_iter()
                        .zip(ids("payment_code")?)
                        .filter(|(number, code)| named(*number) || named(*code))
                        .count()
                };
                if count > 0 {
                    found.push((path, u64::try_from(count).unwrap_or(u64::MAX)));
                }
            }
        }
        Ok(found)
    }
}
