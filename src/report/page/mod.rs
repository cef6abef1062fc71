//! report.html: a document as one file without scripts and without network, for screens of any width and for paper.
//!
//! The page's only style sheet is named by its digest in the content security policy, so nothing else can ever take effect.

mod chart;
mod view;

use std::io::{self, Write as _};

use askama::Template;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use super::atomic::FileWriter;
use super::document::Document;
use super::text;
use super::words::Words;
use crate::domain::digest;

/// Rows a table shows on the page when a file holds all of them. Ten times as many still open at once; nobody reads them.
pub(super) const ROWS_MAX: usize = 300;

const STYLE: &str = include_str!("../templates/report.css");

#[derive(Template)]
#[template(path = "report/templates/report.html")]
struct Page<'a, 'b> {
    words: &'static Words,
    document: &'a Document<'b>,
    flow: Vec<view::FlowRow>,
    comparison: view::View,
    facts: Vec<(String, String)>,
    sections: Vec<view::Section>,
    style: String,
    style_digest: String,
    /// Which sections are not printed, in words.
    screen_only: Option<String>,
}

/// What stands at the foot of every printed page: whose report it is, and which page of how many.
fn margins(footer: &str) -> String {
    let text: String = footer.chars().filter(|c| !c.is_control() && !matches!(c, '"' | '\\' | '<' | '>')).collect();
    let style = "font:8px sans-serif;color:#444";
    format!("@page{{@bottom-left{{content:\"{text}\";{style}}}@bottom-right{{content:counter(page) \" / \" counter(pages);{style}}}}}\n")
}

/// Writes the page; of a table that a file holds whole, at most `rows_max` rows.
pub(super) fn write(document: &Document<'_>, rows_max: usize, writer: &mut FileWriter) -> io::Result<()> {
    let words = Words::of(document.language);
    let sections: Vec<view::Section> = document
        .sections
        .iter()
        .filter(|section| section.audience.has_page())
        .map(|section| view::section(section, words, rows_max))
        .collect();
    let rules: String = sections.iter().map(|section| section.rules.as_str()).collect();
    let style = format!("{STYLE}{rules}{}", margins(&document.footer));
    let style_digest = STANDARD.encode(digest::of_bytes(style.as_bytes()));
    let flow = view::flow(&document.cover.flow, words);
    let comparison = view::view("compared", &document.cover.comparison, words, usize::MAX);
    let left_out: Vec<&str> = sections.iter().filter(|section| !section.is_printed).map(|section| section.title.as_str()).collect();
    let screen_only = (!left_out.is_empty()).then(|| text::fill(words.screen_only(), &[&left_out.join(", ")]));
    let page =
        Page { words, document, flow, comparison, facts: view::facts(&document.cover.facts), sections, style, style_digest, screen_only };
    writer.write_all(page.render().map_err(|error| io::Error::other(error.to_string()))?.as_bytes())
}

#[cfg(test)]
mod tests;
