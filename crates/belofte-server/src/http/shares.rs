// SPDX-License-Identifier: EUPL-1.2
//! What each signed-in caller and each tenant may ask in a time, so that nobody takes all of the
//! server: neither a user who is carried away, nor a program that went wrong, nor a stolen session.

use std::fmt::Write as _;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use belofte_channels::rate::{Buckets, Rate};
use belofte_model::Timestamp;
use uuid::Uuid;

/// How an endpoint weighs on the server. Closed: each kind is counted for itself, and all are
/// requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Load {
    /// Nothing but a request.
    Request,
    /// A search, which unseals what it finds.
    Search,
    /// A file that comes in.
    Upload,
    /// Everything of something.
    Export,
}

impl Load {
    /// The name in `RateLimit` headers.
    const fn name(self) -> &'static str {
        match self {
            Self::Request => "requests",
            Self::Search => "searches",
            Self::Upload => "uploads",
            Self::Export => "exports",
        }
    }

    /// The time over which it is counted.
    const fn window(self) -> Duration {
        match self {
            Self::Request | Self::Search | Self::Upload => Duration::from_secs(60),
            Self::Export => Duration::from_secs(3_600),
        }
    }
}

/// How many within the window of a [`Load`]; 0 sets no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Bound {
    /// Of one user, key or operator user.
    pub caller: u32,
    /// Of one tenant.
    pub tenant: u32,
}

/// The [`Bound`] of each [`Load`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ShareBounds {
    /// All requests, within a minute.
    pub requests: Bound,
    /// Searches, within a minute.
    pub searches: Bound,
    /// Uploads, within a minute.
    pub uploads: Bound,
    /// Exports, within an hour.
    pub exports: Bound,
}

/// So many callers and so many tenants are remembered.
const REMEMBERED: usize = 65_536;

/// Counts what callers ask, in memory that is bounded.
#[derive(Debug)]
pub struct Shares {
    requests: Counted,
    searches: Counted,
    uploads: Counted,
    exports: Counted,
}

#[derive(Debug)]
struct Counted {
    load: Load,
    most: u32,
    callers: Option<Mutex<Buckets<Uuid>>>,
    tenants: Option<Mutex<Buckets<Uuid>>>,
}

/// What a caller may ask and what is left of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What.
    pub load: Load,
    /// How much within the window.
    pub most: u32,
    /// How much is left of it.
    pub left: u32,
    /// After how long all of it is there again.
    pub full_in: Duration,
}

impl Counted {
    fn new(load: Load, bound: Bound) -> Self {
        let buckets = |most: u32| {
            (most > 0).then(|| Mutex::new(Buckets::new(Rate::within(most, load.window()), REMEMBERED)))
        };
        Self { load, most: bound.caller, callers: buckets(bound.caller), tenants: buckets(bound.tenant) }
    }

    fn take(
        &self,
        caller: Uuid,
        tenant: Option<Uuid>,
        now: Duration,
    ) -> (Option<Standing>, Result<(), Duration>) {
        let (mut standing, mut taken) = (None, Ok(()));
        if let Some(callers) = &self.callers {
            let mut callers = callers.lock().unwrap_or_else(PoisonError::into_inner);
            taken = callers.take_or_wait(caller, now);
            let (left, full_in) = callers.left(caller, now);
            standing = Some(Standing { load: self.load, most: self.most, left, full_in });
        }
        // Who is over their own share takes nothing of their tenant's.
        if let (Some(tenants), Some(tenant), Ok(())) = (&self.tenants, tenant, taken) {
            taken = tenants.lock().unwrap_or_else(PoisonError::into_inner).take_or_wait(tenant, now);
        }
        (standing, taken)
    }
}

impl Shares {
    /// Counts by `bounds`.
    #[must_use]
    pub fn new(bounds: ShareBounds) -> Self {
        Self {
            requests: Counted::new(Load::Request, bounds.requests),
            searches: Counted::new(Load::Search, bounds.searches),
            uploads: Counted::new(Load::Upload, bounds.uploads),
            exports: Counted::new(Load::Export, bounds.exports),
        }
    }

