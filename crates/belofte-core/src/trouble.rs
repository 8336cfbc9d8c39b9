// SPDX-License-Identifier: EUPL-1.2
//! Trouble that lasts is told when it begins, when it becomes another, now and then, and when it is over.

use belofte_model::{Duration, Timestamp};

/// Trouble that lasts is told again after this long.
const AGAIN: Duration = Duration::from_secs(600);

/// What stands in the way of work that is tried again and again.
#[derive(Debug, Default)]
pub struct Trouble {
    told: Option<(String, Timestamp)>,
}

impl Trouble {
    /// The work failed with `what` at `now`: whether that is to be told.
    pub fn met(&mut self, what: &dyn std::error::Error, now: Timestamp) -> bool {
        let what = what.to_string();
        if let Some((known, at)) = &self.told
            && *known == what
            && now.since(*at) < AGAIN
        {
            return false;
        }
        self.told = Some((what, now));
        true
    }

    /// The work was done: whether it is to be told that there is no trouble any more.
    pub fn over(&mut self) -> bool {
        self.told.take().is_some()
    }
}

#[cfg(test)]
mod tests {
    use belofte_store::StoreError;

    use super::*;

    #[test]
    fn what_lasts_is_told_once_and_that_it_is_over_once() {
        let (mut trouble, mut now) = (Trouble::default(), Timestamp::from_secs(1_000));
        assert!(!trouble.over());
        let mut told = 0;
        for _ in 0..6_000 {
            told += u32::from(trouble.met(&StoreError::Full, now));
            now = now + Duration::from_millis(100);
        }
        assert_eq!(told, 1, "ten minutes of it");
        assert!(trouble.met(&StoreError::Full, now), "it still lasts");
        assert!(trouble.met(&StoreError::Busy, now), "it is another");
        assert!(trouble.over() && !trouble.over());
        assert!(trouble.met(&StoreError::Busy, now));
    }
}
