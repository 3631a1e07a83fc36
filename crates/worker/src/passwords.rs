//! Temporary passwords for users that are new here: made, hashed and sealed before the transaction, since hashing one
//! takes tens of milliseconds by design.

use std::sync::Arc;

use argon2::{Argon2, PasswordHasher};
use chrono::{DateTime, Utc};
use domain::{
    SourceId,
    temporary_password::{PASSWORD_LIFETIME, PasswordSeal, TemporaryPassword},
};
use store::records::NewPassword;
use tokio::sync::Semaphore;

/// Makes passwords, on as many threads as there are processors and no more: each hash takes 19 MiB.
#[derive(Debug, Clone)]
pub(crate) struct PasswordMaker {
    seal: PasswordSeal,
    permits: Arc<Semaphore>,
}

impl PasswordMaker {
    pub(crate) fn new(seal: PasswordSeal) -> Self {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        Self { seal, permits: Arc::new(Semaphore::new(processors)) }
    }

    /// A password for each of these users.
    pub(crate) async fn make(&self, users: &[SourceId], now: DateTime<Utc>) -> Vec<NewPassword> {
        let chunk = users.len().div_ceil(std::thread::available_parallelism().map_or(1, usize::from)).max(1);
        let made = users.chunks(chunk).map(|users| {
            let (seal, users) = (self.seal.clone(), users.to_vec());
            async move {
                let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
                let hashing =
                    move || users.into_iter().map(|user| make(&seal, user, now)).collect::<Vec<_>>();
                tokio::task::spawn_blocking(hashing).await.expect("hashing does not panic")
            }
        });
        futures_util::future::join_all(made).await.into_iter().flatten().collect()
    }
}

fn make(seal: &PasswordSeal, user: SourceId, now: DateTime<Utc>) -> NewPassword {
    let mut rng = rand::rng();
    let password = TemporaryPassword::generate(&mut rng);
    // The defaults are OWASP's: Argon2id, 19 MiB, two passes, one lane.
    let hash =
        Argon2::default().hash_password(password.expose().as_bytes()).expect("the parameters are constant");
    NewPassword {
        hash: hash.to_string(),
        sealed: seal.seal(&password, &user, &mut rng),
        source_id: user,
        expires_at: now + PASSWORD_LIFETIME,
    }
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordVerifier, password_hash::phc::PasswordHash};

    use super::*;

    #[tokio::test]
    async fn the_hash_is_of_the_sealed_password_with_the_parameters_of_owasp() {
        let seal = PasswordSeal::parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap();
        let user: SourceId = "u-1".parse().unwrap();
        let made =
            PasswordMaker::new(seal.clone()).make(std::slice::from_ref(&user), DateTime::UNIX_EPOCH).await;
        let [stored] = made.as_slice() else { panic!("one user, one password") };
        assert!(stored.hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", stored.hash);
        let password = seal.open(&stored.sealed, &user).unwrap();
        let hash = PasswordHash::new(&stored.hash).unwrap();
        Argon2::default().verify_password(password.expose().as_bytes(), &hash).unwrap();
    }
}
