//! Records: how a page of companies, vessels, equipment or users goes into its table.
//!
//! A page takes few statements over arrays, whatever its length. First one select compares versions, without locks:
//! what is unchanged costs no more than that. What is to be written over is locked in the order of its ids (so that two
//! workers cannot deadlock) and decided again under the lock (so that they cannot race): last write wins. What is new
//! is inserted; a row that somebody else was faster with, or whose natural key the page sets free, goes round again.
//!
//! What the tables say of themselves stands in `table.rs` and a file each; the statements that write in `write.rs`.

mod apply;
mod batch;
mod batch_result;
mod companies;
mod equipment;
mod equipment_parts;
mod natural_keys;
mod new_conflicts;
mod references;
mod snapshot;
mod stored_version;
mod table;
mod table_schema;
mod users;
mod vessels;
mod write;

pub use apply::{Applied, counts_of};
pub use companies::companies_apply;
pub use equipment::equipment_apply;
pub(crate) use equipment_parts::PARTS_OF_EQUIPMENT;
pub use snapshot::{EquipmentSnapshot, equipment_snapshot_read};
pub(crate) use table_schema::{Shape, shape, table_of};
pub use users::{
    NewPassword, PasswordClaim, UserId, user_password_claim, users_apply, users_without_password,
};
pub(crate) use vessels::vessels_of_company;
pub use vessels::{vessel_ids_by_imo, vessel_ids_known, vessels_apply};
pub(crate) use write::image;
