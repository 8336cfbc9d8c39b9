// SPDX-License-Identifier: EUPL-1.2
//! Channel accounts: the mailboxes through which customers come in, with what is needed to answer.
//!
//! Their settings are sealed as one value. Each change is an instruction of the tenant: its leaf
//! holds the settings as they are then, and of a password only that it changed.

use belofte_model::{
    AccountState, ChannelAccountId, ChannelKind, EmailAddress, EventKind, JobId, KeyId, Language, LedgerKind,
    LineSecurity, QueueId, SignInWith, Timestamp, Use,
};
use belofte_vault::Pii;
use serde_json::{Value, json};

use crate::account_settings::{Settings, submission, told};
use crate::authorisations::{self, AccountProvider, NewProvider, SealedProvider};
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::recipients::Recorded;
use crate::retrievals::{NewRetrieval, Retrieval, Schedule, SealedRetrieval};
use crate::sealing::seal_json;
use crate::{Access, Event, NewLeaf, Read, Row, Store, StoreError, TenantKeys, Tx, Write, queues};

/// An account, without secrets.
#[derive(Clone, Debug)]
pub struct ChannelAccount {
    /// Its id.
    pub id: ChannelAccountId,
    /// What kind of channel it is.
    pub kind: ChannelKind,
    /// Whether it takes and sends.
    pub state: AccountState,
    /// Where its conversations begin.
    pub queue: QueueId,
    /// The address to which customers write.
    pub address: EmailAddress,
    /// The name under which answers go out.
    pub from_name: String,
    /// What stands below what agents write; see [`belofte_model::signed_as`].
    pub signature: String,
    /// The language of what is sent without a person.
    pub reply_language: Language,
    /// The server that takes answers, when there is one.
    pub submission: Option<Submission>,
    /// The mailbox that is read, when there is one.
    pub retrieval: Option<Retrieval>,
    /// The provider that authorises it, when there is one.
    pub authorisation: Option<AccountProvider>,
    /// Counts changes; a change names the version that it was made on.
    pub version: i64,
    /// When it was added.
    pub created_at: Timestamp,
}

/// A server that takes mail for delivery, without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Submission {
    /// A host name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the line is secured.
    pub security: LineSecurity,
    /// The user name, when the server wants one.
    pub username: Option<String>,
    /// How its user signs in.
    pub sign_in: SignInWith,
    /// Whether a password is known.
    pub password_set: bool,
}

/// An account with what is needed to send through it.
#[derive(Clone, Debug)]
pub struct AccountForDelivery {
    /// Whether the host of its submission server is on record as a recipient.
    pub recorded: bool,
    /// The account, without secrets.
    pub account: ChannelAccount,
    /// The password of its submission server.
    pub password: Option<Pii<String>>,
}

/// What becomes of the password of a submission server.
#[derive(Clone, Debug, Default)]
pub enum PasswordChange {
    /// It stays, if host, port and user name stay; a password goes to no other server than the one
    /// that it was given for.
    #[default]
    Keep,
    /// This one.
    Set(Pii<String>),
    /// None.
    Clear,
}

/// A submission server as an admin enters it.
#[derive(Clone, Debug)]
pub struct NewSubmission {
    /// A host name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the line is secured.
    pub security: LineSecurity,
    /// The user name, when the server wants one.
    pub username: Option<String>,
    /// How its user signs in.
    pub sign_in: SignInWith,
    /// The password.
    pub password: PasswordChange,
}

/// An account as an admin enters it.
#[derive(Clone, Debug)]
pub struct NewChannelAccount {
    /// What kind of channel it is.
    pub kind: ChannelKind,
    /// The address to which customers write; nobody else of this installation has it.
    pub address: EmailAddress,
    /// The name under which answers go out.
    pub from_name: String,
    /// What stands below what agents write.
    pub signature: String,
    /// Where its conversations begin; the default queue when `None`.
    pub queue: Option<QueueId>,
    /// The language of what is sent without a person.
    pub reply_language: Language,
    /// The server that takes answers.
    pub submission: Option<NewSubmission>,
    /// The mailbox that is read.
    pub retrieval: Option<NewRetrieval>,
    /// The provider that authorises it.
    pub authorisation: Option<NewProvider>,
}

