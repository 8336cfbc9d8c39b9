// SPDX-License-Identifier: EUPL-1.2
//! Sends what waits in the outbox.

use belofte_core::{Core, Parcel, ParcelFile};
use belofte_mail::{Mailbox, OutgoingAttachment, OutgoingKind, OutgoingMail, ReplyAddress, compose};
use belofte_model::{
    DeliveryState, EmailAddress, LineSecurity, MessageKind, RetrySchedule, SignInWith, Timestamp,
    TokenProblem,
};
use belofte_store::{Access, AccountForDelivery, ClaimedJob, Correspondent, Message, Outcome, StoreError};

use super::authorisation::{Authorising, NoToken};
use super::dkim;
use super::sign_in::Secret;
use super::submission::{Credentials, DeliveryCode, Outcome as Sent, Security, Submission, SubmissionServer};

/// What sending takes.
#[derive(Clone)]
pub struct Delivering {
    /// Hands mail in.
    pub submission: Submission,
    /// Gets tokens for the servers that are signed in to by one.
    pub authorising: Authorising,
}

/// Sends the message of `job` to those recipients that are due; a failure of the store puts the
/// job back.
pub async fn deliver(core: &Core, with: &Delivering, job: &ClaimedJob) {
    if let Err(error) = try_deliver(core, with, job).await {
        belofte_core::retry_later(core, job, &error).await;
    }
}

async fn try_deliver(core: &Core, with: &Delivering, job: &ClaimedJob) -> Result<(), StoreError> {
    let Delivering { submission, authorising } = with;
    let Some((access, parcel)) = belofte_core::parcel(core, job).await? else { return Ok(()) };
    // An address that was stored and cannot be read any more fails alone.
    let mut outcomes: Vec<Outcome> = Vec::new();
    let mut due = Vec::new();
    for recipient in &parcel.recipients {
        match EmailAddress::parse(&recipient.to.address) {
            Ok(address) => due.push((recipient, address)),
            Err(_) => outcomes.push(failed(recipient.id, DeliveryCode::UnknownRecipient.as_str(), None)),
        }
    }
    // Before anything is marked as being sent: a provider can take its time, and nothing is sent meanwhile.
    let secret = secret(core, authorising, &access, &parcel.account, None).await?;
    let from = parcel.account.account.address.clone();
    // What is to be signed does not go out without its signature.
    let signer = core.store.mail_signer(&access, &from).await?;
    belofte_core::begin(core, &access, job, &parcel).await?;
    match server(&parcel.account, &secret) {
        Some(mut server) => {
            let mut bytes = composed(core, &parcel, &from);
            if let Some(signer) = &signer {
                bytes = dkim::signed(signer, &bytes, sent_at(core, &parcel.message));
            }
            let addresses: Vec<EmailAddress> = due.iter().map(|(_, address)| address.clone()).collect();
            let sending =
                Sending { submission, from: &from, to: &addresses, id: &parcel.envelope_id, bytes: &bytes };
            let mut results = sending.send(&server, &secret).await;
            // A token that is refused although it should hold is renewed once; nothing was sent by then.
            if let (Shown::Token(token), true) = (&secret, was_refused(&results)) {
                let again = self::secret(core, authorising, &access, &parcel.account, Some(token)).await?;
                if let Some(other) = self::server(&parcel.account, &again) {
                    server = other;
                    results = sending.send(&server, &again).await;
                }
            }
            let now = access.clock().now();
            // One for all recipients, so that they are tried together again.
            let [jitter] = core.random().bytes();
            for ((recipient, _), result) in due.iter().zip(results) {
                outcomes.push(match result {
                    Sent::Sent { reply } => Outcome {
                        id: recipient.id,
                        state: DeliveryState::Sent,
                        next_try_at: None,
                        code: None,
                        reply: Some(reply.text()),
                    },
                    Sent::Failed { code, reply } => {
                        failed(recipient.id, code.as_str(), reply.map(|r| r.text()))
                    }
                    Sent::Unknown { code } => Outcome {
                        id: recipient.id,
                        state: DeliveryState::Unknown,
                        next_try_at: None,
                        code: Some(code.as_str()),
                        reply: None,
                    },
                    Sent::Retry { code, reply } => {
                        let attempts = recipient.attempts + 1;
                        let next = RetrySchedule::default().next(recipient.queued_at, now, attempts, jitter);
                        let reply = reply.map(|reply| reply.text());
                        match next {
                            Some(at) => Outcome {
                                id: recipient.id,
                                state: DeliveryState::Queued,
                                next_try_at: Some(at),
                                code: Some(code.as_str()),
                                reply,
                            },
                            None => failed(recipient.id, DeliveryCode::GivenUp.as_str(), reply),
                        }
                    }
                });
            }
        }
        None => {
            let code = DeliveryCode::ConnectionFailed.as_str();
            outcomes.extend(due.iter().map(|(recipient, _)| failed(recipient.id, code, None)));
        }
    }
    belofte_core::record(core, &access, job, &parcel.message, outcomes).await
}

fn failed(id: belofte_model::DeliveryId, code: &'static str, reply: Option<String>) -> Outcome {
    Outcome { id, state: DeliveryState::Failed, next_try_at: None, code: Some(code), reply }
}

/// What is to be handed in.
struct Sending<'a> {
    submission: &'a Submission,
    from: &'a EmailAddress,
    to: &'a [EmailAddress],
    id: &'a str,
    bytes: &'a [u8],
}

