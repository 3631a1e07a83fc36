//! Labels of equipment: what is printed beside the QR symbol.

use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    views::data_quality::vessel_identity,
};

/// The label of a piece of equipment.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct Label {
    /// The code in the QR symbol.
    #[diesel(sql_type = Text)]
    pub qr_code: String,
    /// SFI code.
    #[diesel(sql_type = Text)]
    pub code: String,
    /// Which of several identical units.
    #[diesel(sql_type = Int4)]
    pub unit_number: i32,
    #[diesel(sql_type = Text)]
    pub name: String,
    #[diesel(sql_type = Text)]
    pub vessel_name: String,
    /// Of the vessel, in the onboarding portal.
    #[diesel(sql_type = Text)]
    pub vessel_id: String,
    /// Of the vessel, without the prefix `IMO`.
    #[diesel(sql_type = Text)]
    pub imo_number: String,
}

const LABEL: &str =
    "SELECT e.qr_code, e.code, e.unit_number, e.name, v.name AS vessel_name, v.source_id AS vessel_id,
        v.imo_number
    FROM equipment e JOIN vessels v ON v.id = e.vessel_id";

/// The label of a piece of equipment, by its id here or in the onboarding portal. Withdrawn equipment has a label, too: its
/// code is never used again.
pub async fn label_find(db: &mut Db, id: &str) -> Result<Option<Label>, StoreError> {
    // Both ids may be UUIDs: that of this database counts first.
    let text =
        format!("{LABEL} WHERE e.id = $1 OR e.source_id = $2 ORDER BY e.id = $1 DESC NULLS LAST LIMIT 1");
    let labels: Vec<Label> = statement(&text)
        .bind::<Nullable<Uuid>, _>(id.parse::<uuid::Uuid>().ok())
        .bind::<Text, _>(id)
        .load(db)
        .await?;
    Ok(labels.into_iter().next())
}

/// The labels of a vessel's active equipment, in the order of the codes; the vessel by its IMO number, or by its id here or
/// in the onboarding portal. None if there is no such vessel.
pub async fn label_list(db: &mut Db, vessel: &str) -> Result<Option<Vec<Label>>, StoreError> {
    let Some(vessel) = vessel_identity(db, vessel).await? else { return Ok(None) };
    let text = format!(
        "{LABEL} WHERE e.vessel_id = $1 AND e.status = 'active' ORDER BY e.code, e.unit_number, e.source_id"
    );
    Ok(Some(statement(&text).bind::<Uuid, _>(vessel.id).load(db).await?))
}
