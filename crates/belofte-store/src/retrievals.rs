// SPDX-License-Identifier: EUPL-1.2
//! Mailboxes that are read over IMAP: what signing in there takes, how far each folder was read, and what keeps
//! one from being read.
//!
//! An active account that has such a mailbox has one job for it, for ever: whoever holds its lease reads. A
//! change of the account replaces the job, so that the one who read by the old settings ends.

use std::collections::HashMap;

use belofte_model::{
    AccountState, AfterRetrieval, ChannelAccountId, Duration, EmailAddress, EventKind, FolderPosition, JobId,
    JobKind, KeyId, LineSecurity, RetrievalProblem, SignInWith, Timestamp, Use,
};
use belofte_vault::Pii;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::access::{ClaimedJob, ResolvedAccount};
use crate::channel_accounts::PasswordChange;
use crate::counters::{self, Needs};
use crate::data_map::columns;
use crate::engine::{params, sql};
use crate::sealing::seal_json;
use crate::{Access, Event, Read, Store, StoreError, Tx, Write, jobs};

/// A mailbox on a mail server of the tenant's, without its password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retrieval {
    /// A host name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the line is secured.
    pub security: LineSecurity,
    /// Who signs in.
    pub username: String,
    /// How.
    pub sign_in: SignInWith,
    /// Whether a password is known.
    pub password_set: bool,
    /// The folders that are read, the one that is idled on first.
    pub folders: Vec<String>,
    /// What becomes of a mail there once it is here.
    pub after: AfterRetrieval,
    /// Only mail that came in since then is read; all of it when `None`.
    pub since: Option<Timestamp>,
}

/// A mailbox as an admin enters it.
#[derive(Clone, Debug)]
pub struct NewRetrieval {
    /// A host name or an address.
    pub host: String,
    /// The port.
    pub port: u16,
    /// How the line is secured.
    pub security: LineSecurity,
    /// Who signs in.
    pub username: String,
    /// How.
    pub sign_in: SignInWith,
    /// The password.
    pub password: PasswordChange,
    /// The folders to read.
    pub folders: Vec<String>,
    /// What becomes of a mail there once it is here.
    pub after: AfterRetrieval,
    /// Whether what lies there already is read as well.
    pub existing: bool,
}

/// How reading a mailbox goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetrievalStanding {
    /// What keeps it from being read, and since when.
    pub problem: Option<(RetrievalProblem, Timestamp)>,
    /// When there was nothing new in it last.
    pub looked_at: Option<Timestamp>,
    /// How many mails of those that lay there already are still to be read.
    pub older: i64,
    /// How many mails were left there because they are too large.
    pub left_there: i64,
}

/// A mailbox with all that reading it takes.
pub struct AccountForRetrieval {
    /// The account, as what comes in is given to it.
    pub account: ResolvedAccount,
    /// Its address.
    pub address: EmailAddress,
    /// The mailbox.
    pub retrieval: Retrieval,
    /// The password.
    pub password: Option<Pii<String>>,
    /// Whether the host is on record as a recipient of the tenant's.
    pub recorded: bool,
    /// How far each folder was read.
    pub positions: HashMap<String, FolderPosition>,
    /// How often in a row reading failed.
    pub failures: u32,
}

/// What is sealed of a mailbox, within the settings of its account.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct SealedRetrieval {
    pub(crate) host: String,
    port: u16,
    security: LineSecurity,
    username: String,
    #[serde(default, skip_serializing_if = "SignInWith::is_password")]
    pub(crate) sign_in: SignInWith,
    pub(crate) password: Option<String>,
    folders: Vec<String>,
    after: AfterRetrieval,
    since: Option<i64>,
}

impl SealedRetrieval {
    /// What an admin entered, in the place of `before`.
    pub(crate) fn new(new: NewRetrieval, before: Option<&Self>, now: Timestamp) -> Self {
        let NewRetrieval { host, port, security, username, sign_in, password, folders, after, existing } =
            new;
        let same = |old: &&Self| old.host == host && old.port == port && old.username == username;
        let password = match password {
            // Who signs in by the provider has no password, and none is kept.
            _ if sign_in == SignInWith::Authorisation => None,
            PasswordChange::Set(password) => Some(password.into_inner()),
            PasswordChange::Clear => None,
            // A password goes to no other server than the one that it was given for.
            PasswordChange::Keep => before
                .filter(same)
                .filter(|old| old.security == security || security != LineSecurity::None)
                .and_then(|old| old.password.clone()),
        };
        let since = match before.filter(same) {
            // The day from which on it is read stays, unless all is wanted now.
            Some(old) if !existing => old.since.or(Some(now.as_micros())),
            _ => (!existing).then_some(now.as_micros()),
        };
        Self { host, port, security, username, sign_in, password, folders, after, since }
    }

