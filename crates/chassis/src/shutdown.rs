//! Two-stage shutdown, and the tasks it waits for.
//!
//! *Soft*: stop taking work, finish what is in hand. *Hard*: give up what is in hand. A signal, a failing task or
//! [`Shutdown::trip`] starts the soft stage; a second signal, or the end of the grace time, starts the hard one.
//! Every task of a daemon is spawned through [`Shutdown::supervise`], so none is forgotten and none dies unnoticed.

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

/// How long tasks may take to notice the hard stage. They are dropped at their next await, so this is plenty.
const AFTER_HARD: Duration = Duration::from_secs(2);

/// The end of a process, shared by all its parts. Clones share it.
#[derive(Debug, Clone)]
pub struct Shutdown {
    soft: CancellationToken,
    hard: CancellationToken,
    tracker: TaskTracker,
    failed: Arc<AtomicBool>,
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ended {
    /// Every task finished by itself and none failed.
    Clean,
    /// A task failed or panicked, or had to be given up.
    Failed,
}

impl Shutdown {
    /// Tripped by SIGTERM and SIGINT; a second signal, or `grace` after the first, starts the hard stage.
    ///
    /// # Errors
    /// When the handlers cannot be installed.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub fn on_signals(grace: Duration) -> std::io::Result<Self> {
        let mut terminate = signal(SignalKind::terminate())?;
        let mut interrupt = signal(SignalKind::interrupt())?;
        let shutdown = Self::with_grace(grace);
        let listener = shutdown.clone();
        tokio::spawn(async move {
            let mut next = async || {
                tokio::select! {
                    _ = terminate.recv() => "SIGTERM",
                    _ = interrupt.recv() => "SIGINT",
                }
            };
            listener.trip(next().await);
            let name = next().await;
            tracing::warn!(signal = name, "a second signal: giving up what is in hand");
            listener.hard.cancel();
        });
        Ok(shutdown)
    }

    /// Tripped only by hand and by failing tasks, with a grace time of ten seconds: for tests.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    #[must_use]
    pub fn manual() -> Self {
        Self::with_grace(Duration::from_secs(10))
    }

    /// Tripped only by hand and by failing tasks.
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

    /// Cancelled when no more work should be taken. Streams that never end by themselves (SSE) end now.
    #[must_use]
    pub fn soft(&self) -> &CancellationToken {
        &self.soft
    }

    /// Cancelled when what is in hand should be given up.
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
    pub fn trip(&self, reason: &str) {
        if !self.soft.is_cancelled() {
            tracing::info!(shutdown.reason = reason, "shutting down");
            self.soft.cancel();
        }
    }

    /// Starts the hard stage at once.
    pub fn abort(&self, reason: &str) {
        self.trip(reason);
        self.hard.cancel();
    }

    /// Notes a failure, so that the process ends with a nonzero code, and shuts down.
    pub fn fail(&self, reason: &str) {
        self.failed.store(true, Ordering::SeqCst);
        self.trip(reason);
    }

    /// Runs `task` until it ends or the hard stage begins (it is dropped then). A task that returns an error or
    /// panics takes the process down: a daemon with half of its parts dead helps nobody.
    pub fn supervise<F, E>(&self, name: &'static str, task: F)
    where
        F: Future<Output = Result<(), E>> + Send + 'static,
        E: Into<Box<dyn Error + Send + Sync>> + Send + 'static,
    {
        let shutdown = self.clone();
        let supervised = async move {
            let ended = tokio::select! {
                biased;
                ended = AssertUnwindSafe(task).catch_unwind() => ended,
                () = shutdown.hard.cancelled() => {
                    tracing::warn!(task.name = name, "a task was given up");
                    shutdown.failed.store(true, Ordering::SeqCst);
                    return;
                }
            };
            match ended {
                Ok(Ok(())) => tracing::debug!(task.name = name, "a task ended"),
                Ok(Err(error)) => {
                    let error = error.into();
                    tracing::error!(task.name = name, error = %Chain(&*error), "a task failed");
                    shutdown.fail(&format!("{name} failed"));
                }
                Err(panic) => {
                    tracing::error!(task.name = name, panic = panic_text(&*panic), "a task panicked");
                    shutdown.fail(&format!("{name} panicked"));
                }
            }
        };
        // A task outlives the request or the start-up that spawned it: it is no part of that span.
        self.tracker.spawn(supervised.instrument(tracing::Span::none()));
    }

    /// As [`Shutdown::supervise`], for a task that cannot fail: it ends when it is told to, or panics.
    pub fn supervise_infallible<F>(&self, name: &'static str, task: F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        self.supervise(name, task.map(Ok::<(), Infallible>));
    }

    /// How many supervised tasks run.
    #[must_use]
    pub fn tasks(&self) -> usize {
        self.tracker.len()
    }

    /// Waits until shutdown was requested and every task has ended, at most until shortly after the hard stage began.
    pub async fn finished(&self) -> Ended {
        self.soft.cancelled().await;
        self.tracker.close();
        let given_up = async {
            self.hard.cancelled().await;
            tokio::time::sleep(AFTER_HARD).await;
        };
        tokio::select! {
            () = self.tracker.wait() => {}
            () = given_up => {
                tracing::error!(tasks = self.tracker.len(), "tasks did not end when they were given up");
                self.failed.store(true, Ordering::SeqCst);
            }
        }
        if self.failed.load(Ordering::SeqCst) { Ended::Failed } else { Ended::Clean }
    }
}

/// An error and its sources in one line, for logs.
pub(crate) struct Chain<'a>(pub(crate) &'a (dyn Error + 'static));

impl std::fmt::Display for Chain<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}", self.0)?;
        let mut source = self.0.source();
        while let Some(error) = source {
            write!(f, ": {error}")?;
            source = error.source();
        }
        Ok(())
    }
}

fn panic_text(panic: &(dyn std::any::Any + Send)) -> &str {
    let text = panic.downcast_ref::<&'static str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("no text")
}