    /// Counts a request of `load` by `caller` of `tenant`. Gives how the caller stands, and whether it
    /// may be carried out: the error is how long to wait.
    pub fn take(
        &self,
        load: Load,
        caller: Uuid,
        tenant: Option<Uuid>,
        now: Timestamp,
    ) -> (Vec<Standing>, Result<(), Duration>) {
        let now = Duration::from_micros(u64::try_from(now.as_micros()).unwrap_or_default());
        let own = match load {
            Load::Request => None,
            Load::Search => Some(&self.searches),
            Load::Upload => Some(&self.uploads),
            Load::Export => Some(&self.exports),
        };
        let mut standings = Vec::new();
        for counted in std::iter::once(&self.requests).chain(own) {
            let (standing, taken) = counted.take(caller, tenant, now);
            standings.extend(standing);
            if taken.is_err() {
                return (standings, taken);
            }
        }
        (standings, Ok(()))
    }
}

/// The values of the headers `RateLimit-Policy` and `RateLimit` (IETF draft
/// `draft-ietf-httpapi-ratelimit-headers`), which are lists of structured fields (RFC 9651).
#[must_use]
pub fn header_values(standings: &[Standing]) -> [String; 2] {
    let (mut policy, mut now) = (String::new(), String::new());
    for (at, standing) in standings.iter().enumerate() {
        let Standing { load, most, left, full_in } = standing;
        let comma = if at == 0 { "" } else { ", " };
        let (name, window) = (load.name(), load.window().as_secs());
        let reset = full_in.as_secs() + u64::from(full_in.subsec_nanos() > 0);
        // Writing to a text does not fail.
        let _ = write!(policy, "{comma}\"{name}\";q={most};w={window}");
        let _ = write!(now, "{comma}\"{name}\";r={left};t={reset}");
    }
    [policy, now]
}

#[cfg(test)]
mod tests {
    use super::*;

    const ANNA: Uuid = Uuid::from_u128(1);
    const BRAM: Uuid = Uuid::from_u128(2);
    const SHOP: Uuid = Uuid::from_u128(11);
    const MILL: Uuid = Uuid::from_u128(12);

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_secs(1_800_000_000 + seconds)
    }

    fn shares() -> Shares {
        let bound = |caller, tenant| Bound { caller, tenant };
        Shares::new(ShareBounds {
            requests: bound(100, 0),
            searches: bound(3, 5),
            uploads: Bound::default(),
            exports: bound(1, 0),
        })
    }

    #[test]
    fn who_asks_too_much_waits_and_others_do_not() {
        let shares = shares();
        let search = |who, tenant, second| shares.take(Load::Search, who, Some(tenant), at(second)).1;
        assert!((0..3).all(|_| search(ANNA, SHOP, 0).is_ok()));
        assert_eq!(search(ANNA, SHOP, 0), Err(Duration::from_secs(20)));
        assert!((0..2).all(|_| search(BRAM, SHOP, 0).is_ok()), "the tenant has two left");
        assert_eq!(search(BRAM, SHOP, 0), Err(Duration::from_secs(12)), "and no more");
        assert!((0..3).all(|_| search(Uuid::from_u128(3), MILL, 0).is_ok()), "another tenant has its own");
        assert!(search(ANNA, SHOP, 20).is_ok());
        let plain = shares.take(Load::Request, ANNA, Some(SHOP), at(0)).1;
        assert_eq!(plain, Ok(()), "what is no search goes on");
    }

    #[test]
    fn all_are_requests_and_zero_sets_no_bound() {
        let shares = shares();
        let upload = || shares.take(Load::Upload, ANNA, Some(SHOP), at(0));
        assert!((0..100).all(|_| upload().1.is_ok()));
        let (standings, refused) = upload();
        assert!(refused.is_err());
        assert_eq!(standings.len(), 1, "only what is bounded is told: {standings:?}");
    }

    #[test]
    fn the_headers_are_those_of_the_draft() {
        let (standings, taken) = shares().take(Load::Export, ANNA, None, at(0));
        assert_eq!(taken, Ok(()));
        assert_eq!(
            header_values(&standings),
            [
                "\"requests\";q=100;w=60, \"exports\";q=1;w=3600",
                "\"requests\";r=99;t=1, \"exports\";r=0;t=3600"
            ]
        );
    }
}
