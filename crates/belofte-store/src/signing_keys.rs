// SPDX-License-Identifier: EUPL-1.2
//! Keys that sign mail in the name of a tenant's domains (DKIM, RFC 6376; decision 26).
//!
//! A key belongs to a domain, whichever accounts send from it. It signs once its record was seen right in the
//! domain's own names; until then the one before it does, if there is one. The private half is sealed under the
//! settings key of its tenant, is opened for who sends alone, and is gone as soon as the key signs no more.

use std::collections::BTreeMap;

use belofte_model::{
    AccountState, ChannelAccountId, EmailAddress, EventKind, JobId, JobKind, KeyId, LedgerKind,
    RecordProblem, SigningKeyId, SigningState, Timestamp, Use, next_look_at_record,
};
use belofte_vault::{DkimKey, SealContext};
use serde::{Deserialize, Serialize};
use serde_json::json;

use crate::access::ClaimedJob;
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::jobs::{self, NewJob};
use crate::sealing::seal_json;
use crate::{Access, Event, NewLeaf, Read, Store, StoreError, TenantKeys, Tx, Write};

/// A withdrawal that looks at the record get in the way of is planned so often.
const PLANS: usize = 8;

/// A key, without its private half.
#[derive(Clone, Debug)]
pub struct SigningKey {
    /// Its id.
    pub id: SigningKeyId,
    /// The domain that it signs for, in ASCII.
    pub domain: String,
    /// The name of its record below `_domainkey` of the domain.
    pub selector: String,
    /// The public half, a SubjectPublicKeyInfo in DER.
    pub public_key: Vec<u8>,
    /// Where it stands.
    pub state: SigningState,
    /// What was wrong with its record when it was looked at last.
    pub problem: Option<RecordProblem>,
    /// When that was.
    pub checked_at: Option<Timestamp>,
    /// When its record was seen right last.
    pub seen_at: Option<Timestamp>,
    /// Since when it signs, or from when on it did.
    pub began_at: Option<Timestamp>,
    /// Since when it signs no more.
    pub ended_at: Option<Timestamp>,
    /// When it was made.
    pub created_at: Timestamp,
    pub(crate) version: i64,
}

/// A domain from which accounts send, or for which there is a key.
#[derive(Clone, Debug)]
pub struct SigningDomain {
    /// The domain, in ASCII.
    pub domain: String,
    /// The accounts that send from it.
    pub accounts: Vec<ChannelAccountId>,
    /// Its keys, the newest first.
    pub keys: Vec<SigningKey>,
}

/// What signs the mail of a domain.
#[derive(Clone, Debug)]
pub struct MailSigner {
    /// The domain, in ASCII.
    pub domain: String,
    /// The name of the key's record below `_domainkey` of the domain.
    pub selector: String,
    /// The signing function.
    pub key: DkimKey,
}

#[derive(Serialize, Deserialize)]
struct Details {
    domain: String,
    selector: String,
    public_key: String,
}

/// The domain of `address` as it stands in names: in ASCII (RFC 5891).
#[must_use]
pub fn signing_domain(address: &EmailAddress) -> String {
    idna::domain_to_ascii(address.domain()).unwrap_or_else(|_| address.domain().to_owned())
}

fn index(keys: &TenantKeys, domain: &str) -> [u8; 16] {
    keys.lookup.index("signing-domain", domain)
}

impl SigningKey {
    /// The name of its record.
    #[must_use]
    pub fn record_name(&self) -> String {
        format!("{}._domainkey.{}", self.selector, self.domain)
    }

    /// What the ledger says of a change of it.
    fn told(
        &self,
        act: &str,
        before: Option<SigningState>,
        after: Option<SigningState>,
    ) -> serde_json::Value {
        json!({
            "what": "signing_key", "act": act, "id": self.id, "domain": self.domain, "selector": self.selector,
            "before": before.map(|state| json!({ "state": state })),
            "after": after.map(|state| json!({ "state": state })),
        })
    }
}

