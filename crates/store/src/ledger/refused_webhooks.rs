//! Requests to the webhook endpoint that were refused: rows of `refused_webhooks`, a bounded sample.

use chrono::{DateTime, Utc};
use diesel::{QueryableByName, sql_types::*};
use diesel_async::RunQueryDsl;
use domain::{RefusedWebhookId, WebhookRefusal};

use crate::db::{
    connection::Db,
    error::{StoreError, count, word},
    page::{Page, Window, count_of, page_load},
    statement::{Statement, statement},
};

/// A refused request. Neither its body nor its signature is kept.
#[derive(Debug, Clone, PartialEq)]
pub struct RefusedWebhook {
    pub id: RefusedWebhookId,
    pub received_at: DateTime<Utc>,
    pub reason: WebhookRefusal,
    /// The HTTP status of the answer.
    pub status: u16,
    /// The reason for people; at most 500 characters.
    pub detail: String,
    /// Address of the sender.
    pub source: String,
    /// As the sender claimed it; at most 255 characters.
    pub webhook_id: Option<String>,
    /// At most 255 characters.
    pub content_type: Option<String>,
    /// At most 255 characters.
    pub user_agent: Option<String>,
    /// Length of the body; none if it was not read.
    pub body_bytes: Option<u64>,
    pub body_sha256: Option<Vec<u8>>,
    /// Requests refused for the same reason since the row before, which have no row of their own.
    pub alike: u64,
}

/// Which refused requests to list; what is empty or absent does not filter.
#[derive(Debug, Clone, Default)]
pub struct RefusedFilter {
    pub reasons: Vec<WebhookRefusal>,
    pub webhook_id: Option<String>,
    /// Received at this time or later.
    pub from: Option<DateTime<Utc>>,
    /// Received before this time.
    pub until: Option<DateTime<Utc>>,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Uuid)]
    id: uuid::Uuid,
    #[diesel(sql_type = Timestamptz)]
    received_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    reason: String,
    #[diesel(sql_type = Int2)]
    status: i16,
    #[diesel(sql_type = Text)]
    detail: String,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Nullable<Text>)]
    webhook_id: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    content_type: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    user_agent: Option<String>,
    #[diesel(sql_type = Nullable<Int8>)]
    body_bytes: Option<i64>,
    #[diesel(sql_type = Nullable<Binary>)]
    body_sha256: Option<Vec<u8>>,
    #[diesel(sql_type = Int8)]
    alike: i64,
}

const COLUMNS: &str = "id, received_at, reason, status, detail, source, webhook_id, content_type, user_agent, \
    body_bytes, body_sha256, alike";

impl TryFrom<Row> for RefusedWebhook {
    type Error = StoreError;

    fn try_from(row: Row) -> Result<Self, StoreError> {
        Ok(Self {
            id: RefusedWebhookId::from_uuid(row.id),
            received_at: row.received_at,
            reason: word("refused_webhooks", "reason", row.id, &row.reason)?,
            status: row.status.unsigned_abs(),
            detail: row.detail,
            source: row.source,
            webhook_id: row.webhook_id,
            content_type: row.content_type,
            user_agent: row.user_agent,
            body_bytes: row.body_bytes.map(count),
            body_sha256: row.body_sha256,
            alike: count(row.alike),
        })
    }
}

