// SPDX-License-Identifier: EUPL-1.2
//! People of a list as they are read, a portion at a time, all sealed; and what is opened of them to be looked at.
//!
//! A list of a million people does all of this a million times: what is read lies in one piece for each portion, what
//! is looked for is looked for beside the last, and each key opens what lies under it once and is dropped.

use std::sync::Arc;

use belofte_model::{ContactId, FieldId, FieldValue, KeyId, OptionNames, TenantId, Timestamp};
use belofte_vault::{Opener, SealContext, Unwrapper};
use uuid::Uuid;

use crate::contact_filter::{About, Facts, FieldsRead, Ranking, Sieve};
use crate::contacts::ContactProfile;
use crate::data_map::columns;
use crate::engine::{Sql, params, sql};
use crate::field_values;
use crate::fields::Field;
use crate::keys::ORPHAN;
use crate::messages::from_json;
use crate::spans::{Span, first_from};
use crate::wrapped_keys::{KeysTogether, WrappedKeys};
use crate::{Read, StoreError, TenantKeys, Tx};

/// What is looked for, and what has to be read for it.
pub(crate) struct Scan {
    pub(crate) tenant: TenantId,
    pub(crate) sieve: Sieve,
    pub(crate) ranking: Ranking,
    pub(crate) fields: FieldsRead,
    /// The field whose values say who is looked at; all people when there is none.
    pub(crate) led_by: Option<usize>,
    /// Whether the row of the person is read …
    pub(crate) person: bool,
    /// … and their addresses.
    pub(crate) addresses: bool,
}

impl Scan {
    pub(crate) fn needs(&self, about: About) -> bool {
        self.sieve.asks_about(about) || self.ranking.about == about
    }

    fn field(&self, place: usize) -> FieldId {
        self.fields.all()[place].id
    }
}

/// Which people are read.
pub(crate) enum Who {
    /// Those below this one, the newest first.
    Below(Uuid),
    /// Those above this one, the oldest first.
    Above(Uuid),
    /// This one.
    One(ContactId),
}

/// A person as they are read.
pub(crate) struct Person {
    pub(crate) id: ContactId,
    pub(crate) key: KeyId,
    pub(crate) created_at: Timestamp,
    pub(crate) profile: Span,
}

/// Something sealed of a person: for a field of itself by the person, for an address by its own id.
pub(crate) struct Sealed {
    pub(crate) contact: ContactId,
    pub(crate) row: Uuid,
    pub(crate) key: KeyId,
    pub(crate) value: Span,
}

/// Some people with what is asked of them, sealed.
#[derive(Default)]
pub(crate) struct Portion {
    /// In the order in which they are looked at.
    pub(crate) people: Vec<Person>,
    /// In the order of the people's ids.
    addresses: Vec<Sealed>,
    /// By place of the field; each in the order of the people's ids.
    values: Vec<Vec<Sealed>>,
    /// What is sealed of all of them.
    bytes: Vec<u8>,
    /// How many rows said who is looked at, and of whom the last one is.
    pub(crate) led: i64,
    pub(crate) last: Option<ContactId>,
}

impl Portion {
    pub(crate) fn keys(&self) -> KeysTogether {
        let own = self.people.iter().map(|person| person.key);
        let others = self.values.iter().flatten().chain(&self.addresses).map(|sealed| sealed.key);
        KeysTogether::of(own.chain(others))
    }
}

/// Reads a portion.
pub(crate) struct PortionOf {
    pub(crate) scan: Arc<Scan>,
    pub(crate) who: Who,
    /// So many at most.
    pub(crate) size: i64,
}

macro_rules! people {
    ($end:literal) => {
        sql!(concat!("SELECT id, key_id, created_at, profile FROM contact WHERE tenant_id = $1 AND ", $end))
    };
}
macro_rules! values {
    ($end:literal) => {
        sql!(concat!(
            "SELECT contact_id, key_id, value FROM contact_field_value \
             WHERE tenant_id = $1 AND field_id = $2 AND ",
            $end
        ))
    };
}
macro_rules! addresses {
    ($end:literal) => {
        sql!(concat!(
            "SELECT contact_id, key_id, value, id, created_at FROM identity WHERE tenant_id = $1 AND ",
            $end
        ))
    };
}
pub(crate) use {addresses, people, values};

pub(crate) fn person(row: &crate::Row<'_>, bytes: &mut Vec<u8>) -> Result<Person, StoreError> {
    Ok(Person {
        id: row.id(0)?,
        key: row.id(1)?,
        created_at: row.time(2)?,
        profile: Span::read(row, 3, bytes)?,
    })
}

