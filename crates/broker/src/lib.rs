#![doc = include_str!("../README.md")]

mod bundle;
mod connection;
mod consumer;
mod consumer_channel;
mod dead_letters;
mod delivery;
mod error;
mod headers;
mod message;
mod prefetch;
mod publisher;
mod settlement;
mod topology;
mod trace_context;
mod updates;

pub use connection::Broker;
pub use consumer::{consume, consume_batches};
pub use dead_letters::{DeadMessage, archive_dead_letters};
pub use delivery::{Delivery, Disposition};
pub use error::BrokerError;
pub use message::{OutgoingMessage, Replay};
pub use prefetch::Prefetch;
pub use publisher::Publisher;
pub use topology::Queue;
pub use trace_context::current_trace_context;
pub use updates::{ReadFrom, StreamUpdate, Updates};
