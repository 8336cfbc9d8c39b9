// SPDX-License-Identifier: EUPL-1.2
//! Passwords: what is taken as one, and the slow work of hashing, off the async threads and in
//! few places at once, so that a flood of sign-ins costs neither all memory nor all cores.

use std::sync::Arc;
use std::time::Duration;

use belofte_vault::{Pii, Random, password};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use crate::http::{Answer, ApiError, Checks, Code, FieldCode};

/// The fewest characters of a password (NIST SP 800-63B-4, section 3.1.1.2 asks for length, not
/// for kinds of characters).
pub const LEAST: usize = 12;
/// The most: hashing time does not grow with it, but requests do.
pub const MOST: usize = 256;

/// How many passwords are hashed at once; each takes 19 MiB and a core.
const PLACES: usize = 2;
/// How long somebody waits for a place before the server says that it is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// Hashes and checks passwords. Clones share the places.
#[derive(Clone, Debug)]
pub struct Passwords {
    places: Arc<Semaphore>,
    random: Random,
}

impl Passwords {
    /// With salts from `random`.
    #[must_use]
    pub fn new(random: Random) -> Self {
        Self { places: Arc::new(Semaphore::new(PLACES)), random }
    }

    async fn place(&self) -> Answer<OwnedSemaphorePermit> {
        match timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await {
            Ok(Ok(place)) => Ok(place),
            _ => Err(Code::Busy.into()),
        }
    }

    async fn work<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> Answer<T> {
        let place = self.place().await?;
        let done = tokio::task::spawn_blocking(move || {
            // Held by the work, not by who waits for it: a caller that goes away frees no place.
            let _place = place;
            work()
        });
        done.await.map_err(|error| ApiError::internal(&error))
    }

    /// The PHC string of `password`.
    ///
    /// # Errors
    /// [`Code::Busy`] when there is no place in time.
    pub async fn hash(&self, password: Pii<String>) -> Answer<Pii<String>> {
        let random = self.random.clone();
        self.work(move || Pii::new(password::hash(&random, password.expose()))).await
    }

    /// Whether `password` is the one of each of `hashes`. Without any hash the same work is done
    /// for nobody, so that the time of the answer does not tell which accounts exist.
    ///
    /// # Errors
    /// [`Code::Busy`] when there is no place in time.
    pub async fn verify(&self, password: Pii<String>, hashes: Vec<Pii<String>>) -> Answer<Vec<bool>> {
        self.work(move || {
            if hashes.is_empty() {
                password::verify_nobody(password.expose());
            }
            hashes.iter().map(|hash| password::verify(password.expose(), hash.expose())).collect()
        })
        .await
    }
}

/// Checks that `password`, the value of `field`, may become the password of `email`.
pub fn check(checks: &mut Checks, field: &str, password: &str, email: &str) {
    let length = password.chars().count();
    let same = |a: &str, b: &str| a.trim().to_lowercase() == b.trim().to_lowercase();
    checks
        .that(length >= LEAST, field, FieldCode::TooShort)
        .that(length <= MOST, field, FieldCode::TooLong)
        .that(!same(password, email), field, FieldCode::Invalid);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(password: &str) -> Vec<FieldCode> {
        let mut checks = Checks::default();
        check(&mut checks, "password", password, "lange.naam@winkel.example");
        checks
            .done()
            .err()
            .map(|error| error.fields.iter().map(|field| field.code).collect())
            .unwrap_or_default()
    }

    #[test]
    fn a_password_is_long_and_not_the_address() {
        assert_eq!(refused("elf tekens!"), [FieldCode::TooShort]);
        assert_eq!(refused("twaalf teken"), []);
        assert_eq!(refused("ééééééééééé"), [FieldCode::TooShort], "characters count, not bytes");
        assert_eq!(refused(" Lange.Naam@Winkel.Example"), [FieldCode::Invalid]);
        assert_eq!(refused(&"x".repeat(257)), [FieldCode::TooLong]);
    }

    #[tokio::test]
    async fn a_hash_is_verified_and_nobody_has_none() {
        let passwords = Passwords::new(Random::seeded(1));
        let password = || Pii::new("correct paard batterij".to_owned());
        let hash = passwords.hash(password()).await.expect("a place");
        let other = Pii::new("$argon2id$".to_owned());
        assert_eq!(passwords.verify(password(), vec![hash, other]).await, Ok(vec![true, false]));
        assert_eq!(passwords.verify(password(), Vec::new()).await, Ok(Vec::new()));
    }
}
