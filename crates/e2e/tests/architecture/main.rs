//! The architecture, held by tests: the arrows between crates, the floors of the store, no circles between files; and the
//! documents that point into it.

mod crates;
mod files;
mod imports;
mod links;
mod metrics;
