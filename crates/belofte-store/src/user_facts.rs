// SPDX-License-Identifier: EUPL-1.2
//! What a user is let in by: role, state, password and second factor, under the proof of their row (decision 8).

use belofte_model::{InvitationId, KeyId, Role, SecondFactorId, UserId, UserState};
use serde_json::{Value, json};
use uuid::Uuid;

use crate::engine::{params, sql};
use crate::proof::{self, Grants, Part};
use crate::{Row, StoreError, TenantKeys, Tx};

/// The proof of a user's row: another password, role, state or second factor is another one. What was checked outside
/// a transaction holds in it as long as this is the same.
#[derive(Clone, PartialEq, Eq)]
pub(crate) struct UserStanding(pub(crate) Vec<u8>);

impl std::fmt::Debug for UserStanding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("UserStanding(..)")
    }
}

/// What a user is let in by, as the row says: what its proof covers.
pub(crate) struct Facts {
    pub(crate) id: UserId,
    pub(crate) role: Role,
    pub(crate) privacy_officer: bool,
    pub(crate) state: UserState,
    pub(crate) login_index: Vec<u8>,
    /// The password as a PHC string, sealed for this row.
    pub(crate) credential: Vec<u8>,
    pub(crate) credential_key: KeyId,
    pub(crate) invitation: InvitationId,
    pub(crate) proof: Option<Vec<u8>>,
    /// Their second factor, whose secret stands in a row with this id.
    pub(crate) factor: Option<SecondFactorId>,
}

/// The columns of [`Facts`] in their order, of the table `user_account u`.
macro_rules! facts {
    () => {
        "u.id, u.role, u.privacy_officer, u.state, u.login_index, u.credential, u.credential_key_id, \
         u.invitation_id, u.proof, u.factor_id"
    };
}
pub(crate) use facts;

impl Facts {
    /// Reads the columns from number `at` on. A row without credential or invitation is none of
    /// ours, and fails its proof.
    pub(crate) fn read(row: &Row<'_>, at: usize) -> Result<Self, StoreError> {
        Ok(Self {
            id: row.id(at)?,
            role: row.name(at + 1, Role::parse)?,
            privacy_officer: row.bool(at + 2)?,
            state: row.name(at + 3, UserState::parse)?,
            login_index: row.bytes(at + 4)?,
            credential: row.opt_bytes(at + 5)?.unwrap_or_default(),
            credential_key: row.opt_id(at + 6)?.unwrap_or(KeyId(Uuid::nil())),
            invitation: row.opt_id(at + 7)?.unwrap_or(InvitationId(Uuid::nil())),
            proof: row.opt_bytes(at + 8)?,
            factor: row.opt_id(at + 9)?,
        })
    }

    fn parts(&self) -> Vec<Part<'_>> {
        let mut parts = vec![
            Part::Id(self.id.uuid()),
            Part::Bytes(self.role.as_str().as_bytes()),
            Part::Int(i64::from(self.privacy_officer)),
            Part::Bytes(self.state.as_str().as_bytes()),
            Part::Bytes(&self.login_index),
            Part::Bytes(&self.credential),
            Part::Id(self.credential_key.uuid()),
            Part::Id(self.invitation.uuid()),
        ];
        // Without a second factor a proof is what it was before there were any.
        parts.extend(self.factor.map(|factor| Part::Id(factor.uuid())));
        parts
    }

    /// What was there when these facts were read.
    pub(crate) fn standing(&self) -> UserStanding {
        UserStanding(self.proof.clone().unwrap_or_default())
    }

    pub(crate) fn prove(&self, keys: &TenantKeys) -> [u8; 16] {
        proof::of(keys, Grants::User, &self.parts())
    }

    /// Whether this house wrote them.
    pub(crate) fn hold(&self, keys: &TenantKeys) -> bool {
        proof::holds(keys, Grants::User, &self.parts(), self.proof.as_deref())
    }

    pub(crate) fn is_admin(&self) -> bool {
        self.role == Role::Admin && self.state == UserState::Active
    }

    pub(crate) fn is_officer(&self) -> bool {
        self.privacy_officer && self.state == UserState::Active
    }

    /// What the ledger says of them.
    pub(crate) fn told(&self) -> Value {
        json!({ "role": self.role, "state": self.state, "privacy_officer": self.privacy_officer })
    }

    /// Those of a user, in a transaction that will change them; refused when this house did not
    /// write them, so that no change makes them good.
    pub(crate) async fn of(tx: &mut Tx<'_>, keys: &TenantKeys, id: UserId) -> Result<Self, StoreError> {
        let tenant = tx.tenant();
        let facts = tx
            .query_one(
                sql!(concat!(
                    "SELECT ",
                    facts!(),
                    " FROM user_account u WHERE u.tenant_id = $1 AND u.id = $2"
                )),
                params![tenant, id],
                |row| Self::read(row, 0),
            )
            .await?;
        if facts.hold(keys) { Ok(facts) } else { Err(StoreError::NotFound) }
    }

    /// Those of a user who can sign in, as long as they are what was checked before the transaction.
    pub(crate) async fn standing_as(
        tx: &mut Tx<'_>,
        keys: &TenantKeys,
        id: UserId,
        standing: &UserStanding,
    ) -> Result<Self, StoreError> {
        let facts = Self::of(tx, keys, id).await?;
        let same = facts.state == UserState::Active && facts.standing() == *standing;
        if same { Ok(facts) } else { Err(StoreError::Conflict) }
    }

    /// Gives the user another second factor, or takes theirs away.
    pub(crate) async fn set_factor(
        mut self,
        tx: &mut Tx<'_>,
        keys: &TenantKeys,
        factor: Option<SecondFactorId>,
    ) -> Result<(), StoreError> {
        self.factor = factor;
        let before = self.proof.take();
        self.replace(tx, keys, before.as_ref()).await
    }

    /// Stores `self` in the place of what the proof `before` covered.
    pub(crate) async fn replace(
        &self,
        tx: &mut Tx<'_>,
        keys: &TenantKeys,
        before: Option<&Vec<u8>>,
    ) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute_one(
            sql!(
                "UPDATE user_account SET role = $3, privacy_officer = $4, state = $5, credential = $6, \
                 credential_key_id = $7, proof = $8, factor_id = $9 WHERE tenant_id = $1 AND id = $2 \
                 AND proof = $10"
            ),
            params![
                tenant,
                self.id,
                self.role.as_str(),
                self.privacy_officer,
                self.state.as_str(),
                &self.credential,
                self.credential_key,
                &self.prove(keys),
                self.factor,
                before
            ],
        )
        .await
    }
}
