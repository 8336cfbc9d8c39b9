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
    ContactId, FieldId, FieldValue, Filter, KeyId, KeyState, MOST_COLUMNS, OptionNames, Order, RecordKind,
    TenantId, Timestamp, Use, ValueFault, Visible,
};
use belofte_vault::{DataKey, Pii, SealContext};
use tokio::task::JoinHandle;
use uuid::Uuid;

use crate::contact_filter::{About, Facts, FieldsRead, OrderKey, Ranking, Sieve};
use crate::contacts::{ContactProfile, seen};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::field_values;
use crate::fields::Field;
use crate::keys::{ByKeyId, KeyIds, KeyRow, KeysTogether, ORPHAN};
use crate::messages::from_json;
use crate::visibility::Mask;
use crate::{Access, Read, Store, StoreError, TenantKeys, Tx};

/// So many people are read at once (in tests so few that there are several portions), …
const PORTION: i64 = if cfg!(test) { 3 } else { 4_096 };
/// … the first time a few more than are wanted, and then so many times more, …
const MORE: i64 = 4;
/// … so many portions are being opened at most, …
const OPENING: usize = 2;
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

/// What is looked for, and what has to be read for it.
struct Scan {
    tenant: TenantId,
    sieve: Sieve,
    ranking: Ranking,
    fields: FieldsRead,
    /// The field whose values say who is looked at; all people when there is none.
    led_by: Option<usize>,
    /// Whether the row of the person is read …
    person: bool,
    /// … and their addresses.
    addresses: bool,
}

impl Scan {
    fn needs(&self, about: About) -> bool {
        self.sieve.asks_about(about) || self.ranking.about == about
    }

    fn field(&self, place: usize) -> FieldId {
        self.fields.all()[place].id
    }
}

/// Which people are read.
enum Who {
    /// Those below this one, the newest first.
    Below(Uuid),
    /// Those above this one, the oldest first.
    Above(Uuid),
    /// This one.
    One(ContactId),
}

/// A person as they are read.
struct Person {
    id: ContactId,
    key: KeyId,
    created_at: Timestamp,
    profile: Vec<u8>,
}

/// Something sealed of a person: for a field of itself by the person, for an address by its own id.
struct Sealed {
    contact: ContactId,
    row: Uuid,
    key: KeyId,
    value: Vec<u8>,
}

/// Some people with what is asked of them, sealed.
#[derive(Default)]
struct Portion {
    /// In the order in which they are looked at.
    people: Vec<Person>,
    /// In the order of the people's ids.
    addresses: Vec<Sealed>,
    /// By place of the field; each in the order of the people's ids.
    values: Vec<Vec<Sealed>>,
    /// How many rows said who is looked at, and of whom the last one is.
    led: i64,
    last: Option<ContactId>,
}

impl Portion {
    fn keys(&self) -> KeysTogether {
        let own = self.people.iter().map(|person| person.key);
        let others = self.values.iter().flatten().chain(&self.addresses).map(|sealed| sealed.key);
        KeysTogether::of(own.chain(others).collect())
    }
}

/// The part of `all` that is of one person.
fn of_person(all: &[Sealed], id: ContactId) -> &[Sealed] {
    let from = all.partition_point(|sealed| sealed.contact < id);
    let to = from + all[from..].partition_point(|sealed| sealed.contact == id);
    &all[from..to]
}

/// Reads a portion.
struct PortionOf {
    scan: Arc<Scan>,
    who: Who,
    /// So many at most.
    size: i64,
}

macro_rules! people {
    ($end:literal) => {
        sql!(concat!("SELECT id, key_id, created_at, profile FROM contact WHERE tenant_id = $1 AND ", $end))
    };
}
macro_rules! values {
    ($end:literal) => {
        sql!(concat!(
            "SELECT contact_id, contact_id, key_id, value FROM contact_field_value \
             WHERE tenant_id = $1 AND field_id = $2 AND ",
            $end
        ))
    };
}

macro_rules! addresses {
    ($end:literal) => {
        sql!(concat!("SELECT contact_id, id, key_id, value FROM identity WHERE tenant_id = $1 AND ", $end))
    };
}

fn person(row: &crate::Row<'_>) -> Result<Person, StoreError> {
    Ok(Person { id: row.id(0)?, key: row.id(1)?, created_at: row.time(2)?, profile: row.bytes(3)? })
}

fn sealed(row: &crate::Row<'_>) -> Result<Sealed, StoreError> {
    Ok(Sealed { contact: row.id(0)?, row: row.uuid(1)?, key: row.id(2)?, value: row.bytes(3)? })
}

