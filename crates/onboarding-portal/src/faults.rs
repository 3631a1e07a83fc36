//! Faults of the provider API on demand, for tests and demonstrations. Only in development, and none until somebody
//! adds one.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use actix_web::http::StatusCode;
use chassis::problem::Problem;
use contracts::provider::ListQuery;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tokio::time::Instant;
use utoipa::ToSchema;

use crate::records::listing::{RenderedExport, RenderedPage};

/// Kind of fault.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum FaultKind {
    /// Answers 500.
    ServerError,
    /// Answers 503 with `Retry-After`.
    Unavailable,
    /// Answers 429 with `Retry-After`.
    TooManyRequests,
    /// Answers correctly after `delayMs`.
    Slow,
    /// Sends only the first half of the correct answer.
    TruncatedJson,
    /// Gives one field of each record a wrong type.
    WrongTypes,
    /// Returns the requested cursor as the next one; the first page is correct.
    LoopingCursor,
    /// Returns the first page, whatever the cursor.
    RepeatedPage,
}

/// A fault, and which requests it affects.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fault {
    kind: FaultKind,
    /// `vessels`, `equipment`, `users` or `export`; if absent, all four.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// Number of requests that are answered correctly first.
    #[serde(default)]
    skip: u32,
    /// Number of requests that the fault affects; if absent, all until the fault ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<u32>,
    /// The fault ends after this many seconds; if absent, when it is removed.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u32>,
    /// Value of `Retry-After`.
    #[serde(default = "default_retry_after_seconds")]
    retry_after_seconds: u32,
    /// Delay of the kind `slow`, in milliseconds.
    #[serde(default = "default_delay_ms")]
    #[schema(maximum = 600_000)]
    delay_ms: u32,
}

const fn default_retry_after_seconds() -> u32 {
    1
}

const fn default_delay_ms() -> u32 {
    3000
}

const PATHS: [&str; 4] = ["vessels", "equipment", "users", "export"];

impl Fault {
    /// Why the fault cannot be added, if it cannot.
    pub(crate) fn invalid_because(&self) -> Option<&'static str> {
        if self.path.as_deref().is_some_and(|path| !PATHS.contains(&path)) {
            return Some("`path` must be vessels, equipment, users or export.");
        }
        if self.delay_ms > 600_000 {
            return Some("`delayMs` must be at most 600000.");
        }
        let paged = matches!(self.kind, FaultKind::LoopingCursor | FaultKind::RepeatedPage);
        (paged && self.path.as_deref() == Some("export")).then_some("An export has no pages.")
    }

    /// Applies the fault before the database is read: an error, a delay, or a changed query.
    pub(crate) async fn apply_to_query(&self, query: &mut ListQuery) -> Result<(), Problem> {
        let after = Duration::from_secs(self.retry_after_seconds.into());
        match self.kind {
            FaultKind::ServerError => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "fault_on_demand")),
            FaultKind::Unavailable => Err(Problem::unavailable(
                "fault_on_demand",
                "Somebody added a fault of kind `unavailable`.",
                after,
            )),
            FaultKind::TooManyRequests => Err(Problem::too_many_requests(after)),
            FaultKind::Slow => {
                tokio::time::sleep(Duration::from_millis(self.delay_ms.into())).await;
                Ok(())
            }
            FaultKind::RepeatedPage => {
                query.cursor = None;
                Ok(())
            }
            FaultKind::TruncatedJson | FaultKind::WrongTypes | FaultKind::LoopingCursor => Ok(()),
        }
    }

    pub(crate) fn apply_to_page(&self, page: &mut RenderedPage, cursor: Option<String>) {
        match self.kind {
            FaultKind::LoopingCursor if cursor.is_some() => page.info.next_cursor = cursor,
            FaultKind::WrongTypes => page.records.iter_mut().for_each(mistype),
            _ => {}
        }
    }

    pub(crate) fn apply_to_export(&self, export: &mut RenderedExport) {
        if self.kind == FaultKind::WrongTypes {
            mistype(&mut export.vessel);
        }
    }

    pub(crate) fn apply_to_text(&self, mut text: String) -> String {
        if self.kind == FaultKind::TruncatedJson {
            let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(half.unwrap_or_default());
        }
        text
    }
}

