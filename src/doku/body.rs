//! Request bodies, written once: the bytes made here are the bytes signed, sent, kept and sent again.
//!
//! Only documented fields are sent, each only to its channel (pages "Alfa Group" and "Indomaret").

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use super::info::InfoKey;
use super::parts::{self, AdditionalInfo, ChannelInfo, Customer, Order, Receipt};
use crate::domain::amount::Amount;
use crate::domain::bill::Terms;
use crate::domain::channel::Channel;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::personal::Personal;

#[derive(Serialize)]
struct Body<'a> {
    order: Order<'a>,
    online_to_offline_info: Info<'a>,
    customer: Customer<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alfa_info: Option<ChannelInfo<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    indomaret_info: Option<ChannelInfo<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_info: Option<AdditionalInfo<'a>>,
}

#[derive(Serialize)]
#[allow(clippy::struct_field_names, reason = "DOKU's names")]
struct Info<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    payment_code: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    status: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    expired_time: Option<u32>,
    reusable_status: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info1: Option<&'a str>,
}

/// The body of a POST that issues (or registers) a code payable for `expiry_minutes`.
#[must_use]
pub fn issue(wire_invoice_number: &InvoiceNumber, terms: &Terms, expiry_minutes: u32, info_key: InfoKey) -> Vec<u8> {
    let footer = terms.receipt_footer.as_deref();
    let (alfa_info, indomaret_info) = match terms.channel {
        Channel::Alfa => (footer.map(parts::alfa_footer), None),
        Channel::Indomaret => {
            let receipt = Receipt { description: terms.receipt_description.as_deref(), footer_message: footer.map(Cow::Borrowed) };
            (None, Some(ChannelInfo { receipt }))
        }
    };
    let (info, info1) = info_key.fields(terms.info.as_deref());
    bytes(&Body {
        order: Order { invoice_number: wire_invoice_number.as_str(), amount: terms.amount.get() },
        online_to_offline_info: Info {
            payment_code: terms.payment_code.as_ref().map(PaymentCode::as_str),
            status: None,
            expired_time: Some(expiry_minutes),
            reusable_status: terms.reusable,
            info,
            info1,
        },
        customer: customer(terms),
        alfa_info,
        indomaret_info,
        additional_info: parts::additional_info(
            terms.channel,
            &terms.policy,
            terms.additional.as_deref(),
            Some(terms.customer.name_on_policy().reveal()),
        ),
    })
}

/// The body of a PATCH that puts `terms` in force on a live code, payable for another `expiry_minutes`.
///
/// Expiry is always sent: left out, DOKU may fall back to 60 minutes.
#[must_use]
pub fn amend(
    wire_invoice_number: &InvoiceNumber,
    payment_code: &PaymentCode,
    terms: &Terms,
    expiry_minutes: u32,
    info_key: InfoKey,
) -> Vec<u8> {
    let (info, info1) = info_key.fields(terms.info.as_deref());
    bytes(&Body {
        order: Order { invoice_number: wire_invoice_number.as_str(), amount: terms.amount.get() },
        online_to_offline_info: Info {
            payment_code: Some(payment_code.as_str()),
            status: Some("ACTIVE"),
            expired_time: Some(expiry_minutes),
            reusable_status: terms.reusable,
            info,
            info1,
        },
        customer: customer(terms),
        alfa_info: None,
        indomaret_info: None,
        additional_info: None,
    })
}

/// The body of a PATCH that makes a code unpayable. The name is cut to what PATCH takes: a cancellation must not fail on it.
#[must_use]
pub fn cancel(wire_invoice_number: &InvoiceNumber, payment_code: &PaymentCode, amount: Amount, reusable: bool, name: &str) -> Vec<u8> {
    let name_length_max = Channel::Alfa.profile().name_length_max_on_amend;
    let name: String = name.chars().take(name_length_max).collect();
    bytes(&Body {
        order: Order { invoice_number: wire_invoice_number.as_str(), amount: amount.get() },
        online_to_offline_info: Info {
            payment_code: Some(payment_code.as_str()),
            status: Some("DELETE"),
            expired_time: None,
            reusable_status: reusable,
            info: None,
            info1: None,
        },
        customer: Customer { name: &name, email: None },
        alfa_info: None,
        indomaret_info: None,
        additional_info: None,
    })
}

/// The amount that `body` asks for, as whoever receives it reads it; none where that is not clear.
#[must_use]
pub fn amount(body: &[u8]) -> Option<u64> {
    #[derive(Deserialize)]
    struct Sent {
        order: SentOrder,
    }
    #[derive(Deserialize)]
    struct SentOrder {
        amount: u64,
    }
    serde_json::from_slice::<Sent>(body).ok().map(|sent| sent.order.amount)
}

