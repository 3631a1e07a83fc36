use std::fmt::{Debug, Display};
use std::time::{Duration, Instant};

/// Asks again and again, at small intervals, until the condition answers `Ok`, and returns what it answered.
///
/// An `Err` means "not yet" and carries what was seen instead: it stands in the error when the time is up.
pub async fn wait_until<T, S: Debug>(
    what: impl Display,
    timeout: Duration,
    mut condition: impl AsyncFnMut() -> Result<T, S>,
) -> anyhow::Result<T> {
    let started = Instant::now();
    let mut pause = Duration::from_millis(10);
    loop {
        let last_seen = match tokio::time::timeout(timeout + Duration::from_secs(5), condition()).await {
            Ok(Ok(value)) => return Ok(value),
            Ok(Err(seen)) => format!("{seen:?}"),
            Err(_) => "the question itself was not answered".to_owned(),
        };
        if started.elapsed() >= timeout {
            anyhow::bail!("waited {timeout:?} in vain until {what}; last seen: {last_seen}");
        }
        tokio::time::sleep(pause).await;
        pause = (pause * 2).min(Duration::from_millis(100));
    }
}