/// Replaces one text field of a record by a number.
fn mistype(record: &mut String) {
    let Ok(Value::Object(mut fields)) = serde_json::from_str(record) else { return };
    for name in ["name", "familyName"] {
        if let Some(value) = fields.get_mut(name) {
            *value = Value::from(42);
            *record = Value::Object(fields).to_string();
            return;
        }
    }
}

/// The active faults, in the order in which they were added. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<ActiveFault>>>);

#[derive(Debug)]
struct ActiveFault {
    fault: Fault,
    skipped: u32,
    affected: u32,
    ends: Option<Instant>,
}

impl ActiveFault {
    fn is_over(&self) -> bool {
        self.fault.requests.is_some_and(|requests| self.affected >= requests)
            || self.ends.is_some_and(|ends| ends <= Instant::now())
    }
}

impl Faults {
    fn with_active<R>(&self, use_faults: impl FnOnce(&mut Vec<ActiveFault>) -> R) -> R {
        let mut active = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        active.retain(|fault| !fault.is_over());
        use_faults(&mut active)
    }

    pub(crate) fn add(&self, fault: Fault) {
        let ends = fault.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));
        self.with_active(|active| active.push(ActiveFault { fault, skipped: 0, affected: 0, ends }));
    }

    pub(crate) fn clear(&self) {
        self.with_active(Vec::clear);
    }

    /// The faults that are not over, each with the requests and seconds that are left.
    pub(crate) fn active(&self) -> Vec<Fault> {
        let left = |active: &ActiveFault| {
            let mut fault = active.fault.clone();
            fault.skip -= active.skipped;
            fault.requests = fault.requests.map(|requests| requests - active.affected);
            fault.seconds =
                active.ends.map(|ends| (ends - Instant::now()).as_secs().try_into().unwrap_or(u32::MAX));
            fault
        };
        self.with_active(|active| active.iter().map(left).collect())
    }

    /// The fault that affects this request: the first one for its path that has skipped all it skips.
    pub(crate) fn take(&self, path: &str) -> Option<Fault> {
        self.with_active(|active| {
            for active in active.iter_mut() {
                if active.fault.path.as_deref().is_some_and(|of| of != path) {
                    continue;
                }
                if active.skipped < active.fault.skip {
                    active.skipped += 1;
                    continue;
                }
                active.affected += 1;
                return Some(active.fault.clone());
            }
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fault(json: Value) -> Fault {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn fault_affects_its_path_after_the_skipped_requests_and_then_ends() {
        let faults = Faults::default();
        faults.add(fault(json!({"kind": "serverError", "path": "users", "skip": 1, "requests": 2})));
        let affected: Vec<bool> =
            ["users", "vessels", "users", "users", "users"].map(|path| faults.take(path).is_some()).into();
        assert_eq!(affected, [false, false, true, true, false]);
        assert!(faults.active().is_empty());
    }

    #[test]
    fn active_fault_shows_the_requests_left_until_it_is_removed() {
        let faults = Faults::default();
        faults.add(fault(json!({"kind": "slow", "requests": 3})));
        faults.take("export");
        assert_eq!(faults.active()[0].requests, Some(2));
        faults.clear();
        assert!(faults.take("export").is_none());
    }

    #[test]
    fn fault_with_an_unknown_or_unsuitable_path_is_invalid() {
        assert!(fault(json!({"kind": "slow", "path": "ships"})).invalid_because().is_some());
        assert!(fault(json!({"kind": "loopingCursor", "path": "export"})).invalid_because().is_some());
        assert!(fault(json!({"kind": "loopingCursor", "path": "users"})).invalid_because().is_none());
    }

    #[test]
    fn mistyped_record_is_json_with_a_number_as_name() {
        let mut record = r#"{"id":"v","name":"Nordhavn Aurora"}"#.to_owned();
        mistype(&mut record);
        assert_eq!(record, r#"{"id":"v","name":42}"#);
    }
}
