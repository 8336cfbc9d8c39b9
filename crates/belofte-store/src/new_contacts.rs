// SPDX-License-Identifier: EUPL-1.2
//! People whom the tenant adds itself: one by hand, or many from a list, each with a key of their own.

use std::collections::{HashMap, HashSet};

use belofte_model::{
    ContactId, EventKind, FieldId, GivenValue, KeyClass, KeyId, LedgerKind, RecordKind, Timestamp, Use,
    ValueFault, Visible,
};
use serde_json::json;

use crate::contacts::{NewContact, seen};
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::events::Event;
use crate::field_values;
use crate::intake::email_index;
use crate::keys::SealedKey;
use crate::visibility::Mask;
use crate::{Access, NewLeaf, Read, Rows, Store, StoreError, Tx, Write};

/// So many people are added by one write at most.
pub const MOST_NEW_CONTACTS: usize = 500;
/// So many addresses a new person has at most.
pub const MOST_NEW_ADDRESSES: usize = 10;
/// How often a write is planned anew that others came between.
const PLANS: usize = 8;

/// A person to add.
#[derive(Clone, Default)]
pub struct NewPerson {
    /// Who they are to be, for who may ask again: somebody of this id who is there already was added.
    pub id: Option<ContactId>,
    /// Their name; may be empty where there is an address.
    pub name: String,
    /// Their addresses of internet mail, as they are written and in normalised form.
    pub addresses: Vec<(String, String)>,
    /// What stands in the tenant's own fields of them.
    pub values: Vec<(FieldId, GivenValue)>,
}

impl std::fmt::Debug for NewPerson {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("NewPerson(..)")
    }
}

/// What became of a person who was to be added.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// They are there now.
    Made(ContactId),
    /// Somebody has one of their addresses: who, if that one is seen by who asks.
    Known(Option<ContactId>),
}

/// Why people were not added; nobody was then.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// More people at a time than [`MOST_NEW_CONTACTS`].
    #[error("too many people at a time")]
    TooMany,
    /// The person of this place has neither a name nor an address, or too many addresses.
    #[error("a person has no name and no address")]
    Nobody(usize),
    /// The person of this place has an address that another one before has.
    #[error("two people have one address")]
    Twice(usize),
    /// A field of the person of this place does not take the value.
    #[error("a field does not take the value")]
    Value(usize, FieldId, ValueFault),
    /// No such field is on people, or who asks does not write it.
    #[error("no such field can be written")]
    NoSuchField(usize, FieldId),
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whose addresses are known already, and who is there.
struct OwnersOf {
    ids: Vec<ContactId>,
    indexes: Vec<[u8; 16]>,
    visible: Visible,
}

#[derive(Default)]
struct Owners {
    there: HashSet<ContactId>,
    by_index: HashMap<[u8; 16], Option<ContactId>>,
}

impl Read for OwnersOf {
    type Out = Owners;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Owners, StoreError> {
        let tenant = tx.tenant();
        let mut owners = Owners::default();
        let there = sql!("SELECT id FROM contact WHERE tenant_id = $1 AND id = $2");
        let sets = self.ids.iter().map(|id| [tenant.into(), (*id).into()]).collect();
        owners.there.extend(tx.query_each(there, sets, |row| row.id::<ContactId>(0)).await?);
        let sets = self.indexes.iter().map(|index| [tenant.into(), index.as_slice().into()]).collect();
        let found = tx
            .query_each(
                sql!(
                    "SELECT value_index, contact_id FROM identity \
                     WHERE tenant_id = $1 AND kind = 'email' AND value_index = $2"
                ),
                sets,
                |row| Ok((row.bytes(0)?, row.id(1)?)),
            )
            .await?;
        for (index, contact) in found {
            let index = index.try_into().map_err(|_| StoreError::Inconsistent { what: "a blind index" })?;
            let shown = seen(tx, &self.visible, contact).await?.is_some();
            owners.by_index.insert(index, shown.then_some(contact));
        }
        Ok(owners)
    }
}

/// A value of a new person, sealed.
struct NewValue {
    field: FieldId,
    contact: ContactId,
    sealed: Vec<u8>,
    key: KeyId,
}

struct AddContacts {
    keys: Vec<SealedKey>,
    people: Vec<NewContact>,
    values: Vec<NewValue>,
    /// The fields of these, with the versions that were read.
    fields: Vec<(FieldId, i64)>,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for AddContacts {
    type Out = ();

    fn new_keys(&self) -> &[SealedKey] {
        &self.keys
    }

    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        for (field, version) in &self.fields {
            if field_values::version_of(tx, *field).await? != Some(*version) {
                return Err(StoreError::Conflict);
            }
        }
        for person in &self.people {
            person.insert(tx).await?;
        }
        for value in &self.values {
            tx.late(
                sql!(
                    "INSERT INTO contact_field_value (tenant_id, field_id, contact_id, value, key_id, version) \
                     VALUES ($1, $2, $3, $4, $5, $6)"
                ),
                params![tenant, value.field, value.contact, &value.sealed, value.key, self.now.as_micros()],
                Rows::Any,
            )
            .await?;
        }
        let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await?;
        Event::new(EventKind::ContactChanged, self.now).append(tx, numbers.event).await
    }
}

