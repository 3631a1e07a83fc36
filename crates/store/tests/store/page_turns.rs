//! The turn to work on a page.

use std::time::Duration;

use crate::scene::Scene;

const PATIENCE: Duration = Duration::from_secs(60);

#[tokio::test(flavor = "multi_thread")]
async fn page_turn_belongs_to_one_at_a_time() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let turn = scene.store.page_turn(PATIENCE).await?;
    assert!(scene.store.page_turn(Duration::from_millis(50)).await.is_err(), "it is taken");
    turn.end().await;
    scene.store.page_turn(PATIENCE).await?.end().await;
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn page_turn_that_is_dropped_goes_to_the_next() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    drop(scene.store.page_turn(PATIENCE).await?);
    scene.store.page_turn(PATIENCE).await?.end().await;
    Ok(())
}
