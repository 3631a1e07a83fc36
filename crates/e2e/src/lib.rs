#![doc = include_str!("../README.md")]

mod daemon;
mod environment;
mod messages;
mod operator;
mod portal;
mod shell;
mod system;
mod tally;
mod webhook;

pub use daemon::{Daemon, program};
pub use environment::{ONBOARDING_ADMIN_KEY, PATIENCE};
pub use messages::Message;
pub use operator::{Operator, Updates};
pub use portal::{Kind, Portal};
pub use system::{Fleet, SERVICES, Setup, System, amqp_url_of};
pub use tally::{RECORD_TYPES, Tally, is_balanced};
pub use webhook::Webhook;
