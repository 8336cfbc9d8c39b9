// SPDX-License-Identifier: EUPL-1.2
//! Contacts: people with many identities, under keys of their own.

use std::collections::HashMap;

use belofte_model::{ContactId, EventKind, IdentityId, KeyId, TenantId, Timestamp, Use, Visible};
use belofte_vault::{DataKey, Random, SealContext};
use serde::{Deserialize, Serialize};

use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::events::Event;
use crate::keys::ByKeyId;
use crate::messages::{from_json, to_json};
use crate::visibility::Mask;
use crate::{Access, Param, Read, Row, Rows, Store, StoreError, Tx, Write};

/// What is known of a contact, apart from identities.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ContactProfile {
    /// The name; may be empty.
    pub name: String,
}

impl std::fmt::Debug for ContactProfile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("ContactProfile(..)")
    }
}

/// An address, number or handle of a contact.
#[derive(Clone, Debug)]
pub struct Identity {
    /// The identity.
    pub id: IdentityId,
    /// `email` for an address of internet mail.
    pub kind: String,
    /// The value as it was first seen.
    pub value: belofte_vault::Pii<String>,
    /// Whether the contact has proven it.
    pub verified: bool,
}

/// A person.
#[derive(Clone, Debug)]
pub struct Contact {
    /// The contact.
    pub id: ContactId,
    /// What is known.
    pub profile: ContactProfile,
    /// Addresses, numbers and handles.
    pub identities: Vec<Identity>,
    /// When the contact first said something.
    pub created_at: Timestamp,
    /// How many conversations there are.
    pub conversations: u64,
}

/// The kind of an identity that is an address of internet mail.
pub const EMAIL: &str = "email";

/// A contact with its identities, before they are stored.
pub(crate) struct NewContact {
    pub(crate) id: ContactId,
    identities: Vec<NewIdentity>,
    profile: Vec<u8>,
    key: KeyId,
    at: Timestamp,
}

struct NewIdentity {
    id: IdentityId,
    value: Vec<u8>,
    value_index: [u8; 16],
}

impl NewContact {
    /// Somebody whom the tenant meets at `at`, as `id` where that is said.
    pub(crate) fn seal(
        (id, at): (Option<ContactId>, Timestamp),
        random: &Random,
        tenant: TenantId,
        key: &DataKey,
        name: &str,
        addresses: &[(String, [u8; 16])],
    ) -> Result<Self, StoreError> {
        let id = id.unwrap_or_else(|| ContactId::new(at, random.bytes()));
        let context = SealContext { tenant, column: columns::CONTACT_PROFILE, row: id.uuid() };
        let profile = key.seal(random, &context, &to_json(&ContactProfile { name: name.to_owned() })?);
        let identity = |(address, value_index): &(String, [u8; 16])| {
            let id = IdentityId::new(at, random.bytes());
            let context = SealContext { tenant, column: columns::IDENTITY_VALUE, row: id.uuid() };
            NewIdentity {
                id,
                value: key.seal(random, &context, address.as_bytes()),
                value_index: *value_index,
            }
        };
        Ok(Self { id, identities: addresses.iter().map(identity).collect(), profile, key: key.id(), at })
    }

    /// Stores all rows.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when somebody else has just stored an identity, which may come
    /// out only after the body has ended.
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        for identity in &self.identities {
            tx.late(
                sql!(
                    "INSERT INTO identity (tenant_id, id, contact_id, kind, value_index, value, key_id, verified, created_at) \
                     VALUES ($1, $2, $3, 'email', $4, $5, $6, 0, $7) ON CONFLICT DO NOTHING"
                ),
                params![tenant, identity.id, self.id, &identity.value_index, &identity.value, self.key, self.at],
                Rows::One,
            )
            .await?;
        }
        tx.late(
            sql!(
                "INSERT INTO contact (tenant_id, id, profile, key_id, created_at, changed_at) \
                 VALUES ($1, $2, $3, $4, $5, $5)"
            ),
            params![tenant, self.id, &self.profile, self.key, self.at],
            Rows::Any,
        )
        .await
    }
}

