#![doc = include_str!("../README.md")]

mod account;
mod daemon;
mod messages;
mod operator;
mod portal;
mod schema;
mod system;
mod webhook;

pub use account::{Account, RECORD_TYPES, is_balanced};
pub use daemon::{Daemon, program};
pub use messages::Message;
pub use operator::{Operator, Updates};
pub use portal::{Kind, Portal};
pub use system::{Fleet, PATIENCE, Setup, System};
pub use webhook::Webhook;
