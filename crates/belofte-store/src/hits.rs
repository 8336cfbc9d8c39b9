// SPDX-License-Identifier: EUPL-1.2
//! From a question to an index to the messages that it names: found, fetched with their cases,
//! opened, and kept when they really hold the words.
//!
//! On the embedded engine all that is one visit to a reader; on the server one statement for the
//! rows and one for the keys that are not at hand.

use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use belofte_model::{KeyId, Visible};
use belofte_vault::{DataKey, Tokens, WordFinder, query_words};

use crate::contacts::SealedProfile;
use crate::conversations::{SealedConversation, sealed_conversation_at};
use crate::engine::{Hands, Sql, params, sql};
use crate::index::is_out_of_order;
use crate::keys::KeysById;
use crate::messages::{SealedMessage, sealed_message_at};
use crate::visibility::Mask;
use crate::{Access, Hit, Message, Param, Read, Row, Store, StoreError, TenantKeys, Tx};

/// The words of a question.
pub(crate) struct Wanted {
    /// The whole words.
    pub(crate) whole: Vec<String>,
    /// The last one.
    pub(crate) last: String,
    /// Whether the last one may be the beginning of a word: it is while nothing stands after it.
    pub(crate) begins: bool,
    finders: Vec<WordFinder>,
}

impl Wanted {
    /// `None` when there is no word in it.
    pub(crate) fn of(query: &str) -> Option<Self> {
        let mut whole = query_words(query);
        let last = whole.pop()?;
        let begins = !query.ends_with(char::is_whitespace);
        let mut finders = vec![if begins { WordFinder::beginning(&last) } else { WordFinder::whole(&last) }];
        finders.extend(whole.iter().map(|word| WordFinder::whole(word)));
        Some(Self { whole, last, begins, finders })
    }

    /// Whether a message really holds them: a token is a hash, and hashes can meet.
    fn are_in(&self, message: &Message) -> bool {
        let content = &message.content;
        let mut parts: Vec<&str> =
            vec![&content.text, &content.subject, &content.from.name, &content.from.address];
        for other in content.to.iter().chain(&content.cc) {
            parts.extend([other.name.as_str(), other.address.as_str()]);
        }
        self.finders.iter().all(|finder| finder.is_in_any(&parts))
    }
}

/// A page of what an index is asked.
pub(crate) struct Question {
    /// Messages with any of these tokens, at least one …
    pub(crate) any: Vec<u64>,
    /// … and all of these …
    pub(crate) all: Vec<u64>,
    /// … below this number, newest first …
    pub(crate) before: i64,
    /// … at most so many …
    pub(crate) limit: u32,
    /// … that hold these words, if that matters …
    pub(crate) wanted: Option<Arc<Wanted>>,
    /// … after those among the newest so many that the index has not taken yet …
    pub(crate) tail: u32,
    /// In which part of the messages they are expected, from 0 to 1, for an engine that can choose
    /// between its index and the newest messages one by one.
    pub(crate) density: Option<f64>,
    /// How many messages there are, about.
    pub(crate) messages: u64,
    /// … without the index: messages are looked through one by one.
    pub(crate) scan: bool,
}

impl Question {
    /// The tokens as an expression of FTS5.
    fn expression(&self) -> String {
        let mut text = String::with_capacity((self.any.len() + self.all.len()) * 12 + 4);
        for (at, token) in self.any.iter().enumerate() {
            text.push_str(if at == 0 { "(" } else { " OR " });
            text.push_str(&Tokens::fts5_token(*token));
        }
        text.push(')');
        for token in &self.all {
            text.push_str(" AND ");
            text.push_str(&Tokens::fts5_token(*token));
        }
        text
    }
}

/// What a question brought.
pub(crate) struct Page {
    /// Newest first; perhaps more than were asked for.
    pub(crate) hits: Vec<Hit>,
    /// The number below which the next page begins.
    pub(crate) cursor: i64,
    /// Whether nothing is left below.
    pub(crate) exhausted: bool,
    /// How far the index is: the number of the last message in it.
    pub(crate) applied: i64,
    /// How many messages it had not taken yet.
    pub(crate) lag: i64,
    /// Whether messages were looked through without the index.
    pub(crate) scanned: bool,
}

