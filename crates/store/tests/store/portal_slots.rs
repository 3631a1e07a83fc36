//! Slots for requests to the onboarding portal: each has one holder, and in a pause there is none.

use std::{collections::BTreeSet, num::NonZeroU32, time::Duration};

use store::ledger::portal_slots::{
    SlotClaim, SlotRequest, Turn, portal_pause_find, portal_pause_note, slot_claim, slot_release,
};
use uuid::Uuid;

use crate::scene::Scene;

const LEASE: Duration = Duration::from_secs(60);

impl Scene {
    async fn claim_slot(&self, lease: Duration) -> anyhow::Result<(SlotClaim, Uuid)> {
        let request = slot_of_three(lease);
        Ok((slot_claim(&mut *self.store.db().await?, &request).await?, request.holder))
    }
}

fn slot_of_three(lease: Duration) -> SlotRequest {
    SlotRequest {
        slots: 1..=3,
        preferred: 1,
        holder: Uuid::now_v7(),
        lease,
        per_second: None,
        turn: Turn::Page,
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn slot_has_one_holder_until_it_is_released_or_its_time_is_over() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let mut taken = BTreeSet::new();
    let (mut last, mut holder) = (0, Uuid::nil());
    for _ in 0..3 {
        let (SlotClaim::Claimed(slot), by) = scene.claim_slot(LEASE).await? else {
            anyhow::bail!("a slot is free")
        };
        taken.insert(slot);
        (last, holder) = (slot, by);
    }
    assert_eq!(taken, BTreeSet::from([1, 2, 3]));
    assert_eq!(scene.claim_slot(LEASE).await?.0, SlotClaim::Busy);

    slot_release(&mut *scene.store.db().await?, last, Uuid::nil()).await?;
    assert_eq!(scene.claim_slot(LEASE).await?.0, SlotClaim::Busy, "another one cannot release it");
    slot_release(&mut *scene.store.db().await?, last, holder).await?;
    assert_eq!(scene.claim_slot(Duration::ZERO).await?.0, SlotClaim::Claimed(last));
    assert_eq!(scene.claim_slot(LEASE).await?.0, SlotClaim::Claimed(last), "its holder has died");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn workers_that_ask_at_once_never_share_a_slot() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let answers = futures_util::future::join_all((0..20).map(|_| scene.claim_slot(LEASE))).await;
    let mut slots = Vec::new();
    for answer in answers {
        if let SlotClaim::Claimed(slot) = answer?.0 {
            slots.push(slot);
        }
    }
    let different: BTreeSet<_> = slots.iter().collect();
    assert_eq!(different.len(), slots.len(), "{slots:?}");
    assert!(!slots.is_empty() && slots.len() <= 3, "{slots:?}");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn nobody_asks_in_a_pause_and_a_shorter_one_ends_no_longer_one() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    for pause in [30, 5] {
        portal_pause_note(&mut *scene.store.db().await?, Duration::from_secs(pause), "answered 429").await?;
    }
    match scene.claim_slot(LEASE).await?.0 {
        SlotClaim::Paused(left) => assert!(left > Duration::from_secs(20), "{left:?}"),
        other => anyhow::bail!("{other:?}"),
    }
    let told = portal_pause_find(&mut *scene.store.db().await?).await?;
    assert_eq!(told.map(|(_, reason)| reason).as_deref(), Some("answered 429"));
    scene.execute("UPDATE portal_pause SET until = now()").await?;
    assert!(matches!(scene.claim_slot(LEASE).await?.0, SlotClaim::Claimed(_)));
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn request_comes_in_its_turn_or_in_advance_and_then_the_next_one_comes_later() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let claim = async |turn: Turn| {
        let request = SlotRequest { per_second: NonZeroU32::new(1), turn, ..slot_of_three(LEASE) };
        slot_claim(&mut *scene.store.db().await?, &request).await
    };
    let on_time = Turn::Event { ahead: Duration::ZERO };
    let next_at_is = async |condition: &str| {
        let turns = format!("SELECT next_at {condition} AS is_so FROM portal_rate");
        anyhow::Ok(scene.rows(&turns).await[0]["is_so"] == true)
    };
    assert!(matches!(claim(on_time).await?, SlotClaim::Claimed(_)), "the first one ever");

    scene.execute("UPDATE portal_rate SET next_at = '2100-01-01T00:00:00Z'").await?;
    assert_eq!(claim(on_time).await?, SlotClaim::Busy, "it is not yet time");
    let centuries = Turn::Event { ahead: Duration::from_secs(200 * 366 * 86_400) };
    assert!(matches!(claim(centuries).await?, SlotClaim::Claimed(_)), "in advance");
    assert!(next_at_is("= '2100-01-01T00:00:01Z'").await?, "and the next one comes a second later");

    scene.execute("UPDATE portal_rate SET next_at = '2000-01-01T00:00:00Z'").await?;
    assert!(matches!(claim(on_time).await?, SlotClaim::Claimed(_)));
    assert!(next_at_is("> now() - interval '1 hour'").await?, "time without requests is not saved up");

    scene.execute("UPDATE portal_rate SET next_at = '2000-01-01T00:00:00Z'").await?;
    assert_eq!(claim(on_time).await?, SlotClaim::Busy, "all three slots are held");
    assert!(next_at_is("= '2000-01-01T00:00:00Z'").await?, "whoever gets no slot takes nobody's turn");
    Ok(())
}

#[tokio::test(flavor = "multi_thread")]
async fn pages_have_a_share_of_the_turns_however_many_events_there_are() -> anyhow::Result<()> {
    let scene = Scene::new().await?;
    let page = SlotRequest { per_second: NonZeroU32::new(1), turn: Turn::Page, ..slot_of_three(LEASE) };
    let claim = async || slot_claim(&mut *scene.store.db().await?, &page).await;
    scene
        .execute("INSERT INTO portal_rate (next_at, pages_at) VALUES ('2100-01-01T00:00:00Z', '2000-01-01T00:00:00Z')")
        .await?;
    assert!(matches!(claim().await?, SlotClaim::Claimed(_)), "events have taken all turns for a long time");
    let share = "SELECT pages_at > now() + interval '3 seconds' AS is_taken, next_at = '2100-01-01T00:00:01Z' AS is_counted
        FROM portal_rate";
    assert_eq!(scene.rows(share).await, [serde_json::json!({"is_taken": true, "is_counted": true})]);
    scene.execute("UPDATE portal_rate SET pages_at = '2100-01-01T00:00:00Z'").await?;
    assert_eq!(claim().await?, SlotClaim::Busy);
    Ok(())
}
