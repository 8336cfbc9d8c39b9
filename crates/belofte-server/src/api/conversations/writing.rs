// SPDX-License-Identifier: EUPL-1.2
//! What a mail is checked for that an agent writes, be it an answer or the beginning of a conversation.

use belofte_core::{Addressee, ReplyError};
use belofte_mail::Mailbox;
use belofte_model::{AttachmentId, Duration};
use belofte_store::{Access, StoreError};

use crate::app::App;
use crate::http::{self, ApiError, Checks, Code, FieldCode};

/// The longest text, in characters.
const TEXT: usize = 200_000;
/// The longest markup, in octets.
const HTML: usize = 1_000_000;
/// The longest that a mail waits to be taken back, in seconds.
const LONGEST_WAIT: u32 = 60;
/// The most recipients, and the most files.
const MANY: usize = 50;

/// What a mail says: its text, and the same with markup as it may be stored. Where markup comes alone, the
/// text is made of it, so that who reads that alone misses nothing.
pub fn words(
    checks: &mut Checks,
    text: String,
    html: Option<String>,
    has_files: bool,
) -> (String, Option<String>) {
    let fits = html.as_ref().is_none_or(|html| html.len() <= HTML);
    checks.that(fits, "html", FieldCode::TooLong);
    let html = html.filter(|_| fits).map(|html| belofte_mail::sanitise(&html));
    checks.that(html.as_ref().is_none_or(Option::is_some), "html", FieldCode::Invalid);
    let html = html.flatten().map(|sanitised| sanitised.html);
    let text = match &html {
        Some(html) if text.trim().is_empty() => belofte_mail::alternative_text(html),
        _ => text,
    };
    // Files speak for themselves; a message without either says nothing.
    checks.text(&text, "text", usize::from(!has_files), TEXT);
    (text, html)
}

/// How long a mail waits, so that it can be taken back; not at all unless that was asked for.
pub fn wait(checks: &mut Checks, seconds: Option<u32>) -> Duration {
    let seconds = seconds.unwrap_or(0);
    checks.that(seconds <= LONGEST_WAIT, "undo_seconds", FieldCode::OutOfRange);
    Duration::from_secs(seconds.into())
}

/// Recipients as they were entered, in the order of their fields; all fields together may name so many.
pub fn recipients<const N: usize>(
    checks: &mut Checks,
    fields: [(&str, Option<Vec<String>>); N],
) -> [Vec<Addressee>; N] {
    let mut all = 0;
    fields.map(|(field, entered)| {
        let entered = entered.unwrap_or_default();
        let before = all;
        all += entered.len();
        if all > MANY {
            // Told once, at the field that is too much.
            checks.that(before > MANY, field, FieldCode::TooLong);
            return Vec::new();
        }
        let mut found = Vec::with_capacity(entered.len());
        for (at, text) in entered.iter().enumerate() {
            match Mailbox::entered(text) {
                Ok(Mailbox { name, address }) => found.push(Addressee { name, address }),
                Err(_) => drop(checks.that(false, &format!("{field}[{at}]"), FieldCode::Invalid)),
            }
        }
        found
    })
}

/// Files that go along: uploads that wait for a message, and files of messages, of which copies are made.
/// Together they may hold as much as uploads may that wait.
///
/// # Errors
/// Those of the store.
pub async fn files(
    app: &App,
    access: &Access,
    checks: &mut Checks,
    uploads: Vec<AttachmentId>,
    copied: Vec<AttachmentId>,
) -> http::Answer<Vec<AttachmentId>> {
    let mut size = 0_u64;
    let (mut all, mut count) = (Vec::new(), 0);
    for (field, ids, waiting) in [("attachment_ids", uploads, true), ("copied_attachment_ids", copied, false)]
    {
        count += ids.len();
        if count > MANY {
            checks.that(false, field, FieldCode::TooLong);
            return Ok(Vec::new());
        }
        for (at, id) in ids.into_iter().enumerate() {
            let found = match app.core.store.attachment(access, id).await {
                Ok(file) if file.message.is_none() == waiting => Some(file.attachment.size),
                Ok(_) | Err(StoreError::NotFound | StoreError::KeyGone(_)) => None,
                Err(error) => return Err(error.into()),
            };
            checks.that(
                found.is_some() && !all.contains(&id),
                &format!("{field}[{at}]"),
                FieldCode::NotFound,
            );
            size = size.saturating_add(found.unwrap_or(0));
            checks.that(size <= app.uploads.bytes, field, FieldCode::TooLong);
            all.push(id);
        }
    }
    Ok(all)
}

/// What a refusal of a verb means to who writes.
pub fn refused(error: ReplyError) -> ApiError {
    match error {
        ReplyError::NoRecipient => ApiError::field("to", FieldCode::Required),
        ReplyError::NeverAnswered => ApiError::field("to", FieldCode::Invalid),
        ReplyError::NoSuchMessage => ApiError::field("answers_id", FieldCode::NotFound),
        ReplyError::NoSuchAccount => ApiError::field("account_id", FieldCode::NotFound),
        ReplyError::AccountCannotSend => Code::AccountCannotSend.into(),
        ReplyError::Store(error) => error.into(),
    }
}
