//! `tagih discrepancies`: what reports found, what people decide about it, and both in the journal.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::Read as _;
use std::path::Path;

use super::discrepancies_args::{Chosen, DiscrepanciesCommand as Command, OnOff, Which};
use super::failure::Failure;
use super::output;
use super::setup::Setup;
use super::{discrepancies_show as show, entries, explain};
use crate::domain::classify::Class;
use crate::domain::language::Language;
use crate::exit::Exit;
use crate::jobs::discrepancies::import::{self, Eyes};
use crate::jobs::discrepancies::{take, take_items, waiting};
use crate::jobs::period::{self, PeriodError};
use crate::journal::four_eyes::{self, FourEyesOff};
use crate::journal::{self, Author, JournalEntry, JournalWriter};
use crate::register::{Decision, DecisionRefusal, DecisionStep, Fingerprint, Item, ItemEventKind, ItemStatus, Register, Sighting};
use crate::report::{folder, items, items_sheet, open_items};
use crate::table::{self, TableSettings};

pub(super) fn discrepancies(setup: &Setup, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Take { report, items, by } => {
            let taken = take_in(setup, report, by.as_deref())?;
            told(setup, taken.as_ref());
            take_also(setup, report, items, by.as_deref())
        }
        Command::List { which } => list(setup, which),
        Command::Show { id } => show::show(setup, &bare(id)),
        Command::Export { which, out, lang, by } => export(setup, which, out, by.as_deref(), *lang),
        Command::Import { file, partial, tables, by } => import(setup, file, *partial, &setup.tables(tables)?, by.as_deref()),
        Command::Accept { ids, action, details, owner, comment } => {
            let author = setup.author(ids.by.as_deref(), &ids.reason)?;
            // A decision is about what a journal holds; none is begun for it.
            setup.existing_journal()?;
            let step = eyes(setup, &author)?.step(*action, None, details.details());
            let comment = comment.clone().or_else(|| (step == DecisionStep::Note).then(|| ids.reason.clone()));
            decide(setup, ids, &step, (owner.as_ref(), comment.as_ref()))
        }
        Command::Approve { ids, proposals } => approve(setup, ids, proposals),
        Command::Reopen { ids } => {
            let eyes = eyes(setup, &setup.author(ids.by.as_deref(), &ids.reason)?)?;
            decide_each(setup, ids, (None, None), |_, item| Ok(eyes.reopening(item)))
        }
        Command::Assign { ids, owner, comment } => decide(setup, ids, &DecisionStep::Note, (owner.as_ref(), comment.as_ref())),
        Command::Entries { .. } => entries::entries(setup, command),
        Command::FourEyes { state, by, reason } => four_eyes(setup, *state, &setup.author(by.as_deref(), reason)?),
        Command::Verify { head } => verify(setup, head.as_deref()),
    }
}

/// An id as people copy it.
fn bare(id: &str) -> String {
    let id = id.trim().to_lowercase();
    id.strip_prefix("d-").map_or(id.clone(), str::to_owned)
}

fn eyes(setup: &Setup, author: &Author) -> Result<Eyes, Failure> {
    Ok(if setup.four_eyes(author)? { Eyes::Four } else { Eyes::Two })
}

/// Records what the report changes, unless that run is known.
pub(super) fn take_in(setup: &Setup, report: &Path, by: Option<&str>) -> Result<Option<Sighting>, Failure> {
    let folder = folder::read(report)?;
    check_whole(report)?;
    let actor = setup.actor(by)?;
    if !journal::read(setup.journal_path())?.register()?.has_taken(&folder.run.run_id) {
        check_written(setup, report, &folder.summary_sha256)?;
    }
    let mut writer = JournalWriter::open(setup.journal_path())?;
    let waiting = waiting(&writer.journal().register()?, &folder)?;
    Ok(take(&mut writer, folder, waiting, setup.clock.now(), &actor)?)
}

/// Whether every file of the report is what was written: people decide on what they read there, whichever file that is. What they fill in
/// is an export, which is a file of its own.
fn check_whole(report: &Path) -> Result<(), Failure> {
    let not_whole = |reason: String| PeriodError::Report { path: report.to_owned(), reason };
    Ok(folder::whole(report).map(drop).map_err(not_whole)?)
}

