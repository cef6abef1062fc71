//! Direct inquiry: DOKU asks whether a code may be paid, and for how much. Its question read tolerantly, our answer written once.
//!
//! Fields, statuses and HTTP codes are those of DOKU's pages "Alfa Group" (direct inquiry) and "Alfa Group for Insurance".

use serde::{Deserialize, Serialize};

use super::info::InfoKey;
use super::notification::{SERVICE_ID, channel_of};
use super::parts::{self, AdditionalInfo, ChannelInfo, Order};
use super::signature::{Components, SignatureError, SigningKey, Stamp};
use super::value::{self, section};
use crate::domain::bill::{Customer, RecordedTerms};
use crate::domain::channel::Channel;
use crate::domain::ids::{InvoiceNumber, PaymentCode};
use crate::domain::inquiry::InquiryDecision;
use crate::domain::personal::Personal;

/// What is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Question {
    /// The code the customer shows.
    pub payment_code: PaymentCode,
    /// The chain whose counter asks.
    pub channel: Channel,
}

/// Reads a question.
///
/// # Errors
/// The path of the field that is missing or unusable.
pub fn parse(body: &str) -> Result<Question, &'static str> {
    let names = ["service", "channel", "online_to_offline_info"];
    let [service, channel, info] = value::fields(body, names).ok_or("body")?;
    let [service] = section(service, ["id"]);
    let [channel] = section(channel, ["id"]);
    let [payment_code] = section(info, ["payment_code"]);
    if !service.and_then(value::string).is_some_and(|id| id.eq_ignore_ascii_case(SERVICE_ID)) {
        return Err("service.id");
    }
    let channel = channel.and_then(value::string).and_then(|id| channel_of(&id)).ok_or("channel.id")?;
    let code = payment_code.and_then(value::text).and_then(|code| PaymentCode::new(code).ok());
    let payment_code = code.ok_or("online_to_offline_info.payment_code")?;
    Ok(Question { payment_code, channel })
}

/// What an inquiry that is not provably DOKU's is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum InvalidSignature {
    /// 401 and `invalid_signature`, as the current profile has it.
    Unauthorized,
    /// 400 and `decline`, for the older ones.
    Decline,
}

/// The word for an answer, DOKU's `online_to_offline_inquiry.status`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum InquiryWord {
    /// Take the money.
    Success,
    /// Refused, without a reason the counter could use.
    Decline,
    /// Paid.
    AlreadyPaid,
    /// Past due.
    Expired,
    /// No such code.
    NotFound,
    /// The question is not provably DOKU's, or not of now.
    InvalidSignature,
}

impl InquiryWord {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Success, Self::Decline, Self::AlreadyPaid, Self::Expired, Self::NotFound, Self::InvalidSignature];

    /// The word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Success => "success",
            Self::Decline => "decline",
            Self::AlreadyPaid => "billing_already_paid",
            Self::Expired => "billing_was_expired",
            Self::NotFound => "billing_not_found",
            Self::InvalidSignature => "invalid_signature",
        }
    }

    /// The HTTP status that goes with it.
    #[must_use]
    pub const fn http(self) -> u16 {
        match self {
            Self::Success => 200,
            Self::Decline | Self::AlreadyPaid | Self::Expired => 400,
            Self::NotFound => 404,
            Self::InvalidSignature => 401,
        }
    }

    /// The word for a decision.
    #[must_use]
    pub const fn of(decision: InquiryDecision) -> Self {
        match decision {
            InquiryDecision::Payable => Self::Success,
            InquiryDecision::Declined(_) => Self::Decline,
            InquiryDecision::AlreadyPaid => Self::AlreadyPaid,
            InquiryDecision::Expired => Self::Expired,
            InquiryDecision::NotFound => Self::NotFound,
        }
    }
}

#[derive(Serialize)]
struct Answer<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    order: Option<Order<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    online_to_offline_info: Option<Info<'a>>,
    online_to_offline_inquiry: InquiryStatus,
    #[serde(skip_serializing_if = "Option::is_none")]
    customer: Option<parts::Customer<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    alfa_info: Option<ChannelInfo<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_info: Option<AdditionalInfo<'a>>,
}

#[derive(Serialize)]
#[allow(clippy::struct_field_names, reason = "DOKU's names")]
struct Info<'a> {
    payment_code: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    info: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    info1: Option<&'a str>,
}

#[derive(Serialize)]
struct InquiryStatus {
    status: &'static str,
}

/// What the counter is shown of a bill.
#[derive(Clone, Copy, Debug)]
pub struct ShownBill<'a> {
    /// The number DOKU is told.
    pub invoice_number: &'a InvoiceNumber,
    /// Its terms.
    pub terms: &'a RecordedTerms,
    /// Who owes it; `None` when that is not kept (any more, or for an adopted code).
    pub customer: Option<&'a Customer>,
    /// Stands for a customer who is not kept: DOKU demands a name.
    pub name_fallback: &'a str,
    /// What its text is called.
    pub info_key: InfoKey,
}

