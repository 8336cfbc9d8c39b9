// SPDX-License-Identifier: EUPL-1.2
//! Reads a mailbox: what is new at once, what lay there already in between, and then it waits to be told.
//!
//! A mail is committed before anything is changed on its server, and before it is noted as read (invariant
//! 4). Whoever ends in between reads it once more, and it is recognised as a copy.

use std::collections::HashMap;
use std::time::Duration;

use belofte_core::Core;
use belofte_mail::{imap_day, trace};
use belofte_model::{
    AfterRetrieval, ChannelAccountId, EmailAddress, FolderPosition, LineSecurity, RetrievalProblem,
    SignInWith,
};
use belofte_store::{Access, AccountForRetrieval, ClaimedJob, Noted, Retrieval, SealedEnvelope, StoreError};
use futures_util::future::BoxFuture;

use super::authorisation::{Authorising, NoToken};
use super::imap::{Imap, ImapServer, Listed, Mailbox, Woken};
use super::process::Processing;
use super::sign_in::Secret;
use super::submission::Security;

/// So many mails are read before it is noted how far.
const BATCH: usize = 25;
/// The lease is kept this often, well within its length.
const TICK: Duration = Duration::from_secs(40);
/// Idling begins anew after this long: routers on the way forget a silent line (RFC 2177 allows 29 minutes).
const IDLE: Duration = Duration::from_secs(9 * 60);
/// While there is no room, the same mail is tried again after this long.
const AGAIN: Duration = Duration::from_secs(5);
/// How much earlier a server is asked for mail than it is wanted.
const DAY: Duration = Duration::from_secs(24 * 3_600);
/// How far the clock of a server may be behind.
const SKEW: Duration = Duration::from_secs(300);
/// The longest pauses between two tries to read a mailbox, in seconds: for what passes, and for what an admin
/// has to mend (a server locks out who tries a wrong password again and again).
const LONGEST: u64 = 300;
const LONGEST_FOR_ADMIN: u64 = 900;

/// What reading takes.
#[derive(Clone, Debug)]
pub struct Retrieving {
    /// Files what is read.
    pub processing: Processing,
    /// Connects to mailboxes.
    pub imap: Imap,
    /// Gets tokens for those that are signed in to by one.
    pub authorising: Authorising,
    /// The largest mail that is read, in octets.
    pub max_message: usize,
    /// How long a folder that is not idled on may go without a look.
    pub poll_every: Duration,
}

/// Why reading ended.
enum End {
    /// The mailbox cannot be read now.
    Problem(RetrievalProblem),
    /// Somebody else reads, nobody is to, or the process ends.
    Stop,
    /// The store failed.
    Store(StoreError),
}

impl From<RetrievalProblem> for End {
    fn from(problem: RetrievalProblem) -> Self {
        Self::Problem(problem)
    }
}

impl From<NoToken> for End {
    fn from(error: NoToken) -> Self {
        match error {
            NoToken::Problem(problem) => Self::Problem(problem.into()),
            NoToken::Store(error) => error.into(),
        }
    }
}

impl From<StoreError> for End {
    fn from(error: StoreError) -> Self {
        match error {
            // The lease was lost: the account was changed, or another node has taken over.
            StoreError::Conflict | StoreError::NotFound => Self::Stop,
            error => Self::Store(error),
        }
    }
}

/// Reads the mailbox of `job`'s account until the account is changed, the line breaks or the process ends.
/// Boxed, as [`Processing::process`] is.
pub fn retrieve<'a>(core: &'a Core, with: &'a Retrieving, job: &'a ClaimedJob) -> BoxFuture<'a, ()> {
    Box::pin(async move {
        if let Err(error) = try_retrieve(core, with, job).await {
            belofte_core::retry_later(core, job, &error).await;
        }
    })
}

