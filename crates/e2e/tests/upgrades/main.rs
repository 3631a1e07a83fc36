//! What holds while a version is replaced by the next: messages of both on one queue, and migrations under load.

mod messages;
mod migrations;
