//! The chain of the audit log: the hash of each row covers its columns and the hash of its predecessor.
//!
//! The database appends to the chain, by triggers (`migrations/maintenance/…_audit_chain`). Here it is verified, with hashes that
//! are computed anew: who can change rows can change functions of the database, too. The chain has two ends in the row of
//! `audit_chain`: the newest row, so that missing newest rows show, and the anchor, the last row that [`audit_purge`] has
//! deleted. Who owns the database can still write a whole chain anew; so a [`ChainPlace`] that was noted elsewhere is compared.

use std::{fmt, str::FromStr};

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use sha2::{Digest, Sha256};

use crate::db::{
    connection::Db,
    error::{StoreError, count},
    statement::statement,
};

/// Rows that are verified at a time.
const BATCH: i64 = 1000;

/// A place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ChainPlace {
    /// Counted from 1, without gaps. 0 is the place before the first row.
    pub position: u64,
    /// SHA-256.
    pub hash: Vec<u8>,
}

/// `position:hash`, as it is noted elsewhere.
impl fmt::Display for ChainPlace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.position, hex::encode(&self.hash))
    }
}

/// A text that names no place of a chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected a position and 64 hexadecimal digits, as POSITION:HASH")]
pub struct NoChainPlace;

impl FromStr for ChainPlace {
    type Err = NoChainPlace;

    fn from_str(text: &str) -> Result<Self, NoChainPlace> {
        let place = || {
            let (position, hash) = text.split_once(':')?;
            let hash = hex::decode(hash).ok().filter(|hash| hash.len() == 32)?;
            Some(Self { position: position.parse().ok()?, hash })
        };
        place().ok_or(NoChainPlace)
    }
}

/// What is wrong with a chain, where it is wrong first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ChainBreak {
    /// A row is not as it was appended.
    Changed { position: u64, id: u64 },
    /// A row does not follow its predecessor: one of the two was put there.
    Unlinked { position: u64, id: u64 },
    /// Rows are missing, from this place on.
    Missing { position: u64 },
    /// A row has no place in the chain, or one beyond its end.
    Added { id: u64 },
    /// The place that was noted elsewhere has another hash, or there is none any more: the chain was written anew.
    Rewritten { position: u64 },
}

impl fmt::Display for ChainBreak {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Changed { position, id } => write!(f, "row {id}, at position {position}, was changed"),
            Self::Unlinked { position, id } => {
                write!(f, "row {id}, at position {position}, does not follow its predecessor")
            }
            Self::Missing { position } => write!(f, "rows are missing from position {position} on"),
            Self::Added { id } => write!(f, "row {id} was added without the chain"),
            Self::Rewritten { position } => {
                write!(f, "position {position} has another hash than was noted: the chain was written anew")
            }
        }
    }
}

/// Result of verifying the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub enum ChainVerdict {
    /// Every row is as it was appended, and none is missing.
    Intact {
        /// Rows that were verified.
        rows: u64,
        /// The last row that was purged; position 0 if none was.
        anchor: ChainPlace,
        /// The newest row: to be noted elsewhere.
        end: ChainPlace,
    },
    Broken(ChainBreak),
    /// The noted place was purged: the chain itself is intact.
    NotedPlacePurged {
        anchor: ChainPlace,
    },
}

/// Both ends of the chain.
#[derive(QueryableByName)]
struct Ends {
    #[diesel(sql_type = Int8)]
    position: i64,
    #[diesel(sql_type = Binary)]
    hash: Vec<u8>,
    #[diesel(sql_type = Int8)]
    anchor_position: i64,
    #[diesel(sql_type = Binary)]
    anchor_hash: Vec<u8>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Int8)]
    id: i64,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    actor: String,
    #[diesel(sql_type = Text)]
    action: String,
    #[diesel(sql_type = Text)]
    subject: String,
    /// As PostgreSQL writes it, which the hash is of.
    #[diesel(sql_type = Text)]
    detail: String,
    #[diesel(sql_type = Nullable<Text>)]
    trace_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    request_id: Option<String>,
    #[diesel(sql_type = Int8)]
    position: i64,
    #[diesel(sql_type = Nullable<Binary>)]
    previous_hash: Option<Vec<u8>>,
    #[diesel(sql_type = Nullable<Binary>)]
    hash: Option<Vec<u8>>,
}

impl Row {
    /// As `audit_hash` of the migration computes it.
    fn hash_after(&self, previous: &[u8]) -> Vec<u8> {
        let mut digest = Sha256::new();
        digest.update(previous);
        let at = self.at.format("%Y-%m-%dT%H:%M:%S%.6fZ").to_string();
        let id = self.id.to_string();
        let given = [&id, &at, &self.actor, &self.action, &self.subject, &self.detail].map(Some);
        for part in given.into_iter().chain([self.trace_id.as_ref(), self.request_id.as_ref()]) {
            match part {
                None => digest.update((-1_i32).to_be_bytes()),
                Some(text) => {
                    digest.update(i32::try_from(text.len()).unwrap_or(i32::MAX).to_be_bytes());
                    digest.update(text.as_bytes());
                }
            }
        }
        digest.finalize().to_vec()
    }
}

