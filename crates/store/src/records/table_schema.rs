//! The schema of each table of records, for the engine, which restores and withdraws rows of all of them.

use domain::RecordType;

use crate::records::{companies, equipment, table::Table, users, vessels};

/// The part of a table that an undo or a resolved conflict may write.
pub(crate) struct TableSchema {
    pub(crate) table: &'static str,
    /// Columns of the onboarding portal, without those that are derived when a row is written ([`roles_derive`]).
    ///
    /// [`roles_derive`]: crate::records::roles_derive
    pub(crate) columns: Vec<&'static str>,
    /// SQL of the natural key of a row, by the row's alias; null for a row that holds none.
    pub(crate) natural_key: Option<fn(&str) -> String>,
}

pub(crate) fn table_schema(record_type: RecordType) -> TableSchema {
    fn schema_of<T: Table>(natural_key: Option<fn(&str) -> String>) -> TableSchema {
        TableSchema {
            table: T::NAME,
            columns: T::COLUMNS
                .iter()
                .map(|column| column.name)
                .filter(|name| !T::DERIVED.contains(name))
                .collect(),
            natural_key,
        }
    }
    match record_type {
        RecordType::Company => schema_of::<companies::Companies>(None),
        RecordType::Vessel => schema_of::<vessels::Vessels>(Some(|row| {
            format!("CASE WHEN {row}.status = 'active' THEN {row}.imo_number END")
        })),
        RecordType::Equipment => schema_of::<equipment::EquipmentTable>(Some(|row| format!("{row}.qr_code"))),
        RecordType::User => schema_of::<users::Users<'_>>(Some(|row| {
            format!("CASE WHEN {row}.status = 'active' THEN lower({row}.email) END")
        })),
    }
}

pub(crate) const fn table_name(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::Company => "companies",
        RecordType::Vessel => "vessels",
        RecordType::Equipment => "equipment",
        RecordType::User => "users",
    }
}
