//! Temporary passwords for users that are new here: made, hashed and sealed before the transaction, since hashing one
//! takes tens of milliseconds by design.

use std::sync::Arc;

use argon2::{
    Argon2, Block, Params,
    password_hash::phc::{Output, ParamsString, PasswordHash, Salt},
};
use chrono::{DateTime, Utc};
use domain::{
    SourceId,
    temporary_password::{PASSWORD_LIFETIME, PasswordSeal, TemporaryPassword},
};
use futures_util::{StreamExt, stream};
use store::records::NewPassword;
use tokio::sync::Semaphore;

/// Most passwords that are hashed at a time: each takes 19 MiB.
const HASHES_AT_ONCE: usize = 2;

/// Most passwords that are hashed before others may have a turn.
const CHUNK_LIMIT: usize = 4;

/// Makes passwords, a few at a time.
#[derive(Debug, Clone)]
pub(crate) struct PasswordMaker {
    seal: PasswordSeal,
    permits: Arc<Semaphore>,
    /// The page whose passwords are being made.
    page: Arc<Semaphore>,
}

impl PasswordMaker {
    pub(crate) fn new(seal: PasswordSeal) -> Self {
        Self { seal, permits: Arc::new(Semaphore::new(at_once())), page: Arc::new(Semaphore::new(1)) }
    }

    /// A password for each of these users of a page, one page at a time: an approval waits for a few hashes, not for those
    /// of all pages in hand.
    pub(crate) async fn make_for_page(&self, users: &[SourceId], now: DateTime<Utc>) -> Vec<NewPassword> {
        let _turn = self.page.acquire().await.expect("the semaphore is never closed");
        self.make(users, now).await
    }

    /// A password for each of these users.
    pub(crate) async fn make(&self, users: &[SourceId], now: DateTime<Utc>) -> Vec<NewPassword> {
        let chunk = users.len().div_ceil(at_once()).clamp(1, CHUNK_LIMIT);
        let chunks: Vec<Vec<SourceId>> = users.chunks(chunk).map(<[SourceId]>::to_vec).collect();
        let made = stream::iter(chunks).map(|users| {
            let seal = self.seal.clone();
            async move {
                let _permit = self.permits.acquire().await.expect("the semaphore is never closed");
                let hashing = move || {
                    // One block for all of them, of its own for the allocator: it goes back to the system at the end.
                    let mut memory = vec![Block::new(); Params::DEFAULT.block_count()];
                    users.into_iter().map(|user| make(&seal, &mut memory, user, now)).collect::<Vec<_>>()
                };
                tokio::task::spawn_blocking(hashing).await.expect("hashing does not panic")
            }
        });
        let made: Vec<_> = made.buffered(at_once()).collect().await;
        made.into_iter().flatten().collect()
    }
}

fn at_once() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from).min(HASHES_AT_ONCE)
}

fn make(seal: &PasswordSeal, memory: &mut [Block], user: SourceId, now: DateTime<Utc>) -> NewPassword {
    let mut rng = rand::rng();
    let password = TemporaryPassword::generate(&mut rng);
    let hash = hash(password.expose(), Salt::generate(), memory);
    NewPassword {
        hash: hash.expect("the parameters are constant"),
        sealed: seal.seal(&password, &user, &mut rng),
        source_id: user,
        expires_at: now + PASSWORD_LIFETIME,
    }
}

/// As [`argon2::PasswordHasher`] does it, in memory that is there already. The defaults are OWASP's: Argon2id, 19 MiB, two
/// passes, one lane.
fn hash(password: &str, salt: Salt, memory: &mut [Block]) -> argon2::password_hash::Result<String> {
    let argon2 = Argon2::default();
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    argon2.hash_password_into_with_memory(password.as_bytes(), &salt, &mut output, memory)?;
    let hash = PasswordHash {
        algorithm: argon2::Algorithm::default().ident(),
        version: Some(argon2::Version::default().into()),
        params: ParamsString::try_from(argon2.params())?,
        salt: Some(salt),
        hash: Some(Output::new(&output)?),
    };
    Ok(hash.to_string())
}

#[cfg(test)]
mod tests {
    use argon2::{PasswordHasher, PasswordVerifier};

    use super::*;

    #[tokio::test]
    async fn the_hash_is_of_the_sealed_password_with_the_parameters_of_owasp() {
        let seal = PasswordSeal::parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap();
        let user: SourceId = "u-1".parse().unwrap();
        let made =
            PasswordMaker::new(seal.clone()).make(std::slice::from_ref(&user), DateTime::UNIX_EPOCH).await;
        let [stored] = made.as_slice() else { panic!("one user, one password") };
        assert!(stored.hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{}", stored.hash);
        let password = seal.open(&stored.sealed, &user, DateTime::UNIX_EPOCH).unwrap();
        let hash = PasswordHash::new(&stored.hash).unwrap();
        Argon2::default().verify_password(password.expose().as_bytes(), &hash).unwrap();
    }

    #[tokio::test]
    async fn an_approval_waits_for_a_few_hashes_of_a_page_and_not_for_all() {
        let seal = PasswordSeal::parse("AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap();
        let maker = PasswordMaker::new(seal);
        let users: Vec<SourceId> = (0..60).map(|n| format!("u-{n}").parse().unwrap()).collect();
        let pages = [(); 3].map(|()| {
            let (maker, users) = (maker.clone(), users.clone());
            tokio::spawn(async move { maker.make_for_page(&users, DateTime::UNIX_EPOCH).await })
        });
        while maker.permits.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        let approved = maker.make(&users[..1], DateTime::UNIX_EPOCH).await;
        assert_eq!(approved.len(), 1);
        assert!(pages.iter().all(|page| !page.is_finished()), "it did not wait for a page");
        let [page, ..] = pages;
        let made = page.await.unwrap();
        assert_eq!(made.iter().map(|it| &it.source_id).collect::<Vec<_>>(), users.iter().collect::<Vec<_>>());
    }

    #[test]
    fn memory_that_was_used_before_makes_the_hash_that_the_crate_makes() {
        let mut memory = vec![Block::new(); Params::DEFAULT.block_count()];
        for (password, salt) in [("first", [1; 16]), ("second", [2; 16]), ("first", [1; 16])] {
            let made = hash(password, Salt::new(&salt).unwrap(), &mut memory).unwrap();
            let crates = Argon2::default().hash_password_with_salt(password.as_bytes(), &salt).unwrap();
            assert_eq!(made, crates.to_string());
        }
    }
}
