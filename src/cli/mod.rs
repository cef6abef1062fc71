//! The command line and the composition root: arguments, configuration, which store and gateway, exit codes.
//!
//! Belongs here: choosing and connecting parts, printing for people. Must not be here: rules about bills or DOKU.

mod adopt;
mod args;
mod attention;
mod audit_kit;
mod bank;
mod bill_options;
mod books;
mod check;
mod command_line;
mod config_show;
mod demo;
mod demo_settlement;
mod discrepancies;
mod discrepancies_args;
mod discrepancies_show;
mod doctor;
mod entries;
mod error_json;
mod evidence;
mod explain;
mod failure;
mod global;
mod head_file;
mod help;
mod init;
mod install;
mod invoices;
mod keys;
mod layout_guess;
mod ledger_args;
mod ledger_commands;
mod ledger_whole;
mod log;
mod logs;
mod matching;
mod opening;
mod orders;
mod output;
mod period;
mod period_args;
mod person;
mod places;
mod planning;
mod privacy;
mod reconcile;
mod refused;
mod retention;
mod revoking;
mod runs;
mod sandbox;
mod sender;
mod sending;
mod sequence;
mod serve;
mod settlement;
mod setup;
mod shell;
mod standard_input;
mod stopping;
mod stores;
mod support;
mod sync;
mod tables;
mod terminal;
mod times;
mod unread_rows;
mod unsaid;
mod waiting;
mod watching;
mod why;
mod why_books;
mod why_json;
mod why_next;
mod why_story;
mod why_words;
mod witness;

use clap::FromArgMatches as _;

use self::command_line::{Cli, Command, ConfigCommand};
use self::failure::Failure;
use self::runs::Invocation;
use self::setup::Setup;
use self::watching::Watching;
use crate::config::LogFormat;
use crate::exit::Exit;

/// Parses the arguments, runs the command and gives the exit code.
#[must_use]
pub fn main() -> Exit {
    stopping::outlive_file_limit();
    unsaid::begin();
    let (cli, invocation) = match parsed() {
        Ok(parsed) => parsed,
        Err(error) => {
            // Help and version are results; everything else is a usage error.
            if !error.use_stderr() {
                drop(error.print());
                return Exit::Done;
            }
            // As text: the arguments in it are anybody's, and colours would be their letters too.
            let text = error.render().to_string();
            if std::env::args_os().any(|argument| argument == "--json") {
                return failed(true, &Failure::usage(text.trim().trim_start_matches("error: ")));
            }
            output::note(text.trim_end());
            return Exit::Usage;
        }
    };
    if cli.global.quiet {
        output::hold();
    }
    let exit = run(&cli, &invocation);
    output::release(exit);
    exit
}

/// The command line as typed.
fn parsed() -> Result<(Cli, Invocation), clap::Error> {
    let mut definition = help::definition();
    let matches = definition.try_get_matches_from_mut(std::env::args_os())?;
    let cli = Cli::from_arg_matches(&matches).map_err(|error| error.format(&mut definition))?;
    Ok((cli, Invocation::of(&definition, &matches)))
}

/// Says what is wrong, if anything is, and gives the exit code.
fn ended(json: bool, outcome: Result<Exit, Failure>) -> Exit {
    match outcome {
        Ok(_) if output::has_failed() => {
            let hint = "hint: check where it goes and free space there; what was done is done";
            failed(json, &Failure::new(Exit::Disk, format!("the result could not be written to standard output\n{hint}")))
        }
        Ok(exit) => exit,
        Err(failure) => failed(json, &failure),
    }
}

/// Says why it failed.
fn failed(json: bool, failure: &Failure) -> Exit {
    if json {
        output::error_json(error_json::line(failure.exit, failure.code.map(|code| code.id), &failure.message));
    } else {
        output::error(&failure.message);
    }
    failure.exit
}