async fn try_retrieve(core: &Core, with: &Retrieving, job: &ClaimedJob) -> Result<(), StoreError> {
    let access = Access::job(job, core.clock().clone());
    let id = ChannelAccountId(job.subject);
    let Some(account) = core.store.account_for_retrieval(&access, id).await? else {
        return core.store.write(&access, belofte_store::FinishJob(job.clone())).await;
    };
    let mut reading = Reading::new(core, with, job, &access, account);
    let failures = reading.account.failures;
    let end = tokio::select! {
        end = reading.run() => end,
        () = core.shutdown.cancelled() => End::Stop,
    };
    let (standing, pause) = match end {
        End::Store(error) => return Err(error),
        End::Stop => (Noted::Same, Duration::ZERO),
        End::Problem(problem) => {
            tracing::warn!(account = %id, code = problem.as_str(), attempts = failures, "a mailbox is not read");
            let longest = if problem.needs_admin() { LONGEST_FOR_ADMIN } else { LONGEST };
            // A line that broke after it was read is opened again at once.
            let failures = if reading.was_read { 0 } else { failures };
            let seconds = (5_u64 << failures.min(10)).min(longest);
            let pause = if reading.was_read { 1 } else { seconds };
            (Noted::Failed(problem), Duration::from_secs(pause))
        }
    };
    metrics::counter!("belofte_retrieval_ended_total", "why" => match standing {
        Noted::Failed(problem) => problem.as_str(),
        _ => "stopped",
    })
    .increment(1);
    let noted = core.store.note_retrieval(
        &access,
        job,
        &reading.account.retrieval,
        Some(&reading.positions),
        standing,
        Some(pause),
    );
    match noted.await {
        Err(StoreError::Conflict | StoreError::NotFound) => Ok(()),
        noted => noted,
    }
}

/// A folder while it is read.
struct Folder {
    name: String,
    position: FolderPosition,
    /// The UIDs of older mail that are still to be read, lowest first; `None` until they were asked for.
    older: Option<Vec<u32>>,
}

struct Reading<'a> {
    core: &'a Core,
    with: &'a Retrieving,
    job: &'a ClaimedJob,
    access: &'a Access,
    account: AccountForRetrieval,
    positions: HashMap<String, FolderPosition>,
    /// Mails that were too large, since the last note.
    left_there: i64,
    /// What goes wrong although mail is read.
    problem: Option<RetrievalProblem>,
    /// Whether the mailbox was signed in to and looked at.
    was_read: bool,
}

impl<'a> Reading<'a> {
    fn new(
        core: &'a Core,
        with: &'a Retrieving,
        job: &'a ClaimedJob,
        access: &'a Access,
        account: AccountForRetrieval,
    ) -> Self {
        let positions = account.positions.clone();
        Self { core, with, job, access, account, positions, left_there: 0, problem: None, was_read: false }
    }

    async fn run(&mut self) -> End {
        match self.read().await {
            Ok(never) => match never {},
            Err(end) => end,
        }
    }

    async fn read(&mut self) -> Result<std::convert::Infallible, End> {
        let mut mailbox = self.open().await?;
        let mut folders = Vec::new();
        for name in self.account.retrieval.folders.clone() {
            let position = self.select(&mut mailbox, &name).await?;
            folders.push(Folder { name, position, older: None });
        }
        let single = folders.len() == 1;
        loop {
            for folder in &mut folders {
                if !single {
                    folder.position = self.select(&mut mailbox, &folder.name).await?;
                }
                self.read_new(&mut mailbox, folder).await?;
            }
            self.was_read = true;
            if let Some(at) = folders.iter().position(|folder| folder.position.has_older()) {
                let folder = &mut folders[at];
                if !single {
                    folder.position = self.select(&mut mailbox, &folder.name).await?;
                }
                self.read_older(&mut mailbox, folder).await?;
                let left = folders.iter().filter(|folder| folder.position.has_older());
                let older = left.map(|folder| folder.older.as_ref().map_or(1, Vec::len) as i64).sum();
                self.note(older, false).await?;
                continue;
            }
            self.note(0, true).await?;
            // Several folders are looked at in turn; the first is idled on meanwhile.
            if !single {
                self.select(&mut mailbox, &folders[0].name).await?;
            }
            mailbox = self.wait(mailbox, single).await?;
        }
    }

    /// Connects and signs in. A token that is refused although it should hold is renewed once.
    async fn open(&self) -> Result<Mailbox, End> {
        let imap = self.with.imap.clone();
        if self.account.retrieval.sign_in == SignInWith::Password {
            let password = self.account.password.as_ref().ok_or(RetrievalProblem::AuthenticationFailed)?;
            let server = server(
                &self.account.retrieval,
                self.account.recorded,
                Secret::Password(password.expose().clone()),
            );
            return Ok(self.kept(imap.open(&server)).await??);
        }
        let mut refused: Option<String> = None;
        loop {
            let (store, id) = (&self.core.store, self.account.account.id);
            let token = self.with.authorising.token(store, self.access, id, refused.as_deref());
            let token = self.kept(Box::pin(token)).await??;
            let server = server(&self.account.retrieval, self.account.recorded, Secret::Token(token.clone()));
            match self.kept(imap.open(&server)).await? {
                Err(RetrievalProblem::AuthenticationFailed) if refused.is_none() => refused = Some(token),
                opened => return Ok(opened?),
            }
        }
    }

