//! The arrows between our crates: down only, adapters never sideways, services never each other.

use std::collections::{BTreeMap, BTreeSet};

use cargo_metadata::{DependencyKind, Metadata, MetadataCommand};

/// What each crate may import of ours. A crate that is missing here fails the test: decide where it belongs.
const ARROWS: &[(&str, &[&str])] = &[
    // layer 0: pure, and the wire
    ("domain", &[]),
    ("contracts", &["domain"]),
    // layer 1: adapters
    ("postgres-connection", &[]),
    ("store", &["postgres-connection", "domain"]),
    ("broker", &["contracts", "domain"]),
    ("portal-client", &["contracts", "domain"]),
    ("outbox", &["store", "broker", "contracts", "domain"]),
    ("heap", &[]),
    // layer 2: how a daemon lives; knows nothing of ours but the heap
    ("chassis", &["heap"]),
    // layer 3: services
    ("webhook-ingest", &["chassis", "outbox", "store", "broker", "contracts", "domain"]),
    ("scheduler", &["chassis", "outbox", "store", "broker", "contracts", "domain"]),
    ("worker", &["chassis", "outbox", "store", "broker", "portal-client", "contracts", "domain"]),
    ("status", &["chassis", "outbox", "store", "broker", "portal-client", "contracts", "domain"]),
    // the command line may import everything of ours but the other company's program
    (
        "sms-sync",
        &[
            "chassis",
            "outbox",
            "store",
            "broker",
            "portal-client",
            "contracts",
            "domain",
            "webhook-ingest",
            "scheduler",
            "worker",
            "status",
        ],
    ),
    // the other company's program: the wire, a connection to its own database, and how a daemon lives
    ("onboarding-portal", &["chassis", "postgres-connection", "contracts"]),
    // tests
    ("testbed", &[]),
    // black boxes: they speak as others do
    ("e2e", &["contracts", "testbed"]),
];

/// Crates of others that only some of ours may name, and who.
const CONFINED: &[(&str, &[&str])] = &[
    // The onboarding portal is another company's program with a database of its own; testbed looks from outside.
    ("diesel", &["postgres-connection", "store", "onboarding-portal", "testbed"]),
    ("diesel-async", &["postgres-connection", "store", "onboarding-portal", "testbed"]),
    ("tokio-postgres", &["postgres-connection", "testbed"]),
    ("lapin", &["broker", "testbed"]),
    // `status` reads the public keys of an identity provider.
    ("reqwest", &["portal-client", "status", "sms-sync", "onboarding-portal", "testbed", "e2e"]),
    ("actix-web", &["chassis", "webhook-ingest", "status", "sms-sync", "onboarding-portal"]),
    ("opentelemetry_sdk", &["chassis"]),
];

/// Asynchronous runtimes, servers, clients and stores: the pure layer names none.
const IMPURE: &[&str] =
    &["tokio", "futures-util", "actix-web", "reqwest", "diesel", "diesel-async", "lapin", "tokio-postgres"];

fn metadata() -> Metadata {
    MetadataCommand::new().no_deps().exec().expect("cargo metadata runs in a checkout")
}

/// Each of our crates with what it imports in production.
fn imports(metadata: &Metadata) -> BTreeMap<String, BTreeSet<String>> {
    let normal = |package: &cargo_metadata::Package| {
        package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind == DependencyKind::Normal)
            .map(|dependency| dependency.name.clone())
            .collect()
    };
    metadata.packages.iter().map(|package| (package.name.to_string(), normal(package))).collect()
}

#[test]
fn every_crate_imports_only_what_its_layer_allows() {
    let imports = imports(&metadata());
    let allowed: BTreeMap<&str, &[&str]> = ARROWS.iter().copied().collect();
    assert_eq!(
        imports.keys().map(String::as_str).collect::<BTreeSet<_>>(),
        allowed.keys().copied().collect::<BTreeSet<_>>(),
        "crates of the workspace, and crates with a place in the architecture"
    );
    for (name, imported) in &imports {
        let ours = imported.iter().filter(|name| imports.contains_key(*name));
        let forbidden: Vec<_> =
            ours.filter(|other| !allowed[name.as_str()].contains(&other.as_str())).collect();
        assert!(forbidden.is_empty(), "{name} must not import {forbidden:?}");
    }
}

#[test]
fn outside_systems_are_named_by_their_adapters_alone() {
    let imports = imports(&metadata());
    for (library, allowed) in CONFINED {
        for (name, imported) in &imports {
            assert!(
                !imported.contains(*library) || allowed.contains(&name.as_str()),
                "{name} must not name {library}; only {allowed:?} may"
            );
        }
    }
}

#[test]
fn the_pure_layer_does_no_input_or_output() {
    let imports = imports(&metadata());
    for pure in ["domain", "contracts"] {
        for library in IMPURE {
            assert!(!imports[pure].contains(*library), "{pure} must not name {library}");
        }
    }
}

#[test]
fn no_service_is_imported_by_another() {
    let services = ["webhook-ingest", "scheduler", "worker", "status", "onboarding-portal"];
    let imports = imports(&metadata());
    for service in services {
        for other in services {
            assert!(!imports[service].contains(other), "{service} must not import {other}");
        }
    }
}
