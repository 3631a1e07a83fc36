//! Readiness of a daemon: services register checks by name, `/readyz` asks them all.

use std::{
    fmt,
    future::Future,
    sync::{
        Arc, PoisonError, RwLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt, join_all};
use serde::Serialize;

/// A check without an answer by then has failed: probes wait about as long.
const CHECK_TIMEOUT: Duration = Duration::from_secs(2);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The checks of one process. Clones share them.
#[derive(Clone, Default)]
pub struct Health {
    state: Arc<HealthState>,
}

#[derive(Default)]
struct HealthState {
    checks: RwLock<Vec<(&'static str, Check)>>,
    draining: AtomicBool,
}

/// Result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    pub name: &'static str,
    pub ok: bool,
    /// Why the check failed. Anybody can read it, so it must not hold a secret.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// Result of all checks.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// `ready`, `draining` (shutting down) or `unready`.
    pub status: &'static str,
    /// In order of registration.
    pub checks: Vec<CheckResult>,
}

impl Readiness {
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.status == "ready"
    }
}

impl Health {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check, or replaces the one of that name. It should be cheap, and its error names what is missing.
    pub fn register<F, Fut>(&self, name: &'static str, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let check: Check = Arc::new(move || check().boxed());
        let mut checks = self.state.checks.write().unwrap_or_else(PoisonError::into_inner);
        match checks.iter_mut().find(|(known, _)| *known == name) {
            Some(slot) => slot.1 = check,
            None => checks.push((name, check)),
        }
    }

    /// Adds a check that asks `target` for a sign of life, or replaces the one of that name.
    pub fn register_ping<T, F, Fut, E>(&self, name: &'static str, target: T, ping: F)
    where
        T: Clone + Send + Sync + 'static,
        F: Fn(T) -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), E>> + Send + 'static,
        E: fmt::Display,
    {
        self.register(name, move || {
            ping(target.clone()).map(|answer| answer.map_err(|error| error.to_string()))
        });
    }

    /// Makes the process not ready from now on, whatever the checks say: it takes no new work.
    pub fn drain(&self) {
        self.state.draining.store(true, Ordering::SeqCst);
    }

    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.state.draining.load(Ordering::SeqCst)
    }

    /// Runs all checks at once, each for two seconds at most.
    pub async fn readiness(&self) -> Readiness {
        let checks = self.state.checks.read().unwrap_or_else(PoisonError::into_inner).clone();
        let results = checks.into_iter().map(|(name, check)| async move {
            let answer = tokio::time::timeout(CHECK_TIMEOUT, check()).await;
            let answer = answer.unwrap_or_else(|_elapsed| Err(format!("no answer within {CHECK_TIMEOUT:?}")));
            CheckResult { name, ok: answer.is_ok(), error: answer.err() }
        });
        let checks = join_all(results).await;
        let status = match (self.is_draining(), checks.iter().all(|check| check.ok)) {
            (true, _) => "draining",
            (false, true) => "ready",
            (false, false) => "unready",
        };
        Readiness { status, checks }
    }
}

impl fmt::Debug for Health {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let checks = self.state.checks.read().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<_> = checks.iter().map(|(name, _)| *name).collect();
        f.debug_struct("Health").field("checks", &names).field("draining", &self.is_draining()).finish()
    }
}
