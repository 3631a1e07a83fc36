//! How an OpenAPI document describes the receiver of webhooks. The operator API's document contains it: both stand behind one
//! gateway.

use utoipa::OpenApi;

use super::{WEBHOOK_PATH, WebhookBody, WebhookReceipt};

/// Needs the schema `Problem` of the document that it is merged into.
#[derive(OpenApi)]
#[openapi(paths(receive_webhook))]
pub struct WebhookDescription;

/// Receive a webhook
///
/// From the onboarding portal, signed as Standard Webhooks says; needs no token. The record that the body names is fetched
/// from the onboarding portal afterwards. An event of an unknown type is recorded and ignored.
#[utoipa::path(
    post, path = WEBHOOK_PATH, operation_id = "receiveWebhook", tag = "webhooks", security(()),
    params(
        ("webhook-id" = String, Header, description = "Id of the message; the same on every attempt"),
        ("webhook-timestamp" = i64, Header, description = "Time of the attempt, in Unix seconds"),
        ("webhook-signature" = String, Header,
            description = "`v1,` and the base64 of HMAC-SHA-256 over `{webhook-id}.{webhook-timestamp}.{body}`; several are \
                separated by spaces"),
    ),
    request_body = WebhookBody,
    responses(
        (status = 200, body = WebhookReceipt, description = "The webhook was recorded before"),
        (status = 202, body = WebhookReceipt, description = "The webhook is recorded"),
        (status = 400, body = ref("#/components/schemas/Problem"), content_type = "application/problem+json",
            description = "The body is no webhook, or ended early"),
        (status = 401, body = ref("#/components/schemas/Problem"), content_type = "application/problem+json",
            description = "Signature, id or timestamp is not accepted"),
        (status = 409, body = ref("#/components/schemas/Problem"), content_type = "application/problem+json",
            description = "The id is that of an earlier webhook with another body"),
        (status = 413, body = ref("#/components/schemas/Problem"), content_type = "application/problem+json",
            description = "The body is too large"),
        (status = 415, body = ref("#/components/schemas/Problem"), content_type = "application/problem+json",
            description = "The body is not sent as `application/json`"),
        (status = 429, body = ref("#/components/schemas/Problem"), content_type = "application/problem+json",
            headers(("Retry-After", description = "Seconds until the next webhook is taken")),
            description = "The sender sends too many webhooks"),
        (status = 503, body = ref("#/components/schemas/Problem"), content_type = "application/problem+json",
            headers(("Retry-After", description = "Seconds until it is worth trying again")),
            description = "The webhook could not be recorded: send it again"),
    )
)]
#[expect(dead_code, reason = "describes the handler of webhook-ingest")]
fn receive_webhook() {}
