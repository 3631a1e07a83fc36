//! Seeding: inserts a fleet into an empty database, in one transaction and in batches.

use std::{collections::BTreeMap, fmt, time::Duration};

use chrono::{DateTime, Utc};
use diesel::{
    OptionalExtension, QueryableByName, sql_query,
    sql_types::{Array, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl, SimpleAsyncConnection};
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    clock::Clock,
    database::{Database, DatabaseError},
    fleet::{Entry, Fleet},
    records::{Kind, changes},
};

/// Records per INSERT.
const BATCH_SIZE: usize = 2000;

/// Result of seeding.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seeded {
    Inserted(RecordCounts),
    /// The database held this fleet already.
    AlreadyThere,
}

/// Number of records of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RecordCounts(BTreeMap<&'static str, u64>);

impl RecordCounts {
    #[must_use]
    pub fn of(&self, kind: Kind) -> u64 {
        self.0.get(kind.path()).copied().unwrap_or_default()
    }
}

impl fmt::Display for RecordCounts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [Kind::Company, Kind::Vessel, Kind::Equipment, Kind::User];
        let [companies, vessels, equipment, users] = kinds.map(|kind| self.of(kind));
        write!(f, "{companies} companies, {vessels} vessels, {equipment} pieces of equipment, {users} users")
    }
}

/// Why a fleet was not inserted.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Fleets share IMO numbers, which must be unique.
    #[error("the database holds {0} already: seed {1} into a database of its own")]
    AnotherFleet(String, String),
    #[error("the database holds records that people entered: seed into an empty database")]
    Occupied,
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<diesel::result::Error> for SeedError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// How progress is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    Bar,
    Silent,
}

/// Inserts a fleet in one transaction and in bounded memory. Refuses a database that holds anything else.
pub async fn seed(
    database: &Database,
    fleet: &Fleet,
    progress: Progress,
    clock: &Clock,
) -> Result<Seeded, SeedError> {
    let mut connection = database.connection().await?;
    let db: &mut AsyncPgConnection = &mut connection;
    let bar = match progress {
        Progress::Bar => progress_bar(fleet.expected()),
        Progress::Silent => ProgressBar::hidden(),
    };
    let seeded = db
        .transaction(async |db: &mut AsyncPgConnection| {
            // Of two processes that seed at once the second waits here, and then finds the fleet.
            db.batch_execute("LOCK TABLE fleets IN SHARE ROW EXCLUSIVE MODE").await?;
            match database_content(db).await? {
                DatabaseContent::Empty => {}
                DatabaseContent::Fleet(name) if name == fleet.name() => return Ok(Seeded::AlreadyThere),
                DatabaseContent::Fleet(name) => return Err(SeedError::AnotherFleet(name, fleet.name())),
                DatabaseContent::Other => return Err(SeedError::Occupied),
            }
            let counts = insert_fleet(db, fleet, clock.now(), &bar).await?;
            sql_query("INSERT INTO fleets (name, seeded_at) VALUES ($1, $2)")
                .bind::<Text, _>(fleet.name())
                .bind::<Timestamptz, _>(clock.now())
                .execute(db)
                .await?;
            Ok(Seeded::Inserted(counts))
        })
        .await;
    bar.finish_and_clear();
    if matches!(seeded, Ok(Seeded::Inserted(_))) {
        // Totals are counted by an index-only scan, which needs the visibility map that VACUUM writes.
        db.batch_execute("VACUUM (ANALYZE) records").await.map_err(DatabaseError::from)?;
    }
    seeded
}

/// Inserts a fleet into an empty database; leaves a database that holds anything as it is.
pub async fn seed_if_empty(database: &Database, fleet: &Fleet, clock: &Clock) -> Result<(), SeedError> {
    match seed(database, fleet, Progress::Silent, clock).await {
        Ok(Seeded::Inserted(counts)) => tracing::info!(%counts, "seeded {fleet}"),
        Ok(Seeded::AlreadyThere) | Err(SeedError::AnotherFleet(..) | SeedError::Occupied) => {
            tracing::info!("the database is not empty: nothing was seeded");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

enum DatabaseContent {
    Empty,
    Fleet(String),
    Other,
}

async fn database_content(db: &mut AsyncPgConnection) -> Result<DatabaseContent, DatabaseError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let fleet: Option<Row> = sql_query("SELECT name FROM fleets").get_result(db).await.optional()?;
    if let Some(Row { name }) = fleet {
        return Ok(DatabaseContent::Fleet(name));
    }
    let others = sql_query("SELECT 1 FROM records LIMIT 1").execute(db).await?;
    Ok(if others > 0 { DatabaseContent::Other } else { DatabaseContent::Empty })
}

async fn insert_fleet(
    db: &mut AsyncPgConnection,
    fleet: &Fleet,
    now: DateTime<Utc>,
    bar: &ProgressBar,
) -> Result<RecordCounts, DatabaseError> {
    let (mut counts, mut latest) = (RecordCounts::default(), DateTime::UNIX_EPOCH);
    let mut entries = fleet.entries().peekable();
    while entries.peek().is_some() {
        let batch: Vec<Entry> = entries.by_ref().take(BATCH_SIZE).collect();
        insert_batch(db, &batch).await?;
        for entry in &batch {
            *counts.0.entry(entry.kind.path()).or_default() += 1;
            // The record with a version in the future must not advance the versions of later changes.
            if entry.updated_at <= now {
                latest = latest.max(entry.updated_at);
            }
        }
        bar.inc(batch.len() as u64);
    }
    changes::advance_versions(db, latest).await?;
    Ok(counts)
}

async fn insert_batch(db: &mut AsyncPgConnection, batch: &[Entry]) -> Result<(), DatabaseError> {
    let column = |of: fn(&Entry) -> &str| batch.iter().map(of).collect::<Vec<_>>();
    let text = "INSERT INTO records (kind, id, state, company_id, vessel_ids, updated_at, document)
                SELECT kind, id, state, company_id, string_to_array(vessel_ids, ','), updated_at, document::json
                FROM unnest($1, $2, $3, $4, $5, $6, $7)
                    AS entered (kind, id, state, company_id, vessel_ids, updated_at, document)";
    sql_query(text)
        .bind::<Array<Text>, _>(column(|entry| entry.kind.word()))
        .bind::<Array<Text>, _>(column(|entry| &entry.document.id))
        .bind::<Array<Text>, _>(column(|entry| entry.state.word()))
        .bind::<Array<Nullable<Text>>, _>(
            batch.iter().map(|entry| entry.document.company_id.as_deref()).collect::<Vec<_>>(),
        )
        // PostgreSQL's arrays are rectangular, so each list is passed as a text. Ids contain no commas.
        .bind::<Array<Text>, _>(
            batch.iter().map(|entry| entry.document.vessel_ids.join(",")).collect::<Vec<_>>(),
        )
        .bind::<Array<Timestamptz>, _>(
            batch.iter().map(|entry| entry.updated_at).collect::<Vec<DateTime<Utc>>>(),
        )
        .bind::<Array<Text>, _>(column(|entry| &entry.document.text))
        .execute(db)
        .await?;
    Ok(())
}

fn progress_bar(records: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} records, {per_sec}, {eta} left")
            .expect("the template is valid");
    let bar = ProgressBar::new(records).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
