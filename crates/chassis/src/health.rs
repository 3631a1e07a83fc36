//! Is this daemon ready for work? Services register checks by name; `/readyz` asks them all.

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

/// A check that has not answered by then has failed: the asker's own patience is about as long.
const PATIENCE: Duration = Duration::from_secs(2);

type Check = Arc<dyn Fn() -> BoxFuture<'static, Result<(), String>> + Send + Sync>;

/// The readiness of one process. Clones share it.
#[derive(Clone, Default)]
pub struct Health {
    inner: Arc<Inner>,
}

#[derive(Default)]
struct Inner {
    checks: RwLock<Vec<(&'static str, Check)>>,
    draining: AtomicBool,
}

/// What one check said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct CheckResult {
    /// The name it was registered under.
    pub name: &'static str,
    /// Whether it passed.
    pub ok: bool,
    /// Why it did not. Readable without credentials, so it must not hold any.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// What all checks said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Readiness {
    /// `ready`, `draining` (shutting down) or `unready`.
    pub status: &'static str,
    /// Each check, in order of registration.
    pub checks: Vec<CheckResult>,
}

impl Readiness {
    /// Whether work may be sent here.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.status == "ready"
    }
}

impl Health {
    /// Without checks: ready.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a check, or replaces the one of that name. It should be cheap, and say in its error what is not there.
    pub fn register<F, Fut>(&self, name: &'static str, check: F)
    where
        F: Fn() -> Fut + Send + Sync + 'static,
        Fut: Future<Output = Result<(), String>> + Send + 'static,
    {
        let check: Check = Arc::new(move || check().boxed());
        let mut checks = self.inner.checks.write().unwrap_or_else(PoisonError::into_inner);
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

    /// From now on not ready, whatever the checks say: no new work, please.
    pub fn drain(&self) {
        self.inner.draining.store(true, Ordering::SeqCst);
    }

    /// Whether [`Health::drain`] was called.
    #[must_use]
    pub fn is_draining(&self) -> bool {
        self.inner.draining.load(Ordering::SeqCst)
    }

    /// Asks all checks at once; none may take longer than two seconds.
    pub async fn readiness(&self) -> Readiness {
        let checks = self.inner.checks.read().unwrap_or_else(PoisonError::into_inner).clone();
        let asked = checks.into_iter().map(|(name, check)| async move {
            let answer = tokio::time::timeout(PATIENCE, check()).await;
            let answer = answer.unwrap_or_else(|_elapsed| Err(format!("no answer within {PATIENCE:?}")));
            CheckResult { name, ok: answer.is_ok(), error: answer.err() }
        });
        let checks = join_all(asked).await;
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
        let checks = self.inner.checks.read().unwrap_or_else(PoisonError::into_inner);
        let names: Vec<_> = checks.iter().map(|(name, _)| *name).collect();
        f.debug_struct("Health").field("checks", &names).field("draining", &self.is_draining()).finish()
    }
}
