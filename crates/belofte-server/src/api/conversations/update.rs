// SPDX-License-Identifier: EUPL-1.2
//! PATCH /conversations/{id}: status, assignee, queue, account, tags.

use axum::Json as Body;
use axum::extract::State;
use belofte_model::{
    AccountState, ConversationId, ConversationStatus, Permission, Standing, Timestamp, may_snooze,
};
use belofte_store::{ChangeConversation, ChannelAccount, ConversationChange, ViewKind};

use super::{ConversationRow, UpdateConversation};
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::api::users::UserState;
use crate::app::{App, Signed};
use crate::http::{self, Checks, Code, FieldCode, Id, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::patch(
    "update_conversation",
    "/conversations/{id}",
    Tag::Conversations,
    "Changes status, assignee, queue, account or tags",
)
.may(Permission::Assign)
.takes(Content::json::<UpdateConversation>())
.answers(&[Answer {
    status: 200,
    meaning: "The conversation as it is now",
    content: Content::json::<ConversationRow>(),
}])
.problems(&[Code::Conflict]);

/// So many tags are given or taken at once.
const TAGS: usize = 20;

/// Checks what is asked for, noting what does not hold under names that begin with `at`; gives the
/// change, as far as it holds.
pub(super) fn check(
    checks: &mut Checks,
    at: &str,
    asked: UpdateConversation,
    names: &Names,
    accounts: &[ChannelAccount],
    now: Timestamp,
) -> ConversationChange {
    let field = |name: &str| format!("{at}{name}");
    if let Some(Some(user)) = asked.assignee_id {
        let known = names.user(user).is_some_and(|user| user.state == UserState::Active);
        checks.that(known, &field("assignee_id"), FieldCode::NotFound);
    }
    if let Some(queue) = asked.queue_id {
        checks.that(names.queue_in_use(queue), &field("queue_id"), FieldCode::NotFound);
    }
    if let Some(account) = asked.channel_account_id {
        let known = accounts.iter().any(|known| known.id == account && known.state == AccountState::Active);
        checks.that(known, &field("channel_account_id"), FieldCode::NotFound);
    }
    let until = asked.snoozed_until.map(|time| time.0);
    match (asked.status, until) {
        (Some(ConversationStatus::Snoozed), None) => {
            checks.that(false, &field("snoozed_until"), FieldCode::Required);
        }
        (Some(ConversationStatus::Snoozed), Some(until)) => {
            checks.that(may_snooze(until, now), &field("snoozed_until"), FieldCode::OutOfRange);
        }
        (_, until) => {
            checks.that(until.is_none(), &field("snoozed_until"), FieldCode::Invalid);
        }
    }
    for (name, tags) in [("add_tag_ids", &asked.add_tag_ids), ("remove_tag_ids", &asked.remove_tag_ids)] {
        checks.that(tags.len() <= TAGS, &field(name), FieldCode::TooLong);
        for (place, tag) in tags.iter().enumerate() {
            let known = names.tag(*tag).is_some_and(|tag| name == "remove_tag_ids" || !tag.archived);
            checks.that(known, &format!("{}[{place}]", field(name)), FieldCode::NotFound);
        }
    }
    ConversationChange {
        version: asked.version,
        standing: asked.status.and_then(|status| Standing::of(status, until)),
        assignee: asked.assignee_id,
        queue: asked.queue_id,
        account: asked.channel_account_id,
        add_tags: asked.add_tag_ids,
        remove_tags: asked.remove_tag_ids,
    }
}

/// Answers the endpoint.
///
/// # Errors
/// [`Code::Conflict`] when somebody else changed it first, [`Code::Invalid`] for a user, queue or tag
/// that does not exist and a moment that is none to put a case off until, [`Code::NotFound`], and those
/// of the store.
pub async fn handle(
    State(app): State<App>,
    signed: Signed,
    Id(id): Id<ConversationId>,
    Json(asked): Json<UpdateConversation>,
) -> http::Answer<Body<ConversationRow>> {
    let (store, access) = (&app.core.store, &signed.access);
    store.conversation(access, id).await?;
    let names = Names::fetch(&app, access).await?;
    let mut checks = Checks::default();
    let accounts = store.channel_accounts(access).await?;
    let change = check(&mut checks, "", asked, &names, &accounts, access.clock().now());
    checks.done()?;
    store.write(access, ChangeConversation::prepare(store, access, id, change)).await?;
    let conversation = store.conversation(access, id).await?;
    app.views.note(access, ViewKind::Conversation, id.uuid())?;
    Ok(Body(names.row(conversation)))
}
