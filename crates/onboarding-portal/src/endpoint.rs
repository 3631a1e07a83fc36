//! The endpoint that webhooks go to: how it is doing, and what is signed with. Its address is a setting.

use chassis::config::{ExposeSecret, Secret};
use chrono::{DateTime, TimeDelta, Utc};
use contracts::webhook::signature;
use diesel::{
    OptionalExtension, Queryable, QueryableByName, sql_query,
    sql_types::{Int4, Interval, Nullable, Text, Timestamptz},
};
use diesel_async::{AsyncConnection, AsyncPgConnection, RunQueryDsl};
use uuid::Uuid;

use crate::database::DatabaseError;

/// How the endpoint is doing.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub(crate) struct Health {
    /// `enabled` or `disabled`.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// Why it is disabled.
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    /// Since when it is disabled.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub disabled_at: Option<DateTime<Utc>>,
    /// Until when it asked to be left alone.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub paused_until: Option<DateTime<Utc>>,
    /// Its first failure after its last success.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub failing_since: Option<DateTime<Utc>>,
    /// Failures since then.
    #[diesel(sql_type = Int4)]
    pub consecutive_failures: i32,
    /// When it last took a webhook; to within ten seconds.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_success_at: Option<DateTime<Utc>>,
    /// What it last answered instead.
    #[diesel(sql_type = Nullable<Text>)]
    pub last_failure: Option<String>,
}

/// How it is doing.
///
/// # Errors
/// If the database fails.
pub(crate) async fn health(db: &mut AsyncPgConnection) -> Result<Health, DatabaseError> {
    Ok(sql_query("SELECT * FROM webhook_endpoint").get_result(db).await?)
}

/// Notes a success.
pub(crate) async fn succeeded(db: &mut AsyncPgConnection, now: DateTime<Utc>) -> Result<(), DatabaseError> {
    // Not with every delivery: they would wait for each other.
    let text = "UPDATE webhook_endpoint
                SET consecutive_failures = 0, failing_since = NULL, last_success_at = $1, paused_until = NULL
                WHERE consecutive_failures > 0 OR last_success_at IS NULL OR last_success_at < $1 - interval '10 seconds'";
    sql_query(text).bind::<Timestamptz, _>(now).execute(db).await?;
    Ok(())
}

/// Notes a failure; true if it has lasted for `patience`, and so disabled the endpoint.
pub(crate) async fn failed(
    db: &mut AsyncPgConnection,
    what: &str,
    paused_until: Option<DateTime<Utc>>,
    patience: TimeDelta,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let text = "UPDATE webhook_endpoint
                SET consecutive_failures = consecutive_failures + 1, failing_since = coalesce(failing_since, $1),
                    last_failure = $2, paused_until = greatest(paused_until, $3)";
    sql_query(text)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(what.replace('\0', "\u{fffd}"))
        .bind::<Nullable<Timestamptz>, _>(paused_until)
        .execute(db)
        .await?;
    let text = "UPDATE webhook_endpoint
                SET state = 'disabled', disabled_at = $1,
                    reason = 'Nothing was taken since ' || to_char(failing_since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
                        || ' UTC; the last answer: ' || last_failure
                WHERE state = 'enabled' AND failing_since <= $1 - $2";
    let disabled = sql_query(text)
        .bind::<Timestamptz, _>(now)
        .bind::<Interval, _>(diesel::data_types::PgInterval::from_microseconds(
            patience.num_microseconds().unwrap_or(i64::MAX),
        ))
        .execute(db)
        .await?;
    Ok(disabled > 0)
}

/// Sends nothing more until somebody enables it again; what is owed waits. False if it was disabled before.
///
/// # Errors
/// If the database fails.
pub(crate) async fn disable(
    db: &mut AsyncPgConnection,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let text = "UPDATE webhook_endpoint SET state = 'disabled', reason = $2, disabled_at = $1 WHERE state = 'enabled'";
    Ok(sql_query(text).bind::<Timestamptz, _>(now).bind::<Text, _>(reason).execute(db).await? > 0)
}

/// Sends again, at once what is due, and forgets old failures.
///
/// # Errors
/// If the database fails.
pub(crate) async fn enable(db: &mut AsyncPgConnection) -> Result<(), DatabaseError> {
    let text = "UPDATE webhook_endpoint SET state = 'enabled', reason = NULL, disabled_at = NULL, paused_until = NULL,
                    failing_since = NULL, consecutive_failures = 0";
    sql_query(text).execute(db).await?;
    Ok(())
}

/// A secret that webhooks are signed with, by the name that may be shown.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName)]
pub(crate) struct SecretName {
    /// Its name.
    #[diesel(sql_type = Text)]
    pub id: String,
    /// Since when it is in use.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// Until when; none: it is the current one.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// The secrets in use, the current one first.
///
/// # Errors
/// If the database fails.
pub(crate) async fn secret_names(
    db: &mut AsyncPgConnection,
    now: DateTime<Utc>,
) -> Result<Vec<SecretName>, DatabaseError> {
    let text = "SELECT id, created_at, expires_at FROM webhook_secrets
                WHERE expires_at IS NULL OR expires_at > $1 ORDER BY expires_at DESC NULLS FIRST";
    Ok(sql_query(text).bind::<Timestamptz, _>(now).load(db).await?)
}

/// What to sign with, the current one first.
pub(crate) async fn signing_secrets(
    db: &mut AsyncPgConnection,
    now: DateTime<Utc>,
) -> Result<Vec<signature::Secret>, DatabaseError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        secret: String,
    }
    let text = "SELECT secret FROM webhook_secrets
                WHERE expires_at IS NULL OR expires_at > $1 ORDER BY expires_at DESC NULLS FIRST";
    let rows: Vec<Row> = sql_query(text).bind::<Timestamptz, _>(now).load(db).await?;
    let usable = |row: Row| signature::Secret::parse(&row.secret.into()).ok();
    Ok(rows.into_iter().filter_map(usable).collect())
}

