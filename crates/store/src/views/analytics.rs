//! Reads what `engine/analytics.rs` has counted.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    RecordType,
    analytics::{Measure, WindowWidth},
};

use crate::db::{
    connection::Db,
    error::{StoreError, word},
    statement::statement,
};

/// Which counts are read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountFilter {
    pub width: WindowWidth,
    /// The first window.
    pub from: DateTime<Utc>,
    /// After the last window.
    pub until: DateTime<Utc>,
    /// Of this type alone, and what has no type.
    pub record_type: Option<RecordType>,
    /// Of this vessel alone, by its id in the onboarding portal.
    pub vessel_id: Option<String>,
}

/// How often something happened in a window.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WindowCount {
    pub starts_at: DateTime<Utc>,
    pub measure: Measure,
    /// None for what has no type.
    pub record_type: Option<RecordType>,
    /// Of syncs: mode, cause and state, with slashes between; of their seconds: the mode; of records: the outcome; of findings:
    /// the code; of attempts: the class. Else empty.
    pub key: String,
    /// Of seconds; else 0.
    pub bucket: i16,
    pub count: u64,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Timestamptz)]
    starts_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    measure: String,
    #[diesel(sql_type = Text)]
    record_type: String,
    #[diesel(sql_type = Text)]
    key: String,
    #[diesel(sql_type = Int2)]
    bucket: i16,
    #[diesel(sql_type = Int8)]
    count: i64,
}

/// The counts of a time, by window; and until when everything is counted, if anything is.
pub async fn analytics_read(
    db: &mut Db,
    filter: &CountFilter,
) -> Result<(Vec<WindowCount>, Option<DateTime<Utc>>), StoreError> {
    let until: Vec<DateTime<Utc>> =
        statement("SELECT counted_until FROM analytics_progress").returning::<Timestamptz>().load(db).await?;
    let rows: Vec<Row> = statement(
        "SELECT starts_at, measure, record_type, key, bucket, count FROM analytics
         WHERE width = $1 AND vessel_id = $2 AND measure = ANY($3) AND starts_at >= $4 AND starts_at < $5
           AND ($6 IS NULL OR record_type IN ('', $6))
         ORDER BY starts_at, measure, record_type, key, bucket",
    )
    .bind::<Text, _>(filter.width.as_str())
    .bind::<Text, _>(filter.vessel_id.as_deref().unwrap_or_default())
    // So that the index is read from its beginning.
    .bind::<Array<Text>, _>(Measure::ALL.iter().map(|it| it.as_str()).collect::<Vec<_>>())
    .bind::<Timestamptz, _>(filter.from)
    .bind::<Timestamptz, _>(filter.until)
    .bind::<Nullable<Text>, _>(filter.record_type.map(|it| it.as_str()))
    .load(db)
    .await?;
    let count = |row: Row| {
        let id = row.starts_at;
        Ok(WindowCount {
            measure: word("analytics", "measure", id, &row.measure)?,
            record_type: match row.record_type.as_str() {
                "" => None,
                text => Some(word("analytics", "record_type", id, text)?),
            },
            starts_at: id,
            key: row.key,
            bucket: row.bucket,
            count: row.count.unsigned_abs(),
        })
    };
    Ok((rows.into_iter().map(count).collect::<Result<_, StoreError>>()?, until.as_slice().first().copied()))
}
