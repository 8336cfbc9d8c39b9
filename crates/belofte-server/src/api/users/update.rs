// SPDX-License-Identifier: EUPL-1.2
//! PATCH /users/{id}: role, state, duty.

use axum::Json as Shown;
use axum::extract::State;
use belofte_model::Permission;
use belofte_model::UserId;
use belofte_store::{UserChange, UserChangeError};

use super::{UpdateUser, User};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Code, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_user",
    "/users/{id}",
    Tag::Users,
    "Changes role, state or the duty of privacy officer; an instruction",
)
.may(Permission::ManageUsers)
.takes(Content::json::<UpdateUser>())
.answers(&[Answer { status: 200, meaning: "The user as it is now", content: Content::json::<User>() }])
.problems(&[Code::Conflict, Code::LastAdmin, Code::LastPrivacyOfficer, Code::PrivacyOfficerOnly]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::LastAdmin`] when nobody could administer the organisation any more,
/// [`Code::LastPrivacyOfficer`] when the last one lays the duty down, [`Code::PrivacyOfficerOnly`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<UserId>,
    Json(wanted): Json<UpdateUser>,
) -> http::Answer<Shown<User>> {
    let change = UserChange {
        role: wanted.role,
        state: wanted.state.map(Into::into),
        privacy_officer: wanted.privacy_officer,
    };
    match app.core.store.change_user(&signed.access, id, change).await {
        Ok(user) => Ok(Shown(user.into())),
        Err(UserChangeError::LastAdmin) => Err(Code::LastAdmin.into()),
        Err(UserChangeError::LastOfficer) => Err(Code::LastPrivacyOfficer.into()),
        Err(UserChangeError::Store(error)) => Err(error.into()),
    }
}
