//! What the books of a report know, in words and for programs.

use serde_json::{Value, json};

use super::output::rupiah;
use super::why_story::clock;
use super::why_words::fill;
use crate::books::account::Side;
use crate::books::fact::{Change, Hold};
use crate::books::{Account, Action};
use crate::domain::amount::Rupiah;
use crate::domain::calendar::format_utc_seconds;
use crate::domain::language::Language;
use crate::jobs::why::books::{Entry, InBooks};
use crate::report;

/// An amount as its account is normally counted.
fn on_its_side(account: Account, amount: Rupiah) -> Rupiah {
    if account.info().side == Side::Credit { Rupiah::ZERO.minus(amount) } else { amount }
}

/// The title, and a line for each thing: its time, if it has one, and what it is.
pub(super) fn told(books: &InBooks, language: Language) -> (String, Vec<(String, String)>) {
    let say = |[english, indonesian]: [&str; 2], values: &[&str]| {
        let pattern = if language == Language::Indonesian { indonesian } else { english };
        fill(pattern, values)
    };
    let title = say(["In the books of {0} to {1}", "Menurut pembukuan {0} sampai {1}"], &[&books.from.to_string(), &books.to.to_string()]);
    let mut lines: Vec<(String, String)> = books.told.iter().map(|(at, entry)| (clock(*at), said(entry, language))).collect();
    if books.open.is_empty() {
        lines.push((String::new(), say(["nothing is open", "tidak ada yang terbuka"], &[])));
    }
    for (account, amount) in &books.open {
        let name = report::account_name(*account, language);
        let amount = rupiah(on_its_side(*account, *amount).get());
        lines.push((String::new(), say(["open: {0} {1}", "terbuka: {0} {1}"], &[name, &amount])));
    }
    (title, lines)
}

fn said(entry: &Entry, language: Language) -> String {
    let say = |[english, indonesian]: [&str; 2], values: &[&str]| {
        fill(if language == Language::Indonesian { indonesian } else { english }, values)
    };
    match entry {
        Entry::Bill(invoice, Change::Created(amount)) => {
            say(["billed as {0}: {1}", "ditagihkan sebagai {0}: {1}"], &[invoice, &rupiah(amount.get().into())])
        }
        Entry::Bill(invoice, Change::Amended(amount)) => {
            say(["{0} asks for {1} from then on", "{0} sejak itu menagih {1}"], &[invoice, &rupiah(amount.get().into())])
        }
        Entry::Bill(invoice, Change::Cancelled) => say(["{0} cancelled", "{0} dibatalkan"], &[invoice]),
        Entry::Bill(invoice, Change::Reinstated(amount)) => {
            say(["{0} asks for {1} again", "{0} kembali menagih {1}"], &[invoice, &rupiah(amount.get().into())])
        }
        Entry::Paid { amount, channel, hold, is_orphan } => {
            let why = match hold {
                _ if *is_orphan => ["; nobody's bill is known for it", "; tagihannya tidak dikenal"],
                Some(Hold::AfterExpiry) => ["; it came after the code had expired", "; datang setelah kode kedaluwarsa"],
                Some(Hold::AfterCancellation) => ["; it came after the code was cancelled", "; datang setelah kode dibatalkan"],
                None => ["", ""],
            };
            let [english, indonesian] = why;
            let paid = say(["paid {0} at {1}", "dibayar {0} di {1}"], &[&rupiah(amount.get()), channel.name()]);
            format!("{paid}{}", say([english, indonesian], &[]))
        }
        Entry::PaidOut(amount) => say(["paid out by DOKU: {0}", "dicairkan DOKU: {0}"], &[&rupiah(amount.get())]),
        Entry::Decided { action, moved, refused, is_taken_back } => decided(*action, *moved, refused.is_some(), *is_taken_back, language),
    }
}

fn decided(action: Action, moved: Rupiah, is_refused: bool, is_taken_back: bool, language: Language) -> String {
    let name = report::action_name(action, language);
    let (english, indonesian) = match (is_refused, is_taken_back) {
        (true, _) => ("decided: {0}; it moved nothing", "diputuskan: {0}; tidak memindahkan apa pun"),
        (_, true) => ("decided: {0}, {1}; taken back since", "diputuskan: {0}, {1}; kemudian dicabut"),
        (false, false) => ("decided: {0}, {1}", "diputuskan: {0}, {1}"),
    };
    fill(if language == Language::Indonesian { indonesian } else { english }, &[name, &rupiah(moved.get())])
}

/// The same for programs.
pub(super) fn json(books: &InBooks, language: Language) -> Value {
    let (_, lines) = told(books, language);
    let story = books.told.iter().zip(lines).map(|((at, _), (_, what))| json!({"at": format_utc_seconds(*at), "what": what}));
    let open = books.open.iter().map(|(account, amount)| {
        let amount = i64::try_from(on_its_side(*account, *amount).get()).ok();
        json!({"account": account.name(), "amount": amount})
    });
    json!({
        "from": books.from,
        "to": books.to,
        "invoice_numbers": books.invoice_numbers,
        "payment_codes": books.payment_codes,
        "story": story.collect::<Vec<_>>(),
        "open": open.collect::<Vec<_>>(),
    })
}
