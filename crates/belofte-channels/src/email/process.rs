// SPDX-License-Identifier: EUPL-1.2
//! Files a mail, at the door or from the spool: bytes become a message of a conversation, or a
//! quarantined source.

use std::fmt;
use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use belofte_core::{AtDoor, Core};
use belofte_mail::{
    EnvelopeSender, Mailbox, ParsedMail, ReplyAddress, content_hash, parse_with, thread_candidates,
};
use belofte_model::{
    ChannelAccountId, Duration, EmailAddress, Incoming, IntakeState, MailSort, MessageId, QuarantineReason,
    ThreadId,
};
use belofte_store::{
    Access, ClaimedJob, Correspondent, Filed, IncomingMail, IntakeSource, MessageContent, NewFile,
    ResolvedAccount, SealedEnvelope, StoreError,
};
use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use mail_auth::common::to_a_label;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use super::authentication::Authenticator;
use crate::dns::Dns;
use crate::scanner::{NotScanned, Scanner, Verdict};

/// A sender waits so long for a place.
const PATIENCE: Duration = Duration::from_secs(2);
/// A sender waits so long for the scanner; then the mail waits for it in the spool.
const SCAN_AT_DOOR: Duration = Duration::from_secs(10);
/// A job waits so long for it; shorter than its lease.
const SCAN_IN_SPOOL: Duration = Duration::from_secs(45);
/// One that did not come to an end is tried again after so long.
const SCAN_AGAIN: Duration = Duration::from_secs(30);

/// Takes mail in, and files it without the detour over the job table as long as there are places.
#[derive(Clone)]
pub struct Processing {
    pub(super) core: Core,
    pub(super) authenticator: Authenticator,
    scanner: Scanner,
    places: Arc<Semaphore>,
}

impl fmt::Debug for Processing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Processing(..)")
    }
}

impl Processing {
    /// At most `places` mails are filed at once; what comes on top waits in the job table. Who sent them is found
    /// out before, by asking `dns`, and what is in them by asking `scanner`.
    #[must_use]
    pub fn new(core: Core, places: usize, dns: Dns, scanner: Scanner) -> Self {
        let authenticator = Authenticator::new(dns, core.clock().clone());
        Self { core, authenticator, scanner, places: Arc::new(Semaphore::new(places)) }
    }

    /// A place to file the next mail at once. A sender waits for one for a moment before its mail is
    /// taken in: that costs less than the detour of every mail over the job table, and keeps what is
    /// acknowledged close to what is filed. `None` when filing stands still: the mail then waits in
    /// the job table, as durable as the others.
    async fn place(&self) -> Option<OwnedSemaphorePermit> {
        tokio::time::timeout(PATIENCE, Arc::clone(&self.places).acquire_owned()).await.ok()?.ok()
    }

    /// Takes a mail in: filed at once in the write that makes it durable, when there is a place for
    /// that and the mail is a plain case; otherwise spooled and filed by a job. When this answers
    /// `Ok` it is durable.
    ///
    /// # Errors
    /// [`ReceiveError`](belofte_core::ReceiveError); nothing is stored then.
    pub(super) async fn take_in(
        &self,
        account: &ResolvedAccount,
        envelope: &SealedEnvelope,
        raw: &[u8],
    ) -> Result<(), belofte_core::ReceiveError> {
        let place = self.place().await;
        if place.is_some() {
            // A mail on which the parser breaks must not stay with its sender for ever: it is spooled,
            // and quarantined when filing it breaks again.
            match AssertUnwindSafe(at_door(&self.core, &self.scanner, account, envelope, raw))
                .catch_unwind()
                .await
            {
                Ok(Ok(AtDoor::Filed(_))) => return Ok(()),
                Ok(Err(error)) => return Err(error),
                Ok(Ok(AtDoor::Spool)) => {}
                Err(_) => tracing::error!(account = %account.id, "a mail could not be filed at the door"),
            }
        }
        let received = belofte_core::receive(&self.core, account, envelope, raw, place.is_some()).await?;
        if let (Some(place), Some(job)) = (place, received.job) {
            self.spawn(place, job);
        }
        Ok(())
    }

