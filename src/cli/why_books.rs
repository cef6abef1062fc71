//! What the books of a report know, in words and for programs.

use serde_json::{Value, json};

use super::output::rupiah;
use super::why_story::{Speaker, clock};
use super::why_words::fill;
use crate::books::account::Side;
use crate::books::fact::{BillChange, PaymentHold};
use crate::books::{Account, Action};
use crate::domain::amount::Rupiah;
use crate::domain::calendar::format_utc_seconds;
use crate::domain::classify::Class;
use crate::domain::language::Language;
use crate::jobs::why::books::BooksHappening;
use crate::jobs::why::report::{BillStands, Listed, ReportSays};
use crate::report;

/// An amount as its account is normally counted.
fn on_its_side(account: Account, amount: Rupiah) -> Rupiah {
    if account.info().side == Side::Credit { Rupiah::ZERO.minus(amount) } else { amount }
}

/// The title, and a line for each thing: its time, if it has one, and what it is.
pub(super) fn told(says: &ReportSays, speaker: &Speaker) -> (String, Vec<(String, String)>) {
    let language = speaker.language;
    let say = |[english, indonesian]: [&str; 2], values: &[&str]| {
        let pattern = if language == Language::Indonesian { indonesian } else { english };
        fill(pattern, values)
    };
    let title = say(["In the books of {0} to {1}", "Menurut pembukuan {0} sampai {1}"], &[&says.from.to_string(), &says.to.to_string()]);
    let plain = |text: String| (String::new(), text);
    let folder = says.folder.display().to_string();
    let by = if says.is_signed {
        ["by the report in {0}, as it was signed", "menurut laporan di {0} yang sudah ditutup"]
    } else {
        ["by the report in {0}", "menurut laporan di {0}"]
    };
    let mut lines = vec![plain(say(by, &[&folder]))];
    lines.extend(says.told.iter().map(|(at, entry)| (clock(*at), said(entry, language))));
    if says.open.is_empty() {
        lines.push(plain(say(["nothing is open", "tidak ada yang terbuka"], &[])));
    }
    for (account, amount) in &says.open {
        let name = report::account_name(*account, language);
        let amount = rupiah(on_its_side(*account, *amount).get());
        lines.push(plain(say(["open: {0} {1}", "terbuka: {0} {1}"], &[name, &amount])));
    }
    for BillStands { invoice_number, class, nature } in &says.bills {
        let title = speaker.text(*class).title;
        lines.push(plain(say(["{0} is {1} {2} ({3})", "{0}: {1} {2} ({3})"], &[invoice_number, class.id(), title, nature.name()])));
    }
    for Listed { facts, status, .. } in &says.list {
        let title = Class::parse(&facts.class).map_or("", |class| speaker.text(class).title);
        let status = speaker.words.standing(*status);
        lines.push(plain(say(["in its list: {0} {1}, {2}", "dalam daftarnya: {0} {1}, {2}"], &[&facts.class, title, status])));
    }
    (title, lines)
}

