//! Slots for requests to the onboarding portal, how many are given a second, and the pause in which none is: rows of `portal_slots`,
//! `portal_rate` and `portal_pause`. One limit for all workers, by the database's clock.

use std::{num::NonZeroU32, ops::RangeInclusive, time::Duration};

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
    /// All slots are held, or it is not yet time for the next request.
    Busy,
    /// The portal is left alone for so long.
    Paused(Duration),
}

/// Whose turn it is where there is a limit a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Comes when it is time for the next request, and for a quarter of the requests whatever else there is.
    Page,
    /// May come so much before its time: those after it wait the longer.
    Event { ahead: Duration },
}

/// What is asked for with [`slot_claim`].
#[derive(Debug, Clone, PartialEq)]
pub struct SlotRequest {
    /// One of these.
    pub slots: RangeInclusive<u16>,
    /// From this one on, if one of those is free.
    pub preferred: u16,
    pub holder: uuid::Uuid,
    /// A holder that dies keeps its slot until this time is over.
    pub lease: Duration,
    /// Most requests a second of all workers together; none: no limit.
    pub per_second: Option<NonZeroU32>,
    /// Who asks: matters where there is a limit a second.
    pub turn: Turn,
}

/// Claims a slot, if one is free and it is time for the next request.
pub async fn slot_claim(db: &mut Db, request: &SlotRequest) -> Result<SlotClaim, StoreError> {
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
         ), turn AS (
             INSERT INTO portal_rate (next_at, pages_at)
             SELECT clock_timestamp() + $6 * interval '1 second', clock_timestamp() FROM free WHERE $6 IS NOT NULL
             ON CONFLICT (only_row) DO UPDATE
                 SET next_at = greatest(portal_rate.next_at, clock_timestamp()) + $6 * interval '1 second',
                     pages_at = CASE WHEN $7 IS NOT NULL THEN portal_rate.pages_at
                         ELSE greatest(portal_rate.pages_at, clock_timestamp()) + 4 * $6 * interval '1 second' END
                 WHERE portal_rate.next_at <= clock_timestamp() + coalesce($7, 0) * interval '1 second'
                     OR $7 IS NULL AND portal_rate.pages_at <= clock_timestamp()
             RETURNING next_at
         ), claimed AS (
             INSERT INTO portal_slots (slot, holder, until)
             SELECT slot, $3, clock_timestamp() + $4 * interval '1 second' FROM free
             WHERE $6 IS NULL OR EXISTS (SELECT FROM turn)
             ON CONFLICT (slot) DO UPDATE SET holder = excluded.holder, until = excluded.until
                 WHERE portal_slots.until <= clock_timestamp()
             RETURNING slot
         )
         SELECT (SELECT slot FROM claimed), (SELECT seconds FROM pause)",
    )
    .bind::<Int4, _>(i32::from(*request.slots.start()))
    .bind::<Int4, _>(i32::from(*request.slots.end()))
    .bind::<Uuid, _>(request.holder)
    .bind::<Float8, _>(request.lease.as_secs_f64())
    .bind::<Int4, _>(i32::from(request.preferred))
    .bind::<Nullable<Float8>, _>(request.per_second.map(|it| 1.0 / f64::from(it.get())))
    .bind::<Nullable<Float8>, _>(match request.turn {
        Turn::Page => None,
        Turn::Event { ahead } => Some(ahead.as_secs_f64()),
    })
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
