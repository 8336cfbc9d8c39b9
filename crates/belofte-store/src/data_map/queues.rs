// SPDX-License-Identifier: EUPL-1.2
//! The part of the map about queues.

use belofte_model::KeyClass;

use super::Category::Configuration;
use super::Subject::Nobody;
use super::{Holds, Retention, Table, column};

/// Where conversations wait.
pub(super) const QUEUE: Table = Table {
    name: "queue",
    retention: Retention::Tenant,
    columns: &[
        column(1001, "tenant_id", Holds::Plain),
        column(1002, "id", Holds::Plain),
        column(
            1003,
            "name",
            Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
        ),
        column(1004, "key_id", Holds::Plain),
        column(1005, "is_default", Holds::Plain),
        column(1006, "created_at", Holds::Plain),
        column(
            5101,
            "description",
            Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
        ),
        column(5102, "position", Holds::Plain),
        column(5103, "version", Holds::Plain),
        column(5104, "archived_at", Holds::Plain),
        column(5105, "archived_into", Holds::Plain),
        column(5106, "settles_in", Holds::Plain),
    ],
};

/// When they are open.
pub(super) const HOURS: Table = Table {
    name: "queue_hours",
    retention: Retention::Tenant,
    columns: &[
        column(5111, "tenant_id", Holds::Plain),
        column(5112, "queue_id", Holds::Plain),
        column(
            5113,
            "hours",
            Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
        ),
        column(5114, "key_id", Holds::Plain),
        column(5115, "version", Holds::Plain),
    ],
};

/// What went out of archived ones.
pub(super) const MOVE: Table = Table {
    name: "queue_move",
    retention: Retention::Tenant,
    columns: &[
        column(5121, "tenant_id", Holds::Plain),
        column(5122, "conversation_id", Holds::Plain),
        column(5123, "step", Holds::Plain),
        column(5124, "from_queue", Holds::Plain),
        column(5125, "to_queue", Holds::Plain),
        column(5126, "moved_at", Holds::Plain),
    ],
};
