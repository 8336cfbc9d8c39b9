// SPDX-License-Identifier: EUPL-1.2
//! Counts failed tries, so that passwords and invitations cannot be guessed, and nobody else is
//! kept out: each key (an account, an address) is counted for itself.

use std::collections::HashMap;
use std::hash::Hash;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use belofte_model::Timestamp;

/// Failed tries per key within a time. At most `capacity` keys are remembered; the one whose
/// count began first is forgotten for a new one.
#[derive(Debug)]
pub struct Tries<K> {
    most: u32,
    within: Duration,
    capacity: usize,
    counts: Mutex<HashMap<K, Count>>,
}

#[derive(Clone, Copy, Debug)]
struct Count {
    begun: Timestamp,
    failed: u32,
}

impl<K: Eq + Hash + Clone> Tries<K> {
    /// Allows `most` failures per key `within` a time.
    #[must_use]
    pub fn new(most: u32, within: Duration, capacity: usize) -> Self {
        Self { most, within, capacity: capacity.max(1), counts: Mutex::default() }
    }

    /// Takes one try of `key` at `now`, before it is known whether it succeeds, so that tries at
    /// the same moment count as well. [`forgive`](Self::forgive) gives it back.
    ///
    /// # Errors
    /// How long to wait when there were too many.
    pub fn take(&self, key: &K, now: Timestamp) -> Result<(), Duration> {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(key) {
            let age = now.since(count.begun);
            if age < self.within {
                if count.failed >= self.most {
                    return Err(self.within - age);
                }
                count.failed += 1;
                return Ok(());
            }
            counts.remove(key);
        }
        if counts.len() >= self.capacity {
            counts.retain(|_, count| now.since(count.begun) < self.within);
        }
        if counts.len() >= self.capacity
            && let Some(oldest) =
                counts.iter().min_by_key(|(_, count)| count.begun).map(|(key, _)| key.clone())
        {
            counts.remove(&oldest);
        }
        counts.insert(key.clone(), Count { begun: now, failed: 1 });
        Ok(())
    }

    /// The try of `key` succeeded: it does not count.
    pub fn forgive(&self, key: &K) {
        let mut counts = self.counts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = counts.get_mut(key) {
            count.failed = count.failed.saturating_sub(1);
            if count.failed == 0 {
                counts.remove(key);
            }
        }
    }

    /// How many keys are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner).len()
    }

    /// Whether no key is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

/// What counts as one address: an IPv6 customer has at least a /64, an IPv4 address written as
/// IPv6 is that IPv4 address.
#[must_use]
pub fn network_of(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            IpAddr::V6(Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const QUARTER: Duration = Duration::from_secs(900);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_000_000 + seconds)
    }

    #[test]
    fn too_many_failures_wait_and_others_do_not() {
        let tries = Tries::new(3, QUARTER, 10);
        for second in 0..3 {
            assert_eq!(tries.take(&"a", at(second)), Ok(()));
        }
        assert_eq!(tries.take(&"a", at(100)), Err(Duration::from_secs(800)));
        assert_eq!(tries.take(&"b", at(100)), Ok(()));
        assert_eq!(tries.take(&"a", at(900)), Ok(()));
    }

    #[test]
    fn a_success_does_not_count_and_does_not_wash_failures_away() {
        let tries = Tries::new(2, QUARTER, 10);
        for second in 0..20 {
            assert_eq!(tries.take(&"a", at(second)), Ok(()));
            tries.forgive(&"a");
        }
        assert!(tries.is_empty());
        assert_eq!(tries.take(&"a", at(30)), Ok(()));
        assert_eq!(tries.take(&"a", at(31)), Ok(()));
        assert!(tries.take(&"a", at(32)).is_err());
    }

    #[test]
    fn memory_is_bounded() {
        let tries = Tries::new(3, QUARTER, 100);
        for key in 0..10_000 {
            assert_eq!(tries.take(&key, at(0)), Ok(()));
        }
        assert_eq!(tries.len(), 100);
    }

    #[test]
    fn an_ipv6_customer_is_one_address() {
        let network = |text: &str| network_of(text.parse().expect("an address"));
        assert_eq!(network("2001:db8:1:2:3::4"), network("2001:db8:1:2:ffff::1"));
        assert_ne!(network("2001:db8:1:2::1"), network("2001:db8:1:3::1"));
        assert_eq!(network("::ffff:192.0.2.1"), network("192.0.2.1"));
    }
}
