// SPDX-License-Identifier: EUPL-1.2
//! Lists of people: those who satisfy a filter, in an order, a page at a time.
//!
//! What is known of a person lies under the key of that person, and no index repeats it: destroying the key ends all of
//! it. So a filter reads people in the order of their ids, which is that of their keys too, opens what it asks about, and
//! forgets it. While one portion is opened the next is read (decision 45).

use std::cmp::Ordering;
use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use belofte_model::{
    ContactId, FieldId, FieldValue, Filter, MOST_FIELDS, OptionNames, Order, RecordKind, Timestamp, Use,
    ValueFault, Visible,
};
use belofte_vault::{DataKey, Pii};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::contact_filter::{About, FieldsRead, OrderKey, Ranking, Sieve};
use crate::contact_portion::{self as portion, Person, Portion, PortionOf, Scan, Sealed, Strange, Who};
use crate::contacts::seen;
use crate::engine::sql;
use crate::fields::Field;
use crate::keys::{ByKeyId, KeyIds, ORPHAN};
use crate::visibility::Mask;
use crate::wrapped_keys::{KeysTogether, WrappedKeys};
use crate::{Access, Read, Store, StoreError, TenantKeys, Tx};

/// So many people are read at once (in tests so few that there are several portions), …
const PORTION: i64 = if cfg!(test) { 3 } else { 4_096 };
/// … the first time a few more than are wanted, and then so many times more, …
const MORE: i64 = 4;
/// … so many portions are read and not yet gone through at most, …
const AHEAD: usize = 3;
/// … and after so many people a list in the order of arrival tells how far it came.
const LOOKED_AT: u64 = if cfg!(test) { 7 } else { 250_000 };
/// How often keys are read again that a rotation wraps anew meanwhile.
const TRIES: usize = 3;

/// What a list of people is asked for.
#[derive(Clone, Debug, Default)]
pub struct ContactQuestion {
    /// What they are to satisfy.
    pub filter: Filter,
    /// In which order.
    pub order: Order,
    /// The fields that are shown beside them.
    pub columns: Vec<FieldId>,
    /// The last one of the page before.
    pub after: Option<ContactId>,
    /// So many at most.
    pub limit: usize,
    /// Whether nobody on the page is likely to be opened next: then their keys are not kept at hand.
    pub in_passing: bool,
}

/// A person of a list.
#[derive(Clone, Debug)]
pub struct ListedContact {
    /// Who.
    pub id: ContactId,
    /// Their name; may be empty.
    pub name: Pii<String>,
    /// Their addresses, the oldest first.
    pub addresses: Vec<Pii<String>>,
    /// When they first wrote.
    pub created_at: Timestamp,
    /// In how many cases they are that who asks sees …
    pub conversations: u64,
    /// … and when something was last said in one.
    pub last_message_at: Option<Timestamp>,
    /// What stands in the fields that were asked for.
    pub fields: Vec<(FieldId, FieldValue)>,
}

/// A page of a list of people.
#[derive(Clone, Debug, Default)]
pub struct ContactPage {
    /// Who is on it.
    pub items: Vec<ListedContact>,
    /// Give this to go on.
    pub next: Option<ContactId>,
    /// How many there are in all, where all were looked at.
    pub total: Option<u64>,
    /// How many people were looked at for this page.
    pub looked_at: u64,
}

