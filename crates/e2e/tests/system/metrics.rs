//! `/metrics` of every service before its first event.

use chassis::metrics::catalogue::METRICS;
use e2e::{Fleet, Setup, System};

#[tokio::test(flavor = "multi_thread")]
async fn every_metric_with_known_labels_is_there_before_the_first_event() -> anyhow::Result<()> {
    let setup = Setup { fleet: Fleet::Of(1, 1, 1), ..Setup::default() };
    let system = System::start(setup).await?;
    for daemon in system.daemons() {
        let text = reqwest::get(format!("{}/metrics", daemon.url)).await?.text().await?;
        let service = text
            .split_once("sms_build_info{service=\"")
            .and_then(|(_, rest)| rest.split_once('"'))
            .map(|(service, _)| service.to_owned());
        let service = service.unwrap_or_else(|| panic!("{text}"));
        let of_service = METRICS.iter().filter(|metric| metric.services.contains(&service.as_str()));
        for metric in of_service.filter(|metric| metric.labels.iter().all(|(_, values)| !values.is_empty())) {
            let help = format!("# HELP {} {}", metric.name, metric.help);
            assert!(text.contains(&help), "{service}: {help}\n{text}");
            let is_shown = |line: &str| {
                let rest = line.strip_prefix(metric.name);
                rest.is_some_and(|rest| rest.starts_with(['{', ' ', '_']))
            };
            assert!(text.lines().any(is_shown), "{service}: {}\n{text}", metric.name);
        }
        assert!(text.contains("process_resident_memory_bytes"), "{service}");
    }
    Ok(())
}
