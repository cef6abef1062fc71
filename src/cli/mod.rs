//! The command line and the composition root: arguments, configuration, which store and gateway, exit codes.
//!
//! Belongs here: choosing and connecting parts, printing for people. Must not be here: rules about bills or DOKU.

mod adopt;
mod args;
mod attention;
mod bank;
mod books;
mod check;
mod config_show;
mod demo;
mod demo_settlement;
mod discrepancies;
mod discrepancies_args;
mod discrepancies_show;
mod doctor;
mod entries;
mod error_json;
mod explain;
mod guess;
mod heads;
mod init;
mod install;
mod keeping;
mod keys;
mod ledger_args;
mod logs;
mod orders;
mod output;
mod period;
mod period_args;
mod person;
mod places;
mod planning;
mod reconcile;
mod refused;
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
mod sync;
mod tables;
mod watching;
mod why;
mod why_books;
mod why_json;
mod why_next;
mod why_story;
mod why_words;

use clap::Parser as _;
use tracing_subscriber::EnvFilter;

use self::args::{Cli, Command, ConfigCommand};
use self::setup::{Failure, Setup};
use self::watching::Watching;
use crate::exit::Exit;

/// Parses the arguments, runs the command and gives the exit code.
#[must_use]
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; everything else is a usage error.
            if !error.use_stderr() {
                drop(error.print());
                return Exit::Done;
            }
            // As text: the arguments in it are anybody's, and colours would be their letters too.
            let text = error.render().to_string();
            if std::env::args_os().any(|argument| argument == "--json") {
                return failed(true, Exit::Usage, text.trim().trim_start_matches("error: "));
            }
            output::note(text.trim_end());
            return Exit::Usage;
        }
    };
    log_to_stderr();
    if cli.global.quiet {
        output::hold();
    }
    let exit = run(&cli);
    output::release(exit);
    exit
}

/// Says what is wrong, if anything is, and gives the exit code.
fn ended(json: bool, outcome: Result<Exit, Failure>) -> Exit {
    match outcome {
        Ok(_) if output::has_failed() => failed(
            json,
            Exit::Disk,
            "the result could not be written to standard output\nhint: check where it goes and free space there; what was done is done",
        ),
        Ok(exit) => exit,
        Err(failure) => failed(json, failure.exit, &failure.message),
    }
}

/// Says why it failed.
fn failed(json: bool, exit: Exit, message: &str) -> Exit {
    if json {
        output::note(error_json::line(exit, message));
    } else {
        output::error(message);
    }
    exit
}

/// Warnings and worse, unless `TAGIH_LOG` says otherwise (`info`, `tagih=debug`).
fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("TAGIH_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let ansi = std::env::var_os("NO_COLOR").is_none() && std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi).init();
}

fn run(cli: &Cli) -> Exit {
    let json = cli.global.json;
    let watching = match Watching::begin(&cli.global, &cli.command) {
        Ok(watching) => watching,
        Err(failure) => return ended(json, Err(failure)),
    };
    if let Some(outcome) = without_settings(cli) {
        return ended(json, outcome);
    }
    match Setup::load(&cli.global, &[]) {
        Err(failure) => watching.end(None, ended(json, Err(failure))),
        Ok(setup) => {
            watching.start(&setup);
            let exit = ended(json, with(&setup, &cli.command).map_err(|failure| failure.read_from(setup.file.as_deref())));
            watching.end(Some(&setup), exit)
        }
    }
}

/// These need no configuration, so a broken one does not stop them.
fn without_settings(cli: &Cli) -> Option<Result<Exit, Failure>> {
    Some(match &cli.command {
        Command::Demo { out } => demo::demo(&cli.global, out.as_deref()),
        Command::Explain { code, lang } => explain::explain(code.as_deref(), *lang, cli.global.json),
        Command::Init { file, from: Some(source), .. } => guess::init(file, source),
        Command::Init { file, sandbox, from: None } => init::init(file, *sandbox),
        Command::Doctor(arguments) => doctor::doctor(&cli.global, arguments),
        Command::Completions { shell } => shell::completions(*shell),
        Command::Man { folder } => shell::man(folder),
        _ => return None,
    })
}

fn with(setup: &Setup, command: &Command) -> Result<Exit, Failure> {
    match command {
        Command::Check { files, cycle, tables, out } => {
            if out.is_some() {
                setup.keep_standard_input(files)?;
            }
            check::check(setup, files, &setup.intake(cycle.cycle.as_ref(), tables)?, out.as_deref())
        }
        Command::Issue(arguments) => sending::issue(setup, arguments),
        Command::Cancel(arguments) => sending::cancel(setup, arguments),
        Command::Sync { invoices, sending } => sync::sync(setup, invoices, sending),
        Command::Resolve { invoice, verdict, payment_code, reason } => {
            keeping::resolve(setup, invoice, *verdict, payment_code.as_deref(), reason)
        }
        Command::Why(arguments) => why::why(setup, arguments),
        Command::Status => keeping::status(setup),
        Command::Ledger(command) => keeping::ledger(setup, command),
        Command::Install(arguments) => install::install(setup, arguments),
        Command::Config(ConfigCommand::Show { origin }) => config_show::show(setup, *origin),
        Command::Serve(arguments) => serve::serve(setup, arguments),
        Command::Sandbox(arguments) => sandbox::sandbox(setup, arguments),
        Command::Ingest { logs, layout, allow_no_logs } => logs::ingest(setup, logs, layout.as_ref(), *allow_no_logs),
        Command::Reconcile(arguments) => reconcile::reconcile(setup, arguments),
        Command::Period(command) => period::period(setup, command),
        Command::Discrepancies(command) => discrepancies::discrepancies(setup, command),
        Command::Demo { .. }
        | Command::Explain { .. }
        | Command::Init { .. }
        | Command::Doctor(_)
        | Command::Completions { .. }
        | Command::Man { .. } => Ok(Exit::Done),
    }
}