/// A change of an account; what is `None` stays.
#[derive(Clone, Debug, Default)]
pub struct ChannelAccountChange {
    /// The version that the change was made on, when the admin saw one.
    pub version: Option<i64>,
    /// Another address.
    pub address: Option<EmailAddress>,
    /// Another name.
    pub from_name: Option<String>,
    /// Another signature.
    pub signature: Option<String>,
    /// Active or paused; [`Store::remove_channel_account`] removes.
    pub state: Option<AccountState>,
    /// Another queue.
    pub queue: Option<QueueId>,
    /// Another language.
    pub reply_language: Option<Language>,
    /// Another submission server, or none.
    pub submission: Option<Option<NewSubmission>>,
    /// Another mailbox to read, or none.
    pub retrieval: Option<Option<NewRetrieval>>,
    /// Another provider, or none.
    pub authorisation: Option<Option<NewProvider>>,
}

/// Why an account was not added or changed.
#[derive(Debug, thiserror::Error)]
pub enum ChannelAccountError {
    /// An account of this installation has the address.
    #[error("another account has this address")]
    AddressTaken,
    /// The tenant has no such queue.
    #[error("there is no such queue")]
    NoSuchQueue,
    /// The store failed; [`StoreError::Conflict`] when somebody else changed the account in the
    /// meantime, [`StoreError::NotFound`] when it does not exist or was removed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl ChannelAccount {
    /// The host at which it hands in answers.
    pub(crate) fn sends_at(&self) -> Option<&str> {
        let server = self.submission.as_ref().filter(|_| self.state != AccountState::Removed);
        server.map(|server| server.host.as_str())
    }
}

struct AccountRow {
    id: ChannelAccountId,
    kind: ChannelKind,
    state: AccountState,
    queue: QueueId,
    settings: Vec<u8>,
    key: KeyId,
    version: i64,
    created_at: Timestamp,
}

fn account_row(row: &Row<'_>) -> Result<AccountRow, StoreError> {
    Ok(AccountRow {
        id: row.id(0)?,
        kind: row.name(1, ChannelKind::parse)?,
        state: row.name(2, AccountState::parse)?,
        queue: row.id(3)?,
        settings: row.bytes(4)?,
        key: row.id(5)?,
        version: row.int(6)?,
        created_at: row.time(7)?,
    })
}

struct AllAccounts;

impl Read for AllAccounts {
    type Out = Vec<AccountRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, kind, state, queue_id, settings, key_id, version, created_at FROM channel_account \
                 WHERE tenant_id = $1 ORDER BY id"
            ),
            params![tenant],
            account_row,
        )
        .await
    }
}

struct OneAccount(ChannelAccountId);

impl Read for OneAccount {
    type Out = AccountRow;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<AccountRow, StoreError> {
        let tenant = tx.tenant();
        tx.query_one(
            sql!(
                "SELECT id, kind, state, queue_id, settings, key_id, version, created_at FROM channel_account \
                 WHERE tenant_id = $1 AND id = $2"
            ),
            params![tenant, self.0],
            account_row,
        )
        .await
    }
}

/// What became of a save; anything but `Done` has written nothing.
enum Saved {
    Done,
    AddressTaken,
    NoSuchQueue,
}

struct Save {
    id: ChannelAccountId,
    kind: ChannelKind,
    state: AccountState,
    queue: QueueId,
    settings: Vec<u8>,
    key: KeyId,
    /// The version that this was planned on; 0 for a new account.
    planned_on: i64,
    /// The address index, when the address is new.
    new_address: Option<[u8; 16]>,
    now: Timestamp,
    recorded: Recorded,
    schedule: Schedule,
    /// Whether what its provider gave goes: tokens are shown to nobody but who gave them.
    forget_tokens: bool,
    leaf: NewLeaf,
    event: Event,
}