/// Whether the report was written by a run of ours. What a folder says of itself moves no journal: whoever can write one could let a
/// decision fall by it. Of a report that no record here tells of, its inputs must make the same again.
fn check_written(setup: &Setup, report: &Path, summary_sha256: &str) -> Result<(), Failure> {
    if setup.has_written(summary_sha256) {
        return Ok(());
    }
    output::note("note: no record of a run here tells of this report, so it is made again and compared");
    let again = super::period::made_again(setup, report)?;
    Ok(period::compare(report, again.path())?)
}

/// Records open items of the report that nobody has to deal with yet.
fn take_also(setup: &Setup, report: &Path, items: &[String], by: Option<&str>) -> Result<Exit, Failure> {
    if items.is_empty() {
        return Ok(Exit::Done);
    }
    let ids: BTreeSet<String> = items.iter().map(|id| bare(id)).collect();
    let (listed, summary_sha256) = folder::listed(report)?;
    check_written(setup, report, &summary_sha256)?;
    let found = open_items::read(report, &listed, &ids)?;
    if let Some(id) = ids.iter().find(|id| found.iter().all(|facts| facts.id != **id)) {
        return Err(Failure::usage(format!(
            "E0803: `{id}` is no open item of `{}`\nhint: its open_items.csv lists them, in the column `discrepancy_id`",
            report.display()
        )));
    }
    let run = folder::read(report)?.run;
    let mut writer = JournalWriter::open(setup.journal_path())?;
    let taken = take_items(&mut writer, &run, found, setup.clock.now(), &setup.actor(by)?)?;
    told(setup, Some(&taken));
    Ok(Exit::Done)
}

fn told(setup: &Setup, taken: Option<&Sighting>) {
    let counts = taken.map(|taken| (taken.new.len(), taken.changed.len(), taken.again.len(), taken.gone.len()));
    let (new, changed, again, gone) = counts.unwrap_or_default();
    if setup.json {
        let known = taken.is_none();
        output::result(serde_json::json!({"known_run": known, "new": new, "changed": changed, "again": again, "cleared": gone}));
    } else if taken.is_none() {
        output::done("this report has been taken in already");
    } else {
        output::done(format_args!("{new} new, {changed} changed, {again} seen again, {gone} no longer found"));
    }
}

/// The items asked for, by id. A report given is taken in first.
fn chosen<'a>(which: &Which, register: &'a Register, run_id: Option<&str>) -> Result<Vec<(&'a String, &'a Item)>, Failure> {
    for class in &which.class {
        if Class::parse(class).is_none() {
            return Err(Failure::usage(format!(
                "there is no class `{class}`\nhint: {}`tagih explain` lists them all",
                explain::meant(class)
            )));
        }
    }
    let mut statuses = BTreeSet::new();
    for name in &which.status {
        match ItemStatus::parse(&name.to_lowercase()) {
            Some(status) => statuses.extend([status]),
            None if name == "all" => statuses.extend(ItemStatus::ALL),
            None => return Err(Failure::usage(format!("`{name}` is no status\nhint: open, proposed, accepted, cleared, reopened or all"))),
        }
    }
    let today = show::as_of_day(register);
    let is_wanted = |item: &Item| {
        let by_status = if statuses.is_empty() { item.status.is_open() } else { statuses.contains(&item.status) };
        by_status
            && (which.class.is_empty() || which.class.contains(&item.facts.class))
            && which.nature.as_ref().is_none_or(|nature| item.facts.nature.eq_ignore_ascii_case(nature))
            && which.period.as_ref().is_none_or(|period| item.last_seen.period() == *period)
            && which.owner.as_ref().is_none_or(|owner| crate::register::is_same_person(owner, &item.owner))
            && which.older_than.is_none_or(|days| item.age_days(today) > days)
            && run_id.is_none_or(|run_id| item.last_seen.run_id == run_id)
    };
    Ok(register.items().filter(|(_, item)| is_wanted(item)).collect())
}

fn list(setup: &Setup, which: &Which) -> Result<Exit, Failure> {
    let run_id = which.report.as_ref().map(|report| take_and_name(setup, report, None)).transpose()?;
    let register = show::register(setup)?;
    let chosen = chosen(which, &register, run_id.as_deref())?;
    show::list(setup, &chosen, show::as_of_day(&register));
    Ok(Exit::Done)
}

/// Takes a report in and gives its run id.
fn take_and_name(setup: &Setup, report: &Path, by: Option<&str>) -> Result<String, Failure> {
    take_in(setup, report, by)?;
    Ok(folder::read(report)?.run.run_id)
}

