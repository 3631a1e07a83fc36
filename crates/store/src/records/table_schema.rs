//! The shape of each table of records, for whoever restores rows.

use domain::RecordType;

use crate::records::{companies, equipment, table::Table, users, vessels};

/// What may be restored of a table's rows.
pub(crate) struct Shape {
    /// Its name.
    pub(crate) table: &'static str,
    /// Its columns of the onboarding portal.
    pub(crate) columns: Vec<&'static str>,
    /// The natural key that a row of that name holds, as an expression; null if it holds none.
    pub(crate) key: Option<fn(&str) -> String>,
}

/// The shape of the table of these records.
pub(crate) fn shape(record_type: RecordType) -> Shape {
    fn of<T: Table>(key: Option<fn(&str) -> String>) -> Shape {
        Shape { table: T::NAME, columns: T::COLUMNS.iter().map(|it| it.name).collect(), key }
    }
    match record_type {
        RecordType::Company => of::<companies::Companies>(None),
        RecordType::Vessel => of::<vessels::Vessels>(Some(|row| {
            format!("CASE WHEN {row}.status = 'active' THEN {row}.imo_number END")
        })),
        RecordType::Equipment => of::<equipment::EquipmentTable>(Some(|row| format!("{row}.qr_code"))),
        RecordType::User => of::<users::Users<'_>>(Some(|row| {
            format!("CASE WHEN {row}.status = 'active' THEN lower({row}.email) END")
        })),
    }
}

/// Where records of a type stand.
pub(crate) const fn table_of(record_type: RecordType) -> &'static str {
    match record_type {
        RecordType::Company => "companies",
        RecordType::Vessel => "vessels",
        RecordType::Equipment => "equipment",
        RecordType::User => "users",
    }
}
