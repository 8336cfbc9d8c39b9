// SPDX-License-Identifier: EUPL-1.2
//! From a question to an index to the messages that it names: found, fetched with their cases,
//! opened, and kept when they really hold the words.
//!
//! On the embedded engine all that is one visit to a reader; with the server the index file of this
//! node is asked, then one statement for the rows, and one for the keys that are not at hand.

use std::cmp::Reverse;
use std::collections::HashSet;
use std::sync::{Arc, OnceLock};

use belofte_model::{KeyId, TagId, TenantId, Visible};
use belofte_vault::{DataKey, Tokens, WordFinder, query_words};
use uuid::Uuid;

use crate::contacts::SealedProfile;
use crate::conversations::{SealedConversation, sealed_conversation_at};
use crate::engine::{Hands, params, sql};
use crate::index::{Named, is_out_of_order};
use crate::keys::{ByKeyId, KeyIds, KeysById};
use crate::messages::{SealedMessage, sealed_message_at};
use crate::unindexed::{Known, UNINDEXED_LIMIT};
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
    /// … with those that the index has not taken yet …
    pub(crate) tail: bool,
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

    /// The candidates among the rows that were read; `None` when the index is too far behind.
    fn candidates(&self, named: &Named, found: Found, visible: &Visible) -> Option<Candidates> {
        if found.behind {
            return None;
        }
        let is_new = |candidate: &&Candidate| found.unknown.contains(&candidate.message.message.no);
        let lag = found.tail.iter().filter(is_new).filter(|candidate| candidate.is_visible(visible)).count();
        let (mut rows, mut lowest) = (found.tail, named.numbers.last().copied());
        if found.cut {
            lowest = rows.last().map(|candidate| candidate.message.message.no);
        } else {
            rows.extend(found.named);
        }
        rows.retain(|candidate| candidate.is_visible(visible));
        Some(Candidates {
            rows,
            lowest,
            cut: found.cut,
            exhausted: !found.cut && named.numbers.len() < self.limit as usize,
            applied: named.applied,
            lag: lag as i64,
            scanned: false,
        })
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
    /// How many messages were looked through that it had not taken yet.
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
    /// Whether the tail was more than the page holds: nothing that the index named is in it.
    cut: bool,
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
    /// The tags of the case.
    tags: Vec<TagId>,
}

/// The columns of a candidate but for the tags of its case.
macro_rules! columns {
    () => {
        "m.id, m.no, m.conversation_id, m.thread_id, m.channel_account_id, m.kind, m.author_kind, m.author_id, \
         m.content, m.key_id, m.source_blob_id, m.created_at, m.sent_at, c.id, c.no, c.status, c.contact_id, \
         c.queue_id, c.channel_account_id, c.assignee_id, c.summary, c.key_id, c.message_count, c.last_message_at, \
         c.last_message_kind, c.unread, c.delivery_problem, c.waiting_since, c.created_at, c.version, \
         c.placed_at, c.snoozed_until, c.woken_at, p.id, p.profile, p.key_id"
    };
}
/// The tags of the case in the words of each engine, as identifiers with spaces between them: they come
/// along with the rows, since a question of their own would be another journey to the server.
macro_rules! tags {
    (postgres) => {
        ", (SELECT string_agg(t.tag_id::text, ' ') FROM conversation_tag t \
            WHERE t.tenant_id = c.tenant_id AND t.conversation_id = c.id)"
    };
    (sqlite) => {
        ", (SELECT group_concat(hex(t.tag_id), ' ') FROM conversation_tag t \
            WHERE t.tenant_id = c.tenant_id AND t.conversation_id = c.id)"
    };
}
/// So many of them are the message's.
const OF_MESSAGE: usize = 13;
/// … so many its case's …
const OF_CONVERSATION: usize = 20;
/// … and so many its contact's.
const OF_CONTACT: usize = 3;

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
        let tags = row.opt_text(of_contact + OF_CONTACT)?.map_or_else(Vec::new, |text| tag_ids(&text));
        Ok(Self { message, conversation, profile, tags })
    }

    fn is_visible(&self, visible: &Visible) -> bool {
        self.conversation.is_visible(visible) && visible.sees_message(self.message.message.account)
    }

    fn keys(&self) -> impl Iterator<Item = KeyId> {
        let of_contact = self.profile.as_ref().map(|profile| profile.key);
        [self.message.key, self.conversation.key].into_iter().chain(of_contact)
    }
}

fn tag_ids(text: &str) -> Vec<TagId> {
    text.split(' ').filter_map(|id| Uuid::try_parse(id).ok()).map(TagId).collect()
}

