// SPDX-License-Identifier: EUPL-1.2
//! Search over sealed text: tokens find, unsealing verifies.

use std::collections::HashMap;
use std::sync::Arc;

use belofte_model::{AuthorKind, ContactId, MessageId, Subset, TenantId, Use};
use belofte_vault::{MessageWords, Tokens, query_words, words};

use crate::engine::{params, sql};
use crate::filing::message_tokens;
use crate::hits::{Question, Wanted};
use crate::index::{Entry, Standing};
use crate::lexicons::Said;
use crate::unindexed::{Prepared, UNINDEXED_LIMIT};
use crate::{Access, Conversation, Message, Read, Store, StoreError, TenantKeys, Tx};

/// So many words that begin as the last one of a query does are looked for, the most used ones.
const BEGINNINGS: usize = 64;
/// So many messages are looked through at once for suggestions of contacts …
const SUGGESTED_OF: u32 = 64;
/// … so many times.
const SUGGESTING: usize = 4;
/// A later page of a search is at most two to this power times as long as what is wanted.
const LONGER: u32 = 4;
/// Without the index a search looks through so many portions of messages, and tells where it stopped.
const SCANS: u32 = 5;
/// Messages per index transaction: one costs nearly as much for one of them as for a hundred …
const BATCH: i64 = UNINDEXED_LIMIT;
/// … of which so many at most are unsealed for it.
const UNSEALED: usize = 500;

/// The messages that an index has not, and whether it was made from this content.
struct Following {
    standing: Standing,
    limit: i64,
}

/// What an index is to follow.
struct Followed {
    /// Messages by number and id, in the order of their numbers.
    messages: Vec<(i64, MessageId)>,
    /// The number of the newest event.
    newest: i64,
    /// Whether the message that stands for the content is there.
    same: bool,
}

impl Read for Following {
    type Out = Followed;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let messages = tx
            .query(
                sql!("SELECT no, id FROM message WHERE tenant_id = $1 AND no > $2 ORDER BY no LIMIT $3"),
                params![tenant, self.standing.applied, self.limit],
                |row| Ok((row.int(0)?, row.id(1)?)),
            )
            .await?;
        let (anchor_no, anchor) = self.standing.anchor.unzip();
        let (next, found) = tx
            .query_one(
                sql!(
                    "SELECT next_seq, (SELECT id FROM message WHERE tenant_id = $1 AND no = $2) FROM tenant WHERE id = $1"
                ),
                params![tenant, anchor_no],
                |row| Ok((row.int(0)?, row.opt_id(1)?)),
            )
            .await?;
        Ok(Followed { messages, newest: next - 1, same: anchor.is_none() || anchor == found })
    }
}

/// The contacts of the conversations of messages, by the numbers of these.
struct ContactsOf(Vec<i64>);

impl Read for ContactsOf {
    type Out = HashMap<i64, ContactId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let mut found = HashMap::with_capacity(self.0.len());
        for no in &self.0 {
            let contact = tx
                .query_opt(
                    sql!(
                        "SELECT c.contact_id FROM message m JOIN conversation c \
                         ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id \
                         WHERE m.tenant_id = $1 AND m.no = $2"
                    ),
                    params![tenant, *no],
                    |row| row.id(0),
                )
                .await?;
            found.extend(contact.map(|contact| (*no, contact)));
        }
        Ok(found)
    }
}

/// A message that was found, with its case.
#[derive(Clone, Debug)]
pub struct Hit {
    /// The message.
    pub message: Message,
    /// Its case.
    pub conversation: Conversation,
}

/// A contact that may be meant.
#[derive(Clone)]
pub struct SuggestedContact {
    /// The contact.
    pub id: ContactId,
    /// The name of their last message that matches; may be empty.
    pub name: String,
    /// The address of that message.
    pub address: String,
}

impl std::fmt::Debug for SuggestedContact {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "SuggestedContact({})", self.id)
    }
}

/// What a search found.
#[derive(Debug)]
pub struct Hits {
    /// Newest first.
    pub items: Vec<Hit>,
    /// Give this to go on below the last one.
    pub next: Option<i64>,
    /// How many messages that can be seen were looked through one by one: they came by another node, and
    /// the index of this one had not taken them yet.
    pub lag: i64,
    /// Whether the index could not be used: messages were looked through one by one, newest first, and
    /// `next` goes on where that stopped.
    pub unindexed: bool,
}

impl Store {
    /// Hands prepared tokens, and the words of a message of a conversation with `contact`, to
    /// the indexer of this node.
    pub(crate) fn index_later(
        &self,
        tenant: TenantId,
        no: i64,
        tokens: Tokens,
        contact: ContactId,
        words: MessageWords,
    ) {
        self.unindexed().put(tenant, no, Prepared { tokens, said: Said { contact, words } });
    }

