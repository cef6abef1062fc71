//! What whoever signs a month must know of the months that it goes on from: that one of them believed a key which was revoked since, or knew a
//! ledger that was not asked now.

use std::collections::BTreeMap;
use std::fmt;

use jiff::Timestamp;
use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::language::{Language, Say, say};
use super::revocation::{Revocation, Revoked, as_kept};

/// A key that has signed what was counted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signer {
    /// Which key.
    pub fingerprint: String,
    /// When the last of it came, as far as it says.
    #[serde(default)]
    pub last_received_at: Option<Timestamp>,
    /// Whether some of it does not say when it came.
    #[serde(default)]
    pub undated: bool,
}

impl Signer {
    /// Whether all of it is believed by what stands against keys now.
    fn is_believed(&self, revoked: &Revoked) -> bool {
        let is_dated = !self.undated || revoked.after(&self.fingerprint).is_none();
        is_dated && self.last_received_at.is_none_or(|at| revoked.believes(&self.fingerprint, Some(at)))
    }
}

/// Keys that have signed what was counted, each once, by fingerprint.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Signers(Vec<Signer>);

impl Signers {
    /// One more message, signed by the key of this fingerprint, that came at `came_at`.
    pub fn add(&mut self, fingerprint: &str, came_at: Option<Timestamp>) {
        let came_at = came_at.map(as_kept);
        let place = match self.0.binary_search_by(|signer| signer.fingerprint.as_str().cmp(fingerprint)) {
            Ok(place) => place,
            Err(place) => {
                self.0.insert(place, Signer { fingerprint: fingerprint.to_owned(), last_received_at: None, undated: false });
                place
            }
        };
        if let Some(signer) = self.0.get_mut(place) {
            signer.last_received_at = signer.last_received_at.max(came_at);
            signer.undated |= came_at.is_none();
        }
    }

    /// With those of `other`.
    pub fn absorb(&mut self, other: Self) {
        for Signer { fingerprint, last_received_at, undated } in other.0 {
            if last_received_at.is_some() {
                self.add(&fingerprint, last_received_at);
            }
            if undated {
                self.add(&fingerprint, None);
            }
        }
    }

    /// In the order of their fingerprints.
    pub fn iter(&self) -> impl Iterator<Item = &Signer> {
        self.0.iter()
    }
}

/// Something that a person must know before a month is signed, of a month before it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Caveat {
    /// It believed what a key had signed that was revoked since.
    RevokedKey {
        /// Its first day.
        from: Date,
        /// Its last.
        to: Date,
        /// Which key.
        key: String,
        /// What came later is not believed today.
        received_after: Timestamp,
        /// When the last of what it believed came; none where that is not known.
        last_received_at: Option<Timestamp>,
    },
    /// It knew a ledger as it is in none that was asked now: an older copy, another ledger, or none at all.
    OtherLedger {
        /// Its first day.
        from: Date,
        /// Its last.
        to: Date,
        /// What it knew, `sequence:hash`.
        ledger_head: String,
    },
    /// What was said of a key is in no ledger that was asked now.
    UnheardKey {
        /// Which key.
        key: String,
        /// When it was said.
        said_at: Timestamp,
        /// The ledger that has it, `sequence:hash`.
        ledger_head: String,
    },
}

impl Caveat {
    /// What it is called where a person says that it stands.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::RevokedKey { .. } => "revoked-key",
            Self::OtherLedger { .. } | Self::UnheardKey { .. } => "other-ledger",
        }
    }
}

impl Say for Caveat {
    fn say(&self, language: Language, to: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::RevokedKey { from, to: last, key, received_after, last_received_at } => {
                say!(
                    to,
                    language,
                    "{from} to {last} was made while the key {key} was still believed about what arrived after {received_after}",
                    "{from} s.d. {last} dibuat ketika kunci {key} masih dipercaya untuk yang diterima setelah {received_after}"
                )?;
                match last_received_at {
                    Some(at) => say!(
                        to,
                        language,
                        ", and counted such messages, the last of {at}",
                        ", dan menghitung pesan seperti itu, terakhir {at}"
                    ),
                    None => say!(to, language, ", and may have counted such messages", ", dan mungkin menghitung pesan seperti itu"),
                }
            }
            Self::OtherLedger { from, to: last, ledger_head } => say!(
                to,
                language,
                "{from} to {last} was made when a ledger stood at {ledger_head}, which none that was asked now has: an older copy, another ledger, \
                 or none; what was said of keys there is not known here",
                "{from} s.d. {last} dibuat ketika suatu buku besar berada pada {ledger_head}, yang tidak dimiliki buku besar mana pun yang ditanya \
                 sekarang: salinan lama, buku besar lain, atau tidak ada; pencabutan kunci di sana tidak diketahui di sini"
            ),
            Self::UnheardKey { key, said_at, ledger_head } => say!(
                to,
                language,
                "what was said of the key {key} at {said_at} (ledger {ledger_head}) is in no ledger that was asked now: an older copy, another ledger, or none",
                "yang dikatakan tentang kunci {key} pada {said_at} (buku besar {ledger_head}) tidak ada dalam buku besar mana pun yang ditanya sekarang: \
                 salinan lama, buku besar lain, atau tidak ada"
            ),
        }
    }
}

