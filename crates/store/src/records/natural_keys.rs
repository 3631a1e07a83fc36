//! Natural keys: an IMO number, the code of a QR label, an e-mail address. At most one row holds each.

use std::collections::{BTreeSet, HashMap};

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Accepted, Finding, RecordType};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::{
        batch_result::BatchResult,
        table::{KeyClaim, NaturalKey, Table},
    },
};

/// Takes records whose natural key another row keeps out of the list and rejects them. Takes out and returns those
/// whose key another record of the batch gives up: they can be written once that one is.
pub(super) async fn natural_keys_check<'a, T: Table>(
    db: &mut Db,
    records: &mut Vec<&'a Accepted<T::Record>>,
    result: &mut BatchResult<'a, T>,
) -> Result<Vec<&'a Accepted<T::Record>>, StoreError> {
    let mut waiting = Vec::new();
    let Some(key) = T::NATURAL_KEY else { return Ok(waiting) };
    let wanted: BTreeSet<&str> =
        records.iter().filter_map(|accepted| T::natural_key(&accepted.record).wanted()).collect();
    if wanted.is_empty() {
        return Ok(waiting);
    }
    let holders = holders_read::<T>(db, &key, wanted).await?;
    let claims = records
        .iter()
        .map(|accepted| (T::source_id(&accepted.record).as_str(), T::natural_key(&accepted.record)));
    let claims = KeyClaims::new(holders, claims);
    for accepted in std::mem::take(records) {
        let Some(wanted) = T::natural_key(&accepted.record).wanted() else {
            records.push(accepted);
            continue;
        };
        match claims.availability(T::source_id(&accepted.record).as_str(), wanted) {
            KeyAvailability::Free => records.push(accepted),
            KeyAvailability::FreedByBatch => waiting.push(accepted),
            KeyAvailability::Taken { holder } => {
                result.reject(accepted, key_taken::<T>(&key, wanted, &holder));
            }
        }
    }
    Ok(waiting)
}

/// The source ids of the rows that hold these keys, by key.
async fn holders_read<T: Table>(
    db: &mut Db,
    key: &NaturalKey,
    wanted: BTreeSet<&str>,
) -> Result<HashMap<String, String>, StoreError> {
    let text = format!(
        "SELECT {expression}, source_id FROM {table} WHERE {expression} = ANY($1) AND ({predicate})",
        expression = key.expression,
        table = T::NAME,
        predicate = key.index_predicate,
    );
    let rows: Vec<(String, String)> = statement(&text)
        .bind::<Array<Text>, _>(wanted.into_iter().collect::<Vec<_>>())
        .returning::<(Text, Text)>()
        .load(db)
        .await?;
    Ok(rows.into_iter().collect())
}

fn key_taken<T: Table>(key: &NaturalKey, value: &str, holder: &str) -> Finding {
    let finding = Finding::error(key.code, key.pointer, format!("belongs to {holder} already"));
    // An e-mail address is personal data: it stays out of the findings.
    if T::RECORD_TYPE == RecordType::User { finding } else { finding.with_value(value) }
}

#[derive(Debug, PartialEq, Eq)]
enum KeyAvailability {
    Free,
    /// Its holder gives it up in this batch.
    FreedByBatch,
    /// Another record holds it and keeps it.
    Taken {
        holder: String,
    },
}

/// The holder of each key, and the key that each record of the batch wants.
struct KeyClaims<'r> {
    /// Source id by key.
    holders: HashMap<String, String>,
    /// Claim by source id.
    wanted: HashMap<&'r str, KeyClaim<'r>>,
}

impl<'r> KeyClaims<'r> {
    /// `holders` are those of the table. A key without a holder goes to the first record that wants it.
    fn new(
        mut holders: HashMap<String, String>,
        wanted: impl Iterator<Item = (&'r str, KeyClaim<'r>)>,
    ) -> Self {
        let wanted: Vec<_> = wanted.collect();
        for (source_id, key) in &wanted {
            if let KeyClaim::Wants(key) = key {
                holders.entry((*key).to_owned()).or_insert_with(|| (*source_id).to_owned());
            }
        }
        Self { holders, wanted: wanted.into_iter().collect() }
    }

    fn availability(&self, source_id: &str, key: &str) -> KeyAvailability {
        let Some(first) = self.holders.get(key).filter(|holder| *holder != source_id) else {
            return KeyAvailability::Free;
        };
        // From holder to holder, as far as each wants the key of another. In a circle no record can be written first.
        let (mut holder, mut held_key) = (first.as_str(), key);
        for _ in 0..self.wanted.len() {
            match self.wanted.get(holder) {
                Some(KeyClaim::GivesUp) => return KeyAvailability::FreedByBatch,
                Some(KeyClaim::Wants(next_key)) if *next_key != held_key => {
                    match self.holders.get(*next_key).map(String::as_str) {
                        Some(next) if next != holder => (holder, held_key) = (next, next_key),
                        _ => return KeyAvailability::FreedByBatch,
                    }
                }
                _ => break,
            }
        }
        KeyAvailability::Taken { holder: first.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims<'r>(holders: &[(&str, &str)], wanted: &[(&'r str, Option<&'r str>)]) -> KeyClaims<'r> {
        let holders = holders.iter().map(|(key, holder)| ((*key).to_owned(), (*holder).to_owned()));
        let claim = |key: &Option<&'r str>| key.map_or(KeyClaim::GivesUp, KeyClaim::Wants);
        KeyClaims::new(holders.collect(), wanted.iter().map(|(source_id, key)| (*source_id, claim(key))))
    }

    fn taken_by(holder: &str) -> KeyAvailability {
        KeyAvailability::Taken { holder: holder.to_owned() }
    }

    #[test]
    fn key_is_free_for_its_holder_and_for_the_first_record_that_wants_it() {
        let claims = claims(&[("k", "a")], &[("a", Some("k")), ("b", Some("new")), ("c", Some("new"))]);
        assert_eq!(claims.availability("a", "k"), KeyAvailability::Free);
        assert_eq!(claims.availability("b", "new"), KeyAvailability::Free);
        assert_eq!(claims.availability("c", "new"), taken_by("b"));
    }

    #[test]
    fn key_is_freed_by_a_batch_whose_chain_of_holders_ends_at_a_free_key() {
        let claims = claims(
            &[("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")],
            &[("c", Some("2")), ("b", Some("1")), ("a", Some("new")), ("e", Some("4")), ("d", None)],
        );
        assert_eq!(claims.availability("a", "new"), KeyAvailability::Free);
        assert_eq!(claims.availability("b", "1"), KeyAvailability::FreedByBatch);
        assert_eq!(claims.availability("c", "2"), KeyAvailability::FreedByBatch);
        assert_eq!(claims.availability("e", "4"), KeyAvailability::FreedByBatch);
    }

    #[test]
    fn key_is_taken_when_its_holder_keeps_it_or_cannot_get_another() {
        let claims = claims(
            &[("1", "a"), ("2", "b"), ("3", "elsewhere"), ("4", "c")],
            &[("a", Some("2")), ("b", Some("1")), ("c", Some("3")), ("d", Some("4")), ("e", Some("3"))],
        );
        assert_eq!(claims.availability("a", "2"), taken_by("b"), "they want to exchange them");
        assert_eq!(claims.availability("b", "1"), taken_by("a"));
        assert_eq!(claims.availability("d", "4"), taken_by("c"));
        assert_eq!(claims.availability("e", "3"), taken_by("elsewhere"));
    }
}