impl Store {
    /// Adds people whom nobody of the tenant has met under one of their addresses; of the others it is told who has it,
    /// and nothing of them changes. All who are new are added by one write. The order of the answer is that of the
    /// question.
    ///
    /// # Errors
    /// [`AddError`], with the place of the person that it is about; [`StoreError::NotFound`] for who sees no names or
    /// no addresses, [`StoreError::Conflict`] when others change all the time what it stands on.
    pub async fn add_contacts(&self, access: &Access, people: &[NewPerson]) -> Result<Vec<Added>, AddError> {
        access.to(Use::Answer)?;
        // Who does not see whose an address is would be told by trying.
        let mask = Mask::of(access.visible());
        if !mask.shows_name() || !mask.shows_address() {
            return Err(StoreError::NotFound.into());
        }
        if people.len() > MOST_NEW_CONTACTS {
            return Err(AddError::TooMany);
        }
        let mut addresses = HashSet::new();
        for (place, person) in people.iter().enumerate() {
            let many = person.addresses.len() > MOST_NEW_ADDRESSES;
            if many || (person.name.trim().is_empty() && person.addresses.is_empty()) {
                return Err(AddError::Nobody(place));
            }
            if person.addresses.iter().any(|(_, normalised)| !addresses.insert(normalised.as_str())) {
                return Err(AddError::Twice(place));
            }
        }
        let keys = self.keys(access).await?;
        for _ in 0..PLANS {
            let indexes = addresses.iter().map(|address| email_index(&keys, address)).collect();
            let ids = people.iter().filter_map(|person| person.id).collect();
            let owners = OwnersOf { ids, indexes, visible: access.visible().clone() };
            let owners = self.read(access, owners).await?;
            let (added, write) = self.prepare_contacts(access, people, &owners).await?;
            if write.people.is_empty() {
                return Ok(added);
            }
            match self.write(access, write).await {
                Ok(()) => return Ok(added),
                // One of them wrote at the same moment, or a field was changed.
                Err(StoreError::Conflict) => {}
                Err(error) => return Err(error.into()),
            }
        }
        Err(StoreError::Conflict.into())
    }

    async fn prepare_contacts(
        &self,
        access: &Access,
        people: &[NewPerson],
        owners: &Owners,
    ) -> Result<(Vec<Added>, AddContacts), AddError> {
        let (tenant, now, random) = (access.tenant(), access.clock().now(), self.random());
        let keys = self.keys(access).await?;
        let mut fields = self.fields_on(access, RecordKind::Contact).await?;
        let audience = access.audience();
        fields.retain(|field| field.is_written_by(audience, now));
        let mut added = Vec::with_capacity(people.len());
        let (mut minted, mut new, mut standing) = (Vec::new(), Vec::new(), Vec::new());
        let mut read_on: Vec<(FieldId, i64)> = Vec::new();
        for (place, person) in people.iter().enumerate() {
            let indexed =
                |(shown, normalised): &(String, String)| (shown.clone(), email_index(&keys, normalised));
            let indexed: Vec<_> = person.addresses.iter().map(indexed).collect();
            // Looked at in any case: what is wrong is told, whoever is known already.
            let mut values = Vec::with_capacity(person.values.len());
            for (id, given) in &person.values {
                let field = fields.iter().find(|field| field.id == *id);
                let field = field.ok_or(AddError::NoSuchField(place, *id))?;
                let twice = values.iter().any(|(other, _)| other == id);
                let value =
                    if twice { Err(ValueFault::Invalid) } else { field.settings.read(given.clone(), None) };
                values.push((*id, value.map_err(|fault| AddError::Value(place, *id, fault))?));
                if !read_on.iter().any(|(known, _)| known == id) {
                    read_on.push((*id, field.version));
                }
            }
            if let Some(id) = person.id.filter(|id| owners.there.contains(id)) {
                added.push(Added::Made(id));
                continue;
            }
            if let Some(owner) = indexed.iter().find_map(|(_, index)| owners.by_index.get(index)) {
                added.push(Added::Known(*owner));
                continue;
            }
            let key = keys.mint(random, KeyClass::Contact, None, 0, now);
            let contact =
                NewContact::seal((person.id, now), random, tenant, &key.key, person.name.trim(), &indexed)?;
            for (field, value) in values {
                let at = (RecordKind::Contact, contact.id.uuid());
                let sealed = field_values::seal((&key.key, random), access, at, field, &value)?;
                standing.push(NewValue { field, contact: contact.id, sealed, key: key.key.id() });
            }
            added.push(Added::Made(contact.id));
            minted.push(SealedKey { owner: Some(contact.id.uuid()), ..key });
            new.push(contact);
        }
        let made: Vec<String> =
            minted.iter().map(|key| format!("{}:{}", key.class.as_str(), key.key.id())).collect();
        let none: [String; 0] = [];
        let detail = json!({ "made": made, "destroyed": none });
        let leaf = NewLeaf::new(access, &keys, random, LedgerKind::Keys, detail)?;
        Ok((added, AddContacts { keys: minted, people: new, values: standing, fields: read_on, leaf, now }))
    }
}