/// A caveat as a report tells of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldCaveat {
    /// Which.
    #[serde(flatten)]
    pub caveat: Caveat,
    /// The first day of the month that was signed although it was known; none: nobody has said that it stands.
    pub accepted_with: Option<Date>,
}

/// A month that a report goes on from, as far as its report or its close tells what it believed and whom it asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Former {
    /// Its first day.
    pub from: Date,
    /// Its last.
    pub to: Date,
    /// When it was looked at, at the latest: what it counted had come by then.
    pub seen_at: Timestamp,
    /// The keys that had signed what it counted; none where that was not kept yet.
    pub signers: Option<Vec<Signer>>,
    /// The heads of the ledgers it knew, `sequence:hash`.
    pub ledger_heads: Vec<String>,
}

impl Former {
    /// What it believed and is not believed today.
    #[must_use]
    pub fn believed_since(&self, revoked: &Revoked) -> Vec<Caveat> {
        let (from, to) = (self.from, self.to);
        let caveat = |key: &str, received_after, last_received_at| Caveat::RevokedKey {
            from,
            to,
            key: key.to_owned(),
            received_after,
            last_received_at,
        };
        let Some(signers) = &self.signers else {
            let late = revoked.keys().filter(|(_, after)| self.seen_at > *after);
            return late.map(|(key, after)| caveat(key, after, None)).collect();
        };
        let late = signers.iter().filter(|signer| !signer.is_believed(revoked));
        late.filter_map(|signer| Some(caveat(&signer.fingerprint, revoked.after(&signer.fingerprint)?, signer.last_received_at))).collect()
    }
}

/// What whoever signs must know: which of `formers`, oldest first, believed what is not believed today; whether a ledger that was asked `is_known` to have the
/// heads that the last of them knew; and which last word about a key, of all that was `said` (when, what, and the head of the ledger that has it), none of them knows.
///
/// # Errors
/// Those of `is_known`.
pub fn caveats<'s, E>(
    formers: &[Former],
    said: impl IntoIterator<Item = (Timestamp, &'s Revocation, &'s str)>,
    revoked: &Revoked,
    mut is_known: impl FnMut(&str) -> Result<bool, E>,
) -> Result<Vec<Caveat>, E> {
    let mut found: Vec<Caveat> = Vec::new();
    for caveat in formers.iter().flat_map(|former| former.believed_since(revoked)) {
        if !found.contains(&caveat) {
            found.push(caveat);
        }
    }
    // Whoever has its head has those of all before it.
    let last = formers.iter().filter(|former| !former.ledger_heads.is_empty()).max_by_key(|former| former.to);
    for (last, head) in last.into_iter().flat_map(|last| last.ledger_heads.iter().map(move |head| (last, head))) {
        if !is_known(head)? {
            found.push(Caveat::OtherLedger { from: last.from, to: last.to, ledger_head: head.clone() });
        }
    }
    let last_words: BTreeMap<&str, _> = said.into_iter().map(|(at, said, head)| (said.fingerprint.as_str(), (at, said, head))).collect();
    for (key, (said_at, said, head)) in last_words {
        // What was said again on another ledger is known there.
        let is_heard = match (said.received_after, revoked.after(key)) {
            (Some(said), Some(standing)) => standing <= said,
            (said, standing) => said == standing,
        };
        if !is_heard && !is_known(head)? {
            found.push(Caveat::UnheardKey { key: key.to_owned(), said_at, ledger_head: head.to_owned() });
        }
    }
    Ok(found)
}

#[cfg(test)]
mod tests {
    use jiff::civil::date;

    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    fn said(fingerprint: &str, after: Option<i64>) -> Revocation {
        let text = String::new;
        let received_after = after.map(at);
        Revocation { fingerprint: fingerprint.into(), received_after, actor: text(), person: text(), reason: text() }
    }

