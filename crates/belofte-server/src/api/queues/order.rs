// SPDX-License-Identifier: EUPL-1.2
//! POST /queues/order: the order in which queues are shown.

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::Permission;
use belofte_store::MOST_QUEUES;

use super::{OrderQueues, refused};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, ContextOf, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::post("order_queues", "/queues/order", Tag::Queues, "Puts the queues in order; an instruction")
        .may(Permission::ManageQueues)
        .takes(Content::json::<OrderQueues>())
        .answers(&[Answer { status: 204, meaning: "In order", content: Content::Nothing }])
        .problems(&[Code::Conflict, Code::NotFound]);

/// Answers the endpoint. Asked for again it changes nothing.
///
/// # Errors
/// [`Code::Invalid`] for too many; [`Code::NotFound`]; [`Code::Conflict`] when not every queue in use is named once: somebody made or
/// archived one; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(asked): Json<OrderQueues>,
) -> http::Answer<Response> {
    let access = &signed.access;
    let act = async {
        Checks::default().that(asked.ids.len() <= MOST_QUEUES, "ids", FieldCode::TooLong).done()?;
        app.core.store.order_queues(access, asked.ids).await.map_err(refused)
    };
    app.once(access, &context, &key, StatusCode::NO_CONTENT, act).await
}
