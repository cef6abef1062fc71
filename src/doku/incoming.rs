//! What a message of DOKU's is: that follows from its body, not from the URL it was posted to.
//!
//! Either URL may have been registered for the other, and a notification that is taken for an inquiry is lost money. So the two
//! sections that DOKU's pages "Alfa Group" and "HTTP Notification" give them decide: `transaction` makes a notification.

use std::fmt;

use serde::Deserialize;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

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
        match serde_json::from_slice::<Sections>(body) {
            Ok(Sections { transaction: true, .. }) => Self::Notification,
            Ok(Sections { inquiry: true, .. }) => Self::Inquiry,
            _ => Self::Neither,
        }
    }
}

/// Which of the two sections are there.
#[derive(Default)]
struct Sections {
    transaction: bool,
    inquiry: bool,
}

impl<'de> Deserialize<'de> for Sections {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Keys;

        impl<'de> Visitor<'de> for Keys {
            type Value = Sections;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Sections, A::Error> {
                let mut sections = Sections::default();
                // Raw values are passed over however deep they are.
                while let Some((key, value)) = map.next_entry::<String, &RawValue>()? {
                    let is_there = value.get() != "null";
                    match key.as_str() {
                        "transaction" => sections.transaction |= is_there,
                        "online_to_offline_inquiry" => sections.inquiry |= is_there,
                        _ => {}
                    }
                }
                Ok(sections)
            }
        }

        deserializer.deserialize_map(Keys)
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
