// SPDX-License-Identifier: EUPL-1.2
//! Tables of what several people do with one case at the same time.

use belofte_model::KeyClass;

use super::{Category, Holds, Retention, Subject, Table, column};

/// What is written and not sent.
pub(super) const DRAFT: Table = Table {
    name: "draft",
    retention: Retention::Days(90),
    columns: &[
        column(4401, "tenant_id", Holds::Plain),
        column(4402, "owner_id", Holds::Plain),
        column(4403, "conversation_id", Holds::Plain),
        column(4404, "kind", Holds::Plain),
        column(4405, "id", Holds::Plain),
        column(
            4406,
            "content",
            Holds::Sealed {
                category: Category::Content,
                subject: Subject::Contact,
                key: KeyClass::Conversation,
            },
        ),
        column(4407, "key_id", Holds::Plain),
        column(4408, "version", Holds::Plain),
        column(4409, "saved_at", Holds::Plain),
    ],
};

/// Who is where at this moment.
pub(super) const PRESENCE: Table = Table {
    name: "presence",
    retention: Retention::UntilDone,
    columns: &[
        column(4411, "tenant_id", Holds::Plain),
        column(4412, "line_id", Holds::Plain),
        column(4413, "node_id", Holds::Plain),
        column(4414, "user_id", Holds::Plain),
        column(4415, "conversation_id", Holds::Plain),
        column(4416, "state", Holds::Plain),
        column(4417, "since", Holds::Plain),
        column(4418, "taken_at", Holds::Plain),
        column(4419, "expires_at", Holds::Plain),
    ],
};
