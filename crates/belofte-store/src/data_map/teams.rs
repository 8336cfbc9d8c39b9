// SPDX-License-Identifier: EUPL-1.2
//! The part of the map about teams.

use belofte_model::KeyClass;

use super::Category::Configuration;
use super::Subject::Nobody;
use super::{Holds, Retention, Table, column};

/// People who work together.
pub(super) const TEAM: Table = Table {
    name: "team",
    retention: Retention::Tenant,
    columns: &[
        column(5141, "tenant_id", Holds::Plain),
        column(5142, "id", Holds::Plain),
        column(
            5143,
            "name",
            Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
        ),
        column(5144, "key_id", Holds::Plain),
        column(5145, "archived_at", Holds::Plain),
        column(5146, "version", Holds::Plain),
        column(5147, "created_at", Holds::Plain),
    ],
};

/// Who they are.
pub(super) const MEMBER: Table = Table {
    name: "team_member",
    retention: Retention::Tenant,
    columns: &[
        column(5151, "tenant_id", Holds::Plain),
        column(5152, "team_id", Holds::Plain),
        column(5153, "user_id", Holds::Plain),
    ],
};

/// What they serve.
pub(super) const QUEUE: Table = Table {
    name: "team_queue",
    retention: Retention::Tenant,
    columns: &[
        column(5161, "tenant_id", Holds::Plain),
        column(5162, "team_id", Holds::Plain),
        column(5163, "queue_id", Holds::Plain),
    ],
};
