// SPDX-License-Identifier: EUPL-1.2
//! GET /users: the users of the tenant.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::ListedUser;
use super::UserList;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_users",
    "/users",
    Tag::Users,
    "The users of the tenant, and who is privacy officer; an admin also sees addresses and settings",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The users by name", content: Content::json::<UserList>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<UserList>> {
    let all = signed.who.may(Permission::ManageUsers);
    let users = app.core.store.users(&signed.access).await?;
    let items = users.into_iter().map(|user| ListedUser {
        id: user.id,
        name: user.name.into_inner(),
        role: user.role,
        state: user.state.into(),
        email: all.then(|| user.email.into_inner()),
        privacy_officer: user.privacy_officer,
        language: all.then_some(user.language),
        last_seen_at: user.last_seen_at.filter(|_| all).map(Into::into),
        second_factor: all.then_some(user.second_factor),
    });
    Ok(Json(UserList { items: items.collect() }))
}