    /// Brings this node's index file of the tenant of `access` up to date; gives the number of messages
    /// added.
    ///
    /// # Errors
    /// The engine's errors. The index is unchanged then and goes on next time.
    pub async fn index(&self, access: &Access) -> Result<u64, StoreError> {
        access.to(Use::Maintain)?;
        let tenant = access.tenant();
        // An index is of all messages, whatever the one who asks can see.
        let access = &self.system().upkeep(tenant);
        let mut added = 0;
        loop {
            let standing = self.on_index(move |index| index.standing(tenant)).await?;
            let lexicon = self.lexicon(access).await?;
            self.follow(access, &lexicon, standing.applied, false).await?;
            let Followed { messages, newest, same } =
                self.read(access, Following { standing, limit: BATCH }).await?;
            if standing.applied > newest || !same {
                // Of another content (a restored database): made anew.
                self.on_index(move |index| index.reset(tenant)).await?;
                self.lexicons().forget(tenant);
                continue;
            }
            if messages.is_empty() {
                self.save_lexicon(access, &lexicon, false).await?;
                return Ok(added);
            }
            let mut batch: Vec<Entry> = Vec::with_capacity(messages.len());
            let (mut missing, mut prepared) = (Vec::new(), Vec::with_capacity(messages.len()));
            // Up to the newest one, unless there are more than this batch takes.
            let mut through = newest;
            if messages.len() as i64 == BATCH {
                through = messages.last().map_or(newest, |(no, _)| *no);
            }
            for (no, message) in messages {
                match self.unindexed().get(tenant, no) {
                    Some(one) => {
                        batch.push(Entry { no, message, tokens: one.tokens.as_fts5() });
                        prepared.push((no, one));
                    }
                    None if missing.len() < UNSEALED => missing.push(no),
                    None => {
                        through = no - 1;
                        break;
                    }
                }
            }
            if !missing.is_empty() {
                let keys = self.keys(access).await?;
                let contacts = self.read(access, ContactsOf(missing.clone())).await?;
                for message in self.messages_by_number(access, missing).await? {
                    let (tokens, words) = message_tokens(&keys, &message.content);
                    batch.push(Entry { no: message.no, message: message.id, tokens: tokens.as_fts5() });
                    if let Some(contact) = contacts.get(&message.no) {
                        let said = Said { contact: *contact, words };
                        prepared.push((message.no, Arc::new(Prepared { tokens, said })));
                    }
                }
                batch.sort_by_key(|entry| entry.no);
                prepared.sort_by_key(|(no, _)| *no);
            }
            added += batch.len() as u64;
            self.on_index(move |index| index.apply(tenant, through, &batch)).await?;
            lexicon.learn(through, prepared.iter().map(|(no, prepared)| (*no, &prepared.said)));
            self.unindexed().done(tenant, through);
            if through == newest {
                // What came meanwhile has woken the indexer, which lets more of it gather first.
                self.save_lexicon(access, &lexicon, false).await?;
                return Ok(added);
            }
        }
    }

