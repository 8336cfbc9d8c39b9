// SPDX-License-Identifier: EUPL-1.2
//! POST /conversations/{id}/macro: what a macro does, as one change, and what takes it back.
//!
//! What a macro says is none of this: its words become part of a draft, where they are looked at before
//! they are sent (decision 34).

use ::http::StatusCode;
use axum::extract::State;
use axum::response::Response;
use belofte_model::{
    ChannelAccountId, ConversationId, ConversationStatus, MacroId, Permission, QueueId, TagId, UserId,
};
use belofte_store::{Access, ConversationChange, UseMacro as Used, ViewKind};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::update::check;
use super::{AssigneeFilter, ConversationRow, UpdateConversation};
use crate::api::macros::MacroActions;
use crate::api::names::Names;
use crate::api::operation::{Answer, Content, Operation, Tag};
use crate::api::schema;
use crate::api::time::Time;
use crate::api::users::UserState;
use crate::app::{App, Signed};
use crate::http::{self, ApiError, Checks, Code, ContextOf, FieldCode, Id, IdempotencyKey, Json};

/// The endpoint.
pub const OPERATION: Operation = Operation::post(
    "use_macro",
    "/conversations/{id}/macro",
    Tag::Conversations,
    "Does what a macro does, all of it or nothing",
)
.may(Permission::Assign)
.takes(Content::json::<UseMacro>())
.answers(&[Answer {
    status: 200,
    meaning: "The conversation as it is now, and what takes back what was done",
    content: Content::json::<UsedMacro>(),
}])
.problems(&[Code::Conflict]);

/// Which macro to use.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UseMacro {
    /// Which.
    #[schema(value_type = Uuid)]
    pub macro_id: MacroId,
    /// Its version, as it was looked at; another one is a conflict.
    pub macro_version: i64,
    /// The version of the conversation that it is used on; a later one is a conflict.
    #[serde(default)]
    pub version: Option<i64>,
    /// Where the macro puts the conversation off: until when that is, on the clock of who uses it.
    #[serde(default)]
    pub snoozed_until: Option<Time>,
    /// Whether the rest is done where a user, queue or tag that the macro names is not there any more.
    /// Without it nothing is done then.
    #[serde(default)]
    pub skip_missing: bool,
}

/// What a macro did.
#[derive(Serialize, ToSchema)]
pub struct UsedMacro {
    /// The conversation as it is now.
    pub conversation: ConversationRow,
    /// Whether anything changed.
    pub changed: bool,
    /// The change that takes back what was done and nothing else; it is sent as it is.
    pub undo: UndoMacro,
}

/// A change of a conversation, as its endpoint takes it.
#[derive(Default, Serialize, ToSchema)]
pub struct UndoMacro {
    /// Where it stood.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::ConversationStatus>)]
    pub status: Option<ConversationStatus>,
    /// Until when it was put off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub snoozed_until: Option<Time>,
    /// Whose it was; null is nobody's.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub assignee_id: Option<Option<UserId>>,
    /// Where it lay.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub queue_id: Option<QueueId>,
    /// The account that it went on in.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub channel_account_id: Option<ChannelAccountId>,
    /// Tags that were taken.
    #[schema(value_type = Vec<Uuid>)]
    pub add_tag_ids: Vec<TagId>,
    /// Tags that were given.
    #[schema(value_type = Vec<Uuid>)]
    pub remove_tag_ids: Vec<TagId>,
}

impl From<ConversationChange> for UndoMacro {
    fn from(back: ConversationChange) -> Self {
        Self {
            status: back.standing.map(|standing| standing.status()),
            snoozed_until: back.standing.and_then(|standing| standing.until()).map(Into::into),
            assignee_id: back.assignee,
            queue_id: back.queue,
            channel_account_id: back.account,
            add_tag_ids: back.add_tags,
            remove_tag_ids: back.remove_tags,
        }
    }
}

/// Leaves out what is not there any more.
fn without_missing(mut actions: MacroActions, names: &Names) -> MacroActions {
    if let AssigneeFilter::User(user) = actions.assignee
        && names.user(user).is_none_or(|user| user.state != UserState::Active)
    {
        actions.assignee = AssigneeFilter::Any;
    }
    actions.queue_id = actions.queue_id.filter(|queue| names.queue_in_use(*queue));
    actions.add_tag_ids.retain(|tag| names.tag(*tag).is_some_and(|tag| !tag.archived));
    actions.remove_tag_ids.retain(|tag| names.tag(*tag).is_some());
    actions
}

/// The actions of a macro as a change of a conversation by the user of `access`.
fn as_change(
    actions: MacroActions,
    asked: &UseMacro,
    access: &Access,
    checks: &mut Checks,
) -> UpdateConversation {
    let assignee_id = match actions.assignee {
        AssigneeFilter::Any => None,
        AssigneeFilter::Nobody => Some(None),
        AssigneeFilter::User(user) => Some(Some(user)),
        AssigneeFilter::Me => {
            // A program is nobody whom a conversation can be given to.
            checks.that(access.user().is_some(), "actions.assignee_id", FieldCode::Invalid);
            access.user().map(Some)
        }
    };
    UpdateConversation {
        status: actions.status,
        assignee_id,
        queue_id: actions.queue_id,
        channel_account_id: None,
        snoozed_until: asked.snoozed_until,
        add_tag_ids: actions.add_tag_ids,
        remove_tag_ids: actions.remove_tag_ids,
        version: asked.version,
    }
}

/// Answers the endpoint. Asked for again, it finds done what was done.
///
/// # Errors
/// [`Code::Conflict`] when the macro or the conversation is another one than was looked at,
/// [`Code::Invalid`] with what is not there any more and a moment that does not hold, [`Code::NotFound`];
/// those of the store. Nothing is done then.
pub async fn handle(
    State(app): State<App>,
    ContextOf(context): ContextOf,
    signed: Signed,
    key: IdempotencyKey,
    Id(id): Id<ConversationId>,
    Json(asked): Json<UseMacro>,
) -> http::Answer<Response> {
    let (store, access) = (&app.core.store, &signed.access);
    let act = async |_| {
        store.conversation(access, id).await?;
        let kept = store.macros(access).await?.into_iter().find(|kept| kept.id == asked.macro_id);
        let kept = kept.ok_or_else(|| ApiError::field("macro_id", FieldCode::NotFound))?;
        if kept.version != asked.macro_version {
            return Err(Code::Conflict.into());
        }
        let names = Names::fetch(&app, access).await?;
        let mut actions = MacroActions::of(kept.actions.clone(), &names);
        if asked.skip_missing {
            actions = without_missing(actions, &names);
        }
        let mut checks = Checks::default();
        let change = as_change(actions, &asked, access, &mut checks);
        let accounts = store.channel_accounts(access).await?;
        let change = check(&mut checks, "actions.", change, &names, &accounts, access.clock().now());
        checks.done()?;
        let used = Used::prepare(store, access, &kept, id, change);
        let applied = store.write(access, used).await?;
        let conversation = store.conversation(access, id).await?;
        app.views.note(access, ViewKind::Conversation, id.uuid())?;
        Ok(UsedMacro {
            conversation: names.row(conversation),
            changed: applied.changed,
            undo: applied.back.into(),
        })
    };
    Box::pin(app.once_as(access, &context, &key, StatusCode::OK, act)).await
}
