//! QR codes that came with one piece of equipment and are on the label of another. The label on board stays; the code
//! that came is kept as a conflict.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, Finding, RecordType, SyncId,
    conflict::{ConflictKind, ConflictPolicy, Side},
    equipment::Equipment,
    values::QrCode,
};

use crate::db::{connection::Db, error::StoreError, statement::statement};

pub(super) struct TakenQrCode {
    /// Source id of the equipment that has the code.
    holder: String,
    held_since: DateTime<Utc>,
}

/// The taken codes of a page, by the source id of the equipment that came with them. A derived code is never taken: it
/// is made of the equipment's own id.
pub(super) async fn taken_qr_codes_read(
    db: &mut Db,
    equipment: &[&Accepted<Equipment>],
) -> Result<HashMap<String, TakenQrCode>, StoreError> {
    let mut given: Vec<&Accepted<Equipment>> = equipment
        .iter()
        .copied()
        .filter(|row| !row.record.qr_code_derived && row.record.withdrawn_at.is_none())
        .collect();
    if given.is_empty() {
        return Ok(HashMap::new());
    }
    let codes: BTreeSet<&str> = given.iter().map(|row| row.record.qr_code.as_str()).collect();
    let rows: Vec<(String, String, DateTime<Utc>)> =
        statement("SELECT qr_code, source_id, version_at FROM equipment WHERE qr_code = ANY($1)")
            .bind::<Array<Text>, _>(codes.into_iter().collect::<Vec<_>>())
            .returning::<(Text, Text, Timestamptz)>()
            .load(db)
            .await?;
    let mut holders: HashMap<&str, (&str, DateTime<Utc>)> =
        rows.iter().map(|(code, holder, since)| (code.as_str(), (holder.as_str(), *since))).collect();
    given.sort_by_key(|row| &row.record.source_id);
    let mut taken = HashMap::new();
    for row in given {
        let own_id = row.record.source_id.as_str();
        let (holder, held_since) =
            *holders.entry(row.record.qr_code.as_str()).or_insert((own_id, row.version.updated_at));
        if holder != own_id {
            taken.insert(own_id.to_owned(), TakenQrCode { holder: holder.to_owned(), held_since });
        }
    }
    Ok(taken)
}

/// The equipment as it is written: without a taken code, and as a tombstone without any. A derived code stands in,
/// which the update ignores if the row has a code already.
pub(super) fn without_taken_qr_code(
    accepted: &Accepted<Equipment>,
    taken: Option<&TakenQrCode>,
) -> Accepted<Equipment> {
    let mut accepted = accepted.clone();
    let is_tombstone = accepted.record.withdrawn_at.is_some();
    if let (Some(taken), false) = (taken, is_tombstone) {
        let message = format!("is on the label of {} already, which keeps it", taken.holder);
        let warning = Finding::warning("duplicate_qr_code", "/qrCode", message);
        accepted.warnings.push(warning.with_value(&accepted.record.qr_code));
    }
    if taken.is_some() || is_tombstone {
        accepted.record.qr_code = QrCode::derived(&accepted.record.source_id);
        accepted.record.qr_code_derived = true;
    }
    accepted
}

/// Stores a conflict per taken code: the code that the row has, and the one that came with the record.
pub(super) async fn qr_code_conflicts_insert(
    db: &mut Db,
    sync_id: SyncId,
    conflicts: &[(&Accepted<Equipment>, &TakenQrCode)],
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    if conflicts.is_empty() {
        return Ok(());
    }
    let text = format!(
        "INSERT INTO conflicts (id, sync_id, record_type, source_id, label, kind, local_value, source_value, local_at,
             local_writer, source_at, source_hash, winner, policy, opened_at)
         SELECT i.id, $1, '{record_type}', i.source_id, i.label, '{kind}', jsonb_build_object('qr_code', e.qr_code),
             jsonb_build_object('qr_code', i.code, 'holder', i.holder), i.held_since, e.last_writer, i.at, i.hash,
             '{winner}', '{policy}', $2
         FROM unnest($3, $4, $5, $6, $7, $8, $9, $10) AS i (id, source_id, label, code, holder, held_since, at, hash)
         JOIN equipment e ON e.source_id = i.source_id
         ON CONFLICT DO NOTHING",
        record_type = RecordType::Equipment,
        kind = ConflictKind::NaturalKey,
        winner = Side::Local,
        policy = ConflictPolicy::LastWriteWins,
    );
    let accepted = || conflicts.iter().map(|(accepted, _)| *accepted);
    let taken = || conflicts.iter().map(|(_, taken)| *taken);
    let hashes: Vec<&[u8]> = accepted().map(|row| row.version.hash.as_bytes().as_slice()).collect();
    statement(&text)
        .bind::<Uuid, _>(sync_id.as_uuid())
        .bind::<Timestamptz, _>(now)
        .bind::<Array<Uuid>, _>(accepted().map(|_| uuid::Uuid::now_v7()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(accepted().map(|row| row.record.source_id.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(accepted().map(|row| row.label.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(accepted().map(|row| row.record.qr_code.as_str()).collect::<Vec<_>>())
        .bind::<Array<Text>, _>(taken().map(|taken| taken.holder.as_str()).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(taken().map(|taken| taken.held_since).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(accepted().map(|row| row.version.updated_at).collect::<Vec<_>>())
        .bind::<Array<Binary>, _>(hashes)
        .execute(db)
        .await?;
    Ok(())
}