/// Rows that an index named.
#[derive(Default)]
struct Candidates {
    /// Newest first.
    rows: Vec<Candidate>,
    /// The lowest number that was looked at.
    lowest: Option<i64>,
    exhausted: bool,
    applied: i64,
    lag: i64,
    scanned: bool,
}

/// A message and its case, still sealed.
struct Candidate {
    message: SealedMessage,
    conversation: SealedConversation,
    /// What is known of its contact, which has the name.
    profile: Option<SealedProfile>,
}

/// The columns of a candidate.
macro_rules! columns {
    () => {
        "m.id, m.no, m.conversation_id, m.thread_id, m.channel_account_id, m.kind, m.author_kind, m.author_id, \
         m.content, m.key_id, m.source_blob_id, m.created_at, m.sent_at, c.id, c.no, c.status, c.contact_id, \
         c.queue_id, c.channel_account_id, c.assignee_id, c.summary, c.key_id, c.message_count, c.last_message_at, \
         c.last_message_kind, c.unread, c.delivery_problem, c.waiting_since, c.created_at, c.version, p.id, p.profile, p.key_id"
    };
}
/// So many of them are the message's.
const OF_MESSAGE: usize = 13;
/// … and so many its case's.
const OF_CONVERSATION: usize = 17;

impl Candidate {
    fn read(row: &Row<'_>, base: usize) -> Result<Self, StoreError> {
        let (of_case, of_contact) = (base + OF_MESSAGE, base + OF_MESSAGE + OF_CONVERSATION);
        let profile = match row.opt_id(of_contact)? {
            Some(id) => {
                Some(SealedProfile { id, profile: row.bytes(of_contact + 1)?, key: row.id(of_contact + 2)? })
            }
            None => None,
        };
        let (message, conversation) = (sealed_message_at(row, base)?, sealed_conversation_at(row, of_case)?);
        Ok(Self { message, conversation, profile })
    }

    fn is_visible(&self, visible: &Visible) -> bool {
        self.conversation.is_visible(visible) && visible.sees_message(self.message.message.account)
    }

    fn keys(&self) -> impl Iterator<Item = KeyId> {
        let of_contact = self.profile.as_ref().map(|profile| profile.key);
        [self.message.key, self.conversation.key].into_iter().chain(of_contact)
    }
}

/// Messages by number with their cases, and the newest that the index has not (embedded engine).
struct ByNumber {
    after: Option<i64>,
    tail: u32,
    numbers: Vec<i64>,
}

impl Read for ByNumber {
    /// The tail, newest first, and the others in the order of their numbers.
    type Out = (Vec<Candidate>, Vec<Candidate>);
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let mut tail = Vec::new();
        if let Some(after) = self.after {
            let text = sql!(concat!(
                "SELECT ",
                columns!(),
                " FROM message m JOIN conversation c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id \
                 LEFT JOIN contact p ON p.tenant_id = c.tenant_id AND p.id = c.contact_id \
                 WHERE m.tenant_id = $1 AND m.no > $2 ORDER BY m.no LIMIT $3"
            ));
            tail = tx.query(text, params![tenant, after, self.tail], |row| Candidate::read(row, 0)).await?;
            tail.reverse();
        }
        let text = sql!(concat!(
            "SELECT ",
            columns!(),
            " FROM message m JOIN conversation c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id \
                 LEFT JOIN contact p ON p.tenant_id = c.tenant_id AND p.id = c.contact_id \
             WHERE m.tenant_id = $1 AND m.no = $2"
        ));
        let sets = self.numbers.iter().map(|no| [tenant.into(), (*no).into()]).collect();
        let named = tx.query_each(text, sets, |row| Candidate::read(row, 0)).await?;
        Ok((tail, named))
    }
}

