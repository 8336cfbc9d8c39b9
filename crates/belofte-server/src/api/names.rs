// SPDX-License-Identifier: EUPL-1.2
//! The names that rows refer to by id: users, queues and tags, fetched once per request.

use std::collections::{HashMap, HashSet};

use belofte_model::{ApiKeyId, ChannelKind, QueueId, TagId, UserId};
use belofte_store::{self as store, Access};

use crate::api::conversations::{ContactRef, ConversationRow};
use crate::api::queues::Queue;
use crate::api::tags::TagRef;
use crate::api::users::{UserRef, UserState};
use crate::app::App;
use crate::http;

/// The users, queues and tags of a tenant by id.
pub struct Names {
    users: HashMap<UserId, UserRef>,
    queues: HashMap<QueueId, Queue>,
    /// Those that conversations can be moved to.
    in_use: HashSet<QueueId>,
    /// By name.
    tags: Vec<store::Tag>,
}

impl Names {
    /// Fetches the users, queues and tags that `access` can see.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn fetch(app: &App, access: &Access) -> http::Answer<Self> {
        let users = app.core.store.users(access).await?.into_iter().map(|user| {
            let state = match user.state {
                belofte_model::UserState::Active => UserState::Active,
                belofte_model::UserState::Blocked => UserState::Blocked,
            };
            (user.id, UserRef { id: user.id, name: user.name.into_inner(), role: user.role, state })
        });
        let users = users.collect();
        let queues = app.core.store.queues(access).await?;
        let in_use = queues.iter().filter(|queue| !queue.archived).map(|queue| queue.id).collect();
        let queues = queues.into_iter().map(|queue| (queue.id, Queue { id: queue.id, name: queue.name }));
        let tags = app.core.store.tags(access).await?;
        Ok(Self { users, queues: queues.collect(), in_use, tags })
    }

    /// The user `id`; `None` when the tenant has none.
    #[must_use]
    pub fn user(&self, id: UserId) -> Option<&UserRef> {
        self.users.get(&id)
    }

    /// The name of the user `id`; empty when it is not known.
    #[must_use]
    pub fn user_name(&self, id: UserId) -> String {
        self.users.get(&id).map(|user| user.name.clone()).unwrap_or_default()
    }

    /// The queue `id`; `None` when `access` sees none of this id.
    #[must_use]
    pub fn queue(&self, id: QueueId) -> Option<&Queue> {
        self.queues.get(&id)
    }

    /// Whether conversations can be moved to the queue `id`: it is there, and not archived.
    #[must_use]
    pub fn queue_in_use(&self, id: QueueId) -> bool {
        self.in_use.contains(&id)
    }

    /// The tag `id`, also one that is archived; `None` when the tenant has none, or it was merged into
    /// another one.
    #[must_use]
    pub fn tag(&self, id: TagId) -> Option<&store::Tag> {
        self.tags.iter().find(|tag| tag.id == id && tag.merged_into.is_none())
    }

    /// The tag that has the conversations of the tag `id`: itself, or the one that it was merged into.
    #[must_use]
    pub fn tag_in_force(&self, id: TagId) -> TagId {
        self.tags.iter().find(|tag| tag.id == id).and_then(|tag| tag.merged_into).unwrap_or(id)
    }

    /// The name of the tag `id`, also of one that was merged; empty when it is not known.
    #[must_use]
    pub fn tag_name(&self, id: TagId) -> String {
        self.tags.iter().find(|tag| tag.id == id).map(|tag| tag.name.clone()).unwrap_or_default()
    }

    fn tags(&self, of_case: &[TagId]) -> Vec<TagRef> {
        let its = self.tags.iter().filter(|tag| of_case.contains(&tag.id));
        its.map(|tag| TagRef { id: tag.id, name: tag.name.clone(), colour: tag.colour }).collect()
    }

    /// The row of the inbox that shows `conversation`.
    #[must_use]
    pub fn row(&self, conversation: store::Conversation) -> ConversationRow {
        let summary = conversation.summary;
        let queue = self.queues.get(&conversation.queue).cloned();
        ConversationRow {
            id: conversation.id,
            no: conversation.no,
            status: conversation.status,
            contact: ContactRef { id: conversation.contact, name: summary.name, address: summary.address },
            subject: summary.subject,
            preview: summary.preview,
            channel: ChannelKind::Email,
            channel_account_id: conversation.account,
            queue: queue.unwrap_or_else(|| Queue { id: conversation.queue, name: String::new() }),
            assignee: conversation.assignee.and_then(|id| self.users.get(&id).cloned()),
            unread: conversation.unread,
            message_count: conversation.messages,
            last_message_at: conversation.last_message_at.into(),
            last_message_kind: conversation.last_message_kind,
            created_at: conversation.created_at.into(),
            waiting_since: conversation.waiting_since.map(Into::into),
            version: conversation.version,
            delivery_problem: conversation.delivery_problem,
            placed_at: conversation.placed_at.into(),
            snoozed_until: conversation.snoozed_until.map(Into::into),
            woken_at: conversation.woken_at.map(Into::into),
            tags: self.tags(&conversation.tags),
        }
    }
}

/// The names of the tenant's programs by the id of their keys; revoked ones have none.
///
/// # Errors
/// Those of the store.
pub async fn programs(app: &App, access: &Access) -> http::Answer<HashMap<ApiKeyId, String>> {
    let keys = app.core.store.api_keys(access).await?;
    Ok(keys.into_iter().map(|key| (key.id, key.name)).collect())
}
