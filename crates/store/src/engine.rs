//! What a sync does inside its transactions.

pub mod conflicts;
pub mod control;
pub mod dry_run;
pub mod phases;
pub mod reconcile;
pub mod undo;