impl PortionOf {
    async fn people(&self, tx: &mut Tx<'_>) -> Result<Vec<Person>, StoreError> {
        let tenant = tx.tenant();
        match self.who {
            Who::Below(id) => {
                let text = people!("id < $2 ORDER BY id DESC LIMIT $3");
                tx.query(text, params![tenant, id, self.size], person).await
            }
            Who::Above(id) => {
                let text = people!("id > $2 ORDER BY id LIMIT $3");
                tx.query(text, params![tenant, id, self.size], person).await
            }
            Who::One(id) => tx.query(people!("id = $2"), params![tenant, id], person).await,
        }
    }

    /// What stands in the field that says who is looked at.
    async fn led(&self, tx: &mut Tx<'_>, field: FieldId) -> Result<Vec<Sealed>, StoreError> {
        let tenant = tx.tenant();
        match self.who {
            Who::Below(id) => {
                let text = values!("contact_id < $3 ORDER BY contact_id DESC LIMIT $4");
                tx.query(text, params![tenant, field, id, self.size], sealed).await
            }
            Who::Above(id) => {
                let text = values!("contact_id > $3 ORDER BY contact_id LIMIT $4");
                tx.query(text, params![tenant, field, id, self.size], sealed).await
            }
            Who::One(id) => tx.query(values!("contact_id = $3"), params![tenant, field, id], sealed).await,
        }
    }
}

impl Read for PortionOf {
    type Out = Portion;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Portion, StoreError> {
        let (tenant, scan) = (tx.tenant(), &*self.scan);
        let mut portion = Portion::default();
        portion.values.resize_with(scan.fields.all().len(), Vec::new);
        if let Some(place) = scan.led_by {
            let mut led = self.led(tx, scan.field(place)).await?;
            let bare = |sealed: &Sealed| Person {
                id: sealed.contact,
                key: sealed.key,
                created_at: Timestamp::from_micros(0),
                profile: Vec::new(),
            };
            portion.people = led.iter().map(bare).collect();
            (portion.led, portion.last) = (led.len() as i64, led.last().map(|sealed| sealed.contact));
            led.sort_unstable_by_key(|sealed| sealed.contact);
            portion.values[place] = led;
            if scan.person {
                let sets = portion.people.iter().map(|one| [tenant.into(), one.id.into()]).collect();
                portion.people = tx.query_each(people!("id = $2"), sets, person).await?;
            }
        } else {
            portion.people = self.people(tx).await?;
            portion.led = portion.people.len() as i64;
            portion.last = portion.people.last().map(|person| person.id);
        }
        let ids = portion.people.iter().map(|person| person.id);
        let (Some(lowest), Some(highest)) = (ids.clone().min(), ids.max()) else { return Ok(portion) };
        for place in (0..scan.fields.all().len()).filter(|place| Some(*place) != scan.led_by) {
            let field = scan.field(place);
            portion.values[place] = if scan.led_by.is_some() {
                // These may lie far apart.
                let set = |one: &Person| [tenant.into(), field.into(), one.id.into()];
                let sets = portion.people.iter().map(set).collect();
                tx.query_each(values!("contact_id = $3"), sets, sealed).await?
            } else {
                let text = values!("contact_id >= $3 AND contact_id <= $4");
                tx.query(text, params![tenant, field, lowest, highest], sealed).await?
            };
            portion.values[place].sort_unstable_by_key(|sealed| sealed.contact);
        }
        if scan.addresses {
            portion.addresses = if scan.led_by.is_some() {
                let sets = portion.people.iter().map(|one| [tenant.into(), one.id.into()]).collect();
                tx.query_each(addresses!("contact_id = $2 ORDER BY created_at, id"), sets, sealed).await?
            } else {
                let text = addresses!("contact_id >= $2 AND contact_id <= $3 ORDER BY created_at, id");
                tx.query(text, params![tenant, lowest, highest], sealed).await?
            };
            // Whoever has several has the oldest first still.
            portion.addresses.sort_by_key(|sealed| sealed.contact);
        }
        Ok(portion)
    }
}

/// What is known of one person of a portion, opened when it is asked for.
struct Opened<'a> {
    scan: &'a Scan,
    names: &'a [OptionNames<'a>],
    person: &'a Person,
    addresses: &'a [Sealed],
    values: &'a [Vec<Sealed>],
    keys: &'a ByKeyId<DataKey>,
}

