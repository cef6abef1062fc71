//! README.md and docs/ are run: the commands of every page, one after the other in one shell, on the real program in a scratch world.
//!
//! How a page is written:
//! - A fence called `console` holds commands after `$ ` (going on after `> `) and below each what it prints: `...` stands for any lines, `…` for
//!   any text within one. Instants, digests and durations may differ. A command of which nothing is shown may print anything; it must end
//!   with 0, unless `$ echo $?` after it says with what.
//! - A fence called `sh` is a script that ends with 0 and says nothing.
//! - A comment above a fence says what a reader need not see: `<!-- first: COMMANDS -->` is run before it, `<!-- file: NAME -->` makes a file of
//!   it, `<!-- varies: 20 7 -->` lists numbers that are others each time, `<!-- ends with: 1 -->` a code besides 0, `<!-- not run: WHY -->`
//!   leaves it out.
//!
//! What is under `/etc`, `/srv`, `/var` and `/backup` is looked for in the scratch world, and the sandbox and the server have free ports there.

mod named;
mod page;
mod shell;
mod told;

use std::time::{Duration, Instant};

use page::{Block, Kind, Page, Step};
use shell::Shell;

/// How long a command in the background may take until it has said what its page prints.
const START_MAX: Duration = Duration::from_secs(20);
/// A reason has more letters than this.
const REASON_MIN: usize = 20;

macro_rules! pages {
    ($($name:ident: $path:literal),* $(,)?) => {
        /// The pages with commands.
        const RUN: &[&str] = &[$($path),*];

        mod every_command_does_what_its_page_prints {
            $(#[test] fn $name() { super::run(&super::Page::read($path)); })*
        }
    };
}

pages! {
    readme: "README.md",
    audit_kit: "docs/audit-kit.md",
    discrepancies: "docs/discrepancies.md",
    flows: "docs/flows.md",
    formats_bank: "docs/formats-bank.md",
    formats_evidence: "docs/formats-evidence.md",
    formats_settlement: "docs/formats-settlement.md",
    install: "docs/install.md",
    month_end: "docs/month-end.md",
    operating: "docs/operating.md",
    sandbox: "docs/sandbox.md",
    security: "docs/security.md",
    serving: "docs/serving.md",
    several_hosts: "docs/several-hosts.md",
    tour: "docs/tour.md",
    why: "docs/why.md",
}

/// Does all a page says, in its order.
#[track_caller]
fn run(page: &Page) {
    let mut shell = Shell::open();
    for block in page.blocks.iter().filter(|block| block.not_run.is_none()) {
        for command in &block.first {
            let (status, said) = shell.run(command);
            assert!(status == 0, "{}:{}: what comes first ends with {status}: {command}\n{said}", page.path, block.line);
        }
        if let Some(name) = &block.file {
            shell.write(name, &block.text());
        }
        let steps = block.steps();
        for (at, step) in steps.iter().enumerate() {
            let is_told = steps.get(at + 1).is_some_and(|next| next.command == "echo $?");
            does(page, &mut shell, block, step, is_told);
        }
    }
}

#[track_caller]
fn does(page: &Page, shell: &mut Shell, block: &Block, step: &Step, is_code_told: bool) {
    let varies = &block.varies;
    let place = format!("{}:{}: {}", page.path, step.line, step.command);
    let (status, mut said) = shell.run(&step.command);
    if step.is_in_background() {
        assert!(!step.printed.is_empty(), "{place}\nsays nothing by which one could tell that it has begun");
        let began = Instant::now();
        while !told::is_told(&step.printed, &said, varies) && began.elapsed() < START_MAX {
            std::thread::sleep(Duration::from_millis(20));
            said = shell.said();
        }
    }
    assert!(block.codes.contains(&status) || is_code_told, "{place}\nends with {status}, and the page does not say so\n{said}");
    let is_right = told::is_told(&step.printed, &said, varies) || (step.printed.is_empty() && !step.is_silent);
    assert!(is_right, "{place}\nThe page prints\n{}\nand it says\n{said}", step.printed.join("\n"));
}

#[test]
fn every_page_with_commands_is_run() {
    let has_commands = |page: &Page| page.blocks.iter().any(|block| matches!(block.kind, Kind::Console | Kind::Script));
    let with: Vec<String> = page::all().into_iter().filter(has_commands).map(|page| page.path).collect();
    assert_eq!(with, RUN, "tests/it/docs/mod.rs lists the pages that are run");
}

#[test]
fn a_block_that_is_not_run_says_why() {
    let mut without = Vec::new();
    for page in page::all() {
        for block in &page.blocks {
            if let Some(why) = &block.not_run {
                eprintln!("{}:{}: not run: {why}", page.path, block.line);
                if why.len() < REASON_MIN {
                    without.push(format!("{}:{}", page.path, block.line));
                }
            }
        }
    }
    assert!(without.is_empty(), "no reason beside {without:?}");
}

#[test]
fn no_command_stands_outside_the_fences_that_are_run() {
    let loose: Vec<String> = page::all().iter().flat_map(Page::loose).collect();
    assert!(loose.is_empty(), "commands belong into a fence called `console`:\n{}", loose.join("\n"));
}
