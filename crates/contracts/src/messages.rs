//! The messages of RabbitMQ: generated from `proto-schemas/sms/sync/v1`, carried as ProtoJSON so that they are
//! legible in any RabbitMQ tool.

use serde::{Serialize, de::DeserializeOwned};

#[expect(
    missing_docs,
    reason = "the comments stand in the .proto files, which prost copies where there are any"
)]
#[expect(
    clippy::allow_attributes,
    clippy::allow_attributes_without_reason,
    clippy::map_err_ignore,
    reason = "what the generators write"
)]
mod generated {
    include!(concat!(env!("OUT_DIR"), "/sms.sync.v1.rs"));
    include!(concat!(env!("OUT_DIR"), "/sms.sync.v1.serde.rs"));
}

pub use generated::{
    ApprovalEvent, BundledMessage, ConflictNotice, DeadLetterEnvelope, DeadLetterNotice, HealthNotice,
    MessageBundle, PageOfRecords, RecordCounts, RecordType, SettingsNotice, SyncCommand, SyncProgress,
    SyncTask, SyncUpdate, TaskCounts, WebhookNotice, sync_update,
};

/// A message with a name of its own. The name travels as the AMQP `type` and never changes.
pub trait Message: Serialize + DeserializeOwned {
    /// Full name of the proto message.
    const KIND: &'static str;

    /// The body, as ProtoJSON.
    fn encode(&self) -> Vec<u8> {
        serde_json::to_vec(self).expect("generated messages have string keys only, and so always serialize")
    }

    /// Reads a body. A message of another kind, or one that is not what its kind says, is an error that says so: it is
    /// data, to be put aside, and never a reason to stop.
    fn decode(kind: &str, body: &[u8]) -> Result<Self, DecodeError> {
        if kind != Self::KIND {
            return Err(DecodeError::Kind { expected: Self::KIND, found: kind.to_owned() });
        }
        serde_json::from_slice(body).map_err(|source| DecodeError::Body { kind: Self::KIND, source })
    }
}

/// Why a message cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not the kind of message that travels on this queue.
    #[error("expected a message of kind {expected}, found {found:?}")]
    Kind {
        /// What the queue carries.
        expected: &'static str,
        /// What the AMQP `type` says.
        found: String,
    },
    /// The body is not the ProtoJSON of its kind.
    #[error("the body is not a {kind}")]
    Body {
        /// What it claims to be.
        kind: &'static str,
        /// Where it fails.
        #[source]
        source: serde_json::Error,
    },
}

impl Message for ApprovalEvent {
    const KIND: &'static str = "sms.sync.v1.ApprovalEvent";
}
impl Message for MessageBundle {
    const KIND: &'static str = "sms.sync.v1.MessageBundle";
}
impl Message for SyncCommand {
    const KIND: &'static str = "sms.sync.v1.SyncCommand";
}
impl Message for SyncTask {
    const KIND: &'static str = "sms.sync.v1.SyncTask";
}
impl Message for SyncUpdate {
    const KIND: &'static str = "sms.sync.v1.SyncUpdate";
}
impl Message for DeadLetterEnvelope {
    const KIND: &'static str = "sms.sync.v1.DeadLetterEnvelope";
}

impl From<domain::RecordType> for RecordType {
    fn from(it: domain::RecordType) -> Self {
        match it {
            domain::RecordType::Company => Self::Company,
            domain::RecordType::Vessel => Self::Vessel,
            domain::RecordType::Equipment => Self::Equipment,
            domain::RecordType::User => Self::User,
        }
    }
}

impl TryFrom<RecordType> for domain::RecordType {
    type Error = UnknownRecordType;

    fn try_from(it: RecordType) -> Result<Self, UnknownRecordType> {
        match it {
            RecordType::Company => Ok(Self::Company),
            RecordType::Vessel => Ok(Self::Vessel),
            RecordType::Equipment => Ok(Self::Equipment),
            RecordType::User => Ok(Self::User),
            RecordType::Unspecified => Err(UnknownRecordType),
        }
    }
}

/// The message names a kind of record that this version does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the message names no kind of record, or one that this version does not know")]
pub struct UnknownRecordType;

#[cfg(test)]
mod tests {
    use std::{fs, path::Path};

    use super::*;

    fn fixture(name: &str) -> Vec<u8> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../proto-schemas/fixtures/v1").join(name);
        fs::read(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
    }

    fn keeps_decoding<M: Message + PartialEq + std::fmt::Debug>(name: &str) {
        let recorded = fixture(name);
        let message = M::decode(M::KIND, &recorded).unwrap();
        let again: serde_json::Value = serde_json::from_slice(&message.encode()).unwrap();
        let recorded: serde_json::Value = serde_json::from_slice(&recorded).unwrap();
        assert_eq!(again, recorded, "what was recorded and what is written today differ");
    }

    #[test]
    fn a_recorded_approval_event_keeps_decoding() {
        keeps_decoding::<ApprovalEvent>("approval_event.json");
    }

    #[test]
    fn a_recorded_message_bundle_keeps_decoding() {
        keeps_decoding::<MessageBundle>("message_bundle.json");
    }

    #[test]
    fn a_recorded_sync_command_keeps_decoding() {
        keeps_decoding::<SyncCommand>("sync_command.json");
    }

    #[test]
    fn a_recorded_sync_task_keeps_decoding() {
        keeps_decoding::<SyncTask>("sync_task.json");
    }

    #[test]
    fn a_recorded_sync_update_keeps_decoding() {
        keeps_decoding::<SyncUpdate>("sync_update.json");
    }

    #[test]
    fn a_recorded_dead_letter_envelope_keeps_decoding() {
        keeps_decoding::<DeadLetterEnvelope>("dead_letter_envelope.json");
    }

    #[test]
    fn a_field_that_this_version_does_not_know_is_ignored() {
        let mut newer: serde_json::Value = serde_json::from_slice(&fixture("sync_task.json")).unwrap();
        newer["invented"] = "later".into();
        SyncTask::decode(SyncTask::KIND, &serde_json::to_vec(&newer).unwrap()).unwrap();
    }

    #[test]
    fn a_kind_of_record_that_this_version_does_not_know_is_told_apart() {
        let mut newer: serde_json::Value = serde_json::from_slice(&fixture("sync_task.json")).unwrap();
        newer["recordType"] = "RECORD_TYPE_CERTIFICATE".into();
        let task = SyncTask::decode(SyncTask::KIND, &serde_json::to_vec(&newer).unwrap()).unwrap();
        assert_eq!(domain::RecordType::try_from(task.record_type()), Err(UnknownRecordType));
    }

    #[test]
    fn garbage_and_a_message_of_another_kind_are_errors_that_say_so() {
        assert!(matches!(SyncTask::decode(SyncTask::KIND, b"\xff\x00"), Err(DecodeError::Body { .. })));
        let found = SyncTask::decode(SyncCommand::KIND, b"{}").unwrap_err();
        insta::assert_snapshot!(found, @r#"expected a message of kind sms.sync.v1.SyncTask, found "sms.sync.v1.SyncCommand""#);
    }
}
