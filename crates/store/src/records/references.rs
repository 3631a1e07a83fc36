//! Rows of other tables that a record refers to.

use std::collections::{BTreeSet, HashMap};

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::SourceId;

use crate::db::{connection::Db, error::StoreError, statement::statement};

/// The row ids of records of another table, by their source ids.
pub(super) async fn row_ids_read(
    db: &mut Db,
    table: &str,
    source_ids: impl Iterator<Item = &SourceId> + Send,
) -> Result<HashMap<String, uuid::Uuid>, StoreError> {
    let wanted: BTreeSet<&str> = source_ids.map(SourceId::as_str).collect();
    if wanted.is_empty() {
        return Ok(HashMap::new());
    }
    let text = format!("SELECT source_id, id FROM {table} WHERE source_id = ANY($1)");
    let rows: Vec<(String, uuid::Uuid)> = statement(&text)
        .bind::<Array<Text>, _>(wanted.into_iter().collect::<Vec<_>>())
        .returning::<(Text, Uuid)>()
        .load(db)
        .await?;
    Ok(rows.into_iter().collect())
}
