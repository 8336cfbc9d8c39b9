// SPDX-License-Identifier: EUPL-1.2
//! Answering: what an agent writes becomes a message, queued for its recipients in the same write.

use belofte_model::{AccountState, AttachmentId, ConversationId, EmailAddress, MessageId, MessageKind};
use belofte_store::{Access, Correspondent, Message, MessageContent, Outgoing, RecipientRole, StoreError};

use crate::Core;

/// A reply as an agent writes it.
#[derive(Clone, Debug, Default)]
pub struct NewReply {
    /// The id that it shall have; a new one without it.
    pub id: Option<MessageId>,
    /// The text.
    pub text: String,
    /// The same with markup, sanitised before.
    pub html: Option<String>,
    /// The recipients; the author of the message that is answered when empty.
    pub to: Vec<EmailAddress>,
    /// The recipients of a copy.
    pub cc: Vec<EmailAddress>,
    /// Files uploaded before.
    pub attachments: Vec<AttachmentId>,
    /// Whether the case is resolved with it.
    pub resolve: bool,
}

/// Why a reply was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// There is nobody to answer.
    #[error("the conversation names nobody who could be answered")]
    NoRecipient,
    /// The account through which it would go cannot send: paused, removed, or without a server.
    #[error("the channel account cannot send")]
    AccountCannotSend,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Writes a reply and queues it.
///
/// # Errors
/// [`ReplyError`]; nothing is stored then.
pub async fn reply(
    core: &Core,
    access: &Access,
    conversation: ConversationId,
    reply: &NewReply,
) -> Result<Message, ReplyError> {
    let case = core.store.conversation(access, conversation).await?;
    let thread = core.store.reply_thread(access, conversation).await?.ok_or(ReplyError::NoRecipient)?;
    let account = core.store.channel_account(access, thread.account).await?;
    if account.state != AccountState::Active || account.submission.is_none() {
        return Err(ReplyError::AccountCannotSend);
    }
    let from = account.address.clone();
    let answered = match thread.answers {
        Some(id) => Some(core.store.message_to_answer(access, id).await?),
        None => None,
    };
    let mut recipients: Vec<(RecipientRole, Correspondent)> = Vec::new();
    let mut named = |role, address: &EmailAddress, name: &str| {
        let address = address.as_sent();
        if recipients.iter().all(|(_, known)| !known.address.eq_ignore_ascii_case(&address)) {
            recipients.push((role, Correspondent { name: name.to_owned(), address }));
        }
    };
    if reply.to.is_empty() {
        let answered = answered.as_ref().ok_or(ReplyError::NoRecipient)?;
        let content = &answered.content;
        let whom =
            if content.reply_to.is_empty() { std::slice::from_ref(&content.from) } else { &content.reply_to };
        for person in whom {
            // Never to ourselves: an answer that loops back would open the case for ever.
            if let Ok(address) = EmailAddress::parse(&person.address)
                && address.split_detail().0.normalised() != from.normalised()
            {
                named(RecipientRole::To, &address, &person.name);
            }
        }
    }
    for address in &reply.to {
        named(RecipientRole::To, address, "");
    }
    for address in &reply.cc {
        named(RecipientRole::Cc, address, "");
    }
    if recipients.is_empty() {
        return Err(ReplyError::NoRecipient);
    }
    let id = reply.id.unwrap_or_else(|| MessageId::new(access.clock().now(), core.random().bytes()));
    let of = |role| -> Vec<Correspondent> {
        recipients.iter().filter(|(known, _)| *known == role).map(|(_, person)| person.clone()).collect()
    };
    let mut references = Vec::new();
    if let Some(answered) = &answered {
        references.clone_from(&answered.content.references);
        references.extend(answered.content.message_id.clone());
    }
    let content = MessageContent {
        subject: reply_subject(&case.summary.subject),
        from: Correspondent { name: account.from_name.clone(), address: from.as_sent() },
        to: of(RecipientRole::To),
        cc: of(RecipientRole::Cc),
        text: reply.text.clone(),
        html: reply.html.clone(),
        message_id: Some(format!("{}@{}", id.uuid().simple(), from.domain())),
        references,
        ..MessageContent::default()
    };
    let outgoing = Outgoing {
        conversation,
        kind: MessageKind::Reply,
        id,
        thread: Some(thread.thread),
        account: Some(thread.account),
        content,
        recipients,
        attachments: reply.attachments.clone(),
        resolve: reply.resolve,
    };
    write(core, access, &outgoing).await
}

/// The message that an earlier try of the same request wrote under the `id` that was meant for it.
///
/// # Errors
/// The store's errors.
pub async fn written(core: &Core, access: &Access, id: MessageId) -> Result<Option<Message>, StoreError> {
    match core.store.message(access, id).await {
        Ok(message) => Ok(Some(message)),
        Err(StoreError::NotFound) => Ok(None),
        Err(error) => Err(error),
    }
}

/// Writes a note, which never leaves the tenant; with `id` under this one.
///
/// # Errors
/// [`ReplyError::Store`].
pub async fn note(
    core: &Core,
    access: &Access,
    conversation: ConversationId,
    id: Option<MessageId>,
    text: &str,
    attachments: Vec<AttachmentId>,
) -> Result<Message, ReplyError> {
    let outgoing = Outgoing {
        conversation,
        kind: MessageKind::Note,
        id: id.unwrap_or_else(|| MessageId::new(access.clock().now(), core.random().bytes())),
        thread: None,
        account: None,
        content: MessageContent { text: text.to_owned(), ..MessageContent::default() },
        recipients: Vec::new(),
        attachments,
        resolve: false,
    };
    write(core, access, &outgoing).await
}

async fn write(core: &Core, access: &Access, outgoing: &Outgoing) -> Result<Message, ReplyError> {
    let id = core.store.write_out(access, outgoing).await?;
    core.indexer.wake(access.tenant());
    Ok(core.store.message(access, id).await?)
}

/// `Re: ` once, whatever a chain of answers in other languages has gathered (RFC 5322, section 3.6.5).
fn reply_subject(subject: &str) -> String {
    let mut bare = subject.trim();
    while let Some((prefix, rest)) = bare.split_once(':') {
        let known = ["re", "aw", "antw", "betreft", "sv"];
        if !known.iter().any(|word| prefix.trim().eq_ignore_ascii_case(word)) {
            break;
        }
        bare = rest.trim_start();
    }
    format!("Re: {bare}")
}

#[cfg(test)]
mod tests {
    use super::reply_subject;

    #[test]
    fn one_re_is_enough() {
        assert_eq!(reply_subject("Factuur 2041"), "Re: Factuur 2041");
        assert_eq!(reply_subject("RE: Antw: Re: Factuur: te hoog"), "Re: Factuur: te hoog");
        assert_eq!(reply_subject(""), "Re: ");
    }
}
