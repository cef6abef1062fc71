//! The fields of a request body, as DOKU's pages list them, and what DOKU's own plugins send instead.
//!
//! The strict reader takes the listed fields in the listed types. [`evened`] makes such a body of what plugins send, unless the
//! sandbox is strict; [`misfit`] names the field that the strict reader refused.

use bytes::Bytes;
use serde_json::{Map, Value};

use crate::doku::value;

#[derive(Clone, Copy)]
enum Kind {
    Text,
    Number,
    Flag,
    Any,
}

impl Kind {
    fn takes(self, value: &Value) -> bool {
        match self {
            Self::Text => value.is_string(),
            Self::Number => value.is_number(),
            Self::Flag => value.is_boolean(),
            Self::Any => true,
        }
    }
}

/// Every field, by its path; lists have their entries' fields.
const FIELDS: [(&str, Kind); 26] = [
    ("order.invoice_number", Kind::Text),
    ("order.amount", Kind::Number),
    ("online_to_offline_info.payment_code", Kind::Text),
    ("online_to_offline_info.status", Kind::Text),
    ("online_to_offline_info.expired_time", Kind::Number),
    ("online_to_offline_info.reusable_status", Kind::Flag),
    ("online_to_offline_info.info", Kind::Text),
    ("customer.name", Kind::Text),
    ("customer.email", Kind::Text),
    ("alfa_info.receipt.footer_message", Kind::Text),
    ("indomaret_info.receipt.description", Kind::Text),
    ("indomaret_info.receipt.footer_message", Kind::Text),
    ("additional_info.override_notification_url", Kind::Text),
    ("additional_info.insurance_info.policy_type", Kind::Text),
    ("additional_info.insurance_info.policy_number", Kind::Text),
    ("additional_info.insurance_info.policy_account_name", Kind::Text),
    ("additional_info.insurance_info.policy_status", Kind::Text),
    ("additional_info.insurance_info.bill_due_date", Kind::Text),
    ("additional_info.settlement.bank_account_settlement_id", Kind::Text),
    ("additional_info.settlement.value", Kind::Number),
    ("additional_info.settlement.type", Kind::Text),
    ("additional_info.report.key", Kind::Text),
    ("additional_info.report.value", Kind::Text),
    ("additional_info.hold_settlement", Kind::Flag),
    ("additional_info.account.id", Kind::Text),
    ("additional_info.integration", Kind::Any),
];

/// What only a POST has, and what only a PATCH.
const CREATE_ONLY: [&str; 3] = ["alfa_info", "indomaret_info", "additional_info"];
const CHANGE_ONLY: &str = "online_to_offline_info.status";

/// Which request a body is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// POST.
    Create,
    /// PATCH.
    Change,
}

/// The path of the first field of `body` that is not listed or is of another type; none for a body that is no JSON object, or
/// whose fields all fit.
pub(super) fn misfit(body: &[u8], of: Of) -> Option<String> {
    let Value::Object(body) = serde_json::from_slice(body).ok()? else { return None };
    unlisted(&body, "", of)
}

fn unlisted(object: &Map<String, Value>, section: &str, of: Of) -> Option<String> {
    object.iter().find_map(|(name, value)| {
        let path = if section.is_empty() { name.clone() } else { format!("{section}.{name}") };
        let is_elsewhere = match of {
            Of::Create => path == CHANGE_ONLY,
            Of::Change => CREATE_ONLY.contains(&path.as_str()),
        };
        let field = FIELDS.iter().find(|(known, _)| *known == path);
        let is_section = FIELDS.iter().any(|(known, _)| known.strip_prefix(path.as_str()).is_some_and(|rest| rest.starts_with('.')));
        match (field, value) {
            _ if is_elsewhere => Some(path),
            (Some(_), Value::Null) => None,
            (Some((_, kind)), value) => (!kind.takes(value)).then_some(path),
            (None, Value::Null) if is_section => None,
            (None, Value::Object(inner)) if is_section => unlisted(inner, &path, of),
            (None, Value::Array(entries)) if is_section => entries.iter().find_map(|entry| match entry {
                Value::Object(inner) => unlisted(inner, &path, of),
                _ => Some(path.clone()),
            }),
            (None, _) => Some(path),
        }
    })
}

