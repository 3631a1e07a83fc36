//! What a sync wrote: records that it created, updated, withdrew and brought back, with the values before and after.

use domain::{RecordType, SyncId};
use serde_json::{Value, json};
use store::{
    Total, Window,
    engine::undo::sync_undo,
    views::sync_writes::{SyncWrite, WriteFilter, WriteKind, sync_writes},
};

use crate::{
    records::{Records, day, user, vessel},
    scene::Scene,
};

impl Scene {
    async fn writes(&self, id: SyncId, filter: WriteFilter) -> anyhow::Result<Vec<SyncWrite>> {
        let window = Window { limit: 100, ..Window::default() };
        let page = self.tx(async |tx| sync_writes(tx, id, filter, window).await).await?;
        assert_eq!((page.total, page.has_more), (Total::Exactly(page.rows.len() as u64), false));
        Ok(page.rows)
    }

    /// Type, id and kind of each, and what it changed; `after` alone of what was created.
    async fn written(&self, id: SyncId) -> anyhow::Result<Vec<Value>> {
        let writes = self.writes(id, WriteFilter::default()).await?;
        Ok(writes.into_iter().map(|it| shown(&it)).collect())
    }
}

fn shown(it: &SyncWrite) -> Value {
    let fields = match (&it.fields, it.kind) {
        (None, _) => Value::Null,
        (Some(_), WriteKind::Created) => json!("all"),
        (Some(fields), _) => fields.iter().map(|(field, old, new)| json!([field, old, new])).collect(),
    };
    json!([it.record_type, it.source_id, it.kind.as_str(), fields])
}

fn named(name: &str, at: u32) -> Records {
    Records::of_vessels([vessel("v-1", json!({"name": name, "updatedAt": day(at)}))])
}

fn part(id: &str, stock: i32) -> Value {
    json!({"id": id, "partNumber": "1", "name": id, "unit": "pcs", "minimumStock": stock, "isCritical": false})
}

#[tokio::test(flavor = "multi_thread")]
async fn each_sync_lists_what_it_wrote_however_often_others_wrote_since() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let first = scene.bring(&named("One", 1)).await?.sync;
    let second = scene.bring(&named("Two", 2)).await?.sync;
    let third = scene.bring(&named("Three", 3)).await?.sync;
    let unchanged = scene.bring(&named("Three", 3)).await?.sync;

    let writes = scene.writes(first, WriteFilter::default()).await?;
    let [company, created] = writes.as_slice() else { panic!("{writes:?}") };
    assert_eq!((company.record_type, company.kind), (RecordType::Company, WriteKind::Created));
    let fields = created.fields.as_deref().unwrap_or_default();
    assert!(fields.contains(&("/name".into(), Value::Null, json!("One"))), "as it was then: {fields:?}");
    assert!(fields.contains(&("/companyId".into(), Value::Null, json!("c-1"))), "{fields:?}");
    assert!(created.label.as_deref().is_some_and(|it| it.starts_with("Three (IMO")), "{created:?}");

    assert_eq!(
        scene.written(second).await?,
        [json!(["vessel", "v-1", "updated", [["/name", "One", "Two"]]])]
    );
    assert_eq!(
        scene.written(third).await?,
        [json!(["vessel", "v-1", "updated", [["/name", "Two", "Three"]]])]
    );
    assert_eq!(scene.written(unchanged).await?, Vec::<Value>::new());

    let only = |record_type, kind| WriteFilter { record_type, kind };
    let count = async |filter| anyhow::Ok(scene.writes(first, filter).await?.len());
    assert_eq!(count(only(Some(RecordType::Vessel), None)).await?, 1);
    assert_eq!(count(only(None, Some(WriteKind::Created))).await?, 2);
    assert_eq!(count(only(None, Some(WriteKind::Updated))).await?, 0);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn withdrawn_and_returned_records_and_the_parts_of_equipment_are_told() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let fleet = |withdrawn_at: Value, at: u32, parts: Value| {
        let mut records = Records::of_vessels([vessel("v-1", json!({}))]);
        let values = json!({"withdrawnAt": withdrawn_at, "criticalParts": parts, "updatedAt": day(at)});
        records.put_equipment("e-1", "v-1", values);
        records
    };
    scene.bring(&fleet(Value::Null, 1, json!([part("p-1", 2), part("p-2", 2)]))).await?;
    let changed = scene.bring(&fleet(Value::Null, 2, json!([part("p-1", 9), part("p-3", 3)]))).await?.sync;
    let withdrawn =
        scene.bring(&fleet(json!(day(3)), 3, json!([part("p-1", 9), part("p-3", 3)]))).await?.sync;
    let returned = scene.bring(&fleet(Value::Null, 4, json!([part("p-1", 9), part("p-3", 3)]))).await?.sync;

    let writes = scene.writes(changed, WriteFilter::default()).await?;
    let fields = writes[0].fields.as_deref().unwrap_or_default();
    for expected in [
        ("/criticalParts/p-1/minimumStock".to_owned(), json!(2), json!(9)),
        ("/criticalParts/p-2/status".to_owned(), json!("active"), json!("withdrawn")),
        ("/criticalParts/p-3/minimumStock".to_owned(), Value::Null, json!(3)),
    ] {
        assert!(fields.contains(&expected), "{expected:?} in {fields:?}");
    }
    let kinds = async |id| {
        let writes = scene.writes(id, WriteFilter::default()).await?;
        anyhow::Ok(writes.iter().map(|it| (it.source_id.clone(), it.kind)).collect::<Vec<_>>())
    };
    assert_eq!(kinds(withdrawn).await?, [("e-1".to_owned(), WriteKind::Withdrawn)]);
    assert_eq!(kinds(returned).await?, [("e-1".to_owned(), WriteKind::Returned)]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn what_was_edited_or_undone_since_is_not_guessed() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    scene.bring(&named("One", 1)).await?;
    let edited = scene.bring(&named("Two", 2)).await?.sync;
    scene.execute("UPDATE vessels SET name = 'By hand'").await?;
    assert_eq!(scene.written(edited).await?, [json!(["vessel", "v-1", "updated", null])]);

    let scene = Scene::new().await?;
    scene.bring(&named("One", 1)).await?;
    let undone = scene.bring(&named("Two", 2)).await?.sync;
    let now = scene.now();
    let _undo = scene.tx(async |tx| sync_undo(tx, undone, "anna", now).await).await?;
    assert_eq!(scene.written(undone).await?, [json!(["vessel", "v-1", "updated", null])]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn personal_data_is_masked() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let user = Records::of_users([user("u-1", json!({"email": "ola.nordmann@example.com"}))]);
    let sync = scene.bring(&user).await?.sync;
    let writes = scene.writes(sync, WriteFilter::default()).await?;
    let written = writes.iter().find(|it| it.record_type == RecordType::User).expect("the user");
    let fields = written.fields.as_deref().unwrap_or_default();
    assert!(fields.contains(&("/email".into(), Value::Null, json!("o***@e***.com"))), "{fields:?}");
    assert_eq!(written.label, None);
    Ok(())
}
