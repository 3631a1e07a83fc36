//! Conditions by which a search finds records of a type: each is a condition over a row `t` that one index answers.

use std::time::Duration;

use diesel::sql_types::*;
use diesel_async::RunQueryDsl;
use domain::{
    RecordType,
    search::{Letters, MatchedField, SearchText, prefix_end},
};

use crate::db::{
    connection::Db,
    error::StoreError,
    statement::{Statement, statement},
};

/// How long a statement may take that an operator waits for. Each has its index: what takes longer waits for a lock, or for a
/// machine that is busy.
pub(crate) const STATEMENT_TIMEOUT: Duration = Duration::from_secs(10);

/// Sets the time limit of the statements of a transaction, and keeps the planner from reading whole tables where it expects to
/// find enough rows soon. Returns which letters the database knows.
pub(crate) async fn limits_set(db: &mut Db, timeout: Duration) -> Result<Letters, StoreError> {
    let knows_all: bool = statement(
        "SELECT lower('Æ') = 'æ' FROM (SELECT set_config('statement_timeout', $1, true),
             set_config('enable_seqscan', 'off', true)) AS limits",
    )
    .bind::<Text, _>(format!("{}ms", timeout.as_millis()))
    .returning::<Bool>()
    .get_result(db)
    .await?;
    Ok(if knows_all { Letters::All } else { Letters::Ascii })
}

/// How a text is searched for: which letters the database knows, and whether personal data is searched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Search<'s> {
    pub(crate) text: &'s SearchText,
    pub(crate) letters: Letters,
    pub(crate) in_personal_data: bool,
}

impl<'s> Search<'s> {
    /// A statement with the parameters of the conditions, the first nine.
    pub(crate) fn bind(self, sql: &'s str) -> Statement<'s> {
        let upper = self.text.to_upper();
        let digits = self.text.imo_digits();
        let (first, last) = self.text.uuid_range().unzip();
        statement(sql)
            .bind::<Text, _>(self.text.as_str())
            .bind::<Text, _>(prefix_end(self.text.as_str()))
            .bind::<Nullable<Text>, _>(self.text.name_pattern(self.letters))
            .bind::<Text, _>(prefix_end(&upper))
            .bind::<Text, _>(upper)
            .bind::<Nullable<Text>, _>(digits)
            .bind::<Nullable<Text>, _>(digits.map(prefix_end))
            .bind::<Nullable<Uuid>, _>(first)
            .bind::<Nullable<Uuid>, _>(last)
    }

    /// The conditions for records of a type, the most telling first.
    pub(crate) fn conditions(self, record_type: RecordType) -> Vec<(MatchedField, &'static str)> {
        let mut all = Vec::new();
        let has_digits = self.text.imo_digits().is_some();
        match record_type {
            RecordType::Company if has_digits => all.push((
                MatchedField::ImoNumber,
                "t.imo_company_number ~>=~ $6 AND t.imo_company_number ~<~ $7",
            )),
            RecordType::Vessel if has_digits => {
                all.push((MatchedField::ImoNumber, "t.imo_number ~>=~ $6 AND t.imo_number ~<~ $7"));
            }
            RecordType::Equipment => {
                all.push((MatchedField::QrCode, "t.qr_code ~>=~ $5 AND t.qr_code ~<~ $4"));
                let matched =
                    if self.text.as_str().contains('/') { MatchedField::Tag } else { MatchedField::SfiCode };
                all.push((
                    matched,
                    "(t.code || '/' || t.unit_number::text) ~>=~ $1 AND (t.code || '/' || t.unit_number::text) ~<~ $2",
                ));
            }
            RecordType::Company | RecordType::Vessel | RecordType::User => {}
        }
        if record_type == RecordType::Vessel && self.text.as_str().len() == 9 && is_number(self.text) {
            all.push((MatchedField::Mmsi, "t.mmsi = $1"));
        }
        all.push((MatchedField::SourceId, "t.source_id ~>=~ $1 AND t.source_id ~<~ $2"));
        if self.text.uuid_range().is_some() {
            all.push((MatchedField::Id, "t.id >= $8 AND t.id <= $9"));
        }
        if self.text.name_pattern(self.letters).is_some() {
            match record_type {
                RecordType::User if self.in_personal_data => {
                    all.push((MatchedField::Email, "t.email ILIKE $3"));
                    all.push((
                        MatchedField::Name,
                        "(coalesce(t.given_name || ' ', '') || t.family_name) ILIKE $3",
                    ));
                }
                RecordType::User => {}
                RecordType::Company | RecordType::Vessel | RecordType::Equipment => {
                    all.push((MatchedField::Name, "t.name ILIKE $3"));
                }
            }
        }
        all
    }

    /// The conditions for findings `f` about records whose newest state was rejected.
    pub(crate) fn rejected_conditions(self) -> Vec<(MatchedField, &'static str)> {
        let mut all = vec![(MatchedField::SourceId, "f.source_id ~>=~ $1 AND f.source_id ~<~ $2")];
        if self.text.name_pattern(self.letters).is_some() {
            all.push((MatchedField::Label, "f.label ILIKE $3"));
        }
        all
    }

    /// Whether the text is not searched for in names: the database has no index for its letters.
    pub(crate) fn skips_names(self) -> bool {
        self.text.name_pattern(self.letters).is_none() && self.text.name_pattern(Letters::All).is_some()
    }
}

fn is_number(text: &SearchText) -> bool {
    text.as_str().bytes().all(|byte| byte.is_ascii_digit())
}