/// Records refused requests, all or none, in one statement.
pub async fn refused_webhooks_insert(db: &mut Db, refused: &[RefusedWebhook]) -> Result<(), StoreError> {
    let number = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    statement(
        "INSERT INTO refused_webhooks (id, received_at, reason, status, detail, source, webhook_id, content_type,
             user_agent, body_bytes, body_sha256, alike)
         SELECT * FROM unnest($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)",
    )
    .bind::<Array<Uuid>, _>(refused.iter().map(|it| it.id.as_uuid()).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(refused.iter().map(|it| it.received_at).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(refused.iter().map(|it| it.reason.as_str()).collect::<Vec<_>>())
    .bind::<Array<Int2>, _>(refused.iter().map(|it| it.status.cast_signed()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(refused.iter().map(|it| it.detail.as_str()).collect::<Vec<_>>())
    .bind::<Array<Text>, _>(refused.iter().map(|it| it.source.as_str()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(refused.iter().map(|it| it.webhook_id.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(refused.iter().map(|it| it.content_type.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Text>>, _>(refused.iter().map(|it| it.user_agent.as_deref()).collect::<Vec<_>>())
    .bind::<Array<Nullable<Int8>>, _>(refused.iter().map(|it| it.body_bytes.map(number)).collect::<Vec<_>>())
    .bind::<Array<Nullable<Binary>>, _>(
        refused.iter().map(|it| it.body_sha256.as_deref()).collect::<Vec<_>>(),
    )
    .bind::<Array<Int8>, _>(refused.iter().map(|it| number(it.alike)).collect::<Vec<_>>())
    .execute(db)
    .await?;
    Ok(())
}

/// Counts further requests that were refused for a reason in the newest row of that reason, when no row of their own
/// follows. False if there is no such row.
pub async fn refused_webhooks_count_alike(
    db: &mut Db,
    reason: WebhookRefusal,
    further: u64,
) -> Result<bool, StoreError> {
    let counted = statement(
        "UPDATE refused_webhooks SET alike = alike + $2
         WHERE id = (SELECT id FROM refused_webhooks WHERE reason = $1 ORDER BY id DESC LIMIT 1)",
    )
    .bind::<Text, _>(reason.as_str())
    .bind::<Int8, _>(i64::try_from(further).unwrap_or(i64::MAX))
    .execute(db)
    .await?;
    Ok(counted > 0)
}

/// Forgets all but the newest `most` requests, and those received before `before`. Returns how many are forgotten.
pub async fn refused_webhooks_trim(
    db: &mut Db,
    most: u32,
    before: DateTime<Utc>,
) -> Result<usize, StoreError> {
    Ok(statement(
        "DELETE FROM refused_webhooks WHERE received_at < $2
             OR id <= (SELECT id FROM refused_webhooks ORDER BY id DESC OFFSET $1 LIMIT 1)",
    )
    .bind::<Int8, _>(i64::from(most))
    .bind::<Timestamptz, _>(before)
    .execute(db)
    .await?)
}

/// Refused requests, newest first.
pub async fn refused_webhook_list(
    db: &mut Db,
    filter: &RefusedFilter,
    window: Window<RefusedWebhookId>,
) -> Result<Page<RefusedWebhook>, StoreError> {
    let (direction, beyond) = (window.order.direction(), window.order.beyond());
    let rows = format!(
        "SELECT {COLUMNS} FROM refused_webhooks WHERE {condition} AND ($5 IS NULL OR id {beyond} $5)
         ORDER BY id {direction} LIMIT $6 OFFSET $7",
        condition = RefusedFilter::CONDITION
    );
    let rows = filter.bind(&rows).bind::<Nullable<Uuid>, _>(window.after.map(RefusedWebhookId::as_uuid));
    let total = count_of(format_args!("refused_webhooks WHERE {}", RefusedFilter::CONDITION));
    page_load::<Row, _, _>(db, rows, filter.bind(&total), &window).await
}

impl RefusedFilter {
    const CONDITION: &'static str =
        "(cardinality($1) = 0 OR reason = ANY($1)) AND ($2 IS NULL OR webhook_id = $2)
        AND ($3 IS NULL OR received_at >= $3) AND ($4 IS NULL OR received_at < $4)";

    /// A statement with the parameters of the condition, the first four.
    fn bind<'f>(&'f self, text: &'f str) -> Statement<'f> {
        statement(text)
            .bind::<Array<Text>, _>(self.reasons.iter().map(|it| it.as_str()).collect::<Vec<_>>())
            .bind::<Nullable<Text>, _>(self.webhook_id.as_deref())
            .bind::<Nullable<Timestamptz>, _>(self.from)
            .bind::<Nullable<Timestamptz>, _>(self.until)
    }
}
