// SPDX-License-Identifier: EUPL-1.2
//! GET /notifications: what one is told of.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;
use belofte_store::ViewKind;
use uuid::Uuid;

use super::{Notification, NotificationList};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_notifications",
    "/notifications",
    Tag::Conversations,
    "What the one who asks is told of: mentions, conversations that they are given, what their customers write, and \
     what was refused. A program is told of nothing",
)
.may(Permission::ReadConversations)
.answers(&[Answer {
    status: 200,
    meaning: "The notifications, with the conversations that they are about",
    content: Content::json::<NotificationList>(),
}]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<NotificationList>> {
    let access = &signed.access;
    let found = app.core.store.notifications(access).await?;
    app.views.note(access, ViewKind::ConversationList, Uuid::nil())?;
    let names = Names::fetch(&app, access).await?;
    let (shown, others): (Vec<_>, Vec<_>) = found.into_iter().partition(|(line, _)| line.in_desk);
    let unread = shown.iter().filter(|(line, _)| !line.read).count();
    let on_devices =
        others.iter().filter(|(line, _)| !line.read).map(|(line, _)| line.conversation).collect();
    let items = shown.into_iter().map(|(line, case)| Notification {
        id: line.id,
        kind: line.kind,
        conversation: names.row(case),
        message_id: line.message,
        count: line.happened,
        by: line.by.and_then(|by| names.user(by).cloned()),
        at: line.at.into(),
        read: line.read,
    });
    let unread = u32::try_from(unread).unwrap_or(u32::MAX);
    Ok(Json(NotificationList { items: items.collect(), unread, on_devices }))
}
