//! One row → one bill, or every reason why it is none.
//!
//! Belongs here: rules across the cells of a row; limits come from the channel's profile. Must not be here: lexical rules
//! (`cells`), rules across rows (`sort`).

use super::cells::{self, Wrong};
use super::codes;
use super::columns::{BillColumn, Columns};
use super::numbering::Numbering;
use super::policy;
use super::{InputPlace, Options, Purpose, RefusedRow};
use crate::domain::amount::Amount;
use crate::domain::bill::{Bill, Customer, Expiry, Terms, Wanted};
use crate::domain::channel::{Channel, ChannelProfile, IssuanceMethod};
use crate::domain::dimensions::{Dimensions, VALUE_LENGTH_MAX};
use crate::domain::ids::PaymentCode;
use crate::domain::personal::Personal;
use crate::table::{AmountFormat, Row, StoredAs, Wrong as RowWrong, nearest};

/// What no cell may be, whatever its column.
#[derive(Clone, Copy)]
pub(super) struct Rules<'a> {
    /// Bytes of one cell.
    pub(super) field_bytes_max: usize,
    /// Values that are let through although they look like none.
    pub(super) allowed: &'a [String],
}

/// A row's cells by column, and what was found wrong with them so far.
pub(super) struct Cells<'a> {
    row: &'a Row,
    columns: &'a Columns,
    place: &'a InputPlace,
    rules: Rules<'a>,
    /// Each with its cell's position, which orders them.
    refused: Vec<(usize, RefusedRow)>,
}

impl<'a> Cells<'a> {
    /// The cells of a row that has the header's shape. Bytes that no column takes are noted in any cell, used or not.
    pub(super) fn checked(row: &'a Row, columns: &'a Columns, place: &'a InputPlace, rules: Rules<'a>) -> Result<Self, Vec<RefusedRow>> {
        let mut cells = Self { row, columns, place, rules, refused: Vec::new() };
        if let Some(wrong) = row.wrong {
            let wrong = match wrong {
                RowWrong::Unclaimed => (codes::ROW_UNCLAIMED, wrong.to_string()),
                RowWrong::Width { found, wanted } => (codes::CELL_COUNT, format!("the row has {found} cells, the header has {wanted}")),
                _ => (codes::CELL_COUNT, wrong.to_string()),
            };
            return Err(vec![cells.refusal(String::new(), String::new(), wrong)]);
        }
        for index in 0..row.len() {
            let cell = row.text(index).unwrap_or_default();
            // Most cells are plain ASCII, and every cell of a file comes by here.
            if cell.len() <= rules.field_bytes_max && cell.bytes().all(|byte| (b' '..=b'~').contains(&byte)) {
                continue;
            }
            let is_used = columns.at(index).is_some() || columns.is_own(index);
            if let Some(wrong) = cells::unprintable(cell, is_used, rules.field_bytes_max) {
                cells.refuse_at(index, wrong);
            }
        }
        Ok(cells)
    }

