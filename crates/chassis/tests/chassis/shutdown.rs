use std::{
    future::pending,
    io,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use chassis::{
    health::Health,
    shutdown::{Shutdown, ShutdownResult},
};

#[tokio::test]
async fn soft_stage_lets_tasks_finish() {
    let shutdown = Shutdown::manual();
    let done = Arc::new(AtomicBool::new(false));
    let (task, mark) = (shutdown.clone(), done.clone());
    shutdown.supervise("worker", async move {
        task.requested().await;
        tokio::task::yield_now().await;
        mark.store(true, Ordering::SeqCst);
        Ok::<_, io::Error>(())
    });
    assert_eq!(shutdown.tasks(), 1);
    shutdown.request("a test");
    assert_eq!(shutdown.finished().await, ShutdownResult::Clean);
    assert!(done.load(Ordering::SeqCst));
    assert_eq!(shutdown.tasks(), 0);
}

#[tokio::test]
async fn failing_or_panicking_task_shuts_the_process_down() {
    let shutdown = Shutdown::manual();
    shutdown.supervise("fine", async { Ok::<_, io::Error>(()) });
    shutdown.supervise("failing", async { Err(io::Error::other("no")) });
    assert_eq!(shutdown.finished().await, ShutdownResult::Failed);

    let shutdown = Shutdown::manual();
    shutdown.supervise("panicking", async { panic!("as it should") as io::Result<()> });
    assert_eq!(shutdown.finished().await, ShutdownResult::Failed);
}

#[tokio::test]
async fn task_that_outlives_the_grace_time_is_dropped() {
    let shutdown = Shutdown::with_grace(Duration::from_millis(20));
    shutdown.supervise("stuck", async {
        pending::<()>().await;
        Ok::<_, io::Error>(())
    });
    shutdown.request("a test");
    assert_eq!(shutdown.finished().await, ShutdownResult::Failed);
    assert!(shutdown.hard().is_cancelled());
    assert_eq!(shutdown.tasks(), 0, "it was dropped");
}

#[tokio::test]
async fn readiness_needs_every_check_to_pass() {
    let health = Health::new();
    assert!(health.readiness().await.is_ready());
    health.register("database", || async { Ok(()) });
    health.register("broker", || async { Err("no channel".to_owned()) });
    let readiness = health.readiness().await;
    assert_eq!(readiness.status, "unready");
    assert_eq!(readiness.checks[1].error.as_deref(), Some("no channel"));
    health.register("broker", || async { Ok(()) });
    assert!(health.readiness().await.is_ready(), "the second registration replaced the first");
    health.drain();
    assert_eq!(health.readiness().await.status, "draining");
}

#[tokio::test]
async fn hanging_check_fails() {
    let health = Health::new();
    health.register("slow", pending::<Result<(), String>>);
    assert!(health.readiness().await.checks[0].error.as_deref().unwrap().contains("no answer"));
}

#[tokio::test]
async fn ping_check_reports_the_error_of_its_target() {
    let health = Health::new();
    health.register_ping("database", "gone", |target| async move { Err::<(), _>(target) });
    assert_eq!(health.readiness().await.checks[0].error.as_deref(), Some("gone"));
}
