//! What pages name within a sentence: each command and flag is one the program has.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::sync::LazyLock;

use regex::Regex;

use super::page;

/// Flags of other programs that pages name.
const OF_OTHERS: &[&str] = &["--output"];

/// The help of every command by its words, such as `ledger verify`.
static HELP: LazyLock<BTreeMap<String, String>> = LazyLock::new(|| {
    let mut help = BTreeMap::new();
    let mut waiting = vec![String::new()];
    while let Some(command) = waiting.pop() {
        let said = Command::new(env!("CARGO_BIN_EXE_tagih")).args(command.split_whitespace()).arg("--help").output().unwrap();
        let said = String::from_utf8(said.stdout).unwrap();
        if let Some((_, list)) = said.split_once("Commands:\n") {
            let names = list.lines().take_while(|line| !line.is_empty()).filter_map(|line| line.split_whitespace().next());
            waiting.extend(names.filter(|name| *name != "help").map(|name| format!("{command} {name}").trim().to_owned()));
        }
        help.insert(command, said);
    }
    help
});

/// What is between backticks in the text of a page, with its line.
fn spans(page: &page::Page) -> Vec<(usize, String)> {
    let span = Regex::new("`([^`]+)`").unwrap();
    // A span may go on in the next line.
    let lines: Vec<(usize, &str)> = page.prose().collect();
    let text = lines.iter().map(|(_, line)| *line).collect::<Vec<_>>().join("\n");
    let number = |at: usize| lines[text[..at].matches('\n').count()].0;
    span.captures_iter(&text)
        .map(|found| (number(found.get(0).unwrap().start()), found[1].replace('\n', " ").replace("\\|", "|")))
        .collect()
}

fn flags(text: &str) -> BTreeSet<String> {
    let flag = Regex::new(r"(?:^|[\s\[|(])(--[a-z][a-z-]*)").unwrap();
    flag.captures_iter(text).map(|found| found[1].to_owned()).collect()
}

/// The command that a span names, and the first word after it that is none of the program's where one was wanted.
fn command(words: &str) -> Result<String, String> {
    let mut command = String::new();
    for word in words.split_whitespace().skip(1) {
        let longer = |name: &str| format!("{command} {name}").trim().to_owned();
        let has_more = HELP[&command].contains("\nCommands:\n");
        if !has_more || word.starts_with('-') || word == "…" {
            break;
        }
        // `take|list` names several: the flags are the last one's.
        for name in word.split('|') {
            HELP.contains_key(&longer(name)).then_some(()).ok_or_else(|| longer(name))?;
        }
        command = longer(word.rsplit('|').next().unwrap());
    }
    Ok(command)
}

#[test]
fn every_command_and_flag_that_a_page_names_is_the_programs() {
    let all: BTreeSet<String> = HELP.values().flat_map(|help| flags(help)).collect();
    let mut unknown = Vec::new();
    for page in page::all() {
        for (line, span) in spans(&page) {
            let mut miss = |what: &str| unknown.push(format!("{}:{line}: `{span}`: {what}", page.path));
            if span.starts_with("tagih ") {
                match command(&span) {
                    Err(command) => miss(&format!("there is no `tagih {command}`")),
                    Ok(command) => {
                        let known = flags(&HELP[&command]);
                        flags(&span).difference(&known).for_each(|flag| miss(&format!("`tagih {command}` has no {flag}")));
                    }
                }
            } else if span.starts_with("--") {
                let known = |flag: &&String| !all.contains(*flag) && !OF_OTHERS.contains(&flag.as_str());
                flags(&span).iter().filter(known).for_each(|flag| miss(&format!("no command has {flag}")));
            }
        }
    }
    assert!(unknown.is_empty(), "{} unknown:\n{}", unknown.len(), unknown.join("\n"));
}