impl Write for Save {
    type Out = Saved;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Saved, StoreError> {
        let tenant = tx.tenant();
        if !queues::in_use(tx, self.queue).await? {
            return Ok(Saved::NoSuchQueue);
        }
        if let Some(index) = &self.new_address {
            let free = tx
                .execute(
                    sql!(
                        "INSERT INTO account_address (address_index, tenant_id, account_id) \
                         VALUES ($1, $2, $3) ON CONFLICT DO NOTHING"
                    ),
                    params![index, tenant, self.id],
                )
                .await?;
            if free == 0 {
                return Ok(Saved::AddressTaken);
            }
            tx.execute(
                sql!(
                    "DELETE FROM account_address WHERE tenant_id = $1 AND account_id = $2 AND address_index <> $3"
                ),
                params![tenant, self.id, index],
            )
            .await?;
        }
        if self.state == AccountState::Removed {
            tx.execute(
                sql!("DELETE FROM account_address WHERE tenant_id = $1 AND account_id = $2"),
                params![tenant, self.id],
            )
            .await?;
        }
        if self.planned_on == 0 {
            tx.execute_one(
                sql!(
                    "INSERT INTO channel_account (tenant_id, id, kind, state, queue_id, settings, key_id, version, \
                     created_at) VALUES ($1, $2, $3, $4, $5, $6, $7, 1, $8)"
                ),
                params![
                    tenant,
                    self.id,
                    self.kind.as_str(),
                    self.state.as_str(),
                    self.queue,
                    &self.settings,
                    self.key,
                    self.now
                ],
            )
            .await?;
        } else {
            tx.execute_one(
                sql!(
                    "UPDATE channel_account SET state = $3, queue_id = $4, settings = $5, key_id = $6, \
                     version = version + 1 WHERE tenant_id = $1 AND id = $2 AND version = $7"
                ),
                params![
                    tenant,
                    self.id,
                    self.state.as_str(),
                    self.queue,
                    &self.settings,
                    self.key,
                    self.planned_on
                ],
            )
            .await?;
        }
        self.recorded.write(tx).await?;
        self.schedule.write(tx).await?;
        if self.forget_tokens {
            authorisations::forget(tx, self.id).await?;
        }
        let numbers = counters::take(tx, Needs { events: 1, leaves: 1, ..Needs::default() }).await?;
        self.leaf.append(tx, numbers.leaf).await?;
        self.event.append(tx, numbers.event).await?;
        Ok(Saved::Done)
    }
}

/// What a save is made of.
struct Plan<'a> {
    id: ChannelAccountId,
    kind: ChannelKind,
    state: AccountState,
    queue: QueueId,
    settings: &'a Settings,
    planned_on: i64,
    new_address: Option<[u8; 16]>,
    act: &'static str,
    changed: Vec<&'static str>,
    /// Whether what its provider gave stays.
    keep_tokens: bool,
    /// What the ledger says was there before; nothing of a new account.
    before: Value,
}

impl Store {
    async fn open_account(
        &self,
        access: &Access,
        row: &AccountRow,
    ) -> Result<(ChannelAccount, Settings), StoreError> {
        let column = columns::CHANNEL_ACCOUNT_SETTINGS;
        let settings: Settings =
            self.open_json(access.tenant(), column, row.id.uuid(), row.key, &row.settings).await?;
        let address = EmailAddress::parse(&settings.address)
            .map_err(|_| StoreError::Inconsistent { what: "channel_account.settings: the address" })?;
        let submission = settings.submission.as_ref().map(|server| Submission {
            host: server.host.clone(),
            port: server.port,
            security: server.security,
            username: server.username.clone(),
            sign_in: server.sign_in,
            password_set: server.password.is_some(),
        });
        let account = ChannelAccount {
            id: row.id,
            kind: row.kind,
            state: row.state,
            queue: row.queue,
            address,
            from_name: settings.from_name.clone(),
            signature: settings.signature.clone(),
            reply_language: settings.reply_language,
            submission,
            retrieval: settings.retrieval.as_ref().map(SealedRetrieval::shown),
            authorisation: settings.authorisation.as_ref().map(SealedProvider::shown),
            version: row.version,
            created_at: row.created_at,
        };
        Ok((account, settings))
    }

