#![doc = include_str!("../README.md")]

mod circuit;
mod client;
mod connection_test;
mod error;
mod page;

pub use circuit::{CircuitOptions, CircuitState};
pub use client::{ListedRecord, PortalClient, PortalOptions};
pub use connection_test::ConnectionStep;
pub use error::PortalError;
pub use page::{Decoded, RecordsPage, UnreadPage, UnreadRecord, VesselRecords};