    /// The cell without surrounding spaces; empty if the file has no such column.
    pub(super) fn get(&self, column: BillColumn) -> &'a str {
        let whole = self.whole(column);
        let is_bare = |byte: Option<&u8>| byte.is_none_or(u8::is_ascii_graphic);
        let bytes = whole.as_bytes();
        if is_bare(bytes.first()) && is_bare(bytes.last()) { whole } else { whole.trim_matches([' ', '\t', '\u{a0}']) }
    }

    fn whole(&self, column: BillColumn) -> &'a str {
        self.columns.index(column).and_then(|index| self.row.text(index)).unwrap_or_default()
    }

    /// How a cell was stored.
    fn kind(&self, column: BillColumn) -> StoredAs {
        self.columns.index(column).map_or(StoredAs::Text, |index| self.row.kind(index))
    }

    /// Reads the amount; a number of a workbook has no separators.
    pub(super) fn amount(&mut self, format: AmountFormat) -> Option<Amount> {
        let format = if self.kind(BillColumn::Amount) == StoredAs::Number { AmountFormat::Plain } else { format };
        self.required(BillColumn::Amount)?;
        self.parsed(BillColumn::Amount, |text| cells::amount(text, format))
    }

    /// The cell, or `None` if it is blank. Spaces around an identifying value are refused rather than removed.
    pub(super) fn given(&mut self, column: BillColumn) -> Option<&'a str> {
        let text = self.get(column);
        if text.is_empty() {
            return None;
        }
        let whole = self.whole(column);
        if column.identifies() && whole != text {
            self.refuse(column, (codes::SPACES_AROUND, "the value begins or ends with a space".into()));
        }
        if column.is_number() && text.starts_with('\'') {
            self.refuse(column, (codes::APOSTROPHE, "the value begins with an apostrophe".into()));
        }
        if cells::is_placeholder(column, text) && !self.rules.allowed.iter().any(|allowed| allowed == text) {
            let reason = format!("`{text}` is what a program writes where there is no value; `--allow-value '{text}'` lets it through");
            self.refuse(column, (codes::PLACEHOLDER, reason));
        }
        let is_number =
            matches!(column, BillColumn::InvoiceNumber | BillColumn::PolicyNumber | BillColumn::PaymentCode | BillColumn::Amount);
        if is_number && cells::is_spreadsheet_damage(text) {
            let reason = "a spreadsheet has rounded this number; its last digits are lost";
            self.refuse(column, (codes::SPREADSHEET_DAMAGE, reason.into()));
        }
        if self.kind(column) == StoredAs::Number && cells::is_damaged_by_storing(column, text) {
            let cell = self.columns.index(column).map_or_else(String::new, |index| cells::cell_name(index, self.place.row));
            let reason = format!(
                "cell {cell} of the workbook holds a number: zeros in front and digits after the 15th are lost; format the column as text and fill it again"
            );
            self.refuse(column, (codes::SPREADSHEET_DAMAGE, reason));
        }
        Some(text)
    }

    /// The cells under keys of the merchant's own that are not blank; each with its position.
    pub(super) fn free(&self) -> impl Iterator<Item = (&'a str, &'a str, usize)> + use<'a> {
        let (row, columns) = (self.row, self.columns);
        columns.free().iter().filter_map(move |(key, index)| {
            let text = row.text(*index)?.trim();
            (!text.is_empty()).then_some((key.as_str(), text, *index))
        })
    }

    /// What the bill is broken down by.
    pub(super) fn dimensions(&mut self) -> Dimensions {
        let (row, columns) = (self.row, self.columns);
        for (_, index) in columns.dimensions() {
            let length = row.text(*index).unwrap_or_default().trim().chars().count();
            if length > VALUE_LENGTH_MAX {
                let reason = format!("the value has {length} characters, at most {VALUE_LENGTH_MAX} are allowed of a dimension");
                self.refuse_at(*index, (codes::CELL_TOO_LARGE, reason));
            }
        }
        Dimensions::of(columns.dimensions().iter().map(|(name, index)| (name.as_str(), row.text(*index).unwrap_or_default().trim())))
    }

    /// The cell, which must not be blank.
    pub(super) fn required(&mut self, column: BillColumn) -> Option<&'a str> {
        let given = self.given(column);
        if given.is_none() {
            self.refuse(column, (codes::CELL_EMPTY, "the cell is empty".into()));
        }
        given
    }

    /// The cell as `parse` reads it; `None` if it is blank or refused.
    pub(super) fn parsed<T>(&mut self, column: BillColumn, parse: impl FnOnce(&str) -> Result<T, Wrong>) -> Option<T> {
        let text = self.given(column)?;
        parse(text).map_err(|wrong| self.refuse(column, wrong)).ok()
    }

    /// Notes what is wrong with a cell; the first finding of a cell is the one that is kept.
    pub(super) fn refuse(&mut self, column: BillColumn, wrong: Wrong) {
        match self.columns.index(column) {
            Some(index) => self.refuse_at(index, wrong),
            None if self.refused.iter().any(|(_, refused)| refused.column == column.name()) => {}
            None => {
                let refusal = self.refusal(column.name().into(), String::new(), wrong);
                self.refused.push((usize::MAX, refusal));
            }
        }
    }

    /// As [`Cells::refuse`], by the cell's position.
    pub(super) fn refuse_at(&mut self, index: usize, wrong: Wrong) {
        if self.refused.iter().any(|&(refused, _)| refused == index) {
            return;
        }
        let value = cells::shown(self.columns.at(index), self.row.text(index).unwrap_or_default());
        let refusal = self.refusal(self.columns.header(index).into(), value, wrong);
        self.refused.push((index, refusal));
    }

    fn refusal(&self, column: String, value: String, (code, reason): Wrong) -> RefusedRow {
        RefusedRow { place: self.place.clone(), column, value, invoice_number: None, code, reason }
    }

    /// What was read, unless anything was refused.
    pub(super) fn finished<T>(mut self, read: Option<T>, invoice_number: Option<&str>) -> Result<T, Vec<RefusedRow>> {
        match read {
            Some(item) if self.refused.is_empty() => Ok(item),
            _ => {
                self.refused.sort_by_key(|&(index, _)| index);
                let named = |refused: RefusedRow| RefusedRow { invoice_number: invoice_number.map(str::to_owned), ..refused };
                Err(self.refused.into_iter().map(|(_, refused)| named(refused)).collect())
            }
        }
    }
}