    /// The hosts that the accounts of a tenant connect to, for its register.
    pub(crate) async fn connecting_accounts(
        &self,
        access: &Access,
    ) -> Result<Vec<(ChannelAccountId, Vec<String>)>, StoreError> {
        access.to(Use::Maintain)?;
        let mut all = Vec::new();
        for row in self.read(access, AllAccounts).await? {
            if row.state == AccountState::Removed {
                continue;
            }
            let settings = self.open_account(access, &row).await?.1;
            let hosts: Vec<String> = settings.hosts().into_iter().map(str::to_owned).collect();
            if !hosts.is_empty() {
                all.push((row.id, hosts));
            }
        }
        Ok(all)
    }

    /// An account with its settings, passwords included, for the rooms of the store that need them.
    pub(crate) async fn account_with_settings(
        &self,
        access: &Access,
        id: ChannelAccountId,
    ) -> Result<(ChannelAccount, Settings), StoreError> {
        let row = self.visible_account(access, id).await?;
        self.open_account(access, &row).await
    }

    async fn visible_account(&self, access: &Access, id: ChannelAccountId) -> Result<AccountRow, StoreError> {
        if !access.visible().channels.contains(&id) {
            return Err(StoreError::NotFound);
        }
        self.read(access, OneAccount(id)).await
    }

    async fn save_account(
        &self,
        access: &Access,
        keys: &TenantKeys,
        plan: Plan<'_>,
    ) -> Result<ChannelAccount, ChannelAccountError> {
        let (now, id) = (access.clock().now(), plan.id);
        let detail = json!({
            "what": "channel_account",
            "act": plan.act,
            "id": id,
            "kind": plan.kind,
            "version": plan.planned_on + 1,
            "changed": plan.changed,
            "before": plan.before,
            "after": told(plan.state, plan.queue, plan.settings),
        });
        let column = columns::CHANNEL_ACCOUNT_SETTINGS;
        let there = plan.state != AccountState::Removed;
        let reads = plan.settings.retrieval.as_ref().filter(|_| there);
        let hosts = if there { plan.settings.hosts() } else { Vec::new() };
        let schedule = Schedule {
            account: id,
            job: reads
                .filter(|_| plan.state == AccountState::Active)
                .map(|_| JobId::new(now, self.random().bytes())),
            forget: reads.is_none(),
            now,
        };
        let save = Save {
            id,
            kind: plan.kind,
            state: plan.state,
            queue: plan.queue,
            settings: seal_json(keys, self.random(), column, id.uuid(), plan.settings)?,
            key: keys.settings.id(),
            planned_on: plan.planned_on,
            new_address: plan.new_address,
            now,
            recorded: Recorded::new(self, keys, id, &hosts, now)?,
            schedule,
            forget_tokens: !there || !plan.keep_tokens,
            leaf: NewLeaf::new(access, keys, self.random(), LedgerKind::Instruction, detail)?,
            event: Event {
                account: Some(id),
                queue: Some(plan.queue),
                ..Event::new(EventKind::ChannelAccountChanged, now)
            },
        };
        let saved = self.write(access, save).await;
        self.resolved().forget();
        match saved? {
            Saved::Done => Ok(self.channel_account(access, id).await?),
            Saved::AddressTaken => Err(ChannelAccountError::AddressTaken),
            Saved::NoSuchQueue => Err(ChannelAccountError::NoSuchQueue),
        }
    }

