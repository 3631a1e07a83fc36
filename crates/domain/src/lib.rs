#![doc = include_str!("../README.md")]

mod canonical_json;
pub mod clock;
pub mod company;
pub mod conflict;
pub mod cron;
pub mod equipment;
pub mod failure;
pub mod finding;
pub mod ids;
pub mod last_write_wins;
pub mod near_miss;
pub mod outcome;
pub mod record_type;
pub mod retry;
pub mod role_mapping;
pub mod run;
pub mod task;
pub mod temporary_password;
pub mod user;
pub mod values;
pub mod version;
pub mod vessel;
pub mod vocabulary;
pub mod webhook_event;
pub mod webhook_refusal;

pub use failure::FailureClass;
pub use finding::{Accepted, Finding, Rejection, Rules, Severity};
pub use ids::{ConflictId, DeadLetterId, RefusedWebhookId, SourceId, SyncId, TaskId, WebhookEventId};
pub use outcome::{Outcome, RecordCounts};
pub use record_type::RecordType;
pub use run::{Cause, Mode, Phase, Scope, Slice, SyncState};
pub use task::TaskState;
pub use version::{ContentHash, Version};
pub use webhook_event::WebhookState;
pub use webhook_refusal::WebhookRefusal;