/// Reads a row of a bill file.
pub(super) fn bill(mut cells: Cells<'_>, options: &Options, format: AmountFormat, numbering: &Numbering) -> Result<Bill, Vec<RefusedRow>> {
    let number = numbering.number(&mut cells);
    let is_cancelled = options.purpose == Purpose::CancelAll || asks_to_cancel(&mut cells);
    let wanted =
        if is_cancelled { Some(Wanted::Cancelled) } else { terms(&mut cells, options, format).map(|terms| Wanted::Live(Box::new(terms))) };
    let name = number.as_ref().map(|number| number.as_str().to_owned());
    let bill = number.zip(wanted).map(|(invoice_number, wanted)| Bill { invoice_number, wanted });
    cells.finished(bill, name.as_deref())
}

fn asks_to_cancel(cells: &mut Cells<'_>) -> bool {
    let parse = |text: &str| {
        if text.eq_ignore_ascii_case("cancel") { Ok(()) } else { Err((codes::ACTION, "only `cancel` or nothing is understood".into())) }
    };
    cells.parsed(BillColumn::Action, parse).is_some()
}

fn terms(cells: &mut Cells<'_>, options: &Options, format: AmountFormat) -> Option<Terms> {
    let defaults = &options.defaults;
    let amount = cells.amount(format);
    let channel = channel(cells, defaults.channel);
    let method = cells
        .parsed(BillColumn::Method, parsed_method)
        .or_else(|| cells.get(BillColumn::Method).is_empty().then(|| defaults.method.unwrap_or(IssuanceMethod::Doku)));
    // Without a channel its limits are unknown, but what every channel needs can still be checked.
    let profile = channel.map(Channel::profile);
    let name = text(cells, BillColumn::CustomerName, None, profile.map(|profile| profile.name_length_max));
    if name.is_none() {
        cells.required(BillColumn::CustomerName);
    }
    let email = email(cells, profile);
    let payment_code = payment_code(cells, channel, method, options);
    let expiry = expiry(cells, channel, options);
    let reusable = cells.parsed(BillColumn::Reusable, parsed_yes_or_no).unwrap_or(defaults.reusable.unwrap_or(false));
    let info = text(cells, BillColumn::Info, defaults.info.as_deref(), channel.map(|channel| *options.info_lengths.of(channel)));
    let receipt_description = receipt_description(cells, profile, defaults.receipt_description.as_deref());
    let footer_max = profile.map(|profile| profile.receipt_footer_length_max);
    let receipt_footer = text(cells, BillColumn::ReceiptFooter, defaults.receipt_footer.as_deref(), footer_max);
    let (policy, account_name) = policy::policy(cells, profile);
    let bill_group = text(cells, BillColumn::BillGroup, None, None);
    let additional = options.additional.of(cells, channel, amount);
    Some(Terms {
        channel: channel?,
        method: method?,
        payment_code,
        amount: amount?,
        expiry: expiry?,
        reusable,
        customer: Customer { name: Personal::new(name?), email, account_name },
        info,
        receipt_description,
        receipt_footer,
        policy,
        bill_group,
        additional,
    })
}

