// SPDX-License-Identifier: EUPL-1.2
//! The outbox: what is to be sent, to whom, and what became of it.

use belofte_model::{DeliveryId, DeliveryState, JobId, MessageId, NotificationId};
use belofte_store::{
    AbandonSending, Access, AccountForDelivery, BeginDelivery, ClaimedJob, Correspondent, FinishJob, Message,
    MessageContent, NothingDue, Outcome, RecordOutcomes, StoreError, TenantKeys,
};

use crate::{Core, Insistence};

/// A message with those recipients that are due.
pub struct Parcel {
    /// The message as stored.
    pub message: Message,
    /// The account that sends it, secrets included.
    pub account: AccountForDelivery,
    /// The recipients to try now.
    pub recipients: Vec<Recipient>,
    /// Its files, opened.
    pub files: Vec<ParcelFile>,
    /// What its reply address can say, and the code that signs it, the best first: its thread; its
    /// own number, which leaves more room for a long name of the account.
    pub reply_codes: Vec<(Vec<u8>, [u8; 16])>,
    /// The name of the envelope, by which a report about it can be told from a forged one: nobody
    /// else can make it, and its recipients do not see it.
    pub envelope_id: String,
}

/// A recipient of a parcel.
#[derive(Clone, Debug)]
pub struct Recipient {
    /// The delivery.
    pub id: DeliveryId,
    /// Whom to.
    pub to: Correspondent,
    /// How often it failed before.
    pub attempts: u32,
    /// When it was queued.
    pub queued_at: belofte_model::Timestamp,
}

/// A file of a parcel.
pub struct ParcelFile {
    /// Its name.
    pub name: String,
    /// Its media type.
    pub media_type: String,
    /// The identifier by which markup names it.
    pub content_id: Option<String>,
    /// Its bytes.
    pub bytes: Vec<u8>,
}

impl Parcel {
    /// What it says.
    #[must_use]
    pub const fn content(&self) -> &MessageContent {
        &self.message.content
    }
}

/// The domain of the codes in reply addresses that name a thread.
pub const REPLY_ADDRESS: &str = "reply-address";
/// The domain of the codes in reply addresses that name a message by its number.
pub const REPLY_NUMBER: &str = "reply-number";

/// The number of a message as a reply address says it: big-endian, without leading zeros.
#[must_use]
pub fn number_octets(no: i64) -> Vec<u8> {
    let octets = no.to_be_bytes();
    octets.into_iter().skip_while(|octet| *octet == 0).collect()
}

