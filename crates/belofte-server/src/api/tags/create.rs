// SPDX-License-Identifier: EUPL-1.2
//! POST /tags: a new tag.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{Permission, TagId};
use uuid::Uuid;

use super::{CreateTag, NAME, refused};
use crate::api::operation::{Answer, Content, Operation, Tag as Chapter};
use crate::app::{App, Signed};
use crate::http::{self, Checks, ContextOf, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("create_tag", "/tags", Chapter::Conversations, "Makes a tag; an instruction")
        .may(Permission::CreateTags)
        .takes(Content::json::<CreateTag>())
        .answers(&[Answer { status: 201, meaning: "The tag", content: Content::json::<super::Tag>() }]);

/// Answers the endpoint.
///
/// # Errors
/// [`http::Code::Invalid`], also for a name that another tag has; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(wanted): Json<CreateTag>,
) -> http::Answer<Response> {
    let act = async |intended: Option<Uuid>| {
        let odd = wanted.name.chars().any(char::is_control);
        Checks::default()
            .text(&wanted.name, "name", 1, NAME)
            .that(!odd, "name", FieldCode::Invalid)
            .done()?;
        let (store, intended) = (&app.core.store, intended.map(TagId));
        let colour = wanted.colour.unwrap_or_default();
        let made = store.create_tag(&signed.access, intended, &wanted.name, colour).await.map_err(refused)?;
        Ok(super::Tag::from(made))
    };
    app.once_as(&signed.access, &context, &key, StatusCode::CREATED, act).await
}
