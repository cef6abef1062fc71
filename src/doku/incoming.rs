//! What a message of DOKU's is: that follows from its body, not from the URL it was posted to.
//!
//! Either URL may have been registered for the other, and a notification that is taken for an inquiry is lost money. So the two
//! sections that DOKU's pages "Alfa Group" and "HTTP Notification" give them decide: `transaction` makes a notification.

use super::value;

/// What a body turned out to be, before anybody looks at its fields.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Incoming {
    /// It tells of a transaction.
    Notification,
    /// It asks about a code, and tells of no transaction.
    Inquiry,
    /// Neither: no JSON object, or one with neither section.
    Neither,
}

impl Incoming {
    /// What `body` is. A section that is `null` is not there; one that stands twice is.
    #[must_use]
    pub fn of(body: &[u8]) -> Self {
        let sections = str::from_utf8(body).ok().and_then(|body| value::fields(body, ["transaction", "online_to_offline_inquiry"]));
        match sections {
            Some([Some(_), _]) => Self::Notification,
            Some([None, Some(_)]) => Self::Inquiry,
            Some([None, None]) | None => Self::Neither,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_transaction_makes_a_notification_and_only_without_one_a_question_makes_an_inquiry() {
        use Incoming::{Inquiry, Neither, Notification};
        let deep = format!(r#"{{"more":{}{},"transaction":{{}}}}"#, "[".repeat(20_000), "]".repeat(20_000));
        let table: [(&str, Incoming); 20] = [
            (r#"{"transaction":{"status":"SUCCESS"}}"#, Notification),
            (r#"{"transaction":{},"online_to_offline_inquiry":{}}"#, Notification),
            (r#"{"online_to_offline_inquiry":{},"transaction":{}}"#, Notification),
            (r#"{"transaction":null,"transaction":{}}"#, Notification),
            (r#"{"transaction":7}"#, Notification),
            (r#"{"transact\u0069on":{}}"#, Notification),
            ("\n {\"more\":1,\"transaction\":[]}\r\n", Notification),
            (&deep, Notification),
            (r#"{"online_to_offline_inquiry":{"date":"x"}}"#, Inquiry),
            (r#"{"online_to_offline_inquiry":{"transaction":{}}}"#, Inquiry),
            (r#"{"transaction":null,"online_to_offline_inquiry":{}}"#, Inquiry),
            (r#"{"Transaction":{},"online_to_offline_inquiry":[]}"#, Inquiry),
            (r#"{"online_to_offline_inquiry":null}"#, Neither),
            (r#"{"online_to_offline_info":{"payment_code":"1"}}"#, Neither),
            ("{}", Neither),
            (r#"[{"transaction":{}}]"#, Neither),
            (r#""transaction""#, Neither),
            (r#"{"transaction":{}"#, Neither),
            (r#"{"transaction":{}}{}"#, Neither),
            ("", Neither),
        ];
        for (body, is) in table {
            assert_eq!(Incoming::of(body.as_bytes()), is, "{}", body.get(..80).unwrap_or(body));
        }
        assert_eq!(Incoming::of(b"{\"transaction\":\"\xff\"}"), Neither);
    }
}
