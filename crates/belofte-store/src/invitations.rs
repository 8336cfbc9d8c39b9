// SPDX-License-Identifier: EUPL-1.2
//! Invitations: the only way in which a user comes to be. Single use, with an end; of the token
//! only its hash is stored.

use std::sync::Arc;

use belofte_model::{
    Actor, EmailAddress, EventKind, INVITATION_LIFE, InvitationId, Language, LedgerKind, Role,
    SignInStepKind, TenantId, Timestamp, Use, UserId,
};
use belofte_vault::{Pii, Random, new_token, token_hash};
use serde_json::{Value, json};

use crate::clock::MOST_AHEAD;
use crate::counters::{self, Needs};
use crate::engine::{params, sql};
use crate::proof::{self, Grants, Part};
use crate::second_factor_rule::RuleOf;
use crate::sessions::{FreshSession, NewSession, Standing};
use crate::sign_in_steps::{FreshStep, Origin, SignInNext};
use crate::users::{FreshUser, is_officer};
use crate::{Access, Event, NewLeaf, Read, Store, StoreError, SystemTx, TenantKeys, Tx, Write};

/// An invitation that was just made.
#[derive(Debug)]
pub struct NewInvitation {
    /// Its id.
    pub id: InvitationId,
    /// The secret of its link, told once.
    pub token: Pii<String>,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// What the proof of an invitation covers.
fn parts<'a>(
    id: InvitationId,
    token_hash: &'a [u8; 32],
    role: Role,
    privacy_officer: bool,
    expires_at: Timestamp,
) -> [Part<'a>; 5] {
    [
        Part::Id(id.uuid()),
        Part::Bytes(token_hash),
        Part::Bytes(role.as_str().as_bytes()),
        Part::Int(i64::from(privacy_officer)),
        Part::Int(expires_at.as_micros()),
    ]
}

/// What the ledger says an invitation is worth.
fn told(role: Role, privacy_officer: bool, expires_at: Timestamp) -> Value {
    json!({ "role": role, "privacy_officer": privacy_officer, "expires_at": expires_at })
}

/// An invitation before it is stored.
pub(crate) struct FreshInvitation {
    id: InvitationId,
    token_hash: [u8; 32],
    role: Role,
    privacy_officer: bool,
    created_by: Option<UserId>,
    proof: [u8; 16],
    now: Timestamp,
}

impl FreshInvitation {
    pub(crate) fn new(
        keys: &TenantKeys,
        random: &Random,
        now: Timestamp,
        role: Role,
        privacy_officer: bool,
        created_by: Option<UserId>,
    ) -> (Self, NewInvitation) {
        let (id, token) = (InvitationId::new(now, random.bytes()), new_token(random));
        let token_hash = token_hash(token.as_bytes());
        let told = NewInvitation { id, token: Pii::new(token), expires_at: now + INVITATION_LIFE };
        let parts = parts(id, &token_hash, role, privacy_officer, told.expires_at);
        let proof = proof::of(keys, Grants::Invitation, &parts);
        (Self { id, token_hash, role, privacy_officer, created_by, proof, now }, told)
    }

    /// What the ledger says of it.
    pub(crate) fn detail(&self) -> Value {
        json!({
            "what": "invitation",
            "act": "created",
            "invitation": self.id,
            "before": null,
            "after": told(self.role, self.privacy_officer, self.now + INVITATION_LIFE),
        })
    }

    pub(crate) async fn insert(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!(
                "INSERT INTO invitation (tenant_id, id, token_hash, role, privacy_officer, created_by, created_at, \
                 expires_at, proof) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
            ),
            params![
                tenant,
                self.id,
                &self.token_hash,
                self.role.as_str(),
                self.privacy_officer,
                self.created_by,
                self.now,
                self.now + INVITATION_LIFE,
                &self.proof
            ],
        )
        .await
    }
}

/// An invitation in a list.
#[derive(Clone, Debug)]
pub struct Invitation {
    /// Its id.
    pub id: InvitationId,
    /// What the one who accepts it may do.
    pub role: Role,
    /// Whether they get the duty of privacy officer.
    pub privacy_officer: bool,
    /// Who made it; nobody made the first one.
    pub created_by: Option<UserId>,
    /// When it was made.
    pub created_at: Timestamp,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

/// An invitation that can be accepted, found by its token.
#[derive(Clone, Debug)]
pub struct OpenInvitation {
    pub(crate) tenant: TenantId,
    pub(crate) id: InvitationId,
    /// The name of the organisation that invites.
    pub tenant_name: String,
    /// What the one who accepts it may do.
    pub role: Role,
    /// Whether they get the duty of privacy officer.
    pub privacy_officer: bool,
    /// Until when it can be accepted.
    pub expires_at: Timestamp,
}

impl OpenInvitation {
    /// The organisation that invites.
    #[must_use]
    pub const fn tenant(&self) -> TenantId {
        self.tenant
    }
}

/// What somebody who accepts an invitation says about themselves.
#[derive(Clone, Debug)]
pub struct NewUser {
    /// Their name.
    pub name: Pii<String>,
    /// The address that they will sign in with.
    pub email: EmailAddress,
    /// The language of their desk.
    pub language: Language,
    /// Their password as a PHC string, never the password.
    pub password_hash: Pii<String>,
    /// What their browser calls itself.
    pub user_agent: Pii<String>,
}

struct Invite {
    keys: Arc<TenantKeys>,
    invitation: FreshInvitation,
    leaf: NewLeaf,
}

impl Write for Invite {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let FreshInvitation { privacy_officer, created_by, .. } = self.invitation;
        if privacy_officer && !is_officer(tx, &self.keys, created_by).await? {
            return Err(StoreError::NotOfficer);
        }
        self.invitation.insert(tx).await?;
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await
    }
}

