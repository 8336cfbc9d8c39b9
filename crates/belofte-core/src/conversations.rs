// SPDX-License-Identifier: EUPL-1.2
//! Writing: what an agent writes becomes a message, queued for its recipients in the same write.

use std::fmt;

use belofte_model::{
    AccountState, AttachmentId, ChannelAccountId, ConversationId, Duration, EmailAddress, MailSort,
    MessageId, MessageKind, ThreadId,
};
use belofte_store::{
    Access, ChannelAccount, Correspondent, Handling, Mention, Message, MessageContent, NewConversation,
    Outgoing, RecipientRole, ReplyThread, StoreError,
};

use crate::Core;

/// Somebody to write to.
#[derive(Clone, PartialEq, Eq)]
pub struct Addressee {
    /// The name that goes with the address; may be empty.
    pub name: String,
    /// The address.
    pub address: EmailAddress,
}

/// Personal: shows only that it is one.
impl fmt::Debug for Addressee {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Addressee(..)")
    }
}

/// A reply, or a message passed on, as an agent writes it.
#[derive(Clone, Debug, Default)]
pub struct NewReply {
    /// The id that it shall have; a new one without it.
    pub id: Option<MessageId>,
    /// The message that is answered or passed on; the newest of the customer without it.
    pub answers: Option<MessageId>,
    /// The account that it goes out through; the one that the answered message came through without it.
    pub account: Option<ChannelAccountId>,
    /// The text.
    pub text: String,
    /// The same with markup, sanitised before.
    pub html: Option<String>,
    /// The recipients; of a reply the author of the message that is answered when empty.
    pub to: Vec<Addressee>,
    /// The recipients of a copy.
    pub cc: Vec<Addressee>,
    /// The recipients of a copy that no other recipient knows of.
    pub bcc: Vec<Addressee>,
    /// Files uploaded before, and files of other messages.
    pub attachments: Vec<AttachmentId>,
    /// What it does to the case.
    pub how: Handling,
}

/// A note, as somebody writes it.
#[derive(Clone, Debug)]
pub struct NewNote {
    /// The id that it shall have; a new one without it.
    pub id: Option<MessageId>,
    /// The text.
    pub text: String,
    /// Who is named in it.
    pub mentions: Vec<Mention>,
    /// Files uploaded before, and files of other messages.
    pub attachments: Vec<AttachmentId>,
    /// The version of its author's draft that it was.
    pub draft: Option<i64>,
}

/// A mail that begins a case.
#[derive(Clone, Debug)]
pub struct NewMail {
    /// The id that its message shall have; its case has the same number.
    pub id: MessageId,
    /// The account that it goes out through.
    pub account: ChannelAccountId,
    /// The recipients; the case is with the first.
    pub to: Vec<Addressee>,
    /// The recipients of a copy.
    pub cc: Vec<Addressee>,
    /// The recipients of a copy that no other recipient knows of.
    pub bcc: Vec<Addressee>,
    /// The subject.
    pub subject: String,
    /// The text.
    pub text: String,
    /// The same with markup, sanitised before.
    pub html: Option<String>,
    /// Files uploaded before, and files of other messages.
    pub attachments: Vec<AttachmentId>,
    /// So long it can be taken back before it goes out.
    pub wait: Duration,
    /// The version of its author's draft that it was.
    pub draft: Option<i64>,
}

/// Why a mail was not taken.
#[derive(Debug, thiserror::Error)]
pub enum ReplyError {
    /// There is nobody to write to.
    #[error("the mail names nobody")]
    NoRecipient,
    /// It would go to who sent a report of the mail system.
    #[error("a report of the mail system is never answered")]
    NeverAnswered,
    /// The conversation has no such message that could be answered.
    #[error("the conversation has no such message")]
    NoSuchMessage,
    /// There is no such account.
    #[error("there is no such channel account")]
    NoSuchAccount,
    /// The account through which it would go cannot send: paused, removed, or without a server.
    #[error("the channel account cannot send")]
    AccountCannotSend,
    /// The store refused.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Whom a mail goes to, each address once: who stands in To is not named in a copy as well.
#[derive(Default)]
struct Recipients(Vec<(RecipientRole, Correspondent)>);

impl Recipients {
    fn add(&mut self, role: RecipientRole, name: &str, address: &EmailAddress) {
        let address = address.as_sent();
        if self.0.iter().all(|(_, known)| !known.address.eq_ignore_ascii_case(&address)) {
            self.0.push((role, Correspondent { name: name.to_owned(), address }));
        }
    }

    fn add_all(&mut self, to: &[Addressee], cc: &[Addressee], bcc: &[Addressee]) {
        let all = [(RecipientRole::To, to), (RecipientRole::Cc, cc), (RecipientRole::Bcc, bcc)];
        for (role, people) in all {
            for Addressee { name, address } in people {
                self.add(role, name, address);
            }
        }
    }

