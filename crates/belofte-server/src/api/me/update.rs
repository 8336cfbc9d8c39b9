// SPDX-License-Identifier: EUPL-1.2
//! PATCH /me: one's own settings.

use axum::Json as Shown;
use axum::extract::State;
use belofte_store::Preferences;
use belofte_vault::Pii;

use super::UpdateMe;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::api::users::User;
use crate::app::{App, SignedUser};
use crate::http::{self, Checks, Code, Json};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::patch("update_me", "/me", Tag::Session, "Changes one's own name and settings")
        .takes(Content::json::<UpdateMe>())
        .answers(&[Answer {
            status: 200,
            meaning: "The user as it is now",
            content: Content::json::<User>(),
        }])
        .problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`] for a name that is none, [`Code::Conflict`] when it was changed at the same
/// moment; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: SignedUser,
    Json(wanted): Json<UpdateMe>,
) -> http::Answer<Shown<User>> {
    if let Some(name) = &wanted.name {
        Checks::default().text(name, "name", 1, 100).done()?;
    }
    let preferences = Preferences {
        name: wanted.name.map(|name| Pii::new(name.trim().to_owned())),
        language: wanted.language,
        colour_scheme: wanted.colour_scheme.map(Into::into),
        single_key_shortcuts: wanted.single_key_shortcuts,
    };
    Ok(Shown(app.core.store.set_preferences(&signed.access, preferences).await?.into()))
}
