//! Slots for requests to the onboarding portal: each has one holder, and in a pause there is none.

use std::{collections::BTreeSet, time::Duration};

use store::ledger::portal_slots::{
    SlotClaim, portal_pause_find, portal_pause_note, slot_claim, slot_release,
};
use uuid::Uuid;

use crate::scene::Scene;

const LEASE: Duration = Duration::from_secs(60);

impl Scene {
    async fn claim_slot(&self, lease: Duration) -> anyhow::Result<(SlotClaim, Uuid)> {
        let holder = Uuid::now_v7();
        Ok((slot_claim(&mut *self.store.db().await?, 1..=3, 1, holder, lease).await?, holder))
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
