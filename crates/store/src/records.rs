//! Records: writing a page of companies, vessels, equipment or users into its table.
//!
//! A page takes few statements over arrays, however many records it has:
//!
//! 1. One select compares versions, without locks. Unchanged records end here: they cost one comparison.
//! 2. Changed records form a batch. Known rows are locked in the order of their ids (so that two workers cannot
//!    deadlock) and decided again under the lock (so that they cannot race): last write wins, and the value that loses
//!    is kept as a conflict. New rows are inserted.
//! 3. A record whose row another worker wrote first, or whose natural key the batch sets free, goes through another
//!    round. A batch that the database refuses is halved until the refused record stands alone.
//! 4. Findings about written records are replaced.
//!
//! A page is written inside the caller's transaction. What the task, the sync and its phases make of the outcomes is
//! the business of [`crate::engine`]: nothing here reads or writes their rows.
//!
//! Start with `apply.rs` (a page), then `batch.rs` (rounds) and `row_change.rs` (what a record does to its row). What a
//! table differs in stands in `table.rs` and in a file per table; the statements that write rows in `write.rs`.

mod apply;
mod batch;
mod batch_result;
mod companies;
mod equipment;
mod equipment_parts;
mod field_differences;
mod natural_keys;
mod new_conflicts;
mod password_claims;
mod references;
mod rejected_records;
mod revocations;
mod row_change;
mod snapshot;
mod stored_version;
mod table;
mod table_schema;
mod taken_qr_codes;
mod user_roles;
mod users;
mod vessels;
mod write;
mod write_stamp;

pub use apply::{AppliedRecord, counts_of};
pub use companies::companies_apply;
pub use equipment::equipment_apply;
pub(crate) use equipment_parts::{
    CRITICAL_PARTS, MAINTENANCE_SCHEDULES, PART_TABLES, PartTable, parts_replace,
};
pub(crate) use field_differences::{field_differences, provider_form};
pub use password_claims::{
    PasswordClaim, PasswordReissue, UserId, expired_passwords_purge, user_password_claim,
    user_password_reissue,
};
pub use rejected_records::rejections_apply;
pub use snapshot::{EquipmentSnapshot, equipment_snapshot_read};
pub(crate) use table_schema::{TableSchema, table_name, table_schema};
pub(crate) use user_roles::{role_given_by_hand, roles_derive};
pub use users::{
    NewPassword, user_passwords_supply, users_active_without_password, users_apply, users_without_password,
};
pub(crate) use vessels::vessel_of_each_company;
pub use vessels::{company_has_vessels, vessel_ids_by_imo, vessel_ids_known, vessels_apply};
pub(crate) use write::{STATE_COLUMNS, row_image_sql};
pub use write_stamp::WriteStamp;
