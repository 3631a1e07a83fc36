//! Full syncs: of the demo fleet, and of records that are wrong.

use std::collections::BTreeSet;

use contracts::operator::Severity;
use e2e::{Fleet, Kind, Portal, RECORD_TYPES, Setup, System};
use serde_json::json;

const TABLES: [&str; 4] = ["companies", "vessels", "equipment", "users"];

#[tokio::test(flavor = "multi_thread")]
async fn a_full_sync_of_the_demo_fleet_agrees_with_the_portal_by_every_way_and_a_second_changes_nothing()
-> anyhow::Result<()> {
    let setup = Setup { fleet: Fleet::Demo, workers: 2, page_size: 500, ..Setup::default() };
    let system = System::start(setup).await?;
    let first = system.operator.full_sync().await?;
    assert_eq!(json!(first.summary.state), "completed_with_errors", "{first:#?}");
    let tally = system.balanced_tally(first.summary.sync_id).await?;

    // The demo fleet has a handful of records that are wrong, and each says why.
    let findings = system.operator.findings(first.summary.sync_id).await?;
    for word in RECORD_TYPES {
        let of_kind =
            findings.iter().filter(|it| json!(it.record_type) == word && it.severity == Severity::Error);
        let rejected: BTreeSet<_> = of_kind
            .inspect(|it| assert!(it.pointer.starts_with('/') && !it.message.is_empty(), "{it:?}"))
            .map(|it| &it.source_id)
            .collect();
        assert_eq!(rejected.len() as i64, tally[word].rejected, "{word}: {findings:#?}");
    }
    assert!(RECORD_TYPES.iter().any(|word| tally[*word].rejected > 0), "{tally:?}");
    for (table, word) in TABLES.iter().zip(RECORD_TYPES) {
        let counts = &tally[word];
        // A label that hangs on another piece of equipment is a conflict: the equipment is in, without it.
        let rows = counts.created + counts.conflict;
        assert_eq!(rows, counts.read - counts.rejected, "{word}: {counts:?}");
        assert_eq!(system.count(table).await?, rows, "rows of {table}");
    }

    let second = system.operator.full_sync().await?;
    let again = system.balanced_tally(second.summary.sync_id).await?;
    for word in RECORD_TYPES {
        let (before, now) = (&tally[word], &again[word]);
        let rows = before.created + before.conflict;
        assert_eq!((now.unchanged, now.rejected), (rows, before.rejected), "{word}: {now:?}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn bad_records_are_listed_with_field_and_reason_while_the_good_ones_of_their_page_are_in()
-> anyhow::Result<()> {
    let system =
        System::start(Setup { fleet: Fleet::Of(2, 6, 4), page_size: 100, ..Setup::default() }).await?;
    let portal = &system.portal;
    let vessel = portal.ids(Kind::Vessels, "approved").await?.remove(0);
    let company = portal.company_of(&vessel).await?;
    // A wrong check digit, a label that hangs elsewhere already, no e-mail address.
    let wrong = Portal::vessel("v-bad", "9074728", json!({"companyId": company}));
    portal.enter_approved(Kind::Vessels, wrong).await?;
    for id in ["e-label", "e-twin"] {
        portal
            .enter_approved(Kind::Equipment, Portal::equipment(id, &vessel, json!({"qrCode": "ACME-000001"})))
            .await?;
    }
    let nobody = Portal::user("u-bad", json!({"email": "nobody", "vesselIds": [vessel]}));
    portal.enter_approved(Kind::Users, nobody).await?;

    let sync = system.operator.full_sync().await?;
    assert_eq!(json!(sync.summary.state), "completed_with_errors", "{sync:#?}");
    let tally = system.balanced_tally(sync.summary.sync_id).await?;
    let outcome = |word: &str| (tally[word].created, tally[word].rejected);
    assert_eq!(
        (outcome("vessel"), outcome("equipment"), outcome("user")),
        ((2, 1), (7, 0), (4, 1)),
        "{tally:?}"
    );
    let findings = system.operator.findings(sync.summary.sync_id).await?;
    let mut errors: Vec<_> = findings
        .iter()
        .filter(|it| it.severity == Severity::Error)
        .map(|it| (it.source_id.as_str(), it.pointer.as_str(), it.code.as_str()))
        .collect();
    errors.sort_unstable();
    let expected =
        [("u-bad", "/email", "email_malformed"), ("v-bad", "/imoNumber", "imo_number_check_digit")];
    assert_eq!(errors, expected, "{findings:#?}");
    // The label is a conflict: its equipment goes in without it.
    assert_eq!(tally["equipment"].conflict, 1, "{tally:?}");
    assert!(
        findings.iter().any(|it| it.source_id == "e-twin" && it.code == "duplicate_qr_code"),
        "{findings:#?}"
    );
    assert!(findings.iter().all(|it| !it.message.is_empty()), "{findings:#?}");
    Ok(())
}
