//! summary.json against the schema that lies beside it; a validator of just the keywords that schema uses.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use super::{reconciled, summary, world};

/// Where `value` breaks `schema`; `root` resolves references.
pub(super) fn faults(root: &Value, schema: &Value, value: &Value, at: &str) -> Vec<String> {
    let mut faults: Vec<String> = Vec::new();
    for (keyword, rule) in schema.as_object().unwrap() {
        match keyword.as_str() {
            "$ref" => faults.extend(self::faults(root, root.pointer(&rule.as_str().unwrap()[1..]).unwrap(), value, at)),
            "type" => {
                let allowed = rule.as_array().cloned().unwrap_or_else(|| vec![rule.clone()]);
                if !allowed.iter().any(|kind| is_of(value, kind.as_str().unwrap())) {
                    faults.push(format!("{at}: {value} is no {rule}"));
                }
            }
            "required" => {
                let missing = rule.as_array().unwrap().iter().filter(|key| value.get(key.as_str().unwrap()).is_none());
                faults.extend(missing.map(|key| format!("{at}: {key} is missing")));
            }
            "additionalProperties" => {
                for (key, inner) in value.as_object().into_iter().flatten() {
                    if schema["properties"].get(key).is_some() {
                        continue;
                    }
                    if rule == &json!(false) {
                        faults.push(format!("{at}: {key} is not in the schema"));
                    } else {
                        faults.extend(self::faults(root, rule, inner, &format!("{at}/{key}")));
                    }
                }
            }
            "properties" => {
                for (key, rule) in rule.as_object().unwrap() {
                    if let Some(inner) = value.get(key) {
                        faults.extend(self::faults(root, rule, inner, &format!("{at}/{key}")));
                    }
                }
            }
            "items" => {
                for inner in value.as_array().into_iter().flatten() {
                    faults.extend(self::faults(root, rule, inner, at));
                }
            }
            "oneOf" => {
                let fits = rule.as_array().unwrap().iter().filter(|rule| self::faults(root, rule, value, at).is_empty()).count();
                if fits != 1 {
                    faults.push(format!("{at}: {value} fits {fits} of the alternatives"));
                }
            }
            "const" if rule != value => faults.push(format!("{at}: {value} is not {rule}")),
            "enum" if !rule.as_array().unwrap().contains(value) => faults.push(format!("{at}: {value} is none of {rule}")),
            "minimum" if value.as_i64().unwrap_or(0) < rule.as_i64().unwrap() => faults.push(format!("{at}: {value} is below {rule}")),
            "pattern" if !is_hexadecimal(rule.as_str().unwrap(), value.as_str().unwrap_or_default()) => {
                faults.push(format!("{at}: {value}"));
            }
            "const" | "enum" | "minimum" | "pattern" | "description" | "title" | "format" | "$schema" | "$id" | "$defs" => {}
            other => panic!("the schema uses `{other}`, which this validator does not know"),
        }
    }
    faults
}

fn is_of(value: &Value, kind: &str) -> bool {
    match kind {
        "object" => value.is_object(),
        "array" => value.is_array(),
        "string" => value.is_string(),
        "integer" => value.is_i64() || value.is_u64(),
        "boolean" => value.is_boolean(),
        "null" => value.is_null(),
        other => panic!("{other}"),
    }
}

/// The only pattern in use: so many hexadecimal digits.
fn is_hexadecimal(pattern: &str, text: &str) -> bool {
    let length: usize = pattern.strip_prefix("^[0-9a-f]{").unwrap().strip_suffix("}$").unwrap().parse().unwrap();
    text.len() == length && text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte))
}

#[test]
fn every_summary_obeys_the_schema_beside_it_key_by_key() {
    let world = world();
    reconciled(&world, "log.jsonl", "en", "report");
    let shipped = fs::read(world.path("report/summary.schema.json")).unwrap();
    assert!(shipped == fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/schema/summary.schema.json")).unwrap());
    let schema: Value = serde_json::from_slice(&shipped).unwrap();
    let summary = summary(&world.path("report"));
    assert_eq!(faults(&schema, &schema, &summary, ""), Vec::<String>::new());
}

#[test]
fn the_validator_finds_what_is_wrong() {
    let world = world();
    reconciled(&world, "log.jsonl", "en", "report");
    let good = summary(&world.path("report"));
    let schema: Value = serde_json::from_slice(&fs::read(world.path("report/summary.schema.json")).unwrap()).unwrap();
    for (pointer, wrong) in [
        ("/period/zone", json!("UTC")),
        ("/run_id", json!("XYZ")),
        ("/lines/N00/count", json!(-1)),
        ("/lines/N00/amount", json!("1")),
        ("/identities/0/holds", json!(null)),
        ("/ledger/kind", json!("other")),
        ("/inputs/0", json!({})),
    ] {
        let mut bad = good.clone();
        *bad.pointer_mut(pointer).unwrap() = wrong;
        assert!(!faults(&schema, &schema, &bad, "").is_empty(), "{pointer}");
    }
    let mut more = good.clone();
    more["surprise"] = json!(1);
    let mut less = good;
    less.as_object_mut().unwrap().remove("flags");
    assert!(!faults(&schema, &schema, &more, "").is_empty() && !faults(&schema, &schema, &less, "").is_empty());
}
