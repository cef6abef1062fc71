//! The command line and the composition root: arguments, configuration, which store and gateway, exit codes.
//!
//! Belongs here: choosing and connecting parts, printing for people. Must not be here: rules about bills or DOKU.

mod adopt;
mod args;
mod attention;
mod bank;
mod books;
mod check;
mod demo;
mod demo_settlement;
mod discrepancies;
mod discrepancies_args;
mod discrepancies_show;
mod entries;
mod explain;
mod guess;
mod init;
mod keeping;
mod keys;
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
use crate::exit::Exit;

/// Parses the arguments, runs the command and gives the exit code.
#[must_use]
pub fn main() -> Exit {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are results; everything else is a usage error.
            if error.use_stderr() {
                // As text: the arguments in it are anybody's, and colours would be their letters too.
                output::note(error.render().to_string().trim_end());
                return Exit::Usage;
            }
            drop(error.print());
            return Exit::Done;
        }
    };
    log_to_stderr();
    match run(&cli) {
        Ok(_) if output::has_failed() => {
            output::error(
                "the result could not be written to standard output\nhint: check where it goes and free space there; what was done is done",
            );
            Exit::Disk
        }
        Ok(exit) => exit,
        Err(failure) => {
            output::error(&failure.message);
            failure.exit
        }
    }
}

/// Warnings and worse, unless `TAGIH_LOG` says otherwise (`info`, `tagih=debug`).
fn log_to_stderr() {
    let filter = EnvFilter::try_from_env("TAGIH_LOG").unwrap_or_else(|_| EnvFilter::new("warn"));
    let ansi = std::env::var_os("NO_COLOR").is_none() && std::io::IsTerminal::is_terminal(&std::io::stderr());
    tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).with_ansi(ansi).init();
}

fn run(cli: &Cli) -> Result<Exit, Failure> {
    // These need no configuration, so a broken one does not stop them.
    match &cli.command {
        Command::Demo { out } => return demo::demo(&cli.global, out.as_deref()),
        Command::Explain { code, lang } => return explain::explain(code.as_deref(), *lang, cli.global.json),
        Command::Init { file, from: Some(source), .. } => return guess::init(file, source),
        Command::Init { file, sandbox, from: None } => return init::init(file, *sandbox),
        Command::Completions { shell } => return shell::completions(*shell),
        Command::Man { folder } => return shell::man(folder),
        _ => {}
    }
    let setup = Setup::load(&cli.global, &[])?;
    with(&setup, &cli.command).map_err(|failure| failure.read_from(setup.file.as_deref()))
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
        Command::Config(ConfigCommand::Show) => show(setup),
        Command::Serve(arguments) => serve::serve(setup, arguments),
        Command::Sandbox(arguments) => sandbox::sandbox(setup, arguments),
        Command::Ingest { logs, layout, allow_no_logs } => logs::ingest(setup, logs, layout.as_ref(), *allow_no_logs),
        Command::Reconcile(arguments) => reconcile::reconcile(setup, arguments),
        Command::Period(command) => period::period(setup, command),
        Command::Discrepancies(command) => discrepancies::discrepancies(setup, command),
        Command::Demo { .. } | Command::Explain { .. } | Command::Init { .. } | Command::Completions { .. } | Command::Man { .. } => {
            Ok(Exit::Done)
        }
    }
}

fn show(setup: &Setup) -> Result<Exit, Failure> {
    let text = toml::to_string(&setup.config).map_err(Failure::usage)?;
    output::result(text.trim_end());
    if let Some(unused) = sender::unused_proxies(setup).filter(|_| !setup.quiet) {
        output::note(unused);
    }
    Ok(Exit::Done)
}