/// A secret as it was rotated in.
#[derive(Debug)]
pub(crate) struct Rotated {
    /// Its name.
    pub id: String,
    /// To be told to the receiver, this once.
    pub secret: Secret,
    /// Until when the one before it signs, too.
    pub previous_expires_at: DateTime<Utc>,
}

/// Makes a new secret the current one; the one before it signs beside it for `overlap`.
///
/// # Errors
/// If the database fails.
pub(crate) async fn rotate(
    db: &mut AsyncPgConnection,
    overlap: TimeDelta,
    now: DateTime<Utc>,
) -> Result<Rotated, DatabaseError> {
    use base64::{Engine, engine::general_purpose::STANDARD};

    let secret = Secret::from(format!("whsec_{}", STANDARD.encode(rand::random::<[u8; 32]>())));
    let id = replace_current(db, &secret, overlap, now).await?;
    Ok(Rotated { id, secret, previous_expires_at: now + overlap })
}

/// Takes over the secret of the config, unless it was ever in use: then what came after it stays.
pub(crate) async fn adopt_configured(
    db: &mut AsyncPgConnection,
    secret: &Secret,
    overlap: TimeDelta,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    db.transaction(async |db: &mut AsyncPgConnection| {
        // Of two instances that start together one waits here, and then finds it known.
        sql_query("LOCK TABLE webhook_secrets IN SHARE ROW EXCLUSIVE MODE").execute(db).await?;
        let text = "SELECT id, created_at, expires_at FROM webhook_secrets WHERE secret = $1";
        let known: Option<SecretName> =
            sql_query(text).bind::<Text, _>(secret.expose_secret()).get_result(db).await.optional()?;
        if known.is_some() {
            return Ok(false);
        }
        replace_current(db, secret, overlap, now).await?;
        Ok(true)
    })
    .await
}

async fn replace_current(
    db: &mut AsyncPgConnection,
    secret: &Secret,
    overlap: TimeDelta,
    now: DateTime<Utc>,
) -> Result<String, DatabaseError> {
    let id = format!("key_{}", Uuid::now_v7().simple());
    db.transaction(async |db: &mut AsyncPgConnection| {
        let text = "UPDATE webhook_secrets SET expires_at = $1 WHERE expires_at IS NULL";
        sql_query(text).bind::<Timestamptz, _>(now + overlap).execute(db).await?;
        let text = "INSERT INTO webhook_secrets (id, secret, created_at) VALUES ($1, $2, $3)";
        sql_query(text)
            .bind::<Text, _>(&id)
            .bind::<Text, _>(secret.expose_secret())
            .bind::<Timestamptz, _>(now)
            .execute(db)
            .await?;
        Ok::<_, DatabaseError>(())
    })
    .await?;
    Ok(id)
}