pub(super) fn channel(cells: &mut Cells<'_>, default: Option<Channel>) -> Option<Channel> {
    if cells.get(BillColumn::Channel).is_empty() && default.is_some() {
        return default;
    }
    cells.required(BillColumn::Channel)?;
    cells.parsed(BillColumn::Channel, |text| {
        Channel::parse(text).ok_or_else(|| {
            let near = nearest(text, ["alfa", "indomaret"]).map_or_else(String::new, |near| {
                format!("; did you mean `{near}`? A layout maps your own words: `values.channel.\"{text}\" = \"{near}\"`")
            });
            (codes::CHANNEL, format!("only `alfa` and `indomaret` are known{near}"))
        })
    })
}

pub(super) fn parsed_method(text: &str) -> Result<IssuanceMethod, Wrong> {
    IssuanceMethod::parse(text).ok_or_else(|| (codes::METHOD, "only `doku`, `merchant` and `inquiry` are known".into()))
}

pub(super) fn parsed_yes_or_no(text: &str) -> Result<bool, Wrong> {
    cells::yes_or_no(text).ok_or_else(|| (codes::YES_OR_NO, "only `true`, `false`, `yes`, `no`, `1` and `0` are understood".into()))
}

pub(super) fn parsed_code(text: &str) -> Result<PaymentCode, Wrong> {
    PaymentCode::new(text).map_err(|error| (codes::PAYMENT_CODE, error.to_string()))
}

/// A text or its default, at most `length_max` characters long.
pub(super) fn text(cells: &mut Cells<'_>, column: BillColumn, default: Option<&str>, length_max: Option<usize>) -> Option<String> {
    let given = cells.given(column);
    let text = given.or(default).filter(|text| !text.is_empty())?;
    let length = text.chars().count();
    if let Some(length_max) = length_max.filter(|&length_max| length > length_max) {
        let whose = if given.is_some() { "the value" } else { "the configured default" };
        let reason = format!("{whose} has {length} characters, at most {length_max} are allowed on this channel");
        cells.refuse(column, (codes::TEXT_TOO_LONG, reason));
    }
    Some(text.to_owned())
}

fn email(cells: &mut Cells<'_>, profile: Option<&ChannelProfile>) -> Option<Personal> {
    let address = text(cells, BillColumn::Email, None, profile.map(|profile| profile.email_length_max))?;
    if !cells::is_email(&address) {
        cells.refuse(BillColumn::Email, (codes::EMAIL, "this is not one e-mail address".into()));
    }
    Some(Personal::new(address))
}

/// Only Indomaret's receipt has a description, and there it is mandatory.
fn receipt_description(cells: &mut Cells<'_>, profile: Option<&ChannelProfile>, default: Option<&str>) -> Option<String> {
    let length_max = profile?.receipt_description_length_max?;
    let description = text(cells, BillColumn::ReceiptDescription, default, Some(length_max));
    if description.is_none() {
        cells.required(BillColumn::ReceiptDescription);
    }
    description
}

