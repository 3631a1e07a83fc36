//! One Prometheus recorder per process, filled through the `metrics` crate, read at `/metrics`.

pub mod catalogue;

use std::{
    sync::{Mutex, OnceLock, PoisonError},
    time::Duration,
};

use metrics_exporter_prometheus::{Matcher, PrometheusBuilder, PrometheusHandle};
use metrics_process::Collector;

/// Bucket boundaries for durations in seconds, those of the OpenTelemetry conventions for HTTP and messaging.
const DURATION_BUCKETS: &[f64] =
    &[0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1.0, 2.5, 5.0, 7.5, 10.0];

/// Bucket boundaries for what takes minutes and hours: a sync, and an approval while a portal is away.
const LONG_DURATION_BUCKETS: &[f64] =
    &[0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0, 900.0, 1800.0, 3600.0, 7200.0, 21_600.0];

const LONG_DURATIONS: [&str; 2] = ["sms_sync_duration_seconds", "sms_approval_lag_seconds"];

const UPKEEP_INTERVAL: Duration = Duration::from_secs(5);

/// What [`on_read`] was given.
static OBSERVERS: Mutex<Vec<Box<dyn Fn() + Send>>> = Mutex::new(Vec::new());

static RECORDER: OnceLock<Option<PrometheusHandle>> = OnceLock::new();

/// Installs the recorder of this process. A second call changes nothing, so every daemon in one process may make it.
pub fn install() {
    RECORDER.get_or_init(|| {
        let builder = PrometheusBuilder::new()
            .set_buckets_for_metric(Matcher::Suffix("_seconds".to_owned()), DURATION_BUCKETS)
            .expect("the list of boundaries is not empty");
        let builder = LONG_DURATIONS.iter().fold(builder, |builder, name| {
            let matcher = Matcher::Full((*name).to_owned());
            builder.set_buckets_for_metric(matcher, LONG_DURATION_BUCKETS).expect("the list is not empty")
        });
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

/// Describes all metrics of these services and shows them at zero, as far as their labels are known. After [`install`].
pub fn register(services: &[&str]) {
    catalogue::register(services);
    process_collector().describe();
}

/// Has `observe` set gauges whenever `/metrics` is read: for what is known at any time, such as the state of a pool.
pub fn on_read(observe: impl Fn() + Send + 'static) {
    OBSERVERS.lock().unwrap_or_else(PoisonError::into_inner).push(Box::new(observe));
}

/// Memory, processor time, threads and open files of this process, by the names of Prometheus's client libraries.
fn process_collector() -> &'static Collector {
    static COLLECTOR: OnceLock<Collector> = OnceLock::new();
    COLLECTOR.get_or_init(Collector::default)
}

/// All metrics in Prometheus's text format; empty before [`install`].
#[must_use]
pub fn render() -> String {
    process_collector().collect();
    OBSERVERS.lock().unwrap_or_else(PoisonError::into_inner).iter().for_each(|observe| observe());
    RECORDER.get().and_then(Option::as_ref).map(PrometheusHandle::render).unwrap_or_default()
}
