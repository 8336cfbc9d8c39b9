// SPDX-License-Identifier: EUPL-1.2
//! Rate limits: token buckets by key, in bounded memory, with time as an argument.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::time::Duration;

/// So many at once, and one more after each pause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// How many may come at once after a quiet time; at least 1 counts.
    pub burst: u32,
    /// After this another one is allowed.
    pub every: Duration,
}

impl Rate {
    /// A part of this rate: so many at once, and so much more seldom, that `parts` of them make the
    /// whole; at least one at once.
    #[must_use]
    pub fn part(self, parts: u32) -> Self {
        let burst = (self.burst / parts.max(1)).max(1);
        Self { burst, every: self.every.saturating_mul(self.burst.max(1)) / burst }
    }

    /// `count` in each minute, and as many at once.
    #[must_use]
    pub fn per_minute(count: u32) -> Self {
        Self::within(count, Duration::from_secs(60))
    }

    /// `count` within a time, and as many at once.
    #[must_use]
    pub fn within(count: u32, time: Duration) -> Self {
        let count = count.max(1);
        Self { burst: count, every: time / count }
    }
}

/// One bucket for each key. A bucket that is full again says nothing and may be forgotten; when
/// all `capacity` places are taken by others, the fullest of a few is forgotten, so that memory
/// stays bounded and the ones that press hardest stay remembered.
#[derive(Debug)]
pub struct Buckets<K> {
    rate: Rate,
    capacity: usize,
    /// For each key the time at which its bucket is full again.
    full_at: HashMap<K, Duration>,
    swept: Duration,
}

impl<K: Eq + Hash + Copy> Buckets<K> {
    /// Buckets of `rate` for at most `capacity` keys (at least one).
    #[must_use]
    pub fn new(rate: Rate, capacity: usize) -> Self {
        Self { rate, capacity: capacity.max(1), full_at: HashMap::new(), swept: Duration::ZERO }
    }

    /// Takes one from the bucket of `key` at `now`, a time that never goes back and starts
    /// anywhere. `false` when the bucket is empty; nothing is taken then.
    pub fn take(&mut self, key: K, now: Duration) -> bool {
        self.take_or_wait(key, now).is_ok()
    }

    /// As [`take`](Self::take).
    ///
    /// # Errors
    /// How long to wait until there is one to take.
    pub fn take_or_wait(&mut self, key: K, now: Duration) -> Result<(), Duration> {
        let debt_allowed = self.rate.every.saturating_mul(self.rate.burst.max(1));
        if let Some(full_at) = self.full_at.get_mut(&key) {
            let next = (*full_at).max(now) + self.rate.every;
            let debt = next.saturating_sub(now);
            if debt > debt_allowed {
                return Err(debt - debt_allowed);
            }
            *full_at = next;
            return Ok(());
        }
        if self.full_at.len() >= self.capacity {
            self.make_room(now);
        }
        self.full_at.insert(key, now + self.rate.every);
        Ok(())
    }

    /// How many can be taken from the bucket of `key` at `now`, and how long it takes until it is
    /// full again.
    #[must_use]
    pub fn left(&self, key: K, now: Duration) -> (u32, Duration) {
        let debt = self.full_at.get(&key).map_or(Duration::ZERO, |full_at| full_at.saturating_sub(now));
        let taken = debt.as_nanos().div_ceil(self.rate.every.as_nanos().max(1));
        (self.rate.burst.max(1).saturating_sub(u32::try_from(taken).unwrap_or(u32::MAX)), debt)
    }

    /// Whether one could be taken from the bucket of `key` at `now`; nothing is taken.
    #[must_use]
    pub fn has(&self, key: K, now: Duration) -> bool {
        self.full_at.get(&key).is_none_or(|full_at| {
            let next = (*full_at).max(now) + self.rate.every;
            next.saturating_sub(now) <= self.rate.every.saturating_mul(self.rate.burst.max(1))
        })
    }

    /// Takes one from the bucket of `key` at `now` for what has happened already, even when it is
    /// empty: what is taken too much is waited for, for one full bucket at most.
    pub fn charge(&mut self, key: K, now: Duration) {
        if !self.take(key, now)
            && let Some(full_at) = self.full_at.get_mut(&key)
        {
            let most = self.rate.every.saturating_mul(self.rate.burst.max(1).saturating_mul(2));
            *full_at = (*full_at + self.rate.every).min(now + most);
        }
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.full_at.len()
    }

