//! Accounts as operators see them: who may sign in, and whose password waits for its reveal. No passwords.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;

use crate::db::{
    connection::Db,
    error::StoreError,
    page::{Page, Window},
    statement::statement,
};

/// An account.
#[derive(Debug, Clone, PartialEq, Eq, QueryableByName)]
pub struct User {
    /// Its row.
    #[diesel(sql_type = Uuid)]
    pub id: uuid::Uuid,
    /// By the id in the onboarding portal.
    #[diesel(sql_type = Text)]
    pub source_id: String,
    /// The address.
    #[diesel(sql_type = Text)]
    pub email: String,
    /// Rank or position.
    #[diesel(sql_type = Text)]
    pub rank: String,
    /// Department, in words.
    #[diesel(sql_type = Nullable<Text>)]
    pub department: Option<String>,
    /// `ship` or `shore`.
    #[diesel(sql_type = Text)]
    pub workplace: String,
    /// What it may do.
    #[diesel(sql_type = Text)]
    pub role: String,
    /// Version of the mapping that said so.
    #[diesel(sql_type = Int4)]
    pub role_mapping_version: i32,
    /// Employer, by the id in the onboarding portal.
    #[diesel(sql_type = Nullable<Text>)]
    pub company_id: Option<String>,
    /// Vessels whose data it may see, by their ids in the onboarding portal.
    #[diesel(sql_type = Array<Text>)]
    pub vessel_ids: Vec<String>,
    /// First day on board.
    #[diesel(sql_type = Nullable<Date>)]
    pub sign_on: Option<NaiveDate>,
    /// Last day on board.
    #[diesel(sql_type = Nullable<Date>)]
    pub sign_off: Option<NaiveDate>,
    /// Why it may not sign in: `deactivated`, `withdrawn` or `signed_off`.
    #[diesel(sql_type = Nullable<Text>)]
    pub locked_because: Option<String>,
    /// `none`, `to_claim`, `expired` or `claimed`.
    #[diesel(sql_type = Text)]
    pub password: String,
    /// Until when a password that waits may be claimed.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub password_expires_at: Option<DateTime<Utc>>,
}

/// Accounts by their ids in the onboarding portal; `search` finds by that id or rank, and `by_address` by address.
pub async fn user_list(
    db: &mut Db,
    search: Option<&str>,
    by_address: bool,
    window: Window<()>,
    now: DateTime<Utc>,
) -> Result<Page<User>, StoreError> {
    let found = "($1 IS NULL OR u.source_id = $1 OR strpos(lower(u.rank), lower($1)) > 0
        OR $5 AND strpos(lower(u.email), lower($1)) > 0)";
    let text = format!("SELECT count(*) FROM users u WHERE {found}");
    let total: i64 = statement(&text)
        .bind::<Nullable<Text>, _>(search)
        .bind::<Timestamptz, _>(now)
        .bind::<Int8, _>(0)
        .bind::<Int8, _>(0)
        .bind::<Bool, _>(by_address)
        .returning::<Int8>()
        .get_result(db)
        .await?;
    let text = format!(
        "SELECT u.id, u.source_id, u.email, u.rank, u.department, u.workplace, u.role, u.role_mapping_version,
             c.source_id AS company_id, u.vessel_scope AS vessel_ids, u.sign_on, u.sign_off, a.locked_because,
             CASE WHEN u.sealed_password IS NOT NULL AND u.password_expires_at > $2 THEN 'to_claim'
                  WHEN u.password_claimed_at IS NOT NULL AND u.password_hash IS NOT NULL THEN 'claimed'
                  WHEN u.password_hash IS NOT NULL AND u.password_expires_at <= $2 THEN 'expired'
                  ELSE 'none' END AS password,
             CASE WHEN u.sealed_password IS NOT NULL THEN u.password_expires_at END AS password_expires_at
         FROM users u JOIN user_access a ON a.id = u.id LEFT JOIN companies c ON c.id = u.company_id
         WHERE {found} ORDER BY u.source_id LIMIT $3 OFFSET $4"
    );
    let rows = statement(&text)
        .bind::<Nullable<Text>, _>(search)
        .bind::<Timestamptz, _>(now)
        .bind::<Int8, _>(i64::from(window.limit) + 1)
        .bind::<Int8, _>(i64::from(window.offset))
        .bind::<Bool, _>(by_address)
        .load(db)
        .await?;
    Ok(Page::of(rows, window.limit, total))
}
