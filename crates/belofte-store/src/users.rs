// SPDX-License-Identifier: EUPL-1.2
//! Users of a tenant: agents, supervisors and admins.

use std::sync::Arc;

use belofte_model::{
    ColourScheme, EmailAddress, EventKind, KeyId, Language, LedgerKind, Role, SessionId, TenantId, Timestamp,
    Use, UserId, UserState,
};
use belofte_vault::{Pii, Random, SealContext};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::invitations::{NewUser, OpenInvitation};
use crate::keys::SYSTEM;
use crate::notifications;
use crate::sealing::seal_json;
pub(crate) use crate::user_facts::{Facts, UserStanding, facts};
use crate::{
    Access, Event, NewLeaf, Read, Row, Store, StoreError, SystemTx, TenantKeys, Tx, Write, second_factor,
    second_factor_rule,
};

/// A user.
#[derive(Clone, Debug)]
pub struct User {
    /// Their id.
    pub id: UserId,
    /// The name that colleagues and customers see.
    pub name: Pii<String>,
    /// The address that they sign in with.
    pub email: Pii<String>,
    /// What they may do.
    pub role: Role,
    /// Whether they may read the ledger.
    pub privacy_officer: bool,
    /// Whether they can sign in.
    pub state: UserState,
    /// The language of their desk.
    pub language: Language,
    /// How their desk is coloured.
    pub colour_scheme: ColourScheme,
    /// Whether single letters are shortcuts.
    pub single_key_shortcuts: bool,
    /// When they joined.
    pub created_at: Timestamp,
    /// When they last did something, to the minute.
    pub last_seen_at: Option<Timestamp>,
    /// Whether they have a second factor.
    pub second_factor: bool,
    /// When an admin took their second factor away, until they have seen it.
    pub second_factor_reset_at: Option<Timestamp>,
}

/// The password of the user who asks, and what they are let in by at that moment.
#[derive(Clone, Debug)]
pub struct OwnPassword {
    /// The password as a PHC string.
    pub hash: Pii<String>,
    pub(crate) standing: UserStanding,
}

/// A change of a user by an admin; what is `None` stays.
#[derive(Clone, Copy, Debug, Default)]
pub struct UserChange {
    /// Another role.
    pub role: Option<Role>,
    /// Blocked, or let in again.
    pub state: Option<UserState>,
    /// The duty of privacy officer, given or taken.
    pub privacy_officer: Option<bool>,
}

/// Why a user was not changed.
#[derive(Debug, thiserror::Error)]
pub enum UserChangeError {
    /// The change would leave the organisation without an admin who can sign in.
    #[error("the last admin who can sign in must stay one")]
    LastAdmin,
    /// The duty would be taken from the last privacy officer who can sign in.
    #[error("the last privacy officer who can sign in must stay one")]
    LastOfficer,
    /// The store failed, or there is no such user; [`StoreError::NotOfficer`] when the duty of privacy
    /// officer was to be given or taken by somebody who does not have it.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A change of a user's own settings; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct Preferences {
    /// Another name.
    pub name: Option<Pii<String>>,
    /// Another language.
    pub language: Option<Language>,
    /// Another colour scheme.
    pub colour_scheme: Option<ColourScheme>,
    /// Single letters as shortcuts, or not.
    pub single_key_shortcuts: Option<bool>,
}

#[derive(Serialize, Deserialize)]
struct Profile {
    name: String,
    email: String,
}

pub(crate) fn language(tag: &str) -> Option<Language> {
    Language::ALL.into_iter().find(|language| language.tag() == tag)
}

fn seal_password(keys: &TenantKeys, random: &Random, id: UserId, hash: &Pii<String>) -> Vec<u8> {
    let context =
        SealContext { tenant: keys.tenant, column: columns::USER_ACCOUNT_CREDENTIAL, row: id.uuid() };
    keys.settings.seal(random, &context, hash.expose().as_bytes())
}

/// A user before they are stored.
pub(crate) struct FreshUser {
    pub(crate) id: UserId,
    facts: Facts,
    proof: [u8; 16],
    language: Language,
    profile: Vec<u8>,
    key: KeyId,
    now: Timestamp,
}