struct KeyRow {
    id: SigningKeyId,
    state: SigningState,
    details: Vec<u8>,
    key: KeyId,
    problem: Option<RecordProblem>,
    checked_at: Option<Timestamp>,
    seen_at: Option<Timestamp>,
    began_at: Option<Timestamp>,
    ended_at: Option<Timestamp>,
    version: i64,
    created_at: Timestamp,
}

struct All;

impl Read for All {
    type Out = Vec<KeyRow>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT id, state, details, key_id, problem, checked_at, seen_at, began_at, ended_at, version, created_at \
                 FROM signing_key WHERE tenant_id = $1 ORDER BY id DESC"
            ),
            params![tenant],
            |row| {
                Ok(KeyRow {
                    id: row.id(0)?,
                    state: row.name(1, SigningState::parse)?,
                    details: row.bytes(2)?,
                    key: row.id(3)?,
                    problem: row.opt_text(4)?.as_deref().and_then(RecordProblem::parse),
                    checked_at: row.opt_time(5)?,
                    seen_at: row.opt_time(6)?,
                    began_at: row.opt_time(7)?,
                    ended_at: row.opt_time(8)?,
                    version: row.int(9)?,
                    created_at: row.time(10)?,
                })
            },
        )
        .await
    }
}

/// The one key that signs for a domain: what a delivery asks for.
struct Signing([u8; 16]);

impl Read for Signing {
    type Out = Option<(SigningKeyId, Vec<u8>, KeyId, Vec<u8>)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query_opt(
            sql!(
                "SELECT id, details, key_id, secret FROM signing_key \
                 WHERE tenant_id = $1 AND domain_index = $2 AND state = 'signing' AND secret IS NOT NULL"
            ),
            params![tenant, &self.0],
            |row| Ok((row.id(0)?, row.bytes(1)?, row.id(2)?, row.bytes(3)?)),
        )
        .await
    }
}

/// Tells those who look at the settings of an account of the domain.
async fn tell(
    tx: &mut Tx<'_>,
    account: Option<ChannelAccountId>,
    leaf: Option<&NewLeaf>,
    now: Timestamp,
) -> Result<(), StoreError> {
    let needs =
        Needs { events: i64::from(account.is_some()), leaves: i64::from(leaf.is_some()), ..Needs::default() };
    let numbers = counters::take(tx, needs).await?;
    if let Some(leaf) = leaf {
        leaf.append(tx, numbers.leaf).await?;
    }
    if account.is_some() {
        let event = Event { account, ..Event::new(EventKind::ChannelAccountChanged, now) };
        event.append(tx, numbers.event).await?;
    }
    Ok(())
}

struct Create {
    id: SigningKeyId,
    domain_index: [u8; 16],
    details: Vec<u8>,
    secret: Vec<u8>,
    key: KeyId,
    job: JobId,
    account: Option<ChannelAccountId>,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Create {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        // Of two who ask at once one finds the place taken, and nothing is written.
        tx.execute_one(
            sql!(
                "INSERT INTO signing_key (tenant_id, id, domain_index, state, details, key_id, secret, version, \
                 created_at) VALUES ($1, $2, $3, 'waiting', $4, $5, $6, 1, $7) ON CONFLICT DO NOTHING"
            ),
            params![tenant, self.id, &self.domain_index, &self.details, self.key, &self.secret, self.now],
        )
        .await?;
        let job = NewJob {
            id: self.job,
            kind: JobKind::CheckSigning,
            subject: self.id.uuid(),
            run_at: self.now,
            lease: None,
        };
        job.enqueue(tx, self.now).await?;
        tell(tx, self.account, Some(&self.leaf), self.now).await
    }
}

