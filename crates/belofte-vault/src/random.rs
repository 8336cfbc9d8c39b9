// SPDX-License-Identifier: EUPL-1.2
//! Chance as an argument (architecture, invariant 7).

use std::cell::RefCell;
use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use aws_lc_rs::{hmac, rand};
use zeroize::Zeroize as _;

/// A source of random bytes; cheap to clone, shared between threads.
#[derive(Clone, Debug)]
pub enum Random {
    /// The operating system's generator by way of AWS-LC: the only one for real keys.
    System,
    /// The same bytes in the same order for the same seed. For tests and demo data only.
    Seeded(Arc<SeededRandom>),
}

/// The state of [`Random::Seeded`]: HMAC-SHA-256 over a counter.
pub struct SeededRandom {
    key: hmac::Key,
    counter: Mutex<u64>,
}

impl fmt::Debug for SeededRandom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SeededRandom(..)")
    }
}

impl Random {
    /// The operating system's generator.
    #[must_use]
    pub const fn system() -> Self {
        Self::System
    }

    /// A repeatable stream of bytes from `seed`; clones continue the same stream.
    #[must_use]
    pub fn seeded(seed: u64) -> Self {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &seed.to_be_bytes());
        Self::Seeded(Arc::new(SeededRandom { key, counter: Mutex::new(0) }))
    }

    /// Fills `bytes`.
    ///
    /// # Panics
    /// When the operating system has no random bytes: nothing can be sealed safely then.
    pub fn fill(&self, bytes: &mut [u8]) {
        match self {
            // The one place that asks the machine for chance.
            #[expect(clippy::disallowed_methods, reason = "this is the injected chance itself")]
            Self::System => rand::fill(bytes).expect("the operating system gives random bytes"),
            Self::Seeded(seeded) => {
                for chunk in bytes.chunks_mut(32) {
                    let count = {
                        let mut counter = seeded.counter.lock().unwrap_or_else(PoisonError::into_inner);
                        *counter += 1;
                        *counter
                    };
                    let block = hmac::sign(&seeded.key, &count.to_be_bytes());
                    chunk.copy_from_slice(&block.as_ref()[..chunk.len()]);
                }
            }
        }
    }

    /// `N` random bytes.
    ///
    /// # Panics
    /// As [`fill`](Self::fill).
    #[must_use]
    pub fn bytes<const N: usize>(&self) -> [u8; N] {
        let mut bytes = [0; N];
        match self {
            // Ids and nonces are no secrets once they are used: they come from what was asked for before, many
            // at a time. What may become a key is asked for by itself.
            Self::System if N < SECRET => AT_HAND.with_borrow_mut(|at_hand| at_hand.take(&mut bytes)),
            _ => self.fill(&mut bytes),
        }
        bytes
    }
}

/// From so many bytes on, random bytes may be a secret.
const SECRET: usize = 16;

/// Random bytes of the system that were not used yet. A call of its own for each nonce would ask the
/// processor's generator anew, which takes longer than sealing a short value.
struct AtHand {
    bytes: [u8; 512],
    used: usize,
}

thread_local! {
    static AT_HAND: RefCell<AtHand> = const { RefCell::new(AtHand { bytes: [0; 512], used: 512 }) };
}

impl AtHand {
    fn take(&mut self, wanted: &mut [u8]) {
        if self.bytes.len() - self.used < wanted.len() {
            Random::System.fill(&mut self.bytes);
            self.used = 0;
        }
        let taken = &mut self.bytes[self.used..self.used + wanted.len()];
        wanted.copy_from_slice(taken);
        taken.zeroize();
        self.used += wanted.len();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_seed_repeats_and_clones_go_on() {
        let (first, second) = (Random::seeded(7), Random::seeded(7));
        assert_eq!(first.bytes::<70>(), second.bytes::<70>());
        let clone = first.clone();
        let (a, b) = (first.bytes::<16>(), clone.bytes::<16>());
        assert_ne!(a, b, "a clone shares the stream and does not repeat it");
        assert_eq!((a, b), (second.bytes::<16>(), second.bytes::<16>()));
        assert_ne!(Random::seeded(8).bytes::<16>(), Random::seeded(7).bytes::<16>());
    }

    #[test]
    fn the_system_does_not_repeat() {
        assert_ne!(Random::system().bytes::<32>(), Random::system().bytes::<32>());
        // Far more than are at hand at once, on several threads.
        let nonces = || (0..1_000).map(|_| Random::System.bytes::<12>()).collect::<Vec<_>>();
        let threads: Vec<_> = (0..4).map(|_| std::thread::spawn(nonces)).collect();
        let all: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().expect("no panic")).collect();
        let different: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!((all.len(), different.len()), (4_000, 4_000));
        assert!(!all.contains(&[0; 12]));
    }

    #[test]
    fn what_was_at_hand_is_gone_once_it_is_given_out() {
        let mut at_hand = AtHand { bytes: [7; 512], used: 500 };
        let mut nonce = [0; 12];
        at_hand.take(&mut nonce);
        assert_eq!((nonce, at_hand.used), ([7; 12], 512));
        assert_eq!(at_hand.bytes[500..], [0; 12]);
        at_hand.take(&mut nonce);
        assert_ne!(nonce, [7; 12], "asked for anew");
        assert_eq!((at_hand.used, &at_hand.bytes[..12]), (12, &[0; 12][..]));
    }
}
