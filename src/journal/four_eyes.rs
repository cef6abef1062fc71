//! That a second person must agree is said by the journal itself, once it was said: a setting is whoever's who starts the program.

use std::path::Path;

use jiff::Timestamp;

use super::{Author, JournalEntry, JournalError, JournalWriter, is_one_person};

/// What became of the wish that one person may decide alone again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FourEyesOff {
    /// It waits for another person.
    Proposed,
    /// Another person agreed.
    Done,
    /// The person who proposed it asks once more: that is no second one.
    StillProposed,
    /// It was off.
    WasOff,
}

/// Records that a second person must agree from now on, unless that is recorded.
///
/// # Errors
/// [`JournalError`].
pub fn turn_on(journal: &Path, author: &Author, now: Timestamp) -> Result<(), JournalError> {
    let mut writer = JournalWriter::open(journal)?;
    if writer.journal().four_eyes() != Some(true) {
        writer.append(now, author, JournalEntry::FourEyes { on: true })?;
    }
    Ok(())
}

/// Proposes that one person may decide alone again, or agrees to it as the second one.
///
/// # Errors
/// [`JournalError`].
pub fn turn_off(journal: &Path, author: &Author, now: Timestamp) -> Result<FourEyesOff, JournalError> {
    let mut writer = JournalWriter::open(journal)?;
    if writer.journal().four_eyes() != Some(true) {
        return Ok(FourEyesOff::WasOff);
    }
    let (entry, off) = match writer.journal().four_eyes_off_proposed() {
        None => (JournalEntry::FourEyesOffProposed, FourEyesOff::Proposed),
        Some(proposal) if is_one_person(proposal, author) => return Ok(FourEyesOff::StillProposed),
        Some(_) => (JournalEntry::FourEyes { on: false }, FourEyesOff::Done),
    };
    writer.append(now, author, entry)?;
    Ok(off)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::journal;

    #[test]
    fn one_person_turns_four_eyes_on_and_it_takes_two_to_turn_them_off() {
        let place = tempfile::tempdir().unwrap();
        let (path, now) = (place.path().join("journal"), Timestamp::UNIX_EPOCH);
        let author = |name: &str, person: &str| Author::new(name, "because").unwrap().with_person(person);
        let (siti, budi) = (author("Siti", "1000 siti"), author("Budi", "1001 budi"));
        assert_eq!(journal::read(&path).unwrap().four_eyes(), None);
        assert_eq!(turn_off(&path, &siti, now).unwrap(), FourEyesOff::WasOff);
        turn_on(&path, &siti, now).unwrap();
        turn_on(&path, &budi, now).unwrap();
        assert_eq!(journal::read(&path).unwrap().four_eyes(), Some(true));
        assert_eq!(turn_off(&path, &siti, now).unwrap(), FourEyesOff::Proposed);
        for same in [&siti, &author("Budi", "1000 siti, by sudo"), &author(" SITI", "1001 budi")] {
            assert_eq!(turn_off(&path, same, now).unwrap(), FourEyesOff::StillProposed);
            assert_eq!(journal::read(&path).unwrap().four_eyes(), Some(true));
        }
        assert_eq!(turn_off(&path, &budi, now).unwrap(), FourEyesOff::Done);
        assert_eq!(journal::read(&path).unwrap().four_eyes(), Some(false));
    }
}
