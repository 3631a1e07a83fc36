//! A conflict as an operator meets it: told at once, listed and decided at the command line, and gone for good.

use e2e::{Fleet, Kind, Setup, System};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn a_conflict_is_told_of_and_decided_at_the_command_line_and_does_not_come_back() -> anyhow::Result<()>
{
    let system = System::start(Setup { fleet: Fleet::Of(1, 2, 1), ..Setup::default() }).await?;
    system.operator.full_sync().await?;
    let equipment = system.portal.ids(Kind::Equipment, "approved").await?.remove(0);
    system.portal.change(Kind::Equipment, &equipment, json!({"name": "As approved"})).await?;
    let edit = format!("UPDATE equipment SET name = 'As found on board' WHERE source_id = '{equipment}'");
    system.world.execute(&edit).await?;

    let mut updates = system.operator.updates().await?;
    let sync = system.operator.full_sync().await?.summary.sync_id;
    let told = updates.wait_for("conflict.opened").await?;
    assert_eq!((&told["syncId"], &told["open"]), (&json!(sync), &json!(1)), "{told}");
    assert_eq!(system.balanced_tally(sync).await?["equipment"].conflict, 1);

    let listed = system.operator.cli(&["conflicts", "list"]).await?;
    let [conflict] = listed["data"].as_array().expect("a list").as_slice() else { panic!("{listed}") };
    assert_eq!(
        (&conflict["sourceId"], &conflict["kind"], &conflict["winner"]),
        (&json!(equipment), &json!("local_newer"), &json!("local")),
        "{conflict}"
    );
    let id = conflict["id"].as_str().expect("an id");
    let shown = system.operator.cli(&["conflicts", "show", id]).await?;
    let sides = json!({"local": "As found on board", "source": "As approved"});
    assert_eq!(shown["fields"]["name"], sides, "{shown}");

    let mut updates = system.operator.updates().await?;
    let decided = system.operator.cli(&["conflicts", "resolve", id, "--by", "source"]).await?;
    assert_eq!((&decided["resolved"], &decided["refused"]), (&json!(1), &json!([])), "{decided}");
    updates.wait_for("conflict.resolved").await?;
    let name = format!("SELECT name FROM equipment WHERE source_id = '{equipment}'");
    assert_eq!(system.rows(&name).await?, [json!({"name": "As approved"})]);
    let audit = system.rows("SELECT actor FROM audit WHERE action LIKE 'conflict%'").await?;
    assert_eq!(audit.len(), 1, "{audit:?}");

    let sync = system.operator.full_sync().await?.summary.sync_id;
    assert_eq!(system.balanced_tally(sync).await?["equipment"].conflict, 0);
    let open = system.operator.cli(&["conflicts", "list"]).await?;
    assert_eq!(open["data"], json!([]), "{open}");
    Ok(())
}
