//! Secrets in the config: their type, and the checks that sections make on them.

pub use secrecy::{ExposeSecret, SecretString as Secret};

/// Check for secrets that must be given: `#[garde(custom(secret_given))]`.
pub fn secret_given(secret: &Secret, _: &()) -> garde::Result {
    secret_min_bytes(1)(secret, &())
}

/// Check for secrets with a least length in bytes: `#[garde(custom(secret_min_bytes(32)))]`.
pub fn secret_min_bytes(min: usize) -> impl FnOnce(&Secret, &()) -> garde::Result {
    move |secret, ()| match secret.expose_secret().len() {
        length if length >= min => Ok(()),
        0 => Err(garde::Error::new("is missing")),
        length => Err(garde::Error::new(format!("has {length} bytes, needs at least {min}"))),
    }
}
