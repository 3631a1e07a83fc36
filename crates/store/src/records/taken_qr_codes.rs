//! QR codes that came with one piece of equipment and are on the label of another. The label on board stays; the code
//! that came is kept as a conflict.

use std::collections::{BTreeSet, HashMap};

use chrono::{DateTime, Utc};
use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    Accepted, Finding, RecordType, SourceId,
    conflict::{ConflictKind, ConflictPolicy, Side},
    equipment::Equipment,
    last_write_wins::{Decision, StoredVersion, decide},
    values::QrCode,
};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::write_stamp::WriteStamp,
};

pub(super) struct TakenQrCode {
    /// Source id of the equipment that has the code.
    holder: String,
    held_since: DateTime<Utc>,
    /// The code came with the record; otherwise it was derived from the record's id.
    pub(super) was_given: bool,
    /// A derived code that is free, for a row that has none yet.
    substitute: QrCode,
}

/// The taken codes of a page, by the source id of the equipment that wants them: codes that came with a record, and
/// derived codes of new rows. A code is not taken if its holder gets another one by this page.
pub(super) async fn taken_qr_codes_read(
    db: &mut Db,
    stamp: WriteStamp,
    equipment: &[&Accepted<Equipment>],
    stored: &HashMap<String, StoredVersion>,
) -> Result<HashMap<String, TakenQrCode>, StoreError> {
    let is_known = |row: &Accepted<Equipment>| stored.contains_key(row.record.source_id.as_str());
    let is_given = |row: &Accepted<Equipment>| !row.record.qr_code_derived && !row.record.withdrawal.is_due();
    let mut wanting: Vec<&Accepted<Equipment>> =
        equipment.iter().copied().filter(|row| is_given(row) || !is_known(row)).collect();
    if wanting.is_empty() {
        return Ok(HashMap::new());
    }
    let wanted = |row: &Accepted<Equipment>| {
        let is_own = is_given(row) || row.record.qr_code_derived;
        if is_own { row.record.qr_code.clone() } else { QrCode::derived(&row.record.source_id) }
    };
    let codes: BTreeSet<String> = wanting.iter().map(|row| wanted(row).to_string()).collect();
    let rows: Vec<(String, String, DateTime<Utc>)> = holders_read(db, codes).await?;
    let will_be_relabelled = |holder: &str, code: &str| {
        let row = equipment.iter().find(|row| row.record.source_id.as_str() == holder);
        row.is_some_and(|row| {
            let decision = decide(row.version, stamp.fetched_at, stored.get(holder).copied());
            is_given(row)
                && row.record.qr_code.as_str() != code
                && decision == (Decision::Update { overwrites_local: false })
        })
    };
    let mut holders: HashMap<String, (String, DateTime<Utc>)> = rows
        .into_iter()
        .filter(|(code, holder, _)| !will_be_relabelled(holder, code))
        .map(|(code, holder, since)| (code, (holder, since)))
        .collect();
    wanting.sort_by_key(|row| &row.record.source_id);
    let mut taken = HashMap::new();
    for row in wanting {
        let own_id = row.record.source_id.as_str();
        let own = || (own_id.to_owned(), row.version.updated_at);
        let (holder, held_since) = holders.entry(wanted(row).to_string()).or_insert_with(own).clone();
        if holder != own_id {
            let substitute = free_derived_code(db, &row.record.source_id).await?;
            taken.insert(
                own_id.to_owned(),
                TakenQrCode { holder, held_since, was_given: is_given(row), substitute },
            );
        }
    }
    Ok(taken)
}

/// Code, source id of its holder, and since when, of those codes that some equipment has.
async fn holders_read(
    db: &mut Db,
    codes: BTreeSet<String>,
) -> Result<Vec<(String, String, DateTime<Utc>)>, StoreError> {
    Ok(statement("SELECT qr_code, source_id, version_at FROM equipment WHERE qr_code = ANY($1)")
        .bind::<Array<Text>, _>(codes.into_iter().collect::<Vec<_>>())
        .returning::<(Text, Text, Timestamptz)>()
        .load(db)
        .await?)
}

/// The first code derived from an id that no other equipment has.
async fn free_derived_code(db: &mut Db, source_id: &SourceId) -> Result<QrCode, StoreError> {
    for attempt in 0.. {
        let code = QrCode::derived_again(source_id, attempt);
        let holders = holders_read(db, [code.to_string()].into()).await?;
        if holders.iter().all(|(_, holder, _)| holder == source_id.as_str()) {
            return Ok(code);
        }
    }
    unreachable!("a table has fewer rows than there are numbers")
}

/// The equipment as it is written: without a taken code, and as a tombstone without any. A derived code stands in,
/// which the update ignores if the row has a code already.
pub(super) fn without_taken_qr_code(
    accepted: &Accepted<Equipment>,
    taken: Option<&TakenQrCode>,
) -> Accepted<Equipment> {
    let mut accepted = accepted.clone();
    let is_tombstone = accepted.record.withdrawal.is_due();
    if let (Some(taken), false) = (taken, is_tombstone) {
        let message = match taken.was_given {
            true => format!("is on the label of {} already, which keeps it", taken.holder),
            false => format!(
                "the code derived from the id is on the label of {} already: the equipment gets another one",
                taken.holder
            ),
        };
        let warning = Finding::warning("duplicate_qr_code", "/qrCode", message);
        accepted.warnings.push(warning.with_value(&accepted.record.qr_code));
    }
    if let Some(taken) = taken {
        accepted.record.qr_code = taken.substitute.clone();
        accepted.record.qr_code_derived = true;
    } else if is_tombstone {
        accepted.record.qr_code = QrCode::derived(&accepted.record.source_id);
        accepted.record.qr_code_derived = true;
    }
    accepted
}

/// Stores a conflict per taken code: the code that the row has, and the one that came with the record.
pub(super) async fn qr_code_conflicts_insert(
    db: &mut Db,
    stamp: WriteStamp,
    conflicts: &[(&Accepted<Equipment>, &TakenQrCode)],
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
        .bind::<Uuid, _>(stamp.sync_id.as_uuid())
        .bind::<Timestamptz, _>(stamp.now)
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
