// SPDX-License-Identifier: EUPL-1.2
//! The ledger of the installation: what the operator's people and commands did. It is made, signed,
//! exported and verified as the ledger of a tenant, under the installation's own keys. It says which
//! tenant was acted upon, and nothing of what a tenant holds.

use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use belofte_model::{Actor, LedgerKind, OperatorUserId, TenantId};
use serde_json::{Value, json};

use crate::counters::{self, Needs};
use crate::keys::SYSTEM;
use crate::{Access, NewLeaf, StoreError, SystemTx, Tx, Write};

/// Something that is done for the operator. What a command does is written before it is done, so that
/// nothing is done without a trace.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum OperatorAct {
    /// Somebody of the operator signed in, from the network of this address.
    SignedIn(IpAddr),
    /// A sign-in was refused; `of` is the operator user that was named, if there is one.
    SignInRefused {
        /// Who was named.
        of: Option<OperatorUserId>,
        /// From where.
        network: IpAddr,
    },
    /// Somebody of the operator signed out.
    SignedOut,
    /// An operator user is made.
    CreateOperator(OperatorUserId),
    /// A tenant is made; it has this short name.
    CreateTenant(String),
    /// The keys of a tenant are rotated; the installation's own without one.
    RotateKeys(Option<TenantId>),
    /// The root key is changed.
    ChangeRootKey,
    /// Keys were brought back from a back-up.
    RestoredKeys,
    /// A command makes a back-up of keys.
    BackUpKeys,
    /// A command makes a back-up of content.
    BackUpContent,
    /// What was restored is accepted as the newest.
    AcceptRestore,
    /// The key of an epoch of back-ups is made.
    MakeEpochKey(i64),
    /// The key of an epoch of back-ups is destroyed, and with it all that it sealed.
    DestroyEpochKey(i64),
    /// The ledger of the installation itself is read out.
    ExportLog,
}

impl OperatorAct {
    const fn kind(&self) -> LedgerKind {
        match self {
            Self::SignedIn(_) | Self::SignInRefused { .. } | Self::SignedOut => LedgerKind::SignIn,
            Self::CreateOperator(_) => LedgerKind::Membership,
            Self::RotateKeys(_)
            | Self::ChangeRootKey
            | Self::RestoredKeys
            | Self::BackUpKeys
            | Self::MakeEpochKey(_)
            | Self::DestroyEpochKey(_) => LedgerKind::Keys,
            Self::CreateTenant(_) | Self::BackUpContent | Self::AcceptRestore => LedgerKind::Instruction,
            Self::ExportLog => LedgerKind::Views,
        }
    }

    fn detail(&self) -> Value {
        match self {
            Self::SignedIn(network) => json!({ "act": "signed_in", "network": prefix(*network) }),
            Self::SignInRefused { of, network } => {
                json!({ "act": "sign_in_refused", "operator": of, "network": prefix(*network) })
            }
            Self::SignedOut => json!({ "act": "signed_out" }),
            Self::CreateOperator(id) => json!({ "act": "create_operator", "operator": id }),
            Self::CreateTenant(slug) => json!({ "act": "create_tenant", "tenant": slug }),
            Self::RotateKeys(tenant) => json!({ "act": "rotate_keys", "tenant": tenant }),
            Self::ChangeRootKey => json!({ "act": "change_root_key" }),
            Self::RestoredKeys => json!({ "act": "restored_keys" }),
            Self::BackUpKeys => json!({ "act": "back_up_keys" }),
            Self::BackUpContent => json!({ "act": "back_up_content" }),
            Self::AcceptRestore => json!({ "act": "accept_restore" }),
            Self::MakeEpochKey(epoch) => json!({ "act": "make_epoch_key", "epoch": epoch }),
            Self::DestroyEpochKey(epoch) => json!({ "act": "destroy_epoch_key", "epoch": epoch }),
            Self::ExportLog => json!({ "act": "export_log" }),
        }
    }
}

/// The network that an address lies in: enough to see that it is not one's own, too little to say
/// which machine it is.
fn prefix(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            let [a, b, c, _] = address.octets();
            format!("{a}.{b}.{c}.0/24")
        }
        IpAddr::V6(address) => {
            let [a, b, c, ..] = address.segments();
            format!("{}/48", Ipv6Addr::new(a, b, c, 0, 0, 0, 0, 0))
        }
    }
}

/// Appends a leaf in a transaction of the installation.
pub(crate) async fn append(tx: &mut Tx<'_>, leaf: &NewLeaf) -> Result<(), StoreError> {
    let no = counters::take(tx, Needs { leaves: 1, ..Needs::default() }).await?.leaf;
    leaf.append(tx, no).await
}

struct Note(NewLeaf);

impl Write for Note {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        append(tx, &self.0).await
    }
}

impl SystemTx<'_> {
    pub(crate) async fn leaf_of(&self, by: Actor, act: &OperatorAct) -> Result<NewLeaf, StoreError> {
        let (store, keys) = (self.store, self.store.tenant_keys(SYSTEM).await?);
        NewLeaf::by(by, store.clock().now(), &keys, store.random(), act.kind(), act.detail())
    }

    /// Writes into the ledger of the installation what is done; a command acts as
    /// [`Actor::System`].
    ///
    /// # Errors
    /// [`StoreError::NotFound`] before the installation was founded; the engine's errors.
    pub async fn note(&self, by: Actor, act: &OperatorAct) -> Result<(), StoreError> {
        let leaf = self.leaf_of(by, act).await?;
        self.store.write_for(Some(SYSTEM), Arc::new(Note(leaf))).await
    }

    /// Signs the ledger of the installation as it is now.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when its entries are not those that were signed before; the
    /// engine's errors.
    pub async fn sign_installation(&self) -> Result<(), StoreError> {
        self.store.make_checkpoint(&self.installation()).await.map(drop)
    }

    /// The access to the ledger of the installation, and to nothing else: no tenant has its id.
    #[must_use]
    pub fn installation(&self) -> Access {
        Access::installation(SYSTEM, self.store.clock().clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_its_network_is_told() {
        let told = |text: &str| prefix(text.parse().expect("an address"));
        assert_eq!(told("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(told("::ffff:192.0.2.77"), "192.0.2.0/24");
        assert_eq!(told("2001:db8:1:2:3::4"), "2001:db8:1::/48");
    }
}
