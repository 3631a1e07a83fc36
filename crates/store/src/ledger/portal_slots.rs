//! Slots for requests to the onboarding portal, and the pause in which none is given: rows of `portal_slots` and `portal_pause`.
//! One limit for all workers, by the database's clock.

use std::{ops::RangeInclusive, time::Duration};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;

use crate::db::{connection::Db, error::StoreError, statement::statement};

/// Result of claiming a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[must_use]
pub enum SlotClaim {
    /// This slot is the holder's, until it is released or its time is over.
    Claimed(u16),
    /// All slots are held.
    Busy,
    /// The portal is left alone for so long.
    Paused(Duration),
}

/// Claims one of these slots for `lease`, if one is free: from `preferred` on, if there is one. A holder that dies keeps its slot
/// until its time is over.
pub async fn slot_claim(
    db: &mut Db,
    slots: RangeInclusive<u16>,
    preferred: u16,
    holder: uuid::Uuid,
    lease: Duration,
) -> Result<SlotClaim, StoreError> {
    // Of two that choose the same slot, the second finds it held, and nothing is returned. So that this is rare, the free ones
    // are chosen in any order.
    let (slot, pause): (Option<i16>, Option<f64>) = statement(
        "WITH pause AS (
             SELECT extract(epoch FROM until - clock_timestamp())::float8 AS seconds FROM portal_pause
             WHERE until > clock_timestamp()
         ), free AS (
             SELECT s::smallint AS slot FROM generate_series($1::int, $2::int) AS s
             WHERE NOT EXISTS (SELECT FROM portal_slots p WHERE p.slot = s AND p.until > clock_timestamp())
                 AND NOT EXISTS (SELECT FROM pause)
             ORDER BY s >= $5 DESC, random() LIMIT 1
         ), claimed AS (
             INSERT INTO portal_slots (slot, holder, until)
             SELECT slot, $3, clock_timestamp() + $4 * interval '1 second' FROM free
             ON CONFLICT (slot) DO UPDATE SET holder = excluded.holder, until = excluded.until
                 WHERE portal_slots.until <= clock_timestamp()
             RETURNING slot
         )
         SELECT (SELECT slot FROM claimed), (SELECT seconds FROM pause)",
    )
    .bind::<Int4, _>(i32::from(*slots.start()))
    .bind::<Int4, _>(i32::from(*slots.end()))
    .bind::<Uuid, _>(holder)
    .bind::<Float8, _>(lease.as_secs_f64())
    .bind::<Int4, _>(i32::from(preferred))
    .returning::<(Nullable<Int2>, Nullable<Float8>)>()
    .get_result(db)
    .await?;
    Ok(match (slot, pause) {
        (Some(slot), _) => SlotClaim::Claimed(slot.unsigned_abs()),
        (None, Some(seconds)) => SlotClaim::Paused(Duration::from_secs_f64(seconds.max(0.0))),
        (None, None) => SlotClaim::Busy,
    })
}

/// Releases a slot, unless it has become another holder's.
pub async fn slot_release(db: &mut Db, slot: u16, holder: uuid::Uuid) -> Result<(), StoreError> {
    statement("UPDATE portal_slots SET until = '-infinity' WHERE slot = $1 AND holder = $2")
        .bind::<Int2, _>(i16::try_from(slot).unwrap_or(i16::MAX))
        .bind::<Uuid, _>(holder)
        .execute(db)
        .await?;
    Ok(())
}

/// Has no worker ask the portal for so long from now, or for longer, if that was said before.
pub async fn portal_pause_note(db: &mut Db, pause: Duration, reason: &str) -> Result<(), StoreError> {
    statement(
        "INSERT INTO portal_pause (until, reason) VALUES (clock_timestamp() + $1 * interval '1 second', $2)
         ON CONFLICT (only_row) DO UPDATE SET until = excluded.until, reason = excluded.reason
             WHERE portal_pause.until < excluded.until",
    )
    .bind::<Float8, _>(pause.as_secs_f64())
    .bind::<Text, _>(reason)
    .execute(db)
    .await?;
    Ok(())
}

/// Until when the portal is left alone, and why; none if it is not.
pub async fn portal_pause_find(db: &mut Db) -> Result<Option<(DateTime<Utc>, String)>, StoreError> {
    let rows: Vec<(DateTime<Utc>, String)> =
        statement("SELECT until, reason FROM portal_pause WHERE until > clock_timestamp()")
            .returning::<(Timestamptz, Text)>()
            .load(db)
            .await?;
    Ok(rows.into_iter().next())
}