/// So many messages are looked through at most that the index has not and whose tokens are not at hand:
/// another node took them in.
const UNKNOWN: usize = 1_000;
/// So many messages that the index has not are looked at.
const TAIL: i64 = UNINDEXED_LIMIT + 2 * UNKNOWN as i64;

/// Whether a tenant puts tags on cases at all, asked once for all parts of a question (SQLite).
type Tagged = Arc<OnceLock<bool>>;

/// Messages by number with their cases, and those that the index has not.
struct ByNumber {
    numbers: Vec<i64>,
    tail: Option<Tail>,
    tagged: Tagged,
}

/// Which messages are wanted that the index has not.
#[derive(Clone)]
struct Tail {
    /// The last one that it has.
    after: i64,
    before: i64,
    limit: u32,
    known: Known,
}

/// Messages with their cases.
#[derive(Default)]
struct Found {
    /// Those that were asked for by number, newest first.
    named: Vec<Candidate>,
    /// Those that the index has not and that may hold what is asked for, newest first.
    tail: Vec<Candidate>,
    /// Of these, the ones of which that is not known.
    unknown: HashSet<i64>,
    /// Whether there are more of them, older ones.
    cut: bool,
    /// Whether the index is so far behind that the tail is not all of it.
    behind: bool,
}

/// The messages of a list of numbers with their cases, in the words of the embedded engine, which has no arrays.
/// CROSS JOIN is its word for "in this order" (https://sqlite.org/lang_select.html#crossjoin).
macro_rules! by_number {
    () => {
        " FROM json_each($2) n CROSS JOIN message m ON m.tenant_id = $1 AND m.no = n.value \
          CROSS JOIN conversation c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id \
          LEFT JOIN contact p ON p.tenant_id = c.tenant_id AND p.id = c.contact_id"
    };
}

/// The cases of messages and their contacts.
macro_rules! with_cases {
    () => {
        " JOIN conversation c ON c.tenant_id = m.tenant_id AND c.id = m.conversation_id \
          LEFT JOIN contact p ON p.tenant_id = c.tenant_id AND p.id = c.contact_id "
    };
}

impl Tail {
    /// Adds the messages that the index has not, unless they are known not to hold what is asked for.
    async fn read(&self, tx: &mut Tx<'_>, found: &mut Found, tagged: &Tagged) -> Result<(), StoreError> {
        let text = sql!(
            "SELECT no FROM message WHERE tenant_id = $1 AND no > $2 AND no < $3 ORDER BY no DESC LIMIT $4"
        );
        let wanted = params![tx.tenant(), self.after, self.before, TAIL];
        let mut numbers = tx.query(text, wanted, |row| row.int(0)).await?;
        found.behind = numbers.len() as i64 == TAIL;
        numbers.retain(|no| self.known.get(no) != Some(&false));
        found.unknown = numbers.iter().copied().filter(|no| !self.known.contains_key(no)).collect();
        found.behind |= found.unknown.len() > UNKNOWN;
        // Those that are known are what they seem; more of them than are wanted wait for the next page.
        let most = self.limit as usize + found.unknown.len();
        found.cut = numbers.len() > most;
        numbers.truncate(most);
        if !found.behind {
            found.tail = by_number(tx, &numbers, tagged).await?;
        }
        Ok(())
    }
}

/// Messages by number with their cases, newest first.
async fn by_number(tx: &mut Tx<'_>, numbers: &[i64], tagged: &Tagged) -> Result<Vec<Candidate>, StoreError> {
    let tenant = tx.tenant();
    if tx.is_postgres() {
        let text = sql!(concat!(
            "SELECT ",
            columns!(),
            tags!(postgres),
            " FROM message m",
            with_cases!(),
            "WHERE m.tenant_id = $1 AND m.no = ANY($2) ORDER BY m.no DESC"
        ));
        let params = [tenant.into(), Param::Ints(numbers)];
        return tx.query(text, &params, |row| Candidate::read(row, 0)).await;
    }
    // Whoever puts no tags on cases does not pay for them here.
    let with_tags = match tagged.get() {
        Some(known) => *known,
        None => {
            let text = sql!("SELECT 1 FROM conversation_tag WHERE tenant_id = $1 LIMIT 1");
            let found = tx.query_opt(text, params![tenant], |row| row.int(0)).await?.is_some();
            *tagged.get_or_init(|| found)
        }
    };
    let text = if with_tags {
        sql!(concat!("SELECT ", columns!(), tags!(sqlite), by_number!()))
    } else {
        sql!(concat!("SELECT ", columns!(), ", NULL", by_number!()))
    };
    let list = serde_json::json!(numbers).to_string();
    let mut rows = tx.query(text, params![tenant, &*list], |row| Candidate::read(row, 0)).await?;
    // They come in the order of the list, which is this one; that is SQLite's habit and not its promise.
    rows.sort_by_key(|candidate| Reverse(candidate.message.message.no));
    Ok(rows)
}