    fn of(&self, role: RecipientRole) -> Vec<Correspondent> {
        self.0.iter().filter(|(known, _)| *known == role).map(|(_, person)| person.clone()).collect()
    }
}

/// The account `id`, when it can send.
async fn sender(core: &Core, access: &Access, id: ChannelAccountId) -> Result<ChannelAccount, ReplyError> {
    let account = match core.store.channel_account(access, id).await {
        Err(StoreError::NotFound) => return Err(ReplyError::NoSuchAccount),
        found => found?,
    };
    if account.state != AccountState::Active || account.submission.is_none() {
        return Err(ReplyError::AccountCannotSend);
    }
    Ok(account)
}

/// What is answered and where the answer goes out: a thread of the case, or a new one in the account.
struct Place {
    answered: Option<Message>,
    thread: Option<ThreadId>,
    account: ChannelAccountId,
}

async fn place(
    core: &Core,
    access: &Access,
    case: ConversationId,
    reply: &NewReply,
) -> Result<Place, ReplyError> {
    let newest = core.store.reply_thread(access, case).await?;
    let answers = reply.answers.or_else(|| newest.as_ref()?.answers);
    let answered = match answers {
        None => answerable(core, access, newest.as_ref()).await?,
        Some(id) => match core.store.message_to_answer(access, id).await {
            Ok(message) if message.conversation == case && message.kind != MessageKind::Note => Some(message),
            Ok(_) | Err(StoreError::NotFound) => return Err(ReplyError::NoSuchMessage),
            Err(error) => return Err(error.into()),
        },
    };
    let came = answered.as_ref().and_then(|message| Some((message.thread?, message.account?)));
    let usual = came.or_else(|| newest.as_ref().map(|newest| (newest.thread, newest.account)));
    let moved_to = newest.as_ref().and_then(|newest| newest.moved_to);
    match (reply.account.or(moved_to), usual) {
        (Some(wanted), Some((thread, account))) if wanted == account => {
            Ok(Place { answered, thread: Some(thread), account })
        }
        (Some(account), _) => {
            let threads = core.store.threads(access, case).await?;
            let thread = threads.into_iter().rev().find(|thread| thread.account == account);
            Ok(Place { answered, thread: thread.map(|thread| thread.id), account })
        }
        (None, Some((thread, account))) => Ok(Place { answered, thread: Some(thread), account }),
        (None, None) => Err(ReplyError::NoRecipient),
    }
}

/// What is answered in a case in which the customer has written nothing: the tenant's own newest answer, else the
/// newest that a machine wrote for somebody, as a form does, else the mail that began the case. Never a report of the
/// mail system, and nobody to whom something was passed on: that mail refers to none.
async fn answerable(
    core: &Core,
    access: &Access,
    newest: Option<&ReplyThread>,
) -> Result<Option<Message>, StoreError> {
    let (mut by_machine, mut began) = (None, None);
    for id in newest.iter().flat_map(|newest| &newest.instead) {
        let message = match core.store.message_to_answer(access, *id).await {
            Ok(message) => message,
            Err(StoreError::NotFound) => continue,
            Err(error) => return Err(error),
        };
        match message.kind {
            MessageKind::Reply if !message.content.references.is_empty() => return Ok(Some(message)),
            MessageKind::Reply => began = Some(message),
            _ if by_machine.is_none() && message.content.sort.is_none_or(MailSort::can_be_answered) => {
                by_machine = Some(message);
            }
            _ => {}
        }
    }
    Ok(by_machine.or(began))
}

/// Refuses to write to who sent a report of the mail system: it would come back, and be reported in turn.
fn never_answered(answered: &Message, recipients: &Recipients) -> Result<(), ReplyError> {
    let content = &answered.content;
    if content.sort.is_none_or(MailSort::can_be_answered) {
        return Ok(());
    }
    let reporters = std::iter::once(&content.from).chain(&content.reply_to);
    for reporter in reporters {
        if recipients.0.iter().any(|(_, person)| person.address.eq_ignore_ascii_case(&reporter.address)) {
            return Err(ReplyError::NeverAnswered);
        }
    }
    Ok(())
}

/// Writes a reply, or passes a message on, and queues it.
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
    let Place { answered, thread, account } = place(core, access, conversation, reply).await?;
    let account = sender(core, access, account).await?;
    let from = account.address.clone();
    let forward = reply.how.forward;
    let mut recipients = Recipients::default();
    if reply.to.is_empty() && !forward {
        let kind = answered.as_ref().map(|answered| answered.kind);
        let content = &answered.as_ref().ok_or(ReplyError::NoRecipient)?.content;
        let whom = match kind {
            // One more word to those who were written to before.
            Some(MessageKind::Reply) => &content.to[..],
            // Reports are answered to nobody; who answers one says to whom.
            _ if !content.sort.is_none_or(MailSort::can_be_answered) => &[],
            _ if content.reply_to.is_empty() => std::slice::from_ref(&content.from),
            _ => &content.reply_to,
        };
        let own: Vec<String> = core
            .store
            .channel_accounts(access)
            .await?
            .iter()
            .map(|account| account.address.normalised())
            .collect();
        for person in whom {
            // Never to ourselves: an answer that loops back would open the case for ever.
            if let Ok(address) = EmailAddress::parse(&person.address)
                && !own.contains(&address.split_detail().0.normalised())
            {
                recipients.add(RecipientRole::To, &person.name, &address);
            }
        }
    }
    recipients.add_all(&reply.to, &reply.cc, &reply.bcc);
    if recipients.0.is_empty() || (forward && reply.to.is_empty()) {
        return Err(ReplyError::NoRecipient);
    }
    if let Some(answered) = answered.as_ref().filter(|_| !forward) {
        never_answered(answered, &recipients)?;
    }
    let id = reply.id.unwrap_or_else(|| core.new_message_id());
    let mut references = Vec::new();
    // What is passed on begins a thread of its own with its new readers; they have nothing that came before.
    if let Some(answered) = answered.as_ref().filter(|_| !forward) {
        references.clone_from(&answered.content.references);
        references.extend(answered.content.message_id.clone());
    }
    let subject = &case.summary.subject;
    let content = MessageContent {
        subject: if forward { forward_subject(subject) } else { reply_subject(subject) },
        from: Correspondent { name: account.from_name.clone(), address: from.as_sent() },
        to: recipients.of(RecipientRole::To),
        cc: recipients.of(RecipientRole::Cc),
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
        thread,
        account: Some(account.id),
        content,
        recipients: recipients.0,
        attachments: reply.attachments.clone(),
        how: reply.how,
    };
    write(core, access, &outgoing).await
}

