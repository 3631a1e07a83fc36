//! The operator that the token names.

use actix_web::{get, web};
use chassis::auth::{Role, Viewer};
use contracts::operator::{Identity, OperatorRole};

/// Get the operator of the token
#[utoipa::path(
    operation_id = "getIdentity", tag = "operators", security(("bearer" = ["viewer"])),
    responses((status = 200, body = Identity))
)]
#[get("/api/sync/me")]
pub(crate) async fn get_identity(viewer: Viewer) -> web::Json<Identity> {
    let role = match viewer.role() {
        Role::Viewer => OperatorRole::Viewer,
        Role::Operator => OperatorRole::Operator,
        Role::Admin => OperatorRole::Admin,
    };
    web::Json(Identity { subject: viewer.subject().to_owned(), role })
}
