//! Replay jobs as the API shows them.

use contracts::operator as api;
use domain::DeadLetterId;
use store::ledger::replay_jobs::{ReplayItem, ReplayJob};

pub(crate) fn replay_job(it: ReplayJob) -> api::ReplayJob {
    let state = match (it.cancelled_at, it.completed_at) {
        (Some(_), _) => api::ReplayState::Cancelled,
        (None, Some(_)) => api::ReplayState::Completed,
        (None, None) => api::ReplayState::Running,
    };
    api::ReplayJob {
        id: it.id,
        state,
        filter: it.filter,
        requested_by: it.requested_by,
        reason: it.reason,
        rate_per_second: it.rate_per_second,
        created_at: it.created_at,
        completed_at: it.completed_at,
        cancelled_at: it.cancelled_at,
        cancelled_by: it.cancelled_by,
        counts: api::ReplayCounts {
            waiting: it.waiting,
            sent: it.sent,
            succeeded: it.succeeded,
            died: it.died,
            cancelled: it.cancelled,
        },
    }
}

pub(crate) fn replay_item(it: ReplayItem) -> api::ReplayItem {
    api::ReplayItem {
        dead_letter_id: it.dead_letter_id.as_uuid(),
        outcome: it.state.into(),
        died_as: it.died_as.map(DeadLetterId::as_uuid),
        ended_at: it.ended_at,
        reason: it.reason,
    }
}
