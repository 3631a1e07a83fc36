//! Dead letters and their groups as the API shows them.

use contracts::operator as api;
use domain::{DeadLetterId, SyncId};
use store::ledger::dead_letters::{DeadLetter, DeadLetterGroup};

use crate::saturating::{to_i32, to_i64};

pub(crate) fn dead_letter(it: &DeadLetter) -> api::DeadLetter {
    api::DeadLetter {
        id: it.id.as_uuid(),
        message_id: it.message_id.clone(),
        queue: it.queue.clone(),
        kind: it.kind.clone(),
        class: it.class.into(),
        reason: it.reason.clone(),
        fingerprint: it.fingerprint.clone(),
        record_type: it.record_type.map(Into::into),
        source_id: it.source_id.clone(),
        attempts: to_i32(it.attempts),
        sync_id: it.sync_id.map(SyncId::as_uuid),
        died_at: it.died_at,
        state: it.state.into(),
        replays: to_i32(it.replays),
        replay_of: it.replay_of.map(DeadLetterId::as_uuid),
        replayed_by: it.replayed_by.clone(),
        replayed_at: it.replayed_at,
        trace_id: it.trace_id.clone(),
    }
}

pub(crate) fn dead_letter_group(it: DeadLetterGroup) -> api::DeadLetterGroup {
    api::DeadLetterGroup {
        fingerprint: it.fingerprint,
        queue: it.queue,
        kind: it.kind,
        class: it.class.into(),
        reason: it.reason,
        total: to_i64(it.total),
        dead: to_i64(it.dead),
        first_died_at: it.first_died_at,
        last_died_at: it.last_died_at,
    }
}
