// SPDX-License-Identifier: EUPL-1.2
//! The part of the map about cases that became one, that were taken apart, and that stand beside
//! each other.

use belofte_model::KeyClass;

use super::Category::Content;
use super::Subject::Contact;
use super::{Holds, Retention, Table, column};

pub(super) const CONVERSATION: Table = Table {
    name: "merged_conversation",
    retention: Retention::Tenant,
    columns: &[
        column(4501, "tenant_id", Holds::Plain),
        column(4502, "merge_id", Holds::Plain),
        column(4503, "id", Holds::Plain),
        column(4504, "no", Holds::Plain),
        column(4505, "status", Holds::Plain),
        column(4506, "contact_id", Holds::Plain),
        column(4507, "queue_id", Holds::Plain),
        column(4508, "channel_account_id", Holds::Plain),
        column(4509, "assignee_id", Holds::Plain),
        // A copy of the row as it was, under the seal of `conversation.summary`.
        column(
            4510,
            "summary",
            Holds::Sealed { category: Content, subject: Contact, key: KeyClass::Conversation },
        ),
        column(4511, "key_id", Holds::Plain),
        column(4512, "message_count", Holds::Plain),
        column(4513, "last_message_at", Holds::Plain),
        column(4514, "last_message_kind", Holds::Plain),
        column(4515, "unread", Holds::Plain),
        column(4516, "delivery_problem", Holds::Plain),
        column(4517, "waiting_since", Holds::Plain),
        column(4518, "first_reply_at", Holds::Plain),
        column(4519, "resolved_at", Holds::Plain),
        column(4520, "created_at", Holds::Plain),
        column(4521, "version", Holds::Plain),
        column(4522, "placed_at", Holds::Plain),
        column(4523, "snoozed_until", Holds::Plain),
        column(4524, "woken_at", Holds::Plain),
        column(4525, "began_account_id", Holds::Plain),
        column(4526, "into_id", Holds::Plain),
        column(4527, "merged_seq", Holds::Plain),
        column(4528, "merged_version", Holds::Plain),
    ],
};
pub(super) const PART: Table = Table {
    name: "merged_part",
    retention: Retention::Tenant,
    columns: &[
        column(4540, "tenant_id", Holds::Plain),
        column(4541, "merge_id", Holds::Plain),
        column(4542, "kind", Holds::Plain),
        column(4543, "part_id", Holds::Plain),
    ],
};
pub(super) const SPLIT: Table = Table {
    name: "split",
    retention: Retention::Tenant,
    columns: &[
        column(4545, "tenant_id", Holds::Plain),
        column(4546, "id", Holds::Plain),
        column(4547, "from_id", Holds::Plain),
        column(4548, "split_seq", Holds::Plain),
        column(4549, "messages", Holds::Plain),
    ],
};
pub(super) const LINK: Table = Table {
    name: "conversation_link",
    retention: Retention::Tenant,
    columns: &[
        column(4550, "tenant_id", Holds::Plain),
        column(4551, "a_id", Holds::Plain),
        column(4552, "b_id", Holds::Plain),
        column(4553, "created_at", Holds::Plain),
    ],
};