fn export(setup: &Setup, which: &Which, out: &Path, by: Option<&str>, lang: Option<Language>) -> Result<Exit, Failure> {
    let run_id = which.report.as_ref().map(|report| take_and_name(setup, report, by)).transpose()?;
    let register = show::register(setup)?;
    let chosen = chosen(which, &register, run_id.as_deref())?;
    let is_workbook = out.extension().is_some_and(|extension| extension.eq_ignore_ascii_case("xlsx"));
    let today = show::as_of_day(&register);
    let mut start = [0; 32];
    if let Ok(count) = File::open(out).and_then(|mut file| file.read(&mut start))
        && !items::is_export(start.get(..count).unwrap_or_default(), is_workbook)
    {
        let words = "exists and is no export of discrepancies, so it stays as it is\nhint: give another name with `--out`";
        return Err(Failure::usage(format!("`{}` {words}", out.display())));
    }
    if is_workbook {
        items_sheet::write(out, &chosen, today, lang.unwrap_or(setup.config.report.language))?;
    } else {
        items::write(out, &chosen, today)?;
    }
    let told = serde_json::json!({"discrepancies": chosen.len(), "file": out});
    output::outcome(setup.json, &told, format_args!("{} discrepancies in {}", chosen.len(), out.display()));
    Ok(Exit::Done)
}

fn import(setup: &Setup, file: &Path, partial: bool, tables: &TableSettings, by: Option<&str>) -> Result<Exit, Failure> {
    let rows = items::read(file, tables)?;
    let causes = rows.iter().filter_map(|row| row.wrong.as_deref()).map(|wrong| ("row", wrong));
    let count = u64::try_from(rows.len()).unwrap_or(u64::MAX);
    if let Some(mostly) = table::mostly(count, causes) {
        return Err(Failure::new(Exit::Input, format!("`{}`: {mostly}", file.display())));
    }
    let author = setup.author(by, &format!("decisions of {}", file.file_name().unwrap_or_default().display()))?;
    setup.existing_journal()?;
    let (at, eyes) = (setup.clock.now(), eyes(setup, &author)?);
    // Held from the first check to the last byte, so that two imports take turns and the later one meets what the earlier decided.
    let mut writer = JournalWriter::open(setup.existing_journal()?)?;
    let register = writer.journal().register_for_decisions()?;
    let checked = import::check(file, &rows, &register, eyes, &author, at);
    for refused in &checked.refused {
        output::error(refused);
    }
    let refused = checked.refused.len();
    if refused > 0 && !partial {
        let message = format!(
            "E0811: {refused} of {} rows of `{}` are refused, so none is recorded\nhint: correct them, or record the others with `--partial`",
            rows.len(),
            file.display()
        );
        return Err(Failure::new(Exit::Input, message));
    }
    let recorded = checked.decisions.len();
    if recorded > 0 {
        writer.append(at, &author, JournalEntry::Decided { decisions: checked.decisions })?;
    }
    let (known, empty) = (checked.known, checked.empty);
    if setup.json {
        output::result(serde_json::json!({"recorded": recorded, "known": known, "without_action": empty, "refused": refused}));
    } else {
        output::done(format_args!("{recorded} decisions recorded, {known} known, {empty} rows without an action, {refused} refused"));
    }
    Ok(if refused > 0 { Exit::Look } else { Exit::Done })
}

/// Agrees to what waits at each id, if that is what was looked at.
fn approve(setup: &Setup, ids: &Chosen, proposals: &[String]) -> Result<Exit, Failure> {
    decide_each(setup, ids, (None, None), |id, item| match item.filter(|item| item.proposed().is_some()) {
        Some(item) if !proposals.iter().any(|named| item.is_proposal(named)) => Err(DecisionRefusal::OtherProposal { id: id.to_owned() }),
        Some(item) if item.reopening.is_some() => Ok(DecisionStep::ApproveReopen),
        Some(_) | None => Ok(DecisionStep::Approve),
    })
}

/// Records one step on each id: on all of them, or on none.
fn decide(setup: &Setup, ids: &Chosen, step: &DecisionStep, said: (Option<&String>, Option<&String>)) -> Result<Exit, Failure> {
    decide_each(setup, ids, said, |_, _| Ok(step.clone()))
}