    fn revoked(fingerprint: &str, after: i64) -> Revoked {
        Revoked::of([&said(fingerprint, Some(after))])
    }

    fn former(signers: Option<&Signers>, heads: &[&str]) -> Former {
        Former {
            from: date(2026, 10, 1),
            to: date(2026, 10, 31),
            seen_at: at(100),
            signers: signers.map(|signers| signers.iter().cloned().collect()),
            ledger_heads: heads.iter().map(|head| (*head).to_owned()).collect(),
        }
    }

    #[test]
    fn a_month_is_named_that_believed_what_is_not_believed_today_and_no_other() {
        let mut dated = Signers::default();
        for (key, came_at) in [("b", 3), ("a", 7), ("a", 5)] {
            dated.add(key, Some(at(came_at)));
        }
        let mut undated = dated.clone();
        undated.add("b", None);
        let none = Signers::default();
        for (signers, key, after, expected) in [
            (Some(&dated), "a", 7, None),
            (Some(&dated), "a", 6, Some(Some(7))),
            (Some(&dated), "b", 3, None),
            (Some(&dated), "b", 2, Some(Some(3))),
            (Some(&dated), "c", 0, None),
            (Some(&undated), "b", 3, Some(Some(3))),
            // Of before signers were kept: whatever it had seen by then may be of that key.
            (None, "a", 99, Some(None)),
            (None, "a", 100, None),
            (Some(&none), "a", 0, None),
        ] {
            let found = former(signers, &[]).believed_since(&revoked(key, after));
            let expected: Vec<Caveat> = expected
                .into_iter()
                .map(|last| Caveat::RevokedKey {
                    from: date(2026, 10, 1),
                    to: date(2026, 10, 31),
                    key: key.to_owned(),
                    received_after: at(after),
                    last_received_at: last.map(at),
                })
                .collect();
            assert_eq!(found, expected, "{key} {after}");
        }
    }

    #[test]
    fn of_the_last_month_that_knew_ledgers_each_head_must_be_known() {
        let earlier = Former { to: date(2026, 9, 30), ledger_heads: vec!["1:older".into()], ..former(None, &[]) };
        let asked = |heads: &[&str], known: &[&str]| {
            let formers = [earlier.clone(), former(Some(&Signers::default()), heads)];
            let is_known = |head: &str| Ok::<_, fmt::Error>(known.contains(&head));
            caveats(&formers, [], &Revoked::default(), is_known).unwrap().len()
        };
        assert_eq!(asked(&["2:a", "7:b"], &["2:a", "7:b"]), 0);
        assert_eq!(asked(&["2:a", "7:b"], &["2:a"]), 1);
        assert_eq!(asked(&["2:a", "7:b"], &[]), 2);
        assert_eq!(asked(&[], &[]), 1, "the last that knew any is asked about");
        assert_eq!(asked(&[], &["1:older"]), 0);
    }

    #[test]
    fn the_last_word_about_a_key_is_known_by_its_head_or_because_it_stands_there_too() {
        for (words, standing, is_heard) in [
            (&[Some(5)][..], None, false),
            (&[Some(5)], Some(6), false),
            (&[Some(5)], Some(5), true),
            (&[Some(5)], Some(4), true),
            (&[Some(5), None], None, true),
            (&[Some(5), None], Some(5), false),
            (&[Some(5), None, Some(5)], None, false),
        ] {
            let said: Vec<Revocation> = words.iter().map(|after| said("a", *after)).collect();
            let standing = standing.map_or_else(Revoked::default, |after| revoked("a", after));
            let told = || said.iter().map(|said| (at(1), said, "7:last"));
            let of = |known: bool| caveats(&[], told(), &standing, |_| Ok::<_, fmt::Error>(known)).unwrap();
            assert_eq!((of(false).is_empty(), of(true).is_empty()), (is_heard, true), "{words:?} {standing:?}");
        }
    }

    #[test]
    fn signers_of_two_sources_are_those_of_all_messages() {
        let of = |messages: &[(&str, Option<i64>)]| {
            let mut signers = Signers::default();
            for (key, came_at) in messages {
                signers.add(key, came_at.map(at));
            }
            signers
        };
        let (one, two) = ([("b", Some(1)), ("a", None)], [("a", Some(4)), ("c", None), ("b", Some(2))]);
        let mut both = of(&one);
        both.absorb(of(&two));
        assert_eq!(both, of(&[&one[..], &two].concat()));
    }
}