    pub(crate) fn server(&self) -> (&str, u16, LineSecurity) {
        (&self.host, self.port, self.security)
    }

    pub(crate) fn shown(&self) -> Retrieval {
        Retrieval {
            host: self.host.clone(),
            port: self.port,
            security: self.security,
            username: self.username.clone(),
            sign_in: self.sign_in,
            password_set: self.password.is_some(),
            folders: self.folders.clone(),
            after: self.after.clone(),
            since: self.since.map(Timestamp::from_micros),
        }
    }

    /// What the ledger may know.
    pub(crate) fn told(&self) -> Value {
        json!({
            "host": self.host,
            "port": self.port,
            "security": self.security,
            "username": self.username,
            "sign_in": self.sign_in,
            "password_set": self.password.is_some(),
            "folders": self.folders,
            "after": self.after,
            "since": self.since,
        })
    }

    /// The same, without its password.
    pub(crate) fn without_password(&self) -> Self {
        Self { password: None, ..self.clone() }
    }

    /// Positions hold in the mailbox that they were taken in.
    fn mailbox(&self) -> String {
        format!("{}@{}:{}", self.username, self.host, self.port)
    }
}

/// How far the folders of a mailbox were read, as it is sealed.
#[derive(Serialize, Deserialize)]
struct SealedPositions {
    mailbox: String,
    /// From when on mail was wanted then, in microseconds.
    #[serde(default)]
    since: Option<i64>,
    folders: HashMap<String, FolderPosition>,
}

/// Has a mailbox read from `now` on, or not any more: a part of the write that saves its account.
pub(crate) struct Schedule {
    pub(crate) account: ChannelAccountId,
    /// The job that reads it; none when it is not to be read.
    pub(crate) job: Option<JobId>,
    /// Whether what is known of it goes as well.
    pub(crate) forget: bool,
    pub(crate) now: Timestamp,
}

impl Schedule {
    pub(crate) async fn write(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(
            sql!("DELETE FROM job WHERE tenant_id = $1 AND subject_id = $2 AND kind = 'retrieve'"),
            params![tenant, self.account],
        )
        .await?;
        if self.forget {
            let text = sql!("DELETE FROM retrieval WHERE tenant_id = $1 AND account_id = $2");
            tx.execute(text, params![tenant, self.account]).await?;
        }
        let Some(id) = self.job else { return Ok(()) };
        tx.execute(
            sql!(
                "INSERT INTO retrieval (tenant_id, account_id, failures, older, left_there) VALUES ($1, $2, 0, 0, 0) \
                 ON CONFLICT DO NOTHING"
            ),
            params![tenant, self.account],
        )
        .await?;
        // Changed settings are tried at once, whatever the old ones met.
        tx.execute(
            sql!("UPDATE retrieval SET failures = 0 WHERE tenant_id = $1 AND account_id = $2"),
            params![tenant, self.account],
        )
        .await?;
        let job = jobs::NewJob {
            id,
            kind: JobKind::Retrieve,
            subject: self.account.uuid(),
            run_at: self.now,
            lease: None,
        };
        job.enqueue(tx, self.now).await
    }
}

/// Has the mailbox of an account read anew from `now` on, when it is read at all: who reads it by what it signed in
/// with before ends. `id` is the new job.
pub(crate) async fn begin_anew(
    tx: &mut Tx<'_>,
    account: ChannelAccountId,
    id: JobId,
    now: Timestamp,
) -> Result<(), StoreError> {
    let tenant = tx.tenant();
    let ended = tx
        .execute(
            sql!("DELETE FROM job WHERE tenant_id = $1 AND subject_id = $2 AND kind = 'retrieve'"),
            params![tenant, account],
        )
        .await?;
    if ended == 0 {
        return Ok(());
    }
    tx.execute(
        sql!("UPDATE retrieval SET failures = 0 WHERE tenant_id = $1 AND account_id = $2"),
        params![tenant, account],
    )
    .await?;
    let job = jobs::NewJob { id, kind: JobKind::Retrieve, subject: account.uuid(), run_at: now, lease: None };
    job.enqueue(tx, now).await
}

/// Notes how reading goes, and keeps the lease of who reads.
struct NoteRetrieval {
    job: ClaimedJob,
    positions: Option<(Vec<u8>, KeyId)>,
    standing: Noted,
    again_at: Option<Timestamp>,
    now: Timestamp,
}

