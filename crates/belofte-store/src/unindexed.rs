// SPDX-License-Identifier: EUPL-1.2
//! Messages that were committed on this node and are not in its index yet: their tokens are at hand, so that
//! a search knows without opening them which of them hold its words, and the index takes them many at
//! a time.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use belofte_model::TenantId;
use belofte_vault::Tokens;

use crate::hits::Question;
use crate::lexicons::Said;

/// So many messages are held at most, some kilobytes each.
const HELD: usize = 3_000;
/// When so many messages of a tenant are not in the index, filing waits for it.
pub const UNINDEXED_LIMIT: i64 = 2_000;

/// What indexing needs of a message.
pub(crate) struct Prepared {
    pub(crate) tokens: Tokens,
    pub(crate) said: Said,
}

impl Prepared {
    /// Whether the message holds what is asked for; a word that begins as the last one of the question
    /// is looked for as it stands there, since the lexicon may not know it yet.
    fn holds(&self, question: &Question) -> bool {
        let has = |token: &u64| self.tokens.as_slice().binary_search(token).is_ok();
        let begins = || {
            let wanted = question.wanted.as_ref().filter(|wanted| wanted.begins);
            wanted.is_some_and(|wanted| self.said.words.begin_with(&wanted.last))
        };
        question.all.iter().all(has) && (question.any.iter().any(has) || begins())
    }
}

/// Of some messages, by number, whether they hold what a question asks for.
pub(crate) type Known = HashMap<i64, bool>;

/// The messages that wait for the index. What does not fit, or was lost in a crash, is read again from the
/// content.
#[derive(Default)]
pub(crate) struct Unindexed {
    of: Mutex<HashMap<TenantId, BTreeMap<i64, Arc<Prepared>>>>,
}

impl Unindexed {
    fn of(&self) -> MutexGuard<'_, HashMap<TenantId, BTreeMap<i64, Arc<Prepared>>>> {
        self.of.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn put(&self, tenant: TenantId, no: i64, prepared: Prepared) {
        let mut of = self.of();
        if of.values().map(BTreeMap::len).sum::<usize>() < HELD {
            of.entry(tenant).or_default().insert(no, Arc::new(prepared));
        }
    }

    pub(crate) fn get(&self, tenant: TenantId, no: i64) -> Option<Arc<Prepared>> {
        self.of().get(&tenant)?.get(&no).cloned()
    }

    /// Lets go of the messages up to number `through`: the index has them.
    pub(crate) fn done(&self, tenant: TenantId, through: i64) {
        let mut of = self.of();
        if let Some(prepared) = of.get_mut(&tenant) {
            *prepared = prepared.split_off(&(through + 1));
            if prepared.is_empty() {
                of.remove(&tenant);
            }
        }
    }

    /// Which of the messages of `tenant` that are held here hold what `question` asks for.
    pub(crate) fn known(&self, tenant: TenantId, question: &Question) -> Known {
        let held: Vec<(i64, Arc<Prepared>)> = match self.of().get(&tenant) {
            Some(prepared) => prepared.iter().map(|(no, prepared)| (*no, Arc::clone(prepared))).collect(),
            None => return Known::new(),
        };
        held.into_iter().map(|(no, prepared)| (no, prepared.holds(question))).collect()
    }
}
