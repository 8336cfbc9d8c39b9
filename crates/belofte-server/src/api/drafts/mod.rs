// SPDX-License-Identifier: EUPL-1.2
//! Drafts: what the one who asks has written and not sent.

pub mod list;
pub mod mail;
pub mod of_conversation;
pub mod save;
pub mod save_mail;
mod types;

pub use types::*;

use axum::Router;
use belofte_store::{Access, DraftPlace, DraftSaved, StoreError};

use crate::api::operation::Operation;
use crate::app::App;
use crate::http::{self, Code, mount as route};

/// The endpoints of this noun.
pub const OPERATIONS: &[Operation] =
    &[list::OPERATION, mail::OPERATION, save_mail::OPERATION, of_conversation::OPERATION, save::OPERATION];

/// The endpoints with their handlers.
pub fn mount(router: Router<App>) -> Router<App> {
    let router = route(router, &list::OPERATION, list::handle);
    let router = route(router, &mail::OPERATION, mail::handle);
    let router = route(router, &save_mail::OPERATION, save_mail::handle);
    let router = route(router, &of_conversation::OPERATION, of_conversation::handle);
    route(router, &save::OPERATION, save::handle)
}

/// A draft as its writer gets it back, with those of its files that are still there.
async fn told(app: &App, access: &Access, draft: belofte_store::Draft) -> http::Answer<Draft> {
    let mut files = [Vec::new(), Vec::new()];
    let ids = [(&draft.content.attachments, true), (&draft.content.copied, false)];
    for (found, (ids, waiting)) in files.iter_mut().zip(ids) {
        for id in ids {
            match app.core.store.attachment(access, *id).await {
                Ok(file) if file.message.is_none() == waiting => found.push(file.attachment.into()),
                // Sent elsewhere, swept or erased.
                Ok(_) | Err(StoreError::NotFound | StoreError::KeyGone(_)) => {}
                Err(error) => return Err(error.into()),
            }
        }
    }
    let [attachments, copied_attachments] = files;
    Ok(Draft {
        kind: draft.place.kind,
        version: draft.version,
        saved_at: draft.saved_at.into(),
        content: draft.content.into(),
        attachments,
        copied_attachments,
    })
}

/// Keeps `content` at `place`, and tells other browsers of the same user that it did.
async fn keep(
    app: &App,
    access: &Access,
    place: DraftPlace,
    version: i64,
    content: Option<DraftContent>,
) -> http::Answer<SavedDraft> {
    let content = content.map(DraftContent::checked).transpose()?;
    let saved = app.core.store.save_draft(access, place, version, content.as_ref()).await?;
    let saved = match saved {
        DraftSaved::Kept { version, at } => SavedDraft { version, saved_at: Some(at.into()) },
        DraftSaved::Removed => SavedDraft { version: 0, saved_at: None },
        DraftSaved::Changed => return Err(Code::DraftChanged.into()),
        DraftSaved::TooMany => return Err(Code::TooManyDrafts.into()),
    };
    app.core.presence.draft_changed(access, place, saved.version);
    Ok(saved)
}
