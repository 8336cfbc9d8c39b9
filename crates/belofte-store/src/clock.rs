// SPDX-License-Identifier: EUPL-1.2
//! The clock that everything takes as an argument (invariant 7).

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

use belofte_model::{Duration, Timestamp};

/// So far ahead of time a clock may have been when something was written that ends by itself, and it still
/// counts. What ends later than its kind can by more than this was written by a clock that was wrong, and
/// would be good for as long as that clock was ahead.
pub(crate) const MOST_AHEAD: Duration = Duration::from_secs(24 * 3_600);

/// Where the time comes from. Closed: the machine, or a test that moves it.
#[derive(Clone, Debug)]
pub enum Clock {
    /// The machine's clock.
    System,
    /// A clock that stands still until it is moved; clones share it.
    Manual(Arc<AtomicI64>),
}

impl Clock {
    /// A clock that stands at `at` until [`Clock::advance`] moves it.
    #[must_use]
    pub fn manual(at: Timestamp) -> Self {
        Self::Manual(Arc::new(AtomicI64::new(at.as_micros())))
    }

    /// The present instant.
    #[must_use]
    pub fn now(&self) -> Timestamp {
        match self {
            // The one place that asks the machine for the time of day.
            #[expect(clippy::disallowed_methods, reason = "this is the injected clock itself")]
            Self::System => {
                let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                Timestamp::from_micros(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
            }
            Self::Manual(micros) => Timestamp::from_micros(micros.load(Ordering::SeqCst)),
        }
    }

    /// Moves a manual clock on by `span`; the machine's clock is not ours to move.
    pub fn advance(&self, span: Duration) {
        if let Self::Manual(micros) = self {
            micros.fetch_add(i64::try_from(span.as_micros()).unwrap_or(i64::MAX), Ordering::SeqCst);
        }
    }
}
