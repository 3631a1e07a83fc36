#![doc = include_str!("../README.md")]

mod body;
mod circuit;
mod client;
mod config;
mod connection_test;
mod error;
mod frame;
mod listed_record;
mod outcome;
mod page;
mod record;

pub use circuit::{CircuitOptions, CircuitState};
pub use client::{PortalClient, PortalOptions};
pub use config::PortalConfig;
pub use connection_test::ConnectionStep;
pub use error::PortalError;
pub use listed_record::ListedRecord;
pub use outcome::RequestOutcome;
pub use page::{DecodedPage, RawPage, RawRecord, VesselRecords};
pub use record::{Decoded, Undecodable};