fn open_name(tenant: TenantId, key: &DataKey, person: &Person) -> Result<String, StoreError> {
    let context = SealContext { tenant, column: columns::CONTACT_PROFILE, row: person.id.uuid() };
    let profile: ContactProfile = from_json(&key.open(&context, &person.profile)?, "contact.profile")?;
    Ok(profile.name)
}

fn open_address(tenant: TenantId, key: &DataKey, sealed: &Sealed) -> Result<String, StoreError> {
    let context = SealContext { tenant, column: columns::IDENTITY_VALUE, row: sealed.row };
    Ok(String::from_utf8_lossy(&key.open(&context, &sealed.value)?).into_owned())
}

/// What stands in `field`, as one of its kind.
fn open_value(
    tenant: TenantId,
    key: &DataKey,
    (field, names): (&Field, &OptionNames<'_>),
    sealed: &Sealed,
) -> Result<Option<FieldValue>, StoreError> {
    let row = field_values::place_of(field.id, sealed.contact.uuid());
    let context = SealContext { tenant, column: columns::CONTACT_FIELD_VALUE, row };
    let value: FieldValue = from_json(&key.open(&context, &sealed.value)?, "a value of a field")?;
    Ok(value.into_kind(field.settings.kind, names))
}

impl Facts for Opened<'_> {
    // Whose key is gone says nothing any more.
    fn name(&mut self) -> Result<String, StoreError> {
        let key = self.keys.get(&self.person.key);
        key.map_or_else(|| Ok(String::new()), |key| open_name(self.scan.tenant, key, self.person))
    }

    fn addresses(&mut self) -> Result<Vec<String>, StoreError> {
        let opened = self.addresses.iter().filter_map(|sealed| Some((self.keys.get(&sealed.key)?, sealed)));
        opened.map(|(key, sealed)| open_address(self.scan.tenant, key, sealed)).collect()
    }

    fn created_at(&self) -> Timestamp {
        self.person.created_at
    }

    fn field(&mut self, place: usize) -> Result<Option<FieldValue>, StoreError> {
        let field = &self.scan.fields.all()[place];
        let Some(sealed) = of_person(&self.values[place], self.person.id).first() else { return Ok(None) };
        let Some(key) = self.keys.get(&sealed.key) else { return Ok(None) };
        open_value(self.scan.tenant, key, (field, &self.names[place]), sealed)
    }
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

/// A portion whose keys are wrapped by one that is not among the standing keys.
struct Strange(Portion);

/// Opens a portion and keeps who satisfies the filter.
fn sift(
    scan: &Scan,
    keys: &TenantKeys,
    portion: Portion,
    rows: Vec<KeyRow>,
) -> Result<Result<Sifted, Strange>, StoreError> {
    let mut known = ByKeyId::default();
    known.reserve(rows.len());
    // They are kept by nobody: a list of a million people leaves the keys at hand of those who are worked on.
    for row in rows.iter().filter(|row| row.state == KeyState::Active) {
        let Some(parent) = keys.parent(row.parent) else { return Ok(Err(Strange(portion))) };
        known.insert(row.id, parent.unwrap_key(keys.tenant, row.id, &row.wrapped)?);
    }
    let names: Vec<_> =
        scan.fields.all().iter().map(|field| OptionNames::of(&field.settings.options)).collect();
    let mut found = Vec::new();
    for person in portion.people.iter().filter(|person| known.contains_key(&person.key)) {
        let mut facts = Opened {
            scan,
            names: &names,
            person,
            addresses: of_person(&portion.addresses, person.id),
            values: &portion.values,
            keys: &known,
        };
        if scan.sieve.holds(&mut facts, &scan.fields)? {
            let by_arrival = scan.ranking.is_by_arrival();
            let key = if by_arrival { None } else { scan.ranking.key(&mut facts, &scan.fields)? };
            found.push(Found { id: person.id, key });
        }
    }
    Ok(Ok(Sifted { found, last: portion.last, looked_at: portion.people.len() as u64 }))
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
        let mut rows = PageRows {
            people: tx.query_each(people!("id = $2"), sets(), person).await?,
            ..PageRows::default()
        };
        if self.addresses {
            let text = addresses!("contact_id = $2 ORDER BY created_at, id");
            rows.addresses = tx.query_each(text, sets(), sealed).await?;
        }
        for field in &self.columns {
            let sets = self.ids.iter().map(|id| [tenant.into(), (*field).into(), (*id).into()]).collect();
            let found = tx.query_each(values!("contact_id = $3"), sets, sealed).await?;
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
        let ContactQuestion { filter, order, columns, after, limit } = question;
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
        page.items = self.contact_rows(access, found, &shown).await?;
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
        loop {
            // While it may be done with the next portion, none is read ahead.
            if !read_all && opening.len() < if size < PORTION { 1 } else { OPENING } {
                let who = if downwards { Who::Below(from) } else { Who::Above(from) };
                let portion = self.read(access, PortionOf { scan: Arc::clone(&scan), who, size }).await?;
                read_all = portion.led < size;
                size = (size * MORE).min(PORTION);
                from = portion.last.map_or(from, |last| last.uuid());
                let rows = self.read_keys(scan.tenant, portion.keys()).await?;
                let (scan, keys) = (Arc::clone(&scan), Arc::clone(&keys));
                opening.push_back(tokio::task::spawn_blocking(move || sift(&scan, &keys, portion, rows)));
                continue;
            }
            let Some(next) = opening.pop_front() else { break };
            let mut sifted = next.await.map_err(|_| StoreError::Busy)??;
            let mut tries = 0;
            let Sifted { mut found, last: reached, looked_at } = loop {
                let (portion, rows) = match sifted {
                    Ok(sifted) => break sifted,
                    Err(Strange(portion)) if tries < TRIES => {
                        tries += 1;
                        self.ring().forget_tenant(scan.tenant);
                        keys = self.keys(access).await?;
                        let rows = self.read_keys(scan.tenant, portion.keys()).await?;
                        (portion, rows)
                    }
                    Err(_) => return Err(ORPHAN.into()),
                };
                let (scan, keys) = (Arc::clone(&scan), Arc::clone(&keys));
                let again = tokio::task::spawn_blocking(move || sift(&scan, &keys, portion, rows));
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
            if making.is_full() || (by_arrival && page.looked_at >= LOOKED_AT && !read_all) {
                break;
            }
        }
        let whole = read_all && opening.is_empty() && !making.is_full();
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
        let portion = self.read(access, PortionOf { scan: Arc::clone(&scan), who, size: 1 }).await?;
        let rows = self.read_keys(scan.tenant, portion.keys()).await?;
        let sifted = sift(&scan, keys, portion, rows)?;
        let found = sifted.map_err(|_| StoreError::Conflict)?.found;
        found.into_iter().next().ok_or(ListError::Gone)
    }

    /// The rows of a page.
    async fn contact_rows(
        &self,
        access: &Access,
        ids: Vec<ContactId>,
        shown: &[Field],
    ) -> Result<Vec<ListedContact>, StoreError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let (tenant, visible) = (access.tenant(), access.visible().clone());
        let mask = Mask::of(&visible);
        let columns = shown.iter().map(|field| field.id).collect();
        let wanted = RowsOf { ids, columns, addresses: mask.shows_address(), visible };
        let PageRows { people, addresses, values, cases } = self.read(access, wanted).await?;
        let others = addresses.iter().chain(values.iter().map(|(_, value)| value)).map(|sealed| sealed.key);
        let wanted: KeyIds = people.iter().map(|person| person.key).chain(others).collect();
        let keys = self.keys_by_id(tenant, wanted).await?;
        let names: HashMap<FieldId, (&Field, OptionNames<'_>)> =
            shown.iter().map(|field| (field.id, (field, OptionNames::of(&field.settings.options)))).collect();
        let mut items = Vec::with_capacity(people.len());
        for person in people {
            // Erased since it was found.
            let Some(key) = keys.get(&person.key) else { continue };
            let mut name = String::new();
            if mask.shows_name() {
                name = open_name(tenant, key, &person)?;
            }
            let mut own = Vec::new();
            for sealed in addresses.iter().filter(|sealed| sealed.contact == person.id) {
                let Some(key) = keys.get(&sealed.key) else { continue };
                own.push(Pii::new(open_address(tenant, key, sealed)?));
            }
            let mut fields = Vec::new();
            for (id, sealed) in values.iter().filter(|(_, sealed)| sealed.contact == person.id) {
                if let (Some(key), Some(of)) = (keys.get(&sealed.key), names.get(id)) {
                    let value = open_value(tenant, key, (of.0, &of.1), sealed)?;
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
        let field = field.filter(|_| place < MOST_COLUMNS).ok_or(ListError::Column(place))?;
        if !shown.iter().any(|one| one.id == *id) {
            shown.push(field.clone());
        }
    }
    Ok(shown)
}
