//! Serves the dashboard, and the reference of the operator API at `/docs`: the files of `dashboard/dist`, embedded in this
//! binary.

use actix_web::{
    HttpRequest, HttpResponse,
    guard::{self, Guard, GuardContext},
    http::{
        Method,
        header::{self, AcceptEncoding, Encoding, Header, HeaderValue},
    },
    web,
};
use chassis::problem::Problem;
use rust_embed::{EmbeddedFile, RustEmbed};

/// Pages may load from this origin alone, and no inline script or style.
macro_rules! content_security_policy {
    ($styles:literal) => {
        concat!(
            "default-src 'none'; script-src 'self'; style-src 'self'",
            $styles,
            "; img-src 'self' data:; font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; \
             frame-ancestors 'none'"
        )
    };
}
const CONTENT_SECURITY_POLICY: &str = content_security_policy!("");
/// Two inline styles are allowed, by their hashes: the empty one, into which Redoc writes by script, and that of its scrollbar.
const REFERENCE_CONTENT_SECURITY_POLICY: &str = content_security_policy!(
    " 'sha256-47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=' 'sha256-QMIg+bpjm3JdElJ388KYke01izlUW0UoNOeKjpMxdgc='"
);
const REFERENCE: &str = "docs.html";
/// Files in this folder have a hash of their content in their names, so browsers may keep them for ever.
const HASHED_FOLDER: &str = "assets/";
const NOT_BUILT_MESSAGE: &str =
    "This binary contains no dashboard. Run `make dashboard`, then build the binary again.\n";

#[derive(RustEmbed)]
#[folder = "$CARGO_MANIFEST_DIR/dashboard/dist"]
#[allow_missing = true]
struct Files;

/// Registers the dashboard for every GET outside `/api` that no route before it has matched.
pub(crate) fn configure(app: &mut web::ServiceConfig) {
    let get = guard::Any(guard::Method(Method::GET)).or(guard::Method(Method::HEAD));
    app.service(web::resource("/{path:.*}").guard(get).guard(NotTheApi).to(serve_file));
}

struct NotTheApi;

impl Guard for NotTheApi {
    fn check(&self, context: &GuardContext<'_>) -> bool {
        let path = context.head().uri.path();
        path != "/api" && !path.starts_with("/api/")
    }
}

async fn serve_file(request: HttpRequest, path: web::Path<String>) -> Result<HttpResponse, Problem> {
    let path = path.into_inner();
    // A path without a dot is a page, which the dashboard's router resolves. A missing file is a 404.
    let is_page = path.is_empty() || !path.rsplit('/').next().unwrap_or_default().contains('.');
    let name = match path.as_str() {
        "docs" => REFERENCE,
        _ if is_page => "index.html",
        file => file,
    };
    let is_compressed = [".br", ".gz"].iter().any(|end| name.ends_with(end));
    match Files::get(name).filter(|_| !is_compressed) {
        Some(file) => Ok(respond_with_file(&request, name, file)),
        None if is_page => Ok(HttpResponse::Ok()
            .content_type("text/plain; charset=utf-8")
            .insert_header((header::CACHE_CONTROL, "no-cache"))
            .body(NOT_BUILT_MESSAGE)),
        None => Err(Problem::not_found("not_found", format!("There is no file /{name}."))),
    }
}

fn respond_with_file(request: &HttpRequest, name: &str, file: EmbeddedFile) -> HttpResponse {
    let content_type = file.metadata.mimetype().to_owned();
    let content_type =
        if content_type.starts_with("text/") { content_type + "; charset=utf-8" } else { content_type };
    let (file, encoding) = find_compressed(request, name).unwrap_or((file, None));
    let hash = file.metadata.sha256_hash();
    let tag = format!("\"{}\"", hash[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>());
    let cache =
        if name.starts_with(HASHED_FOLDER) { "public, max-age=31536000, immutable" } else { "no-cache" };

    let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
    let is_known =
        known.is_some_and(|known| known.split(',').any(|one| one.trim().trim_start_matches("W/") == tag));
    let policy = if name == REFERENCE { REFERENCE_CONTENT_SECURITY_POLICY } else { CONTENT_SECURITY_POLICY };
    let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
    response
        .insert_header((header::CONTENT_SECURITY_POLICY, policy))
        .insert_header((header::CACHE_CONTROL, cache))
        .insert_header((header::VARY, "Accept-Encoding"))
        .insert_header((header::ETAG, tag));
    if is_known {
        return response.finish();
    }
    if let Some(encoding) = encoding {
        response.insert_header((header::CONTENT_ENCODING, HeaderValue::from_static(encoding)));
    }
    response.content_type(content_type).body(file.data.into_owned())
}

/// The compressed copy of the file in the smallest encoding that the client accepts.
fn find_compressed(request: &HttpRequest, name: &str) -> Option<(EmbeddedFile, Option<&'static str>)> {
    let accepted = AcceptEncoding::parse(request).ok()?;
    let encodings = [(Encoding::brotli(), "br", "br"), (Encoding::gzip(), "gz", "gzip")];
    encodings.into_iter().find_map(|(encoding, suffix, name_of_encoding)| {
        // One by one, smallest first: the weights that the client gives do not matter, only whether it accepts.
        let chosen = accepted.negotiate([encoding.clone(), Encoding::identity()].iter())?;
        let file = (chosen == encoding).then(|| Files::get(&format!("{name}.{suffix}")))??;
        Some((file, Some(name_of_encoding)))
    })
}
