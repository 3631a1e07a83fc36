//! Names of records for people, without personal data.

use std::collections::HashMap;

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::RecordType;

use crate::db::{connection::Db, error::StoreError, statement::statement};

/// The names of these records as they stand now, by their ids in the onboarding portal. Users have none: their names are
/// personal data.
pub async fn record_names(
    db: &mut Db,
    record_type: RecordType,
    source_ids: &[&str],
) -> Result<HashMap<String, String>, StoreError> {
    let text = match record_type {
        RecordType::Company => "SELECT source_id, name FROM companies WHERE source_id = ANY($1)",
        RecordType::Vessel => {
            "SELECT source_id, name || ' (IMO ' || imo_number || ')' FROM vessels WHERE source_id = ANY($1)"
        }
        RecordType::Equipment => {
            "SELECT e.source_id, e.code || '/' || e.unit_number || ' ' || e.name || ' of ' || v.name
             FROM equipment e JOIN vessels v ON v.id = e.vessel_id WHERE e.source_id = ANY($1)"
        }
        RecordType::User => return Ok(HashMap::new()),
    };
    if source_ids.is_empty() {
        return Ok(HashMap::new());
    }
    let rows: Vec<(String, String)> = statement(text)
        .bind::<Array<Text>, _>(source_ids.to_vec())
        .returning::<(Text, Text)>()
        .load(db)
        .await?;
    Ok(rows.into_iter().collect())
}