impl Sending<'_> {
    async fn send(&self, server: &SubmissionServer, secret: &Shown) -> Vec<Sent> {
        match secret {
            Shown::NoToken(problem) => {
                let code = DeliveryCode::of_token(*problem);
                vec![Sent::Retry { code, reply: None }; self.to.len()]
            }
            Shown::Nothing | Shown::Password | Shown::Token(_) => {
                self.submission.send(server, self.from, self.to, self.id, self.bytes).await
            }
        }
    }
}

/// Whether the server did not let us sign in: nothing was sent.
fn was_refused(results: &[Sent]) -> bool {
    let refused = |one: &Sent| matches!(one, Sent::Retry { code: DeliveryCode::AuthenticationFailed, .. });
    !results.is_empty() && results.iter().all(refused)
}

/// What the server of an account is shown.
enum Shown {
    Nothing,
    Password,
    Token(String),
    /// There is no token to show.
    NoToken(TokenProblem),
}

/// What the server of `account` is shown: a token other than `not_this` where it signs in by one.
async fn secret(
    core: &Core,
    authorising: &Authorising,
    access: &Access,
    account: &AccountForDelivery,
    not_this: Option<&str>,
) -> Result<Shown, StoreError> {
    let Some(server) = &account.account.submission else { return Ok(Shown::Nothing) };
    if server.sign_in == SignInWith::Password {
        return Ok(if account.password.is_some() { Shown::Password } else { Shown::Nothing });
    }
    match authorising.token(&core.store, access, account.account.id, not_this).await {
        Ok(token) => Ok(Shown::Token(token)),
        Err(NoToken::Problem(problem)) => Ok(Shown::NoToken(problem)),
        Err(NoToken::Store(error)) => Err(error),
    }
}

/// The server that sends for an account; `None` when its tenant has named none.
fn server(account: &AccountForDelivery, shown: &Shown) -> Option<SubmissionServer> {
    let settings = account.account.submission.as_ref()?;
    let secret = match (shown, &account.password) {
        (Shown::Password, Some(password)) => Some(Secret::Password(password.expose().clone())),
        (Shown::Token(token), _) => Some(Secret::Token(token.clone())),
        (Shown::Password | Shown::Nothing | Shown::NoToken(_), _) => None,
    };
    let username = settings.username.clone();
    let credentials = username.zip(secret).map(|(username, secret)| Credentials { username, secret });
    let security = match settings.security {
        LineSecurity::Tls => Security::Tls,
        LineSecurity::StartTls => Security::StartTls,
        LineSecurity::None => Security::None,
    };
    let (host, port, recorded) = (settings.host.clone(), settings.port, account.recorded);
    Some(SubmissionServer { host, recorded, port, security, credentials })
}

fn mailbox(person: &Correspondent) -> Option<Mailbox> {
    Some(Mailbox::new(&person.name, EmailAddress::parse(&person.address).ok()?))
}

/// When the message was sent, by its own date.
fn sent_at(core: &Core, message: &Message) -> Timestamp {
    message.sent_at.unwrap_or_else(|| core.clock().now())
}

fn composed(core: &Core, parcel: &Parcel, from: &EmailAddress) -> Vec<u8> {
    let name = &parcel.account.account.from_name;
    written(core, &parcel.message, &parcel.files, &parcel.reply_codes, name, from)
}

/// The mail of an outgoing message as it goes or went, before servers put anything to it. Blind copies stand in the
/// envelope alone, so they are not in it.
///
/// # Errors
/// [`StoreError::NotFound`] when it is no outgoing mail; the store's errors.
pub async fn outgoing_mail(core: &Core, access: &Access, message: &Message) -> Result<Vec<u8>, StoreError> {
    let account =
        message.account.filter(|_| message.kind == MessageKind::Reply).ok_or(StoreError::NotFound)?;
    let account = core.store.channel_account(access, account).await?;
    let enclosed = belofte_core::enclosed(core, access, message).await?;
    let (name, from) = (&account.from_name, &account.address);
    Ok(written(core, message, &enclosed.files, &enclosed.reply_codes, name, from))
}

fn written(
    core: &Core,
    message: &Message,
    files: &[ParcelFile],
    reply_codes: &[(Vec<u8>, [u8; 16])],
    name: &str,
    from: &EmailAddress,
) -> Vec<u8> {
    let content = &message.content;
    let reply_to = reply_codes.iter().find_map(|(says, code)| {
        let address = ReplyAddress::new(says, code).ok()?.encode(from).ok()?;
        Some(Mailbox::new(name, address))
    });
    let message_id = content
        .message_id
        .clone()
        .unwrap_or_else(|| belofte_mail::message_id(&message.id.uuid().simple().to_string(), from.domain()));
    // The seed is the message's id: trying again sends the same bytes.
    let boundary_seed = *message.id.uuid().as_bytes();
    let mail = OutgoingMail {
        message_id,
        date: sent_at(core, message),
        from: Mailbox::new(name, from.clone()),
        reply_to,
        to: content.to.iter().filter_map(mailbox).collect(),
        cc: content.cc.iter().filter_map(mailbox).collect(),
        subject: content.subject.clone(),
        in_reply_to: content.references.last().cloned(),
        references: content.references.clone(),
        text: content.text.clone(),
        html: content.html.clone(),
        attachments: files
            .iter()
            .map(|file| OutgoingAttachment {
                name: file.name.clone(),
                media_type: file.media_type.clone(),
                content_id: file.content_id.clone(),
                bytes: file.bytes.clone(),
            })
            .collect(),
        kind: OutgoingKind::Human,
        boundary_seed,
    };
    compose(&mail)
}