fn said(entry: &BooksHappening, language: Language) -> String {
    let say = |[english, indonesian]: [&str; 2], values: &[&str]| {
        fill(if language == Language::Indonesian { indonesian } else { english }, values)
    };
    match entry {
        BooksHappening::Bill(invoice, BillChange::Created(amount)) => {
            say(["billed as {0}: {1}", "ditagihkan sebagai {0}: {1}"], &[invoice, &rupiah(amount.get().into())])
        }
        BooksHappening::Bill(invoice, BillChange::Amended(amount)) => {
            say(["{0} asks for {1} from then on", "{0} sejak itu menagih {1}"], &[invoice, &rupiah(amount.get().into())])
        }
        BooksHappening::Bill(invoice, BillChange::Cancelled) => say(["{0} cancelled", "{0} dibatalkan"], &[invoice]),
        BooksHappening::Bill(invoice, BillChange::Reinstated(amount)) => {
            say(["{0} asks for {1} again", "{0} kembali menagih {1}"], &[invoice, &rupiah(amount.get().into())])
        }
        BooksHappening::Paid { amount, channel, hold, is_orphan } => {
            let why = match hold {
                _ if *is_orphan => ["; nobody's bill is known for it", "; tagihannya tidak dikenal"],
                Some(PaymentHold::AfterExpiry) => ["; it came after the code had expired", "; datang setelah kode kedaluwarsa"],
                Some(PaymentHold::AfterCancellation) => ["; it came after the code was cancelled", "; datang setelah kode dibatalkan"],
                None => ["", ""],
            };
            let [english, indonesian] = why;
            let paid = say(["paid {0} at {1}", "dibayar {0} di {1}"], &[&rupiah(amount.get()), channel.name()]);
            format!("{paid}{}", say([english, indonesian], &[]))
        }
        BooksHappening::PaidOut(amount) => say(["paid out by DOKU: {0}", "dicairkan DOKU: {0}"], &[&rupiah(amount.get())]),
        BooksHappening::Decided { action: Action::Reopen, moved, applied, refused, .. } => {
            taken_back(*moved, *applied, refused.is_some(), language)
        }
        BooksHappening::Decided { action, moved, refused, is_taken_back, .. } => {
            decided(*action, *moved, refused.is_some(), *is_taken_back, language)
        }
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

/// A decision was taken back; money that was held for the bill goes to what is owed again by that.
fn taken_back(moved: Rupiah, applied: Rupiah, is_refused: bool, language: Language) -> String {
    let (english, indonesian) = match (is_refused, applied > Rupiah::ZERO) {
        (true, _) => ("a decision was to be taken back; it moved nothing", "sebuah keputusan hendak dicabut; tidak memindahkan apa pun"),
        (false, false) => ("a decision was taken back: {0}", "sebuah keputusan dicabut: {0}"),
        (false, true) => (
            "a decision was taken back: {0}; by that {1} of the money that was held for it went to the bill",
            "sebuah keputusan dicabut: {0}; karenanya {1} dari uang yang ditahan dibukukan ke tagihannya",
        ),
    };
    fill(if language == Language::Indonesian { indonesian } else { english }, &[&rupiah(moved.get()), &rupiah(applied.get())])
}

/// The same for programs.
pub(super) fn json(says: &ReportSays, speaker: &Speaker) -> Value {
    let number = |amount: Rupiah| i64::try_from(amount.get()).ok();
    let story = says.told.iter().map(|(at, entry)| json!({"at": format_utc_seconds(*at), "what": said(entry, speaker.language)}));
    let open =
        says.open.iter().map(|(account, amount)| json!({"account": account.name(), "amount": number(on_its_side(*account, *amount))}));
    let bills = says
        .bills
        .iter()
        .map(|bill| json!({"invoice_number": bill.invoice_number, "class": bill.class.id(), "nature": bill.nature.name()}));
    let row = |row: &Listed| {
        let facts = &row.facts;
        json!({
            "discrepancy_id": facts.id,
            "class": facts.class,
            "invoice_number": facts.invoice_number,
            "nature": facts.nature,
            "amount": facts.open(),
            "status": row.status.name(),
            "decided_since": row.is_decided_since,
        })
    };
    json!({
        "from": says.from,
        "to": says.to,
        "as_of": format_utc_seconds(says.as_of),
        "report": says.folder.display().to_string(),
        "signed": says.is_signed,
        "invoice_numbers": says.invoice_numbers,
        "payment_codes": says.payment_codes,
        "story": story.collect::<Vec<_>>(),
        "open": open.collect::<Vec<_>>(),
        "owed": number(says.owed),
        "bills": bills.collect::<Vec<_>>(),
        "discrepancies": says.list.iter().map(row).collect::<Vec<_>>(),
        "not_due": says.waiting.iter().map(row).collect::<Vec<_>>(),
    })
}
