//! Who is asking: by the API key in `X-API-Key`, or as a bearer.

use std::future::{Ready, ready};

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use chassis::{
    auth::bearer_token,
    config::{ExposeSecret, Secret},
    problem::Problem,
};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// The keys, and how to compare with them in the same time wherever two texts differ: by MACs under a key of this
/// process's own.
pub(crate) struct Keys {
    own: [u8; 32],
    readers: Vec<u8>,
    admins: Vec<u8>,
}

impl Keys {
    /// `admin` empty: one key for all.
    pub(crate) fn new(reader: &Secret, admin: &Secret) -> Self {
        let mut keys = Self { own: rand::random(), readers: Vec::new(), admins: Vec::new() };
        let admin = if admin.expose_secret().is_empty() { reader } else { admin };
        keys.readers = keys.mac(reader.expose_secret()).finalize().into_bytes().to_vec();
        keys.admins = keys.mac(admin.expose_secret()).finalize().into_bytes().to_vec();
        keys
    }

    fn mac(&self, text: &str) -> Hmac<Sha256> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.own).expect("HMAC takes a key of any length");
        mac.update(text.as_bytes());
        mac
    }

    fn is(&self, shown: &str, expected: &[u8]) -> bool {
        self.mac(shown).verify_slice(expected).is_ok()
    }
}

/// May read what the provider API shows: any key.
pub(crate) struct Reader;

/// One of the portal's own people.
pub(crate) struct Admin;

impl FromRequest for Reader {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(shown(request).and_then(|(keys, shown)| {
            let known = keys.is(shown, &keys.readers) | keys.is(shown, &keys.admins);
            if known { Ok(Self) } else { Err(unknown()) }
        }))
    }
}

impl FromRequest for Admin {
    type Error = Problem;
    type Future = Ready<Result<Self, Problem>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(shown(request).and_then(|(keys, shown)| {
            let (admin, reader) = (keys.is(shown, &keys.admins), keys.is(shown, &keys.readers));
            match (admin, reader) {
                (true, _) => Ok(Self),
                (false, true) => {
                    let detail = "This key may read; the portal's own people have another.";
                    Err(Problem::forbidden("key_may_only_read", detail))
                }
                (false, false) => Err(unknown()),
            }
        }))
    }
}

fn shown(request: &HttpRequest) -> Result<(&Keys, &str), Problem> {
    let keys = request.app_data::<web::Data<Keys>>();
    let keys = keys.ok_or_else(|| Problem::internal("the app has no keys"))?;
    let header = request.headers().get("x-api-key").and_then(|value| value.to_str().ok());
    let shown = header.or_else(|| bearer_token(request)).ok_or_else(|| {
        let detail = "Show your key: `X-API-Key: <key>` or `Authorization: Bearer <key>`.";
        Problem::unauthorized("key_missing", detail)
    })?;
    Ok((keys, shown))
}

fn unknown() -> Problem {
    Problem::unauthorized("key_unknown", "The key is not known.")
}
