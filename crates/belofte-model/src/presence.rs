// SPDX-License-Identifier: EUPL-1.2
//! Who is where at this moment, and who of them writes.

use serde::{Deserialize, Serialize};

use crate::{Timestamp, UserId};

/// What somebody does in a conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum PresenceState {
    /// It is open, and nobody sits before it.
    Away,
    /// It is read.
    Viewing,
    /// A reply is being written.
    Writing,
}

impl PresenceState {
    /// All states, the weakest first.
    pub const ALL: [Self; 3] = [Self::Away, Self::Viewing, Self::Writing];

    /// The stored and sent name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Away => "away",
            Self::Viewing => "viewing",
            Self::Writing => "writing",
        }
    }

    /// The state of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.as_str() == name)
    }
}

/// One browser of somebody, in one conversation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Present {
    /// Who.
    pub user: UserId,
    /// What they do.
    pub state: PresenceState,
    /// Since when they do it.
    pub since: Timestamp,
    /// When they took the reply over from somebody else.
    pub taken_at: Option<Timestamp>,
}

/// Whose reply it is among those who are there: of who took it over last, else of who began first. The
/// others wait.
#[must_use]
pub fn writer(there: &[Present]) -> Option<UserId> {
    let writing = || there.iter().filter(|one| one.state == PresenceState::Writing);
    let took = writing().filter(|one| one.taken_at.is_some()).max_by_key(|one| (one.taken_at, one.user));
    took.or_else(|| writing().min_by_key(|one| (one.since, one.user))).map(|one| one.user)
}

/// Each of those who are there once, with the most that one of their browsers does; in the order of ids.
#[must_use]
pub fn people(there: &[Present]) -> Vec<(UserId, PresenceState)> {
    let mut all: Vec<(UserId, PresenceState)> = Vec::new();
    for one in there {
        match all.iter_mut().find(|(user, _)| *user == one.user) {
            Some((_, state)) => *state = (*state).max(one.state),
            None => all.push((one.user, one.state)),
        }
    }
    all.sort_unstable_by_key(|(user, _)| *user);
    all
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn one(user: u128, state: PresenceState, since: i64, taken: Option<i64>) -> Present {
        Present {
            user: UserId(Uuid::from_u128(user)),
            state,
            since: Timestamp::from_secs(since),
            taken_at: taken.map(Timestamp::from_secs),
        }
    }

    #[test]
    fn the_reply_is_of_who_began_first_until_somebody_takes_it() {
        use PresenceState::{Away, Viewing, Writing};
        let who = |there: &[Present]| writer(there).map(|user| user.uuid().as_u128());
        assert_eq!(who(&[one(1, Viewing, 1, None), one(2, Away, 2, None)]), None);
        assert_eq!(who(&[one(1, Writing, 5, None), one(2, Writing, 4, None)]), Some(2));
        assert_eq!(who(&[one(1, Writing, 5, Some(6)), one(2, Writing, 4, None)]), Some(1));
        assert_eq!(who(&[one(1, Writing, 5, Some(6)), one(2, Writing, 4, Some(7))]), Some(2));
        // Who took it and stopped has it no more.
        assert_eq!(who(&[one(1, Viewing, 9, Some(6)), one(2, Writing, 4, None)]), Some(2));
    }

    #[test]
    fn two_browsers_of_somebody_are_one_person() {
        use PresenceState::{Away, Viewing, Writing};
        let there = [one(2, Away, 1, None), one(1, Viewing, 1, None), one(2, Writing, 1, None)];
        let told: Vec<_> =
            people(&there).into_iter().map(|(user, state)| (user.uuid().as_u128(), state)).collect();
        assert_eq!(told, [(1, Viewing), (2, Writing)]);
    }
}
