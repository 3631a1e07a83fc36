//! What holds while a version is replaced by the next: messages of both on one queue.

mod messages;
