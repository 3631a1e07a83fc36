//! The catalogue of all metrics: names, kinds, labels and help texts, as `/metrics` shows them. A test compares it with the
//! code: a metric that is not here does not pass, nor one here that no code sets.
//!
//! Names follow Prometheus (<https://prometheus.io/docs/practices/naming>) and OpenTelemetry's conventions for HTTP, messaging
//! and database clients. No label holds an id, a name of a vessel or an address: the number of series has a ceiling.

use metrics::{Label, Unit};

/// Kind of a metric.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Grows, and begins at zero when the process starts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Durations in seconds.
    Histogram,
}

/// A metric.
#[derive(Debug, Clone, Copy)]
pub struct Metric {
    pub name: &'static str,
    pub kind: Kind,
    pub help: &'static str,
    /// Each label with its values; none where the values are known only when the process runs: then the metric shows with
    /// its first event.
    pub labels: &'static [(&'static str, &'static [&'static str])],
    /// The services that set it.
    pub services: &'static [&'static str],
}

const ALL: &[&str] = &["webhook-ingest", "scheduler", "worker", "status", "onboarding-portal"];
const OURS: &[&str] = &["webhook-ingest", "scheduler", "worker", "status"];
const INGEST: &[&str] = &["webhook-ingest"];
const SCHEDULER: &[&str] = &["scheduler"];
const WORKER: &[&str] = &["worker"];
const STATUS: &[&str] = &["status"];
const PORTAL: &[&str] = &["onboarding-portal"];
/// Those that ask the onboarding portal.
const ASKING: &[&str] = &["worker", "status"];
/// Those that end syncs: by their last task, as stalled, and by cancelling them.
const ENDING: &[&str] = &["worker", "scheduler", "status"];

const CAUSES: &[&str] = &["manual", "webhook", "scheduled", "replay"];
const MODES: &[&str] = &["full", "incremental", "selective"];
const END_STATES: &[&str] = &["completed", "completed_with_errors", "failed", "cancelled"];
const RECORD_TYPES: &[&str] = &["company", "vessel", "equipment", "user"];
const OUTCOMES: &[&str] = &["created", "updated", "unchanged", "skipped", "conflict", "rejected"];
const CLASSES: &[&str] = &["transient", "permanent", "poison"];
const QUEUES: &[&str] = &["sync.events", "sync.commands", "sync.tasks"];

