// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations/bulk: changes of many conversations, and what undoes them.
//!
//! Each has a change of its own: what is done to many is one and the same change, and what undoes it is
//! another one for each. One that cannot be changed holds up none of the others. Nothing of what the
//! conversations say is told.

use std::collections::{HashMap, HashSet};

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::Permission;
use belofte_store::{BulkOutcome, ChangeConversation, ChangeConversations};

use super::update::check;
use super::{UpdateConversations, UpdateOutcome, UpdatedConversations, UpdatedOne};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::app::{App, Signed};
use crate::http::{self, Checks, ContextOf, FieldCode, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "update_conversations",
    "/conversations/bulk",
    Tag::Conversations,
    "Changes status, assignee, queue or tags of many; what cannot be changed holds up none of the others",
)
.may(Permission::Assign)
.takes(Content::json::<UpdateConversations>())
.answers(&[Answer {
    status: 200,
    meaning: "What became of each",
    content: Content::json::<UpdatedConversations>(),
}]);

/// So many are changed at once.
const MOST: usize = 200;

/// Answers the endpoint. Asked for again, it finds done what was done: the same change on a conversation
/// that is as was asked for changes nothing, whatever version it names.
///
/// # Errors
/// [`http::Code::Invalid`] for a user, queue, tag or moment that does not hold; those of the store.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Json(asked): Json<UpdateConversations>,
) -> http::Answer<Response> {
    let (store, access) = (&app.core.store, &signed.access);
    let act = async |_| {
        let mut checks = Checks::default();
        checks
            .that(!asked.items.is_empty(), "items", FieldCode::Required)
            .that(asked.items.len() <= MOST, "items", FieldCode::TooLong)
            .done()?;
        let names = Names::fetch(&app, access).await?;
        let accounts = store.channel_accounts(access).await?;
        let (mut order, mut known, mut changes) = (Vec::new(), HashSet::new(), Vec::new());
        for (place, one) in asked.items.into_iter().enumerate() {
            checks.that(known.insert(one.id), &format!("items[{place}].id"), FieldCode::Invalid);
            let at = format!("items[{place}].change.");
            let change = check(&mut checks, &at, one.change, &names, &accounts, access.clock().now());
            changes.push(ChangeConversation::prepare(store, access, one.id, change));
            order.push(one.id);
        }
        checks.done()?;
        let mut outcomes = HashMap::new();
        while !changes.is_empty() {
            let rest = changes.split_off(changes.len().min(ChangeConversations::MOST));
            outcomes.extend(store.write(access, ChangeConversations::of(changes)).await?);
            changes = rest;
        }
        let told = |id| {
            let (outcome, version) = match outcomes.get(&id) {
                Some(BulkOutcome::Changed(version)) => (UpdateOutcome::Changed, Some(*version)),
                Some(BulkOutcome::Unchanged(version)) => (UpdateOutcome::Unchanged, Some(*version)),
                Some(BulkOutcome::Conflict) => (UpdateOutcome::Conflict, None),
                Some(BulkOutcome::NotFound) | None => (UpdateOutcome::NotFound, None),
            };
            UpdatedOne { id, outcome, version }
        };
        Ok(UpdatedConversations { items: order.into_iter().map(told).collect() })
    };
    app.once_as(access, &context, &key, StatusCode::OK, act).await
}
