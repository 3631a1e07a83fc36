#![doc = include_str!("../README.md")]

mod answer;
mod circuit;
mod client;
mod connection_test;
mod error;

pub use answer::{Decoded, RecordsPage, UnreadPage, UnreadRecord, VesselRecords};
pub use circuit::{CircuitOptions, CircuitState};
pub use client::{ListedRecord, PortalClient, PortalOptions};
pub use connection_test::ConnectionStep;
pub use error::PortalError;