struct SealedContact {
    profile: Vec<u8>,
    key: KeyId,
    created_at: Timestamp,
    identities: Vec<(IdentityId, String, Vec<u8>, KeyId, bool)>,
    conversations: i64,
}

/// How many cases of a contact `visible` sees; none when it does not see the contact: it is seen when one of its cases
/// is, or when it has no case.
async fn cases_of(tx: &mut Tx<'_>, visible: &Visible, id: ContactId) -> Result<Option<i64>, StoreError> {
    let tenant = tx.tenant();
    let cases = tx
        .query(
            sql!(
                "SELECT queue_id, channel_account_id, CAST(count(*) AS bigint) FROM conversation \
                 WHERE tenant_id = $1 AND contact_id = $2 GROUP BY queue_id, channel_account_id"
            ),
            params![tenant, id],
            |row| Ok((row.id(0)?, row.id(1)?, row.int(2)?)),
        )
        .await?;
    let seen = cases.iter().filter(|(queue, account, _)| visible.sees_case(*queue, *account));
    let conversations: i64 = seen.map(|(_, _, count)| count).sum();
    Ok((conversations > 0 || cases.is_empty()).then_some(conversations))
}

/// The key of a contact that `visible` sees.
pub(crate) async fn seen(
    tx: &mut Tx<'_>,
    visible: &Visible,
    id: ContactId,
) -> Result<Option<KeyId>, StoreError> {
    let tenant = tx.tenant();
    let text = sql!("SELECT key_id FROM contact WHERE tenant_id = $1 AND id = $2");
    let Some(key) = tx.query_opt(text, params![tenant, id], |row| row.id(0)).await? else { return Ok(None) };
    Ok(cases_of(tx, visible, id).await?.map(|_| key))
}

struct ContactById {
    id: ContactId,
    visible: Visible,
}

impl Read for ContactById {
    type Out = Option<SealedContact>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let found = tx
            .query_opt(
                sql!("SELECT profile, key_id, created_at FROM contact WHERE tenant_id = $1 AND id = $2"),
                params![tenant, self.id],
                |row| Ok((row.bytes(0)?, row.id(1)?, row.time(2)?)),
            )
            .await?;
        let Some((profile, key, created_at)) = found else { return Ok(None) };
        let Some(conversations) = cases_of(tx, &self.visible, self.id).await? else { return Ok(None) };
        let identities = tx
            .query(
                sql!(
                    "SELECT id, kind, value, key_id, verified FROM identity WHERE tenant_id = $1 AND contact_id = $2 \
                     ORDER BY created_at, id"
                ),
                params![tenant, self.id],
                |row| Ok((row.id(0)?, row.text(1)?, row.bytes(2)?, row.id(3)?, row.bool(4)?)),
            )
            .await?;
        Ok(Some(SealedContact { profile, key, created_at, identities, conversations }))
    }
}

/// The profile of a contact, sealed.
pub(crate) struct SealedProfile {
    pub(crate) id: ContactId,
    pub(crate) profile: Vec<u8>,
    pub(crate) key: KeyId,
}

impl SealedProfile {
    /// The name of the contact; `None` when its key is gone, and with it the name.
    pub(crate) fn name(
        &self,
        tenant: TenantId,
        keys: &ByKeyId<DataKey>,
    ) -> Result<Option<String>, StoreError> {
        let Some(key) = keys.get(&self.key) else { return Ok(None) };
        let context = SealContext { tenant, column: columns::CONTACT_PROFILE, row: self.id.uuid() };
        let profile: ContactProfile = from_json(&key.open(&context, &self.profile)?, "contact.profile")?;
        Ok(Some(profile.name))
    }
}

/// The profiles of some contacts, by contact; those that are gone are left out.
pub(crate) struct ProfilesOf(pub(crate) Vec<ContactId>);