impl<'a> ShownBill<'a> {
    fn order(&self) -> Order<'a> {
        Order { invoice_number: self.invoice_number.as_str(), amount: self.terms.amount.get() }
    }

    fn name(&self) -> &'a str {
        self.customer.map_or(self.name_fallback, |customer| customer.name.reveal())
    }
}

/// The body of a `success`.
#[must_use]
pub fn payable(question: &Question, shown: &ShownBill<'_>) -> Vec<u8> {
    let terms = shown.terms;
    let email = shown.customer.and_then(|customer| customer.email.as_ref()).map(Personal::reveal).filter(|email| !email.trim().is_empty());
    let account_name = shown.customer.map(|customer| customer.name_on_policy().reveal());
    let footer = terms.receipt_footer.as_deref().filter(|_| terms.channel.profile().inquiry_has_footer);
    let (info, info1) = shown.info_key.fields(terms.info.as_deref());
    bytes(&Answer {
        order: Some(shown.order()),
        online_to_offline_info: Some(Info { payment_code: question.payment_code.as_str(), info, info1 }),
        online_to_offline_inquiry: InquiryStatus { status: InquiryWord::Success.name() },
        customer: Some(parts::Customer { name: shown.name(), email }),
        alfa_info: footer.map(parts::alfa_footer),
        additional_info: parts::additional_info(terms.channel, &terms.policy, terms.additional.as_deref(), account_name),
    })
}

/// The body of anything else. Without `known` it says nothing of the bill: whoever asks for a code that cannot be paid needs no
/// name or amount. With it, the fields that DOKU's page calls mandatory are there; whether it wants them in a refusal is not said.
#[must_use]
pub fn refusal(question: Option<&Question>, status: InquiryWord, known: Option<&ShownBill<'_>>) -> Vec<u8> {
    bytes(&Answer {
        order: known.map(ShownBill::order),
        online_to_offline_info: question.map(|question| Info { payment_code: question.payment_code.as_str(), info: None, info1: None }),
        online_to_offline_inquiry: InquiryStatus { status: status.name() },
        customer: known.map(|shown| parts::Customer { name: shown.name(), email: None }),
        alfa_info: None,
        additional_info: None,
    })
}

fn bytes(answer: &Answer<'_>) -> Vec<u8> {
    match serde_json::to_vec(answer) {
        Ok(bytes) => bytes,
        Err(_) => unreachable!("texts and whole numbers are always JSON"),
    }
}

