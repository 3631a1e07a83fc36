//! Answers to operators' questions, read from the tables of the floors below. Writes nothing.

pub mod analytics;
pub mod data_quality;
pub mod gauges;
pub mod labels;
pub mod overview;
pub mod parts;
mod record_conditions;
pub mod record_names;
pub mod records;
pub mod scope;
pub mod search;
pub mod sync_ends;
pub mod sync_writes;
pub mod ticks;
pub mod timeline;
pub mod users;
pub mod vessels;
