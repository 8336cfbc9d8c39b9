// SPDX-License-Identifier: EUPL-1.2
//! What was answered, for as long as it holds. Bounded: strangers choose what is asked.

use std::collections::HashMap;
use std::time::Duration;

use tokio::time::Instant;

use super::{Answer, Entry, Kind};

/// So many names at most.
const NAMES: usize = 16_384;
/// So many octets of answers and names at most.
const OCTETS: usize = 16 * 1024 * 1024;
/// What a name costs beside its octets, about.
const OVERHEAD: usize = 128;

#[derive(Default)]
pub(super) struct Cache {
    known: HashMap<(String, Kind), Known>,
    octets: usize,
}

struct Known {
    answer: Answer,
    until: Instant,
    octets: usize,
}

impl Cache {
    /// What is known at `now`.
    pub(super) fn get(&self, name: &str, kind: Kind, now: Instant) -> Option<Answer> {
        let known = self.known.get(&(name.to_owned(), kind))?;
        (now < known.until).then(|| known.answer.clone())
    }

    /// Forgets what is known of a name.
    pub(super) fn forget(&mut self, name: &str, kind: Kind) {
        if let Some(known) = self.known.remove(&(name.to_owned(), kind)) {
            self.octets -= known.octets;
        }
    }

    /// Keeps `answer` from `now` on for so long.
    pub(super) fn put(&mut self, name: String, kind: Kind, answer: Answer, now: Instant, keep: Duration) {
        let entry = |entry: &Entry| match entry {
            Entry::Text(text) => text.len(),
            Entry::Name(name) => name.len(),
            Entry::Address(_) => 16,
        };
        let entries = match &answer {
            Answer::Entries(entries) => entries.iter().map(|one| entry(one) + 32).sum(),
            Answer::NoEntries | Answer::NoName | Answer::Failed => 0,
        };
        let (octets, until) = (OVERHEAD + name.len() + entries, now + keep);
        self.octets += octets;
        if let Some(before) = self.known.insert((name, kind), Known { answer, until, octets }) {
            self.octets -= before.octets;
        }
        if self.known.len() > NAMES || self.octets > OCTETS {
            self.shrink(now);
        }
    }

    /// Leaves out what holds no longer, and if that was little any half of the rest.
    fn shrink(&mut self, now: Instant) {
        let all = self.known.len();
        self.known.retain(|_, known| now < known.until);
        if self.known.len() > all / 2 {
            let mut odd = false;
            self.known.retain(|_, _| {
                odd = !odd;
                odd
            });
        }
        self.octets = self.known.values().map(|known| known.octets).sum();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::patience::moment;

    #[test]
    fn it_forgets_in_time_and_does_not_grow_beyond_its_bounds() {
        let (mut cache, now) = (Cache::default(), moment());
        cache.put("a.example".to_owned(), Kind::Text, Answer::NoName, now, Duration::from_secs(5));
        assert_eq!(cache.get("a.example", Kind::Text, now), Some(Answer::NoName));
        assert_eq!(cache.get("a.example", Kind::Address4, now), None);
        assert_eq!(cache.get("a.example", Kind::Text, now + Duration::from_secs(5)), None);
        cache.put("a.example".to_owned(), Kind::Text, Answer::NoName, now, Duration::from_secs(5));
        cache.forget("a.example", Kind::Text);
        assert_eq!((cache.get("a.example", Kind::Text, now), cache.octets), (None, 0));
        for no in 0..3 * NAMES {
            let keep = Duration::from_secs(60 + no as u64);
            cache.put(format!("{no}.example"), Kind::Text, Answer::NoEntries, now, keep);
            assert!(cache.known.len() <= NAMES);
        }
        let large: std::sync::Arc<[Entry]> = vec![Entry::Text(vec![b'x'; 60_000])].into();
        for no in 0..2 * OCTETS / 60_000 {
            let answer = Answer::Entries(std::sync::Arc::clone(&large));
            cache.put(format!("{no}.large.example"), Kind::Text, answer, now, Duration::from_secs(60));
            assert!(cache.octets <= OCTETS);
        }
    }
}