pub(crate) fn value(row: &crate::Row<'_>, bytes: &mut Vec<u8>) -> Result<Sealed, StoreError> {
    let contact: ContactId = row.id(0)?;
    Ok(Sealed { contact, row: contact.uuid(), key: row.id(1)?, value: Span::read(row, 2, bytes)? })
}

pub(crate) fn address(row: &crate::Row<'_>, bytes: &mut Vec<u8>) -> Result<Sealed, StoreError> {
    Ok(Sealed { row: row.uuid(3)?, ..value(row, bytes)? })
}

impl PortionOf {
    async fn people(&self, tx: &mut Tx<'_>, bytes: &mut Vec<u8>) -> Result<Vec<Person>, StoreError> {
        let tenant = tx.tenant();
        let person = |row: &crate::Row<'_>| person(row, bytes);
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
    async fn led(
        &self,
        tx: &mut Tx<'_>,
        field: FieldId,
        bytes: &mut Vec<u8>,
    ) -> Result<Vec<Sealed>, StoreError> {
        let tenant = tx.tenant();
        let value = |row: &crate::Row<'_>| value(row, bytes);
        match self.who {
            Who::Below(id) => {
                let text = values!("contact_id < $3 ORDER BY contact_id DESC LIMIT $4");
                tx.query(text, params![tenant, field, id, self.size], value).await
            }
            Who::Above(id) => {
                let text = values!("contact_id > $3 ORDER BY contact_id LIMIT $4");
                tx.query(text, params![tenant, field, id, self.size], value).await
            }
            Who::One(id) => tx.query(values!("contact_id = $3"), params![tenant, field, id], value).await,
        }
    }
}

/// Where something of people lies, a row or more for each.
struct Kept {
    /// Of those of a range, in their order, so many at most …
    range: &'static Sql,
    /// … and of one.
    one: &'static Sql,
    /// The field, where it is one.
    field: Option<FieldId>,
}

/// A range has so many rows for each person, at most: beyond, the others are in the way.
const CROWD: usize = 3;

impl Kept {
    const PEOPLE: Self = Self {
        range: people!("id >= $2 AND id <= $3 ORDER BY id LIMIT $4"),
        one: people!("id = $2"),
        field: None,
    };
    const ADDRESSES: Self = Self {
        range: addresses!("contact_id >= $2 AND contact_id <= $3 ORDER BY contact_id LIMIT $4"),
        one: addresses!("contact_id = $2"),
        field: None,
    };

    const fn values(field: FieldId) -> Self {
        Self {
            range: values!("contact_id >= $3 AND contact_id <= $4 ORDER BY contact_id LIMIT $5"),
            one: values!("contact_id = $3"),
            field: Some(field),
        }
    }

