//! The store on a real PostgreSQL: a database of its own for each test, no broker and no worker.

mod last_write_wins;
mod migrations;
