//! One Prometheus recorder per process, filled through the `metrics` crate, read at `/metrics`.

use std::{sync::OnceLock, time::Duration};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};

/// Boundaries for durations in seconds, those of the OpenTelemetry conventions for HTTP and messaging.
const SECONDS: &[f64] = &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs the recorder of this process. Doing it again changes nothing, so every daemon in one process may.
pub fn install() {
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), SECONDS)
            .expect("the list of boundaries is not empty");
        match builder.install_recorder() {
            Ok(handle) => {
                keep_up(handle.clone());
                Some(handle)
            }
            Err(error) => {
                tracing::warn!(%error, "another recorder of metrics is installed, /metrics stays empty");
                None
            }
        }
    });
}

/// Histograms collect their samples until somebody reads them. Where nobody scrapes, this thread does.
fn keep_up(handle: PrometheusHandle) {
    let upkeep = move || {
        loop {
            std::thread::sleep(Duration::from_secs(5));
            handle.run_upkeep();
        }
    };
    if let Err(error) = std::thread::Builder::new().name("metrics-upkeep".to_owned()).spawn(upkeep) {
        tracing::warn!(%error, "metrics are only tidied when they are read");
    }
}

/// Says which build of which service this is: `sms_build_info{service, version} 1`.
pub fn build_info(service: &'static str, version: &'static str) {
    metrics::gauge!("sms_build_info", "service" => service, "version" => version).set(1.0);
}

/// Everything recorded so far, in Prometheus's text format; empty before [`install`].
#[must_use]
pub fn render() -> String {
    RECORDER.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}
