//! The catalogue of metrics and the code name the same metrics.

use std::collections::BTreeSet;

use chassis::metrics::catalogue::{METRICS, page};
use domain::{Cause, FailureClass, Mode, Outcome, RecordType, SyncState, tick::TickOutcome};

use super::{files::sources, imports::rust_files};

/// Names in `metrics::counter!("…")` and its like.
fn metrics_set_by(source: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for kind in ["counter", "gauge", "histogram"] {
        for call in source.split(&format!("metrics::{kind}!(")).skip(1) {
            let name = call.trim_start().strip_prefix('"').and_then(|rest| rest.split('"').next());
            names.extend(name.map(str::to_owned));
        }
    }
    names
}

#[test]
fn every_metric_of_the_code_is_in_the_catalogue_and_the_other_way_round() {
    let catalogue: BTreeSet<String> = METRICS.iter().map(|metric| metric.name.to_owned()).collect();
    let files = sources().into_iter().flat_map(|(_crate, src)| rust_files(&src));
    let code: BTreeSet<String> = files
        .flat_map(|path| metrics_set_by(&std::fs::read_to_string(path).expect("a source file is readable")))
        .collect();
    assert_eq!(code, catalogue);
}

#[test]
fn page_of_the_documentation_is_the_catalogue() -> std::io::Result<()> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/metrics.md");
    if std::env::var_os("UPDATE_DOCS").is_some() {
        std::fs::write(path, page())?;
    }
    assert_eq!(std::fs::read_to_string(path)?, page(), "UPDATE_DOCS=1 makes the page anew");
    Ok(())
}

#[test]
fn labels_of_the_catalogue_have_the_words_of_the_domain() {
    fn words<T: Copy>(all: &[T], word: impl Fn(T) -> &'static str) -> BTreeSet<&'static str> {
        all.iter().map(|it| word(*it)).collect()
    }
    let ended: Vec<_> = SyncState::ALL.iter().copied().filter(|state| state.is_terminal()).collect();
    let expected = [
        ("sms_syncs_total", "cause", words(Cause::ALL, Cause::as_str)),
        ("sms_syncs_total", "mode", words(Mode::ALL, Mode::as_str)),
        ("sms_syncs_total", "state", words(&ended, SyncState::as_str)),
        ("sms_sync_records_total", "record_type", words(RecordType::ALL, RecordType::as_str)),
        ("sms_sync_records_total", "outcome", words(Outcome::ALL, Outcome::as_str)),
        ("sms_sync_retries_total", "class", words(FailureClass::ALL, FailureClass::as_str)),
        ("sms_schedule_ticks_total", "outcome", words(TickOutcome::ALL, TickOutcome::as_str)),
    ];
    for (name, label, words) in expected {
        let metric = METRICS.iter().find(|metric| metric.name == name).expect("a metric");
        let (_, values) = metric.labels.iter().find(|(of, _)| *of == label).expect("a label");
        assert_eq!(values.iter().copied().collect::<BTreeSet<_>>(), words, "{name} {label}");
    }
}
