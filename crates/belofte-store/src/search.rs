// SPDX-License-Identifier: EUPL-1.2
//! Search over sealed text: tokens find, unsealing verifies.

use std::collections::HashMap;
use std::sync::Mutex;

use belofte_model::{AuthorKind, ContactId, ConversationId, TenantId};
use belofte_vault::{Tokens, query_words, words};

use crate::engine::{params, sql};
use crate::filing::message_tokens;
use crate::lexicons::Said;
use crate::{Access, Conversation, Message, MessageContent, Param, Read, Store, StoreError, Tx};

/// Prepared tokens wait here between the commit of a message and its way into the index file.
/// What does not fit, or was lost in a crash, is made again from the message.
#[derive(Default)]
pub(crate) struct Waiting {
    prepared: Mutex<HashMap<(TenantId, i64), Prepared>>,
}

/// What indexing needs of a message.
struct Prepared {
    tokens: Tokens,
    said: Said,
}

/// So many prepared messages are held at most, some kilobytes each.
const PREPARED: usize = 2_000;
/// So many messages at most are scanned outside the index by a search; beyond this, filing waits
/// for the index.
pub const UNINDEXED_LIMIT: i64 = 500;
/// So many words that begin as the last one of a query does are looked for, the most used ones.
const BEGINNINGS: usize = 64;
/// So many messages are looked through at once for suggestions of contacts …
const SUGGESTED_OF: i64 = 64;
/// … so many times.
const SUGGESTING: usize = 4;
/// Messages per index transaction.
const BATCH: i64 = 500;

impl Waiting {
    fn put(&self, tenant: TenantId, no: i64, what: Prepared) {
        let mut prepared = self.prepared.lock().expect("no panic holds this lock");
        if prepared.len() < PREPARED {
            prepared.insert((tenant, no), what);
        }
    }

    fn take(&self, tenant: TenantId, no: i64) -> Option<Prepared> {
        self.prepared.lock().expect("no panic holds this lock").remove(&(tenant, no))
    }
}

struct NumbersAfter {
    after: i64,
    limit: i64,
}

impl Read for NumbersAfter {
    type Out = (Vec<i64>, i64);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let numbers = tx
            .query(
                sql!("SELECT no FROM message WHERE tenant_id = $1 AND no > $2 ORDER BY no LIMIT $3"),
                params![tenant, self.after, self.limit],
                |row| row.int(0),
            )
            .await?;
        let newest = tx
            .query_one(sql!("SELECT next_seq FROM tenant WHERE id = $1"), params![tenant], |row| row.int(0))
            .await?
            - 1;
        Ok((numbers, newest))
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

/// Messages that hold all of some tokens, newest first (PostgreSQL).
struct Holding {
    all: Vec<i32>,
    before: i64,
    limit: i64,
}

impl Read for Holding {
    type Out = Vec<i64>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT no FROM message_index WHERE tenant_id = $1 AND tok @> $2 AND no < $3 ORDER BY no DESC LIMIT $4"
            ),
            &[tenant.into(), Param::Ints(&self.all), self.before.into(), self.limit.into()],
            |row| row.int(0),
        )
        .await
    }
}

/// Messages that hold any of some tokens and all of others, newest first (PostgreSQL).
struct HoldingAny {
    any: Vec<i32>,
    all: Vec<i32>,
    before: i64,
    limit: i64,
}