impl Read for ByNumber {
    type Out = Found;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Found, StoreError> {
        let tenant = tx.tenant();
        let mut found = Found::default();
        if !tx.is_postgres() {
            if let Some(tail) = &self.tail {
                tail.read(tx, &mut found, &self.tagged).await?;
            }
            found.named = by_number(tx, &self.numbers, &self.tagged).await?;
            return Ok(found);
        }
        // All in one journey to the server, but for a tail that there is.
        let text = sql!(concat!(
            "SELECT n.newest, ",
            columns!(),
            tags!(postgres),
            " FROM (SELECT max(no) AS newest FROM message WHERE tenant_id = $1) n LEFT JOIN (message m",
            with_cases!(),
            ") ON m.tenant_id = $1 AND m.no = ANY($2) ORDER BY m.no DESC"
        ));
        let mut newest = 0;
        let named = tx
            .query(text, &[tenant.into(), Param::Ints(&self.numbers)], |row| {
                newest = row.opt_int(0)?.unwrap_or(0);
                row.opt_uuid(1)?.map(|_| Candidate::read(row, 1)).transpose()
            })
            .await?;
        found.named = named.into_iter().flatten().collect();
        if let Some(tail) = self.tail.as_ref().filter(|tail| newest > tail.after) {
            tail.read(tx, &mut found, &self.tagged).await?;
        }
        Ok(found)
    }
}

/// Messages with their cases, whatever they hold, newest first.
struct Newest {
    before: i64,
}

/// So many messages are looked through at once without the index.
const SCANNED: usize = 1_000;