    /// The rows of these people, who stand in the order of their ids, in that order. Those of people who came together
    /// lie together: they are read as a range, as long as there are not many more in it, and the rest one by one.
    async fn of<T: Send>(
        &self,
        tx: &mut Tx<'_>,
        ids: &[ContactId],
        mut read: impl FnMut(&crate::Row<'_>) -> Result<T, StoreError> + Send,
    ) -> Result<Vec<T>, StoreError> {
        let tenant = tx.tenant();
        let (Some(first), Some(last)) = (ids.first(), ids.last()) else { return Ok(Vec::new()) };
        let most = ids.len() * CROWD;
        let (mut at, mut seen) = (0, 0);
        let mut reached: Option<ContactId> = None;
        // Where the last person of the range begins, of whom there may be more.
        let (mut kept, mut whole) = (0, 0);
        let row = |row: &crate::Row<'_>| {
            let id: ContactId = row.id(0)?;
            seen += 1;
            if reached != Some(id) {
                (reached, whole) = (Some(id), kept);
            }
            while ids.get(at).is_some_and(|wanted| *wanted < id) {
                at += 1;
            }
            if ids.get(at) != Some(&id) {
                return Ok(None);
            }
            kept += 1;
            read(row).map(Some)
        };
        let limit = most as i64;
        let rows = match self.field {
            Some(field) => tx.query(self.range, params![tenant, field, *first, *last, limit], row).await?,
            None => tx.query(self.range, params![tenant, *first, *last, limit], row).await?,
        };
        let mut found: Vec<T> = rows.into_iter().flatten().collect();
        if seen == most
            && let Some(reached) = reached
        {
            found.truncate(whole);
            let rest = &ids[ids.partition_point(|id| *id < reached)..];
            let rest = match self.field {
                Some(field) => {
                    let sets = rest.iter().map(|id| [tenant.into(), field.into(), (*id).into()]).collect();
                    tx.query_each(self.one, sets, read).await?
                }
                None => {
                    let sets = rest.iter().map(|id| [tenant.into(), (*id).into()]).collect();
                    tx.query_each(self.one, sets, read).await?
                }
            };
            found.extend(rest);
        }
        Ok(found)
    }
}

impl Read for PortionOf {
    type Out = Portion;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Portion, StoreError> {
        let scan = &*self.scan;
        let mut portion = Portion::default();
        let bytes = &mut portion.bytes;
        portion.values.resize_with(scan.fields.all().len(), Vec::new);
        if let Some(place) = scan.led_by {
            let mut led = self.led(tx, scan.field(place), bytes).await?;
            let bare = |sealed: &Sealed| Person {
                id: sealed.contact,
                key: sealed.key,
                created_at: Timestamp::from_micros(0),
                profile: Span::default(),
            };
            portion.people = led.iter().map(bare).collect();
            led.sort_unstable_by_key(|sealed| sealed.contact);
            portion.values[place] = led;
        } else {
            portion.people = self.people(tx, bytes).await?;
        }
        portion.led = portion.people.len() as i64;
        portion.last = portion.people.last().map(|person| person.id);
        let mut ids: Vec<ContactId> = portion.people.iter().map(|person| person.id).collect();
        ids.sort_unstable();
        if scan.led_by.is_some() && scan.person {
            portion.people = Kept::PEOPLE.of(tx, &ids, |row| person(row, bytes)).await?;
            if matches!(self.who, Who::Below(_)) {
                portion.people.reverse();
            }
        }
        for place in (0..scan.fields.all().len()).filter(|place| Some(*place) != scan.led_by) {
            let kept = Kept::values(scan.field(place));
            portion.values[place] = kept.of(tx, &ids, |row| value(row, bytes)).await?;
        }
        if scan.addresses {
            let read = |row: &crate::Row<'_>| Ok((address(row, bytes)?, row.time(4)?));
            let mut found: Vec<(Sealed, Timestamp)> = Kept::ADDRESSES.of(tx, &ids, read).await?;
            // Whoever has several has the oldest first.
            found.sort_by_key(|(sealed, at)| (sealed.contact, *at, sealed.row));
            portion.addresses = found.into_iter().map(|(sealed, _)| sealed).collect();
        }
        Ok(portion)
    }
}

/// What each lies under is opened once, if it is asked for.
struct Openers<'a> {
    keys: &'a WrappedKeys,
    unwrappers: &'a [Unwrapper],
    near: usize,
    last: Option<Opener>,
    buffer: Vec<u8>,
}

impl Openers<'_> {
    /// Whether the key is there. Whose key is gone says nothing any more.
    fn has(&mut self, id: KeyId) -> bool {
        self.near = self.keys.place(self.near, id);
        self.keys.at(self.near).is_some_and(|(key, _, _)| key == id)
    }

    /// What was sealed at `ctx` under the key `id`; nothing when the key is gone.
    fn open(&mut self, id: KeyId, ctx: &SealContext, sealed: &[u8]) -> Result<Option<&[u8]>, StoreError> {
        if self.last.as_ref().is_none_or(|last| last.id() != id) {
            if !self.has(id) {
                return Ok(None);
            }
            let Some((_, parent, wrapped)) = self.keys.at(self.near) else { return Ok(None) };
            let unwrapper = self.unwrappers.iter().find(|one| one.parent() == parent);
            self.last = Some(unwrapper.ok_or(ORPHAN)?.opener(id, wrapped)?);
        }
        let Some(opener) = &self.last else { return Ok(None) };
        Ok(Some(opener.open(ctx, sealed, &mut self.buffer)?))
    }
}

/// What is known of the people of a portion, one after the other, opened when it is asked for.
pub(crate) struct Opened<'a> {
    scan: &'a Scan,
    names: &'a [OptionNames<'a>],
    portion: &'a Portion,
    openers: Openers<'a>,
    /// Whose turn it is.
    person: &'a Person,
    /// Where the values of the one before lie, by place of the field.
    near: Vec<usize>,
    near_address: usize,
}

pub(crate) fn name_context(tenant: TenantId, contact: ContactId) -> SealContext {
    SealContext { tenant, column: columns::CONTACT_PROFILE, row: contact.uuid() }
}