impl FreshUser {
    pub(crate) fn new(
        keys: &TenantKeys,
        random: &Random,
        now: Timestamp,
        invitation: &OpenInvitation,
        user: &NewUser,
        login_index: [u8; 16],
    ) -> Result<Self, StoreError> {
        let id = UserId::new(now, random.bytes());
        let profile = Profile { name: user.name.expose().clone(), email: user.email.as_sent() };
        let facts = Facts {
            id,
            role: invitation.role,
            privacy_officer: invitation.privacy_officer,
            state: UserState::Active,
            login_index: login_index.to_vec(),
            credential: seal_password(keys, random, id, &user.password_hash),
            credential_key: keys.settings.id(),
            invitation: invitation.id,
            proof: None,
            factor: None,
        };
        Ok(Self {
            id,
            proof: facts.prove(keys),
            facts,
            language: user.language,
            profile: seal_json(keys, random, columns::USER_ACCOUNT_PROFILE, id.uuid(), &profile)?,
            key: keys.settings.id(),
            now,
        })
    }

    /// What they are let in by, once they are stored.
    pub(crate) fn standing(&self) -> UserStanding {
        UserStanding(self.proof.to_vec())
    }

    /// Stores the user; [`StoreError::Conflict`] when the tenant has one with this address.
    pub(crate) async fn insert(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!(
                "INSERT INTO login (tenant_id, login_index, user_id) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
            ),
            params![tenant, &self.facts.login_index, self.id],
        )
        .await?;
        tx.execute_one(
            sql!(
                "INSERT INTO user_account (tenant_id, id, role, privacy_officer, state, language, colour_scheme, \
                 shortcuts, login_index, profile, key_id, created_at, last_seen_at, credential, \
                 credential_key_id, invitation_id, proof) \
                 VALUES ($1, $2, $3, $4, 'active', $5, $6, $7, $8, $9, $10, $11, $11, $12, $13, $14, $15)"
            ),
            params![
                tenant,
                self.id,
                self.facts.role.as_str(),
                self.facts.privacy_officer,
                self.language.tag(),
                ColourScheme::default().as_str(),
                // Single letters as shortcuts can be switched off (WCAG 2.1.4); agents want them on.
                true,
                &self.facts.login_index,
                &self.profile,
                self.key,
                self.now,
                &self.facts.credential,
                self.facts.credential_key,
                self.facts.invitation,
                &self.proof
            ],
        )
        .await
    }
}

struct UserRow {
    id: UserId,
    role: Role,
    privacy_officer: bool,
    state: UserState,
    language: Language,
    colour_scheme: ColourScheme,
    shortcuts: bool,
    profile: Vec<u8>,
    key: KeyId,
    created_at: Timestamp,
    last_seen_at: Option<Timestamp>,
    factor_reset_at: Option<Timestamp>,
    facts: Facts,
}

fn user_row(row: &Row<'_>) -> Result<UserRow, StoreError> {
    Ok(UserRow {
        id: row.id(0)?,
        role: row.name(1, Role::parse)?,
        privacy_officer: row.bool(2)?,
        state: row.name(3, UserState::parse)?,
        language: row.name(4, language)?,
        colour_scheme: row.name(5, ColourScheme::parse)?,
        shortcuts: row.bool(6)?,
        profile: row.bytes(7)?,
        key: row.id(8)?,
        created_at: row.time(9)?,
        last_seen_at: row.opt_time(10)?,
        factor_reset_at: row.opt_time(11)?,
        facts: Facts::read(row, 12)?,
    })
}

struct AllUsers;

impl Read for AllUsers {
    type Out = Vec<UserRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(concat!(
                "SELECT u.id, u.role, u.privacy_officer, u.state, u.language, u.colour_scheme, u.shortcuts, \
                 u.profile, u.key_id, u.created_at, u.last_seen_at, u.factor_reset_at, ",
                facts!(),
                " FROM user_account u WHERE u.tenant_id = $1 ORDER BY u.id"
            )),
            params![tenant],
            user_row,
        )
        .await
    }
}

struct OneUser(UserId);

impl Read for OneUser {
    type Out = UserRow;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<UserRow, StoreError> {
        let tenant = tx.tenant();
        tx.query_one(
            sql!(concat!(
                "SELECT u.id, u.role, u.privacy_officer, u.state, u.language, u.colour_scheme, u.shortcuts, \
                 u.profile, u.key_id, u.created_at, u.last_seen_at, u.factor_reset_at, ",
                facts!(),
                " FROM user_account u WHERE u.tenant_id = $1 AND u.id = $2"
            )),
            params![tenant, self.0],
            user_row,
        )
        .await
    }
}

struct FactsOf(UserId);

impl Read for FactsOf {
    type Out = Facts;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_one(
            sql!(concat!(
                "SELECT ",
                facts!(),
                " FROM user_account u WHERE u.tenant_id = $1 AND u.id = $2 AND u.state = 'active'"
            )),
            params![tenant, self.0],
            |row| Facts::read(row, 0),
        )
        .await
    }
}