/// Messages with their cases, whatever they hold, newest first (embedded engine).
struct Newest {
    before: i64,
}

/// So many messages are looked through at once without the index.
const SCANNED: usize = 1_000;

impl Read for Newest {
    type Out = Vec<Candidate>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let text = sql!(concat!(
            "SELECT ",
            columns!(),
            " FROM message m JOIN conversation c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id \
             LEFT JOIN contact p ON p.tenant_id = c.tenant_id AND p.id = c.contact_id \
             WHERE m.tenant_id = $1 AND m.no < $2 ORDER BY m.no DESC LIMIT $3"
        ));
        tx.query(text, params![tenant, self.before, SCANNED as i64], |row| Candidate::read(row, 0)).await
    }
}

/// Numbers by the index. Behind the fence (OFFSET 0) nothing but the tokens is asked: else the planner
/// also reads all of the tenant's numbers. Tokens of another tenant differ.
macro_rules! by_index {
    ($holds:literal) => {
        concat!(
            "SELECT no FROM (SELECT tenant_id, no FROM message_index WHERE ",
            $holds,
            " OFFSET 0) i WHERE tenant_id = $1 AND no < $3"
        )
    };
}

/// Numbers among the newest messages.
macro_rules! newest {
    ($holds:literal, $count:literal) => {
        concat!(
            "SELECT no FROM (SELECT no, tok FROM message_index WHERE tenant_id = $1 AND no < $3 \
             ORDER BY no DESC LIMIT ",
            $count,
            ") i WHERE ",
            $holds
        )
    };
}

/// Messages with their cases, by a question for their numbers.
macro_rules! holding {
    ($($numbers:tt)*) => {
        concat!(
            "SELECT t.next_seq, f.no, ",
            columns!(),
            " FROM tenant t LEFT JOIN (",
            $($numbers)*,
            " ORDER BY no DESC LIMIT $4) f ON true LEFT JOIN message m ON m.tenant_id = $1 AND m.no = f.no \
             LEFT JOIN conversation c ON c.tenant_id = $1 AND c.id = m.conversation_id \
             LEFT JOIN contact p ON p.tenant_id = $1 AND p.id = c.contact_id \
             WHERE t.id = $1 ORDER BY f.no DESC"
        )
    };
}
/// The messages whose tokens are any of some and all of others, with their cases (PostgreSQL).
///
/// A word that every second message holds is found among the newest ones at once, while the index
/// would name half of all messages first. Which way is taken is decided here, by how often the words
/// occur: the server's planner does not know it of a prepared statement.
struct Holding {
    any: Vec<i32>,
    all: Vec<i32>,
    before: i64,
    limit: u32,
    /// So many messages are looked at from the newest on; without it the index is asked.
    newest: Option<i64>,
}

/// A message is looked at in place at this part of what it costs to fetch one that an index named.
const AT_HAND: f64 = 0.5;
/// So many messages are looked at one by one at most.
const NEWEST: f64 = 20_000.0;

impl Holding {
    fn of(question: &Question) -> Self {
        let int4 = |tokens: &[u64]| tokens.iter().map(|token| Tokens::int4_token(*token)).collect::<Vec<_>>();
        let (any, all) = (int4(&question.any), int4(&question.all));
        let newest = question.density.filter(|density| *density > 0.0).and_then(|density| {
            let needed = f64::from(question.limit) / density;
            let named = density * question.messages as f64;
            // Twice as many as are expected to be needed: words come in bunches.
            (needed * AT_HAND < named && needed < NEWEST).then_some((needed * 2.0) as i64 + 64)
        });
        Self { any, all, before: question.before, limit: question.limit, newest }
    }