/// Why there is no list.
#[derive(Debug, thiserror::Error)]
pub enum ListError {
    /// The condition of this place is about something that is not there for who asks.
    #[error("a condition is about something that is not there")]
    NoSuchSubject(usize),
    /// The condition of this place does not hold together.
    #[error("a condition compares with what is not of its kind")]
    Condition(usize, ValueFault),
    /// The words are too many.
    #[error("the words are too long")]
    Words,
    /// The order is by something that is not there for who asks.
    #[error("the order is by something that is not there")]
    Order,
    /// The column of this place is not there for who asks, or is one too many.
    #[error("a column is not there")]
    Column(usize),
    /// Whoever the page before ended with is gone.
    #[error("the page before is gone")]
    Gone,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Somebody who satisfies the filter.
struct Found {
    id: ContactId,
    key: Option<OrderKey>,
}

impl Found {
    /// How two of them stand in the list.
    fn compared(&self, other: &Self, descending: bool) -> Ordering {
        let by_key = match (&self.key, &other.key) {
            (Some(a), Some(b)) if descending => b.cmp(a),
            (Some(a), Some(b)) => a.cmp(b),
            // Who has nothing comes last, either way.
            (a, b) => b.is_some().cmp(&a.is_some()),
        };
        by_key.then_with(|| other.id.cmp(&self.id))
    }
}

/// What became of a portion.
struct Sifted {
    found: Vec<Found>,
    /// The last one that was looked at.
    last: Option<ContactId>,
    looked_at: u64,
}

/// Opens a portion and keeps who satisfies the filter.
fn sift(
    scan: &Scan,
    standing: &TenantKeys,
    portion: Portion,
    keys: &WrappedKeys,
) -> Result<Result<Sifted, Strange>, StoreError> {
    let (last, looked_at) = (portion.last, portion.people.len() as u64);
    let by_arrival = scan.ranking.is_by_arrival();
    let found = portion::each_person(scan, standing, portion, keys, |id, facts| {
        if !scan.sieve.holds(facts, &scan.fields)? {
            return Ok(None);
        }
        let key = if by_arrival { None } else { scan.ranking.key(facts, &scan.fields)? };
        Ok(Some(Found { id, key }))
    })?;
    Ok(found.map(|found| Sifted { found, last, looked_at }))
}

/// Those of some people that `visible` sees.
struct SeenAmong {
    ids: Vec<ContactId>,
    visible: Visible,
}

impl Read for SeenAmong {
    type Out = Vec<ContactId>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let mut all = Vec::new();
        for id in &self.ids {
            if seen(tx, &self.visible, *id).await?.is_some() {
                all.push(*id);
            }
        }
        Ok(all)
    }
}

/// The rows of a page.
struct RowsOf {
    ids: Vec<ContactId>,
    columns: Vec<FieldId>,
    addresses: bool,
    visible: Visible,
}

#[derive(Default)]
struct PageRows {
    bytes: Vec<u8>,
    people: Vec<Person>,
    addresses: Vec<Sealed>,
    values: Vec<(FieldId, Sealed)>,
    cases: HashMap<ContactId, (i64, Option<Timestamp>)>,
}

impl Read for RowsOf {
    type Out = PageRows;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<PageRows, StoreError> {
        let tenant = tx.tenant();
        let sets = || self.ids.iter().map(|id| [tenant.into(), (*id).into()]).collect::<Vec<_>>();
        let mut rows = PageRows::default();
        let bytes = &mut rows.bytes;
        let text = portion::people!("id = $2");
        rows.people = tx.query_each(text, sets(), |row| portion::person(row, bytes)).await?;
        if self.addresses {
            let text = portion::addresses!("contact_id = $2 ORDER BY created_at, id");
            rows.addresses = tx.query_each(text, sets(), |row| portion::address(row, bytes)).await?;
        }
        for field in &self.columns {
            let sets = self.ids.iter().map(|id| [tenant.into(), (*field).into(), (*id).into()]).collect();
            let text = portion::values!("contact_id = $3");
            let found = tx.query_each(text, sets, |row| portion::value(row, bytes)).await?;
            rows.values.extend(found.into_iter().map(|value| (*field, value)));
        }
        let text = sql!(
            "SELECT contact_id, queue_id, channel_account_id, CAST(count(*) AS bigint), max(last_message_at) \
             FROM conversation WHERE tenant_id = $1 AND contact_id = $2 \
             GROUP BY contact_id, queue_id, channel_account_id"
        );
        let cases = tx
            .query_each(text, sets(), |row| {
                Ok((row.id(0)?, row.id(1)?, row.id(2)?, row.int(3)?, row.opt_time(4)?))
            })
            .await?;
        for (contact, queue, account, count, last) in cases {
            if self.visible.sees_case(queue, account) {
                let (all, newest) = rows.cases.entry(contact).or_insert((0, None));
                *all += count;
                *newest = (*newest).max(last);
            }
        }
        Ok(rows)
    }
}

/// A page that is being made.
struct Making {
    limit: usize,
    descending: bool,
    by_arrival: bool,
    /// Where the page before ended.
    after: Option<Found>,
    found: Vec<Found>,
    total: u64,
}

