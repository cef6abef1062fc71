//! PostgreSQL's values as the ones all stores share, and back.

use std::error::Error;

use bytes::BytesMut;
use tokio_postgres::types::{FromSql, IsNull, ToSql, Type, to_sql_checked};

use crate::ledger::sql::cells::{Cells, Value, ValueRef};
use crate::ledger::sql::fault::Fault;

type Unfit = Box<dyn Error + Sync + Send>;

impl Cells for tokio_postgres::Row {
    fn cell(&self, column: usize) -> Result<ValueRef<'_>, Fault> {
        Ok(self.try_get::<_, Read<'_>>(column)?.0)
    }

    fn name(&self, column: usize) -> &str {
        self.columns().get(column).map_or("?", tokio_postgres::Column::name)
    }
}

fn is_ours(kind: &Type) -> bool {
    [Type::INT8, Type::INT4, Type::BOOL, Type::TEXT, Type::BYTEA].contains(kind)
}

/// A value that was read; true and false are 1 and 0.
struct Read<'r>(ValueRef<'r>);

impl<'r> FromSql<'r> for Read<'r> {
    fn from_sql(kind: &Type, raw: &'r [u8]) -> Result<Self, Unfit> {
        Ok(Self(match *kind {
            Type::INT8 => ValueRef::Integer(i64::from_sql(kind, raw)?),
            Type::INT4 => ValueRef::Integer(i32::from_sql(kind, raw)?.into()),
            Type::BOOL => ValueRef::Integer(bool::from_sql(kind, raw)?.into()),
            Type::TEXT => ValueRef::Text(raw),
            _ => ValueRef::Blob(raw),
        }))
    }

    fn from_sql_null(_: &Type) -> Result<Self, Unfit> {
        Ok(Self(ValueRef::Null))
    }

    fn accepts(kind: &Type) -> bool {
        is_ours(kind)
    }
}

/// A value to be written.
#[derive(Clone, PartialEq)]
pub(super) struct Written(pub(super) Value);

impl std::fmt::Debug for Written {
    /// It may be personal.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("***")
    }
}

impl ToSql for Written {
    fn to_sql(&self, kind: &Type, out: &mut BytesMut) -> Result<IsNull, Unfit> {
        match (&self.0, kind) {
            (Value::Null, _) => Ok(IsNull::Yes),
            (Value::Integer(number), &Type::BOOL) => (*number != 0).to_sql(kind, out),
            (Value::Integer(number), &Type::INT8) => number.to_sql(kind, out),
            (Value::Text(text), &Type::TEXT) => text.to_sql(kind, out),
            (Value::Blob(bytes), &Type::BYTEA) => bytes.to_sql(kind, out),
            (_, kind) => Err(format!("a value does not fit a column of {kind}").into()),
        }
    }

    fn accepts(kind: &Type) -> bool {
        is_ours(kind)
    }

    to_sql_checked!();
}
