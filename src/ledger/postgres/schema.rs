//! Are the tables those that this program makes?

use std::collections::BTreeMap;

use super::server::SCHEMA;
use super::session::Session;
use crate::ledger::sql::cells::required;
use crate::ledger::sql::fault::Fault;

/// What the newest schema consists of, a line each, as a server lists it.
const OURS: &str = include_str!("../schema/postgres/objects.txt");

/// Columns, constraints, indexes, triggers and what these run, each with what it says; no text names the schema.
const OBJECTS: &str = "SELECT 'column ' || relname || '.' || attname, format_type(atttypid, atttypmod) || CASE WHEN attnotnull THEN ' not null' \
    ELSE '' END || COALESCE(' collate ' || collname, '') FROM pg_attribute JOIN pg_class ON pg_class.oid = attrelid \
    LEFT JOIN pg_collation ON pg_collation.oid = attcollation \
    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname::text = $1::text) AND relkind = 'r' AND attnum > 0 AND NOT attisdropped \
    UNION ALL SELECT 'constraint ' || conname, pg_get_constraintdef(pg_constraint.oid) FROM pg_constraint \
    WHERE connamespace = (SELECT oid FROM pg_namespace WHERE nspname::text = $1::text) AND contype <> 'n' \
    UNION ALL SELECT 'index ' || indexname, replace(indexdef, ' ON ' || $1::text || '.', ' ON ') FROM pg_indexes WHERE schemaname::text = $1::text \
    UNION ALL SELECT 'index out of use ' || pg_class.relname, 'yes' FROM pg_index JOIN pg_class ON pg_class.oid = indexrelid \
    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname::text = $1::text) AND NOT (indisvalid AND indisready AND indislive) \
    UNION ALL SELECT 'row policy, rule or heir of ' || relname, 'yes' FROM pg_class \
    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname::text = $1::text) AND (relrowsecurity OR relhasrules OR relhassubclass) \
    UNION ALL SELECT 'function ' || proname, md5(prosrc) FROM pg_proc \
    WHERE pronamespace = (SELECT oid FROM pg_namespace WHERE nspname::text = $1::text) \
    UNION ALL SELECT 'trigger ' || tgname, tgtype::text || ' ' || tgenabled::text FROM pg_trigger JOIN pg_class ON pg_class.oid = tgrelid \
    WHERE relnamespace = (SELECT oid FROM pg_namespace WHERE nspname::text = $1::text) AND NOT tgisinternal";

/// What the schema consists of, by name.
pub(super) async fn objects(session: &Session) -> Result<BTreeMap<String, String>, Fault> {
    let rows = session.query(OBJECTS, &[&SCHEMA]).await?;
    rows.iter().map(|row| Ok((required(row, 0)?.to_owned(), required(row, 1)?.to_owned()))).collect()
}

/// What is otherwise than this program makes it, in words.
pub(super) async fn differences(session: &Session) -> Result<Vec<String>, Fault> {
    let mut wanted: BTreeMap<&str, &str> = OURS.lines().filter_map(|line| line.split_once(": ")).collect();
    let mut found = Vec::new();
    for (name, text) in objects(session).await? {
        match wanted.remove(name.as_str()) {
            Some(of_ours) if of_ours == text => {}
            Some(_) => found.push(format!("the {name} is not as this program makes it")),
            None => found.push(format!("there is a {name} that this program does not make")),
        }
    }
    found.extend(wanted.into_keys().map(|name| format!("the {name} is missing")));
    Ok(found)
}