fn payment_code(cells: &mut Cells<'_>, channel: Option<Channel>, method: Option<IssuanceMethod>, options: &Options) -> Option<PaymentCode> {
    let is_given = !cells.get(BillColumn::PaymentCode).is_empty();
    let code = cells.parsed(BillColumn::PaymentCode, parsed_code);
    match method? {
        IssuanceMethod::Doku if is_given => {
            cells.refuse(BillColumn::PaymentCode, (codes::PAYMENT_CODE_GIVEN, "the method is `doku`, so DOKU makes the code".into()));
            None
        }
        IssuanceMethod::Doku => None,
        IssuanceMethod::Merchant | IssuanceMethod::Inquiry => {
            if let Some(channel) = channel.filter(|channel| !channel.profile().takes_merchant_codes) {
                cells.refuse(BillColumn::Method, (codes::MERCHANT_CODES, format!("{channel} takes no codes of the merchant's making")));
            }
            if !is_given {
                let Some(template) = &options.code_template else {
                    let reason = format!("the method is `{}`, so the row must give the code", method?);
                    cells.refuse(BillColumn::PaymentCode, (codes::PAYMENT_CODE_MISSING, reason));
                    return None;
                };
                return template.code(cells);
            }
            if let (Some(code), Some(bin)) = (&code, &options.merchant_bin)
                && !code.as_str().starts_with(bin.as_str())
            {
                cells.refuse(BillColumn::PaymentCode, (codes::PAYMENT_CODE_PREFIX, format!("the code does not begin with `{bin}`")));
            }
            code
        }
    }
}

fn expiry(cells: &mut Cells<'_>, channel: Option<Channel>, options: &Options) -> Option<Expiry> {
    let minutes_max = channel.map_or(u32::MAX, |channel| channel.profile().expiry_minutes_max);
    let (minutes, at) = (cells.get(BillColumn::ExpiryMinutes), cells.get(BillColumn::ExpiresAt));
    match (minutes.is_empty(), at.is_empty()) {
        (false, false) => {
            cells.refuse(BillColumn::ExpiresAt, (codes::EXPIRY_TWICE, "`expiry_minutes` is given too".into()));
            None
        }
        (false, true) => cells.parsed(BillColumn::ExpiryMinutes, |text| parsed_minutes(text, minutes_max)).map(Expiry::Minutes),
        (true, false) => cells.parsed(BillColumn::ExpiresAt, |text| parsed_expires_at(text, minutes_max, options)).map(Expiry::At),
        (true, true) => match options.defaults.expiry_minutes {
            Some(minutes) if (1..=minutes_max).contains(&minutes) => Some(Expiry::Minutes(minutes)),
            Some(minutes) => {
                let reason = format!("the configured default of {minutes} minutes is not between 1 and {minutes_max}");
                cells.refuse(BillColumn::ExpiryMinutes, (codes::EXPIRY_MINUTES, reason));
                None
            }
            None => {
                cells.refuse(
                    BillColumn::ExpiryMinutes,
                    (codes::EXPIRY_MISSING, "neither `expiry_minutes` nor `expires_at` is given".into()),
                );
                None
            }
        },
    }
}

fn parsed_minutes(text: &str, minutes_max: u32) -> Result<u32, Wrong> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit());
    let minutes = if digits { text.parse().ok() } else { None };
    let is_in_range = |minutes: &u32| (1..=minutes_max).contains(minutes);
    minutes.filter(is_in_range).ok_or_else(|| (codes::EXPIRY_MINUTES, format!("not a whole number of minutes between 1 and {minutes_max}")))
}

fn parsed_expires_at(text: &str, minutes_max: u32, options: &Options) -> Result<jiff::Timestamp, Wrong> {
    let at = parsed_instant(text)?;
    let seconds = at.duration_since(options.now).as_secs();
    // One that has passed is no fault of the row: whether its bill is paid, expired or was never issued, the ledger knows.
    if seconds >= 60_i64.saturating_mul(i64::from(minutes_max)).saturating_add(60) {
        return Err((codes::EXPIRY_MINUTES, format!("more than {minutes_max} minutes from now")));
    }
    Ok(at)
}

pub(super) fn parsed_instant(text: &str) -> Result<jiff::Timestamp, Wrong> {
    cells::dated(text, "a date or time such as `2026-10-31` or `2026-10-31 17:00`", cells::instant)
}