/// `body` with what DOKU's plugins send made into what its pages list: `info1`, numbers and switches as strings, a code as a
/// number, and keys of one's own in `additional_info`. Anything else stays as it is, for the strict reader.
pub(super) fn evened(body: &Bytes) -> Bytes {
    let Ok(Value::Object(mut fields)) = serde_json::from_slice::<Value>(body) else { return body.clone() };
    if let Some(Value::Object(order)) = fields.get_mut("order") {
        change(order, "amount", amount);
    }
    if let Some(Value::Object(info)) = fields.get_mut("online_to_offline_info") {
        if let Some(shown) = info.remove("info1") {
            info.entry("info").or_insert(shown);
        }
        change(info, "expired_time", whole_number);
        change(info, "reusable_status", switch);
        change(info, "payment_code", |code| code.is_u64().then(|| code.to_string().into()));
    }
    if let Some(Value::Object(additional)) = fields.get_mut("additional_info") {
        let is_listed =
            |key: &str| FIELDS.iter().any(|(known, _)| known.strip_prefix("additional_info.").is_some_and(|rest| top(rest) == key));
        additional.retain(|key, value| is_listed(key) || !(value.is_string() || value.is_number() || value.is_boolean()));
        change(additional, "hold_settlement", switch);
        for share in additional.get_mut("settlement").and_then(Value::as_array_mut).into_iter().flatten() {
            if let Value::Object(share) = share {
                change(share, "value", whole_number);
            }
        }
    }
    serde_json::to_vec(&fields).map_or_else(|_| body.clone(), Bytes::from)
}

fn top(path: &str) -> &str {
    path.split_once('.').map_or(path, |(top, _)| top)
}

fn change(object: &mut Map<String, Value>, name: &str, even: impl Fn(&Value) -> Option<Value>) {
    if let Some(value) = object.get_mut(name)
        && let Some(evened) = even(value)
    {
        *value = evened;
    }
}

fn amount(written: &Value) -> Option<Value> {
    let text = written.as_str().map_or_else(|| written.to_string(), str::to_owned);
    value::decimal(&text).ok().map(|amount| amount.get().into())
}

fn whole_number(written: &Value) -> Option<Value> {
    let text = written.as_str()?;
    let is_whole = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_whole { text.parse::<u64>().ok().map(Into::into) } else { None }
}

fn switch(written: &Value) -> Option<Value> {
    match written {
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true.into()),
            "false" | "0" => Some(false.into()),
            _ => None,
        },
        Value::Number(number) => match number.as_u64()? {
            0 => Some(false.into()),
            1 => Some(true.into()),
            _ => None,
        },
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn even(body: &str) -> Value {
        serde_json::from_slice(&evened(&Bytes::from(body.to_owned()))).unwrap()
    }

    #[test]
    fn what_plugins_send_becomes_what_the_pages_list() {
        let plugin = r#"{"order":{"invoice_number":"I","amount":"150000.00"},
            "online_to_offline_info":{"expired_time":"60","reusable_status":"false","info1":"Thanks","payment_code":73},
            "additional_info":{"method":"Jokul Direct","attempt":1,"integration":{"name":"woocommerce","version":"1.3"},
                "settlement":[{"bank_account_settlement_id":"S","value":"10","type":"PERCENTAGE"}]}}"#;
        let listed = serde_json::json!({"order":{"invoice_number":"I","amount":150_000},
            "online_to_offline_info":{"expired_time":60,"reusable_status":false,"info":"Thanks","payment_code":"73"},
            "additional_info":{"integration":{"name":"woocommerce","version":"1.3"},
                "settlement":[{"bank_account_settlement_id":"S","value":10,"type":"PERCENTAGE"}]}});
        assert_eq!(even(plugin), listed);
    }

    #[test]
    fn what_is_wrong_stays_wrong() {
        for body in [
            r#"{"order":{"amount":"150.000"}}"#,
            r#"{"order":{"amount":1.5}}"#,
            r#"{"online_to_offline_info":{"expired_time":"1h","reusable_status":"no","info":7}}"#,
            r#"{"additional_info":{"own":{"a":1}}}"#,
            r#"{"note":1}"#,
            "[1]",
        ] {
            assert_eq!(even(body), serde_json::from_str::<Value>(body).unwrap(), "{body}");
        }
        assert_eq!(evened(&Bytes::from_static(b"{no")), Bytes::from_static(b"{no"));
    }

    #[test]
    fn the_first_field_that_does_not_fit_is_named() {
        for (body, of, path) in [
            (r#"{"order":{"currency":"IDR"}}"#, Of::Create, Some("order.currency")),
            (r#"{"order":{"amount":"1"}}"#, Of::Create, Some("order.amount")),
            (r#"{"order":7}"#, Of::Create, Some("order")),
            (r#"{"note":null}"#, Of::Create, Some("note")),
            (r#"{"additional_info":{"settlement":[{"account":1}]}}"#, Of::Create, Some("additional_info.settlement.account")),
            (r#"{"additional_info":{"report":["x"]}}"#, Of::Create, Some("additional_info.report")),
            (r#"{"online_to_offline_info":{"status":"ACTIVE"}}"#, Of::Create, Some("online_to_offline_info.status")),
            (r#"{"online_to_offline_info":{"status":"ACTIVE"}}"#, Of::Change, None),
            (r#"{"alfa_info":{}}"#, Of::Change, Some("alfa_info")),
            (r#"{"order":null,"customer":{"name":null},"alfa_info":{"receipt":{}}}"#, Of::Create, None),
            ("[]", Of::Create, None),
        ] {
            assert_eq!(misfit(body.as_bytes(), of).as_deref(), path, "{body}");
        }
    }
}