/// What is to be noted of a mailbox.
#[derive(Clone, Copy, Debug)]
pub enum Noted {
    /// It is being read; so many older mails are left, and so many more were too large.
    Reading {
        /// Mails that lay there already and are still to be read.
        older: i64,
        /// Mails that were left there, since the last note.
        left_there: i64,
        /// Whether there was nothing new in it.
        caught_up: bool,
        /// What goes wrong although it is read.
        problem: Option<RetrievalProblem>,
    },
    /// It cannot be read.
    Failed(RetrievalProblem),
    /// Nothing of it changed.
    Same,
}

struct Known {
    problem: Option<RetrievalProblem>,
    since: Option<Timestamp>,
    failures: i64,
    older: i64,
    looked_at: Option<Timestamp>,
    left_there: i64,
}

impl Write for NoteRetrieval {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        match self.again_at {
            Some(at) => jobs::wait_until(tx, &self.job, at, self.now).await?,
            None => jobs::go_on(tx, &self.job, self.now).await?,
        }
        let account = ChannelAccountId(self.job.subject);
        if let Some((positions, key)) = &self.positions {
            let text = sql!(
                "UPDATE retrieval SET position = $3, key_id = $4 WHERE tenant_id = $1 AND account_id = $2"
            );
            tx.execute_one(text, params![tenant, account, positions, *key]).await?;
        }
        let (problem, older, left_there, caught_up) = match self.standing {
            Noted::Same => return Ok(()),
            Noted::Failed(problem) => (Some(problem), None, 0, false),
            Noted::Reading { older, left_there, caught_up, problem } => {
                (problem, Some(older), left_there, caught_up)
            }
        };
        let text = sql!(
            "SELECT problem, since, failures, older, looked_at, left_there FROM retrieval \
             WHERE tenant_id = $1 AND account_id = $2"
        );
        let known = tx
            .query_one(text, params![tenant, account], |row| {
                Ok(Known {
                    problem: row.opt_text(0)?.as_deref().and_then(RetrievalProblem::parse),
                    since: row.opt_time(1)?,
                    failures: row.int(2)?,
                    older: row.int(3)?,
                    looked_at: row.opt_time(4)?,
                    left_there: row.int(5)?,
                })
            })
            .await?;
        let since = match problem {
            None => None,
            Some(_) if problem == known.problem => known.since,
            Some(_) => Some(self.now),
        };
        let failures = if matches!(self.standing, Noted::Failed(_)) { known.failures + 1 } else { 0 };
        let looked_at = if caught_up { Some(self.now) } else { known.looked_at };
        tx.execute_one(
            sql!(
                "UPDATE retrieval SET problem = $3, since = $4, failures = $5, looked_at = $6, older = $7, \
                 left_there = $8 WHERE tenant_id = $1 AND account_id = $2"
            ),
            params![
                tenant,
                account,
                problem.map(RetrievalProblem::as_str),
                since,
                failures,
                looked_at,
                older.unwrap_or(known.older),
                known.left_there + left_there
            ],
        )
        .await?;
        // Who looks at the settings sees when reading begins, fails, and comes to its end.
        let told = known.problem != problem
            || left_there > 0
            || (caught_up && known.looked_at.is_none())
            || older.is_some_and(|older| (older == 0) != (known.older == 0));
        if told {
            let event =
                Event { account: Some(account), ..Event::new(EventKind::ChannelAccountChanged, self.now) };
            let numbers = counters::take(tx, Needs { events: 1, ..Needs::default() }).await?;
            event.append(tx, numbers.event).await?;
        }
        Ok(())
    }
}

struct Row {
    account: ChannelAccountId,
    positions: Option<Vec<u8>>,
    key: Option<KeyId>,
    standing: RetrievalStanding,
    failures: i64,
}

struct All;

impl Read for All {
    type Out = Vec<Row>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT account_id, position, key_id, problem, since, looked_at, older, left_there, failures \
                 FROM retrieval WHERE tenant_id = $1"
            ),
            params![tenant],
            |row| {
                let problem = row.opt_text(3)?.as_deref().and_then(RetrievalProblem::parse);
                Ok(Row {
                    account: row.id(0)?,
                    positions: row.opt_bytes(1)?,
                    key: row.opt_id(2)?,
                    standing: RetrievalStanding {
                        problem: problem.zip(row.opt_time(4)?),
                        looked_at: row.opt_time(5)?,
                        older: row.int(6)?,
                        left_there: row.int(7)?,
                    },
                    failures: row.int(8)?,
                })
            },
        )
        .await
    }
}