impl Read for HoldingAny {
    type Out = Vec<i64>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT no FROM message_index WHERE tenant_id = $1 AND tok && $2 AND tok @> $3 AND no < $4 \
                 ORDER BY no DESC LIMIT $5"
            ),
            &[
                tenant.into(),
                Param::Ints(&self.any),
                Param::Ints(&self.all),
                self.before.into(),
                self.limit.into(),
            ],
            |row| row.int(0),
        )
        .await
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
    /// How many messages the index had not taken yet (they were looked through one by one).
    pub lag: i64,
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
        content: &MessageContent,
    ) {
        if !self.is_postgres() {
            let said = Said::of(contact, content);
            self.waiting().put(tenant, no, Prepared { tokens, said });
        }
    }

    /// Brings the index file of the tenant of `access` up to date; gives the number of messages
    /// added. On PostgreSQL the index is part of the content and there is nothing to do.
    ///
    /// # Errors
    /// The engine's errors. The index is unchanged then and goes on next time.
    pub async fn index(&self, access: &Access) -> Result<u64, StoreError> {
        if self.is_postgres() {
            return Ok(0);
        }
        let tenant = access.tenant();
        let mut added = 0;
        loop {
            let applied = self.on_index(move |index| index.applied(tenant)).await?;
            let lexicon = self.lexicon(access).await?;
            self.follow(access, &lexicon, Some(applied), false).await?;
            let (numbers, newest) = self.read(access, NumbersAfter { after: applied, limit: BATCH }).await?;
            if applied > newest {
                // Ahead of its content (a restored database): made anew.
                self.on_index(move |index| index.reset(tenant)).await?;
                self.lexicons().forget(tenant);
                continue;
            }
            if numbers.is_empty() {
                self.save_lexicon(access, &lexicon, false).await?;
                return Ok(added);
            }
            let full = numbers.len() as i64 == BATCH;
            let through = if full { *numbers.last().expect("not empty") } else { newest };
            let mut batch: Vec<(i64, String)> = Vec::with_capacity(numbers.len());
            let (mut missing, mut said) = (Vec::new(), Vec::with_capacity(numbers.len()));
            for no in &numbers {
                match self.waiting().take(tenant, *no) {
                    Some(prepared) => {
                        batch.push((*no, prepared.tokens.as_fts5()));
                        said.push((*no, prepared.said));
                    }
                    None => missing.push(*no),
                }
            }
            if !missing.is_empty() {
                let keys = self.keys(access).await?;
                let contacts = self.read(access, ContactsOf(missing.clone())).await?;
                for message in self.messages_by_number(access, missing).await? {
                    batch.push((message.no, message_tokens(&keys, &message.content).as_fts5()));
                    if let Some(contact) = contacts.get(&message.no) {
                        said.push((message.no, Said::of(*contact, &message.content)));
                    }
                }
                batch.sort_by_key(|(no, _)| *no);
                said.sort_by_key(|(no, _)| *no);
            }
            added += batch.len() as u64;
            self.on_index(move |index| index.apply(tenant, through, &batch)).await?;
            lexicon.learn(through, &said);
        }
    }

    pub(crate) async fn on_index<T: Send + 'static>(
        &self,
        act: impl FnOnce(&crate::Index) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, StoreError> {
        let store = self.clone();
        tokio::task::spawn_blocking(move || act(store.index_file())).await.map_err(|_| StoreError::Busy)?
    }

    /// Finds messages that hold every word of `query`; the last word may be the beginning of one.
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
        let tenant = access.tenant();
        let keys = self.keys(access).await?;
        let wanted = query_words(query);
        let Some((last, whole)) = wanted.split_last() else {
            return Ok(Hits { items: Vec::new(), next: None, lag: 0 });
        };
        let mut all: Vec<u64> = whole.iter().filter_map(|word| keys.search.query_word(word)).collect();
        // The last word: itself, words of the lexicon that begin with it, names and addresses that do.
        let mut any: Vec<u64> = keys.search.query_word(last).into_iter().collect();
        any.extend(keys.search.query_prefix_token(last));
        any.extend(keys.search.query_number(last));
        let known = self.suggest_words(access, last, BEGINNINGS).await?;
        any.extend(known.iter().filter_map(|word| keys.search.query_word(word)));
        all.dedup();
        any.sort_unstable();
        any.dedup();

        let mut items: Vec<Hit> = Vec::new();
        let mut cursor = before.unwrap_or(i64::MAX);
        let mut lag = 0;
        // The tail that the index has not taken yet.
        if !self.is_postgres() {
            let applied = self.on_index(move |index| index.applied(tenant)).await?;
            let (mut tail, _) =
                self.read(access, NumbersAfter { after: applied, limit: UNINDEXED_LIMIT * 2 }).await?;
            lag = tail.len() as i64;
            tail.retain(|no| *no < cursor);
            tail.reverse();
            let messages = self.messages_by_number(access, tail).await?;
            self.keep_matching(access, messages, whole, last, &mut items).await?;
            cursor = cursor.min(applied + 1);
        }
        let mut exhausted = false;
        while items.len() < limit as usize && !exhausted && !any.is_empty() {
            let page = i64::from(limit) + 8;
            let numbers = self.holding(access, &any, &all, cursor, page).await?;
            exhausted = (numbers.len() as i64) < page;
            if let Some(lowest) = numbers.last() {
                cursor = *lowest;
            }
            let messages = self.messages_by_number(access, numbers).await?;
            self.keep_matching(access, messages, whole, last, &mut items).await?;
        }
        let more = items.len() > limit as usize || !exhausted && !items.is_empty();
        items.truncate(limit as usize);
        let next = items.last().map(|hit| hit.message.no).filter(|_| more);
        Ok(Hits { items, next, lag })
    }

    /// The numbers of the messages whose tokens are any of `any` and all of `all`, newest first,
    /// below number `before`.
    async fn holding(
        &self,
        access: &Access,
        any: &[u64],
        all: &[u64],
        before: i64,
        limit: i64,
    ) -> Result<Vec<i64>, StoreError> {
        if self.is_postgres() {
            let int4 =
                |tokens: &[u64]| tokens.iter().map(|token| Tokens::int4_token(*token)).collect::<Vec<_>>();
            if any.len() == 1 {
                let all = [int4(all), int4(any)].concat();
                return self.read(access, Holding { all, before, limit }).await;
            }
            return self.read(access, HoldingAny { any: int4(any), all: int4(all), before, limit }).await;
        }
        let text = |tokens: &[u64]| tokens.iter().map(|token| Tokens::fts5_token(*token)).collect::<Vec<_>>();
        let mut expression = format!("({})", text(any).join(" OR "));
        for token in text(all) {
            expression = format!("{expression} AND {token}");
        }
        let (tenant, limit) = (access.tenant(), usize::try_from(limit).unwrap_or(usize::MAX));
        self.on_index(move |index| index.search(tenant, &expression, Some(before), limit)).await
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
        let keys = self.keys(access).await?;
        let mut found: Vec<SuggestedContact> = Vec::new();
        let Some(token) = keys.search.query_prefix_token(prefix) else { return Ok(found) };
        let (wanted, address) = (query_words(prefix), prefix.trim().to_lowercase());
        let mut before = i64::MAX;
        for _ in 0..SUGGESTING {
            let numbers = self.holding(access, &[token], &[], before, SUGGESTED_OF).await?;
            let full = numbers.len() as i64 == SUGGESTED_OF;
            before = numbers.last().copied().unwrap_or(0);
            for message in self.messages_by_number(access, numbers).await? {
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
            if found.len() >= limit || !full {
                break;
            }
        }
        found.truncate(limit);
        Ok(found)
    }

    /// Keeps the messages that really hold the words: a token is a hash, and hashes can meet.
    async fn keep_matching(
        &self,
        access: &Access,
        messages: Vec<Message>,
        whole: &[String],
        last: &str,
        items: &mut Vec<Hit>,
    ) -> Result<(), StoreError> {
        let matching: Vec<Message> =
            messages.into_iter().filter(|message| holds(message, whole, last)).collect();
        let mut ids: Vec<ConversationId> = matching.iter().map(|message| message.conversation).collect();
        ids.sort_unstable();
        ids.dedup();
        let conversations: HashMap<ConversationId, Conversation> = self
            .conversations_by_id(access, &ids)
            .await?
            .into_iter()
            .map(|conversation| (conversation.id, conversation))
            .collect();
        for message in matching {
            if let Some(conversation) = conversations.get(&message.conversation) {
                items.push(Hit { conversation: conversation.clone(), message });
            }
        }
        Ok(())
    }
}

/// Whether a message holds every word of `whole` and a word that begins with `last`.
fn holds(message: &Message, whole: &[String], last: &str) -> bool {
    let content = &message.content;
    let mut parts: Vec<&str> =
        vec![&content.text, &content.subject, &content.from.name, &content.from.address];
    for other in content.to.iter().chain(&content.cc) {
        parts.extend([other.name.as_str(), other.address.as_str()]);
    }
    let (mut found, mut begins) = (vec![false; whole.len()], false);
    for part in parts {
        for word in words(part) {
            begins |= word.starts_with(last);
            for (wanted, found) in whole.iter().zip(&mut found) {
                *found |= word == *wanted;
            }
        }
    }
    begins && found.into_iter().all(|found| found)
}