    async fn select(&mut self, mailbox: &mut Mailbox, name: &str) -> Result<FolderPosition, End> {
        let opened = self.kept(mailbox.select(name)).await??;
        let kept = self.positions.get(name).copied();
        let position = FolderPosition::resume(kept, opened.validity, opened.uid_next);
        if kept.is_some_and(|kept| kept.validity != position.validity) {
            tracing::info!(account = %self.account.account.id, "a folder was numbered anew and is looked through");
        }
        self.positions.insert(name.to_owned(), position);
        Ok(position)
    }

    /// Does `work` while the lease is kept.
    async fn kept<T>(&self, work: impl Future<Output = T>) -> Result<T, End> {
        let mut work = std::pin::pin!(work);
        loop {
            tokio::select! {
                done = &mut work => return Ok(done),
                () = tokio::time::sleep(TICK) => self.keep().await?,
            }
        }
    }

    async fn keep(&self) -> Result<(), End> {
        let retrieval = &self.account.retrieval;
        let kept =
            self.core.store.note_retrieval(self.access, self.job, retrieval, None, Noted::Same, None).await;
        match kept {
            // A store that is busy or full for a moment does not lose a lease of minutes.
            Err(StoreError::Busy | StoreError::Full) => Ok(()),
            kept => Ok(kept?),
        }
    }

    async fn note(&mut self, older: i64, caught_up: bool) -> Result<(), End> {
        let standing =
            Noted::Reading { older, left_there: self.left_there, caught_up, problem: self.problem };
        let retrieval = &self.account.retrieval;
        let positions = Some(&self.positions);
        self.core.store.note_retrieval(self.access, self.job, retrieval, positions, standing, None).await?;
        self.left_there = 0;
        Ok(())
    }

    /// Reads all that is new in the folder that is open.
    async fn read_new(&mut self, mailbox: &mut Mailbox, folder: &mut Folder) -> Result<(), End> {
        loop {
            let listed = self.kept(mailbox.list_from(folder.position.next)).await??;
            if listed.is_empty() {
                return Ok(());
            }
            for batch in listed.chunks(BATCH) {
                let mut taken = Vec::with_capacity(batch.len());
                for mail in batch {
                    if self.take(mailbox, *mail).await? {
                        taken.push(mail.uid);
                    }
                }
                self.after(mailbox, &taken).await?;
                if let Some(last) = batch.last() {
                    folder.position.read_new(last.uid);
                }
                self.positions.insert(folder.name.clone(), folder.position);
                let older = if folder.position.has_older() { 1 } else { 0 };
                self.note(folder.older.as_ref().map_or(older, |older| older.len() as i64), false).await?;
            }
        }
    }

    /// Reads some of what lay in the open folder already, the newest first.
    async fn read_older(&mut self, mailbox: &mut Mailbox, folder: &mut Folder) -> Result<(), End> {
        let since = self.account.retrieval.since;
        if folder.older.is_none() {
            // A day early: servers search by days in a zone of their own.
            let day = since.map(|since| imap_day(since - DAY));
            let mut uids = self.kept(mailbox.older(folder.position.older, day.as_deref())).await??;
            uids.reverse();
            folder.older = Some(uids);
        }
        let older = folder.older.get_or_insert_default();
        let batch = older.split_off(older.len().saturating_sub(BATCH));
        let mut taken = Vec::new();
        for uid in batch.iter().rev() {
            let Some(mail) = self.kept(mailbox.look_at(*uid)).await?? else { continue };
            // Servers search by days. Their clocks differ: rather some minutes too much than a mail too few.
            if since.is_some_and(|since| mail.received.is_some_and(|received| received < since - SKEW)) {
                continue;
            }
            if self.take(mailbox, mail.listed).await? {
                taken.push(*uid);
            }
        }
        self.after(mailbox, &taken).await?;
        match batch.first() {
            Some(lowest) if !folder.older.as_ref().is_none_or(Vec::is_empty) => {
                folder.position.read_older(*lowest);
            }
            _ => folder.position.read_all(),
        }
        self.positions.insert(folder.name.clone(), folder.position);
        Ok(())
    }