/// Every metric.
pub const METRICS: &[Metric] = &[
    // Syncs
    Metric {
        name: "sms_syncs_total",
        kind: Kind::Counter,
        help: "Syncs that have ended, without dry runs.",
        labels: &[("cause", CAUSES), ("mode", MODES), ("state", END_STATES)],
        services: ENDING,
    },
    Metric {
        name: "sms_sync_duration_seconds",
        kind: Kind::Histogram,
        help: "Time from the request for a sync to its end, without dry runs.",
        labels: &[("mode", MODES)],
        services: ENDING,
    },
    Metric {
        name: "sms_syncs_active",
        kind: Kind::Gauge,
        help: "Syncs that have not ended, as the leading scheduler counts them; 0 of one that does not lead.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_sync_last_success_timestamp_seconds",
        kind: Kind::Gauge,
        help: "When a sync of all records, or of all that have changed, last completed without errors; 0: never.",
        labels: &[("mode", &["full", "incremental"])],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_sync_records_total",
        kind: Kind::Counter,
        help: "Records that syncs have read, by what came of them.",
        labels: &[("record_type", RECORD_TYPES), ("outcome", OUTCOMES)],
        services: WORKER,
    },
    Metric {
        name: "sms_sync_retries_total",
        kind: Kind::Counter,
        help: "Attempts that failed and are repeated, by the class of the failure.",
        labels: &[("class", CLASSES)],
        services: WORKER,
    },
    Metric {
        name: "sms_approval_lag_seconds",
        kind: Kind::Histogram,
        help: "Time from the change of a record in the onboarding portal to its row, of events that name the time.",
        labels: &[],
        services: WORKER,
    },
    // What waits for somebody
    Metric {
        name: "sms_dead_letters",
        kind: Kind::Gauge,
        help: "Dead letters that nobody has replayed.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_dead_letters_total",
        kind: Kind::Counter,
        help: "Messages that failed for good, by the class of the failure.",
        labels: &[("reason", CLASSES)],
        services: WORKER,
    },
    Metric {
        name: "sms_dead_letters_waiting",
        kind: Kind::Gauge,
        help: "Messages in the queue of dead letters that are not archived yet.",
        labels: &[],
        services: WORKER,
    },
    Metric {
        name: "sms_conflicts_open",
        kind: Kind::Gauge,
        help: "Conflicts that nobody has resolved.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_conflicts_oldest_age_seconds",
        kind: Kind::Gauge,
        help: "Age of the oldest open conflict; 0: none is open.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_events_waiting",
        kind: Kind::Gauge,
        help: "Approval events that were accepted and are not processed.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_events_oldest_age_seconds",
        kind: Kind::Gauge,
        help: "How long the oldest approval event waits that is not processed; 0: none waits.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_queue_messages",
        kind: Kind::Gauge,
        help: "Messages in a queue that no consumer has taken.",
        labels: &[("queue", QUEUES)],
        services: SCHEDULER,
    },
    // The clock
    Metric {
        name: "sms_scheduler_leading",
        kind: Kind::Gauge,
        help: "Whether this scheduler leads.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_schedule_next_run_timestamp_seconds",
        kind: Kind::Gauge,
        help: "When a schedule starts a sync next; 0: never, as it is off or paused.",
        labels: &[("schedule", &[])],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_schedule_ticks_total",
        kind: Kind::Counter,
        help: "Times at which a schedule was due, by what came of them.",
        labels: &[("schedule", &[]), ("outcome", &["started", "skipped", "missed"])],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_schedule_missed_ticks",
        kind: Kind::Gauge,
        help: "Times that were missed since a schedule that is on last started a sync.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_reaper_republished_total",
        kind: Kind::Counter,
        help: "Messages that seemed lost and were published again.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_reaper_stalled_syncs_total",
        kind: Kind::Counter,
        help: "Syncs that stayed without progress and were failed as stalled.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_table_bytes",
        kind: Kind::Gauge,
        help: "Size of a table with its indexes.",
        labels: &[("table", &[])],
        services: SCHEDULER,
    },
    // Webhooks
    Metric {
        name: "sms_webhook_requests_total",
        kind: Kind::Counter,
        help: "Webhook requests, by their result and the reason of a refusal.",
        labels: &[("result", &[]), ("reason", &[])],
        services: INGEST,
    },
    Metric {
        name: "sms_webhook_request_duration_seconds",
        kind: Kind::Histogram,
        help: "Time in which a webhook request was answered.",
        labels: &[],
        services: INGEST,
    },
    // The onboarding portal
    Metric {
        name: "sms_onboarding_api_request_duration_seconds",
        kind: Kind::Histogram,
        help: "Time in which the onboarding portal has answered, by endpoint and class of the status.",
        labels: &[("endpoint", &[]), ("status_class", &[])],
        services: ASKING,
    },
    Metric {
        name: "sms_circuit_state",
        kind: Kind::Gauge,
        help: "Whether requests to a peer are held back: 0 closed, 1 half open, 2 open.",
        labels: &[("peer", &["onboarding-portal"])],
        services: ASKING,
    },
    Metric {
        name: "sms_portal_slot_wait_seconds",
        kind: Kind::Histogram,
        help: "How long a request to the onboarding portal has waited for its turn.",
        labels: &[("traffic", &["events", "pages"])],
        services: WORKER,
    },
    // Outbox, broker, updates
    Metric {
        name: "sms_outbox_pending",
        kind: Kind::Gauge,
        help: "Rows that wait to be published.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_outbox_oldest_age_seconds",
        kind: Kind::Gauge,
        help: "How long the oldest row waits to be published; 0: none waits.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_outbox_postponed",
        kind: Kind::Gauge,
        help: "Messages that are published when they are due.",
        labels: &[],
        services: SCHEDULER,
    },
    Metric {
        name: "sms_tls_certificate_expiry_timestamp_seconds",
        kind: Kind::Gauge,
        help: "When the certificate ends that the process serves HTTPS with; 0: it serves plain HTTP.",
        labels: &[],
        services: OURS,
    },
    Metric {
        name: "sms_broker_blocked",
        kind: Kind::Gauge,
        help: "Whether RabbitMQ has blocked this process from publishing, for lack of memory or disk.",
        labels: &[],
        services: OURS,
    },
    Metric {
        name: "sms_broker_publish_failures_total",
        kind: Kind::Counter,
        help: "Messages that RabbitMQ has not confirmed.",
        labels: &[],
        services: OURS,
    },
    Metric {
        name: "sms_updates_dropped_total",
        kind: Kind::Counter,
        help: "Updates about progress that were not published, as RabbitMQ was slower.",
        labels: &[],
        services: WORKER,
    },
    Metric {
        name: "sms_sse_clients",
        kind: Kind::Gauge,
        help: "Clients that follow the updates.",
        labels: &[],
        services: STATUS,
    },
    Metric {
        name: "messaging_client_sent_messages_total",
        kind: Kind::Counter,
        help: "Messages that RabbitMQ has confirmed.",
        labels: &[],
        services: OURS,
    },
    Metric {
        name: "messaging_process_duration_seconds",
        kind: Kind::Histogram,
        help: "Time in which a message was processed, by queue and what became of it.",
        labels: &[("queue", &[]), ("disposition", &[])],
        services: WORKER,
    },
    // Every process
    Metric {
        name: "http_server_request_duration_seconds",
        kind: Kind::Histogram,
        help: "Time in which an HTTP request was answered.",
        labels: &[("http_request_method", &[]), ("http_route", &[]), ("http_response_status_code", &[])],
        services: ALL,
    },
    Metric {
        name: "db_client_connection_count",
        kind: Kind::Gauge,
        help: "Connections to the database.",
        labels: &[("state", &["idle", "used"])],
        services: OURS,
    },
    Metric {
        name: "db_client_connection_max",
        kind: Kind::Gauge,
        help: "Most connections to the database.",
        labels: &[],
        services: OURS,
    },
    Metric {
        name: "db_client_connection_pending_requests",
        kind: Kind::Gauge,
        help: "Tasks that wait for a connection to the database.",
        labels: &[],
        services: OURS,
    },
    Metric {
        name: "sms_build_info",
        kind: Kind::Gauge,
        help: "1; the labels name the service and its version.",
        labels: &[("service", &[]), ("version", &[])],
        services: ALL,
    },
    // The reference onboarding portal
    Metric {
        name: "onboarding_webhook_attempts_total",
        kind: Kind::Counter,
        help: "Attempts to deliver a webhook, by their result.",
        labels: &[("result", &[])],
        services: PORTAL,
    },
    Metric {
        name: "onboarding_webhooks_pending",
        kind: Kind::Gauge,
        help: "Webhooks that are not delivered yet.",
        labels: &[],
        services: PORTAL,
    },
    Metric {
        name: "onboarding_webhooks_oldest_pending_seconds",
        kind: Kind::Gauge,
        help: "How long the oldest webhook waits that is not delivered; 0: none waits.",
        labels: &[],
        services: PORTAL,
    },
    Metric {
        name: "onboarding_webhook_endpoint_enabled",
        kind: Kind::Gauge,
        help: "Whether webhooks are sent: repeated failures switch the endpoint off.",
        labels: &[],
        services: PORTAL,
    },
];

