//! The OpenAPI document of the portal's API, made from the handlers: `proto-schemas/onboarding-api.openapi.json`.
//!
//! Every onboarding portal must offer the paths under `/api/sync` and the section `webhooks`. All other paths belong to
//! this reference portal alone.

use actix_web::App;
use chassis::{
    openapi::{SharedResponse, complete},
    problem::{FieldError, ProblemBody},
};
use contracts::webhook::{EventType, WebhookBody};
use utoipa::{
    OpenApi,
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
        description = "Approved records for SMS Sync to fetch, signed webhooks that tell of approvals, and the tools of the \
            portal's own people. Errors are RFC 9457 problems. Every path needs the API key.",
        license(name = "MIT OR Apache-2.0", identifier = "MIT OR Apache-2.0"),
    ),
    servers((url = "/", description = "The host of the portal")),
    components(schemas(ProblemBody, FieldError, WebhookBody)),
    tags(
        (name = "provider", description = "Data API: every onboarding portal must offer it to SMS Sync"),
        (name = "events", description = "Webhooks: every onboarding portal must send them to SMS Sync"),
        (name = "records", description = "Enter, approve, patch and withdraw records"),
        (name = "webhooks", description = "Inspect, repeat and control the delivery of webhooks"),
        (name = "faults", description = "Faults of the data API on demand, in development"),
    )
)]
struct DocumentFrame;

#[must_use]
pub fn document() -> utoipa::openapi::OpenApi {
    let app = App::new().into_utoipa_app().openapi(DocumentFrame::openapi()).configure(routes::configure);
    let (_, mut document) = app.split_for_parts();
    if let Some(components) = &mut document.components {
        let header = ApiKeyValue::with_description("X-API-Key", "The key that the portal issued.");
        components.add_security_scheme("key", SecurityScheme::ApiKey(ApiKey::Header(header)));
        let bearer = HttpBuilder::new().scheme(HttpAuthScheme::Bearer).description(Some("The same key."));
        components.add_security_scheme("bearer", SecurityScheme::Http(bearer.build()));
    }
    let key_or_bearer = ["key", "bearer"].map(|name| SecurityRequirement::new(name, Vec::<String>::new()));
    document.security = Some(key_or_bearer.into());
    complete(&mut document, SHARED_RESPONSES);
    let events = EventType::KNOWN.iter().fold(PathsBuilder::new(), |paths, event| {
        paths.path(event.as_str(), PathItem::new(HttpMethod::Post, webhook(event)))
    });
    document.webhooks = Some(events.build());
    document
}

/// The document's text, as it is committed and served.
#[must_use]
pub fn json() -> String {
    let mut text = document().to_pretty_json().expect("the document has text keys");
    text.push('\n');
    text
}

/// What a portal answers whatever the operation.
const SHARED_RESPONSES: &[SharedResponse] = &[
    SharedResponse {
        name: "Unreadable",
        status: "400",
        description: "The query or the body cannot be read; `parameter` names the parameter that is wrong",
        header: None,
        applies: |_, _| true,
    },
    SharedResponse {
        name: "Unauthorized",
        status: "401",
        description: "The API key is missing or unknown",
        header: Some(("WWW-Authenticate", "`Bearer`")),
        applies: |_, _| true,
    },
    SharedResponse {
        name: "Forbidden",
        status: "403",
        description: "The API key does not allow it",
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
        description: "Values of the body are wrong; `errors` names each",
        header: None,
        applies: |_, operation| operation.request_body.is_some(),
    },
    SharedResponse {
        name: "TooManyRequests",
        status: "429",
        description: "The caller sends too many requests",
        header: Some(("Retry-After", "Seconds until the next request is taken")),
        applies: |_, _| true,
    },
    SharedResponse {
        name: "InternalError",
        status: "500",
        description: "An error of the portal",
        header: None,
        applies: |_, _| true,
    },
    SharedResponse {
        name: "Unavailable",
        status: "503",
        description: "The portal is unavailable for a while",
        header: Some(("Retry-After", "Seconds until it is worth trying again")),
        applies: |_, _| true,
    },
];

/// The request that is sent for an event.
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
        .content("application/json", Content::new(Some(Ref::from_schema_name("WebhookBody"))))
        .required(Some(Required::True))
        .build();
    let mut operation = OperationBuilder::new()
        .operation_id(Some(event.as_str()))
        .tag("events")
        .summary(Some(event_summary(event)))
        .parameter(header("webhook-id", "Id of the message; the same on every attempt."))
        .parameter(header("webhook-timestamp", "Time of the attempt in Unix seconds."))
        .parameter(header(
            "webhook-signature",
            "Standard Webhooks: `v1,` and the base64 of HMAC-SHA-256 over `{webhook-id}.{webhook-timestamp}.{body}`, one \
             for each active secret, separated by spaces.",
        ))
        .request_body(Some(body))
        .build();
    for (status, what) in [
        ("2XX", "The webhook is accepted."),
        ("410", "The receiver wants no more webhooks: the endpoint is disabled."),
        (
            "default",
            "The webhook is sent again by the retry schedule, not before the time of `Retry-After`. Redirects are not followed.",
        ),
    ] {
        operation.responses.responses.insert(status.to_owned(), RefOr::T(Response::new(what)));
    }
    operation
}

const fn event_summary(event: &EventType) -> &'static str {
    match event {
        EventType::CompanyApproved => "A company was approved or changed",
        EventType::VesselApproved => "A vessel was approved, with its equipment and users",
        EventType::VesselUpdated => "An approved vessel was changed",
        EventType::VesselWithdrawn => "A vessel's approval was withdrawn",
        EventType::EquipmentApproved => "A piece of equipment was approved",
        EventType::EquipmentUpdated => "An approved piece of equipment was changed",
        EventType::EquipmentRetired => "A piece of equipment was retired",
        EventType::UserApproved => "A user was approved",
        EventType::UserUpdated => "An approved user was changed",
        EventType::UserDeactivated => "A user's approval was withdrawn",
        EventType::TestPing => "Test of the endpoint",
        EventType::Unknown(_) => "An event that this version does not know",
    }
}
