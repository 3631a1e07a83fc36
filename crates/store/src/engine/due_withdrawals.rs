//! Withdrawals that were announced for a time, and are due: the clock carries them out, whether or not the onboarding
//! portal can be reached.

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::RecordType;

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    ledger::findings::findings_clear_code,
    records::table_name,
};

/// Rows of one table that one call withdraws at most: the next call withdraws the others.
const BATCH_LIMIT: i64 = 1000;

/// Withdraws the records whose announced withdrawal is due, and returns how many they are. In a transaction.
pub async fn due_withdrawals_apply(db: &mut Db, now: DateTime<Utc>) -> Result<usize, StoreError> {
    let mut withdrawn = 0;
    for record_type in [RecordType::Vessel, RecordType::Equipment, RecordType::User] {
        // synced_at moves: the withdrawal is the onboarding portal's, and no edit of the maintenance portal.
        let text = format!(
            "WITH due AS (
                 SELECT id FROM {table} WHERE withdrawal_due_at <= $1 ORDER BY source_id LIMIT $2 FOR NO KEY UPDATE
             )
             UPDATE {table} AS t SET status = 'withdrawn', withdrawal_due_at = NULL, updated_at = $1,
                 synced_at = greatest($1, t.synced_at + interval '1 microsecond')
             FROM due WHERE due.id = t.id RETURNING t.source_id",
            table = table_name(record_type)
        );
        let ids: Vec<String> = statement(&text)
            .bind::<Timestamptz, _>(now)
            .bind::<Int8, _>(BATCH_LIMIT)
            .returning::<Text>()
            .load(db)
            .await?;
        findings_clear_code(db, record_type, &ids, "withdrawal_in_future").await?;
        withdrawn += ids.len();
    }
    Ok(withdrawn)
}