    /// The statement, whose parameters are always the tenant, the tokens, the number and the limit.
    fn text(&self) -> &'static Sql {
        match (self.newest, self.any.len() == 1, self.all.is_empty()) {
            (None, true, _) => sql!(holding!(by_index!("tok @> $2"))),
            (None, false, true) => sql!(holding!(by_index!("tok && $2"))),
            (None, false, false) => sql!(holding!(by_index!("tok && $2 AND tok @> $5"))),
            (Some(_), true, _) => sql!(holding!(newest!("tok @> $2", "$5"))),
            (Some(_), false, true) => sql!(holding!(newest!("tok && $2", "$5"))),
            (Some(_), false, false) => sql!(holding!(newest!("tok && $2 AND tok @> $5", "$6"))),
        }
    }
}

impl Read for Holding {
    type Out = Candidates;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Candidates, StoreError> {
        let tenant = tx.tenant();
        let limit = i64::from(self.limit);
        let (mut newest, mut numbers) = (0, Vec::new());
        let read = |row: &Row<'_>| {
            newest = row.int(0)? - 1;
            let Some(no) = row.opt_int(1)? else { return Ok(None) };
            numbers.push(no);
            if row.opt_uuid(2)?.is_none() || row.opt_uuid(2 + OF_MESSAGE)?.is_none() {
                return Ok(None);
            }
            Candidate::read(row, 2).map(Some)
        };
        let mut params: Vec<Param<'_>> = vec![tenant.into()];
        let one = if let [one] = self.any[..] { [&self.all[..], &[one]].concat() } else { Vec::new() };
        params.push(Param::Ints(if one.is_empty() { &self.any } else { &one }));
        params.extend([Param::Int(self.before), Param::Int(limit)]);
        if one.is_empty() && !self.all.is_empty() {
            params.push(Param::Ints(&self.all));
        }
        params.extend(self.newest.map(Param::Int));
        let rows = tx.query(self.text(), &params, read).await?;
        Ok(Candidates {
            rows: rows.into_iter().flatten().collect(),
            lowest: numbers.last().copied().or(self.newest.map(|_| self.before)),
            exhausted: (numbers.len() as i64) < limit && self.newest.is_none(),
            applied: newest,
            lag: 0,
            scanned: false,
        })
    }
}

/// What a visit to a reader of the embedded engine brought.
enum Visited {
    /// All that was asked.
    Hits(Page),
    /// A rotation of keys goes on: the keys are fetched with patience.
    Sealed(Candidates),
}

impl Store {
    /// Answers a page of a question: what of it this access can see, opened and verified.
    ///
    /// # Errors
    /// The engine's errors.
    pub(crate) async fn page(
        &self,
        access: &Access,
        keys: &Arc<TenantKeys>,
        question: Question,
    ) -> Result<Page, StoreError> {
        let (tenant, wanted) = (access.tenant(), question.wanted.clone());
        let candidates = if self.is_postgres() {
            let mut candidates = self.read(access, Holding::of(&question)).await?;
            candidates.rows.retain(|candidate| candidate.is_visible(access.visible()));
            candidates
        } else {
            let (store, access, keys) = (self.clone(), access.clone(), Arc::clone(keys));
            let visited = self.visit(move |hands| store.ask(hands, &access, &keys, &question)).await?;
            match visited.expect("the embedded engine is visited") {
                Visited::Hits(page) => return Ok(page),
                Visited::Sealed(candidates) => candidates,
            }
        };
        let keys = self.keys_by_id(tenant, key_ids(&candidates)).await?;
        open(access, candidates, &keys, wanted.as_deref())
    }