    /// Files `job` in the background, in `place`.
    fn spawn(&self, place: OwnedSemaphorePermit, job: ClaimedJob) {
        let with = self.clone();
        self.core.tasks.spawn(async move {
            let _place = place;
            with.process(&job).await;
        });
    }

    /// Files the mail of `job`; a failure puts the job back. Boxed: everything that filing holds lies
    /// on the heap then, not in the task of the connection that spawns it.
    pub fn process<'a>(&'a self, job: &'a ClaimedJob) -> BoxFuture<'a, ()> {
        Box::pin(async move {
            if let Err(error) = try_process(&self.core, &self.scanner, job).await {
                belofte_core::retry_later(&self.core, job, &error).await;
            }
        })
    }
}

/// Files a mail in the write that makes it durable. Boxed, as [`Processing::process`] is.
fn at_door<'a>(
    core: &'a Core,
    scanner: &'a Scanner,
    account: &'a ResolvedAccount,
    envelope: &'a SealedEnvelope,
    raw: &'a [u8],
) -> BoxFuture<'a, Result<AtDoor, belofte_core::ReceiveError>> {
    Box::pin(async move {
        let access = belofte_core::door(core, account);
        match read(core, &access, account.id, envelope, raw).await {
            Ok(Ok(mail)) => {
                // Nothing is stored yet, and no transaction is open. What is not clean is spooled, and judged there.
                let scan = scan(scanner, raw, &mail);
                if !matches!(tokio::time::timeout(SCAN_AT_DOOR, scan).await, Ok(Ok(Verdict::Clean))) {
                    return Ok(AtDoor::Spool);
                }
                belofte_core::file_at_door(core, &access, account, raw, &mail).await
            }
            // What goes to the quarantine is spooled first: its source stays sealed by itself. So is
            // what cannot be understood yet, such as a report that overtakes what it speaks of.
            Ok(Err(_)) | Err(_) => Ok(AtDoor::Spool),
        }
    })
}

/// What the scanner says of a mail: of the whole, which can be saved as it came, and of each file as an agent opens it.
async fn scan(scanner: &Scanner, raw: &[u8], mail: &IncomingMail) -> Result<Verdict, NotScanned> {
    let files = mail.files.iter().map(|file| file.bytes.as_slice()).filter(|bytes| !bytes.is_empty());
    let parts: Vec<&[u8]> = std::iter::once(raw).chain(files).collect();
    scanner.scan(&parts).await
}

async fn scan_in_time(scanner: &Scanner, raw: &[u8], mail: &IncomingMail) -> Result<Verdict, NotScanned> {
    let scan = tokio::time::timeout(SCAN_IN_SPOOL, scan(scanner, raw, mail));
    scan.await.unwrap_or(Err(NotScanned::TimedOut))
}

/// Puts a job back that needs the scanner; spread, so that not all come back at once.
async fn wait_for_scanner(
    core: &Core,
    scanner: &Scanner,
    access: &Access,
    job: &ClaimedJob,
) -> Result<(), StoreError> {
    let [jitter] = core.random().bytes();
    let again = scanner.pause().unwrap_or(SCAN_AGAIN) + Duration::from_millis(u64::from(jitter) * 20);
    belofte_core::put_off(core, access, job, "scanner_unavailable", again, false).await
}

