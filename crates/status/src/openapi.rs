//! The description of the operator API, made from the handlers themselves.
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
        description = "Carries what was approved in the onboarding portal to the maintenance portal, and says at any \
            time what is in sync, what is not, and why. Errors are RFC 9457 problems. Every path needs a bearer token \
            with the role `viewer`, `operator` or `admin`.",
        license(name = "MIT OR Apache-2.0"),
    ),
    components(schemas(ProblemBody, FieldError, SyncNotice, DeadLetterNotice, WebhookNotice, SettingsNotice, ConflictNotice)),
    security(("bearer" = [])),
    tags(
        (name = "syncs", description = "Syncs: start, watch, stop, look back"),
        (name = "settings", description = "Schedule, paging and retries"),
        (name = "dead letters", description = "What used up its retries, and how it is put back on its way"),
        (name = "webhooks", description = "What the onboarding portal told, and what was refused"),
        (name = "updates", description = "Progress as it happens"),
        (name = "conflicts", description = "What both portals have changed, and who decides"),
        (name = "validation", description = "What is wrong or odd about the data"),
        (name = "labels", description = "What is glued to the machines"),
        (name = "users", description = "Tallies, their roles, and the one reveal of a temporary password"),
        (name = "operators", description = "Who one is"),
    )
)]
struct Frame;

/// The document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let app = App::new().into_utoipa_app().openapi(Frame::openapi()).configure(routes::configure);
    let (_, mut document) = app.split_for_parts();
    let bearer = HttpBuilder::new()
        .scheme(HttpAuthScheme::Bearer)
        .bearer_format("JWT")
        .description(Some("`sms-sync token` makes one."))
        .build();
    if let Some(components) = &mut document.components {
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer));
    }
    document.paths.paths.values_mut().flat_map(operations).for_each(may_answer_a_problem);
    document
}

/// The document as it is committed and served.
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

/// Every answer that is not described is a problem.
fn may_answer_a_problem(operation: &mut Operation) {
    let mut response = Response::new("What went wrong, as an RFC 9457 problem");
    let schema = Ref::from_schema_name("Problem");
    response.content.insert("application/problem+json".to_owned(), Content::new(Some(schema)).into());
    operation.responses.responses.insert("default".to_owned(), response.into());
}
