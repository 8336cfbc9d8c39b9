// SPDX-License-Identifier: EUPL-1.2
//! PATCH /me/notifications: other ways to be told.

use axum::Json as Shown;
use axum::extract::State;
use belofte_model::{NotificationKind, NotificationWays};

use super::{ChooseNotifications, NotificationPreferences};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, SignedUser};
use crate::http::{self, Checks, FieldCode, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "choose_notifications",
    "/me/notifications",
    Tag::Session,
    "Chooses by which ways one is told of what, from now on",
)
.takes(Content::json::<ChooseNotifications>())
.answers(&[Answer {
    status: 200,
    meaning: "Each kind with its ways as they are now",
    content: Content::json::<NotificationPreferences>(),
}]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`](http::Code::Invalid) for a kind that is named twice; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: SignedUser,
    Json(wanted): Json<ChooseNotifications>,
) -> http::Answer<Shown<NotificationPreferences>> {
    let (store, access) = (&app.core.store, &signed.access);
    let mut checks = Checks::default();
    checks.that(wanted.items.len() <= NotificationKind::ALL.len(), "items", FieldCode::TooLong);
    checks.done()?;
    for (at, item) in wanted.items.iter().enumerate() {
        let first = wanted.items.iter().position(|other| other.kind == item.kind) == Some(at);
        checks.that(first, &format!("items[{at}].kind"), FieldCode::Invalid);
    }
    checks.done()?;
    let ways =
        wanted.items.iter().map(|item| (item.kind, NotificationWays { desk: item.desk, push: item.push }));
    store.choose_notification_ways(access, ways.collect()).await?;
    Ok(Shown(NotificationPreferences::of(store.notification_ways(access).await?)))
}
