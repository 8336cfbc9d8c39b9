// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/{id}/related: what stands beside it and what became part of it.

use axum::Json;
use axum::extract::State;
use belofte_model::{ConversationId, Permission};
use belofte_store::ViewKind;

use super::{MergedConversation, RelatedConversations};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_related",
    "/conversations/{id}/related",
    Tag::Conversations,
    "The conversations that stand beside it, and those that became part of it",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "Both", content: Content::json::<RelatedConversations>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::NotFound`](http::Code::NotFound), and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ConversationId>,
) -> http::Answer<Json<RelatedConversations>> {
    let (store, access) = (&app.core.store, &signed.access);
    let id = store.conversation_in_force(access, id).await?;
    let linked = store.linked_conversations(access, id).await?;
    let merged = store.merged_conversations(access, id).await?;
    app.views.note(access, ViewKind::Conversation, id.uuid())?;
    for other in &linked {
        app.views.note(access, ViewKind::Conversation, other.id.uuid())?;
    }
    let names = Names::fetch(&app, access).await?;
    let merged = merged.into_iter().map(|one| {
        let (case, summary) = (one.conversation.id, one.conversation.summary);
        let contact = if summary.name.is_empty() { summary.address } else { summary.name };
        MergedConversation {
            id: case,
            no: one.conversation.no,
            subject: summary.subject,
            contact,
            into_id: one.into,
        }
    });
    Ok(Json(RelatedConversations {
        linked: linked.into_iter().map(|other| names.row(other)).collect(),
        merged: merged.collect(),
    }))
}
