// SPDX-License-Identifier: EUPL-1.2
//! The lexicon of each tenant: the words of its messages, for beginnings of words and for
//! suggestions.
//!
//! It lives in memory and is sealed beside the index, in the tenant's index file. `through` goes
//! with it, so that after a crash the messages since the last save are added again and none is
//! missed. Indexing feeds it.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard};

use belofte_model::{ContactId, Duration, KeyId, TenantId, Timestamp, Use};
use belofte_vault::{Lexicon, MessageWords, SealContext, Suggested};

use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::filing::message_tokens;
use crate::index::is_out_of_order;
use crate::{Access, Read, Store, StoreError, Tx};

/// So many tenants have their lexicon in memory, some megabytes each at most.
const OPEN: usize = 64;
/// It is saved after so many messages …
const SAVE_MESSAGES: u64 = 2_000;
/// … or when the last save is so old.
const SAVE_EVERY: Duration = Duration::from_secs(300);
/// Messages per read.
const BATCH: i64 = 500;
/// So many messages at most are added while somebody waits for an answer; the next question goes on.
const WHILE_ASKED: i64 = 4_000;
/// So many words are tried for one who does not see all messages.
const CANDIDATES: usize = 64;

/// The lexicons in memory.
#[derive(Default)]
pub(crate) struct Lexicons {
    open: Mutex<HashMap<TenantId, Arc<Open>>>,
}

/// The lexicon of one tenant.
pub(crate) struct Open {
    state: Mutex<State>,
    /// Held while messages are read for it, so that it is done once.
    following: tokio::sync::Mutex<()>,
}

struct State {
    lexicon: Lexicon,
    /// The number of the last message that is in it.
    through: i64,
    unsaved: u64,
    saved_at: Timestamp,
}

/// What was said in one message, for a lexicon.
pub(crate) struct Said {
    /// Whose conversation it was said in: a word counts once per contact.
    pub(crate) contact: ContactId,
    /// The words of its subject and of its text without the history that it quotes.
    pub(crate) words: MessageWords,
}

impl Open {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic holds this lock")
    }

    pub(crate) fn through(&self) -> i64 {
        self.state().through
    }

    /// Up to `limit` words that begin with `prefix`, the most used first.
    pub(crate) fn suggest(&self, prefix: &str, limit: usize) -> Vec<Suggested> {
        self.state().lexicon.suggest(prefix, limit)
    }

    /// Adds what follows the last message that is in it; the content was looked at up to `through`.
    pub(crate) fn learn<'a>(&self, through: i64, said: impl IntoIterator<Item = (i64, &'a Said)>) {
        let mut state = self.state();
        for (no, said) in said {
            if no > state.through {
                state.lexicon.add_message(&said.words, said.contact.uuid());
                state.unsaved += 1;
            }
        }
        state.through = state.through.max(through);
    }
}

impl Lexicons {
    fn get(&self, tenant: TenantId) -> Option<Arc<Open>> {
        self.open.lock().expect("no panic holds this lock").get(&tenant).cloned()
    }

    /// Keeps `lexicon` unless somebody else was first; gives the one that is kept, and one that
    /// had to make room.
    fn put(&self, tenant: TenantId, lexicon: Open) -> (Arc<Open>, Option<(TenantId, Arc<Open>)>) {
        let mut open = self.open.lock().expect("no panic holds this lock");
        if let Some(known) = open.get(&tenant) {
            return (Arc::clone(known), None);
        }
        let idle = open.iter().find(|(_, lexicon)| Arc::strong_count(lexicon) == 1).map(|(id, _)| *id);
        let gone = idle.filter(|_| open.len() >= OPEN).and_then(|id| open.remove_entry(&id));
        let lexicon = Arc::new(lexicon);
        open.insert(tenant, Arc::clone(&lexicon));
        (lexicon, gone)
    }