/// Whether the one who acts is a privacy officer who can sign in: only they pass the duty on
/// (decision 14).
pub(crate) async fn is_officer(
    tx: &mut Tx<'_>,
    keys: &TenantKeys,
    who: Option<UserId>,
) -> Result<bool, StoreError> {
    let Some(who) = who else { return Ok(false) };
    match Facts::of(tx, keys, who).await {
        Ok(facts) => Ok(facts.is_officer()),
        Err(StoreError::NotFound) => Ok(false),
        Err(error) => Err(error),
    }
}

struct ChangeUser {
    keys: Arc<TenantKeys>,
    id: UserId,
    change: UserChange,
    /// Who changes them.
    by: Option<UserId>,
    /// What was there before is known in the transaction alone: its detail is told there.
    leaf: NewLeaf,
    event: Event,
}

impl ChangeUser {
    /// The other users who can sign in and have a role or duty of which one must stay.
    async fn others(&self, tx: &mut Tx<'_>) -> Result<Vec<Facts>, StoreError> {
        let tenant = tx.tenant();
        let text = sql!(concat!(
            "SELECT ",
            facts!(),
            " FROM user_account u WHERE u.tenant_id = $1 AND u.id <> $2 AND u.state = 'active' \
             AND (u.role = 'admin' OR u.privacy_officer <> 0)"
        ));
        let mut others = tx.query(text, params![tenant, self.id], |row| Facts::read(row, 0)).await?;
        // A row that somebody wrote by hand is nobody.
        others.retain(|other| other.hold(&self.keys));
        Ok(others)
    }
}

/// What became of it; a refusal has written nothing.
enum Changed {
    Done,
    LastAdmin,
    LastOfficer,
}

impl Write for ChangeUser {
    type Out = Changed;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Changed, StoreError> {
        // The tenant's row is locked first: two admins who demote each other take turns.
        counters::take(tx, Needs::default()).await?;
        let mut facts = Facts::of(tx, &self.keys, self.id).await?;
        let (was_admin, was_officer, was) = (facts.is_admin(), facts.is_officer(), facts.told());
        let duty = self.change.privacy_officer.unwrap_or(facts.privacy_officer);
        if duty != facts.privacy_officer && !is_officer(tx, &self.keys, self.by).await? {
            return Err(StoreError::NotOfficer);
        }
        facts.role = self.change.role.unwrap_or(facts.role);
        facts.state = self.change.state.unwrap_or(facts.state);
        facts.privacy_officer = duty;
        // Blocking is no laying down: whoever must be kept out can be, and comes back with the duty.
        let (no_admin, no_officer) = (was_admin && !facts.is_admin(), was_officer && !duty);
        if no_admin || no_officer {
            let others = self.others(tx).await?;
            if no_admin && !others.iter().any(Facts::is_admin) {
                return Ok(Changed::LastAdmin);
            }
            if no_officer && !others.iter().any(Facts::is_officer) {
                return Ok(Changed::LastOfficer);
            }
        }
        let before = facts.proof.take();
        facts.replace(tx, &self.keys, before.as_ref()).await?;
        let leaf = self.leaf.telling(json!({
            "what": "user",
            "act": "changed",
            "user": self.id,
            "before": was,
            "after": facts.told(),
        }))?;
        second_factor::end_steps(tx, self.id).await?;
        if facts.state == UserState::Blocked {
            second_factor::end_sessions(tx, self.id, None).await?;
            notifications::end_user(tx, self.id).await?;
        } else if facts.factor.is_none() && second_factor_rule::of(tx).await?.asks(facts.role) {
            // Of their role now a second factor is asked, which they do not have.
            second_factor::end_sessions(tx, self.id, None).await?;
        }
        let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
        leaf.append(tx, numbers.leaf).await?;
        self.event.append(tx, numbers.event).await?;
        Ok(Changed::Done)
    }
}

struct SetPreferences {
    id: UserId,
    /// The sealed profile that the change was planned on, and the one that takes its place.
    profile: Option<(Vec<u8>, Vec<u8>, KeyId)>,
    language: Option<Language>,
    colour_scheme: Option<ColourScheme>,
    shortcuts: Option<bool>,
    leaf: NewLeaf,
    event: Event,
}

