//! The trait `Table`: in what the four tables of records differ, and how their columns are bound as arrays.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use domain::{Accepted, Finding, RecordType, SourceId, revocation::Revoked};
use serde_json::{Map, Value};

use crate::{
    db::{connection::Db, error::StoreError, parameter::Parameter, statement::Statement},
    records::write_stamp::WriteStamp,
};

/// A column that belongs to the onboarding portal.
pub(super) struct Column {
    pub(super) name: &'static str,
    pub(super) value: ColumnValue,
}

/// Where the value of a column comes from. In SQL `i` is the input, `t` the row of the table.
pub(super) enum ColumnValue {
    /// The input column of the same name.
    Input,
    /// An expression over `i`; no input column has the name.
    Computed(&'static str),
    /// The input column on insert; on update an expression over `i` and `t`.
    Merged(&'static str),
}

pub(super) const fn column(name: &'static str) -> Column {
    Column { name, value: ColumnValue::Input }
}

impl Column {
    pub(super) const fn computed(self, sql: &'static str) -> Self {
        Self { name: self.name, value: ColumnValue::Computed(sql) }
    }

    pub(super) const fn merged(self, sql: &'static str) -> Self {
        Self { name: self.name, value: ColumnValue::Merged(sql) }
    }

    pub(super) fn insert_expression(&self) -> String {
        match self.value {
            ColumnValue::Input | ColumnValue::Merged(_) => format!("i.{}", self.name),
            ColumnValue::Computed(sql) => sql.to_owned(),
        }
    }

    pub(super) fn update_expression(&self) -> String {
        match self.value {
            ColumnValue::Input => format!("i.{}", self.name),
            ColumnValue::Computed(sql) | ColumnValue::Merged(sql) => sql.to_owned(),
        }
    }
}

/// A value that at most one row of a table may have.
pub(super) struct NaturalKey {
    /// The key as an expression over the table.
    pub(super) expression: &'static str,
    /// The code of the finding about a record whose key is taken.
    pub(super) code: &'static str,
    /// Place of the key in the record, a JSON pointer.
    pub(super) pointer: &'static str,
    /// Condition of the unique index: only rows that meet it hold their key.
    pub(super) index_predicate: &'static str,
}

/// What a record wants of the natural key of its table.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum KeyClaim<'a> {
    /// This key, whatever its row has.
    Wants(&'a str),
    /// The key that its row has.
    Keeps,
    /// None: its row will not meet the index predicate.
    GivesUp,
}

impl<'a> KeyClaim<'a> {
    pub(super) const fn wanted(self) -> Option<&'a str> {
        match self {
            Self::Wants(key) => Some(key),
            Self::Keeps | Self::GivesUp => None,
        }
    }
}

/// A row that a batch has written.
pub(super) struct WrittenRow<'a, R> {
    pub(super) id: uuid::Uuid,
    pub(super) accepted: &'a Accepted<R>,
    /// The row was inserted, not updated.
    pub(super) is_new: bool,
}