    /// Forgets the lexicon of `tenant`: it is made anew.
    pub(crate) fn forget(&self, tenant: TenantId) {
        self.open.lock().expect("no panic holds this lock").remove(&tenant);
    }
}

/// A lexicon as it is stored.
pub(crate) struct SealedLexicon {
    pub(crate) content: Vec<u8>,
    pub(crate) key: KeyId,
    pub(crate) through: i64,
}

/// The messages after a number with the contacts of their conversations, and the newest number.
struct After {
    after: i64,
    limit: i64,
}

impl Read for After {
    type Out = (HashMap<i64, ContactId>, i64);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let rows = tx
            .query(
                sql!(
                    "SELECT m.no, c.contact_id FROM message m JOIN conversation c \
                     ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id \
                     WHERE m.tenant_id = $1 AND m.no > $2 ORDER BY m.no LIMIT $3"
                ),
                params![tenant, self.after, self.limit],
                |row| Ok((row.int(0)?, row.id(1)?)),
            )
            .await?;
        let newest = tx
            .query_one(sql!("SELECT next_seq FROM tenant WHERE id = $1"), params![tenant], |row| row.int(0))
            .await?
            - 1;
        Ok((rows.into_iter().collect(), newest))
    }
}

impl Store {
    /// The lexicon of the tenant of `access`, as far as it was saved or fed on this node.
    pub(crate) async fn lexicon(&self, access: &Access) -> Result<Arc<Open>, StoreError> {
        let tenant = access.tenant();
        if let Some(open) = self.lexicons().get(tenant) {
            return Ok(open);
        }
        let keys = self.keys(access).await?;
        let stored = match self.saved_lexicon(access).await {
            Ok(stored) => stored,
            // Nobody knows what it holds: for the moment there are no words, and none are kept.
            Err(error) if is_out_of_order(&error) => {
                let (lexicon, saved_at) = (Lexicon::new(&keys.search), access.clock().now());
                let state = State { lexicon, through: 0, unsaved: 0, saved_at };
                return Ok(Arc::new(Open {
                    state: Mutex::new(state),
                    following: tokio::sync::Mutex::default(),
                }));
            }
            Err(error) => return Err(error),
        };
        let mut state = State {
            lexicon: Lexicon::new(&keys.search),
            through: 0,
            unsaved: 0,
            saved_at: access.clock().now(),
        };
        if let Some(stored) = stored {
            let opened = match self.key(tenant, stored.key).await {
                Ok(key) => Lexicon::open(&keys.search, &key, &place(tenant), &stored.content)
                    .map_err(StoreError::from),
                Err(error) => Err(error),
            };
            match opened {
                Ok(lexicon) => (state.lexicon, state.through) = (lexicon, stored.through),
                // It holds nothing that cannot be made again.
                Err(error @ (StoreError::Vault(_) | StoreError::KeyGone(_))) => {
                    tracing::warn!(%tenant, %error, "a lexicon is made anew");
                }
                Err(error) => return Err(error),
            }
        }
        let open = Open { state: Mutex::new(state), following: tokio::sync::Mutex::default() };
        let (open, gone) = self.lexicons().put(tenant, open);
        if let Some((tenant, gone)) = gone {
            self.save_lexicon(&self.system().upkeep(tenant), &gone, true).await?;
        }
        Ok(open)
    }

    /// The lexicon of the tenant of `access` as it was saved last.
    pub(crate) async fn saved_lexicon(&self, access: &Access) -> Result<Option<SealedLexicon>, StoreError> {
        let tenant = access.tenant();
        self.on_index(move |index| index.lexicon(tenant)).await
    }

