//! Evidence of a store and of logs beside it: the union, in which the same line counts once.

use std::collections::{HashMap, HashSet};

use super::EvidenceError;
use super::parsed::Evidence;
use crate::domain::amount::Rupiah;
use crate::domain::classify::Class;
use crate::domain::digest::Digest;
use crate::domain::line::{Line, Marks};

impl Evidence {
    /// With those lines of `logs` that this does not have: of equal ones as many as either has. A log that has no line more is no file of
    /// its own.
    ///
    /// # Errors
    /// When there is more than one run can hold.
    pub(super) fn and(mut self, mut logs: Self) -> Result<Self, EvidenceError> {
        let mut there: HashMap<Digest, u32> = logs.lines.iter().map(|(_, line)| (line.digest, 0)).collect();
        for (_, line) in self.lines.iter() {
            there.entry(line.digest).and_modify(|count| *count = count.saturating_add(1));
        }
        let is_known: Vec<bool> = logs.lines.iter().map(|(_, line)| take_one(&mut there, &line.digest)).collect();
        for ((_, line), _) in logs.lines.iter().zip(&is_known).filter(|(_, is_known)| **is_known) {
            forget(&mut logs.raw.success_count, &mut logs.raw.success_amount, line);
            let contents = usize::try_from(line.file).ok().and_then(|file| logs.files.get_mut(file)).map(|file| &mut file.contents);
            let Some(contents) = contents else { continue };
            contents.messages = contents.messages.saturating_sub(1);
            contents.elsewhere = contents.elsewhere.saturating_add(1);
            let less = |slot: &mut u64, on: bool| *slot = slot.saturating_sub(u64::from(on));
            less(&mut contents.malformed, line.class == Class::N01);
            less(&mut contents.verified, line.marks.has(Marks::VERIFIED));
        }
        let (mut places, same) = (Vec::new(), self.files.iter().map(|file| file.digest).collect::<HashSet<Digest>>());
        for file in logs.files {
            // A second copy of what the store has once is a file of its own: its lines are more of the same.
            let is_told = file.contents.messages == 0 && (file.contents.elsewhere > 0 || same.contains(&file.digest));
            let place = if is_told { None } else { Some(u32::try_from(self.files.len()).map_err(|_| EvidenceError::TooMany)?) };
            if place.is_some() {
                self.files.push(file);
            }
            places.push(place);
        }
        let count = self.lines.len().saturating_add(is_known.iter().filter(|is_known| !**is_known).count());
        if u32::try_from(count).is_err() || u32::try_from(self.lines.text_len().saturating_add(logs.lines.text_len())).is_err() {
            return Err(EvidenceError::TooMany);
        }
        let mut known = is_known.into_iter();
        self.lines.absorb(logs.lines, |line| {
            let file = places.get(usize::try_from(line.file).ok()?).copied().flatten();
            if known.next().unwrap_or(false) { None } else { Some(Line { file: file?, ..line }) }
        });
        self.raw.success_count = self.raw.success_count.saturating_add(logs.raw.success_count);
        self.raw.success_amount = self.raw.success_amount.plus(logs.raw.success_amount);
        self.claims.extend(logs.claims);
        self.signers.absorb(logs.signers);
        self.places = places;
        self.finish();
        Ok(self)
    }
}

fn take_one(there: &mut HashMap<Digest, u32>, digest: &Digest) -> bool {
    let Some(count) = there.get_mut(digest).filter(|count| **count > 0) else { return false };
    *count = count.saturating_sub(1);
    true
}

fn forget(count: &mut u64, amount: &mut Rupiah, line: &Line) {
    if line.class == Class::N00 {
        *count = count.saturating_sub(1);
        *amount = amount.plus(Rupiah::new(i128::from(line.amount).saturating_neg()));
    }
}