impl Write for SetPreferences {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        if let Some((before, after, key)) = &self.profile {
            // Every seal has its own nonce, so the same bytes are the same version.
            tx.execute_one(
                sql!(
                    "UPDATE user_account SET profile = $4, key_id = $5 \
                     WHERE tenant_id = $1 AND id = $2 AND profile = $3"
                ),
                params![tenant, self.id, before, after, *key],
            )
            .await?;
        }
        tx.execute_one(
            sql!(
                "UPDATE user_account SET language = coalesce($3, language), \
                 colour_scheme = coalesce($4, colour_scheme), shortcuts = coalesce($5, shortcuts) \
                 WHERE tenant_id = $1 AND id = $2"
            ),
            params![
                tenant,
                self.id,
                self.language.map(Language::tag),
                self.colour_scheme.map(ColourScheme::as_str),
                self.shortcuts
            ],
        )
        .await?;
        let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await?;
        self.event.append(tx, numbers.event).await
    }
}

struct SetPassword {
    keys: Arc<TenantKeys>,
    id: UserId,
    standing: UserStanding,
    /// Sealed for the row of the user.
    credential: Vec<u8>,
    keep: Option<SessionId>,
    leaf: NewLeaf,
    /// Tells live streams, on every node, to look at their session again.
    event: Event,
}

impl Write for SetPassword {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        // As for a change by an admin: the two take turns.
        counters::take(tx, Needs::default()).await?;
        // What the current password was checked against: of two changes at once the second did not know the first.
        let mut facts = Facts::standing_as(tx, &self.keys, self.id, &self.standing).await?;
        facts.credential.clone_from(&self.credential);
        facts.credential_key = self.keys.settings.id();
        let before = facts.proof.take();
        facts.replace(tx, &self.keys, before.as_ref()).await?;
        second_factor::end_steps(tx, self.id).await?;
        second_factor::end_sessions(tx, self.id, self.keep).await?;
        let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
        self.event.append(tx, numbers.event).await?;
        self.leaf.append(tx, numbers.leaf).await
    }
}

impl Store {
    /// The password of a user whose facts hold, as a PHC string.
    pub(crate) async fn open_password(
        &self,
        tenant: TenantId,
        facts: &Facts,
    ) -> Result<Pii<String>, StoreError> {
        let context = SealContext { tenant, column: columns::USER_ACCOUNT_CREDENTIAL, row: facts.id.uuid() };
        let hash = self.key(tenant, facts.credential_key).await?.open(&context, &facts.credential)?;
        let hash = String::from_utf8(hash.to_vec());
        hash.map(Pii::new).map_err(|_| StoreError::Inconsistent { what: "a password that is no text" })
    }

    /// The address of a user, out of their sealed profile.
    pub(crate) async fn open_email(
        &self,
        tenant: TenantId,
        id: UserId,
        key: KeyId,
        profile: &[u8],
    ) -> Result<Pii<String>, StoreError> {
        let column = columns::USER_ACCOUNT_PROFILE;
        let profile: Profile = self.open_json(tenant, column, id.uuid(), key, profile).await?;
        Ok(Pii::new(profile.email))
    }

    async fn open_user(&self, access: &Access, row: UserRow) -> Result<User, StoreError> {
        let profile: Profile = self
            .open_json(access.tenant(), columns::USER_ACCOUNT_PROFILE, row.id.uuid(), row.key, &row.profile)
            .await?;
        Ok(User {
            id: row.id,
            name: Pii::new(profile.name),
            email: Pii::new(profile.email),
            role: row.role,
            privacy_officer: row.privacy_officer,
            state: row.state,
            language: row.language,
            colour_scheme: row.colour_scheme,
            single_key_shortcuts: row.shortcuts,
            created_at: row.created_at,
            last_seen_at: row.last_seen_at,
            second_factor: row.facts.factor.is_some(),
            second_factor_reset_at: row.factor_reset_at,
        })
    }