    /// Reads the messages up to number `upto` for a lexicon that is behind them. While somebody
    /// waits (`asked`), only some of them, and not when that is being done already.
    pub(crate) async fn follow(
        &self,
        access: &Access,
        open: &Open,
        upto: i64,
        asked: bool,
    ) -> Result<(), StoreError> {
        // A lexicon is of all messages, whatever the one who asks can see.
        let access = &self.system().upkeep(access.tenant());
        let _turn = match open.following.try_lock() {
            Ok(turn) => turn,
            Err(_) if asked => return Ok(()),
            Err(_) => open.following.lock().await,
        };
        let mut read = false;
        let mut left = if asked { WHILE_ASKED } else { i64::MAX };
        while left > 0 && open.through() < upto {
            let after = open.through();
            let (mut contacts, newest) = self.read(access, After { after, limit: BATCH }).await?;
            if after > newest {
                // Ahead of its content (a restored database): made anew.
                let keys = self.keys(access).await?;
                let mut state = open.state();
                (state.lexicon, state.through) = (Lexicon::new(&keys.search), 0);
                continue;
            }
            let full = contacts.len() as i64 == BATCH;
            let last = contacts.keys().max().copied().filter(|_| full).unwrap_or(newest);
            let last = last.min(upto);
            contacts.retain(|no, _| *no <= last);
            let mut numbers: Vec<i64> = contacts.keys().copied().collect();
            numbers.sort_unstable();
            left -= numbers.len() as i64;
            let mut said = Vec::with_capacity(numbers.len());
            let keys = self.keys(access).await?;
            for message in self.messages_by_number(access, numbers).await? {
                if let Some(contact) = contacts.get(&message.no) {
                    let (_, words) = message_tokens(&keys, &message.content);
                    said.push((message.no, Said { contact: *contact, words }));
                }
            }
            open.learn(last, said.iter().map(|(no, said)| (*no, said)));
            read = true;
            if !full {
                break;
            }
        }
        if read { self.save_lexicon(access, open, false).await } else { Ok(()) }
    }

    /// Saves a lexicon when enough is new in it, or whenever something is (`now`).
    pub(crate) async fn save_lexicon(
        &self,
        access: &Access,
        open: &Open,
        now: bool,
    ) -> Result<(), StoreError> {
        let (tenant, at) = (access.tenant(), access.clock().now());
        let keys = self.keys(access).await?;
        let sealed = {
            let mut state = open.state();
            let old = at.since(state.saved_at) >= SAVE_EVERY;
            if state.unsaved == 0 || !(now || old || state.unsaved >= SAVE_MESSAGES) {
                return Ok(());
            }
            (state.unsaved, state.saved_at) = (0, at);
            SealedLexicon {
                content: state.lexicon.seal(&keys.search_data, self.random(), &place(tenant)),
                key: keys.search_data.id(),
                through: state.through,
            }
        };
        self.on_index(move |index| index.save_lexicon(tenant, &sealed)).await
    }

    /// Up to `limit` words that begin with `prefix`, the most used first. A word is known when
    /// three different contacts have used it, and told to who can see a message that holds it.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn suggest_words(
        &self,
        access: &Access,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<String>, StoreError> {
        access.to(Use::Look)?;
        let tenant = access.tenant();
        let open = self.lexicon(access).await?;
        match self.on_index(move |index| index.applied(tenant)).await {
            Ok(upto) => self.follow(access, &open, upto, true).await?,
            // What the lexicon knows already is told; the indexer mends the index.
            Err(error) if is_out_of_order(&error) => {}
            Err(error) => return Err(error),
        }
        if access.visible().sees_all_cases() {
            return Ok(open.suggest(prefix, limit).into_iter().map(|suggested| suggested.word).collect());
        }
        let mut words = Vec::new();
        for Suggested { word, .. } in open.suggest(prefix, CANDIDATES) {
            // White space after it: the whole word.
            if !self.search(access, &format!("{word} "), None, 1).await?.items.is_empty() {
                words.push(word);
                if words.len() == limit {
                    break;
                }
            }
        }
        Ok(words)
    }
}

/// What the seal of a lexicon is bound to.
const fn place(tenant: TenantId) -> SealContext {
    SealContext { tenant, column: columns::LEXICON_CONTENT, row: tenant.uuid() }
}