    /// Whether no key is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.full_at.is_empty()
    }

    fn make_room(&mut self, now: Duration) {
        // A sweep looks at every key; once a second is enough and keeps a flood of new keys cheap.
        if now.saturating_sub(self.swept) >= Duration::from_secs(1) || self.swept.is_zero() {
            self.swept = now;
            self.full_at.retain(|_, full_at| *full_at > now);
        }
        while self.full_at.len() >= self.capacity {
            let fullest =
                self.full_at.iter().take(16).min_by_key(|(_, full_at)| **full_at).map(|(key, _)| *key);
            match fullest {
                Some(key) => self.full_at.remove(&key),
                None => return,
            };
        }
    }
}

/// The key by which a client is counted: an IPv4 address, or the /64 of an IPv6 address, since
/// whoever has one address of a /64 has them all (RFC 6177).
#[must_use]
pub fn client_key(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(v6) => IpAddr::V6(Ipv6Addr::from_bits(v6.to_bits() & !u128::from(u64::MAX))),
        v4 => v4,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const fn secs(secs: u64) -> Duration {
        Duration::from_secs(secs)
    }

    #[test]
    fn a_bucket_gives_its_burst_then_one_after_each_pause() {
        let mut buckets = Buckets::new(Rate { burst: 3, every: secs(10) }, 8);
        assert_eq!(
            (0..5).map(|_| buckets.take('a', secs(100))).collect::<Vec<_>>(),
            [true, true, true, false, false]
        );
        assert!(buckets.take('b', secs(100)), "another key has its own bucket");
        assert!(!buckets.take('a', secs(109)));
        assert!(buckets.take('a', secs(110)));
        assert!(!buckets.take('a', secs(110)));
        assert_eq!((0..4).filter(|_| buckets.take('a', secs(10_000))).count(), 3, "full again, not fuller");
    }

    #[test]
    fn a_refusal_says_how_long_and_a_bucket_how_much() {
        let mut buckets = Buckets::new(Rate::within(3, secs(30)), 8);
        assert_eq!(buckets.left('a', secs(100)), (3, secs(0)));
        assert!((0..3).all(|_| buckets.take('a', secs(100))));
        assert_eq!(buckets.left('a', secs(100)), (0, secs(30)));
        assert_eq!(buckets.take_or_wait('a', secs(104)), Err(secs(6)));
        assert_eq!(buckets.left('a', secs(111)), (1, secs(19)));
        assert_eq!(buckets.take_or_wait('a', secs(110)), Ok(()));
    }

    #[test]
    fn a_charge_counts_what_has_happened_and_looking_costs_nothing() {
        let mut buckets = Buckets::new(Rate { burst: 2, every: secs(10) }, 8);
        assert!((0..100).all(|_| buckets.has('a', secs(0))), "looking takes nothing");
        (0..2).for_each(|_| buckets.charge('a', secs(0)));
        assert!(!buckets.has('a', secs(0)));
        (0..100).for_each(|_| buckets.charge('a', secs(0)));
        assert!(!buckets.has('a', secs(29)) && buckets.has('a', secs(30)), "a debt is one bucket at most");
    }

    #[test]
    fn parts_of_a_rate_make_the_whole() {
        let rate = Rate { burst: 300, every: Duration::from_millis(200) };
        assert_eq!(rate.part(4), Rate { burst: 75, every: Duration::from_millis(800) });
        assert_eq!(Rate { burst: 1, every: secs(9) }.part(4), Rate { burst: 1, every: secs(9) });
    }

    #[test]
    fn memory_stays_bounded_and_the_pressing_key_stays_limited() {
        let mut buckets = Buckets::new(Rate { burst: 2, every: secs(1_000) }, 16);
        assert!(buckets.take(u32::MAX, secs(1)) && buckets.take(u32::MAX, secs(1)));
        for key in 0..10_000 {
            buckets.take(key, secs(2));
            assert!(buckets.len() <= 16);
        }
        assert!(!buckets.take(u32::MAX, secs(3)), "the one that had used up its bucket is not forgotten");
    }

    #[test]
    fn a_quiet_key_is_forgotten_first() {
        let mut buckets = Buckets::new(Rate { burst: 1, every: secs(10) }, 2);
        assert!(buckets.take(1, secs(0)) && buckets.take(2, secs(95)));
        assert!(buckets.take(3, secs(100)));
        assert!(!buckets.take(2, secs(100)), "2 was not full again and had to stay");
    }

    #[test]
    fn a_client_is_an_ipv4_address_or_an_ipv6_network() {
        let key = |text: &str| client_key(text.parse().expect("address"));
        assert_eq!(key("2a00:1:2:3::1"), key("2a00:1:2:3:ffff::9"));
        assert_ne!(key("2a00:1:2:3::1"), key("2a00:1:2:4::1"));
        assert_eq!(key("::ffff:192.0.2.1"), key("192.0.2.1"));
        assert_ne!(key("192.0.2.1"), key("192.0.2.2"));
    }
}
