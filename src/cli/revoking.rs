//! `tagih keys`: which keys are believed until when, and that one is not any more.
//!
//! What is said of a key is an event of the ledger's chain, where every host and every later run finds it.

use std::path::PathBuf;

use clap::Subcommand;
use jiff::Timestamp;
use serde_json::{Value, json};

use super::failure::Failure;
use super::keys::said;
use super::output;
use super::setup::{Setup, filled};
use super::times::instant;
use super::waiting::wait;
use crate::doku::keyring::Keyring;
use crate::doku::signature::SigningKey;
use crate::domain::caveat::Caveat;
use crate::domain::keylike;
use crate::domain::language::{Language, Say as _};
use crate::domain::revocation::{Revocation, Revoked};
use crate::evidence::store::List;
use crate::exit::Exit;
use crate::journal::period::ClosedPeriod;
use crate::journal::{self, Author, JournalEntry, JournalWriter};
use crate::ledger::{Create, Ledger as _, Store};
use crate::report::issue::head_text;

#[derive(Debug, Subcommand)]
#[allow(clippy::doc_markdown, reason = "help texts for people")]
pub(super) enum KeysCommand {
    /// The keys of these settings by their fingerprints, until when each is believed, and all that was said of any
    List,
    /// After a leak: what arrived after an instant and is signed by a key is not believed any more, by any host and in any later run
    Revoke {
        /// `present`, `previous`, or the fingerprint of a key, also of one that only an evidence store knows (default: the only one there is)
        #[arg(value_name = "KEY")]
        key: Option<String>,
        /// The last instant at which nobody else had it, such as 2026-12-05T03:00:00Z or 2026-12-05T10:00:00+07:00
        #[arg(long, value_name = "TIME", value_parser = instant)]
        received_after: Timestamp,
        /// An evidence store whose keys are meant as well (default: `evidence.store`)
        #[arg(long, value_name = "DIR")]
        evidence: Option<PathBuf>,
        /// Why, for the record
        #[arg(long)]
        reason: String,
        /// Who says so (default: `journal.actor`, else USER)
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
    /// Take back what was said of a key: it is believed as the settings have it
    Reinstate {
        /// `present`, `previous`, or its fingerprint
        #[arg(value_name = "KEY")]
        key: String,
        /// Why, for the record
        #[arg(long)]
        reason: String,
        /// Who says so (default: `journal.actor`, else USER)
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

/// What the keys of the settings are called, in their order.
const ROLES: [&str; 2] = ["present", "previous"];

pub(super) fn keys(setup: &Setup, command: &KeysCommand) -> Result<Exit, Failure> {
    match command {
        KeysCommand::List => list(setup),
        KeysCommand::Revoke { key, received_after, evidence, reason, by } => {
            if *received_after > setup.clock.now() {
                return Err(Failure::usage(
                    "`--received-after` lies ahead\nhint: a leak has an instant that is past; the planned end of a rotation is `doku.previous_until`",
                ));
            }
            let ledger = setup.open_ledger(&setup.binding()?, Create::Never)?;
            let stands = stands(&ledger)?;
            let fingerprint = meant(setup, key.as_deref(), &stands, evidence.clone())?;
            match stands.after(&fingerprint) {
                Some(after) if after < *received_after => Err(Failure::usage(format!(
                    "the key {fingerprint} is not believed about what arrived after {after} already, which is earlier; nothing was recorded\n\
                     hint: to believe it for longer, `tagih keys reinstate {fingerprint}`, then revoke it anew"
                ))),
                Some(after) if after == *received_after => {
                    // A run may have died between the two.
                    record(setup, &ledger, &word(setup, &fingerprint, Some(after), (by.as_deref(), reason))?)?;
                    tell(setup, &ledger, &fingerprint, Some(after), "is revoked already:")
                }
                _ => {
                    say(setup, &ledger, &fingerprint, Some(*received_after), (by.as_deref(), reason))?;
                    tell(setup, &ledger, &fingerprint, Some(*received_after), "is revoked:")
                }
            }
        }
        KeysCommand::Reinstate { key, reason, by } => {
            let ledger = setup.open_ledger(&setup.binding()?, Create::Never)?;
            let stands = stands(&ledger)?;
            let fingerprint = meant(setup, Some(key), &stands, None)?;
            if stands.after(&fingerprint).is_none() {
                return Err(Failure::usage(format!("nothing stands against the key {fingerprint}; nothing was recorded")));
            }
            say(setup, &ledger, &fingerprint, None, (by.as_deref(), reason))?;
            tell(setup, &ledger, &fingerprint, None, "is reinstated:")
        }
    }
}

fn stands(ledger: &Store) -> Result<Revoked, Failure> {
    Ok(Revoked::of(said(ledger)?.iter().map(|(_, said)| said)))
}

/// Which key is meant. What was typed is not repeated: it may be the key itself.
fn meant(setup: &Setup, typed: Option<&str>, stands: &Revoked, store: Option<PathBuf>) -> Result<String, Failure> {
    let configured = setup.configured_keys()?;
    let named = || ROLES.iter().zip(configured.iter().map(SigningKey::fingerprint));
    let listed = || named().map(|(role, fingerprint)| format!("{role} {fingerprint}")).collect::<Vec<_>>().join(", ");
    let mut known: Vec<String> = Vec::new();
    if let Some(path) = store.or_else(|| filled(&setup.config.evidence.store).map(PathBuf::from).filter(|path| path.exists())) {
        known.extend(List::read(&setup.evidence_at(&path)?)?.logs().iter().flat_map(|log| log.keys().iter().cloned()));
    }
    let Some(typed) = typed else {
        // The one in force may be the new one, and the one that has leaked known by what it has signed.
        let of_store = known.into_iter().filter(|fingerprint| stands.after(fingerprint).is_none());
        let mut all: Vec<String> = configured.iter().map(SigningKey::fingerprint).chain(of_store).collect();
        all.sort_unstable();
        all.dedup();
        return match all.as_slice() {
            [only] => Ok(only.clone()),
            all => Err(Failure::usage(format!(
                "which key is revoked must be said, as there are several: {}; these settings have {}",
                all.join(", "),
                listed()
            ))),
        };
    };
    let by_role = named().find(|(role, fingerprint)| **role == typed || fingerprint == typed).map(|(_, fingerprint)| fingerprint);
    let told = stands.keys().map(|(fingerprint, _)| fingerprint.to_owned());
    by_role.or_else(|| known.into_iter().chain(told).find(|known| known == typed)).ok_or_else(|| {
        Failure::usage(format!(
            "nobody has such a key: these settings have {}\nhint: a key is named by its fingerprint, as `keys` of a summary.json and `tagih evidence \
             list` have it; of one that only an evidence store elsewhere knows, add `--evidence DIR`",
            listed()
        ))
    })
}

/// What a person says of a key, and that person.
fn word(
    setup: &Setup,
    fingerprint: &str,
    received_after: Option<Timestamp>,
    (by, reason): (Option<&str>, &str),
) -> Result<(Author, Revocation), Failure> {
    // What is said of a key is kept for good, where whoever reads the ledger reads it.
    if [Some(reason), by].into_iter().flatten().any(|text| !keylike::keys(text).is_empty()) {
        return Err(Failure::usage(
            "a key, or what looks like one, stands in `--reason` or `--by`; nothing was recorded\nhint: name it by its fingerprint",
        ));
    }
    let author = setup.author(by, reason)?;
    let said = Revocation {
        fingerprint: fingerprint.to_owned(),
        received_after,
        actor: author.actor().to_owned(),
        person: author.person().to_owned(),
        reason: author.reason().to_owned(),
    };
    Ok((author, said))
}

fn say(
    setup: &Setup,
    ledger: &Store,
    fingerprint: &str,
    received_after: Option<Timestamp>,
    who: (Option<&str>, &str),
) -> Result<(), Failure> {
    let word = word(setup, fingerprint, received_after, who)?;
    wait(ledger.revoke(word.1.clone(), setup.clock.now()))?;
    record(setup, ledger, &word)
}

/// Writes what was said, and which ledger has it, into the journal, if there is one: whoever signs on an older copy of the ledger hears of it by that.
fn record(setup: &Setup, ledger: &Store, (author, said): &(Author, Revocation)) -> Result<(), Failure> {
    if !setup.journal_path().exists() {
        return Ok(());
    }
    let mut writer = JournalWriter::open(setup.journal_path())?;
    let last = writer.journal().said_of_keys().filter(|(_, told, _)| told.fingerprint == said.fingerprint).last();
    if last.is_some_and(|(_, told, _)| told.received_after == said.received_after) {
        return Ok(());
    }
    let ledger_head = head_text(wait(ledger.head())?);
    writer.append(setup.clock.now(), author, JournalEntry::KeySaid { said: said.clone(), ledger_head })?;
    Ok(())
}

/// The months that stand closed and believed what is not believed any more.
fn closed_on(setup: &Setup, ledger: &Store, fingerprint: &str) -> Result<Vec<(ClosedPeriod, Caveat)>, Failure> {
    let stands = stands(ledger)?;
    let is_about = |caveat: &Caveat| matches!(caveat, Caveat::RevokedKey { key, .. } if key == fingerprint);
    let of = |period: ClosedPeriod| {
        let caveat = period.former().believed_since(&stands).into_iter().find(is_about)?;
        Some((period, caveat))
    };
    Ok(journal::read(setup.journal_path())?.periods()?.into_iter().filter_map(of).collect())
}

fn tell(setup: &Setup, ledger: &Store, fingerprint: &str, after: Option<Timestamp>, how: &str) -> Result<Exit, Failure> {
    let head = wait(ledger.head())?;
    setup.figure_head(head);
    let closed = if after.is_some() { closed_on(setup, ledger, fingerprint)? } else { Vec::new() };
    let caveats: Vec<&Caveat> = closed.iter().map(|(_, caveat)| caveat).collect();
    let told = json!({"key": fingerprint, "received_after": after, "ledger_head": head_text(head), "closed_months": caveats});
    let until = after.map_or_else(
        || "it is believed as the settings have it".to_owned(),
        |after| format!("what arrived after {after} and is signed by it is not believed"),
    );
    output::outcome(setup.json, &told, format_args!("the key {fingerprint} {how} {until}; head {}", head_text(head)));
    for (ClosedPeriod { at, by, .. }, caveat) in &closed {
        output::note(format_args!(
            "warning: closed at {at} by {by}: {}\nhint: make it anew: `tagih period reopen`, the last closed month first, then reconcile and close; until then each \
             month after it says so, and is not closed without a word",
            caveat.told(Language::English)
        ));
    }
    if after.is_some() && !setup.quiet {
        output::note(
            "note: a server that runs has heard it within two seconds; payments that the ledger took on such messages before stay in it until you \
             have reconciled\nhint: have DOKU change the key, then reconcile the months since (docs/security.md, \"After a leak\")",
        );
    }
    Ok(Exit::Done)
}

fn list(setup: &Setup) -> Result<Exit, Failure> {
    let said = match setup.existing_ledger()? {
        Some(ledger) => said(&ledger)?,
        None => Vec::new(),
    };
    let revoked = Revoked::of(said.iter().map(|(_, said)| said));
    let keys = Keyring::new(&setup.configured_keys()?, revoked.clone());
    let fingerprints: Vec<String> = keys.iter().map(SigningKey::fingerprint).collect();
    let configured = ROLES.iter().zip(&*keys).map(|(role, key)| (*role, key.fingerprint(), key.ends()));
    let former = revoked.keys().filter(|(fingerprint, _)| !fingerprints.iter().any(|known| known == fingerprint));
    let all: Vec<(&str, String, Option<Timestamp>)> =
        configured.chain(former.map(|(fingerprint, until)| ("not set", fingerprint.to_owned(), Some(until)))).collect();
    if setup.json {
        let key = |(role, fingerprint, until): &(&str, String, Option<Timestamp>)| json!({"role": role, "key": fingerprint, "until": until, "revoked_after": revoked.after(fingerprint)});
        let words = |(at, said): &(Timestamp, Revocation)| {
            let Revocation { fingerprint, received_after, actor, person, reason } = said;
            json!({"at": at, "key": fingerprint, "received_after": received_after, "by": actor, "account": person, "reason": reason})
        };
        output::result(json!({
            "keys": all.iter().map(key).collect::<Vec<Value>>(), "said": said.iter().map(words).collect::<Vec<Value>>(),
        }));
        return Ok(Exit::Done);
    }
    for (role, fingerprint, until) in &all {
        let until = until.map_or_else(|| "believed".to_owned(), |until| format!("believed until {until}"));
        let why = if revoked.after(fingerprint).is_some() { ", revoked" } else { "" };
        output::result(format_args!("{role:<8} {fingerprint}  {until}{why}"));
    }
    for (at, Revocation { fingerprint, received_after, actor, person, reason }) in &said {
        let what = received_after.map_or_else(|| "reinstated".to_owned(), |after| format!("revoked after {after}"));
        output::result(format_args!("{at} {fingerprint} {what} by {actor} (account {person}): {reason}"));
    }
    Ok(Exit::Done)
}