/// Writes a mail that begins a case, and queues it.
///
/// # Errors
/// [`ReplyError`]; nothing is stored then.
pub async fn begin_conversation(
    core: &Core,
    access: &Access,
    mail: &NewMail,
) -> Result<ConversationId, ReplyError> {
    let account = sender(core, access, mail.account).await?;
    let first = mail.to.first().ok_or(ReplyError::NoRecipient)?;
    let mut recipients = Recipients::default();
    recipients.add_all(&mail.to, &mail.cc, &mail.bcc);
    let (message, id) = (mail.id, ConversationId(mail.id.uuid()));
    let from = account.address.clone();
    let new = NewConversation {
        id,
        message,
        account: account.id,
        content: MessageContent {
            subject: mail.subject.clone(),
            from: Correspondent { name: account.from_name.clone(), address: from.as_sent() },
            to: recipients.of(RecipientRole::To),
            cc: recipients.of(RecipientRole::Cc),
            text: mail.text.clone(),
            html: mail.html.clone(),
            message_id: Some(format!("{}@{}", message.uuid().simple(), from.domain())),
            ..MessageContent::default()
        },
        contact: Correspondent { name: first.name.clone(), address: first.address.as_sent() },
        contact_address: first.address.normalised(),
        recipients: recipients.0,
        attachments: mail.attachments.clone(),
        wait: mail.wait,
        draft: mail.draft,
    };
    core.store.open_conversation(access, &new).await?;
    core.indexer.wake(access.tenant());
    Ok(id)
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

/// Writes a note, which never leaves the tenant, and tells who is named in it.
///
/// # Errors
/// [`ReplyError::Store`]; not found also when somebody is named who does not see the case.
pub async fn note(
    core: &Core,
    access: &Access,
    conversation: ConversationId,
    note: &NewNote,
) -> Result<Message, ReplyError> {
    let outgoing = Outgoing {
        conversation,
        kind: MessageKind::Note,
        id: note.id.unwrap_or_else(|| core.new_message_id()),
        thread: None,
        account: None,
        content: MessageContent {
            text: note.text.clone(),
            mentions: note.mentions.clone(),
            ..MessageContent::default()
        },
        recipients: Vec::new(),
        attachments: note.attachments.clone(),
        how: Handling { draft: note.draft, ..Handling::default() },
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
    format!("Re: {}", without(subject, &["re", "aw", "antw", "betreft", "sv"]))
}

/// `Fwd: ` once; that it is about an answer stays.
fn forward_subject(subject: &str) -> String {
    format!("Fwd: {}", without(subject, &["fwd", "fw", "wg", "doorst", "tr"]))
}

/// `subject` without those of these prefixes that it begins with.
fn without<'a>(subject: &'a str, prefixes: &[&str]) -> &'a str {
    let mut bare = subject.trim();
    while let Some((prefix, rest)) = bare.split_once(':') {
        if !prefixes.iter().any(|word| prefix.trim().eq_ignore_ascii_case(word)) {
            break;
        }
        bare = rest.trim_start();
    }
    bare
}

#[cfg(test)]
mod tests {
    use super::{forward_subject, reply_subject};

    #[test]
    fn one_re_is_enough() {
        assert_eq!(reply_subject("Factuur 2041"), "Re: Factuur 2041");
        assert_eq!(reply_subject("RE: Antw: Re: Factuur: te hoog"), "Re: Factuur: te hoog");
        assert_eq!(reply_subject(""), "Re: ");
        assert_eq!(forward_subject("FW: Fwd: Re: Factuur: te hoog"), "Fwd: Re: Factuur: te hoog");
    }
}