/// What was found when the record of a key was looked at.
struct Note {
    key: SigningKey,
    problem: Option<RecordProblem>,
    /// Whether it signs from now on.
    begins: bool,
    domain_index: [u8; 16],
    /// The job that looked, and when it is to look again.
    job: Option<(ClaimedJob, Timestamp)>,
    account: Option<ChannelAccountId>,
    leaf: Option<NewLeaf>,
    now: Timestamp,
}

impl Write for Note {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (tenant, now) = (tx.tenant(), self.now);
        if let Some((job, at)) = &self.job {
            jobs::wait_until(tx, job, *at, now).await?;
        }
        if self.begins {
            // The one before it ends in the same moment; its private half is gone.
            tx.execute(
                sql!(
                    "UPDATE signing_key SET state = 'former', secret = NULL, ended_at = $3, problem = NULL, \
                     version = version + 1 WHERE tenant_id = $1 AND domain_index = $2 AND state = 'signing'"
                ),
                params![tenant, &self.domain_index, now],
            )
            .await?;
        }
        let state = if self.begins { SigningState::Signing } else { self.key.state };
        let began_at = if self.begins { Some(now) } else { self.key.began_at };
        // What nobody could be asked about says nothing of what was seen before.
        let seen_at = if self.problem.is_none() { Some(now) } else { self.key.seen_at };
        tx.execute_one(
            sql!(
                "UPDATE signing_key SET state = $3, problem = $4, checked_at = $5, seen_at = $6, began_at = $7, \
                 version = version + 1 WHERE tenant_id = $1 AND id = $2 AND version = $8"
            ),
            params![
                tenant,
                self.key.id,
                state.as_str(),
                self.problem.map(RecordProblem::as_str),
                now,
                seen_at,
                began_at,
                self.key.version
            ],
        )
        .await?;
        // Looking at what stays as it is tells nobody anything.
        let account = self.account.filter(|_| self.begins || self.problem != self.key.problem);
        tell(tx, account, self.leaf.as_ref(), now).await
    }
}

struct Withdraw {
    key: SigningKey,
    account: Option<ChannelAccountId>,
    leaf: NewLeaf,
    now: Timestamp,
}

impl Write for Withdraw {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let (tenant, id, version) = (tx.tenant(), self.key.id, self.key.version);
        match self.key.state {
            SigningState::Signing => {
                tx.execute_one(
                    sql!(
                        "UPDATE signing_key SET state = 'former', secret = NULL, ended_at = $4, problem = NULL, \
                         version = version + 1 WHERE tenant_id = $1 AND id = $2 AND version = $3"
                    ),
                    params![tenant, id, version, self.now],
                )
                .await?;
            }
            SigningState::Waiting | SigningState::Former => {
                tx.execute_one(
                    sql!("DELETE FROM signing_key WHERE tenant_id = $1 AND id = $2 AND version = $3"),
                    params![tenant, id, version],
                )
                .await?;
            }
        }
        tx.execute(
            sql!("DELETE FROM job WHERE tenant_id = $1 AND subject_id = $2 AND kind = 'check_signing'"),
            params![tenant, id],
        )
        .await?;
        tell(tx, self.account, Some(&self.leaf), self.now).await
    }
}