/// `text` with `***` for the customer's names and address in `body`, wherever DOKU has repeated them.
#[must_use]
pub fn masked(body: &[u8], text: &str) -> String {
    let body: serde_json::Value = serde_json::from_slice(body).unwrap_or_default();
    let personal = ["/customer/email", "/customer/name", "/additional_info/insurance_info/policy_account_name"]
        .map(|pointer| body.pointer(pointer).and_then(serde_json::Value::as_str));
    // Shorter ones stand in every second word and tell nobody who it is.
    personal.into_iter().flatten().filter(|word| word.len() > 2).fold(text.to_owned(), |text, word| without(&text, word))
}

/// Without regard to the case of ASCII letters, whose change moves no byte.
fn without(text: &str, word: &str) -> String {
    let (lower, word) = (text.to_ascii_lowercase(), word.to_ascii_lowercase());
    let mut kept = String::with_capacity(text.len());
    let mut from = 0;
    for (at, found) in lower.match_indices(&word) {
        kept.push_str(text.get(from..at).unwrap_or_default());
        kept.push_str("***");
        from = at.saturating_add(found.len());
    }
    kept.push_str(text.get(from..).unwrap_or_default());
    kept
}

fn customer(terms: &Terms) -> Customer<'_> {
    Customer { name: terms.customer.name.reveal(), email: terms.customer.email.as_ref().map(Personal::reveal) }
}

