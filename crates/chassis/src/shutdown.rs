//! Two-stage shutdown, and the tasks it waits for.
//!
//! *Soft*: stop taking work, finish what is in hand. *Hard*: give up what is in hand. A signal, a failing task or
//! [`Shutdown::request`] starts the soft stage; a second signal, or the end of the grace time, starts the hard one.
//! Every task of a daemon is spawned through [`Shutdown::supervise`]: the end waits for it, and its failure is seen.

use std::{
    convert::Infallible,
    error::Error,
    future::Future,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::signal::unix::{SignalKind, signal};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::Instrument;

use crate::error_chain::ErrorChain;

/// How long tasks may take to end in the hard stage. They are dropped at their next await.
const HARD_STAGE_TIMEOUT: Duration = Duration::from_secs(2);

/// The shutdown of a process. Clones share it.
#[derive(Debug, Clone)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
    tracker: TaskTracker,
    failed: Arc<AtomicBool>,
}

/// Result of a process's shutdown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ShutdownResult {
    /// Every task finished by itself and none failed.
    Clean,
    /// A task failed or panicked, or had to be given up.
    Failed,
}

impl Shutdown {
    /// A shutdown requested by SIGTERM and SIGINT; a second signal, or the end of `grace` after the first, starts the
    /// hard stage.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn on_signals(grace: Duration) -> std::io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = Self::with_grace(grace);
        let listener = shutdown.clone();
        tokio::spawn(async move {
            let mut next_signal = async || {
                tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                }
            };
            listener.request(next_signal().await);
            let name = next_signal().await;
            tracing::warn!(signal = name, "a second signal: giving up what is in hand");
            listener.hard.cancel();
        });
        Ok(shutdown)
    }

    /// A shutdown requested only by calls and by failing tasks, with a grace time of ten seconds: for tests.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn manual() -> Self {
        Self::with_grace(Duration::from_secs(10))
    }

    /// A shutdown requested only by calls and by failing tasks.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn with_grace(grace: Duration) -> Self {
        let shutdown = Self {
            soft: CancellationToken::new(),
            hard: CancellationToken::new(),
            tracker: TaskTracker::new(),
            failed: Arc::new(AtomicBool::new(false)),
        };
        let (soft, hard) = (shutdown.soft.clone(), shutdown.hard.clone());
        tokio::spawn(async move {
            soft.cancelled().await;
            tokio::select! {
                () = hard.cancelled() => {}
                () = tokio::time::sleep(grace) => {
                    tracing::warn!(grace_s = grace.as_secs_f64(), "the grace time is over");
                    hard.cancel();
                }
            }
        });
        shutdown
    }

    /// Token of the soft stage, cancelled when no more work should be taken. Streams without an end (SSE) end then.
    #[must_use]
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Token of the hard stage, cancelled when work in hand should be given up.
    #[must_use]
    pub fn hard(&self) -> &CancellationToken {
        &self.hard
    }

    /// Whether the soft stage has begun.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.soft.is_cancelled()
    }

    /// Waits for the soft stage.
    pub async fn requested(&self) {
        self.soft.cancelled().await;
    }

    /// Starts the soft stage. Later calls change nothing.
    pub fn request(&self, reason: &str) {
        if !self.soft.is_cancelled() {
            tracing::info!(shutdown.reason = reason, "shutting down");
            self.soft.cancel();
        }
    }

    /// Starts the hard stage at once.
    pub fn abort(&self, reason: &str) {
        self.request(reason);
        self.hard.cancel();
    }

    /// Starts the soft stage because of a failure: the process ends with a nonzero code.
    pub fn fail(&self, reason: &str) {
        self.failed.store(true, Ordering::SeqCst);
        self.request(reason);
    }

    /// Runs `task` until it ends or the hard stage begins, which drops it. A task that returns an error or panics shuts
    /// the process down: a daemon with half of its tasks dead would look healthy from outside.
    pub fn supervise<F, E>(&self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    {
        let shutdown = self.clone();
        let supervised = async move {
            let result = tokio::select! {
                biased;
                result = AssertUnwindSafe(task).catch_unwind() => result,
                () = shutdown.hard.cancelled() => {
                    tracing::warn!(task.name = name, "a task was given up");
                    shutdown.failed.store(true, Ordering::SeqCst);
                    return;
                }
            };
            match result {
                Ok(Ok(())) => tracing::debug!(task.name = name, "a task ended"),
                Ok(Err(error)) => {
                    let error = error.into();
                    tracing::error!(task.name = name, error = %ErrorChain(&*error), "a task failed");
                    shutdown.fail(&format!("{name} failed"));
                }
                Err(panic) => {
                    tracing::error!(task.name = name, panic = panic_text(&*panic), "a task panicked");
                    shutdown.fail(&format!("{name} panicked"));
                }
            }
        };
        // A task outlives the request or the start-up that spawned it and is not part of that span.
        self.tracker.spawn(supervised.instrument(tracing::Span::none()));
    }

    /// As [`Shutdown::supervise`], for a task that cannot fail: it ends when it is told to, or panics.
    pub fn supervise_infallible<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.supervise(name, task.map(Ok::<(), Infallible>));
    }

    /// Number of supervised tasks that run.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.tracker.len()
    }

    /// Waits until shutdown was requested and every task has ended, at most until shortly after the hard stage began.
    pub async fn finished(&self) -> ShutdownResult {
        self.soft.cancelled().await;
        self.tracker.close();
        let given_up = async {
            self.hard.cancelled().await;
            tokio::time::sleep(HARD_STAGE_TIMEOUT).await;
        };
        tokio::select! {
            () = self.tracker.wait() => {}
            () = given_up => {
                tracing::error!(tasks = self.tracker.len(), "tasks did not end when they were given up");
                self.failed.store(true, Ordering::SeqCst);
            }
        }
        if self.failed.load(Ordering::SeqCst) { ShutdownResult::Failed } else { ShutdownResult::Clean }
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
