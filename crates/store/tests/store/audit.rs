//! The audit log: append-only, and a chain whose first broken row is named.

use chrono::{DateTime, TimeDelta, Utc};
use domain::audit::AuditAction;
use serde_json::json;
use store::{
    StoreError,
    ledger::{
        audit::{audit_append, audit_origin_set},
        audit_chain::{AUDIT_DAYS_MIN, ChainBreak, ChainPlace, ChainVerdict, audit_purge, audit_verify},
    },
};

use crate::scene::Scene;

impl Scene {
    async fn append(&self, actor: &str, at: DateTime<Utc>) -> anyhow::Result<()> {
        let detail = json!({"reason": "Ærø \u{1f6a2}", "number": 1.50, "list": [1, null]});
        self.tx(async |tx| audit_append(tx, actor, AuditAction::SyncCancel, "x", &detail, at).await).await
    }

    async fn append_rows(&self, rows: usize) -> anyhow::Result<()> {
        for row in 0..rows {
            self.append(&format!("anna-{row}"), self.now()).await?;
        }
        Ok(())
    }

    async fn verify(&self) -> anyhow::Result<ChainVerdict> {
        self.verify_with(None).await
    }

    async fn verify_with(&self, noted: Option<&ChainPlace>) -> anyhow::Result<ChainVerdict> {
        self.tx(async |tx| audit_verify(tx, noted).await).await
    }

    /// Does what only the owner of the table can do: with its triggers away.
    async fn execute_behind_the_triggers(&self, sql: &str) -> anyhow::Result<()> {
        for sql in ["ALTER TABLE audit DISABLE TRIGGER USER", sql, "ALTER TABLE audit ENABLE TRIGGER USER"] {
            self.execute(sql).await?;
        }
        Ok(())
    }

