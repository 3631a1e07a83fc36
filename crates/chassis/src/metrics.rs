//! One Prometheus recorder per process, filled through the `metrics` crate, read at `/metrics`.

use std::{sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Bucket boundaries for durations in seconds, those of the OpenTelemetry conventions for HTTP and messaging.
const DURATION_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs the recorder of this process. A second call changes nothing, so every daemon in one process may make it.
pub fn install() {
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), DURATION_BUCKETS)
            .expect("the list of boundaries is not empty");
        match builder.install_recorder() {
            Ok(handle) => {
                spawn_upkeep(handle.clone());
                Some(handle)
            }
            Err(error) => {
                tracing::warn!(%error, "another recorder of metrics is installed, /metrics stays empty");
                None
            }
        }
    });
}

/// Starts a thread that drains the histograms: they collect their samples until `/metrics` is read, and nobody may
/// scrape it.
fn spawn_upkeep(handle: PrometheusHandle) {
    let upkeep = move || {
        loop {
            std::thread::sleep(UPKEEP_INTERVAL);
            handle.run_upkeep();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("metrics-upkeep".to_owned()).spawn(upkeep) {
        tracing::warn!(%error, "histograms are drained only when /metrics is read");
    }
}

/// Sets `sms_build_info{service, version} 1`.
pub fn set_build_info(service: &'static str, version: &'static str) {
    metrics::gauge!("sms_build_info", "service" => service, "version" => version).set(1.0);
}

/// All metrics in Prometheus's text format; empty before [`install`].
#[must_use]
pub fn render() -> String {
    RECORDER.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}