impl Making {
    fn take(&mut self, all: Vec<Found>) {
        self.total += all.len() as u64;
        if self.by_arrival {
            self.found.extend(all);
            return;
        }
        let (after, descending) = (&self.after, self.descending);
        let later = |one: &Found| after.as_ref().is_none_or(|after| one.compared(after, descending).is_gt());
        self.found.extend(all.into_iter().filter(later));
        // Few of a million are on the page: the others are let go as they come.
        if self.found.len() > 4 * (self.limit + 1) {
            self.settle();
        }
    }

    fn settle(&mut self) {
        if !self.by_arrival {
            self.found.sort_unstable_by(|a, b| a.compared(b, self.descending));
            self.found.truncate(self.limit + 1);
        }
    }

    fn is_full(&self) -> bool {
        self.by_arrival && self.found.len() > self.limit
    }
}

type Opening = JoinHandle<Result<Result<Sifted, Strange>, StoreError>>;

impl Store {
    /// The people who satisfy a filter, in an order, as far as `access` sees them: a page. In the order of arrival the
    /// look ends when the page is full, or after a quarter of a million people, and goes on from there; in any other
    /// all people are looked at each time.
    ///
    /// # Errors
    /// [`ListError`]; the engine's errors and those of sealing.
    pub async fn list_contacts(
        &self,
        access: &Access,
        question: ContactQuestion,
    ) -> Result<ContactPage, ListError> {
        access.to(Use::Look)?;
        let mask = Mask::of(access.visible());
        let readable = self.fields_on(access, RecordKind::Contact).await?;
        let ContactQuestion { filter, order, columns, after, limit, in_passing } = question;
        let shown = shown_columns(&columns, &readable)?;
        let mut fields = FieldsRead::default();
        let sieve = Sieve::read(filter, mask, &readable, &mut fields)?;
        let ranking = Ranking::read(order, mask, &readable, &mut fields).ok_or(ListError::Order)?;
        let led_by = sieve.led_by();
        let mut scan =
            Scan { tenant: access.tenant(), sieve, ranking, fields, led_by, person: false, addresses: false };
        scan.person = scan.sieve.asks_about(About::Name)
            || scan.sieve.asks_about(About::CreatedAt)
            || scan.ranking.about == About::Name;
        scan.addresses = scan.needs(About::Address);
        let (found, mut page) = self.look_through(access, Arc::new(scan), after, limit).await?;
        page.items = self.contact_rows(access, found, &shown, in_passing).await?;
        Ok(page)
    }

