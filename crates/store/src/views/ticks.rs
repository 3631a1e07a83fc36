//! What became of the ticks of schedules.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{SyncId, tick::TickOutcome};

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    page::{Page, Window, count_of, page_load},
    statement::{Statement, statement},
};

/// A time at which a schedule was due, and what came of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Tick {
    pub schedule: String,
    pub due_at: DateTime<Utc>,
    pub outcome: TickOutcome,
    /// Why it started no sync.
    pub detail: Option<String>,
    /// The sync that it started, or for which it was skipped.
    pub sync_id: Option<SyncId>,
    /// When a scheduler handled it.
    pub fired_at: DateTime<Utc>,
}

/// Which ticks to list; empty lists and absent times do not filter.
#[derive(Debug, Clone, Default)]
pub struct TickFilter {
    pub schedules: Vec<String>,
    pub outcomes: Vec<TickOutcome>,
    /// Due at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Due before this time.
    pub until: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    schedule: String,
    #[diesel(sql_type = Timestamptz)]
    due_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    outcome: String,
    #[diesel(sql_type = Nullable<Text>)]
    detail: Option<String>,
    #[diesel(sql_type = Nullable<Uuid>)]
    sync_id: Option<uuid::Uuid>,
    #[diesel(sql_type = Timestamptz)]
    fired_at: DateTime<Utc>,
}

impl TryFrom<Row> for Tick {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            outcome: word("schedule_ticks", "outcome", row.due_at, &row.outcome)?,
            schedule: row.schedule,
            due_at: row.due_at,
            detail: row.detail,
            sync_id: row.sync_id.map(SyncId::from_uuid),
            fired_at: row.fired_at,
        })
    }
}

/// Ticks, the last due first.
pub async fn tick_list(
    db: &mut Db,
    filter: &TickFilter,
    window: Window<DateTime<Utc>>,
) -> Result<Page<Tick>, StoreError> {
    let rows = format!(
        "SELECT schedule, due_at, outcome, detail, sync_id, fired_at FROM schedule_ticks
         WHERE {} AND ($5 IS NULL OR due_at < $5) ORDER BY due_at DESC, schedule LIMIT $6 OFFSET $7",
        TickFilter::CONDITION
    );
    let rows = filter.bind(&rows).bind::<Nullable<Timestamptz>, _>(window.after);
    let total = count_of(format_args!("schedule_ticks WHERE {}", TickFilter::CONDITION));
    page_load::<Row, _, _>(db, rows, filter.bind(&total), &window).await
}

/// The last tick of each schedule that has one.
pub async fn last_ticks(db: &mut Db) -> Result<Vec<Tick>, StoreError> {
    let rows: Vec<Row> = statement(
        "SELECT t.schedule, t.due_at, t.outcome, t.detail, t.sync_id, t.fired_at FROM schedules s
         CROSS JOIN LATERAL (SELECT * FROM schedule_ticks WHERE schedule = s.name ORDER BY due_at DESC LIMIT 1) t",
    )
    .load(db)
    .await?;
    rows.into_iter().map(Tick::try_from).collect()
}

/// How many ticks were missed since a schedule that is on last started a sync: none once it has started one again.
pub async fn missed_ticks_standing(db: &mut Db) -> Result<u64, StoreError> {
    // The words stand in the text, so that the index of missed ticks is used.
    let text = format!(
        "SELECT count(*) FROM schedule_ticks t JOIN schedules s ON s.name = t.schedule
         WHERE s.enabled AND t.outcome = '{}' AND t.due_at > s.updated_at AND NOT EXISTS (
             SELECT FROM schedule_ticks later
             WHERE later.schedule = t.schedule AND later.due_at > t.due_at AND later.outcome = '{}')",
        TickOutcome::Missed,
        TickOutcome::Started
    );
    let missed: i64 = statement(&text).returning::<Int8>().get_result(db).await?;
    Ok(count(missed))
}

impl TickFilter {
    const CONDITION: &'static str =
        "(cardinality($1) = 0 OR outcome = ANY($1)) AND ($2 IS NULL OR due_at >= $2)
        AND ($3 IS NULL OR due_at < $3) AND (cardinality($4) = 0 OR schedule = ANY($4))";

    /// A statement with the parameters of the condition, the first four.
    fn bind<'f>(&'f self, text: &'f str) -> Statement<'f> {
        statement(text)
            .bind::<Array<Text>, _>(self.outcomes.iter().map(|it| it.as_str()).collect::<Vec<_>>())
            .bind::<Nullable<Timestamptz>, _>(self.from)
            .bind::<Nullable<Timestamptz>, _>(self.until)
            .bind::<Array<Text>, _>(self.schedules.iter().map(String::as_str).collect::<Vec<_>>())
    }
}
