// SPDX-License-Identifier: EUPL-1.2
//! Who has the next of the worker's places: a bound for each tenant, and turns.
//!
//! *The bound:* a tenant takes another place only while more are free than it holds. One alone comes to half of them, the
//! next to half of what is left. Whatever the order, `k` tenants that never give one back leave `places / 2^k` free:
//! of the one that took last is known that it holds at most one more than are still free, and without it the others
//! would have found more free, not fewer.
//!
//! *The turns:* who waits stands in a line, whoever comes stands at its end, and so does who was served. Nobody is
//! overtaken by more than a turn of each of those that stood before it.

use std::collections::{BTreeMap, BTreeSet};

use crate::TenantId;

/// Places that one tenant takes at most before another has its turn.
pub const TURN: u32 = 4;

/// A tenant that waits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Waiting {
    /// Who.
    pub tenant: TenantId,
    /// The places that it holds already.
    pub holds: u32,
}

/// Whose turn it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Turn {
    /// Who.
    pub tenant: TenantId,
    /// How many places it may take now, at least one.
    pub most: u32,
}

/// How many more places a tenant may take that holds `holds` while `free` are free: each of them while more are free
/// than it holds.
#[must_use]
pub const fn may_take(free: u32, holds: u32) -> u32 {
    free.saturating_sub(holds).div_ceil(2)
}

/// Whose turn it is while `free` places are free: of those that wait, in the order of `line`, the first that may take
/// one. `None` when nobody may.
pub fn whose_turn(free: u32, line: impl IntoIterator<Item = Waiting>) -> Option<Turn> {
    line.into_iter().find_map(|Waiting { tenant, holds }| {
        let most = may_take(free, holds).min(TURN);
        (most > 0).then_some(Turn { tenant, most })
    })
}

/// Somebody in the line.
#[derive(Clone, Copy, Debug)]
struct Stands {
    tenant: TenantId,
    /// Had its turn since the line was last looked at.
    asked: bool,
}

/// The places of one process for one class of work: who holds them, and who stands in line for them.
#[derive(Clone, Debug)]
pub struct Places {
    free: u32,
    /// Those that hold some, and how many.
    held: BTreeMap<TenantId, u32>,
    line: Vec<Stands>,
}

impl Places {
    /// So many places, all of them free.
    #[must_use]
    pub const fn new(places: u32) -> Self {
        Self { free: places, held: BTreeMap::new(), line: Vec::new() }
    }

    /// The places that nobody holds.
    #[must_use]
    pub const fn free(&self) -> u32 {
        self.free
    }

    /// The places that `tenant` holds.
    #[must_use]
    pub fn held_by(&self, tenant: TenantId) -> u32 {
        self.held.get(&tenant).copied().unwrap_or_default()
    }

    /// Begins a round: these wait now, and each has one turn at most until the next round. Who waited before keeps its
    /// place in the line, others come to its end as they are named, and who does not wait any more has left.
    pub fn line_up(&mut self, waiting: impl IntoIterator<Item = TenantId>) {
        let waiting: Vec<TenantId> = waiting.into_iter().collect();
        let still: BTreeSet<TenantId> = waiting.iter().copied().collect();
        self.line.retain(|stands| still.contains(&stands.tenant));
        let mut known: BTreeSet<TenantId> = self.line.iter().map(|stands| stands.tenant).collect();
        self.line.iter_mut().for_each(|stands| stands.asked = false);
        for tenant in waiting {
            if known.insert(tenant) {
                self.line.push(Stands { tenant, asked: false });
            }
        }
    }

    /// Whose turn it is; `None` when nobody may take a place in this round.
    pub fn next_turn(&mut self) -> Option<Turn> {
        let stands = self.line.iter().filter(|stands| !stands.asked);
        let waiting =
            stands.map(|stands| Waiting { tenant: stands.tenant, holds: self.held_by(stands.tenant) });
        let turn = whose_turn(self.free, waiting)?;
        // Who finds nothing, since another node was there first, keeps its place in the line.
        self.line.iter_mut().filter(|stands| stands.tenant == turn.tenant).for_each(|one| one.asked = true);
        Some(turn)
    }