    /// Looks for who is on a page.
    async fn look_through(
        &self,
        access: &Access,
        scan: Arc<Scan>,
        after: Option<ContactId>,
        limit: usize,
    ) -> Result<(Vec<ContactId>, ContactPage), ListError> {
        let (descending, by_arrival) = (scan.ranking.descending, scan.ranking.is_by_arrival());
        let mut keys = self.keys(access).await?;
        let mut making = Making { limit, descending, by_arrival, after: None, found: Vec::new(), total: 0 };
        let downwards = descending || !by_arrival;
        let mut from = if downwards { Uuid::max() } else { Uuid::nil() };
        if let Some(after) = after {
            if by_arrival {
                from = after.uuid();
            } else {
                making.after = Some(self.last_of_page(access, &scan, &keys, after).await?);
            }
        }
        let mut opening: VecDeque<Opening> = VecDeque::new();
        let (mut read_all, mut page, mut last) = (false, ContactPage::default(), None);
        let most = if by_arrival { i64::try_from(limit).unwrap_or(PORTION) + 1 } else { PORTION };
        let mut size = most.min(PORTION);
        // Whose keys are to be read.
        let mut waiting: Option<Portion> = None;
        // Whether somebody is left whom nobody looked at.
        let mut left = true;
        loop {
            // While it may be done with the next portion, none is read ahead.
            let ahead = if size < PORTION { 1 } else { AHEAD };
            let goes_on = !read_all && opening.len() + usize::from(waiting.is_some()) < ahead;
            if goes_on || waiting.is_some() {
                let portion = async {
                    let who = if downwards { Who::Below(from) } else { Who::Above(from) };
                    let portion = PortionOf { scan: Arc::clone(&scan), who, size };
                    if goes_on { self.read(access, portion).await.map(Some) } else { Ok(None) }
                };
                let wrapped = async {
                    match &waiting {
                        Some(portion) => self.read_keys(scan.tenant, portion.keys()).await,
                        None => Ok(WrappedKeys::default()),
                    }
                };
                let (portion, wrapped) = tokio::try_join!(portion, wrapped)?;
                if let Some(portion) = std::mem::replace(&mut waiting, portion) {
                    let (scan, keys) = (Arc::clone(&scan), Arc::clone(&keys));
                    opening.push_back(tokio::task::spawn_blocking(move || {
                        sift(&scan, &keys, portion, &wrapped)
                    }));
                }
                if goes_on && let Some(portion) = &waiting {
                    read_all = portion.led < size;
                    size = (size * MORE).min(PORTION);
                    from = portion.last.map_or(from, |last| last.uuid());
                }
                continue;
            }
            let Some(next) = opening.pop_front() else { break };
            let mut sifted = next.await.map_err(|_| StoreError::Busy)??;
            let mut tries = 0;
            let Sifted { mut found, last: reached, looked_at } = loop {
                let (portion, wrapped) = match sifted {
                    Ok(sifted) => break sifted,
                    Err(Strange(portion)) if tries < TRIES => {
                        tries += 1;
                        self.ring().forget_tenant(scan.tenant);
                        keys = self.keys(access).await?;
                        let wrapped = self.read_keys(scan.tenant, portion.keys()).await?;
                        (portion, wrapped)
                    }
                    Err(_) => return Err(ORPHAN.into()),
                };
                let (scan, keys) = (Arc::clone(&scan), Arc::clone(&keys));
                let again = tokio::task::spawn_blocking(move || sift(&scan, &keys, portion, &wrapped));
                sifted = again.await.map_err(|_| StoreError::Busy)??;
            };
            if !access.visible().sees_all_cases() && !found.is_empty() {
                let ids = found.iter().map(|one| one.id).collect();
                let seen = self.read(access, SeenAmong { ids, visible: access.visible().clone() }).await?;
                let mut seen = seen.into_iter().peekable();
                found.retain(|one| seen.next_if_eq(&one.id).is_some());
            }
            last = reached.or(last);
            page.looked_at += looked_at;
            making.take(found);
            left = !read_all || waiting.is_some() || !opening.is_empty();
            if making.is_full() || (by_arrival && page.looked_at >= LOOKED_AT && left) {
                break;
            }
        }
        let whole = !left && !making.is_full();
        making.settle();
        let more = making.found.len() > limit;
        making.found.truncate(limit);
        let ids: Vec<ContactId> = making.found.into_iter().map(|one| one.id).collect();
        page.next = if more { ids.last().copied() } else { last.filter(|_| by_arrival && !whole) };
        page.total = (!by_arrival || (whole && after.is_none())).then_some(making.total);
        Ok((ids, page))
    }

    /// By what the last one of a page was put in order.
    async fn last_of_page(
        &self,
        access: &Access,
        scan: &Arc<Scan>,
        keys: &Arc<TenantKeys>,
        id: ContactId,
    ) -> Result<Found, ListError> {
        let scan = Arc::new(Scan {
            sieve: Sieve::default(),
            ranking: scan.ranking.clone(),
            fields: scan.fields.clone(),
            led_by: None,
            ..**scan
        });
        // Whoever does not see somebody is not told by a page between whom they stand.
        let asked = SeenAmong { ids: vec![id], visible: access.visible().clone() };
        if self.read(access, asked).await?.is_empty() {
            return Err(ListError::Gone);
        }
        let who = Who::One(id);
        let mut portion = self.read(access, PortionOf { scan: Arc::clone(&scan), who, size: 1 }).await?;
        let mut keys = Arc::clone(keys);
        for _ in 0..=TRIES {
            let wrapped = self.read_keys(scan.tenant, portion.keys()).await?;
            match sift(&scan, &keys, portion, &wrapped)? {
                Ok(sifted) => return sifted.found.into_iter().next().ok_or(ListError::Gone),
                // A rotation came between.
                Err(Strange(again)) => portion = again,
            }
            self.ring().forget_tenant(scan.tenant);
            keys = self.keys(access).await?;
        }
        Err(ORPHAN.into())
    }

