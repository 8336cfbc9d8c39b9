// SPDX-License-Identifier: EUPL-1.2
//! PATCH /tags/{id}: another name or colour, archived or not.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{Permission, TagId};
use belofte_store::TagChange;

use super::{NAME, UpdateTag, refused};
use crate::api::operation::{Answer, Content, Operation, Tag as Chapter};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, FieldCode, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_tag",
    "/tags/{id}",
    Chapter::Conversations,
    "Renames, colours or archives a tag; an instruction",
)
.may(Permission::ManageTags)
.takes(Content::json::<UpdateTag>())
.answers(&[Answer { status: 200, meaning: "The tag as it is now", content: Content::json::<super::Tag>() }])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`], also for a name that another tag has; [`Code::NotFound`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<TagId>,
    Json(asked): Json<UpdateTag>,
) -> http::Answer<Body<super::Tag>> {
    let mut checks = Checks::default();
    if let Some(name) = &asked.name {
        checks.text(name, "name", 1, NAME);
        checks.that(!name.chars().any(char::is_control), "name", FieldCode::Invalid);
    }
    checks.done()?;
    let change = TagChange { name: asked.name, colour: asked.colour, archived: asked.archived };
    let changed = app.core.store.change_tag(&signed.access, id, change).await.map_err(refused)?;
    Ok(Body(changed.into()))
}