impl Read for Newest {
    type Out = Vec<Candidate>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let text = if tx.is_postgres() {
            sql!(concat!(
                "SELECT ",
                columns!(),
                tags!(postgres),
                " FROM message m",
                with_cases!(),
                "WHERE m.tenant_id = $1 AND m.no < $2 ORDER BY m.no DESC LIMIT $3"
            ))
        } else {
            sql!(concat!(
                "SELECT ",
                columns!(),
                tags!(sqlite),
                " FROM message m",
                with_cases!(),
                "WHERE m.tenant_id = $1 AND m.no < $2 ORDER BY m.no DESC LIMIT $3"
            ))
        };
        tx.query(text, params![tenant, self.before, SCANNED as i64], |row| Candidate::read(row, 0)).await
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
            self.asked(access, question).await?
        } else {
            let asking = Asking {
                store: self.clone(),
                access: access.clone(),
                keys: Arc::clone(keys),
                question: Arc::new(question),
            };
            let visited = self.visit(move |hands| asking.ask(hands)).await?;
            match visited.expect("the embedded engine is visited") {
                Visited::Hits(page) => return Ok(page),
                Visited::Sealed(candidates) => candidates,
            }
        };
        let keys = self.keys_by_id(tenant, key_ids(&candidates.rows)).await?;
        open(access, candidates, &keys, wanted.as_deref())
    }

    /// What the index names for a question, and the rows to be read for it; `None` when it cannot be used.
    fn named(&self, tenant: TenantId, question: &Question) -> Result<Option<(Named, ByNumber)>, StoreError> {
        if question.scan {
            return Ok(None);
        }
        // First what is at hand, then the index, then the content: what leaves the one is in the other.
        let known = if question.tail { self.unindexed().known(tenant, question) } else { Known::new() };
        let limit = question.limit as usize;
        match self.index_file().search(tenant, &question.expression(), Some(question.before), limit) {
            Ok(named) => {
                let (after, before, limit) = (named.applied, question.before, question.limit);
                let tail = question.tail.then_some(Tail { after, before, limit, known });
                let rows = ByNumber { numbers: named.numbers.clone(), tail, tagged: Tagged::default() };
                Ok(Some((named, rows)))
            }
            Err(error) if is_out_of_order(&error) => {
                tracing::debug!(%tenant, %error, "a search does without its index");
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// The candidates of a page on the server engine: the index of this node names them, the server
    /// has them.
    async fn asked(&self, access: &Access, question: Question) -> Result<Candidates, StoreError> {
        let (tenant, question) = (access.tenant(), Arc::new(question));
        let (store, asked) = (self.clone(), Arc::clone(&question));
        let named = tokio::task::spawn_blocking(move || store.named(tenant, &asked));
        if let Some((named, rows)) = named.await.map_err(|_| StoreError::Busy)?? {
            let found = self.read(access, rows).await?;
            if let Some(candidates) = question.candidates(&named, found, access.visible()) {
                return Ok(candidates);
            }
        }
        Ok(scanned(self.read(access, Newest { before: question.before }).await?, access.visible()))
    }
}

/// From so many messages on that the index named, another reader helps …
const HELPED: usize = 16;
/// … and each takes so many of them at a time, fewer towards the end: who is done first waits for little.
const PARTS: std::ops::RangeInclusive<usize> = 2..=9;

/// What is taken at a time, of so many: a quarter of what is left, within bounds.
fn parts_of(all: usize) -> Vec<std::ops::Range<usize>> {
    let (mut parts, mut from) = (Vec::new(), 0);
    while from < all {
        let size = (all - from).div_ceil(4).clamp(*PARTS.start(), *PARTS.end()).min(all - from);
        parts.push(from..from + size);
        from += size;
    }
    parts
}

/// A question on its visit to the readers of the embedded engine.
#[derive(Clone)]
struct Asking {
    store: Store,
    access: Access,
    keys: Arc<TenantKeys>,
    question: Arc<Question>,
}

/// What a part of a visit brought.
enum Brought {
    /// The page without the messages of the other parts; whether these belong to it.
    Page(Page, bool),
    /// Messages that the index named.
    Hits(Vec<Hit>),
    /// It cannot be done in parts.
    Nothing,
}

impl Asking {
    /// A page, in one visit.
    fn ask(&self, hands: &mut Hands) -> Result<Visited, StoreError> {
        let (tenant, question) = (self.access.tenant(), &*self.question);
        let mut candidates = None;
        if let Some((named, rows)) = self.store.named(tenant, question)? {
            let named = Arc::new(named);
            if named.numbers.len() >= HELPED
                && let Some(page) = self.ask_in_parts(hands, &named, rows.tail.as_ref())?
            {
                return Ok(Visited::Hits(page));
            }
            let found = hands.content(Some(tenant), &rows)?;
            candidates = question.candidates(&named, found, self.access.visible());
        }
        let candidates = match candidates {
            Some(candidates) => candidates,
            None => {
                let rows = hands.content(Some(tenant), &Newest { before: question.before })?;
                scanned(rows, self.access.visible())
            }
        };
        match self.keys_of(hands, &candidates.rows)? {
            Some(keys) => {
                open(&self.access, candidates, &keys, question.wanted.as_deref()).map(Visited::Hits)
            }
            None => Ok(Visited::Sealed(candidates)),
        }
    }

    /// A page of which another reader brings some of what the index named; most of the time of a search is
    /// reading and opening its hits. `None` when there is more to it (a rotation of keys goes on, the
    /// index is behind).
    fn ask_in_parts(
        &self,
        hands: &mut Hands,
        named: &Arc<Named>,
        tail: Option<&Tail>,
    ) -> Result<Option<Page>, StoreError> {
        let parts = parts_of(named.numbers.len());
        let count = parts.len();
        let (asking, named, tail, tagged) =
            (self.clone(), Arc::clone(named), tail.cloned(), Tagged::default());
        let act = Arc::new(move |hands: &mut Hands, part| {
            let numbers =
                parts.get(part).and_then(|part: &std::ops::Range<usize>| named.numbers.get(part.clone()));
            let numbers = numbers.unwrap_or_default();
            if part == 0 {
                asking.newest(hands, &named, numbers, tail.clone(), &tagged)
            } else {
                asking.older(hands, numbers, &tagged)
            }
        });
        let mut brought = hands.share(count, &act)?.into_iter();
        let Some(Brought::Page(mut page, whole)) = brought.next() else { return Ok(None) };
        for part in brought {
            let Brought::Hits(hits) = part else { return Ok(None) };
            if whole {
                page.hits.extend(hits);
            }
        }
        Ok(Some(page))
    }

    fn newest(
        &self,
        hands: &mut Hands,
        named: &Named,
        numbers: &[i64],
        tail: Option<Tail>,
        tagged: &Tagged,
    ) -> Result<Brought, StoreError> {
        let rows = ByNumber { numbers: numbers.to_vec(), tail, tagged: Arc::clone(tagged) };
        let found = hands.content(Some(self.access.tenant()), &rows)?;
        let Some(candidates) = self.question.candidates(named, found, self.access.visible()) else {
            return Ok(Brought::Nothing);
        };
        let Some(keys) = self.keys_of(hands, &candidates.rows)? else { return Ok(Brought::Nothing) };
        let whole = !candidates.cut;
        let page = open(&self.access, candidates, &keys, self.question.wanted.as_deref())?;
        Ok(Brought::Page(page, whole))
    }

    fn older(&self, hands: &mut Hands, numbers: &[i64], tagged: &Tagged) -> Result<Brought, StoreError> {
        let rows = ByNumber { numbers: numbers.to_vec(), tail: None, tagged: Arc::clone(tagged) };
        let mut rows = hands.content(Some(self.access.tenant()), &rows)?.named;
        rows.retain(|candidate| candidate.is_visible(self.access.visible()));
        let Some(keys) = self.keys_of(hands, &rows)? else { return Ok(Brought::Nothing) };
        open_rows(&self.access, rows, &keys, self.question.wanted.as_deref()).map(Brought::Hits)
    }

    /// The keys of `rows`; `None` while a rotation of them goes on.
    fn keys_of(&self, hands: &mut Hands, rows: &[Candidate]) -> Result<Option<ByKeyId<DataKey>>, StoreError> {
        let (tenant, store) = (self.access.tenant(), &self.store);
        let now = store.clock().now();
        let (mut known, missing) = store.ring().get_all(tenant, key_ids(rows), now);
        if !missing.is_empty() {
            let moment = store.ring().moment(now);
            let rows = hands.keys(Some(tenant), &KeysById(missing.clone()))?;
            if !store.unwrap(&self.keys, &missing, rows, moment, &mut known)?.is_empty() {
                return Ok(None);
            }
        }
        Ok(Some(known))
    }
}

/// Messages that were looked through, as if an index had named them.
fn scanned(mut rows: Vec<Candidate>, visible: &Visible) -> Candidates {
    let (lowest, exhausted) =
        (rows.last().map(|candidate| candidate.message.message.no), rows.len() < SCANNED);
    rows.retain(|candidate| candidate.is_visible(visible));
    Candidates { lag: rows.len() as i64, lowest, cut: false, exhausted, applied: 0, scanned: true, rows }
}

fn key_ids(rows: &[Candidate]) -> KeyIds {
    rows.iter().flat_map(Candidate::keys).collect()
}

/// Opens the candidates of a page.
fn open(
    access: &Access,
    candidates: Candidates,
    keys: &ByKeyId<DataKey>,
    wanted: Option<&Wanted>,
) -> Result<Page, StoreError> {
    Ok(Page {
        hits: open_rows(access, candidates.rows, keys, wanted)?,
        cursor: candidates.lowest.unwrap_or(0),
        exhausted: candidates.exhausted,
        applied: candidates.applied,
        lag: candidates.lag,
        scanned: candidates.scanned,
    })
}

/// Opens the candidates whose keys are there (the others were erased) and keeps those that hold
/// the words.
fn open_rows(
    access: &Access,
    rows: Vec<Candidate>,
    keys: &ByKeyId<DataKey>,
    wanted: Option<&Wanted>,
) -> Result<Vec<Hit>, StoreError> {
    let (tenant, mask) = (access.tenant(), Mask::of(access.visible()));
    let mut hits: Vec<Hit> = Vec::with_capacity(rows.len());
    for Candidate { message, conversation, profile, tags } in rows {
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
                None => {
                    let mut opened = conversation.unseal(tenant, keys, profile.as_ref(), Some(mask))?;
                    opened.tags = tags;
                    opened
                }
            };
            hits.push(Hit { message, conversation });
        }
    }
    Ok(hits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_all_of_it_in_order_and_the_last_ones_are_short() {
        for all in 0..200 {
            let parts = parts_of(all);
            assert_eq!(parts.iter().flat_map(Clone::clone).collect::<Vec<_>>(), (0..all).collect::<Vec<_>>());
            assert!(parts.windows(2).all(|two| two[0].len() >= two[1].len()), "{parts:?}");
            assert!(parts.iter().all(|part| part.len() <= *PARTS.end()), "{parts:?}");
        }
        assert_eq!(
            parts_of(50).iter().map(std::ops::Range::len).collect::<Vec<_>>(),
            [9, 9, 8, 6, 5, 4, 3, 2, 2, 2]
        );
    }
}
