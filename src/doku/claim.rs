//! Money that a verified message tells of and that cannot be booked: whose it may be, and what is wrong with it.
//!
//! Belongs here: reading just enough of a body to know whom to hold. Must not be here: what holding means (`domain::attention`).

use super::notification::{self, Message, NotifiedAmount, TransactionStatus};
use super::value::{fields, section, text};
use crate::domain::ids::{InvoiceNumber, PaymentCode};

/// Money that was told of and not understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// The code it names, if that can be read.
    pub payment_code: Option<PaymentCode>,
    /// The number it names, if that can be read.
    pub invoice_number: Option<InvoiceNumber>,
    /// What cannot be used.
    pub reason: String,
}

/// The words of `transaction.status` that speak of no money.
const NO_MONEY: [&str; 3] = ["FAILED", "PENDING", "EXPIRED"];

/// What a verified body claims, if it says SUCCESS, or a status nobody can read, and cannot be booked as it stands (N12, P17), and
/// names a code or a number.
#[must_use]
pub fn claim(body: &str) -> Option<Claim> {
    let reason = match notification::parse(body) {
        Message::Notification(found) if found.status == TransactionStatus::Success => match found.amount {
            NotifiedAmount::Unusable(written) => format!("its amount `{}` cannot be used", shown(&written)),
            NotifiedAmount::Usable(_) => return None,
        },
        Message::Unusable(field) => format!("its `{field}` is missing or cannot be used"),
        Message::Notification(_) | Message::OtherService => return None,
    };
    let [transaction, order, info, asked] = fields(body, ["transaction", "order", "online_to_offline_info", "online_to_offline_inquiry"])?;
    // A question moves no money, in whatever log it stands.
    if transaction.is_none() && asked.is_some() {
        return None;
    }
    let [status] = section(transaction, ["status"]);
    if status.and_then(text).is_some_and(|word| NO_MONEY.iter().any(|known| known.eq_ignore_ascii_case(&word))) {
        return None;
    }
    let [number] = section(order, ["invoice_number"]);
    let [code, code_too] = section(info, ["payment_code", "payment"]);
    let payment_code = [code, code_too].into_iter().flatten().find_map(|raw| PaymentCode::new(text(raw)?).ok());
    let invoice_number = number.and_then(text).and_then(|number| InvoiceNumber::new(number).ok());
    (payment_code.is_some() || invoice_number.is_some()).then_some(Claim { payment_code, invoice_number, reason })
}

/// A stranger's text in a message of ours: its beginning, without what would break a line.
fn shown(written: &str) -> String {
    const SHOWN_MAX: usize = 30;
    written.chars().filter(|character| !character.is_control() && *character != '`').take(SHOWN_MAX).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_question_is_no_money_whatever_log_it_stands_in() {
        let question = r#"{"service":{"id":"ONLINE_TO_OFFLINE"},"acquirer":{"id":"ALFA"},"channel":{"id":"ONLINE_TO_OFFLINE_ALFA"},"online_to_offline_info":{"payment_code":"8896500020007919"},"online_to_offline_inquiry":{"date":"2026-10-12T07:06:28Z","identifier":[]}}"#;
        assert_eq!(claim(question), None);
        let moved = question.replacen('{', r#"{"transaction":{"status":"SUCCESS"},"#, 1);
        assert!(claim(&moved).is_some(), "what tells of a transaction may be money, whatever else it holds");
    }

    fn body(status: &str, amount: &str, date: &str, rest: &str) -> String {
        format!(
            r#"{{"service":{{"id":"ONLINE_TO_OFFLINE"}},"acquirer":{{"id":"ALFA"}},"channel":{{"id":"ONLINE_TO_OFFLINE_ALFA"}},
            "transaction":{{"status":{status},"date":{date}}},"order":{{"invoice_number":"A","amount":{amount}}}{rest}}}"#
        )
    }

    #[test]
    fn whatever_may_be_money_and_cannot_be_booked_is_claimed_for_whom_it_names() {
        const CODE: &str = r#","online_to_offline_info":{"payment_code":"77"}"#;
        let date = r#""2026-10-05T12:00:00Z""#;
        let names = |body: &str| {
            claim(body)
                .map(|claim| (claim.payment_code.map(|code| code.to_string()), claim.invoice_number.map(|number| number.to_string())))
        };
        let both = Some((Some("77".to_owned()), Some("A".to_owned())));
        for (status, amount, date) in [
            (r#""SUCCESS""#, r#""150.000""#, date),
            (r#""SUCCESS""#, "-5", date),
            (r#""SUCCESS""#, "null", date),
            (r#""SUCCESS""#, "5000", r#""05-10-2026""#),
            (r#""SUCCESS""#, "5000", r#""2026-10-05T12:00:00""#),
            (r#""PAID""#, "5000", date),
            ("7", "5000", date),
            ("null", "true", date),
        ] {
            assert_eq!(names(&body(status, amount, date, CODE)), both, "{status} {amount} {date}");
        }
        assert_eq!(names(&body(r#""SUCCESS""#, "0", date, CODE)), both);
        assert_eq!(names(&body(r#""SUCCESS""#, "5000", date, "")), Some((None, Some("A".into()))), "no code");
        assert_eq!(names(&body(r#""SUCCESS""#, "5000", date, CODE)), None, "it can be booked");
        for status in [r#""FAILED""#, r#""pending""#, r#""EXPIRED""#] {
            assert_eq!(names(&body(status, "true", date, CODE)), None, "{status}");
        }
        assert_eq!(names(&body(r#""SUCCESS""#, "0", date, CODE).replace("ONLINE_TO_OFFLINE\"", "VIRTUAL_ACCOUNT\"")), None);
        assert_eq!(names("not json"), None);
    }
}