fn run(cli: &Cli, invocation: &Invocation) -> Exit {
    let (json, id) = (cli.global.json, runs::new_id());
    let setup = if needs_settings(&cli.command) { Some(Setup::load(&cli.global, &[])) } else { None };
    let log_format = setup.as_ref().and_then(|setup| Some(setup.as_ref().ok()?.config.log.format)).unwrap_or(LogFormat::Text);
    log::begin(cli.global.log_format.unwrap_or(log_format), &id);
    let watching = match Watching::begin(&cli.global, &cli.command) {
        Ok(watching) => watching,
        Err(failure) => return ended(json, Err(failure)),
    };
    match setup {
        None => ended(json, without_settings(cli)),
        Some(Err(failure)) => watching.end(None, ended(json, Err(failure))),
        Some(Ok(setup)) => {
            setup.begin_run(&id, invocation);
            watching.start(&setup);
            tracing::info!(command = invocation.command, version = env!("CARGO_PKG_VERSION"), "the run begins");
            let exit = ended(json, with(&setup, &cli.command).map_err(|failure| failure.read_from(setup.file.as_deref())));
            let exit = setup.end_run(watching.end(Some(&setup), exit), invocation);
            tracing::info!(command = invocation.command, exit = exit.code(), "the run has ended");
            exit
        }
    }
}

/// The others are done without a configuration, so a broken one does not stop them.
const fn needs_settings(command: &Command) -> bool {
    !matches!(
        command,
        Command::Demo { .. }
            | Command::Explain { .. }
            | Command::Init { .. }
            | Command::Doctor(_)
            | Command::Completions { .. }
            | Command::Man { .. }
            | Command::SupportBundle(_)
            | Command::Help { .. }
    )
}

fn without_settings(cli: &Cli) -> Result<Exit, Failure> {
    match &cli.command {
        Command::Demo { out } => demo::demo(&cli.global, out.as_deref()),
        Command::Explain { code, lang } => explain::explain(code.as_deref(), *lang, cli.global.json),
        Command::Init { file, from: Some(source), .. } => layout_guess::init(file, source),
        Command::Init { file, sandbox, from: None } => init::init(file, *sandbox),
        Command::Doctor(arguments) => doctor::doctor(&cli.global, arguments),
        Command::Completions { shell } => shell::completions(*shell),
        Command::Man { folder } => shell::man(folder),
        Command::SupportBundle(arguments) => support::bundle(&cli.global, arguments),
        Command::Help { command } => help::help(command),
        _ => Ok(Exit::Done),
    }
}

fn with(setup: &Setup, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Check { files, cycle, tables, out } => {
            if out.is_some() {
                setup.standard_input.keep(files)?;
            }
            check::check(setup, files, &setup.intake(cycle.cycle.as_ref(), tables)?, out.as_deref())
        }
        Command::Issue(arguments) => sending::issue(setup, arguments),
        Command::Cancel(arguments) => sending::cancel(setup, arguments),
        Command::Sync { invoices, sending } => sync::sync(setup, invoices, sending),
        Command::Resolve { invoice, verdict, payment_code, reason } => {
            ledger_commands::resolve(setup, invoice, *verdict, payment_code.as_deref(), reason)
        }
        Command::Why(arguments) => why::why(setup, arguments),
        Command::Status => ledger_commands::status(setup),
        Command::Ledger(command) => ledger_commands::ledger(setup, command),
        Command::Install(arguments) => install::install(setup, arguments),
        Command::Config(ConfigCommand::Show { origin }) => config_show::show(setup, *origin),
        Command::Serve(arguments) => serve::serve(setup, arguments),
        Command::Sandbox(arguments) => sandbox::sandbox(setup, arguments),
        Command::Ingest { logs, evidence, layout, allow_no_logs } => {
            logs::ingest(setup, logs, evidence.as_deref(), layout.as_ref(), *allow_no_logs)
        }
        Command::Evidence(command) => evidence::evidence(setup, command),
        Command::Reconcile(arguments) => reconcile::reconcile(setup, arguments),
        Command::Period(command) => period::period(setup, command),
        Command::AuditKit(arguments) => audit_kit::audit_kit(setup, arguments),
        Command::Discrepancies(command) => discrepancies::discrepancies(setup, command),
        Command::Runs(command) => runs::runs(setup, command),
        Command::Purge(arguments) => retention::purge(setup, arguments),
        Command::Privacy(command) => privacy::privacy(setup, command),
        Command::Keys(command) => revoking::keys(setup, command),
        Command::Demo { .. }
        | Command::Explain { .. }
        | Command::Init { .. }
        | Command::Doctor(_)
        | Command::Completions { .. }
        | Command::Man { .. }
        | Command::SupportBundle(_)
        | Command::Help { .. } => Ok(Exit::Done),
    }
}