/// What `job` is to send; `None` when nobody is due: the job then waits for the
/// next who is, or is ended. Recipients that a
/// worker held when it went away become unknown first: they are never sent twice.
///
/// # Errors
/// The store's errors.
pub async fn parcel(core: &Core, job: &ClaimedJob) -> Result<Option<(Access, Parcel)>, StoreError> {
    let access = Access::job(job, core.clock().clone());
    let now = access.clock().now();
    let id = MessageId(job.subject);
    core.store
        .write(
            &access,
            AbandonSending {
                job: job.clone(),
                message: id,
                look: JobId::new(now, core.random().bytes()),
                told: NotificationId::new(now, core.random().bytes()),
                now,
            },
        )
        .await?;
    let message = match core.store.message(&access, id).await {
        Ok(message) => message,
        // Erased in the meantime: there is nothing to send any more.
        Err(StoreError::NotFound | StoreError::KeyGone(_)) => {
            core.store.write(&access, FinishJob(job.clone())).await?;
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let recipients: Vec<Recipient> = message
        .deliveries
        .iter()
        .filter(|delivery| delivery.state == DeliveryState::Queued)
        .filter(|delivery| delivery.next_try_at.is_none_or(|at| at <= now))
        .map(|delivery| Recipient {
            id: delivery.id,
            to: delivery.recipient.clone(),
            attempts: delivery.attempts,
            queued_at: delivery.created_at,
        })
        .collect();
    if recipients.is_empty() {
        core.store.write(&access, NothingDue { job: job.clone(), message: id, now }).await?;
        return Ok(None);
    }
    let account = message.account.ok_or(StoreError::Inconsistent { what: "an answer without an account" })?;
    let account = core.store.account_for_delivery(&access, account).await?;
    let Enclosed { files, reply_codes } = enclosed(core, &access, &message).await?;
    let keys = core.store.keys(&access).await?;
    let envelope_id = envelope_id(&keys, message.id);
    Ok(Some((access, Parcel { message, account, recipients, files, reply_codes, envelope_id })))
}

/// What a mail is made of beside its words.
pub struct Enclosed {
    /// Its files, opened.
    pub files: Vec<ParcelFile>,
    /// As [`Parcel::reply_codes`].
    pub reply_codes: Vec<(Vec<u8>, [u8; 16])>,
}

/// What the mail of `message` is made of beside its words, for who sends it or shows it as it went.
///
/// # Errors
/// The store's errors.
pub async fn enclosed(core: &Core, access: &Access, message: &Message) -> Result<Enclosed, StoreError> {
    let mut files = Vec::with_capacity(message.attachments.len());
    for attachment in &message.attachments {
        let file = core.store.attachment(access, attachment.id).await?;
        files.push(ParcelFile {
            name: attachment.name.clone(),
            media_type: attachment.media_type.clone(),
            content_id: attachment.content_id.clone(),
            bytes: file.read(0..u64::MAX).await?,
        });
    }
    let keys = core.store.keys(access).await?;
    let mut reply_codes = Vec::new();
    if let Some(thread) = message.thread {
        let (thread, number) = (thread.uuid().as_bytes().to_vec(), number_octets(message.no));
        reply_codes.push((keys.mac.tag(REPLY_ADDRESS, &thread), thread));
        reply_codes.push((keys.mac.tag(REPLY_NUMBER, &number), number));
    }
    let reply_codes = reply_codes.into_iter().map(|(code, says)| (says, code)).collect();
    Ok(Enclosed { files, reply_codes })
}

/// Octets of the code in an envelope's name: 80 bits, for guesses that must each be sent as a mail.
const CODE: usize = 10;

/// The name of the envelope of a message: its id and a code, in letters, digits and a dot.
fn envelope_id(keys: &TenantKeys, message: MessageId) -> String {
    let code = keys.mac.tag("envelope-id", message.uuid().as_bytes());
    let hex: String = code.iter().take(CODE).map(|octet| format!("{octet:02x}")).collect();
    format!("{}.{hex}", message.uuid().simple())
}

/// The message whose envelope has this name; `None` when we did not make it.
#[must_use]
pub fn enveloped(keys: &TenantKeys, name: &str) -> Option<MessageId> {
    let message: MessageId = name.split_once('.')?.0.parse().ok()?;
    let expected = envelope_id(keys, message);
    let pairs = expected.bytes().zip(name.bytes());
    let difference = pairs.fold(0, |seen, (ours, theirs)| seen | (ours ^ theirs.to_ascii_lowercase()));
    (name.len() == expected.len() && std::hint::black_box(difference) == 0).then_some(message)
}

/// Marks the recipients of `parcel` as held, before the first byte goes out.
///
/// # Errors
/// [`StoreError::Conflict`] when the lease was lost.
pub async fn begin(
    core: &Core,
    access: &Access,
    job: &ClaimedJob,
    parcel: &Parcel,
) -> Result<(), StoreError> {
    let write = BeginDelivery {
        job: job.clone(),
        message: parcel.message.id,
        deliveries: parcel.recipients.iter().map(|recipient| recipient.id).collect(),
        now: access.clock().now(),
    };
    core.store.write(access, write).await
}

/// Records what became of the recipients; while there is no room, for as long as the lease lasts.
///
/// # Errors
/// The store's errors. The recipients stay held then, and become unknown when the lease ends.
pub async fn record(
    core: &Core,
    access: &Access,
    job: &ClaimedJob,
    message: &Message,
    outcomes: Vec<Outcome>,
) -> Result<(), StoreError> {
    let counted: Vec<&'static str> = outcomes.iter().map(|outcome| outcome.state.as_str()).collect();
    let mut insistence = Insistence::new(core, job);
    loop {
        let outcomes = outcomes.clone();
        let write = RecordOutcomes::prepare(&core.store, access, job.clone(), message, outcomes).await?;
        match core.store.write(access, write).await {
            Err(error) if insistence.again(&error).await => {}
            ended => {
                if ended.is_ok() {
                    for outcome in &counted {
                        metrics::counter!("belofte_deliveries_total", "outcome" => *outcome).increment(1);
                    }
                }
                return ended;
            }
        }
    }
}