struct OpenOnes(Timestamp);

impl Read for OpenOnes {
    type Out = Vec<Invitation>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, role, privacy_officer, created_by, created_at, expires_at FROM invitation \
                 WHERE tenant_id = $1 AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $2 \
                 ORDER BY id DESC"
            ),
            params![tenant, self.0],
            |row| {
                Ok(Invitation {
                    id: row.id(0)?,
                    role: row.name(1, Role::parse)?,
                    privacy_officer: row.bool(2)?,
                    created_by: row.opt_id(3)?,
                    created_at: row.time(4)?,
                    expires_at: row.time(5)?,
                })
            },
        )
        .await
    }
}

struct Revoke {
    id: InvitationId,
    now: Timestamp,
    leaf: NewLeaf,
}

impl Write for Revoke {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let before = tx
            .query_opt(
                sql!(
                    "SELECT role, privacy_officer, expires_at FROM invitation WHERE tenant_id = $1 AND id = $2"
                ),
                params![tenant, self.id],
                |row| Ok(told(row.name(0, Role::parse)?, row.bool(1)?, row.time(2)?)),
            )
            .await?;
        let before = before.ok_or(StoreError::NotFound)?;
        let revoked = tx
            .execute(
                sql!(
                    "UPDATE invitation SET revoked_at = $3, proof = NULL WHERE tenant_id = $1 AND id = $2 AND used_at IS NULL \
                     AND revoked_at IS NULL AND expires_at > $3"
                ),
                params![tenant, self.id, self.now],
            )
            .await?;
        if revoked == 0 {
            return Err(StoreError::NotFound);
        }
        let leaf = self.leaf.telling(json!({
            "what": "invitation",
            "act": "revoked",
            "invitation": self.id,
            "before": before,
            "after": null,
        }))?;
        let numbers = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?;
        leaf.append(tx, numbers.leaf).await
    }
}

struct ByToken {
    token_hash: [u8; 32],
    now: Timestamp,
}

impl Read for ByToken {
    type Out = Option<(OpenInvitation, Option<Vec<u8>>)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query_opt(
            sql!(
                "SELECT i.tenant_id, i.id, t.name, i.role, i.privacy_officer, i.expires_at, i.proof \
                 FROM invitation i JOIN tenant t ON t.id = i.tenant_id WHERE i.token_hash = $1 \
                 AND i.used_at IS NULL AND i.revoked_at IS NULL AND i.expires_at > $2 AND i.expires_at <= $3 \
                 AND t.state = 'active'"
            ),
            params![&self.token_hash, self.now, self.now + INVITATION_LIFE + MOST_AHEAD],
            |row| {
                let open = OpenInvitation {
                    tenant: row.id(0)?,
                    id: row.id(1)?,
                    tenant_name: row.text(2)?,
                    role: row.name(3, Role::parse)?,
                    privacy_officer: row.bool(4)?,
                    expires_at: row.time(5)?,
                };
                Ok((open, row.opt_bytes(6)?))
            },
        )
        .await
    }
}

/// With what somebody goes on who has accepted.
enum Entry {
    Session(FreshSession),
    /// Of their role a second factor is asked.
    Step(FreshStep),
}

struct Accept {
    invitation: InvitationId,
    user: FreshUser,
    entry: Entry,
    leaves: [NewLeaf; 2],
    event: Event,
    now: Timestamp,
}

impl Write for Accept {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        // The one statement that decides between two who accept at the same moment. It takes the proof
        // away: the row is never good again, and neither is a copy of it, since its user is there.
        let used = tx
            .execute(
                sql!(
                    "UPDATE invitation SET used_at = $3, proof = NULL WHERE tenant_id = $1 AND id = $2 \
                     AND used_at IS NULL AND revoked_at IS NULL AND expires_at > $3 \
                     AND NOT EXISTS (SELECT 1 FROM user_account WHERE tenant_id = $1 AND invitation_id = $2)"
                ),
                params![tenant, self.invitation, self.now],
            )
            .await?;
        if used == 0 {
            return Err(StoreError::NotFound);
        }
        self.user.insert(tx).await?;
        // Where the rule has changed at this moment a session that was made does not hold.
        match &self.entry {
            Entry::Session(session) => session.insert(tx).await?,
            Entry::Step(step) => step.insert(tx).await?,
        }
        let numbers = counters::take(tx, Needs { events: 1, leaves: 2, ..Needs::default() }).await?;
        for (leaf, no) in self.leaves.iter().zip(numbers.leaf..) {
            leaf.append(tx, no).await?;
        }
        self.event.append(tx, numbers.event).await
    }
}

