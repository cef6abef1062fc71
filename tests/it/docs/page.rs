//! A page of Markdown as far as it is run: its fences, and what the comments above them say.

use std::fs;
use std::path::Path;

/// A page.
pub struct Page {
    /// Below the repository, such as `docs/why.md`.
    pub path: String,
    lines: Vec<String>,
    pub blocks: Vec<Block>,
}

/// What a fence is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    Console,
    Script,
    /// A drawing.
    Text,
    Other,
}

/// A fence.
pub struct Block {
    /// Of its first line within, from 1.
    pub line: usize,
    pub kind: Kind,
    lines: Vec<String>,
    pub first: Vec<String>,
    pub file: Option<String>,
    pub varies: Vec<String>,
    /// Codes that its commands may end with.
    pub codes: Vec<i32>,
    pub not_run: Option<String>,
}

/// A command and what the page prints below it.
pub struct Step {
    pub line: usize,
    pub command: String,
    pub printed: Vec<String>,
    /// Nothing printed means that nothing is said.
    pub is_silent: bool,
}

impl Step {
    pub fn is_in_background(&self) -> bool {
        self.command.split("  #").next().unwrap().trim_end().ends_with('&')
    }
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// Every page, README.md first.
pub fn all() -> Vec<Page> {
    let entries = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> =
        entries.filter(|name| Path::new(name).extension().is_some_and(|kind| kind == "md")).map(|name| format!("docs/{name}")).collect();
    names.sort();
    names.insert(0, "README.md".into());
    names.iter().map(|name| Page::read(name)).collect()
}

impl Page {
    pub fn read(path: &str) -> Self {
        let text = fs::read_to_string(root().join(path)).unwrap();
        let lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let blocks = blocks(path, &lines);
        Self { path: path.to_owned(), lines, blocks }
    }

    /// Lines outside fences.
    pub fn prose(&self) -> impl Iterator<Item = (usize, &str)> {
        let is_within = |number: usize| self.blocks.iter().any(|block| (block.line..block.line + block.lines.len()).contains(&number));
        self.lines.iter().enumerate().map(|(at, line)| (at + 1, line.as_str())).filter(move |(number, _)| !is_within(*number))
    }

    /// What looks like a command where none is run.
    pub fn loose(&self) -> Vec<String> {
        let is_command = |line: &str| ["$ ", "tagih ", "curl ", "make ", "export "].iter().any(|word| line.trim_start().starts_with(word));
        let others = self.blocks.iter().filter(|block| block.kind == Kind::Other && block.file.is_none());
        let fenced = others.flat_map(|block| block.lines.iter().enumerate().map(|(at, line)| (block.line + at, line.as_str())));
        let indented = self.prose().filter(|(_, line)| line.starts_with("    "));
        let found = fenced.chain(indented).filter(|(_, line)| is_command(line));
        found.map(|(number, line)| format!("{}:{number}: {}", self.path, line.trim())).collect()
    }
}

fn blocks(path: &str, lines: &[String]) -> Vec<Block> {
    let (mut blocks, mut comments, mut at) = (Vec::new(), Vec::new(), 0);
    while at < lines.len() {
        let line = lines[at].trim();
        if let Some(opened) = line.strip_prefix("<!--") {
            let mut comment = opened.to_owned();
            while !comment.contains("-->") {
                at += 1;
                comment = format!("{comment}\n{}", lines[at].trim());
            }
            comments.push(comment.split("-->").next().unwrap().trim().to_owned());
        } else if let Some(name) = line.strip_prefix("```") {
            let end =
                (at + 1..lines.len()).find(|&end| lines[end].trim() == "```").unwrap_or_else(|| panic!("{path}:{}: never ends", at + 1));
            let indent = lines[at].len() - lines[at].trim_start().len();
            let within = lines[at + 1..end].iter().map(|line| line.get(indent..).unwrap_or_default().to_owned()).collect();
            blocks.push(Block::new(path, at + 2, name, within, &std::mem::take(&mut comments)));
            at = end;
        } else if !line.is_empty() {
            comments.clear();
        }
        at += 1;
    }
    blocks
}

impl Block {
    fn new(path: &str, line: usize, name: &str, lines: Vec<String>, comments: &[String]) -> Self {
        let kind = match name {
            "console" => Kind::Console,
            "text" => Kind::Text,
            "sh" | "bash" | "shell" => Kind::Script,
            _ => Kind::Other,
        };
        let mut block = Self { line, kind, lines, first: Vec::new(), file: None, varies: Vec::new(), codes: vec![0], not_run: None };
        for comment in comments {
            let (word, text) = comment.split_once(':').unwrap_or((comment, ""));
            let text = text.trim();
            match word {
                "first" => block.first.push(text.to_owned()),
                "file" => block.file = Some(text.to_owned()),
                "varies" => block.varies.extend(text.split_whitespace().map(str::to_owned)),
                "ends with" => block.codes.push(text.parse().unwrap()),
                "not run" => block.not_run = Some(text.to_owned()),
                _ => panic!("{path}:{line}: no such word in a comment above a fence: {comment}"),
            }
        }
        block
    }

    pub fn text(&self) -> String {
        self.lines.join("\n") + "\n"
    }

    pub fn steps(&self) -> Vec<Step> {
        match self.kind {
            Kind::Console => self.commands(),
            Kind::Script => vec![Step { line: self.line, command: format!("( {} )", self.text()), printed: Vec::new(), is_silent: true }],
            Kind::Text | Kind::Other => Vec::new(),
        }
    }

    fn commands(&self) -> Vec<Step> {
        let mut steps: Vec<Step> = Vec::new();
        for (at, line) in self.lines.iter().enumerate() {
            if let Some(command) = line.strip_prefix("$ ") {
                steps.push(Step { line: self.line + at, command: command.to_owned(), printed: Vec::new(), is_silent: false });
                continue;
            }
            let step = steps.last_mut().unwrap_or_else(|| panic!("line {}: a console begins with `$ `", self.line + at));
            match line.strip_prefix("> ").filter(|_| step.printed.is_empty()) {
                Some(more) => step.command = format!("{}\n{more}", step.command),
                None => step.printed.push(line.clone()),
            }
        }
        for step in &mut steps {
            while step.printed.last().is_some_and(|line| line.trim().is_empty()) {
                step.printed.pop();
            }
        }
        steps
    }
}
