//! The description of the portal's API, made from the handlers themselves: `proto-schemas/onboarding-api.openapi.json`.
//!
//! The paths under `/api/sync` and the section `webhooks` are what an onboarding portal has to offer; the rest is this
//! one's own.

use actix_web::App;
use chassis::problem::{FieldError, ProblemBody};
use chrono::{DateTime, Utc};
use contracts::webhook::EventType;
use utoipa::{
    OpenApi, ToSchema,
    openapi::{
        Content, HttpMethod, Ref, RefOr, Required, Response,
        path::{Operation, OperationBuilder, ParameterBuilder, ParameterIn, PathItem, PathsBuilder},
        request_body::RequestBodyBuilder,
        schema::{ObjectBuilder, SchemaType, Type},
        security::{ApiKey, ApiKeyValue, HttpAuthScheme, HttpBuilder, SecurityRequirement, SecurityScheme},
    },
};
use utoipa_actix_web::AppExt;

use crate::routes;

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Onboarding portal",
        description = "What is approved, for whoever carries it elsewhere; the signed webhooks that tell of approvals; \
            and the tools of the portal's own people. Errors are RFC 9457 problems. Every path needs the API key.",
        license(name = "MIT OR Apache-2.0"),
    ),
    components(schemas(ProblemBody, FieldError, WebhookEvent)),
    tags(
        (name = "provider", description = "What every onboarding portal offers to SMS Sync"),
        (name = "events", description = "What every onboarding portal sends to SMS Sync"),
        (name = "records", description = "Entering, approving, mending, withdrawing"),
        (name = "webhooks", description = "How webhooks went, and what can be done about it"),
        (name = "faults", description = "Faults of the provider API on demand, in development"),
    )
)]
struct Frame;

/// The body of a webhook: thin. Whoever gets it fetches the record's present state.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes contracts::webhook::WebhookBody, which is what is sent")]
struct WebhookEvent {
    /// What happened.
    #[schema(example = "vessel.approved")]
    r#type: String,
    /// When it happened; not when it was sent.
    timestamp: DateTime<Utc>,
    /// Version of this shape: 1.
    schema_version: u32,
    /// The record that it happened to.
    data: WebhookEventData,
}

/// The record that a webhook is about.
#[derive(ToSchema)]
#[schema(rename_all = "camelCase")]
#[expect(dead_code, reason = "describes contracts::webhook::WebhookData, which is what is sent")]
struct WebhookEventData {
    /// Its id; `test.ping` has none.
    id: Option<String>,
    /// Its version at the time.
    updated_at: Option<DateTime<Utc>>,
    /// The vessel's IMO number, for people who read the log.
    imo: Option<String>,
}

/// The document.
#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let app = App::new().into_utoipa_app().openapi(Frame::openapi()).configure(routes::configure);
    let (_, mut document) = app.split_for_parts();
    if let Some(components) = &mut document.components {
        let header = ApiKeyValue::with_description("X-API-Key", "The key that the portal issued.");
        components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(header)));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The same key."));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    }
    let either = ["key", "bearer"].map(|name| SecurityRequirement::new(name, Vec::<String>::new()));
    document.security = Some(either.into());
    document.paths.paths.values_mut().flat_map(operations).for_each(may_answer_a_problem);
    let events = EventType::KNOWN.iter().fold(PathsBuilder::new(), |paths, event| {
        paths.path(event.as_str(), PathItem::new(HttpMethod::Post, webhook(event)))
    });
    document.webhooks = Some(events.build());
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

/// What is sent when this happens.
fn webhook(event: &EventType) -> Operation {
    let header = |name: &str, what: &str| {
        let text = ObjectBuilder::new().schema_type(SchemaType::new(Type::String));
        ParameterBuilder::new()
            .name(name)
            .parameter_in(ParameterIn::Header)
            .required(Required::True)
            .description(Some(what))
            .schema(Some(text))
            .build()
    };
    let body = RequestBodyBuilder::new()
        .content("application/json", Content::new(Some(Ref::from_schema_name("WebhookEvent"))))
        .required(Some(Required::True))
        .build();
    let mut operation = OperationBuilder::new()
        .operation_id(Some(event.as_str()))
        .tag("events")
        .summary(Some(what_happened(event)))
        .parameter(header("webhook-id", "Names the message; the same on every attempt."))
        .parameter(header("webhook-timestamp", "Unix seconds of the attempt."))
        .parameter(header(
            "webhook-signature",
            "Standard Webhooks: `v1,` and the base64 of HMAC-SHA-256 over `{webhook-id}.{webhook-timestamp}.{body}`, one \
             for each active secret, separated by spaces.",
        ))
        .request_body(Some(body))
        .build();
    for (status, what) in [
        ("2XX", "It was taken."),
        ("410", "Nothing more is wanted: the endpoint is disabled."),
        (
            "default",
            "It is sent again by the schedule, not before what `Retry-After` asks for. Redirects are not followed.",
        ),
    ] {
        operation.responses.responses.insert(status.to_owned(), RefOr::T(Response::new(what)));
    }
    operation
}

const fn what_happened(event: &EventType) -> &'static str {
    match event {
        EventType::CompanyApproved => "A company was approved or changed",
        EventType::VesselApproved => "A vessel was approved, with all that belongs to it",
        EventType::VesselUpdated => "An approved vessel was changed",
        EventType::VesselWithdrawn => "A vessel's approval was withdrawn",
        EventType::EquipmentApproved => "A piece of equipment was approved",
        EventType::EquipmentUpdated => "An approved piece of equipment was changed",
        EventType::EquipmentRetired => "A piece of equipment was retired",
        EventType::UserApproved => "A user was approved",
        EventType::UserUpdated => "An approved user was changed",
        EventType::UserDeactivated => "A user's approval was withdrawn",
        EventType::TestPing => "Somebody tests the endpoint",
        EventType::Unknown(_) => "Something that this version does not know",
    }
}
