//! The schema, and seeding.

use onboarding_portal::{
    Kind,
    clock::Clock,
    fleet::{Detail, Fleet, Size},
    seeding::{self, Progress, SeedError, Seeded},
};
use testbed::World;

use crate::rig::{Rig, company, database, noon, world};

const TABLES: &str = "SELECT count(*) AS tables FROM information_schema.tables
    WHERE table_schema = 'public' AND table_name NOT LIKE '\\_\\_diesel%'";

#[tokio::test(flavor = "multi_thread")]
async fn schema_migrates_reverts_and_migrates_again() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let database = database(&world.database_url)?;
    let outdated = database.ready().await.unwrap_err();
    assert!(outdated.to_string().contains("run `onboarding-portal migrate`"), "{outdated}");

    let ran = database.migrate().await?;
    database.ready().await?;
    assert_eq!(database.migrate().await?, [""; 0]);
    let tables = world.query_json(TABLES).await?;
    assert_eq!(tables[0]["tables"], 7);

    assert_eq!(database.revert().await?.len(), ran.len());
    assert_eq!(world.query_json(TABLES).await?[0]["tables"], 0);
    assert_eq!(database.migrate().await?, ran);
    assert_eq!(world.query_json(TABLES).await?, tables);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn concurrent_migrations_wait_for_each_other() -> anyhow::Result<()> {
    let world = World::empty().await?;
    let database = database(&world.database_url)?;
    let (one, other) = tokio::join!(database.migrate(), database.migrate());
    let mut ran = [one?.len(), other?.len()];
    ran.sort_unstable();
    assert_eq!(ran, [0, 3]);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn demo_fleet_is_seeded_once_and_completely() -> anyhow::Result<()> {
    let world = world().await?;
    let (database, clock) = (database(&world.database_url)?, Clock::manual(noon()));
    let seeded = seeding::seed(&database, &Fleet::demo(), Progress::Silent, &clock).await?;
    let Seeded::Inserted(counts) = seeded else { anyhow::bail!("{seeded:?}") };
    assert_eq!((counts.of(Kind::Company), counts.of(Kind::Vessel)), (10, 45));
    let all = Fleet::demo().entries().count();
    let rows = world.query_json("SELECT count(*) AS records, count(*) FILTER (WHERE state = 'draft' AND kind = 'vessel') AS drafts FROM records").await?;
    assert_eq!((&rows[0]["records"], &rows[0]["drafts"]), (&all.into(), &3.into()));

    let text = "SELECT md5(string_agg(kind || id || state || updated_at || document::text, '' ORDER BY kind, id)) AS all FROM records";
    let before = world.query_json(text).await?;
    assert_eq!(
        seeding::seed(&database, &Fleet::demo(), Progress::Silent, &clock).await?,
        Seeded::AlreadyThere
    );
    assert_eq!(world.query_json(text).await?, before);

    let other = Fleet::of_size(Size { vessels: 1, equipment: 1, users: 1 }, Detail::Plain);
    let refused = seeding::seed(&database, &other, Progress::Silent, &clock).await.unwrap_err();
    assert!(matches!(refused, SeedError::AnotherFleet(..)), "{refused}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn change_after_seeding_has_the_newest_version() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.seed(&Fleet::demo()).await?;
    let drafts = rig.get("/api/vessels?state=draft").await?;
    assert_eq!(drafts["data"].as_array().map(Vec::len), Some(3));
    let id = drafts["data"][0]["record"]["id"].as_str().unwrap_or_default();
    let receipt = rig.post(&format!("/api/vessels/{id}/approve")).await?;
    let newer =
        rig.query("SELECT id FROM records WHERE kind = 'vessel' ORDER BY updated_at DESC LIMIT 1").await?;
    assert_eq!(newer[0]["id"], id);
    let since = receipt["updatedAt"].as_str().unwrap_or_default();
    let equipment = rig.get(&format!("/api/sync/equipment?updatedSince={since}")).await?;
    // All equipment of the vessel, and the record with a version in the future.
    let on_board = rig
        .query(&format!("SELECT 1 FROM records WHERE kind = 'equipment' AND vessel_ids @> ARRAY['{id}']"))
        .await?;
    assert!(on_board.len() > 100);
    assert_eq!(equipment["page"]["total"], on_board.len() + 1);
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn database_with_entered_records_is_not_seeded() -> anyhow::Result<()> {
    let rig = Rig::start().await?;
    rig.enter([("companies", company("c-1"))]).await?;
    let refused = rig.seed(&Fleet::demo()).await.unwrap_err();
    assert!(matches!(refused, SeedError::Occupied), "{refused}");
    seeding::seed_if_empty(rig.portal.database(), &Fleet::demo(), &rig.clock).await?;
    assert_eq!(rig.query("SELECT 1 FROM records").await?.len(), 1);
    Ok(())
}