fn bytes(body: &Body<'_>) -> Vec<u8> {
    match serde_json::to_vec(body) {
        Ok(bytes) => bytes,
        Err(_) => unreachable!("a struct of texts and numbers always serialises"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::bill::{Customer as Owner, Expiry, Policy};
    use crate::domain::channel::IssuanceMethod;

    fn terms() -> Terms {
        Terms {
            channel: Channel::Alfa,
            method: IssuanceMethod::Doku,
            payment_code: None,
            amount: Amount::new(150_000).unwrap(),
            expiry: Expiry::Minutes(60),
            reusable: false,
            customer: Owner { name: Personal::new("Anton Budiman"), email: Some(Personal::new("anton@example.com")), account_name: None },
            info: Some("Merchant Demo Store".into()),
            receipt_description: None,
            receipt_footer: None,
            policy: Policy::default(),
            bill_group: None,
            additional: None,
        }
    }

    #[test]
    fn the_plain_issue_body_is_byte_for_byte_the_reference_one() {
        let body = issue(&InvoiceNumber::new("INV-20210124-0001").unwrap(), &terms(), 60, InfoKey::Info);
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"order":{"invoice_number":"INV-20210124-0001","amount":150000},"online_to_offline_info":{"expired_time":60,"reusable_status":false,"info":"Merchant Demo Store"},"customer":{"name":"Anton Budiman","email":"anton@example.com"}}"#
        );
    }

    #[test]
    fn the_amount_is_read_back_out_of_every_body_and_out_of_none_that_says_it_twice() {
        let (invoice, code) = (InvoiceNumber::new("I-1").unwrap(), PaymentCode::new("7").unwrap());
        let customer = Owner { name: Personal::new(r#"","amount":1,"x":""#), email: None, account_name: None };
        let methods = [IssuanceMethod::Doku, IssuanceMethod::Merchant, IssuanceMethod::Inquiry];
        let kinds = Channel::ALL.into_iter().flat_map(|channel| methods.map(|method| (channel, method)));
        for ((channel, method), rupiah) in kinds.flat_map(|kind| [1, 150_000, 999_999_999_999].map(|rupiah| (kind, rupiah))) {
            let amount = Amount::new(rupiah).unwrap();
            let terms = Terms { channel, method, amount, customer: customer.clone(), ..terms() };
            for body in [
                issue(&invoice, &terms, 60, InfoKey::Info),
                amend(&invoice, &code, &terms, 60, InfoKey::Info1),
                cancel(&invoice, &code, amount, false, "Anton"),
            ] {
                assert_eq!(super::amount(&body), Some(rupiah), "{}", String::from_utf8_lossy(&body));
            }
        }
        for unclear in [
            r#"{"order":{"amount":1,"amount":2}}"#,
            r#"{"order":{"amount":1},"order":{"amount":2}}"#,
            r#"{"order":{"amount":"1"}}"#,
            r#"{"order":{"amount":1.5}}"#,
            r#"{"order":{"amount":-1}}"#,
            r#"{"order":{}}"#,
            "",
        ] {
            assert_eq!(super::amount(unclear.as_bytes()), None, "{unclear}");
        }
    }

    #[test]
    fn the_shown_text_stands_under_one_key_and_an_alfa_footer_in_lines() {
        let invoice = InvoiceNumber::new("I-1").unwrap();
        let footer = Some("Pertanyaan tentang tagihan: 021 555-0525, setiap hari".to_owned());
        let terms = Terms { receipt_footer: footer, ..terms() };
        let bodies = [InfoKey::Info, InfoKey::Info1].map(|key| String::from_utf8(issue(&invoice, &terms, 60, key)).unwrap());
        assert!(bodies[0].contains(r#""info":"Merchant Demo Store"}"#) && !bodies[0].contains("info1"), "{}", bodies[0]);
        assert_eq!(bodies[0].replace("\"info\":", "\"info1\":"), bodies[1]);
        let code = PaymentCode::new("1").unwrap();
        assert!(String::from_utf8(amend(&invoice, &code, &terms, 60, InfoKey::Info1)).unwrap().contains(r#""info1":"Merchant"#));
        let lines = r#""footer_message":"Pertanyaan tentang tagihan: 021         555-0525, setiap hari""#;
        assert!(bodies[0].contains(lines), "{}", bodies[0]);
    }

    #[test]
    fn the_cancel_body_is_byte_for_byte_the_reference_one_and_cuts_a_long_name() {
        let (invoice, code) = (InvoiceNumber::new("INV-20210124-0001").unwrap(), PaymentCode::new("6059000000000205").unwrap());
        let body = cancel(&invoice, &code, Amount::new(150_000).unwrap(), false, "Anton Budiman");
        assert_eq!(
            String::from_utf8(body).unwrap(),
            r#"{"order":{"invoice_number":"INV-20210124-0001","amount":150000},"online_to_offline_info":{"payment_code":"6059000000000205","status":"DELETE","reusable_status":false},"customer":{"name":"Anton Budiman"}}"#
        );
        let long = String::from_utf8(cancel(&invoice, &code, Amount::new(1).unwrap(), false, &"é".repeat(41))).unwrap();
        assert!(long.contains(&format!("\"{}\"", "é".repeat(40))));
    }

    #[test]
    fn insurance_and_footer_go_to_alfa_and_description_to_indomaret() {
        let mut terms = terms();
        terms.policy = Policy {
            number: Some("9090901234".into()),
            kind: Some("Dana Pendidikan".into()),
            status: Some("aktif".into()),
            due_date: Some(jiff::civil::date(2021, 5, 21)),
            ..Policy::default()
        };
        terms.receipt_footer = Some("Call Center 021 555-0525".into());
        terms.receipt_description = Some("Premi".into());
        let invoice = InvoiceNumber::new("I-1").unwrap();
        let alfa = String::from_utf8(issue(&invoice, &terms, 60, InfoKey::Info)).unwrap();
        assert!(alfa.contains(r#""alfa_info":{"receipt":{"footer_message":"Call Center 021 555-0525"}}"#), "{alfa}");
        assert!(alfa.contains(
            r#""insurance_info":{"policy_type":"Dana Pendidikan","policy_number":"9090901234","policy_account_name":"Anton Budiman","policy_status":"aktif","bill_due_date":"21 May 2021"}"#
        ));
        assert!(!alfa.contains("indomaret_info"));
        terms.additional = Some(Box::new(crate::domain::additional::Additional {
            override_notification_url: Some("https://pay.example.com/n".into()),
            settlement: crate::domain::additional::parse_settlement("SBA-0001-1:10:PERCENTAGE;SBA-0001-2:5000:FIX").unwrap(),
            report: vec![crate::domain::additional::ReportColumn { key: "Branch".into(), value: "Jakarta".into() }],
            hold_settlement: true,
            account_id: Some("SAC-1".into()),
            free: [("branch".to_owned(), "Jakarta".to_owned())].into(),
        }));
        let whole = String::from_utf8(issue(&invoice, &terms, 60, InfoKey::Info)).unwrap();
        assert!(whole.contains(
            r#""settlement":[{"bank_account_settlement_id":"SBA-0001-1","value":10,"type":"PERCENTAGE"},{"bank_account_settlement_id":"SBA-0001-2","value":5000,"type":"FIX"}],"report":[{"key":"Branch","value":"Jakarta"}],"hold_settlement":true,"account":{"id":"SAC-1"},"branch":"Jakarta"}"#
        ), "{whole}");
        assert!(
            whole.contains(r#""additional_info":{"override_notification_url":"https://pay.example.com/n","insurance_info":{"#),
            "{whole}"
        );
        let code = PaymentCode::new("7").unwrap();
        let change = String::from_utf8(amend(&invoice, &code, &terms, 60, InfoKey::Info)).unwrap();
        assert!(!change.contains("additional_info"), "PATCH documents none of it: {change}");
        terms.additional = None;
        terms.channel = Channel::Indomaret;
        let indomaret = String::from_utf8(issue(&invoice, &terms, 60, InfoKey::Info)).unwrap();
        assert!(indomaret.contains(r#""indomaret_info":{"receipt":{"description":"Premi","footer_message":"Call Center 021 555-0525"}}"#));
        assert!(!indomaret.contains("alfa_info") && !indomaret.contains("insurance_info"));
    }
}
