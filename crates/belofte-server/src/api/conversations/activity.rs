// SPDX-License-Identifier: EUPL-1.2
//! GET /conversations/{id}/activity: what happened.

use std::collections::HashMap;

use axum::Json;
use axum::extract::State;
use belofte_model::{
    ActivityId, ApiKeyId, ChannelAccountId, ConversationId, Permission, QueueId, Timestamp, UserId,
};
use belofte_store::ViewKind;

use super::{Activity, ActivityActor, ActivityKind, ActivityList, ActorKind};
use crate::api::names::{self, Names};
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::api::time::Time;
use crate::app::{App, Signed};
use crate::http::{self, Id};

/// The endpoint.
pub const OPERATION: Operation = Operation::get(
    "list_activity",
    "/conversations/{id}/activity",
    Tag::Conversations,
    "What happened to the conversation, oldest first",
)
.may(Permission::ReadConversations)
.answers(&[Answer { status: 200, meaning: "The activity", content: Content::json::<ActivityList>() }]);

/// Answers the endpoint. That somebody looked stands in the ledger, where only the privacy
/// officer reads it, and not here.
///
/// # Errors
/// [`Code::NotFound`](http::Code::NotFound), and those of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ConversationId>,
) -> http::Answer<Json<ActivityList>> {
    let (store, access) = (&app.core.store, &signed.access);
    let id = store.conversation_in_force(access, id).await?;
    let conversation = store.conversation(access, id).await?;
    app.views.note(access, ViewKind::Conversation, id.uuid())?;
    let found = store.activities(access, id).await?;
    let names = Names::fetch(&app, access).await?;
    let programs = if found.iter().any(|entry| entry.actor_kind == "api_key") {
        names::programs(&app, access).await?
    } else {
        HashMap::new()
    };
    let accounts = if found.iter().any(|entry| entry.kind == "account") {
        store.channel_accounts(access).await?
    } else {
        Vec::new()
    };
    let customer = || ActivityActor { kind: ActorKind::Contact, name: conversation.summary.name.clone() };
    let mut items = Vec::with_capacity(found.len() + 1);
    // That the tenant began it stands among what happened.
    if found.iter().all(|entry| entry.kind != "created") {
        items.push(Activity {
            id: ActivityId(id.uuid()),
            kind: ActivityKind::Created,
            actor: customer(),
            at: conversation.created_at.into(),
            from: None,
            to: None,
        });
    }
    for entry in found {
        let user = |id: Option<&String>| Some(names.user_name(id?.parse().ok()?));
        let queue = |id: Option<&String>| {
            let id: QueueId = id?.parse().ok()?;
            Some(names.queue(id).map(|queue| queue.name.clone()).unwrap_or_default())
        };
        let address = |id: Option<&String>| {
            let id: ChannelAccountId = id?.parse().ok()?;
            let known = accounts.iter().find(|account| account.id == id);
            Some(known.map(|account| account.address.as_sent()).unwrap_or_default())
        };
        let tag = |id: Option<&String>| Some(names.tag_name(id?.parse().ok()?));
        let moment =
            |micros: Option<&String>| Some(Time(Timestamp::from_micros(micros?.parse().ok()?)).to_rfc3339());
        let (from, to) = (entry.from.as_ref(), entry.to.as_ref());
        let (kind, from, to) = match (entry.kind.as_str(), to) {
            ("assigned", Some(_)) => (ActivityKind::Assigned, user(from), user(to)),
            ("assigned", None) => (ActivityKind::Unassigned, user(from), None),
            ("created", _) => (ActivityKind::Created, None, None),
            ("queue", _) => (ActivityKind::Queue, queue(from), queue(to)),
            ("delivery", _) => (ActivityKind::Delivery, entry.from.clone(), entry.to.clone()),
            ("snoozed", _) => (ActivityKind::Snoozed, entry.from.clone(), moment(to)),
            ("woken", _) => (ActivityKind::Woken, entry.from.clone(), entry.to.clone()),
            ("tagged", _) => (ActivityKind::Tagged, None, tag(to)),
            ("untagged", _) => (ActivityKind::Untagged, tag(from), None),
            ("account", _) => (ActivityKind::Account, address(from), address(to)),
            ("merged", _) => (ActivityKind::Merged, entry.from.clone(), None),
            ("unmerged", _) => (ActivityKind::Unmerged, entry.from.clone(), None),
            ("split", _) => (ActivityKind::Split, None, entry.to.clone()),
            ("split_from", _) => (ActivityKind::SplitFrom, entry.from.clone(), None),
            ("unsplit", _) => (ActivityKind::Unsplit, entry.from.clone(), None),
            ("linked", _) => (ActivityKind::Linked, None, entry.to.clone()),
            ("unlinked", _) => (ActivityKind::Unlinked, entry.from.clone(), None),
            ("status", _) => (ActivityKind::Status, entry.from.clone(), entry.to.clone()),
            // Kinds of a later version of the program that shares the database.
            _ => continue,
        };
        let actor = match entry.actor_kind.as_str() {
            "user" => ActivityActor { kind: ActorKind::User, name: names.user_name(UserId(entry.actor)) },
            "api_key" => ActivityActor {
                kind: ActorKind::ApiKey,
                name: programs.get(&ApiKeyId(entry.actor)).cloned().unwrap_or_default(),
            },
            "channel" => customer(),
            "operator" => ActivityActor { kind: ActorKind::Operator, name: String::new() },
            _ => ActivityActor { kind: ActorKind::System, name: String::new() },
        };
        items.push(Activity { id: entry.id, kind, actor, at: entry.at.into(), from, to });
    }
    Ok(Json(ActivityList { items }))
}
