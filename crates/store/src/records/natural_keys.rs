//! Natural keys: at most one row has an IMO number, the code of a label, an address. Who may take which.

use std::collections::{BTreeSet, HashMap};

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{Accepted, Finding, Outcome, RecordType};

use crate::{
    db::{connection::Db, error::StoreError, statement::statement},
    records::{
        batch_result::Batch,
        table::{NaturalKey, Table},
    },
};

/// Rejects records whose natural key is another's, and takes them out. Returns those, taken out too, whose key the batch
/// itself sets free: they can be written after the others.
pub(super) async fn natural_keys_check<'a, T: Table>(
    db: &mut Db,
    records: &mut Vec<&'a Accepted<T::Record>>,
    done: &mut Batch<'a, T::Record>,
) -> Result<Vec<&'a Accepted<T::Record>>, StoreError> {
    let mut waiting = Vec::new();
    let Some(NaturalKey { expression, code, pointer, held_while }) = T::NATURAL_KEY else {
        return Ok(waiting);
    };
    let keys: BTreeSet<&str> = records.iter().filter_map(|it| T::natural_key(&it.record)).collect();
    if keys.is_empty() {
        return Ok(waiting);
    }
    let text = format!(
        "SELECT {expression}, source_id FROM {} WHERE {expression} = ANY($1) AND ({held_while})",
        T::NAME
    );
    let rows: Vec<(String, String)> = statement(&text)
        .bind::<Array<Text>, _>(keys.into_iter().collect::<Vec<_>>())
        .returning::<(Text, Text)>()
        .load(db)
        .await?;
    let claims = records.iter().map(|it| (T::source_id(&it.record).as_str(), T::natural_key(&it.record)));
    let claims = Claims::new(rows.into_iter().collect(), claims);
    let claimants = std::mem::take(records);
    for it in claimants {
        let source_id = T::source_id(&it.record).as_str();
        match T::natural_key(&it.record).map_or(Claim::Free, |key| claims.of(source_id, key)) {
            Claim::Free => records.push(it),
            Claim::FreeSoon => waiting.push(it),
            Claim::Held(holder) => {
                let finding = Finding::error(code, pointer, format!("belongs to {holder} already"));
                // An e-mail address is a person's: it stays out of the findings.
                let finding = match T::natural_key(&it.record) {
                    Some(key) if T::RECORD_TYPE != RecordType::User => finding.with_value(key),
                    _ => finding,
                };
                done.outcomes.insert(source_id, Outcome::Rejected);
                done.findings.push((it, finding));
            }
        }
    }
    Ok(waiting)
}

/// What becomes of a claim to a key.
#[derive(Debug, PartialEq, Eq)]
enum Claim {
    /// Nobody else has it.
    Free,
    /// Its holder lets go of it in this batch.
    FreeSoon,
    /// It stays whose it is.
    Held(String),
}

/// Who has which key, and who asks for which.
struct Claims<'r> {
    holders: HashMap<String, String>,
    asked: HashMap<&'r str, Option<&'r str>>,
}

impl<'r> Claims<'r> {
    /// `holders`: of the table. A key that nobody there has belongs to the first who asks for it.
    fn new(
        mut holders: HashMap<String, String>,
        asked: impl Iterator<Item = (&'r str, Option<&'r str>)>,
    ) -> Self {
        let asked: Vec<_> = asked.collect();
        for (source_id, key) in &asked {
            if let Some(key) = key {
                holders.entry((*key).to_owned()).or_insert_with(|| (*source_id).to_owned());
            }
        }
        Self { holders, asked: asked.into_iter().collect() }
    }

    fn of(&self, source_id: &str, key: &str) -> Claim {
        let holder =
            |key: &str| self.holders.get(key).map(String::as_str).filter(|holder| *holder != source_id);
        let Some(first) = holder(key) else { return Claim::Free };
        // From holder to holder, as far as each asks for another's key. In a circle nobody can begin.
        let (mut at, mut held) = (first, key);
        for _ in 0..self.asked.len() {
            match self.asked.get(at) {
                Some(None) => return Claim::FreeSoon,
                Some(Some(next)) if *next != held => match self.holders.get(*next) {
                    Some(holder) if holder != at => (at, held) = (holder, next),
                    _ => return Claim::FreeSoon,
                },
                _ => break,
            }
        }
        Claim::Held(first.to_owned())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn claims<'r>(holders: &[(&str, &str)], asked: &[(&'r str, Option<&'r str>)]) -> Claims<'r> {
        let holders = holders.iter().map(|(key, holder)| ((*key).to_owned(), (*holder).to_owned()));
        Claims::new(holders.collect(), asked.iter().copied())
    }

    #[test]
    fn a_key_is_free_for_its_holder_and_for_the_first_who_asks() {
        let claims = claims(&[("k", "a")], &[("a", Some("k")), ("b", Some("new")), ("c", Some("new"))]);
        assert_eq!(claims.of("a", "k"), Claim::Free);
        assert_eq!(claims.of("b", "new"), Claim::Free);
        assert_eq!(claims.of("c", "new"), Claim::Held("b".to_owned()));
    }

    #[test]
    fn a_key_is_free_soon_when_its_holder_takes_a_free_one_or_none_or_follows_somebody_who_does() {
        let claims = claims(
            &[("1", "a"), ("2", "b"), ("3", "c"), ("4", "d")],
            &[("c", Some("2")), ("b", Some("1")), ("a", Some("new")), ("e", Some("4")), ("d", None)],
        );
        assert_eq!(claims.of("a", "new"), Claim::Free);
        assert_eq!(claims.of("b", "1"), Claim::FreeSoon);
        assert_eq!(claims.of("c", "2"), Claim::FreeSoon);
        assert_eq!(claims.of("e", "4"), Claim::FreeSoon);
    }

    #[test]
    fn a_key_stays_whose_it_is_when_its_holder_keeps_it_or_cannot_get_another() {
        let claims = claims(
            &[("1", "a"), ("2", "b"), ("3", "elsewhere"), ("4", "c")],
            &[("a", Some("2")), ("b", Some("1")), ("c", Some("3")), ("d", Some("4")), ("e", Some("3"))],
        );
        assert_eq!(claims.of("a", "2"), Claim::Held("b".to_owned()), "they want to exchange them");
        assert_eq!(claims.of("b", "1"), Claim::Held("a".to_owned()));
        assert_eq!(claims.of("d", "4"), Claim::Held("c".to_owned()));
        assert_eq!(claims.of("e", "3"), Claim::Held("elsewhere".to_owned()));
    }
}
