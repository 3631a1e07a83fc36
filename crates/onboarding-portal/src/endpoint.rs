//! The endpoint that webhooks go to: its health, and the secrets to sign with. Its address comes from the config.

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

/// Health of the endpoint.
#[derive(Debug, Clone, PartialEq, QueryableByName)]
pub(crate) struct EndpointHealth {
    /// `enabled` or `disabled`.
    #[diesel(sql_type = Text)]
    pub state: String,
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub disabled_at: Option<DateTime<Utc>>,
    /// Until when the endpoint asked for a pause, by `Retry-After`.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub paused_until: Option<DateTime<Utc>>,
    /// The first failure after the last success.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub failing_since: Option<DateTime<Utc>>,
    /// Failures since the last success.
    #[diesel(sql_type = Int4)]
    pub consecutive_failures: i32,
    /// The last success, to within ten seconds.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_success_at: Option<DateTime<Utc>>,
    /// The last answer that was a failure.
    #[diesel(sql_type = Nullable<Text>)]
    pub last_failure: Option<String>,
}

pub(crate) async fn health(db: &mut AsyncPgConnection) -> Result<EndpointHealth, DatabaseError> {
    Ok(sql_query("SELECT * FROM webhook_endpoint").get_result(db).await?)
}

pub(crate) async fn record_success(
    db: &mut AsyncPgConnection,
    now: DateTime<Utc>,
) -> Result<(), DatabaseError> {
    // Not with every delivery: all deliveries would wait for the lock of this one row.
    let text = "UPDATE webhook_endpoint
                SET consecutive_failures = 0, failing_since = NULL, last_success_at = $1, paused_until = NULL
                WHERE consecutive_failures > 0 OR last_success_at IS NULL OR last_success_at < $1 - interval '10 seconds'";
    sql_query(text).bind::<Timestamptz, _>(now).execute(db).await?;
    Ok(())
}

/// Records a failure. True if all attempts have failed for `disable_after`, and the endpoint is now disabled.
pub(crate) async fn record_failure(
    db: &mut AsyncPgConnection,
    failure: &str,
    paused_until: Option<DateTime<Utc>>,
    disable_after: TimeDelta,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let text = "UPDATE webhook_endpoint
                SET consecutive_failures = consecutive_failures + 1, failing_since = coalesce(failing_since, $1),
                    last_failure = $2, paused_until = greatest(paused_until, $3)";
    sql_query(text)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(failure.replace('\0', "\u{fffd}"))
        .bind::<Nullable<Timestamptz>, _>(paused_until)
        .execute(db)
        .await?;
    let text = "UPDATE webhook_endpoint
                SET state = 'disabled', disabled_at = $1,
                    reason = 'No webhook was accepted since ' || to_char(failing_since AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI')
                        || ' UTC; the last answer: ' || last_failure
                WHERE state = 'enabled' AND failing_since <= $1 - $2";
    let disabled = sql_query(text)
        .bind::<Timestamptz, _>(now)
        .bind::<Interval, _>(diesel::data_types::PgInterval::from_microseconds(
            disable_after.num_microseconds().unwrap_or(i64::MAX),
        ))
        .execute(db)
        .await?;
    Ok(disabled > 0)
}

/// Stops all sending until somebody enables the endpoint again; webhooks stay pending. False if it was disabled before.
pub(crate) async fn disable(
    db: &mut AsyncPgConnection,
    reason: &str,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    let text = "UPDATE webhook_endpoint SET state = 'disabled', reason = $2, disabled_at = $1 WHERE state = 'enabled'";
    Ok(sql_query(text).bind::<Timestamptz, _>(now).bind::<Text, _>(reason).execute(db).await? > 0)
}

/// Enables the endpoint and clears its failures. Pending webhooks are sent at once.
pub(crate) async fn enable(db: &mut AsyncPgConnection) -> Result<(), DatabaseError> {
    let text = "UPDATE webhook_endpoint SET state = 'enabled', reason = NULL, disabled_at = NULL, paused_until = NULL,
                    failing_since = NULL, consecutive_failures = 0";
    sql_query(text).execute(db).await?;
    Ok(())
}

/// A signing secret by its name: the secret itself is not shown.
#[derive(Debug, Clone, PartialEq, Eq, Queryable, QueryableByName)]
pub(crate) struct SecretName {
    #[diesel(sql_type = Text)]
    pub id: String,
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// `None` for the current secret.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub expires_at: Option<DateTime<Utc>>,
}

/// The names of the secrets in use, the current one first.
pub(crate) async fn secret_names(
    db: &mut AsyncPgConnection,
    now: DateTime<Utc>,
) -> Result<Vec<SecretName>, DatabaseError> {
    let text = "SELECT id, created_at, expires_at FROM webhook_secrets
                WHERE expires_at IS NULL OR expires_at > $1 ORDER BY expires_at DESC NULLS FIRST";
    Ok(sql_query(text).bind::<Timestamptz, _>(now).load(db).await?)
}

/// The secrets to sign with, the current one first.
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

/// A new secret.
#[derive(Debug)]
pub(crate) struct RotatedSecret {
    pub id: String,
    /// Shown once, so that somebody enters it at the receiver.
    pub secret: Secret,
    /// Until then webhooks are signed with the previous secret, too.
    pub previous_expires_at: DateTime<Utc>,
}

/// Creates a new secret and makes it the current one. The previous secret signs beside it for `overlap`.
pub(crate) async fn rotate_secret(
    db: &mut AsyncPgConnection,
    overlap: TimeDelta,
    now: DateTime<Utc>,
) -> Result<RotatedSecret, DatabaseError> {
    use base64::{Engine, engine::general_purpose::STANDARD};

    let secret = Secret::from(format!("whsec_{}", STANDARD.encode(rand::random::<[u8; 32]>())));
    let id = replace_current(db, &secret, overlap, now).await?;
    Ok(RotatedSecret { id, secret, previous_expires_at: now + overlap })
}

/// Makes the configured secret the current one. False if it has ever been in use: then the secrets that came after it
/// stay.
pub(crate) async fn adopt_configured_secret(
    db: &mut AsyncPgConnection,
    secret: &Secret,
    overlap: TimeDelta,
    now: DateTime<Utc>,
) -> Result<bool, DatabaseError> {
    db.transaction(async |db: &mut AsyncPgConnection| {
        // Of two instances that start together the second waits here, and then finds the secret.
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