    async fn end(&self) -> anyhow::Result<ChainPlace> {
        match self.verify().await? {
            ChainVerdict::Intact { end, .. } => Ok(end),
            broken => anyhow::bail!("{broken:?}"),
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_rows_of_concurrent_and_failed_transactions_form_one_chain() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let appends = (0..20).map(|number| {
        let scene = &scene;
        async move {
            let now = scene.now();
            let work = async |tx: &mut store::Db| {
                for _ in 0..3 {
                    audit_append(tx, "anna", AuditAction::SyncCancel, "x", &json!({}), now).await?;
                }
                if number % 4 == 0 { Err(StoreError::Connect("given up".into())) } else { Ok(()) }
            };
            let done: Result<(), StoreError> = scene.store.transaction(work).await;
            assert_eq!(done.is_err(), number % 4 == 0);
        }
    });
    futures_join(appends).await;
    match scene.verify().await? {
        ChainVerdict::Intact { rows, anchor, end } => {
            assert_eq!((rows, anchor.position, end.position), (45, 0, 45));
        }
        broken => anyhow::bail!("{broken:?}"),
    }
    Ok(())
}

/// Drives all futures on this task: each waits for the database, not for the processor.
async fn futures_join<F: Future<Output = ()>>(futures: impl Iterator<Item = F>) {
    let mut futures: Vec<_> = futures.map(Box::pin).collect();
    std::future::poll_fn(|context| {
        futures.retain_mut(|future| future.as_mut().poll(context).is_pending());
        if futures.is_empty() { std::task::Poll::Ready(()) } else { std::task::Poll::Pending }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_can_be_neither_changed_nor_deleted_nor_truncated() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.append_rows(2).await?;
    for sql in [
        "UPDATE audit SET actor = 'eve'",
        "UPDATE audit SET position = NULL, previous_hash = NULL, hash = NULL",
        "DELETE FROM audit",
        "TRUNCATE audit",
        "TRUNCATE audit_chain",
    ] {
        let refused = scene.execute(sql).await.expect_err(sql);
        assert!(format!("{refused:#}").contains("append-only"), "{sql}: {refused:#}");
    }
    // A row cannot choose its place.
    let own_place = "INSERT INTO audit (at, actor, action, subject, position, hash)
                     VALUES (now(), 'eve', 'sync.cancel', 'x', 1, '\\x00')";
    scene.execute(own_place).await?;
    assert_eq!(scene.end().await?.position, 3);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_audit_chain_is_found_at_its_first_broken_row() -> anyhow::Result<()> {
    for (sql, expected) in [
        ("UPDATE audit SET actor = 'eve' WHERE position = 2", ChainBreak::Changed { position: 2, id: 2 }),
        ("UPDATE audit SET detail = '{}' WHERE position >= 3", ChainBreak::Changed { position: 3, id: 3 }),
        ("UPDATE audit SET request_id = '' WHERE position = 4", ChainBreak::Changed { position: 4, id: 4 }),
        (
            "UPDATE audit SET hash = sha256('x') WHERE position = 2",
            ChainBreak::Changed { position: 2, id: 2 },
        ),
        (
            "UPDATE audit SET previous_hash = NULL WHERE position = 3",
            ChainBreak::Unlinked { position: 3, id: 3 },
        ),
        ("DELETE FROM audit WHERE position = 1", ChainBreak::Missing { position: 1 }),
        ("DELETE FROM audit WHERE position = 3", ChainBreak::Missing { position: 3 }),
        ("DELETE FROM audit WHERE position > 3", ChainBreak::Missing { position: 4 }),
        ("DELETE FROM audit", ChainBreak::Missing { position: 1 }),
        (
            "INSERT INTO audit (at, actor, action, subject) VALUES (now(), 'eve', 'sync.cancel', 'x')",
            ChainBreak::Added { id: 6 },
        ),
        (
            "INSERT INTO audit (at, actor, action, subject, position) VALUES (now(), 'eve', 'sync.cancel', 'x', 6)",
            ChainBreak::Added { id: 6 },
        ),
    ] {
        let scene = Scene::new().await?;
        scene.append_rows(5).await?;
        assert_eq!(scene.end().await?.position, 5);
        scene.execute_behind_the_triggers(sql).await?;
        assert_eq!(scene.verify().await?, ChainVerdict::Broken(expected), "{sql}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_chain_that_was_written_anew_differs_from_the_place_noted_before() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.append_rows(3).await?;
    let noted = scene.end().await?;
    scene.append_rows(1).await?;
    assert!(matches!(scene.verify_with(Some(&noted)).await?, ChainVerdict::Intact { rows: 4, .. }));

    scene
        .execute_behind_the_triggers(
            "DO $$ DECLARE entry audit; previous bytea := decode(repeat('00', 32), 'hex'); BEGIN
                 UPDATE audit SET actor = 'eve' WHERE position = 2;
                 FOR entry IN SELECT * FROM audit ORDER BY position LOOP
                     UPDATE audit SET previous_hash = previous, hash = audit_hash(previous, entry)
                     WHERE id = entry.id RETURNING hash INTO previous;
                 END LOOP;
                 UPDATE audit_chain SET hash = previous;
             END $$",
        )
        .await?;
    assert!(matches!(scene.verify().await?, ChainVerdict::Intact { rows: 4, .. }), "consistent in itself");
    let rewritten = ChainVerdict::Broken(ChainBreak::Rewritten { position: 3 });
    assert_eq!(scene.verify_with(Some(&noted)).await?, rewritten);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn purged_audit_rows_leave_an_anchor_that_the_rest_is_verified_from() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    // By the database's clock, as rows are purged.
    let now =
        scene.row("SELECT now() AS now").await["now"].as_str().expect("a time").parse::<DateTime<Utc>>()?;
    for days in [409, 408, 407, 1, 406, 0] {
        scene.append("anna", now - TimeDelta::days(days)).await?;
    }
    let noted = scene.end().await?;
    let too_soon = scene.tx(async |tx| audit_purge(tx, AUDIT_DAYS_MIN - 1, 2).await).await;
    assert!(format!("{:#}", too_soon.expect_err("a year is kept")).contains("365 days"));
    for arguments in ["NULL, 2", "400, NULL", "-1, 2"] {
        let refused = scene.execute(&format!("SELECT audit_retention({arguments})")).await;
        assert!(refused.is_err(), "{arguments}");
    }
    for time in ["infinity", "0044-03-15 BC", "now() + interval '2 days'"] {
        let time = if time.contains('(') { time.to_owned() } else { format!("timestamptz '{time}'") };
        let row = format!(
            "INSERT INTO audit (at, actor, action, subject) VALUES ({time}, 'eve', 'sync.cancel', 'x')"
        );
        assert!(scene.execute(&row).await.is_err(), "{time}");
    }
    let purge = async |limit| scene.tx(async |tx| audit_purge(tx, 400, limit).await).await;
    assert_eq!((purge(2).await?, purge(2).await?), (2, 1), "oldest first, in batches");
    assert_eq!(purge(2).await?, 0, "a younger row keeps those after it");
    match scene.verify_with(Some(&noted)).await? {
        ChainVerdict::Intact { rows, anchor, end } => {
            assert_eq!((rows, anchor.position, end.position), (3, 3, 6));
            let purged = ChainPlace { position: 2, hash: vec![0; 32] };
            let verdict = scene.verify_with(Some(&purged)).await?;
            assert_eq!(verdict, ChainVerdict::NotedPlacePurged { anchor: anchor.clone() });
            assert!(matches!(scene.verify_with(Some(&anchor)).await?, ChainVerdict::Intact { .. }));
        }
        broken => anyhow::bail!("{broken:?}"),
    }
    scene.execute_behind_the_triggers("DELETE FROM audit WHERE position = 4").await?;
    assert_eq!(scene.verify().await?, ChainVerdict::Broken(ChainBreak::Missing { position: 4 }));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn role_that_may_only_insert_appends_to_the_audit_chain() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.append_rows(1).await?;
    // Roles belong to the whole server.
    let role = format!("audit_appender_{}", std::process::id());
    let as_role = |sql: &str| {
        format!(
            "DO $$ BEGIN
                 CREATE ROLE {role}; GRANT INSERT ON audit TO {role}; SET ROLE {role};
                 {sql}; SET CONSTRAINTS ALL IMMEDIATE; RESET ROLE;
                 REVOKE ALL ON audit FROM {role}; DROP ROLE {role};
             END $$"
        )
    };
    let insert = "INSERT INTO audit (at, actor, action, subject) VALUES (now(), 'anna', 'sync.cancel', 'x')";
    scene.execute(&as_role(insert)).await?;
    assert_eq!(scene.end().await?.position, 2);
    for sql in
        ["UPDATE audit SET actor = 'eve'", "DELETE FROM audit_chain", "PERFORM audit_retention(400, 1)"]
    {
        let refused = scene.execute(&as_role(sql)).await.expect_err(sql);
        assert!(format!("{refused:#}").contains("permission denied"), "{sql}: {refused:#}");
    }
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn audit_row_names_the_request_of_its_transaction_alone() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let now = scene.now();
    scene
        .tx(async |tx| {
            audit_origin_set(tx, Some("0af7651916cd43dd8448eb211c80319c"), Some("r-1")).await?;
            audit_append(tx, "anna", AuditAction::SyncCancel, "x", &json!({}), now).await
        })
        .await?;
    scene.append("anna", now).await?;
    let rows = scene.rows("SELECT trace_id, request_id FROM audit ORDER BY id").await;
    assert_eq!(
        rows,
        [
            json!({"trace_id": "0af7651916cd43dd8448eb211c80319c", "request_id": "r-1"}),
            json!({"trace_id": null, "request_id": null})
        ]
    );
    assert_eq!(scene.end().await?.position, 2);
    Ok(())
}