    /// The keys `ids` that are active, which are kept by nobody: whoever goes through everybody leaves the keys at hand of
    /// those who are worked on.
    async fn keys_in_passing(&self, access: &Access, ids: KeyIds) -> Result<ByKeyId<DataKey>, StoreError> {
        for _ in 0..=TRIES {
            let wrapped = self.read_keys(access.tenant(), KeysTogether::of(ids.iter().copied())).await?;
            if let Some(found) = wrapped.unwrap_all(&*self.keys(access).await?)? {
                return Ok(found);
            }
            self.ring().forget_tenant(access.tenant());
        }
        Err(ORPHAN)
    }

    /// The rows of a page.
    async fn contact_rows(
        &self,
        access: &Access,
        ids: Vec<ContactId>,
        shown: &[Field],
        in_passing: bool,
    ) -> Result<Vec<ListedContact>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (tenant, visible) = (access.tenant(), access.visible().clone());
        let mask = Mask::of(&visible);
        let columns = shown.iter().map(|field| field.id).collect();
        let wanted = RowsOf { ids, columns, addresses: mask.shows_address(), visible };
        let PageRows { bytes, people, addresses, values, cases } = self.read(access, wanted).await?;
        let others = addresses.iter().chain(values.iter().map(|(_, value)| value)).map(|sealed| sealed.key);
        let wanted: KeyIds = people.iter().map(|person| person.key).chain(others).collect();
        let keys = match in_passing {
            true => self.keys_in_passing(access, wanted).await?,
            false => self.keys_by_id(tenant, wanted).await?,
        };
        let names: HashMap<FieldId, (&Field, OptionNames<'_>)> =
            shown.iter().map(|field| (field.id, (field, OptionNames::of(&field.settings.options)))).collect();
        let mut items = Vec::with_capacity(people.len());
        for person in people {
            // Erased since it was found.
            let Some(key) = keys.get(&person.key) else { continue };
            let mut name = String::new();
            if mask.shows_name() {
                let context = portion::name_context(tenant, person.id);
                name = portion::read_name(&key.open(&context, person.profile.of(&bytes))?)?;
            }
            let mut own = Vec::new();
            for sealed in addresses.iter().filter(|sealed| sealed.contact == person.id) {
                let Some(key) = keys.get(&sealed.key) else { continue };
                let context = portion::address_context(tenant, sealed);
                let opened = key.open(&context, sealed.value.of(&bytes))?;
                own.push(Pii::new(String::from_utf8_lossy(&opened).into_owned()));
            }
            let mut fields = Vec::new();
            for (id, sealed) in values.iter().filter(|(_, sealed)| sealed.contact == person.id) {
                if let (Some(key), Some(of)) = (keys.get(&sealed.key), names.get(id)) {
                    let context = portion::value_context(tenant, *id, sealed);
                    let opened = key.open(&context, sealed.value.of(&bytes))?;
                    let value = portion::read_value(of.0, &of.1, &opened)?;
                    fields.extend(value.map(|value| (*id, value)));
                }
            }
            let (conversations, last_message_at) = cases.get(&person.id).copied().unwrap_or((0, None));
            items.push(ListedContact {
                id: person.id,
                name: Pii::new(name),
                addresses: own,
                created_at: person.created_at,
                conversations: u64::try_from(conversations).unwrap_or(0),
                last_message_at,
                fields,
            });
        }
        Ok(items)
    }
}

/// The fields of the columns that were asked for.
fn shown_columns(columns: &[FieldId], readable: &[Field]) -> Result<Vec<Field>, ListError> {
    let mut shown: Vec<Field> = Vec::with_capacity(columns.len());
    for (place, id) in columns.iter().enumerate() {
        let field = readable.iter().find(|field| field.id == *id);
        let field = field.filter(|_| place < MOST_FIELDS).ok_or(ListError::Column(place))?;
        if !shown.iter().any(|one| one.id == *id) {
            shown.push(field.clone());
        }
    }
    Ok(shown)
}