pub(crate) fn read_name(opened: &[u8]) -> Result<String, StoreError> {
    let profile: ContactProfile = from_json(opened, "contact.profile")?;
    Ok(profile.name)
}

pub(crate) fn address_context(tenant: TenantId, sealed: &Sealed) -> SealContext {
    SealContext { tenant, column: columns::IDENTITY_VALUE, row: sealed.row }
}

pub(crate) fn value_context(tenant: TenantId, field: FieldId, sealed: &Sealed) -> SealContext {
    let row = field_values::place_of(field, sealed.contact.uuid());
    SealContext { tenant, column: columns::CONTACT_FIELD_VALUE, row }
}

/// What stands in `field`, as one of its kind.
pub(crate) fn read_value(
    field: &Field,
    names: &OptionNames<'_>,
    opened: &[u8],
) -> Result<Option<FieldValue>, StoreError> {
    let value: FieldValue = from_json(opened, "a value of a field")?;
    Ok(value.into_kind(field.settings.kind, names))
}

impl Facts for Opened<'_> {
    fn name(&mut self) -> Result<String, StoreError> {
        let (context, sealed) = (name_context(self.scan.tenant, self.person.id), self.person.profile);
        let opened = self.openers.open(self.person.key, &context, sealed.of(&self.portion.bytes))?;
        opened.map_or_else(|| Ok(String::new()), read_name)
    }

    fn addresses(&mut self) -> Result<Vec<String>, StoreError> {
        let (all, id) = (&self.portion.addresses, self.person.id);
        self.near_address = first_from(all, self.near_address, &id, |sealed| sealed.contact);
        let mut addresses = Vec::new();
        for sealed in all[self.near_address..].iter().take_while(|sealed| sealed.contact == id) {
            let context = address_context(self.scan.tenant, sealed);
            let opened = self.openers.open(sealed.key, &context, sealed.value.of(&self.portion.bytes))?;
            addresses.extend(opened.map(|bytes| String::from_utf8_lossy(bytes).into_owned()));
        }
        Ok(addresses)
    }

    fn created_at(&self) -> Timestamp {
        self.person.created_at
    }

    fn field(&mut self, place: usize) -> Result<Option<FieldValue>, StoreError> {
        let (all, field) = (&self.portion.values[place], &self.scan.fields.all()[place]);
        let near = first_from(all, self.near[place], &self.person.id, |sealed| sealed.contact);
        self.near[place] = near;
        let Some(sealed) = all.get(near).filter(|sealed| sealed.contact == self.person.id) else {
            return Ok(None);
        };
        let context = value_context(self.scan.tenant, field.id, sealed);
        match self.openers.open(sealed.key, &context, sealed.value.of(&self.portion.bytes))? {
            Some(opened) => read_value(field, &self.names[place], opened),
            None => Ok(None),
        }
    }
}

/// A portion some of whose keys are wrapped by one that is not among the standing keys.
pub(crate) struct Strange(pub(crate) Portion);

/// Goes through a portion, of which `keys` are the keys, and keeps what `keep` makes of each. Keys are held for
/// as long as their person is looked at: a list of a million people leaves the keys at hand of those who are worked on.
///
/// # Errors
/// Those of opening, and of `keep`.
pub(crate) fn each_person<T>(
    scan: &Scan,
    standing: &TenantKeys,
    portion: Portion,
    keys: &WrappedKeys,
    mut keep: impl FnMut(ContactId, &mut Opened<'_>) -> Result<Option<T>, StoreError>,
) -> Result<Result<Vec<T>, Strange>, StoreError> {
    let mut unwrappers: Vec<Unwrapper> = Vec::new();
    for parent in keys.parents() {
        let Some(parent) = standing.parent(parent) else { return Ok(Err(Strange(portion))) };
        unwrappers.push(parent.unwrapper(scan.tenant));
    }
    let names: Vec<_> =
        scan.fields.all().iter().map(|field| OptionNames::of(&field.settings.options)).collect();
    let Some(first) = portion.people.first() else { return Ok(Ok(Vec::new())) };
    let mut facts = Opened {
        scan,
        names: &names,
        portion: &portion,
        openers: Openers { keys, unwrappers: &unwrappers, near: 0, last: None, buffer: Vec::new() },
        person: first,
        near: vec![0; portion.values.len()],
        near_address: 0,
    };
    let mut kept = Vec::new();
    for person in &portion.people {
        facts.person = person;
        if facts.openers.has(person.key) {
            kept.extend(keep(person.id, &mut facts)?);
        }
    }
    Ok(Ok(kept))
}
