//! `tagih completions SHELL` and `tagih man`: what a package puts beside the program.

use std::io::{self, Write as _};
use std::path::Path;

use clap::CommandFactory as _;
use clap_complete::Shell;

use super::args::Cli;
use super::output;
use super::setup::Failure;
use crate::exit::Exit;

/// Prints the completions of `shell`.
pub(super) fn completions(shell: Shell) -> Result<Exit, Failure> {
    // Written whole into memory first: the generator panics when its pipe closes.
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "tagih", &mut script);
    io::stdout().write_all(&script)?;
    Ok(Exit::Done)
}

/// Writes one manual page a command into `folder`.
pub(super) fn man(folder: &Path) -> Result<Exit, Failure> {
    crate::report::atomic::make_folder(folder)?;
    clap_mangen::generate_to(Cli::command(), folder)?;
    output::done(format_args!("manual pages in {}; try `man {}`", folder.display(), folder.join("tagih.1").display()));
    Ok(Exit::Done)
}
