// SPDX-License-Identifier: EUPL-1.2
//! The part of the map about macros.

use belofte_model::KeyClass;

use super::Category::Configuration;
use super::Subject::Nobody;
use super::{Holds, Retention, Table, column};

pub(super) const TABLE: Table = Table {
    name: "macro",
    retention: Retention::Tenant,
    columns: &[
        column(4701, "tenant_id", Holds::Plain),
        column(4702, "id", Holds::Plain),
        column(4703, "owner_id", Holds::Plain),
        column(4704, "shared", Holds::Plain),
        column(
            4705,
            "about",
            Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
        ),
        column(
            4706,
            "texts",
            Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
        ),
        column(4707, "key_id", Holds::Plain),
        column(4708, "uses", Holds::Plain),
        column(4709, "used_day", Holds::Plain),
        column(4710, "version", Holds::Plain),
        column(4711, "created_at", Holds::Plain),
    ],
};
