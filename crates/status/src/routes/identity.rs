//! Who the token says one is.

use actix_web::{get, web};
use chassis::auth::Viewer;
use contracts::operator::Identity;

/// Who one is
#[utoipa::path(operation_id = "getIdentity", tag = "operators", responses((status = 200, body = Identity)))]
#[get("/api/sync/me")]
pub(crate) async fn me(viewer: Viewer) -> web::Json<Identity> {
    web::Json(Identity { subject: viewer.subject().to_owned(), role: viewer.role().to_string() })
}
