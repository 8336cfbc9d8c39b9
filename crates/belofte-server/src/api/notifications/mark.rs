// SPDX-License-Identifier: EUPL-1.2
//! PATCH /notifications: read, or unread again.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{Permission, Timestamp};
use belofte_store::NotificationLines;

use super::{MarkNotifications, MarkedNotifications};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Code, FieldCode, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "mark_notifications",
    "/notifications",
    Tag::Conversations,
    "Marks what the one who asks is told of as read, or as unread again",
)
.may(Permission::Answer)
.takes(Content::json::<MarkNotifications>())
.answers(&[Answer {
    status: 200,
    meaning: "Those that were not so before",
    content: Content::json::<MarkedNotifications>(),
}])
.problems(&[Code::NotFound]);

/// The most that are named at once: as many as there are.
const MANY: usize = 200;

/// Answers the endpoint. Lines that are not the caller's, or are gone, change nothing.
///
/// # Errors
/// [`Code::Invalid`] when not exactly one way to name them was taken, [`Code::NotFound`] for a conversation that the
/// caller does not see; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Json(wanted): Json<MarkNotifications>,
) -> http::Answer<Body<MarkedNotifications>> {
    let (store, access) = (&app.core.store, &signed.access);
    let which = match (wanted.ids, wanted.conversation_id, wanted.until) {
        (Some(ids), None, None) if ids.len() <= MANY => NotificationLines::These(ids),
        (Some(_), None, None) => return Err(ApiError::field("ids", FieldCode::TooLong)),
        // What became part of another conversation is read there.
        (None, Some(id), None) => {
            let id = store.conversation_in_force(access, id).await?;
            NotificationLines::Of(store.conversation(access, id).await?.id)
        }
        // What is told in milliseconds is kept in microseconds.
        (None, None, Some(until)) => {
            NotificationLines::Until(Timestamp::from_micros(until.0.as_micros().saturating_add(999)))
        }
        (None, None, None) => return Err(ApiError::field("ids", FieldCode::Required)),
        _ => return Err(ApiError::field("ids", FieldCode::Invalid)),
    };
    let ids = store.mark_notifications(access, which, wanted.read).await?;
    Ok(Body(MarkedNotifications { ids }))
}