    /// Takes one mail in. `false` when it is gone, or stays there because it is too large.
    async fn take(&mut self, mailbox: &mut Mailbox, mail: Listed) -> Result<bool, End> {
        if mail.octets as usize > self.with.max_message {
            self.left_there += 1;
            return Ok(false);
        }
        let Some(raw) = self.kept(mailbox.fetch(mail.uid, mail.octets)).await?? else { return Ok(false) };
        let mut envelope = self.envelope(&raw);
        // Nothing that the mail says about its way here is believed: anybody could have written it.
        envelope.authentication =
            Some(self.kept(self.with.processing.authenticator.check(None, &raw)).await?);
        loop {
            let account = &self.account.account;
            match self.kept(self.with.processing.take_in(account, &envelope, &raw)).await? {
                Ok(()) => return Ok(true),
                // No room, or no answer of the database: it stays there meanwhile.
                Err(_) => self.kept(tokio::time::sleep(AGAIN)).await?,
            }
        }
    }

    /// The envelope as the mail itself tells it.
    fn envelope(&self, raw: &[u8]) -> SealedEnvelope {
        let trace = trace(raw);
        let own = self.account.address.normalised();
        // An address of ours with something behind a plus names the conversation.
        let ours = |address: &&EmailAddress| address.split_detail().0.normalised() == own;
        let detailed = |address: &&EmailAddress| address.split_detail().1.is_some();
        let rcpt = trace.recipients.iter().filter(ours).find(detailed).unwrap_or(&self.account.address);
        // Without the field nobody knows; who writes it writes `<>` for a bounce.
        let mail_from = match &trace.return_path {
            Some(path) => path.as_ref().map(EmailAddress::as_sent),
            None => Some(String::new()),
        };
        SealedEnvelope {
            mail_from,
            rcpt: rcpt.as_sent(),
            client: self.account.retrieval.host.clone(),
            tls: (self.account.retrieval.security != LineSecurity::None).then(|| "TLS".to_owned()),
            helo: "imap".to_owned(),
            authentication: None,
        }
    }

    /// Does on the server what the account says, with mails that are committed.
    async fn after(&mut self, mailbox: &mut Mailbox, taken: &[u32]) -> Result<(), End> {
        if taken.is_empty() {
            return Ok(());
        }
        let done = match self.account.retrieval.after.clone() {
            AfterRetrieval::Keep => return Ok(()),
            AfterRetrieval::Seen => self.kept(mailbox.see(taken)).await?,
            AfterRetrieval::Move(folder) => self.kept(mailbox.move_to(taken, &folder)).await?,
        };
        match done {
            Ok(()) => self.problem = None,
            // Reading goes on: what cannot be moved or marked is here all the same.
            Err(RetrievalProblem::MoveFailed | RetrievalProblem::Refused) => {
                self.problem = Some(RetrievalProblem::MoveFailed);
            }
            Err(problem) => return Err(problem.into()),
        }
        Ok(())
    }

    /// Waits until there may be something new.
    async fn wait(&mut self, mut mailbox: Mailbox, single: bool) -> Result<Mailbox, End> {
        let poll = self.with.poll_every;
        if !mailbox.can_idle() {
            self.kept(tokio::time::sleep(poll)).await?;
            self.kept(mailbox.refresh()).await??;
            return Ok(mailbox);
        }
        let (mailbox, woken) = self.kept(mailbox.idle(if single { IDLE } else { poll })).await??;
        if woken == Woken::Told {
            metrics::counter!("belofte_retrieval_woken_total").increment(1);
        }
        Ok(mailbox)
    }
}

/// The server whose mailbox is read, and what is shown to it.
pub(super) fn server(retrieval: &Retrieval, recorded: bool, secret: Secret) -> ImapServer {
    ImapServer {
        host: retrieval.host.clone(),
        recorded,
        port: retrieval.port,
        security: match retrieval.security {
            LineSecurity::Tls => Security::Tls,
            LineSecurity::StartTls => Security::StartTls,
            LineSecurity::None => Security::None,
        },
        username: retrieval.username.clone(),
        secret,
    }
}
