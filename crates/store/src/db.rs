//! Connections, transactions, statements, migrations and locks: what every table needs. Knows no table.

pub(crate) mod advisory_locks;
pub(crate) mod connection;
pub(crate) mod error;
pub mod leader;
pub mod migrations;
pub(crate) mod page;
pub(crate) mod page_turn;
pub(crate) mod parameter;
pub(crate) mod service_roles;
pub(crate) mod statement;
