//! What operators change while the services run.

pub mod role_mappings;
pub mod sync_settings;
