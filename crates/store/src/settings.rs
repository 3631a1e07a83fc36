//! What operators change while the services run: each kind with a version and an audit entry for every change.

pub mod conflict_policies;
pub mod role_mappings;
pub mod schedules;
pub mod sync_settings;
