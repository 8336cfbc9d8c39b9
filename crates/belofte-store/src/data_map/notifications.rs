// SPDX-License-Identifier: EUPL-1.2
//! Tables of what users are told of: ids, kinds and times, never a word of what was said.

use super::{Holds, Retention, Table, column};

/// What users are told of.
pub(super) const NOTIFICATION: Table = Table {
    name: "notification",
    retention: Retention::Days(90),
    columns: &[
        column(4801, "tenant_id", Holds::Plain),
        column(4802, "user_id", Holds::Plain),
        column(4803, "kind", Holds::Plain),
        column(4804, "subject_id", Holds::Plain),
        column(4805, "id", Holds::Plain),
        column(4806, "conversation_id", Holds::Plain),
        column(4807, "message_id", Holds::Plain),
        column(4808, "by_id", Holds::Plain),
        column(4809, "happened", Holds::Plain),
        column(4810, "in_desk", Holds::Plain),
        column(4811, "at", Holds::Plain),
        column(4812, "read_at", Holds::Plain),
    ],
};

/// By which ways they want to be told.
pub(super) const NOTIFICATION_PREFERENCE: Table = Table {
    name: "notification_preference",
    retention: Retention::Tenant,
    columns: &[
        column(4821, "tenant_id", Holds::Plain),
        column(4822, "user_id", Holds::Plain),
        column(4823, "kind", Holds::Plain),
        column(4824, "desk", Holds::Plain),
        column(4825, "push", Holds::Plain),
    ],
};