impl Read for ProfilesOf {
    type Out = HashMap<ContactId, SealedProfile>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let sealed = |row: &Row<'_>| {
            let id = row.id(0)?;
            Ok((id, SealedProfile { id, profile: row.bytes(1)?, key: row.id(2)? }))
        };
        if tx.is_postgres() {
            let ids: Vec<_> = self.0.iter().map(|id| id.uuid()).collect();
            let text = sql!("SELECT id, profile, key_id FROM contact WHERE tenant_id = $1 AND id = ANY($2)");
            let rows = tx.query(text, &[tenant.into(), Param::Uuids(&ids)], sealed).await?;
            return Ok(rows.into_iter().collect());
        }
        let text = sql!("SELECT id, profile, key_id FROM contact WHERE tenant_id = $1 AND id = $2");
        let sets = self.0.iter().map(|id| [tenant.into(), (*id).into()]).collect();
        Ok(tx.query_each(text, sets, sealed).await?.into_iter().collect())
    }
}

impl Store {
    async fn visible_contact(&self, access: &Access, id: ContactId) -> Result<SealedContact, StoreError> {
        let visible = access.visible().clone();
        self.read(access, ContactById { id, visible }).await?.ok_or(StoreError::NotFound)
    }

    /// A contact with everything known of it that `access` sees.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it does not exist for this access; [`StoreError::KeyGone`] when the contact was erased.
    pub async fn contact(&self, access: &Access, id: ContactId) -> Result<Contact, StoreError> {
        access.to(Use::Look)?;
        let tenant = access.tenant();
        let row = self.visible_contact(access, id).await?;
        let key = self.key(tenant, row.key).await?;
        let context = SealContext { tenant, column: columns::CONTACT_PROFILE, row: id.uuid() };
        let mut profile: ContactProfile = from_json(&key.open(&context, &row.profile)?, "contact.profile")?;
        let mask = Mask::of(access.visible());
        if !mask.shows_name() {
            profile.name.clear();
        }
        let mut identities = Vec::with_capacity(row.identities.len());
        for (identity, kind, value, key_id, verified) in row.identities {
            if !mask.shows_address() {
                break;
            }
            let key = self.key(tenant, key_id).await?;
            let context = SealContext { tenant, column: columns::IDENTITY_VALUE, row: identity.uuid() };
            let value = String::from_utf8_lossy(&key.open(&context, &value)?).into_owned();
            identities.push(Identity { id: identity, kind, value: belofte_vault::Pii::new(value), verified });
        }
        Ok(Contact {
            id,
            profile,
            identities,
            created_at: row.created_at,
            conversations: u64::try_from(row.conversations).unwrap_or(0),
        })
    }

    /// Changes what is known of a contact. Every list shows it from then on: a row of a list
    /// takes the name from here. Who cannot see names cannot change one.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it does not exist for this access; [`StoreError::KeyGone`] when the contact was erased.
    pub async fn change_contact(
        &self,
        access: &Access,
        id: ContactId,
        profile: &ContactProfile,
    ) -> Result<(), StoreError> {
        access.to(Use::Answer)?;
        if !Mask::of(access.visible()).shows_name() {
            return Err(StoreError::NotFound);
        }
        let tenant = access.tenant();
        let row = self.visible_contact(access, id).await?;
        let key = self.key(tenant, row.key).await?;
        let context = SealContext { tenant, column: columns::CONTACT_PROFILE, row: id.uuid() };
        let sealed = key.seal(self.random(), &context, &to_json(profile)?);
        self.write(access, ChangeContact { id, profile: sealed, now: access.clock().now() }).await
    }
}

struct ChangeContact {
    id: ContactId,
    profile: Vec<u8>,
    now: Timestamp,
}

impl Write for ChangeContact {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!("UPDATE contact SET profile = $3, changed_at = $4 WHERE tenant_id = $1 AND id = $2"),
            params![tenant, self.id, &self.profile, self.now],
        )
        .await?;
        let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
        Event::new(EventKind::ContactChanged, self.now).append(tx, numbers.event).await
    }
}