    /// The accounts that `access` can see, removed ones included, in the order in which they were
    /// added.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn channel_accounts(&self, access: &Access) -> Result<Vec<ChannelAccount>, StoreError> {
        access.to(Use::Name)?;
        let mut accounts = Vec::new();
        for row in self.read(access, AllAccounts).await? {
            if access.visible().channels.contains(&row.id) {
                accounts.push(self.open_account(access, &row).await?.0);
            }
        }
        Ok(accounts)
    }

    /// One account, without secrets.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors and those of sealing.
    pub async fn channel_account(
        &self,
        access: &Access,
        id: ChannelAccountId,
    ) -> Result<ChannelAccount, StoreError> {
        access.to(Use::Name)?;
        let row = self.visible_account(access, id).await?;
        Ok(self.open_account(access, &row).await?.0)
    }

    /// One account with the password of its submission server, for who sends or tests.
    ///
    /// # Errors
    /// As [`Store::channel_account`].
    pub async fn account_for_delivery(
        &self,
        access: &Access,
        id: ChannelAccountId,
    ) -> Result<AccountForDelivery, StoreError> {
        access.to(Use::UseSecret)?;
        let row = self.visible_account(access, id).await?;
        let (account, settings) = self.open_account(access, &row).await?;
        let recorded = match account.sends_at() {
            Some(host) => self.is_recorded(access, id, host).await?,
            None => false,
        };
        let password = settings.submission.and_then(|server| server.password).map(Pii::new);
        Ok(AccountForDelivery { recorded, account, password })
    }

    /// What stands behind a plus is a part of the mailbox before it (RFC 5233): when that is another
    /// tenant's, mail to the part is theirs too, and nobody else can take it away.
    async fn unless_part_of_another(
        &self,
        access: &Access,
        address: &EmailAddress,
    ) -> Result<(), ChannelAccountError> {
        let (mailbox, Some(_)) = address.split_detail() else { return Ok(()) };
        match self.system().account_by_address(&mailbox).await? {
            Some(owner) if owner.tenant() != access.tenant() => Err(ChannelAccountError::AddressTaken),
            _ => Ok(()),
        }
    }

    /// Adds an account; with `intended` under that id, and the one that an earlier try of the same
    /// request added under it is the answer.
    ///
    /// # Errors
    /// [`ChannelAccountError`].
    pub async fn create_channel_account(
        &self,
        access: &Access,
        intended: Option<ChannelAccountId>,
        new: NewChannelAccount,
    ) -> Result<ChannelAccount, ChannelAccountError> {
        access.to(Use::Configure)?;
        if let Some(id) = intended {
            match self.channel_account(access, id).await {
                Ok(made) => return Ok(made),
                Err(StoreError::NotFound) => {}
                Err(error) => return Err(error.into()),
            }
        }
        self.unless_part_of_another(access, &new.address).await?;
        let keys = self.keys(access).await?;
        let queue = match new.queue {
            Some(queue) if !access.visible().queues.contains(&queue) => {
                return Err(ChannelAccountError::NoSuchQueue);
            }
            Some(queue) => queue,
            None => self.default_queue(access).await?,
        };
        let settings = Settings {
            address: new.address.as_sent(),
            from_name: new.from_name,
            signature: new.signature,
            reply_language: new.reply_language,
            submission: new.submission.map(|server| submission(server, None)),
            retrieval: new.retrieval.map(|mailbox| SealedRetrieval::new(mailbox, None, access.clock().now())),
            authorisation: new.authorisation.map(|provider| SealedProvider::new(provider, None)),
        };
        let plan = Plan {
            id: intended
                .unwrap_or_else(|| ChannelAccountId::new(access.clock().now(), self.random().bytes())),
            kind: new.kind,
            state: AccountState::Active,
            queue,
            settings: &settings,
            planned_on: 0,
            new_address: Some(self.system().address_index(&new.address).await?),
            act: "created",
            changed: Vec::new(),
            keep_tokens: false,
            before: Value::Null,
        };
        self.save_account(access, &keys, plan).await
    }

    /// Changes an account.
    ///
    /// # Errors
    /// [`ChannelAccountError`].
    pub async fn change_channel_account(
        &self,
        access: &Access,
        id: ChannelAccountId,
        change: ChannelAccountChange,
    ) -> Result<ChannelAccount, ChannelAccountError> {
        access.to(Use::Configure)?;
        let keys = self.keys(access).await?;
        let row = self.visible_account(access, id).await?;
        let (account, before) = self.open_account(access, &row).await?;
        if account.state == AccountState::Removed || change.state == Some(AccountState::Removed) {
            return Err(StoreError::NotFound.into());
        }
        if change.version.is_some_and(|version| version != account.version) {
            return Err(StoreError::Conflict.into());
        }
        let address = change.address.filter(|new| *new != account.address);
        let new_address = match &address {
            // Other capitals are the same address to everybody else.
            Some(new) if new.normalised() != account.address.normalised() => {
                self.unless_part_of_another(access, new).await?;
                Some(self.system().address_index(new).await?)
            }
            _ => None,
        };
        let mut after = before.clone();
        if let Some(new) = address {
            after.address = new.as_sent();
        }
        if let Some(name) = change.from_name {
            after.from_name = name;
        }
        after.signature = change.signature.unwrap_or(after.signature);
        if let Some(language) = change.reply_language {
            after.reply_language = language;
        }
        if let Some(server) = change.submission {
            after.submission = server.map(|server| submission(server, before.submission.as_ref()));
        }
        if let Some(mailbox) = change.retrieval {
            let (kept, now) = (before.retrieval.as_ref(), access.clock().now());
            after.retrieval = mailbox.map(|mailbox| SealedRetrieval::new(mailbox, kept, now));
        }
        if let Some(provider) = change.authorisation {
            let kept = before.authorisation.as_ref();
            after.authorisation = provider.map(|provider| SealedProvider::new(provider, kept));
        }
        let mut changed = before.differences(&after);
        let state = change.state.unwrap_or(account.state);
        let queue = change.queue.unwrap_or(account.queue);
        if queue != account.queue && !access.visible().queues.contains(&queue) {
            return Err(ChannelAccountError::NoSuchQueue);
        }
        changed.extend((state != account.state).then_some("state"));
        changed.extend((queue != account.queue).then_some("queue"));
        let plan = Plan {
            id,
            kind: account.kind,
            state,
            queue,
            settings: &after,
            planned_on: account.version,
            new_address,
            act: "changed",
            changed,
            keep_tokens: before.may_keep_tokens(&after),
            before: told(account.state, account.queue, &before),
        };
        self.save_account(access, &keys, plan).await
    }

    /// Removes an account: its address is free again, its password is gone, its history stays.
    ///
    /// # Errors
    /// [`ChannelAccountError`]; removed already is [`StoreError::NotFound`].
    pub async fn remove_channel_account(
        &self,
        access: &Access,
        id: ChannelAccountId,
    ) -> Result<(), ChannelAccountError> {
        access.to(Use::Configure)?;
        let keys = self.keys(access).await?;
        let row = self.visible_account(access, id).await?;
        let (account, mut settings) = self.open_account(access, &row).await?;
        if account.state == AccountState::Removed {
            return Err(StoreError::NotFound.into());
        }
        let before = told(account.state, account.queue, &settings);
        settings.forget_secrets();
        let plan = Plan {
            id,
            kind: account.kind,
            state: AccountState::Removed,
            queue: account.queue,
            settings: &settings,
            planned_on: account.version,
            new_address: None,
            act: "removed",
            changed: vec!["state"],
            keep_tokens: false,
            before,
        };
        self.save_account(access, &keys, plan).await?;
        Ok(())
    }
}
