//! Accounts as operators see them: who may sign in, and whose password waits for its reveal. No passwords.

use chrono::{DateTime, NaiveDate, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{
    portal_role::PortalRole,
    temporary_password::PasswordState,
    user::{LockReason, Workplace},
};

use crate::db::{
    connection::Db,
    error::{StoreError, word},
    page::{Page, Window},
    statement::statement,
};

/// A user of the maintenance portal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    pub id: uuid::Uuid,
    /// Id in the onboarding portal.
    pub source_id: String,
    pub email: String,
    /// Rank or position.
    pub rank: String,
    pub department: Option<String>,
    pub workplace: Workplace,
    pub role: PortalRole,
    /// Version of the role mapping that gave the role.
    pub role_mapping_version: i32,
    /// Employer, by the id in the onboarding portal.
    pub company_id: Option<String>,
    /// Vessels whose data the user may see, by their ids in the onboarding portal.
    pub vessel_ids: Vec<String>,
    /// First day on board.
    pub sign_on: Option<NaiveDate>,
    /// Last day on board.
    pub sign_off: Option<NaiveDate>,
    /// Why the user may not sign in.
    pub locked_because: Option<LockReason>,
    /// State of the temporary password.
    pub password: PasswordState,
    /// Until when a password that is not claimed yet may be claimed.
    pub password_expires_at: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Uuid)]
    id: uuid::Uuid,
    #[diesel(sql_type = Text)]
    source_id: String,
    #[diesel(sql_type = Text)]
    email: String,
    #[diesel(sql_type = Text)]
    rank: String,
    #[diesel(sql_type = Nullable<Text>)]
    department: Option<String>,
    #[diesel(sql_type = Text)]
    workplace: String,
    #[diesel(sql_type = Text)]
    role: String,
    #[diesel(sql_type = Int4)]
    role_mapping_version: i32,
    #[diesel(sql_type = Nullable<Text>)]
    company_id: Option<String>,
    #[diesel(sql_type = Array<Text>)]
    vessel_ids: Vec<String>,
    #[diesel(sql_type = Nullable<Date>)]
    sign_on: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Date>)]
    sign_off: Option<NaiveDate>,
    #[diesel(sql_type = Nullable<Text>)]
    locked_because: Option<String>,
    #[diesel(sql_type = Text)]
    password: String,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    password_expires_at: Option<DateTime<Utc>>,
}

impl TryFrom<Row> for User {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        let locked_because = row.locked_because.as_deref();
        Ok(Self {
            workplace: word("users", "workplace", row.id, &row.workplace)?,
            role: word("users", "role", row.id, &row.role)?,
            locked_because: locked_because
                .map(|it| word("user_access", "locked_because", row.id, it))
                .transpose()?,
            password: word("users", "password", row.id, &row.password)?,
            id: row.id,
            source_id: row.source_id,
            email: row.email,
            rank: row.rank,
            department: row.department,
            role_mapping_version: row.role_mapping_version,
            company_id: row.company_id,
            vessel_ids: row.vessel_ids,
            sign_on: row.sign_on,
            sign_off: row.sign_off,
            password_expires_at: row.password_expires_at,
        })
    }
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
                  WHEN u.password_expires_at <= $2 AND u.must_change_password THEN 'expired'
                  ELSE 'none' END AS password,
             CASE WHEN u.sealed_password IS NOT NULL THEN u.password_expires_at END AS password_expires_at
         FROM users u JOIN user_access a ON a.id = u.id LEFT JOIN companies c ON c.id = u.company_id
         WHERE {found} ORDER BY u.source_id USING ~<~ LIMIT $3 OFFSET $4"
    );
    let rows: Vec<Row> = statement(&text)
        .bind::<Nullable<Text>, _>(search)
        .bind::<Timestamptz, _>(now)
        .bind::<Int8, _>(i64::from(window.limit) + 1)
        .bind::<Int8, _>(i64::from(window.offset))
        .bind::<Bool, _>(by_address)
        .load(db)
        .await?;
    let users = rows.into_iter().map(User::try_from).collect::<Result<_, _>>()?;
    Ok(Page::of(users, window.limit, total))
}
