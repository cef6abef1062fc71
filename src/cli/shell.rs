//! `tagih completions SHELL` and `tagih man`: what a package puts beside the program.

use std::fmt::Write as _;
use std::io::Write as _;
use std::path::Path;

use clap::{Command, CommandFactory as _};
use clap_complete::Shell;
use clap_mangen::Man;

use super::command_line::Cli;
use super::failure::Failure;
use super::help::EXAMPLES;
use super::output;
use crate::exit::{Exit, codes};
use crate::report::atomic;

/// What of the environment is looked at.
const ENVIRONMENT: [(&str, &str); 9] = [
    ("TAGIH_CONFIG", "the configuration file, where --config names none; else ./tagih.toml"),
    ("TAGIH_SECTION_KEY", "any setting, such as TAGIH_DOKU_BASE_URL for `doku.base_url`; it goes before the file"),
    ("TAGIH_DOKU_SECRET", "DOKU's secret key; else doku.secret_file, doku.secret_command, or the credential doku_secret"),
    ("TAGIH_LEDGER_PASSWORD", "the password of ledger.url's user; else ledger.password_file or the credential ledger_password"),
    ("TAGIH_LEDGER_SEAL_KEY", "what the ledger is sealed with; else ledger.seal_key_file or the credential ledger_seal_key"),
    ("TAGIH_LOG", "which lines the log has, such as info or tagih=debug"),
    ("CREDENTIALS_DIRECTORY", "where systemd has put credentials"),
    ("NO_COLOR, TERM", "no colours where NO_COLOR is set; no colours and plain progress where TERM is dumb"),
    ("TMPDIR", "where rows wait that are more than memory should hold; else /var/tmp"),
];

/// Prints the completions of `shell`.
pub(super) fn completions(shell: Shell) -> Result<Exit, Failure> {
    // Written whole into memory first: the generator panics when its pipe closes.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tagih", &mut script);
    output::stream(|out| Ok(out.write_all(&script)?))?;
    Ok(Exit::Done)
}

/// Writes one manual page a command into `folder`.
pub(super) fn man(folder: &Path) -> Result<Exit, Failure> {
    crate::report::atomic::make_folder(folder)?;
    let mut definition = Cli::command();
    definition.build();
    pages(&definition, "", folder)?;
    output::done(format_args!("manual pages in {}; try `man {}`", folder.display(), folder.join("tagih.1").display()));
    Ok(Exit::Done)
}

/// The page of a command, and those of the commands below it.
fn pages(command: &Command, path: &str, folder: &Path) -> Result<(), Failure> {
    // Below the program clap adds a command of help to each group; `tagih help` is ours.
    for below in command.get_subcommands().filter(|below| path.is_empty() || below.get_name() != "help") {
        pages(below, format!("{path} {}", below.get_name()).trim(), folder)?;
    }
    let man = Man::new(command.clone());
    let mut page = Vec::new();
    man.render(&mut page)?;
    page.extend_from_slice(more(path).as_bytes());
    Ok(atomic::write(&folder.join(man.get_filename()), |draft| draft.write_all(&page))?)
}

/// What the arguments do not say: exit codes, environment, examples.
fn more(path: &str) -> String {
    let mut page = String::from(".SH \"EXIT STATUS\"\n");
    for code in codes::ALL {
        writeln!(page, ".TP\n\\fB{}\\fR\n{}. {}", code.id, roff(code.title), roff(code.meaning)).unwrap_or_default();
    }
    page.push_str(".SH ENVIRONMENT\n");
    for (name, says) in ENVIRONMENT {
        writeln!(page, ".TP\n\\fB{}\\fR\n{}", roff(name), roff(says)).unwrap_or_default();
    }
    let mut examples = EXAMPLES.iter().filter(|(command, ..)| *command == path).peekable();
    if examples.peek().is_some() {
        page.push_str(".SH EXAMPLES\n");
    }
    for (_, does, line) in examples {
        writeln!(page, ".PP\n{}:\n.PP\n.RS 4\n.nf\n{}\n.fi\n.RE", roff(does), roff(line)).unwrap_or_default();
    }
    page
}

/// Text as roff takes it: a line of it is no request.
fn roff(text: &str) -> String {
    let text = text.replace('\\', "\\\\").replace('-', "\\-").replace('\'', "\\(aq").replace('`', "\\(ga");
    if text.starts_with('.') { format!("\\&{text}") } else { text }
}