    /// Merges a little of the index file of the tenant of `access`, for an hour in which nothing else is
    /// to do; gives whether there is more of it.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn merge_index(&self, access: &Access) -> Result<bool, StoreError> {
        access.to(Use::Maintain)?;
        let tenant = access.tenant();
        self.on_index(move |index| index.merge(tenant)).await
    }

    pub(crate) async fn on_index<T: Send + 'static>(
        &self,
        act: impl FnOnce(&crate::Index) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        let turn = move || {
            let index = store.index_file();
            index.counted(|| act(index))
        };
        tokio::task::spawn_blocking(turn).await.map_err(|_| StoreError::Busy)?
    }

    /// Finds messages that hold every word of `query`; the last word may be the beginning of one, unless
    /// white space follows it, as it does when somebody has typed it to its end.
    /// Newest first, below number `before`. Only what this access can see is found or counted.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn search(
        &self,
        access: &Access,
        query: &str,
        before: Option<i64>,
        limit: u32,
    ) -> Result<Hits, StoreError> {
        access.to(Use::Look)?;
        let nothing = Hits { items: Vec::new(), next: None, lag: 0, unindexed: false };
        let Some(wanted) = Wanted::of(query).map(Arc::new) else { return Ok(nothing) };
        let (keys, lexicon) = (self.keys(access).await?, self.lexicon(access).await?);
        let all: Vec<u64> = wanted.whole.iter().filter_map(|word| keys.search.query_word(word)).collect();
        let mut any = last_word(&keys, &lexicon, &wanted);
        let mut followed = false;
        let mut found = nothing;
        let (mut cursor, mut more, mut pages) = (before.unwrap_or(i64::MAX), true, 0);
        let (mut scans, mut applied) = (0, 0);
        while more && found.items.len() < limit as usize && !any.is_empty() && scans < SCANS {
            // One more than is wanted tells whether there are more; where few are what they seem,
            // each page is longer than the one before.
            let left = limit - found.items.len() as u32 + 1;
            let question = Question {
                any: any.clone(),
                all: all.clone(),
                before: cursor,
                limit: left << u32::min(pages, LONGER),
                wanted: Some(Arc::clone(&wanted)),
                // What the index has not taken yet is looked at until it is behind.
                tail: pages == 0 || cursor > applied,
                scan: found.unindexed,
            };
            let page = self.page(access, &keys, question).await?;
            applied = page.applied;
            found.unindexed |= page.scanned;
            scans += u32::from(page.scanned);
            if !followed && lexicon.through() < page.applied {
                followed = true;
                self.follow(access, &lexicon, page.applied, true).await?;
                let now = last_word(&keys, &lexicon, &wanted);
                if now != any {
                    any = now;
                    continue;
                }
            }
            if pages == 0 {
                found.lag = page.lag;
            }
            found.items.extend(page.hits);
            (cursor, more, pages) = (page.cursor, !page.exhausted, pages + 1);
        }
        let cut = found.items.len() > limit as usize;
        found.items.truncate(limit as usize);
        if access.visible().channels != Subset::All {
            let mut cases: Vec<_> = found.items.iter().map(|hit| hit.conversation.clone()).collect();
            self.without_hidden_messages(access, &mut cases).await?;
            for (hit, case) in found.items.iter_mut().zip(cases) {
                hit.conversation = case;
            }
        }
        found.next = if found.unindexed && !cut {
            more.then_some(cursor)
        } else {
            found.items.last().map(|hit| hit.message.no).filter(|_| cut || more)
        };
        Ok(found)
    }

    /// Up to `limit` contacts with a name or address of which a word begins with `prefix` (three
    /// characters at least), those first who wrote last. Who wrote longer ago than in the newest
    /// few hundred messages with such a name in them is not suggested, but found by a search.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn suggest_contacts(
        &self,
        access: &Access,
        prefix: &str,
        limit: usize,
    ) -> Result<Vec<SuggestedContact>, StoreError> {
        access.to(Use::Look)?;
        let keys = self.keys(access).await?;
        let mut found: Vec<SuggestedContact> = Vec::new();
        let Some(token) = keys.search.query_prefix_token(prefix) else { return Ok(found) };
        let (wanted, address) = (query_words(prefix), prefix.trim().to_lowercase());
        let (mut before, mut applied) = (i64::MAX, 0);
        for _ in 0..SUGGESTING {
            let question = Question {
                any: vec![token],
                all: Vec::new(),
                before,
                limit: SUGGESTED_OF,
                wanted: None,
                tail: before > applied,
                scan: false,
            };
            let page = self.page(access, &keys, question).await?;
            (before, applied) = (page.cursor, page.applied);
            for Hit { message, .. } in page.hits {
                let (from, contact) = (message.content.from, ContactId(message.author));
                let known = found.iter().any(|known| known.id == contact);
                if known || message.author_kind != AuthorKind::Contact {
                    continue;
                }
                let begins = |text: &str| {
                    wanted.iter().all(|wanted| words(text).any(|word| word.starts_with(wanted.as_str())))
                };
                let of_name = !wanted.is_empty() && (begins(&from.name) || begins(&from.address));
                if of_name || from.address.to_lowercase().starts_with(&address) {
                    found.push(SuggestedContact { id: contact, name: from.name, address: from.address });
                }
            }
            if found.len() >= limit || page.exhausted {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }
}

/// The tokens of the last word: its own, and while it may be the beginning of one, those of words of
/// the lexicon that begin with it, and of names and addresses that do.
fn last_word(keys: &TenantKeys, lexicon: &crate::lexicons::Open, wanted: &Wanted) -> Vec<u64> {
    let last = wanted.last.as_str();
    let mut any: Vec<u64> = keys.search.query_word(last).into_iter().collect();
    any.extend(keys.search.query_number(last));
    if wanted.begins {
        any.extend(keys.search.query_prefix_token(last));
        any.extend(lexicon.suggest(last, BEGINNINGS).iter().map(|word| word.token));
    }
    any
}