    /// `tenant` takes a place, one of those that its turn allows, and stands at the end of the line.
    pub fn take(&mut self, tenant: TenantId) {
        self.free = self.free.saturating_sub(1);
        *self.held.entry(tenant).or_default() += 1;
        self.pass(tenant);
    }

    /// `tenant` stands at the end of the line, without a place.
    pub fn pass(&mut self, tenant: TenantId) {
        if let Some(at) = self.line.iter().position(|stands| stands.tenant == tenant) {
            self.line[at..].rotate_left(1);
        }
    }

    /// `tenant` gives a place back.
    pub fn give_back(&mut self, tenant: TenantId) {
        let Some(held) = self.held.get_mut(&tenant) else { return };
        *held -= 1;
        if *held == 0 {
            self.held.remove(&tenant);
        }
        self.free += 1;
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;

    const PLACES: u32 = 32;

    fn tenant(number: u8) -> TenantId {
        TenantId(Uuid::from_u128(u128::from(number)))
    }

    /// A round in which whoever has a turn finds as many jobs as it may take; gives the turns.
    fn round(places: &mut Places, waiting: &[u8]) -> Vec<Turn> {
        places.line_up(waiting.iter().copied().map(tenant));
        let mut turns = Vec::new();
        while let Some(turn) = places.next_turn() {
            (0..turn.most).for_each(|_| places.take(turn.tenant));
            turns.push(turn);
        }
        turns
    }

    fn until_nobody_may(places: &mut Places, waiting: &[u8]) {
        while !round(places, waiting).is_empty() {}
    }

    fn who(turns: &[Turn]) -> Vec<TenantId> {
        turns.iter().map(|turn| turn.tenant).collect()
    }

    #[test]
    fn one_alone_comes_to_half_and_the_next_to_half_of_what_is_left() {
        let mut places = Places::new(PLACES);
        for (number, holds) in [(1, 16), (2, 8), (3, 4), (4, 2), (5, 1), (6, 1), (7, 0)] {
            let all: Vec<u8> = (1..=number).collect();
            until_nobody_may(&mut places, &all);
            assert_eq!(places.held_by(tenant(number)), holds, "tenant {number}");
        }
        assert_eq!(places.free(), 0);
        // The next place that is given back goes to the one that has none.
        places.give_back(tenant(1));
        assert_eq!(round(&mut places, &[1, 2, 3, 7]), [Turn { tenant: tenant(7), most: 1 }]);
    }

    #[test]
    fn whoever_was_served_last_comes_last() {
        let mut places = Places::new(12);
        assert_eq!(who(&round(&mut places, &[1, 2, 3])), [1, 2, 3].map(tenant));
        for number in [1, 2, 3] {
            (0..places.held_by(tenant(number))).for_each(|_| places.give_back(tenant(number)));
        }
        assert_eq!(who(&round(&mut places, &[3, 1])), [1, 3].map(tenant), "2 has left");
        (0..4).for_each(|_| places.give_back(tenant(1)));
        // Who comes back stands at the end, and 0 does not come first for its name.
        assert_eq!(who(&round(&mut places, &[0, 1, 2])), [1, 0, 2].map(tenant));
    }

    #[test]
    fn who_finds_nothing_keeps_its_place_in_the_line() {
        let mut places = Places::new(PLACES);
        places.line_up([tenant(1), tenant(2)]);
        assert_eq!(places.next_turn().map(|turn| turn.tenant), Some(tenant(1)));
        assert_eq!(places.next_turn().map(|turn| turn.tenant), Some(tenant(2)));
        assert_eq!(places.next_turn(), None, "each was asked once");
        places.take(tenant(2));
        places.line_up([tenant(1), tenant(2)]);
        assert_eq!(places.next_turn().map(|turn| turn.tenant), Some(tenant(1)));
    }

    /// What happens between two rounds: who waits, how many jobs each finds, and who of those that hold a place ends.
    fn steps() -> impl Strategy<Value = Vec<(u8, u32, Vec<u8>)>> {
        let step = (any::<u8>(), 0..6_u32, prop::collection::vec(any::<u8>(), 0..20));
        prop::collection::vec(step, 1..60)
    }

    proptest! {
        #[test]
        fn places_add_up_bounds_hold_and_none_stays_empty(count in 1..40_u32, steps in steps()) {
            let mut places = Places::new(count);
            for (mask, jobs, ends) in steps {
                let waiting: Vec<u8> = (0..8).filter(|bit| mask & (1 << bit) != 0).collect();
                places.line_up(waiting.iter().copied().map(tenant));
                let mut asked = BTreeSet::new();
                while let Some(turn) = places.next_turn() {
                    prop_assert!(asked.insert(turn.tenant), "a second turn in one round");
                    prop_assert!(turn.most >= 1 && turn.most <= TURN);
                    for _ in 0..turn.most.min(jobs) {
                        prop_assert!(places.free() > places.held_by(turn.tenant));
                        places.take(turn.tenant);
                    }
                    prop_assert!(places.held_by(turn.tenant) <= count.div_ceil(2));
                }
                // At the end of a round nobody who waits may take a place and was not asked.
                for number in &waiting {
                    let may = may_take(places.free(), places.held_by(tenant(*number)));
                    prop_assert!(may == 0 || asked.contains(&tenant(*number)));
                }
                let held: u32 = (0..8).map(|number| places.held_by(tenant(number))).sum();
                prop_assert_eq!(held + places.free(), count);
                for end in ends {
                    places.give_back(tenant(end % 8));
                }
            }
        }

        #[test]
        fn tenants_that_give_nothing_back_leave_places_to_others(
            count in 1..200_u32, takes in prop::collection::vec((0..6_u8, 1..5_u32), 0..400), hogs in 1..6_u8,
        ) {
            let mut places = Places::new(count);
            for (number, jobs) in takes {
                places.line_up([tenant(number % hogs)]);
                if let Some(turn) = places.next_turn() {
                    (0..turn.most.min(jobs)).for_each(|_| places.take(turn.tenant));
                }
            }
            prop_assert!(places.free() >= count >> hogs, "{} of {count} for {hogs}", places.free());
        }

        #[test]
        fn nobody_is_overtaken_by_more_than_a_turn_of_each_that_came_before(
            count in 1..40_u32, before in steps(), after in steps(),
        ) {
            let mut places = Places::new(count);
            let step = |places: &mut Places, waiting: &[u8], jobs: u32, ends: &[u8]| {
                places.line_up(waiting.iter().copied().map(tenant));
                let mut given = Vec::new();
                while let Some(turn) = places.next_turn() {
                    // Whoever is watched has work whenever it is asked.
                    let jobs = if turn.tenant == tenant(99) { 1 } else { jobs };
                    for _ in 0..turn.most.min(jobs) {
                        places.take(turn.tenant);
                        given.push(turn.tenant);
                    }
                }
                ends.iter().for_each(|end| places.give_back(tenant(end % 8)));
                given
            };
            let members = |mask: u8| (0..8_u8).filter(|bit| mask & (1 << bit) != 0).collect::<Vec<_>>();
            for (mask, jobs, ends) in before {
                step(&mut places, &members(mask), jobs, &ends);
            }
            // One that holds nothing comes, behind seven others at most; it counts what others are given until its turn.
            let mut others: BTreeMap<TenantId, u32> = BTreeMap::new();
            for (mask, jobs, ends) in after {
                let mut waiting = members(mask);
                waiting.push(99);
                let free = places.free();
                let given = step(&mut places, &waiting, jobs, &ends);
                let served = given.iter().position(|one| *one == tenant(99));
                for one in &given[..served.unwrap_or(given.len())] {
                    *others.entry(*one).or_default() += 1;
                }
                if served.is_some() {
                    break;
                }
                // It was passed over only because those before it took every place that was free.
                prop_assert_eq!(given.len(), usize::try_from(free).expect("few"));
            }
            prop_assert!(others.values().all(|taken| *taken <= TURN), "{others:?}");
        }
    }
}
