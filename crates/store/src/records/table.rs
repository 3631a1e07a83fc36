//! What a table of records says of itself: columns, natural key, references; and how its columns are bound.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use domain::{Accepted, Finding, RecordType, SourceId, SyncId};

use crate::db::{connection::Db, error::StoreError, statement::Statement};

/// A column that belongs to the onboarding portal.
pub(super) struct Column {
    /// In the table.
    pub(super) name: &'static str,
    /// Its value out of the input `i`, and the row `t` when there is one.
    pub(super) value: Source,
}

pub(super) enum Source {
    Plain,
    /// SQL over `i`.
    Made(&'static str),
    /// SQL over `i` and `t`, for updates only.
    Merged(&'static str),
}

pub(super) const fn column(name: &'static str) -> Column {
    Column { name, value: Source::Plain }
}

impl Column {
    /// The input holds it in another form.
    pub(super) const fn made(self, sql: &'static str) -> Self {
        Self { name: self.name, value: Source::Made(sql) }
    }

    /// An update takes the row's value into account.
    pub(super) const fn merged(self, sql: &'static str) -> Self {
        Self { name: self.name, value: Source::Merged(sql) }
    }

    pub(super) fn inserted(&self) -> String {
        match self.value {
            Source::Plain | Source::Merged(_) => format!("i.{}", self.name),
            Source::Made(sql) => sql.to_owned(),
        }
    }

    pub(super) fn updated(&self) -> String {
        match self.value {
            Source::Plain => format!("i.{}", self.name),
            Source::Made(sql) | Source::Merged(sql) => sql.to_owned(),
        }
    }
}

/// What at most one row of a table may have.
pub(super) struct NaturalKey {
    /// As an expression over the table.
    pub(super) expression: &'static str,
    /// The code of the finding about a record that comes with another's.
    pub(super) code: &'static str,
    /// Where it stands in the record: a JSON pointer.
    pub(super) pointer: &'static str,
    /// Which rows hold theirs, as a condition over the table; the unique index is over the same.
    pub(super) held_while: &'static str,
}

/// What the four tables differ in.
pub(super) trait Table: Sync {
    /// The accepted record.
    type Record: Sync;
    /// The table's name.
    const NAME: &'static str;
    /// What it holds.
    const RECORD_TYPE: RecordType;
    /// Columns of the onboarding portal.
    const COLUMNS: &'static [Column];
    /// Inputs that are no columns, for `made` and `merged`.
    const INPUTS: &'static [&'static str] = &[];
    /// Columns that are set when the row is created, and never again.
    const ONCE: &'static [&'static str] = &[];
    const NATURAL_KEY: Option<NaturalKey> = None;
    /// Whether the table keeps how a record came, in `arrived_as`.
    const KEEPS_PAYLOAD_HASH: bool = false;
    /// Whether the row is critical, as an expression over `t`.
    const IS_CRITICAL: &'static str = "false";

    fn source_id(record: &Self::Record) -> &SourceId;
    fn is_withdrawn(_: &Self::Record) -> bool {
        false
    }
    fn is_critical(_: &Self::Record) -> bool {
        false
    }
    /// What the record claims of the natural key; a record that will not hold it claims nothing.
    fn natural_key(_: &Self::Record) -> Option<&str> {
        None
    }
    /// The ship's own number that the onboarding portal may contradict, as an expression over `t`.
    const SHIPS_NUMBER: &'static str = "NULL::integer";

    /// The vessels that the record belongs to, by their ids in the onboarding portal.
    fn vessel_ids(_: &Self::Record) -> Vec<String> {
        Vec::new()
    }
    /// Why the record cannot go in for what it refers to.
    fn missing_reference(&self, _: &Self::Record) -> Option<Finding> {
        None
    }
    /// What is odd about a record that is to be written, in the light of what we have. `ships`: the ship's own number
    /// of a row that is there.
    fn warnings(&self, _: &Self::Record, _ships: Option<i32>) -> Vec<Finding> {
        Vec::new()
    }
    /// Binds an array each of `COLUMNS`, `INPUTS` and `ONCE`, in that order.
    fn bind<'f>(&'f self, statement: Statement<'f>, rows: &[&'f Accepted<Self::Record>]) -> Statement<'f>;
    /// What is to be done beside: parts of what was written. `written`: row id, record, whether it is new. Returns what
    /// is odd about some rows then.
    fn after(
        &self,
        _: &mut Db,
        _: SyncId,
        _written: &[(uuid::Uuid, &Accepted<Self::Record>, bool)],
        _now: DateTime<Utc>,
    ) -> impl Future<Output = Result<Vec<(uuid::Uuid, Finding)>, StoreError>> + Send {
        async { Ok(Vec::new()) }
    }
}

/// Binds one array per call: a column of all records.
pub(super) struct Arrays<'f, 'r, R> {
    statement: Statement<'f>,
    rows: &'r [R],
}

impl<'f, 'r, R: Copy> Arrays<'f, 'r, R> {
    pub(super) const fn of(statement: Statement<'f>, rows: &'r [R]) -> Self {
        Self { statement, rows }
    }

    pub(super) fn done(self) -> Statement<'f> {
        self.statement
    }

    pub(super) fn add<Type, U>(self, value: impl Fn(R) -> U) -> Self
    where
        diesel::pg::Pg: HasSqlType<Array<Type>>,
        Vec<U>: diesel::serialize::ToSql<Array<Type>, diesel::pg::Pg>,
        U: Send + 'f,
        Type: Send + 'f + 'static,
    {
        let values: Vec<U> = self.rows.iter().map(|row| value(*row)).collect();
        Self { statement: self.statement.bind::<Array<Type>, _>(values), rows: self.rows }
    }

    pub(super) fn text(self, value: impl Fn(R) -> &'f str) -> Self {
        self.add::<Text, _>(value)
    }

    pub(super) fn text_if_any(self, value: impl Fn(R) -> Option<&'f str>) -> Self {
        self.add::<Nullable<Text>, _>(value)
    }

    pub(super) fn number_if_any(self, value: impl Fn(R) -> Option<i32>) -> Self {
        self.add::<Nullable<Int4>, _>(value)
    }
}
