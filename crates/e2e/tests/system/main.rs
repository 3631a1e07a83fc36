//! What the system does when nothing fails: each test a system of its own, every service a process, looked at from
//! outside.

mod approvals;
mod clock;
mod conflicts;
mod conformance;
mod full_sync;
mod metrics;
mod passwords;
mod portal_check;
mod rights;
mod single_process;
mod tokens;
mod traces;
mod transcript;
mod webhooks;