/// Describes the metrics of these services, and shows those whose labels are known, at zero: a rate needs a value before the
/// first event, and whoever reads `/metrics` sees what there is.
pub(super) fn register(services: &[&str]) {
    for metric in METRICS.iter().filter(|metric| metric.services.iter().any(|it| services.contains(it))) {
        let Metric { name, help, .. } = *metric;
        match metric.kind {
            Kind::Counter => metrics::describe_counter!(name, help),
            Kind::Gauge => metrics::describe_gauge!(name, help),
            Kind::Histogram => metrics::describe_histogram!(name, Unit::Seconds, help),
        }
        for labels in metric.series() {
            match metric.kind {
                Kind::Counter => metrics::counter!(name, labels).increment(0),
                Kind::Gauge => metrics::gauge!(name, labels).increment(0.0),
                // Its sums and buckets show from now on.
                Kind::Histogram => drop(metrics::histogram!(name, labels)),
            }
        }
    }
}

/// The catalogue as a page of the documentation.
#[must_use]
pub fn page() -> String {
    let row = |metric: &Metric| {
        let kind = match metric.kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
            Kind::Histogram => "histogram",
        };
        let labels: Vec<_> = metric.labels.iter().map(|(name, _)| format!("`{name}`")).collect();
        let (name, help) = (metric.name, metric.help);
        format!("| `{name}` | {kind} | {} | {help} | {} |\n", labels.join(", "), metric.services.join(", "))
    };
    PAGE_HEAD.to_owned() + &METRICS.iter().map(row).collect::<String>()
}

const PAGE_HEAD: &str = "\
# Metrics

Every service shows its metrics at `/metrics`, in Prometheus's text format, with `process_*` for memory, processor time and open files.
Counters and gauges whose labels are known are there from the start. Gauges of what waits are set by the scheduler that leads
(`sms_scheduler_leading`); another one shows 0 there, so ask for the `max` over schedulers.

This page is made from `crates/chassis/src/metrics/catalogue.rs`: `UPDATE_DOCS=1 cargo test --workspace --test architecture metrics`.

| name | kind | labels | what it says | services |
|---|---|---|---|---|
";

impl Metric {
    /// The labels of each series; none where the values of a label are not known.
    fn series(&self) -> Vec<Vec<Label>> {
        self.labels.iter().fold(vec![Vec::new()], |series, (name, values)| {
            let with = |labels: &Vec<Label>, value| [labels.as_slice(), &[Label::new(*name, value)]].concat();
            series.iter().flat_map(|labels| values.iter().map(|value| with(labels, *value))).collect()
        })
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn names_follow_the_conventions_of_prometheus() {
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len(), "each name once");
        for Metric { name, kind, help, .. } in METRICS {
            assert!(name.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_'), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert!(*kind != Kind::Histogram || name.ends_with("_seconds"), "{name}");
            assert!(help.ends_with('.') && help.len() > 5, "{name}");
        }
    }

    #[test]
    fn series_are_all_combinations_of_known_values() {
        let of = |name| METRICS.iter().find(|metric| metric.name == name).expect("a metric").series().len();
        assert_eq!(of("sms_syncs_total"), CAUSES.len() * MODES.len() * END_STATES.len());
        assert_eq!([of("sms_dead_letters"), of("sms_table_bytes")], [1, 0]);
    }
}
