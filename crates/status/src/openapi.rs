//! The OpenAPI document of the operator API, generated from the handlers.
//!
//! The dashboard's types are generated from the committed copy in `proto-schemas/operator-api.openapi.json`.

use actix_web::App;
use chassis::problem::{FieldError, ProblemBody};
use contracts::operator::{ConflictNotice, DeadLetterNotice, SettingsNotice, SyncNotice, WebhookNotice};
use utoipa::{
    OpenApi,
    openapi::{
        Content, Ref, Response,
        path::{Operation, PathItem},
        security::{HttpAuthScheme, HttpBuilder, SecurityScheme},
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
            9457). Every path needs a bearer token with the role `viewer`, `operator` or `admin`.",
        license(name = "MIT OR Apache-2.0"),
    ),
    components(schemas(ProblemBody, FieldError, SyncNotice, DeadLetterNotice, WebhookNotice, SettingsNotice, ConflictNotice)),
    security(("bearer" = [])),
    tags(
        (name = "syncs", description = "Start, follow, cancel, repair and undo syncs"),
        (name = "settings", description = "Schedule, page size, retries and missing records; connection test"),
        (name = "dead letters", description = "Messages that failed for good, and their replay"),
        (name = "webhooks", description = "Webhook events from the onboarding portal, and refused requests"),
        (name = "updates", description = "Updates as server-sent events"),
        (name = "conflicts", description = "Records that both portals changed, their resolution, and the conflict policies"),
        (name = "validation", description = "Data-quality reports"),
        (name = "labels", description = "QR labels of equipment"),
        (name = "users", description = "Users of the maintenance portal: roles, role mapping, temporary passwords"),
        (name = "operators", description = "The operator of the token"),
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
        .description(Some("`sms-sync token` creates a token."))
        .build();
    if let Some(components) = &mut document.components {
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
    document.paths.paths.values_mut().flat_map(operations).for_each(add_problem_response);
    document
}

/// The text of the committed copy, and of `GET /openapi.json`.
#[must_use]
pub fn json() -> String {
    let mut text = document().to_pretty_json().expect("the document is plain JSON");
    text.push('\n');
    text
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    let PathItem { get, put, post, delete, patch, .. } = item;
    [get, put, post, delete, patch].into_iter().filter_map(Option::as_mut)
}

/// Describes every other response as a problem.
fn add_problem_response(operation: &mut Operation) {
    let mut response = Response::new("Error, as problem details (RFC 9457)");
    let schema = Ref::from_schema_name("Problem");
    response.content.insert("application/problem+json".to_owned(), Content::new(Some(schema)).into());
    operation.responses.responses.insert("default".to_owned(), response.into());
}