impl Store {
    /// The domains from which accounts send that `access` can see, with their keys; and for who sees all accounts
    /// those that have a key and no account any more. By name.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn signing_domains(&self, access: &Access) -> Result<Vec<SigningDomain>, StoreError> {
        access.to(Use::Name)?;
        let mut domains: BTreeMap<String, SigningDomain> = BTreeMap::new();
        let empty = |domain: &str| SigningDomain {
            domain: domain.to_owned(),
            accounts: Vec::new(),
            keys: Vec::new(),
        };
        for account in self.channel_accounts(access).await? {
            if account.state != AccountState::Removed {
                let domain = signing_domain(&account.address);
                let of = domains.entry(domain.clone()).or_insert_with(|| empty(&domain));
                of.accounts.push(account.id);
            }
        }
        for row in self.read(access, All).await? {
            let column = columns::SIGNING_KEY_DETAILS;
            let details: Details =
                self.open_json(access.tenant(), column, row.id.uuid(), row.key, &row.details).await?;
            if !domains.contains_key(&details.domain) && !access.visible().sees_all_cases() {
                continue;
            }
            let public_key = hex::decode(&details.public_key)
                .map_err(|_| StoreError::Inconsistent { what: "signing_key.details: the public key" })?;
            let of = domains.entry(details.domain.clone()).or_insert_with(|| empty(&details.domain));
            of.keys.push(SigningKey {
                id: row.id,
                domain: details.domain,
                selector: details.selector,
                public_key,
                state: row.state,
                problem: row.problem,
                checked_at: row.checked_at,
                seen_at: row.seen_at,
                began_at: row.began_at,
                ended_at: row.ended_at,
                created_at: row.created_at,
                version: row.version,
            });
        }
        Ok(domains.into_values().collect())
    }

    /// One key of a domain that `access` can see.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors and those of sealing.
    pub async fn signing_key(&self, access: &Access, id: SigningKeyId) -> Result<SigningKey, StoreError> {
        access.to(Use::Name)?;
        Ok(self.key_of_domain(access, id).await?.0)
    }

    /// The same, with an account of its domain.
    async fn key_of_domain(
        &self,
        access: &Access,
        id: SigningKeyId,
    ) -> Result<(SigningKey, Option<ChannelAccountId>), StoreError> {
        for domain in self.signing_domains(access).await? {
            let account = domain.accounts.first().copied();
            if let Some(key) = domain.keys.into_iter().find(|key| key.id == id) {
                return Ok((key, account));
            }
        }
        Err(StoreError::NotFound)
    }

    /// Makes a key for a domain from which an account sends; with `intended` under that id, and the one that an
    /// earlier try of the same request made under it is the answer. It waits for its record; one that signs already
    /// goes on until then. An instruction.
    ///
    /// # Errors
    /// [`StoreError::NotFound`] when no account sends from there; [`StoreError::Conflict`] when a key of the domain
    /// waits already; the engine's errors and those of sealing.
    pub async fn create_signing_key(
        &self,
        access: &Access,
        intended: Option<SigningKeyId>,
        domain: &str,
    ) -> Result<SigningKey, StoreError> {
        access.to(Use::Configure)?;
        let found = self.signing_domains(access).await?.into_iter().find(|known| known.domain == domain);
        let found = found.filter(|known| !known.accounts.is_empty()).ok_or(StoreError::NotFound)?;
        if let Some(made) = found.keys.iter().find(|key| Some(key.id) == intended) {
            return Ok(made.clone());
        }
        if found.keys.iter().any(|key| key.state == SigningState::Waiting) {
            return Err(StoreError::Conflict);
        }
        let made = tokio::task::spawn_blocking(DkimKey::generate).await.map_err(|_| StoreError::Busy)?;
        let (now, keys) = (access.clock().now(), self.keys(access).await?);
        let key = SigningKey {
            id: intended.unwrap_or_else(|| SigningKeyId::new(now, self.random().bytes())),
            domain: found.domain.clone(),
            // Another one for each key, so that a new record stands beside the old one.
            selector: format!("belofte-{}", hex::encode(self.random().bytes::<4>())),
            public_key: made.public_key(),
            state: SigningState::Waiting,
            problem: None,
            checked_at: None,
            seen_at: None,
            began_at: None,
            ended_at: None,
            created_at: now,
            version: 1,
        };
        let details = Details {
            domain: key.domain.clone(),
            selector: key.selector.clone(),
            public_key: hex::encode(&key.public_key),
        };
        let (tenant, row) = (access.tenant(), key.id.uuid());
        let context = SealContext { tenant, column: columns::SIGNING_KEY_SECRET, row };
        let told = key.told("created", None, Some(SigningState::Waiting));
        let create = Create {
            id: key.id,
            domain_index: index(&keys, &key.domain),
            details: seal_json(&keys, self.random(), columns::SIGNING_KEY_DETAILS, row, &details)?,
            secret: made.seal(&keys.settings, self.random(), &context),
            key: keys.settings.id(),
            job: JobId::new(now, self.random().bytes()),
            account: found.accounts.first().copied(),
            leaf: NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, told)?,
            now,
        };
        self.write(access, create).await?;
        Ok(key)
    }

    /// Notes what was found when the record of `key` was looked at: without a `problem` a key that waited signs
    /// from now on, and the one before it ends. With a `job` it is looked at again in time.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the key has changed since it was read, or the lease was lost; the engine's
    /// errors and those of sealing.
    pub async fn note_signing_record(
        &self,
        access: &Access,
        key: &SigningKey,
        problem: Option<RecordProblem>,
        job: Option<&ClaimedJob>,
    ) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        let (current, account) = self.key_of_domain(access, key.id).await?;
        if current.version != key.version || current.state == SigningState::Former {
            return Err(StoreError::Conflict);
        }
        let (keys, now) = (self.keys(access).await?, access.clock().now());
        let begins = current.state == SigningState::Waiting && problem.is_none();
        let leaf = if begins {
            let told = current.told("began", Some(SigningState::Waiting), Some(SigningState::Signing));
            Some(NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, told)?)
        } else {
            None
        };
        let state = if begins { SigningState::Signing } else { current.state };
        let at = next_look_at_record(state, problem, current.created_at, now).unwrap_or(now);
        let note = Note {
            problem,
            begins,
            domain_index: index(&keys, &current.domain),
            job: job.map(|job| (job.clone(), at)),
            account,
            leaf,
            now,
            key: current,
        };
        self.write(access, note).await
    }

    /// Takes a key back: one that signs ends, and is kept as a former one without its private half; one that waits,
    /// or that has ended, is gone. An instruction.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; [`StoreError::Conflict`] when it changed again and again; the engine's
    /// errors and those of sealing.
    pub async fn withdraw_signing_key(&self, access: &Access, id: SigningKeyId) -> Result<(), StoreError> {
        access.to(Use::Configure)?;
        let mut plans = 1;
        loop {
            let (key, account) = self.key_of_domain(access, id).await?;
            let (keys, now) = (self.keys(access).await?, access.clock().now());
            let after = (key.state == SigningState::Signing).then_some(SigningState::Former);
            let told = key.told("withdrawn", Some(key.state), after);
            let leaf = NewLeaf::new(access, &keys, self.random(), LedgerKind::Instruction, told)?;
            match self.write(access, Withdraw { key, account, leaf, now }).await {
                // The house looked at its record at this moment. The wish holds all the same.
                Err(StoreError::Conflict) if plans < PLANS => plans += 1,
                done => return done,
            }
        }
    }

    /// What signs mail from `address`, for who sends it; `None` when nothing does.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn mail_signer(
        &self,
        access: &Access,
        address: &EmailAddress,
    ) -> Result<Option<MailSigner>, StoreError> {
        access.to(Use::Send)?;
        let (tenant, keys) = (access.tenant(), self.keys(access).await?);
        let domain_index = index(&keys, &signing_domain(address));
        let Some((id, details, key, secret)) = self.read(access, Signing(domain_index)).await? else {
            return Ok(None);
        };
        let row = id.uuid();
        let details: Details =
            self.open_json(tenant, columns::SIGNING_KEY_DETAILS, row, key, &details).await?;
        let context = SealContext { tenant, column: columns::SIGNING_KEY_SECRET, row };
        let key = DkimKey::open(&self.key(tenant, key).await?, &context, &secret)?;
        Ok(Some(MailSigner { domain: details.domain, selector: details.selector, key }))
    }
}
