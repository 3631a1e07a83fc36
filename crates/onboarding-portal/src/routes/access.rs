//! Who is calling: by the API key in `X-API-Key`, or as a bearer token.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use chassis::{
    auth::bearer_token,
    config::{ExposeSecret, Secret},
    problem::Problem,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The accepted API keys, each as a MAC under a random key of this process. Comparing MACs takes the same time wherever
/// two keys differ, so that no caller can find a key byte by byte.
pub(crate) struct ApiKeys {
    mac_key: [u8; 32],
    reader: Vec<u8>,
    /// None: nobody is an admin.
    admin: Option<Vec<u8>>,
}

impl ApiKeys {
    /// If `admin` is empty, nobody is an admin: the reader's key only reads.
    pub(crate) fn new(reader: &Secret, admin: &Secret) -> Self {
        let mut keys = Self { mac_key: rand::random(), reader: Vec::new(), admin: None };
        let mac = |key: &Secret| keys.mac(key.expose_secret()).finalize().into_bytes().to_vec();
        let (reader, admin) = (mac(reader), (!admin.expose_secret().is_empty()).then(|| mac(admin)));
        (keys.reader, keys.admin) = (reader, admin);
        keys
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.mac_key).expect("HMAC takes a key of any length");
        mac.update(text.as_bytes());
        mac
    }

    fn matches(&self, presented: &str, expected: &[u8]) -> bool {
        self.mac(presented).verify_slice(expected).is_ok()
    }

    fn is_reader(&self, presented: &str) -> bool {
        self.matches(presented, &self.reader)
    }

    fn is_admin(&self, presented: &str) -> bool {
        self.admin.as_ref().is_some_and(|admin| self.matches(presented, admin))
    }
}

/// A caller of the provider API: any of the keys.
pub(crate) struct Reader;

/// One of the portal's own people: the admin's key.
pub(crate) struct Admin;

impl FromRequest for Reader {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(presented_key(request).and_then(|(keys, presented)| {
            let known = keys.is_reader(presented) | keys.is_admin(presented);
            if known { Ok(Self) } else { Err(unknown_key()) }
        }))
    }
}

impl FromRequest for Admin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(presented_key(request).and_then(|(keys, presented)| {
            let (admin, reader) = (keys.is_admin(presented), keys.is_reader(presented));
            match (admin, reader) {
                (true, _) => Ok(Self),
                (false, true) if keys.admin.is_none() => {
                    let detail =
                        "This key may only read, and the portal has no admin key: set ONBOARDING_ADMIN_KEY.";
                    Err(Problem::forbidden("admin_key_missing", detail))
                }
                (false, true) => {
                    let detail = "This key may only read. Use the admin key.";
                    Err(Problem::forbidden("key_may_only_read", detail))
                }
                (false, false) => Err(unknown_key()),
            }
        }))
    }
}

fn presented_key(request: &HttpRequest) -> Result<(&ApiKeys, &str), Problem> {
    let keys = request.app_data::<web::Data<ApiKeys>>();
    let keys = keys.ok_or_else(|| Problem::internal("the app has no keys"))?;
    let header = request.headers().get("x-api-key").and_then(|value| value.to_str().ok());
    let presented = header.or_else(|| bearer_token(request)).ok_or_else(|| {
        let detail = "Send your key as `X-API-Key: <key>` or `Authorization: Bearer <key>`.";
        Problem::unauthorized("key_missing", detail)
    })?;
    Ok((keys, presented))
}

fn unknown_key() -> Problem {
    Problem::unauthorized("key_unknown", "The API key is not known.")
}