impl Store {
    /// Prepares an invitation, and the write that makes it exist; an instruction. Its token is in the
    /// answer and nowhere else. The write answers [`StoreError::NotOfficer`] when the invitation gives
    /// the duty of privacy officer and who invites does not have it.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn prepare_invitation(
        &self,
        access: &Access,
        role: Role,
        privacy_officer: bool,
    ) -> Result<(impl Write<Out = ()> + use<>, NewInvitation), StoreError> {
        access.to(Use::Configure)?;
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let (invitation, told) =
            FreshInvitation::new(&keys, self.random(), now, role, privacy_officer, access.user());
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, invitation.detail())?;
        Ok((Invite { keys, invitation, leaf }, told))
    }

    /// The invitations that can still be accepted, newest first.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn invitations(&self, access: &Access) -> Result<Vec<Invitation>, StoreError> {
        access.to(Use::Configure)?;
        self.read(access, OpenOnes(access.clock().now())).await
    }

    /// Takes an invitation back.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when it is unknown, used, revoked or over.
    pub async fn revoke_invitation(&self, access: &Access, id: InvitationId) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        let keys = self.keys(access).await?;
        let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, json!({}))?;
        self.write(access, Revoke { id, now: access.clock().now(), leaf }).await
    }
}

impl SystemTx<'_> {
    /// The invitation of `token`, if it can be accepted now.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn invitation_by_token(&self, token: &str) -> Result<Option<OpenInvitation>, StoreError> {
        let (token_hash, now) = (token_hash(token.as_bytes()), self.store.clock().now());
        let found = self.store.read_for(None, Arc::new(ByToken { token_hash, now })).await?;
        let Some((open, proof)) = found else { return Ok(None) };
        let keys = self.store.tenant_keys(open.tenant).await?;
        let parts = parts(open.id, &token_hash, open.role, open.privacy_officer, open.expires_at);
        Ok(proof::holds(&keys, Grants::Invitation, &parts, proof.as_deref()).then_some(open))
    }

    /// Makes a user of who accepts `invitation`, and signs them in.
    ///
    /// # Errors
    /// As [`join`](Self::join); [`StoreError::Conflict`] also where they have joined and are asked a second factor.
    pub async fn accept_invitation(
        &self,
        invitation: &OpenInvitation,
        user: &NewUser,
    ) -> Result<NewSession, StoreError> {
        match self.join(invitation, user).await? {
            SignInNext::Session(session) => Ok(session),
            SignInNext::Step(_) => Err(StoreError::Conflict),
        }
    }

    /// Makes a user of who accepts `invitation`, and gives them a session, or where a second factor is asked of their
    /// role the step in which they set one up.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when the invitation was used, revoked or ran out in the meantime;
    /// [`StoreError::Conflict`] when the organisation has a user with this address (the invitation
    /// stays open then); the engine's errors.
    pub async fn join(&self, invitation: &OpenInvitation, user: &NewUser) -> Result<SignInNext, StoreError> {
        let store = self.store;
        let (tenant, now, random) = (invitation.tenant, store.clock().now(), store.random());
        let keys = store.tenant_keys(tenant).await?;
        let login = self.login_index(&user.email).await?;
        let fresh = FreshUser::new(&keys, random, now, invitation, user, login)?;
        let id = fresh.id;
        let asked = store.read_for(Some(tenant), Arc::new(RuleOf)).await?.asks(invitation.role);
        let (entry, detail, next) = if asked {
            let kind = SignInStepKind::Enrolment;
            let (step, told) =
                FreshStep::new(&keys, random, now, id, kind, fresh.standing(), Origin::of_invitation());
            (Entry::Step(step), FreshStep::detail(id), SignInNext::Step(told))
        } else {
            let standing = Standing {
                role: invitation.role,
                privacy_officer: invitation.privacy_officer,
                language: user.language,
            };
            let (session, told) = FreshSession::new(&keys, random, now, id, standing, &user.user_agent)?;
            let detail = session.detail();
            (Entry::Session(session), detail, SignInNext::Session(told))
        };
        let leaf = |kind, detail| NewLeaf::by(Actor::User(id), now, &keys, random, kind, detail);
        let joined = json!({
            "act": "joined",
            "invitation": invitation.id,
            "user": id,
            "role": invitation.role,
            "privacy_officer": invitation.privacy_officer,
        });
        let leaves = [leaf(LedgerKind::Membership, joined)?, leaf(LedgerKind::SignIn, detail)?];
        let event = Event { user: Some(id), ..Event::new(EventKind::UserChanged, now) };
        let accept = Accept { invitation: invitation.id, user: fresh, entry, leaves, event, now };
        store.write_for(Some(tenant), Arc::new(accept)).await?;
        Ok(next)
    }
}
