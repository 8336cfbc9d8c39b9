// SPDX-License-Identifier: EUPL-1.2
//! Copies: whether a mail with a known identifier is the mail that has it.
//!
//! Programs give the same Message-ID to different mails, by mistake or on purpose (RFC 5322, section
//! 3.6.4, forbids it). Only a mail that says the same is a copy; any other is a message of its own.

use belofte_core::Core;
use belofte_mail::parse;
use belofte_model::MessageId;
use belofte_store::{Access, IncomingMail, StoreError};

/// Whether `mail` says what the message `known` with the same identifier says: sender, subject,
/// text and files, whatever way it came and however it was encoded.
///
/// # Errors
/// The store's errors.
pub(super) async fn is_copy(
    core: &Core,
    access: &Access,
    known: MessageId,
    mail: &IncomingMail,
) -> Result<bool, StoreError> {
    let message = match core.store.message(access, known).await {
        Ok(message) => message,
        // It is being erased: what comes again is not to bring it back.
        Err(StoreError::KeyGone(_)) => return Ok(true),
        Err(StoreError::NotFound) => return Ok(false),
        Err(error) => return Err(error),
    };
    if message.source.is_none() {
        // Our own answer that came back, from a list perhaps, which writes something under it.
        return Ok(words(&mail.content.text).starts_with(&words(&message.content.text)));
    }
    let raw = match core.store.message_source(access, known).await {
        Ok(raw) => raw,
        Err(StoreError::KeyGone(_)) => return Ok(true),
        Err(StoreError::NotFound) => return Ok(false),
        Err(error) => return Err(error),
    };
    let Ok(first) = parse(&raw) else { return Ok(false) };
    let sender = |address: &str| address.to_lowercase();
    let from = first.from.as_ref().or(first.sender.as_ref());
    let files = first.attachments.iter().map(|file| (&file.name, &file.bytes));
    Ok(from.is_none_or(|from| sender(&from.address.as_sent()) == sender(&mail.content.from.address))
        && words(&first.subject) == words(&mail.content.subject)
        && words(&first.text) == words(&mail.content.text)
        && files.eq(mail.files.iter().map(|file| (&file.name, &file.bytes))))
}

/// A text without what systems on the way do to white space.
fn words(text: &str) -> Vec<&str> {
    text.split_whitespace().collect()
}
