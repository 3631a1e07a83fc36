//! Answers to operators' questions, read from the tables of the floors below.

pub mod data_quality;
pub mod gauges;
pub mod labels;
pub mod overview;
pub mod users;
