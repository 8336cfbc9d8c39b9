// SPDX-License-Identifier: EUPL-1.2
//! From the address on an envelope to the channel account that has it, before any tenant is known.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use belofte_model::{AccountState, ChannelKind, Duration, EmailAddress, KeyId, TenantId, Timestamp};

use crate::access::ResolvedAccount;
use crate::account_settings::Settings;
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::keys::SYSTEM;
use crate::system::SystemTx;
use crate::{Read, StoreError, Tx};

/// An account that was found stays at hand for so long. Other nodes may have changed it meanwhile.
const AT_HAND: Duration = Duration::from_secs(1);
/// So many accounts at most.
const ACCOUNTS: usize = 4_096;

/// Accounts that were found lately, by the blind index of their address. Those that were not found are
/// not kept: whoever connects names as many as they like.
#[derive(Default)]
pub(crate) struct Resolved {
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    accounts: HashMap<[u8; 16], (ResolvedAccount, Timestamp)>,
    /// Counts how often all were forgotten.
    turn: u64,
}

impl Resolved {
    fn known(&self) -> std::sync::MutexGuard<'_, Known> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn get(&self, index: [u8; 16], now: Timestamp) -> Option<ResolvedAccount> {
        let known = self.known();
        let (account, at) = known.accounts.get(&index)?;
        (now >= *at && now.since(*at) < AT_HAND).then(|| account.clone())
    }

    fn turn(&self) -> u64 {
        self.known().turn
    }

    /// Keeps what was read at `now`, unless all were forgotten since `turn`.
    fn put(&self, index: [u8; 16], account: &ResolvedAccount, now: Timestamp, turn: u64) {
        let mut known = self.known();
        if known.turn == turn {
            if known.accounts.len() >= ACCOUNTS {
                known.accounts.clear();
            }
            known.accounts.insert(index, (account.clone(), now));
        }
    }

    /// Forgets all: an account was changed.
    pub(crate) fn forget(&self) {
        let mut known = self.known();
        known.accounts.clear();
        known.turn += 1;
    }
}

struct ByAddress([u8; 16]);

/// An account as the address index has it, with its sealed settings, which say whether that is so.
struct Indexed {
    account: ResolvedAccount,
    settings: Vec<u8>,
    key: KeyId,
}

impl Read for ByAddress {
    type Out = Option<Indexed>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        tx.query_opt(
            sql!(
                "SELECT a.tenant_id, a.id, a.kind, a.state, a.queue_id, a.settings, a.key_id FROM account_address d \
                 JOIN channel_account a ON a.tenant_id = d.tenant_id AND a.id = d.account_id \
                 JOIN tenant t ON t.id = d.tenant_id \
                 WHERE d.address_index = $1 AND a.state <> 'removed' AND t.state = 'active'"
            ),
            params![&self.0],
            |row| {
                let account = ResolvedAccount {
                    tenant: row.id::<TenantId>(0)?,
                    id: row.id(1)?,
                    kind: row.name(2, ChannelKind::parse)?,
                    state: row.name(3, AccountState::parse)?,
                    queue: row.id(4)?,
                };
                Ok(Indexed { account, settings: row.bytes(5)?, key: row.id(6)? })
            },
        )
        .await
    }
}

impl SystemTx<'_> {
    pub(crate) async fn address_index(&self, address: &EmailAddress) -> Result<[u8; 16], StoreError> {
        let keys = self.store.tenant_keys(SYSTEM).await?;
        Ok(keys.lookup.index("account_address", &address.normalised()))
    }

    /// The account that receives what is sent to `address`; the caller takes a plus detail off.
    /// A paused account is found and says so, a removed one is not found. What was found within the last
    /// second is answered again, unless this node changed an account since: whoever files what comes in
    /// reads the account once more.
    ///
    /// # Errors
    /// As [`account_by_address`](Self::account_by_address).
    pub async fn resolve_address(
        &self,
        address: &EmailAddress,
    ) -> Result<Option<ResolvedAccount>, StoreError> {
        let index = self.address_index(address).await?;
        let (resolved, now) = (self.store.resolved(), self.store.clock().now());
        if let Some(account) = resolved.get(index, now) {
            return Ok(Some(account));
        }
        let turn = resolved.turn();
        let found = self.account_by_address(address).await?;
        if let Some(account) = &found {
            resolved.put(index, account, now, turn);
        }
        Ok(found)
    }

    /// The account that has `address`, from its rows. A paused account is found and says so, a removed one is not found.
    ///
    /// # Errors
    /// [`StoreError::Inconsistent`] when the account does not have that address: somebody wrote the
    /// row of the index by hand (decision 15). The engine's errors and those of sealing.
    pub async fn account_by_address(
        &self,
        address: &EmailAddress,
    ) -> Result<Option<ResolvedAccount>, StoreError> {
        let index = self.address_index(address).await?;
        let found = self.store.read_for(None, Arc::new(ByAddress(index))).await?;
        let Some(Indexed { account, settings, key }) = found else { return Ok(None) };
        // The index is open to whoever can write into the database; the settings are sealed for the
        // account and its tenant.
        let (column, id) = (columns::CHANNEL_ACCOUNT_SETTINGS, account.id.uuid());
        let settings: Settings = self.store.open_json(account.tenant, column, id, key, &settings).await?;
        let own = EmailAddress::parse(&settings.address);
        if own.is_ok_and(|own| own.normalised() == address.normalised()) {
            return Ok(Some(account));
        }
        tracing::error!(account = %account.id, "an address leads to an account that does not have it");
        Err(StoreError::Inconsistent { what: "account_address: the account has another address" })
    }
}
