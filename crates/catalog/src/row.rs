//! Rows of tables, and where their values came from.

use fairzarr_nbo::record::{Object, OriginKind};
use rusqlite::types::Value;
use rusqlite::{Connection, params, params_from_iter};

/// The store that rows are written for.
pub(crate) struct Writer<'t> {
    pub(crate) db: &'t Connection,
    pub(crate) store: i64,
}

/// A column with its value.
pub(crate) type Cell<'a> = (&'a str, Value);

impl Writer<'_> {
    /// Adds a row; its number.
    pub(crate) fn add(&self, table: &str, cells: &[Cell<'_>]) -> rusqlite::Result<i64> {
        let names: Vec<&str> = cells.iter().map(|(name, _)| *name).collect();
        let marks = vec!["?"; cells.len()].join(", ");
        let statement = format!("INSERT INTO {table} ({}) VALUES ({marks})", names.join(", "));
        self.db
            .prepare_cached(&statement)?
            .execute(params_from_iter(cells.iter().map(|(_, value)| value)))?;
        Ok(self.db.last_insert_rowid())
    }

    /// Writes down how a value of the record came about, unless a source says it in these words.
    pub(crate) fn origin(
        &self,
        (table, row, column): (&str, i64, &str),
        object: Option<&Object>,
        field: &str,
    ) -> rusqlite::Result<()> {
        let Some(object) = object else { return Ok(()) };
        let Some(found) = object.field(field).filter(|found| found.origin.kind != OriginKind::Explicit)
        else {
            return Ok(());
        };
        let said_as = format!("{}@{field}", object.class);
        let insert = "INSERT INTO origins VALUES (?, ?, ?, ?, ?, ?, ?)";
        let values =
            params![self.store, table, row, column, said_as, found.origin.kind.name(), found.origin.from];
        self.db.prepare_cached(insert)?.execute(values)?;
        Ok(())
    }
}

/// A text, or nothing.
pub(crate) fn text(value: Option<&str>) -> Value {
    value.map_or(Value::Null, |text| Value::Text(text.to_owned()))
}

/// A finite number, or nothing.
pub(crate) fn real(value: Option<f64>) -> Value {
    value.filter(|value| value.is_finite()).map_or(Value::Null, Value::Real)
}

/// A whole number, or nothing.
pub(crate) fn whole(value: Option<u64>) -> Value {
    value.and_then(|value| i64::try_from(value).ok()).map_or(Value::Null, Value::Integer)
}

/// The number of another row, or nothing.
pub(crate) fn row(value: Option<i64>) -> Value {
    value.map_or(Value::Null, Value::Integer)
}
