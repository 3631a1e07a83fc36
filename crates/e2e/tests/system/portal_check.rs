//! `sms-sync portal check` against the reference onboarding portal, as it is and with faults.

use std::collections::BTreeSet;

use e2e::{Fleet, Setup, System};
use serde_json::{Value, json};

/// `of name` of the checks with this verdict.
fn named(report: &Value, verdict: &str) -> BTreeSet<String> {
    let checks = report["checks"].as_array().expect("a list of checks").iter();
    let of_verdict = checks.filter(|check| check["verdict"] == verdict);
    let text = |check: &Value, name: &str| check[name].as_str().expect("a text").to_owned();
    of_verdict.map(|check| format!("{} {}", text(check, "of"), text(check, "name"))).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn reference_portal_passes_the_contract_check_and_faults_of_it_are_named() -> anyhow::Result<()> {
    let setup = Setup { fleet: Fleet::Of(6, 40, 12), ..Setup::default() };
    let system = System::start(setup).await?;
    let (code, report) = system.portal.check().await?;
    assert_eq!(code, Some(0), "{report:#}");
    assert_eq!(named(&report, "fail"), BTreeSet::new(), "{report:#}");
    assert_eq!(named(&report, "warn"), BTreeSet::new(), "{report:#}");
    let ok = named(&report, "ok");
    for list in ["vessels", "equipment", "users"] {
        for name in ["pages", "total", "asOf", "records", "updatedSince", "ids", "slices"] {
            assert!(ok.contains(&format!("{list} {name}")), "{list} {name}: {report:#}");
        }
    }
    for list in ["equipment", "users"] {
        assert!(ok.contains(&format!("{list} vesselId")), "{list}: {report:#}");
    }

    for (fault, check) in [
        (json!({"kind": "loopingCursor", "path": "equipment"}), "equipment pages"),
        (json!({"kind": "repeatedPage", "path": "users"}), "users pages"),
        (json!({"kind": "truncatedJson", "path": "equipment"}), "equipment pages"),
        (json!({"kind": "serverError", "path": "export"}), "portal export"),
        (json!({"kind": "wrongTypes", "path": "equipment"}), "equipment records"),
    ] {
        system.portal.fail(fault).await?;
        let (code, report) = system.portal.check().await?;
        assert_eq!(code, Some(1), "{check}: {report:#}");
        assert!(named(&report, "fail").contains(check), "{check}: {report:#}");
        system.portal.recover().await?;
    }
    Ok(())
}