/// A table of records: its columns, natural key and references.
pub(super) trait Table: Sync {
    type Record: Sync;
    const NAME: &'static str;
    const RECORD_TYPE: RecordType;
    /// Columns of the onboarding portal.
    const COLUMNS: &'static [Column];
    /// Inputs that are no columns, for the expressions of computed and merged columns.
    const EXTRA_INPUTS: &'static [&'static str] = &[];
    /// Columns that are set when the row is inserted and belong to the maintenance portal afterwards.
    const INSERT_ONLY: &'static [&'static str] = &[];
    /// Those of [`COLUMNS`](Self::COLUMNS) that follow from others and from settings: never restored from an earlier row.
    const DERIVED: &'static [&'static str] = &[];
    const NATURAL_KEY: Option<NaturalKey> = None;
    /// Whether the column `arrived_as` keeps the payload hash, so that an identical record is not even parsed.
    const KEEPS_PAYLOAD_HASH: bool = false;
    /// Whether the row is critical, as an expression over `t`.
    const IS_CRITICAL: &'static str = "false";
    /// A counter that the ship keeps and the onboarding portal may contradict, as an expression over `t`.
    const SHIP_COUNTER: &'static str = "NULL::integer";

    fn source_id(record: &Self::Record) -> &SourceId;

    fn is_withdrawn(_: &Self::Record) -> bool {
        false
    }

    /// What the record takes away, even if it is rejected.
    fn revoked(record: &Self::Record, _now: DateTime<Utc>) -> Option<Revoked> {
        Self::is_withdrawn(record).then_some(Revoked::Approval)
    }

    fn is_critical(_: &Self::Record) -> bool {
        false
    }

    /// What the record wants of its natural key.
    fn natural_key(_: &Self::Record) -> KeyClaim<'_> {
        KeyClaim::GivesUp
    }

    /// The vessels that the record belongs to, by their ids in the onboarding portal.
    fn vessel_ids(_: &Self::Record) -> Vec<SourceId> {
        Vec::new()
    }

    /// The finding that rejects the record if a row that it refers to is missing.
    fn missing_reference(&self, _: &Self::Record) -> Option<Finding> {
        None
    }

    /// Warnings about a record that is being written. `ship_counter` is that of its row, if there is one.
    fn warnings(&self, _: &Self::Record, _ship_counter: Option<i32>) -> Vec<Finding> {
        Vec::new()
    }

    /// What belongs to the record in other tables, by table and id: a side of a conflict holds it, too.
    fn dependents(_: &Self::Record) -> Map<String, Value> {
        Map::new()
    }

    /// The same of rows, by row id.
    fn dependents_read(
        _: &mut Db,
        _rows: Vec<uuid::Uuid>,
    ) -> impl Future<Output = Result<HashMap<uuid::Uuid, Map<String, Value>>, StoreError>> + Send {
        async { Ok(HashMap::new()) }
    }

    /// Binds one array for each of `COLUMNS` (computed ones excepted), `EXTRA_INPUTS` and `INSERT_ONLY`, in that order.
    fn bind_columns<'f>(
        &'f self,
        statement: Statement<'f>,
        rows: &[&'f Accepted<Self::Record>],
    ) -> Statement<'f>;

    /// Writes what depends on the rows: parts, schedules, passwords. Returns warnings by row id.
    fn after_write(
        &self,
        _: &mut Db,
        _: WriteStamp,
        _written: &[WrittenRow<'_, Self::Record>],
    ) -> impl Future<Output = Result<Vec<(uuid::Uuid, Finding)>, StoreError>> + Send {
        async { Ok(Vec::new()) }
    }
}

/// Binds one array per call: the values of one column in all rows.
pub(super) struct ColumnArrays<'f, 'r, R> {
    statement: Statement<'f>,
    rows: &'r [R],
}

impl<'f, 'r, R: Copy> ColumnArrays<'f, 'r, R> {
    pub(super) const fn new(statement: Statement<'f>, rows: &'r [R]) -> Self {
        Self { statement, rows }
    }

    pub(super) fn into_statement(self) -> Statement<'f> {
        self.statement
    }

    pub(super) fn bind<Type, U>(self, value: impl Fn(R) -> U) -> Self
    where
        diesel::pg::Pg: HasSqlType<Array<Type>>,
        Vec<U>: Parameter<Array<Type>>,
        <Vec<U> as Parameter<Array<Type>>>::Storable: 'f,
        Type: Send + 'f + 'static,
    {
        let values: Vec<U> = self.rows.iter().map(|row| value(*row)).collect();
        Self { statement: self.statement.bind::<Array<Type>, _>(values), rows: self.rows }
    }

    pub(super) fn bind_text(self, value: impl Fn(R) -> &'f str) -> Self {
        self.bind::<Text, _>(value)
    }

    pub(super) fn bind_optional_text(self, value: impl Fn(R) -> Option<&'f str>) -> Self {
        self.bind::<Nullable<Text>, _>(value)
    }

    pub(super) fn bind_optional_int(self, value: impl Fn(R) -> Option<i32>) -> Self {
        self.bind::<Nullable<Int4>, _>(value)
    }
}
