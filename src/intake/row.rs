//! One row → one bill, or every reason why it is none.
//!
//! Belongs here: rules across the cells of a row; limits come from the channel's profile. Must not be here: lexical rules
//! (`cells`), rules across rows (`sort`).

use super::bill_column::BillColumn;
use super::cells::{self, Wrong};
use super::numbering::Numbering;
use super::options::{Options, Purpose};
use super::refused_row::RefusedRow;
use super::row_cells::{Cells, text};
use super::{codes, policy};
use crate::domain::bill::{Bill, Customer, Expiry, Terms, Wanted};
use crate::domain::channel::{Channel, ChannelProfile, IssuanceMethod};
use crate::domain::ids::PaymentCode;
use crate::domain::personal::Personal;
use crate::table::{AmountFormat, nearest};

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
    let reusable = cells.parsed(BillColumn::Reusable, cells::parsed_yes_or_no).unwrap_or(defaults.reusable.unwrap_or(false));
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

pub(super) fn parsed_code(text: &str) -> Result<PaymentCode, Wrong> {
    PaymentCode::new(text).map_err(|error| (codes::PAYMENT_CODE, error.to_string()))
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
