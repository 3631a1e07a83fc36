//! The store on a real PostgreSQL: a database of its own for each test, no broker and no worker.
//!
//! One binary, because each one links diesel and TLS anew. Start with `scene.rs`.

mod audit;
mod conflicts;
mod control;
mod gauges;
mod last_write_wins;
mod lifecycle;
mod migrations;
mod natural_keys;
mod older_states;
mod page_turns;
mod passwords;
mod portal_slots;
mod publications;
mod reconcile;
mod records;
mod rejections;
mod replays;
mod retention;
mod revocations;
mod scene;
mod search;
mod settings;
mod sync_writes;
mod ticks;
mod timeline;
mod undo;
mod vocabularies;
mod webhook_events;