async fn try_process(core: &Core, scanner: &Scanner, job: &ClaimedJob) -> Result<(), StoreError> {
    if scanner.pause().is_some() {
        // A flood that waits for it is not opened again and again.
        let access = Access::job(job, core.clock().clone());
        return wait_for_scanner(core, scanner, &access, job).await;
    }
    let Some((access, source)) = belofte_core::open(core, job).await? else { return Ok(()) };
    if source.state != IntakeState::Received {
        return core.store.write(&access, belofte_store::FinishJob(job.clone())).await;
    }
    match read(core, &access, source.account, &source.envelope, &source.raw).await? {
        Ok(mail) => match scan_in_time(scanner, &source.raw, &mail).await {
            Ok(Verdict::Clean) => file(core, &access, job, &source, mail).await,
            Ok(Verdict::Infected(name)) => {
                tracing::warn!(job = %job.id, "malware was found in a mail; it is quarantined");
                belofte_core::quarantine_infected(core, &access, job, name).await
            }
            Ok(Verdict::TooLarge) => {
                belofte_core::quarantine(core, &access, job, QuarantineReason::NotScanned).await
            }
            // It waits, however long: nothing of it is lost, and nothing goes past the scanner.
            Err(NotScanned::Unavailable) => wait_for_scanner(core, scanner, &access, job).await,
            Err(NotScanned::TimedOut) if job.attempts + 1 >= job.kind.max_attempts() => {
                belofte_core::quarantine(core, &access, job, QuarantineReason::NotScanned).await
            }
            Err(NotScanned::TimedOut) => {
                belofte_core::put_off(core, &access, job, "scan_timed_out", SCAN_AGAIN, true).await
            }
        },
        Err(reason) => belofte_core::quarantine(core, &access, job, reason).await,
    }
}

/// Files a spooled mail. One with a known identifier that says something else becomes a message too,
/// known by its identifier and what it says, so that its own copies are told.
async fn file(
    core: &Core,
    access: &Access,
    job: &ClaimedJob,
    source: &IntakeSource,
    mut mail: IncomingMail,
) -> Result<(), StoreError> {
    let Filed::Known(known) = belofte_core::file(core, access, job, source, &mail).await? else {
        return Ok(());
    };
    if super::copies::is_copy(core, access, known, &mail).await? {
        return belofte_core::file_copy(core, access, job, source, known).await;
    }
    mail.external_id = format!("{} sha256:{}", mail.external_id, hex::encode(content_hash(&source.raw)));
    match belofte_core::file(core, access, job, source, &mail).await? {
        Filed::Known(known) => belofte_core::file_copy(core, access, job, source, known).await,
        Filed::Message { .. } | Filed::Erased => Ok(()),
    }
}

fn correspondent(mailbox: &Mailbox) -> Correspondent {
    Correspondent { name: mailbox.name.clone(), address: mailbox.address.as_sent() }
}

fn correspondents(mailboxes: &[Mailbox]) -> Vec<Correspondent> {
    mailboxes.iter().map(correspondent).collect()
}

