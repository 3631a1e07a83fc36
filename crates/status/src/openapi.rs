//! The OpenAPI document of the operator API, generated from the handlers.
//!
//! The dashboard's types are generated from the committed copy in `proto-schemas/operator-api.openapi.json`.

use actix_web::App;
use chassis::{
    openapi::{SharedResponse, complete},
    problem::{FieldError, ProblemBody},
};
use contracts::{
    operator::{
        ConflictNotice, DeadLetterNotice, HealthNotice, RecordStatusFilter, SettingsNotice, Sort, SyncNotice,
        UpdateName, WebhookNotice,
    },
    webhook::description::WebhookDescription,
};
use utoipa::{
    OpenApi,
    openapi::{
        RefOr,
        path::Parameter,
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityScheme},
    },
};
use utoipa_actix_web::AppExt;

use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "SMS Sync: operator API",
        description = "SMS Sync copies approved records from the onboarding portal to the maintenance portal. This API \
            starts syncs, shows their progress and results, and repairs what failed. Errors are problem details (RFC \
            9457). Every path but the webhook's needs a bearer token or an API key with the role `viewer`, `operator` or `admin`; a \
            browser may have its token in the cookie of a session. Parameters \
            of the query and fields of a body that an operation does not name are refused with 422, and methods that a path \
            does not have with 405 and `Allow`.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "The host that serves this document")),
    components(schemas(ProblemBody, FieldError, SyncNotice, DeadLetterNotice, WebhookNotice, SettingsNotice, ConflictNotice, HealthNotice, RecordStatusFilter, Sort, UpdateName)),
    security(("bearer" = [])),
    tags(
        (name = "syncs", description = "Start, follow, cancel, repair and undo syncs"),
        (name = "settings", description = "Schedule, page size, retries and missing records; connection test"),
        (name = "schedules", description = "What starts syncs by itself, when, and what came of it"),
        (name = "dead letters", description = "Messages that failed for good, and their replay"),
        (name = "webhooks", description = "Webhook events from the onboarding portal, and refused requests"),
        (name = "updates", description = "Updates as server-sent events"),
        (name = "conflicts", description = "Records that both portals changed, their resolution, and the conflict policies"),
        (name = "validation", description = "Data-quality reports"),
        (name = "records", description = "Records, where they stand and what happened to them; search"),
        (name = "analytics", description = "What happened in each hour or day"),
        (name = "labels", description = "QR labels of equipment"),
        (name = "users", description = "Users of the maintenance portal: roles, role mapping, temporary passwords"),
        (name = "operators", description = "The operator of the token, sessions of browsers, API keys of services, revoked tokens"),
        (name = "audit", description = "What operators did, were refused, and read of personal data"),
    )
)]
struct Metadata;

#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let app = App::new().into_utoipa_app().openapi(Metadata::openapi()).configure(routes::configure);
    let (_, mut document) = app.split_for_parts();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("`sms-sync token` creates a token. The secret of an API key serves as one."))
        .build();
    if let Some(components) = &mut document.components {
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
        let cookie = ApiKeyValue::with_description(
            chassis::auth::SESSION_COOKIE,
            "`POST /api/session` sets it. It serves wherever a bearer token does.",
        );
        components.add_security_scheme("session", SecurityScheme::ApiKey(ApiKey::Cookie(cookie)));
    }
    complete(&mut document, SHARED_RESPONSES);
    // The service webhook-ingest answers this path, behind the same gateway. It shares none of the responses above.
    document.merge(WebhookDescription::openapi());
    document
}

/// The text of the committed copy, and of `GET /openapi.json`.
#[must_use]
pub fn json() -> String {
    let mut text = document().to_pretty_json().expect("the document is plain JSON");
    text.push('\n');
    text
}

/// What the server, the check of the token and the check of the request answer, for every handler alike.
const SHARED_RESPONSES: &[SharedResponse] = &[
    SharedResponse {
        name: "Unreadable",
        status: "400",
        description: "The query or the body cannot be read: U+0000 in a text, or a body that is not JSON",
        header: None,
        applies: |_, _| true,
    },
    SharedResponse {
        name: "Unauthorized",
        status: "401",
        description: "The token is missing, invalid, expired or revoked",
        header: Some(("WWW-Authenticate", "`Bearer`")),
        applies: |_, _| true,
    },
    SharedResponse {
        name: "Forbidden",
        status: "403",
        description: "The role of the token is too low (`role_too_low`), or it is for a part of the fleet (`outside_scope`)",
        header: None,
        applies: |_, _| true,
    },
    SharedResponse {
        name: "NotFound",
        status: "404",
        description: "No resource has this id",
        header: None,
        applies: |path, _| path.contains('{'),
    },
    SharedResponse {
        name: "RequestUnfinished",
        status: "409",
        description: "The first request with this `Idempotency-Key` has not finished, or was interrupted (`request_unfinished`)",
        header: None,
        applies: |_, operation| {
            let is_key = |it: &RefOr<Parameter>| matches!(it, RefOr::T(it) if it.name == "Idempotency-Key");
            operation.parameters.iter().flatten().any(is_key)
        },
    },
    SharedResponse {
        name: "TooLarge",
        status: "413",
        description: "The body is too large",
        header: None,
        applies: |_, operation| operation.request_body.is_some(),
    },
    SharedResponse {
        name: "UnsupportedMediaType",
        status: "415",
        description: "The body is not sent as `application/json`",
        header: None,
        applies: |_, operation| operation.request_body.is_some(),
    },
    SharedResponse {
        name: "Invalid",
        status: "422",
        description: "Parameters or values of the body are unknown, repeated or wrong; `errors` names each",
        header: None,
        applies: |_, _| true,
    },
    SharedResponse {
        name: "TooManyRequests",
        status: "429",
        description: "The operator sends too many requests",
        header: Some(("Retry-After", "Seconds until the next request is taken")),
        applies: |_, _| true,
    },
    SharedResponse {
        name: "InternalError",
        status: "500",
        description: "An error of the service; `requestId` finds it in the logs",
        header: None,
        applies: |_, _| true,
    },
    SharedResponse {
        name: "Unavailable",
        status: "503",
        description: "The database does not answer",
        header: Some(("Retry-After", "Seconds until it is worth trying again")),
        applies: |_, _| true,
    },
];
