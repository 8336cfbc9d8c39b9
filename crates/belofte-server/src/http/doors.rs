// SPDX-License-Identifier: EUPL-1.2
//! Who is connected: so many at once, and so many of one address, so that nobody takes all places.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::OwnedSemaphorePermit;

use super::Proxies;
use super::tries::network_of;

/// Counts connections by address. An IPv6 client is its /64.
#[derive(Debug)]
pub struct Doors {
    most: usize,
    proxies: Proxies,
    counts: Mutex<HashMap<IpAddr, usize>>,
}

/// A connection that counts; given back when dropped.
#[derive(Debug)]
pub struct Place {
    doors: Arc<Doors>,
    network: IpAddr,
    _among_all: OwnedSemaphorePermit,
}

/// The place of the connection that a request came over, among the request's extensions. Whoever
/// goes on with the connection after the request, as the live stream does, keeps it.
#[derive(Clone, Debug)]
pub struct Held(pub Arc<Place>);

impl Doors {
    /// At most `most` connections of one address, unless it is one of `proxies`.
    #[must_use]
    pub fn new(most: usize, proxies: Proxies) -> Arc<Self> {
        Arc::new(Self { most, proxies, counts: Mutex::default() })
    }

    fn counts(&self) -> MutexGuard<'_, HashMap<IpAddr, usize>> {
        self.counts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for a connection of `address`, which has one of all places already; `None` when this
    /// address has as many as it may.
    #[must_use]
    pub fn enter(self: &Arc<Self>, address: IpAddr, among_all: OwnedSemaphorePermit) -> Option<Place> {
        let network = network_of(address);
        let mut counts = self.counts();
        let count = counts.entry(network).or_insert(0);
        if *count >= self.most && !self.proxies.trusts(address) {
            return None;
        }
        *count += 1;
        drop(counts);
        Some(Place { doors: Arc::clone(self), network, _among_all: among_all })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut counts = self.doors.counts();
        if let Some(count) = counts.get_mut(&self.network) {
            *count -= 1;
            if *count == 0 {
                counts.remove(&self.network);
            }
        }
    }
}