/// What the mail says, as it is to be filed.
async fn read(
    core: &Core,
    access: &Access,
    account: ChannelAccountId,
    envelope: &SealedEnvelope,
    raw: &[u8],
) -> Result<Result<IncomingMail, QuarantineReason>, StoreError> {
    let sender = match &envelope.mail_from {
        Some(_) => EnvelopeSender::Given,
        None => EnvelopeSender::Null,
    };
    let parsed = match parse_with(raw, sender) {
        Ok(parsed) => parsed,
        Err(reason) => return Ok(Err(reason)),
    };
    let envelope_sender = envelope.mail_from.as_deref().and_then(|address| EmailAddress::parse(address).ok());
    let from = match (&parsed.from, &parsed.sender, envelope_sender) {
        (Some(from), _, _) | (None, Some(from), _) => correspondent(from),
        (None, None, Some(address)) => Correspondent { name: String::new(), address: address.as_sent() },
        (None, None, None) => return Ok(Err(QuarantineReason::NoSender)),
    };
    let Ok(author) = EmailAddress::parse(&from.address) else { return Ok(Err(QuarantineReason::NoSender)) };
    let mut sort = parsed.automatic.sort();
    if sort.is_none() && is_own(core, access, &parsed, &author, &envelope.rcpt).await? {
        sort = Some(MailSort::OwnCopy);
    }
    let incoming = match sort {
        Some(sort) if sort.asks_nothing() => Incoming::Automatic,
        _ => Incoming::Person,
    };
    let mut related: Vec<String> = thread_candidates(&parsed).into_iter().map(str::to_owned).collect();
    // A bounce belongs to the message that it speaks of.
    let mut report = None;
    if let Some(bounce) = parsed.automatic.bounce() {
        let original = match super::report::subject(core, access, account, bounce).await? {
            Some(subject) => {
                report = subject.report;
                subject.message_id
            }
            None => bounce.original_message_id.clone(),
        };
        related.splice(0..0, original);
    }
    // And so does a complaint.
    if let Some(complaint) = parsed.automatic.complaint() {
        let original = match super::report::complained(core, access, account, complaint).await? {
            Some(subject) => {
                report = subject.report;
                subject.message_id
            }
            None => complaint.original_message_id.clone(),
        };
        related.splice(0..0, original);
    }
    let reply_thread = reply_thread(core, access, &envelope.rcpt).await?;
    // A mail without an identifier is recognised by what it says.
    let external_id =
        parsed.message_id.clone().unwrap_or_else(|| format!("sha256:{}", hex::encode(content_hash(raw))));
    let ParsedMail {
        message_id,
        references,
        reply_to,
        to,
        cc,
        subject,
        date,
        text,
        html,
        quoted_from,
        has_remote_images,
        attachments,
        cover,
        invitation,
        ..
    } = parsed;
    let files = attachments
        .into_iter()
        .map(|file| NewFile {
            name: file.name,
            media_type: file.media_type,
            content_id: file.content_id,
            inline: file.inline,
            bytes: file.bytes,
        })
        .collect();
    let authentication =
        envelope.authentication.clone().map(|checked| checked.of_author(&to_a_label(author.domain())));
    let content = MessageContent {
        subject,
        from,
        to: correspondents(&to),
        cc: correspondents(&cc),
        reply_to: correspondents(&reply_to),
        text,
        html,
        quoted_from,
        has_remote_images,
        message_id,
        references,
        authentication,
        sort,
        cover,
        invitation: invitation.map(Box::new),
        mentions: Vec::new(),
    };
    let author = author.normalised();
    let sent_at = date;
    Ok(Ok(IncomingMail {
        content,
        author,
        external_id,
        related,
        reply_thread,
        incoming,
        files,
        sent_at,
        report,
    }))
}

/// Whether a mail is an answer of the tenant's own, which `rcpt` got along with somebody else. One that went
/// to `rcpt` alone is not meant here: whoever sends a case to another address of the house wants it seen there.
async fn is_own(
    core: &Core,
    access: &Access,
    mail: &ParsedMail,
    author: &EmailAddress,
    rcpt: &str,
) -> Result<bool, StoreError> {
    // Ours say by their form that they may be, so that nothing is asked about others.
    let Some((local, domain)) = mail.message_id.as_deref().and_then(|id| id.split_once('@')) else {
        return Ok(false);
    };
    if local.len() != 32 || !domain.eq_ignore_ascii_case(author.domain()) {
        return Ok(false);
    }
    let Ok(id) = Uuid::try_parse(local) else { return Ok(false) };
    let base = |address: &EmailAddress| address.split_detail().0.normalised();
    let Ok(here) = EmailAddress::parse(rcpt).map(|address| base(&address)) else { return Ok(false) };
    let along = mail.to.iter().chain(&mail.cc).any(|to| base(&to.address) != here);
    Ok(along && core.store.is_own_reply(access, MessageId(id)).await?)
}

/// The thread that a signed reply address names, itself or by the number of a message in it; `None`
/// when there is none, or it is not ours.
async fn reply_thread(core: &Core, access: &Access, rcpt: &str) -> Result<Option<ThreadId>, StoreError> {
    let detail = EmailAddress::parse(rcpt).ok().and_then(|address| address.split_detail().1);
    let Some(address) = detail.as_deref().and_then(ReplyAddress::decode) else { return Ok(None) };
    let (keys, says) = (core.store.keys(access).await?, address.reference());
    if let Ok(thread) = Uuid::from_slice(says) {
        let code = keys.mac.tag(belofte_core::REPLY_ADDRESS, says);
        return Ok(address.matches(&code).then_some(ThreadId(thread)));
    }
    if says.len() > 8 || !address.matches(&keys.mac.tag(belofte_core::REPLY_NUMBER, says)) {
        return Ok(None);
    }
    let no = says.iter().fold(0_i64, |no, octet| no << 8 | i64::from(*octet));
    core.store.thread_of_number(access, no).await
}