/// Verifies every row of the audit log, and a place that was noted at an earlier time. In a transaction of its own, on one
/// snapshot: rows that are appended meanwhile do not disturb it.
pub async fn audit_verify(db: &mut Db, noted: Option<&ChainPlace>) -> Result<ChainVerdict, StoreError> {
    statement("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY").execute(db).await?;
    let ends: Ends = statement("SELECT position, hash, anchor_position, anchor_hash FROM audit_chain")
        .get_result(db)
        .await?;
    let anchor = ChainPlace { position: count(ends.anchor_position), hash: ends.anchor_hash };
    let end = ChainPlace { position: count(ends.position), hash: ends.hash };
    let (mut last, mut rows) = (anchor.clone(), 0);
    let mut noted_hash = (noted.map(|it| it.position) == Some(anchor.position)).then(|| anchor.hash.clone());
    loop {
        let batch = rows_after(db, last.position).await?;
        if batch.is_empty() {
            break;
        }
        for row in batch {
            if let Some(broken) = break_at(&row, &last, &end) {
                return Ok(ChainVerdict::Broken(broken));
            }
            last = ChainPlace { position: count(row.position), hash: row.hash.unwrap_or_default() };
            rows += 1;
            if noted.map(|it| it.position) == Some(last.position) {
                noted_hash = Some(last.hash.clone());
            }
        }
    }
    if last != end {
        return Ok(ChainVerdict::Broken(ChainBreak::Missing { position: last.position + 1 }));
    }
    if let Some(id) = row_outside_chain(db, anchor.position).await? {
        return Ok(ChainVerdict::Broken(ChainBreak::Added { id }));
    }
    Ok(match noted {
        Some(noted) if noted.position < anchor.position => ChainVerdict::NotedPlacePurged { anchor },
        Some(noted) if noted_hash.as_ref() != Some(&noted.hash) => {
            ChainVerdict::Broken(ChainBreak::Rewritten { position: noted.position })
        }
        _ => ChainVerdict::Intact { rows, anchor, end },
    })
}

/// What is wrong with a row after `last`.
fn break_at(row: &Row, last: &ChainPlace, end: &ChainPlace) -> Option<ChainBreak> {
    let (position, id) = (count(row.position), count(row.id));
    if position != last.position + 1 {
        return Some(ChainBreak::Missing { position: last.position + 1 });
    }
    if position > end.position {
        return Some(ChainBreak::Added { id });
    }
    if row.previous_hash.as_ref() != Some(&last.hash) {
        return Some(ChainBreak::Unlinked { position, id });
    }
    (row.hash != Some(row.hash_after(&last.hash))).then_some(ChainBreak::Changed { position, id })
}

async fn rows_after(db: &mut Db, position: u64) -> Result<Vec<Row>, StoreError> {
    Ok(statement(
        "SELECT id, at, actor, action, subject, detail::text AS detail, trace_id, request_id, position, previous_hash,
             hash
         FROM audit WHERE position > $1 ORDER BY position LIMIT $2",
    )
    .bind::<Int8, _>(i64::try_from(position).unwrap_or(i64::MAX))
    .bind::<Int8, _>(BATCH)
    .load(db)
    .await?)
}

/// A row without a place, or with one that was purged.
async fn row_outside_chain(db: &mut Db, anchor: u64) -> Result<Option<u64>, StoreError> {
    let ids: Vec<i64> =
        statement("SELECT id FROM audit WHERE position IS NULL OR position <= $1 ORDER BY id LIMIT 1")
            .bind::<Int8, _>(i64::try_from(anchor).unwrap_or(i64::MAX))
            .returning::<Int8>()
            .load(db)
            .await?;
    Ok(ids.into_iter().next().map(count))
}

/// Least days that rows of the audit log are kept. The database refuses less, so that whoever may purge cannot erase what was
/// just done.
pub const AUDIT_DAYS_MIN: i64 = 365;

/// Deletes the oldest rows, those older than `days` by the database's clock, at most `limit`, and returns their number. The
/// hash of the last one becomes the chain's anchor, from which the rest is verified. In a transaction.
pub async fn audit_purge(db: &mut Db, days: i64, limit: u32) -> Result<u64, StoreError> {
    let purged: i64 = statement("SELECT audit_retention($1, $2)")
        .bind::<Int8, _>(days)
        .bind::<Int8, _>(i64::from(limit))
        .returning::<Int8>()
        .get_result(db)
        .await?;
    Ok(count(purged))
}
