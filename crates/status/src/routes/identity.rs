//! Who the token says one is.

use actix_web::{get, web};
use chassis::auth::{Role, Viewer};
use contracts::operator::{Identity, OperatorRole};

/// Who one is
#[utoipa::path(operation_id = "getIdentity", tag = "operators", responses((status = 200, body = Identity)))]
#[get("/api/sync/me")]
pub(crate) async fn me(viewer: Viewer) -> web::Json<Identity> {
    let role = match viewer.role() {
        Role::Viewer => OperatorRole::Viewer,
        Role::Operator => OperatorRole::Operator,
        Role::Admin => OperatorRole::Admin,
    };
    web::Json(Identity { subject: viewer.subject().to_owned(), role })
}