    /// What the index names, and the tail that it has not taken yet; `None` when the index cannot be
    /// used, or is so far behind that the tail is not all of that.
    fn named(
        &self,
        access: &Access,
        hands: &mut Hands,
        question: &Question,
    ) -> Result<Option<Candidates>, StoreError> {
        let (tenant, limit) = (access.tenant(), question.limit as usize);
        // The index first: whatever it does not name is in the content that is read after it.
        let named = self.index_file().search(tenant, &question.expression(), Some(question.before), limit);
        let named = match named {
            Ok(named) => named,
            Err(error) if is_out_of_order(&error) => {
                tracing::debug!(%tenant, %error, "a search does without its index");
                return Ok(None);
            }
            Err(error) => return Err(error),
        };
        let rows = ByNumber {
            after: (question.tail > 0).then_some(named.applied),
            tail: question.tail,
            numbers: named.numbers,
        };
        let (tail, found) = hands.content(Some(tenant), &rows)?;
        if question.tail > 0 && tail.len() >= question.tail as usize {
            return Ok(None);
        }
        let mut candidates = Candidates {
            lag: tail.iter().filter(|candidate| candidate.is_visible(access.visible())).count() as i64,
            lowest: rows.numbers.last().copied(),
            exhausted: rows.numbers.len() < limit,
            applied: named.applied,
            scanned: false,
            rows: tail,
        };
        candidates.rows.retain(|candidate| candidate.message.message.no < question.before);
        candidates.rows.extend(found);
        Ok(Some(candidates))
    }

    /// A page of the embedded engine, in one visit.
    fn ask(
        &self,
        hands: &mut Hands,
        access: &Access,
        keys: &TenantKeys,
        question: &Question,
    ) -> Result<Visited, StoreError> {
        let named = if question.scan { None } else { self.named(access, hands, question)? };
        let mut candidates = match named {
            Some(candidates) => candidates,
            None => scanned(hands.content(Some(access.tenant()), &Newest { before: question.before })?),
        };
        let tenant = access.tenant();
        candidates.rows.retain(|candidate| candidate.is_visible(access.visible()));
        if candidates.scanned {
            candidates.lag = candidates.rows.len() as i64;
        }
        let now = self.clock().now();
        let (mut known, missing) = self.ring().get_all(tenant, key_ids(&candidates), now);
        if !missing.is_empty() {
            let rows = hands.keys(Some(tenant), &KeysById(missing.clone()))?;
            if !self.unwrap(keys, &missing, rows, now, &mut known)?.is_empty() {
                return Ok(Visited::Sealed(candidates));
            }
        }
        open(access, candidates, &known, question.wanted.as_deref()).map(Visited::Hits)
    }
}

/// Messages that were looked through, as if an index had named them.
fn scanned(rows: Vec<Candidate>) -> Candidates {
    Candidates {
        lag: 0,
        lowest: rows.last().map(|candidate| candidate.message.message.no),
        exhausted: rows.len() < SCANNED,
        applied: 0,
        scanned: true,
        rows,
    }
}

fn key_ids(candidates: &Candidates) -> HashSet<KeyId> {
    candidates.rows.iter().flat_map(Candidate::keys).collect()
}

/// Opens the candidates whose keys are there (the others were erased) and keeps those that hold
/// the words.
fn open(
    access: &Access,
    candidates: Candidates,
    keys: &HashMap<KeyId, DataKey>,
    wanted: Option<&Wanted>,
) -> Result<Page, StoreError> {
    let (tenant, mask) = (access.tenant(), Mask::of(access.visible()));
    let mut hits: Vec<Hit> = Vec::with_capacity(candidates.rows.len());
    for Candidate { message, conversation, profile } in candidates.rows {
        let Some(key) = keys.get(&message.key).filter(|_| keys.contains_key(&conversation.key)) else {
            continue;
        };
        let mut message = message.unseal(tenant, key)?;
        // Before the words are looked for: what is not seen is not found either.
        mask.message(&mut message);
        if wanted.is_none_or(|wanted| wanted.are_in(&message)) {
            let known = hits.iter().find(|hit| hit.conversation.id == conversation.conversation.id);
            let conversation = match known {
                Some(hit) => hit.conversation.clone(),
                None => conversation.unseal(tenant, keys, profile.as_ref(), Some(mask))?,
            };
            hits.push(Hit { message, conversation });
        }
    }
    Ok(Page {
        hits,
        cursor: candidates.lowest.unwrap_or(0),
        exhausted: candidates.exhausted,
        applied: candidates.applied,
        lag: candidates.lag,
        scanned: candidates.scanned,
    })
}
