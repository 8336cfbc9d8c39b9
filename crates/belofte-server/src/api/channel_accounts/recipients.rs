// SPDX-License-Identifier: EUPL-1.2
//! GET /recipients: everybody to whom something of the tenant goes.

use axum::Json;
use axum::extract::State;
use belofte_model::Permission;

use super::{ChosenRecipient, RecipientRegister, SubProcessor};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http;

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_recipients",
    "/recipients",
    Tag::Channels,
    "To whom something of the organisation goes: the operator's sub-processors, the mail servers that its own accounts \
     name, and the push services that it allows",
)
.may(Permission::SeeMailAccounting)
.answers(&[Answer { status: 200, meaning: "The register", content: Content::json::<RecipientRegister>() }]);

/// Answers the endpoint.
///
/// # Errors
/// Those of the store.
pub async fn handle(State(app): State<App>, signed: Signed) -> http::Answer<Json<RecipientRegister>> {
    let chosen = app.core.store.chosen_recipients(&signed.access).await?;
    let push = app.core.store.push_setting(&signed.access).await?;
    Ok(Json(RecipientRegister {
        sub_processors: app.register.sub_processors().iter().map(SubProcessor::from).collect(),
        chosen: chosen.into_iter().map(ChosenRecipient::from).collect(),
        push_services: push.map(|_| app.pushing.services()).unwrap_or_default(),
    }))
}