impl Store {
    /// How reading goes of each mailbox that `access` can see.
    ///
    /// # Errors
    /// The engine's errors.
    pub async fn retrieval_standings(
        &self,
        access: &Access,
    ) -> Result<HashMap<ChannelAccountId, RetrievalStanding>, StoreError> {
        access.to(Use::Name)?;
        let rows = self.read(access, All).await?;
        let seen = rows.into_iter().filter(|row| access.visible().channels.contains(&row.account));
        Ok(seen.map(|row| (row.account, row.standing)).collect())
    }

    /// The mailbox of an account and its password, for who tries it.
    ///
    /// # Errors
    /// [`StoreError::NotFound`]; the engine's errors and those of sealing.
    pub async fn retrieval_with_password(
        &self,
        access: &Access,
        id: ChannelAccountId,
    ) -> Result<(Option<Retrieval>, Option<Pii<String>>), StoreError> {
        access.to(Use::UseSecret)?;
        let (account, settings) = self.account_with_settings(access, id).await?;
        let password = settings.retrieval.and_then(|mailbox| mailbox.password).map(Pii::new);
        Ok((account.retrieval, password))
    }

    /// The mailbox of an account with all that reading it takes; `None` when it is not to be read: the
    /// account is paused or removed, or has none.
    ///
    /// # Errors
    /// The engine's errors and those of sealing.
    pub async fn account_for_retrieval(
        &self,
        access: &Access,
        id: ChannelAccountId,
    ) -> Result<Option<AccountForRetrieval>, StoreError> {
        access.to(Use::Receive)?;
        let (account, settings) = match self.account_with_settings(access, id).await {
            Err(StoreError::NotFound) => return Ok(None),
            found => found?,
        };
        let Some(sealed) = settings.retrieval.filter(|_| account.state == AccountState::Active) else {
            return Ok(None);
        };
        let row = self.read(access, All).await?.into_iter().find(|row| row.account == id);
        let failures = row.as_ref().map_or(0, |row| u32::try_from(row.failures).unwrap_or(u32::MAX));
        let mut positions = HashMap::new();
        if let Some((kept, key)) = row.and_then(|row| row.positions.zip(row.key)) {
            let column = columns::RETRIEVAL_POSITION;
            let kept: SealedPositions =
                self.open_json(access.tenant(), column, id.uuid(), key, &kept).await?;
            if kept.mailbox == sealed.mailbox() {
                // What was passed over at first is wanted now.
                let more = kept.since.is_some() && sealed.since.is_none();
                let begin = |at: FolderPosition| if more { at.from_the_beginning() } else { at };
                positions = kept.folders.into_iter().map(|(name, at)| (name, begin(at))).collect();
            }
        }
        let recorded = self.is_recorded(access, id, &sealed.host).await?;
        Ok(Some(AccountForRetrieval {
            account: ResolvedAccount {
                tenant: access.tenant(),
                id,
                kind: account.kind,
                state: account.state,
                queue: account.queue,
            },
            address: account.address,
            retrieval: sealed.shown(),
            password: sealed.password.map(Pii::new),
            recorded,
            positions,
            failures,
        }))
    }

    /// Notes how far the folders of a mailbox were read, and keeps the lease of who reads. With `again_at` the
    /// lease is given back, and the mailbox is read again from then on.
    ///
    /// # Errors
    /// [`StoreError::Conflict`] when the lease was lost: somebody else reads, or nobody is to.
    pub async fn note_retrieval(
        &self,
        access: &Access,
        job: &ClaimedJob,
        retrieval: &Retrieval,
        positions: Option<&HashMap<String, FolderPosition>>,
        standing: Noted,
        again_in: Option<Duration>,
    ) -> Result<(), StoreError> {
        access.to(Use::Receive)?;
        let now = access.clock().now();
        let positions = match positions {
            None => None,
            Some(folders) => {
                let keys = self.keys(access).await?;
                let mailbox = format!("{}@{}:{}", retrieval.username, retrieval.host, retrieval.port);
                let value = SealedPositions {
                    mailbox,
                    since: retrieval.since.map(Timestamp::as_micros),
                    folders: folders.clone(),
                };
                let column = columns::RETRIEVAL_POSITION;
                let sealed = seal_json(&keys, self.random(), column, job.subject, &value)?;
                Some((sealed, keys.settings.id()))
            }
        };
        let again_at = again_in.map(|pause| now + pause);
        self.write(access, NoteRetrieval { job: job.clone(), positions, standing, again_at, now }).await
    }
}