/// The `Signature` of an answer sent at `response_timestamp` to the question `request_id` at `target`.
///
/// # Errors
/// [`SignatureError::ControlCharacter`].
pub fn sign(
    key: &SigningKey,
    client_id: &str,
    request_id: &str,
    response_timestamp: &str,
    target: &str,
    body: &[u8],
) -> Result<String, SignatureError> {
    key.sign(&Components { client_id, request_id, stamp: Stamp::Response(response_timestamp), target, body: Some(body) })
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::domain::amount::Amount;
    use crate::domain::bill::{Expiry, Policy};
    use crate::domain::channel::IssuanceMethod;

    fn question(code: &str) -> Question {
        Question { payment_code: PaymentCode::new(code).unwrap(), channel: Channel::Alfa }
    }

    fn terms() -> RecordedTerms {
        RecordedTerms {
            channel: Channel::Alfa,
            method: IssuanceMethod::Inquiry,
            payment_code: None,
            amount: Amount::new(150_000).unwrap(),
            expiry: Expiry::Minutes(60),
            reusable: false,
            name_digest: "d".into(),
            email_digest: String::new(),
            account_name_digest: String::new(),
            info: Some("Thank for shopping in our store".into()),
            receipt_description: None,
            receipt_footer: None,
            policy: Policy::default(),
            bill_group: None,
            additional: None,
        }
    }

    #[test]
    fn the_reference_answer_is_written_and_signed_to_the_byte() {
        let customer =
            Customer { name: Personal::new("Anton Budiman"), email: Some(Personal::new("anton@example.com")), account_name: None };
        let number = InvoiceNumber::new("INV-20210125-0001").unwrap();
        let shown =
            ShownBill { invoice_number: &number, terms: &terms(), customer: Some(&customer), name_fallback: "-", info_key: InfoKey::Info };
        let body = payable(&question("8896512345678123"), &shown);
        let reference = r#"{"order":{"invoice_number":"INV-20210125-0001","amount":150000},"online_to_offline_info":{"payment_code":"8896512345678123","info":"Thank for shopping in our store"},"online_to_offline_inquiry":{"status":"success"},"customer":{"name":"Anton Budiman","email":"anton@example.com"}}"#;
        assert_eq!(String::from_utf8(body.clone()).unwrap(), reference);
        let key = SigningKey::new(&SecretString::from("SK-test-0123456789abcdef"));
        let (client, id) = ("MCH-0001-10791114622547", "5b8e438f-fac1-4103-9e0e-ebfdc38b5acb");
        let signature = sign(&key, client, id, "2020-08-11T08:45:43Z", "/doku/inquiry", &body).unwrap();
        assert_eq!(signature, "HMACSHA256=+N8WjUbpQe9rr2ftxOB02qBzLH2NQsjiKcgl8Zlx6nc=", "V8");
    }

    #[test]
    fn insurance_footer_and_a_blank_address_are_as_the_insurance_page_has_them() {
        let policy = Policy {
            number: Some("9090901234".into()),
            kind: Some("Dana Pendidikan".into()),
            status: Some("aktif".into()),
            due_date: Some(jiff::civil::date(2021, 5, 1)),
            ..Policy::default()
        };
        let terms = RecordedTerms { policy, info: None, receipt_footer: Some("Call Center 021 555-0525".into()), ..terms() };
        let customer = Customer { name: Personal::new("Andreas"), email: Some(Personal::new(" ")), account_name: None };
        let number = InvoiceNumber::new("A").unwrap();
        let shown =
            ShownBill { invoice_number: &number, terms: &terms, customer: Some(&customer), name_fallback: "-", info_key: InfoKey::Info };
        let body = String::from_utf8(payable(&question("01"), &shown)).unwrap();
        assert_eq!(
            body,
            r#"{"order":{"invoice_number":"A","amount":150000},"online_to_offline_info":{"payment_code":"01"},"online_to_offline_inquiry":{"status":"success"},"customer":{"name":"Andreas"},"alfa_info":{"receipt":{"footer_message":"Call Center 021 555-0525"}},"additional_info":{"insurance_info":{"policy_type":"Dana Pendidikan","policy_number":"9090901234","policy_account_name":"Andreas","policy_status":"aktif","bill_due_date":"01 May 2021"}}}"#
        );
        let unknown = ShownBill { customer: None, name_fallback: "Pelanggan", ..shown };
        let body = String::from_utf8(payable(&question("01"), &unknown)).unwrap();
        assert!(body.contains(r#""customer":{"name":"Pelanggan"}"#) && !body.contains("account_name"), "{body}");
        let refused = |known| String::from_utf8(refusal(Some(&question("01")), InquiryWord::AlreadyPaid, known)).unwrap();
        assert_eq!(
            refused(None),
            r#"{"online_to_offline_info":{"payment_code":"01"},"online_to_offline_inquiry":{"status":"billing_already_paid"}}"#
        );
        let mandatory = r#"{"order":{"invoice_number":"A","amount":150000},"online_to_offline_info":{"payment_code":"01"},"online_to_offline_inquiry":{"status":"billing_already_paid"},"customer":{"name":"Andreas"}}"#;
        assert_eq!(refused(Some(&shown)), mandatory);
    }

    #[test]
    fn codes_are_read_as_text_or_digit_by_digit_and_everything_else_is_named() {
        let ask = |service: &str, channel: &str, code: &str| {
            format!(
                r#"{{"service":{{"id":"{service}"}},"acquirer":{{"id":"ALFA"}},"channel":{{"id":"{channel}"}},"online_to_offline_info":{{"payment_code":{code},"new":1}},"more":[]}}"#
            )
        };
        let (ours, alfa) = (SERVICE_ID, "ONLINE_TO_OFFLINE_ALFA");
        for (code, read) in [(r#""0088""#, "0088"), ("8896512345678123", "8896512345678123")] {
            assert_eq!(parse(&ask(ours, alfa, code)), Ok(question(read)));
        }
        for code in ["1.0", "1e3", "-1", "null", "[]", r#""""#, r#""12a""#, r#""123456789012345678901""#] {
            assert_eq!(parse(&ask(ours, alfa, code)), Err("online_to_offline_info.payment_code"), "{code}");
        }
        assert_eq!(parse(&ask("VIRTUAL_ACCOUNT", alfa, "1")), Err("service.id"));
        assert_eq!(parse(&ask(ours, "X", "1")), Err("channel.id"));
        assert_eq!(parse(r#"{"service":7}"#), Err("service.id"));
        for body in ["", "[]", "{", "7", r#"[{"id":"ONLINE_TO_OFFLINE"},{},{}]"#] {
            assert_eq!(parse(body), Err("body"), "{body}");
        }
    }

    #[test]
    fn statuses_have_the_documented_words_and_http_codes() {
        let table: Vec<(&str, u16)> = InquiryWord::ALL.map(|status| (status.name(), status.http())).into();
        let documented = [
            ("success", 200),
            ("decline", 400),
            ("billing_already_paid", 400),
            ("billing_was_expired", 400),
            ("billing_not_found", 404),
            ("invalid_signature", 401),
        ];
        assert_eq!(table, documented);
    }
}
