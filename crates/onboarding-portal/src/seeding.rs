//! Entering a fleet: all of it or nothing, a batch at a time.

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

/// Records of one statement.
const BATCH: usize = 2000;

/// What became of a fleet that was to be entered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Seeded {
    /// It is there now.
    New(Counts),
    /// It was there before.
    Already,
}

/// How many records of each kind.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Counts(BTreeMap<&'static str, u64>);

impl Counts {
    /// Records of this kind.
    #[must_use]
    pub fn of(&self, kind: Kind) -> u64 {
        self.0.get(kind.path()).copied().unwrap_or_default()
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kinds = [Kind::Company, Kind::Vessel, Kind::Equipment, Kind::User];
        let [companies, vessels, equipment, users] = kinds.map(|kind| self.of(kind));
        write!(f, "{companies} companies, {vessels} vessels, {equipment} pieces of equipment, {users} users")
    }
}

/// Why a fleet was not entered.
#[derive(Debug, thiserror::Error)]
pub enum SeedError {
    /// Two fleets would share IMO numbers, which ships do not.
    #[error("the database holds {0} already: seed {1} into a database of its own")]
    AnotherFleet(String, String),
    /// Records that were entered by people.
    #[error("the database holds records that are of no fleet: seed into an empty database")]
    Occupied,
    /// The database failed.
    #[error(transparent)]
    Database(#[from] DatabaseError),
}

impl From<diesel::result::Error> for SeedError {
    fn from(error: diesel::result::Error) -> Self {
        Self::Database(error.into())
    }
}

/// Whether somebody watches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// A bar, on a terminal.
    Bar,
    /// Nobody does.
    Silent,
}

/// Enters a fleet, in one transaction and in bounded memory.
///
/// # Errors
/// If the database holds something else, or fails.
pub async fn seed(database: &Database, fleet: &Fleet, progress: Progress) -> Result<Seeded, SeedError> {
    let mut connection = database.connection().await?;
    let db: &mut AsyncPgConnection = &mut connection;
    let bar = match progress {
        Progress::Bar => bar(fleet.expected()),
        Progress::Silent => ProgressBar::hidden(),
    };
    let seeded = db
        .transaction(async |db: &mut AsyncPgConnection| {
            // Two who come together: the second finds the fleet of the first.
            db.batch_execute("LOCK TABLE fleets IN SHARE ROW EXCLUSIVE MODE").await?;
            match standing(db).await? {
                Standing::Empty => {}
                Standing::Fleet(name) if name == fleet.name() => return Ok(Seeded::Already),
                Standing::Fleet(name) => return Err(SeedError::AnotherFleet(name, fleet.name())),
                Standing::Other => return Err(SeedError::Occupied),
            }
            let counts = enter_all(db, fleet, &bar).await?;
            sql_query("INSERT INTO fleets (name, seeded_at) VALUES ($1, $2)")
                .bind::<Text, _>(fleet.name())
                .bind::<Timestamptz, _>(Clock::system().now())
                .execute(db)
                .await?;
            Ok(Seeded::New(counts))
        })
        .await;
    bar.finish_and_clear();
    if matches!(seeded, Ok(Seeded::New(_))) {
        // Totals are counted in an index as long as the table is known to be all visible.
        db.batch_execute("VACUUM (ANALYZE) records").await.map_err(DatabaseError::from)?;
    }
    seeded
}

/// Enters a fleet into an empty database; leaves any other as it is.
///
/// # Errors
/// If the database fails.
pub async fn seed_if_empty(database: &Database, fleet: &Fleet) -> Result<(), SeedError> {
    match seed(database, fleet, Progress::Silent).await {
        Ok(Seeded::New(counts)) => tracing::info!(%counts, "seeded {fleet}"),
        Ok(Seeded::Already) | Err(SeedError::AnotherFleet(..) | SeedError::Occupied) => {
            tracing::info!("the database is not empty: nothing was seeded");
        }
        Err(error) => return Err(error),
    }
    Ok(())
}

enum Standing {
    Empty,
    Fleet(String),
    Other,
}

async fn standing(db: &mut AsyncPgConnection) -> Result<Standing, DatabaseError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let fleet: Option<Row> = sql_query("SELECT name FROM fleets").get_result(db).await.optional()?;
    if let Some(Row { name }) = fleet {
        return Ok(Standing::Fleet(name));
    }
    let others = sql_query("SELECT 1 FROM records LIMIT 1").execute(db).await?;
    Ok(if others > 0 { Standing::Other } else { Standing::Empty })
}

async fn enter_all(
    db: &mut AsyncPgConnection,
    fleet: &Fleet,
    bar: &ProgressBar,
) -> Result<Counts, DatabaseError> {
    let (mut counts, mut latest) = (Counts::default(), DateTime::UNIX_EPOCH);
    let now = Clock::system().now();
    let mut entries = fleet.entries().peekable();
    while entries.peek().is_some() {
        let batch: Vec<Entry> = entries.by_ref().take(BATCH).collect();
        enter(db, &batch).await?;
        for entry in &batch {
            *counts.0.entry(entry.kind.path()).or_default() += 1;
            // The one from the future must not hurry all versions after it.
            if entry.updated_at <= now {
                latest = latest.max(entry.updated_at);
            }
        }
        bar.inc(batch.len() as u64);
    }
    changes::versions_reach(db, latest).await?;
    Ok(counts)
}

async fn enter(db: &mut AsyncPgConnection, batch: &[Entry]) -> Result<(), DatabaseError> {
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
        // PostgreSQL's arrays are rectangles: each list travels as a text. Ids have no commas.
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

fn bar(records: u64) -> ProgressBar {
    let style =
        ProgressStyle::with_template("{bar:40} {human_pos}/{human_len} records, {per_sec}, {eta} left")
            .expect("the template is one, as every seeding shows");
    let bar = ProgressBar::new(records).with_style(style);
    bar.enable_steady_tick(Duration::from_millis(250));
    bar
}
