//! Faults of the provider API on demand, for tests and demonstrations: in development alone, and none until one is
//! ordered.

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

use crate::records::listing::{Export, ListedPage};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub(crate) enum FaultKind {
    /// 500.
    ServerError,
    /// 503 with `Retry-After`.
    Unavailable,
    /// 429 with `Retry-After`.
    TooManyRequests,
    /// The right answer after `delayMs`.
    Slow,
    /// The first half of the right answer.
    TruncatedJson,
    /// In each record of the right answer one field has another type.
    WrongTypes,
    /// The cursor that was sent comes back as the next one; on a first page, the one of that page.
    LoopingCursor,
    /// The page before, with the right cursor: the first page again and again.
    RepeatedPage,
}

/// A fault, and when it strikes.
#[derive(Debug, Clone, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub(crate) struct Fault {
    /// What goes wrong.
    kind: FaultKind,
    /// `vessels`, `equipment`, `users` or `export`; absent: all four.
    #[serde(skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    /// So many requests go well first.
    #[serde(default)]
    skip: u32,
    /// So many requests are struck; absent: all, until it ends.
    #[serde(skip_serializing_if = "Option::is_none")]
    requests: Option<u32>,
    /// It ends after so many seconds; absent: when it is taken back.
    #[serde(skip_serializing_if = "Option::is_none")]
    seconds: Option<u32>,
    /// What `Retry-After` says.
    #[serde(default = "a_second")]
    retry_after_seconds: u32,
    /// How slow is slow.
    #[serde(default = "three_seconds")]
    #[schema(maximum = 600_000)]
    delay_ms: u32,
}

const fn a_second() -> u32 {
    1
}

const fn three_seconds() -> u32 {
    3000
}

const PATHS: [&str; 4] = ["vessels", "equipment", "users", "export"];

impl Fault {
    /// What is wrong with the order.
    pub(crate) fn objection(&self) -> Option<&'static str> {
        if self.path.as_deref().is_some_and(|path| !PATHS.contains(&path)) {
            return Some("`path` is vessels, equipment, users or export.");
        }
        if self.delay_ms > 600_000 {
            return Some("`delayMs` is at most 600000.");
        }
        let paged = matches!(self.kind, FaultKind::LoopingCursor | FaultKind::RepeatedPage);
        (paged && self.path.as_deref() == Some("export")).then_some("An export has no pages.")
    }

    /// What happens before the database is asked: an error in its stead, a wait, or another question.
    pub(crate) async fn before(&self, query: &mut ListQuery) -> Result<(), Problem> {
        let after = Duration::from_secs(self.retry_after_seconds.into());
        match self.kind {
            FaultKind::ServerError => Err(Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "fault_on_demand")),
            FaultKind::Unavailable => Err(Problem::unavailable("fault_on_demand", "On demand.", after)),
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

    /// What happens to a page.
    pub(crate) fn page(&self, page: &mut ListedPage, cursor: Option<String>) {
        match self.kind {
            FaultKind::LoopingCursor if cursor.is_some() => page.info.next_cursor = cursor,
            FaultKind::WrongTypes => page.records.iter_mut().for_each(mistype),
            _ => {}
        }
    }

    /// What happens to the vessel of an export.
    pub(crate) fn export(&self, export: &mut Export) {
        if self.kind == FaultKind::WrongTypes {
            mistype(&mut export.vessel);
        }
    }

    /// What happens to the text of an answer.
    pub(crate) fn text(&self, mut text: String) -> String {
        if self.kind == FaultKind::TruncatedJson {
            let half = (0..=text.len() / 2).rev().find(|at| text.is_char_boundary(*at));
            text.truncate(half.unwrap_or_default());
        }
        text
    }
}

/// Gives one field of a record another type: text becomes a number, and whatever else text.
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

/// The faults that are ordered, in their order. Clones share them.
#[derive(Debug, Clone, Default)]
pub(crate) struct Faults(Arc<Mutex<Vec<Ordered>>>);

#[derive(Debug)]
struct Ordered {
    fault: Fault,
    skipped: u32,
    struck: u32,
    ends: Option<Instant>,
}

impl Ordered {
    fn is_over(&self) -> bool {
        self.fault.requests.is_some_and(|requests| self.struck >= requests)
            || self.ends.is_some_and(|ends| ends <= Instant::now())
    }
}

impl Faults {
    fn with<R>(&self, look: impl FnOnce(&mut Vec<Ordered>) -> R) -> R {
        let mut ordered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        ordered.retain(|ordered| !ordered.is_over());
        look(&mut ordered)
    }

    pub(crate) fn order(&self, fault: Fault) {
        let ends = fault.seconds.map(|seconds| Instant::now() + Duration::from_secs(seconds.into()));
        self.with(|ordered| ordered.push(Ordered { fault, skipped: 0, struck: 0, ends }));
    }

    pub(crate) fn end(&self) {
        self.with(Vec::clear);
    }

    /// Those that are not over, with what is left of them.
    pub(crate) fn current(&self) -> Vec<Fault> {
        let left = |ordered: &Ordered| {
            let mut fault = ordered.fault.clone();
            fault.skip -= ordered.skipped;
            fault.requests = fault.requests.map(|requests| requests - ordered.struck);
            fault.seconds =
                ordered.ends.map(|ends| (ends - Instant::now()).as_secs().try_into().unwrap_or(u32::MAX));
            fault
        };
        self.with(|ordered| ordered.iter().map(left).collect())
    }

    /// The fault that strikes this request: the first that is for its path and lets it not pass.
    pub(crate) fn next(&self, path: &str) -> Option<Fault> {
        self.with(|all| {
            for ordered in all.iter_mut() {
                if ordered.fault.path.as_deref().is_some_and(|of| of != path) {
                    continue;
                }
                if ordered.skipped < ordered.fault.skip {
                    ordered.skipped += 1;
                    continue;
                }
                ordered.struck += 1;
                return Some(ordered.fault.clone());
            }
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn fault(order: Value) -> Fault {
        serde_json::from_value(order).unwrap()
    }

    #[test]
    fn a_fault_strikes_its_path_after_those_it_lets_pass_and_so_often() {
        let faults = Faults::default();
        faults.order(fault(json!({"kind": "serverError", "path": "users", "skip": 1, "requests": 2})));
        let struck: Vec<bool> =
            ["users", "vessels", "users", "users", "users"].map(|path| faults.next(path).is_some()).into();
        assert_eq!(struck, [false, false, true, true, false]);
        assert!(faults.current().is_empty());
    }

    #[test]
    fn what_is_left_of_a_fault_is_shown_and_taken_back() {
        let faults = Faults::default();
        faults.order(fault(json!({"kind": "slow", "requests": 3})));
        faults.next("export");
        assert_eq!(faults.current()[0].requests, Some(2));
        faults.end();
        assert!(faults.next("export").is_none());
    }

    #[test]
    fn an_order_that_makes_no_sense_is_refused() {
        assert!(fault(json!({"kind": "slow", "path": "ships"})).objection().is_some());
        assert!(fault(json!({"kind": "loopingCursor", "path": "export"})).objection().is_some());
        assert!(fault(json!({"kind": "loopingCursor", "path": "users"})).objection().is_none());
    }

    #[test]
    fn a_mistyped_record_is_json_with_a_wrong_type() {
        let mut record = r#"{"id":"v","name":"Nordhavn Aurora"}"#.to_owned();
        mistype(&mut record);
        assert_eq!(record, r#"{"id":"v","name":42}"#);
    }
}