/// The same, with the step that each item asks for.
fn decide_each(
    setup: &Setup,
    ids: &Chosen,
    (owner, comment): (Option<&String>, Option<&String>),
    step_of: impl Fn(&str, Option<&Item>) -> Result<DecisionStep, DecisionRefusal>,
) -> Result<Exit, Failure> {
    let author = setup.author(ids.by.as_deref(), &ids.reason)?;
    let at = setup.clock.now();
    let mut writer = JournalWriter::open(setup.existing_journal()?)?;
    let mut register = writer.journal().register_for_decisions()?;
    let mut decisions = Vec::new();
    for id in ids.ids.iter().map(|id| bare(id)).collect::<BTreeSet<_>>() {
        let step = step_of(&id, register.get(&id))?;
        let facts = register.get(&id).map_or_else(|| Fingerprint::of_text(""), |item| item.facts.fingerprint());
        let (reason, by, person) = (author.reason().to_owned(), author.actor().to_owned(), author.person().to_owned());
        let decision = Decision { id, facts, step, reason, by, owner: owner.cloned(), comment: comment.cloned(), person };
        register.decide(at, &decision)?;
        decisions.push(decision);
    }
    let mut counts: BTreeMap<ItemEventKind, (usize, Vec<&str>)> = BTreeMap::new();
    for decision in &decisions {
        let (count, ids) = counts.entry(decision.step.kind()).or_default();
        *count = count.saturating_add(1);
        ids.push(&decision.id);
    }
    let (mut words, mut is_waiting) = (Vec::new(), false);
    for (kind, (count, ids)) in &counts {
        let proposed = || ids.iter().filter_map(|id| Some((id, register.get(id)?.proposal_id()?)));
        let waits = matches!(kind, ItemEventKind::Proposed | ItemEventKind::ReopenProposed);
        is_waiting |= waits;
        let each = proposed().map(|(id, proposal)| format!("\n  tagih discrepancies approve {id} --proposal {proposal} --reason …"));
        let waiting = if waits {
            format!("; another person approves, who has looked at it (`show`):{}", each.collect::<String>())
        } else {
            String::new()
        };
        words.push(format!("{count} {}{waiting}", kind.name()));
    }
    let steps = counts.keys().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    let told = serde_json::json!({"count": decisions.len(), "step": steps, "waits_for_approval": is_waiting});
    writer.append(at, &author, JournalEntry::Decided { decisions })?;
    output::outcome(setup.json, &told, format_args!("{}", words.join("\n")));
    Ok(Exit::Done)
}

fn four_eyes(setup: &Setup, state: OnOff, author: &Author) -> Result<Exit, Failure> {
    let (journal, now) = (setup.journal_path(), setup.clock.now());
    let words = match state {
        OnOff::On => {
            four_eyes::turn_on(journal, author, now)?;
            "a second person must agree to decisions from now on"
        }
        OnOff::Off => match four_eyes::turn_off(setup.existing_journal()?, author, now)? {
            FourEyesOff::Proposed => "that one person may decide alone waits for another person, who runs the same command",
            FourEyesOff::Done => "one person may decide alone from now on",
            FourEyesOff::WasOff => "one person may decide alone already",
            FourEyesOff::StillProposed => {
                return Err(Failure::usage(
                    "E0855: a second person must agree: who proposed it cannot also approve it\nhint: somebody else runs the same command, from \
                     an account of the system of their own and with `--by` their name",
                ));
            }
        },
    };
    let told = serde_json::json!({"outcome": words});
    output::result(if setup.json { told.to_string() } else { words.to_owned() });
    Ok(Exit::Done)
}

fn verify(setup: &Setup, head: Option<&str>) -> Result<Exit, Failure> {
    let journal = journal::read(setup.existing_journal()?)?;
    let register = journal.register()?;
    let is_known = |text: &str| journal.records().iter().any(|record| journal::JournalHead::of(record).to_string() == text);
    if let Some(text) = head.filter(|text| !is_known(text)) {
        let path = setup.journal_path().display();
        let message = format!(
            "E0801: the journal `{path}` does not hold `{text}`: it is older than that, or another\nhint: put the latest backup back"
        );
        return Err(Failure::new(Exit::Damaged, message));
    }
    let (lines, items) = (journal.records().len(), register.items().count());
    let head = journal.head().to_string();
    let told = serde_json::json!({"lines": lines, "discrepancies": items, "journal_head": head});
    output::outcome(setup.json, &told, format_args!("{lines} lines about {items} discrepancies are whole; head {head}"));
    Ok(Exit::Done)
}