    /// The users of the tenant, by name.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn users(&self, access: &Access) -> Result<Vec<User>, StoreError> {
        access.to(Use::Name)?;
        let (mut users, keys) = (Vec::new(), self.keys(access).await?);
        for row in self.read(access, AllUsers).await? {
            if !row.facts.hold(&keys) {
                continue;
            }
            users.push(self.open_user(access, row).await?);
        }
        users.sort_by_cached_key(|user| (user.name.expose().to_lowercase(), user.id));
        Ok(users)
    }

    /// One user of the tenant.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the tenant has no such user; the engine's errors.
    pub async fn user(&self, access: &Access, id: UserId) -> Result<User, StoreError> {
        access.to(Use::Name)?;
        let row = self.read(access, OneUser(id)).await?;
        if !row.facts.hold(&*self.keys(access).await?) {
            return Err(StoreError::NotFound);
        }
        self.open_user(access, row).await
    }

    /// Changes role, state or duty of a user; an instruction. Who is blocked is signed out at once.
    ///
    /// # Errors
    /// [`UserChangeError`], and nothing is changed then; [`StoreError::NotFound`].
    pub async fn change_user(
        &self,
        access: &Access,
        id: UserId,
        change: UserChange,
    ) -> Result<User, UserChangeError> {
        access.to(Use::Configure)?;
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, json!({}))?;
        let event = Event { user: Some(id), ..Event::new(EventKind::UserChanged, now) };
        let by = access.user();
        match self.write(access, ChangeUser { keys, id, change, by, leaf, event }).await? {
            Changed::Done => Ok(self.user(access, id).await?),
            Changed::LastAdmin => Err(UserChangeError::LastAdmin),
            Changed::LastOfficer => Err(UserChangeError::LastOfficer),
        }
    }

    /// Changes the settings of the user who asks.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when a program asks, [`StoreError::Conflict`] when the name was
    /// changed at the same moment; the engine's errors.
    pub async fn set_preferences(&self, access: &Access, wanted: Preferences) -> Result<User, StoreError> {
        access.to(Use::Configure)?;
        let id = access.user().ok_or(StoreError::NotFound)?;
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let mut changed = Vec::new();
        let profile = match wanted.name {
            None => None,
            Some(name) => {
                changed.push("name");
                let row = self.read(access, OneUser(id)).await?;
                let column = columns::USER_ACCOUNT_PROFILE;
                let mut profile: Profile =
                    self.open_json(access.tenant(), column, id.uuid(), row.key, &row.profile).await?;
                profile.name = name.into_inner();
                let sealed = seal_json(&keys, self.random(), column, id.uuid(), &profile)?;
                Some((row.profile, sealed, keys.settings.id()))
            }
        };
        changed.extend(wanted.language.map(|_| "language"));
        changed.extend(wanted.colour_scheme.map(|_| "colour_scheme"));
        changed.extend(wanted.single_key_shortcuts.map(|_| "single_key_shortcuts"));
        let detail = json!({ "act": "preferences", "user": id, "changed": changed });
        let change = SetPreferences {
            id,
            profile,
            language: wanted.language,
            colour_scheme: wanted.colour_scheme,
            shortcuts: wanted.single_key_shortcuts,
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Membership, detail)?,
            event: Event { user: Some(id), ..Event::new(EventKind::UserChanged, now) },
        };
        self.write(access, change).await?;
        self.user(access, id).await
    }

    /// The password of the user who asks, to check the current one against.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when a program asks; the engine's errors.
    pub async fn own_password(&self, access: &Access) -> Result<OwnPassword, StoreError> {
        access.to(Use::Configure)?;
        let id = access.user().ok_or(StoreError::NotFound)?;
        let facts = self.read(access, FactsOf(id)).await?;
        if !facts.hold(&*self.keys(access).await?) {
            return Err(StoreError::NotFound);
        }
        let hash = self.open_password(access.tenant(), &facts).await?;
        Ok(OwnPassword { hash, standing: facts.standing() })
    }

    /// Prepares the write that sets the password of the user who asks (a PHC string) and ends their
    /// sessions but `keep`; `checked` is what the current password was checked against. The write is a
    /// [`StoreError::Conflict`] when that has changed meanwhile.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when a program asks; the engine's errors.
    pub async fn prepare_password(
        &self,
        access: &Access,
        checked: &OwnPassword,
        hash: Pii<String>,
        keep: Option<SessionId>,
    ) -> Result<impl Write<Out = ()> + use<>, StoreError> {
        access.to(Use::Configure)?;
        let id = access.user().ok_or(StoreError::NotFound)?;
        let keys = self.keys(access).await?;
        let detail = json!({ "act": "password_changed", "user": id });
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Membership, detail)?;
        let credential = seal_password(&keys, self.random(), id, &hash);
        let event = Event { user: Some(id), ..Event::new(EventKind::UserChanged, access.clock().now()) };
        Ok(SetPassword { keys, id, standing: checked.standing.clone(), credential, keep, leaf, event })
    }
}

impl SystemTx<'_> {
    /// The blind index of an address with which somebody signs in. It is made with the
    /// installation's key, since the tenant is not known then.
    pub(crate) async fn login_index(&self, email: &EmailAddress) -> Result<[u8; 16], StoreError> {
        let keys = self.store.tenant_keys(SYSTEM).await?;
        Ok(keys.lookup.index("login", &email.normalised()))
    }
}
