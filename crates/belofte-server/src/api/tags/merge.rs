// SPDX-License-Identifier: EUPL-1.2
//! POST /tags/{id}/merge: another tag takes its conversations.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{Permission, TagId};
use belofte_store::{StoreError, TagError};

use super::{MergeTag, refused};
use crate::api::operation::{Answer, Content, Operation, Tag as Chapter};
use crate::app::{App, Signed};
use crate::http::{self, Code, ContextOf, Id, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "merge_tag",
    "/tags/{id}/merge",
    Chapter::Conversations,
    "Gives the conversations of a tag to another one, and ends it; an instruction",
)
.may(Permission::ManageTags)
.takes(Content::json::<MergeTag>())
.answers(&[Answer { status: 204, meaning: "Merged", content: Content::Nothing }])
.problems(&[Code::Conflict]);

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Invalid`] when the other tag cannot take them, [`Code::NotFound`]; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    Id(id): Id<TagId>,
    key: IdempotencyKey,
    Json(asked): Json<MergeTag>,
) -> http::Answer<Response> {
    let (store, access) = (&app.core.store, &signed.access);
    let act = async |_| {
        match store.merge_tag(access, id, asked.into_id).await {
            // Who asks again after a process that died finds it done.
            Err(TagError::Store(StoreError::NotFound)) => {
                let tags = store.tags(access).await?;
                let done = tags.iter().any(|tag| tag.id == id && tag.merged_into == Some(asked.into_id));
                if done { Ok(()) } else { Err(Code::NotFound.into()) }
            }
            other => other.map_err(refused),
        }
    };
    app.once_as(access, &context, &key, StatusCode::NO_CONTENT, act).await
}
