// SPDX-License-Identifier: EUPL-1.2
//! The table of keys that sign mail.

use belofte_model::KeyClass;

use super::{Category::Configuration, Holds, Retention, Subject::Nobody, Table, column};

pub(super) const TABLE: Table = Table {
    name: "signing_key",
    retention: Retention::Tenant,
    columns: &[
        column(4301, "tenant_id", Holds::Plain),
        column(4302, "id", Holds::Plain),
        column(4303, "domain_index", Holds::BlindIndex),
        column(4304, "state", Holds::Plain),
        column(
            4305,
            "details",
            Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
        ),
        column(4306, "key_id", Holds::Plain),
        column(
            4307,
            "secret",
            Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
        ),
        column(4308, "problem", Holds::Plain),
        column(4309, "checked_at", Holds::Plain),
        column(4310, "seen_at", Holds::Plain),
        column(4311, "began_at", Holds::Plain),
        column(4312, "ended_at", Holds::Plain),
        column(4313, "version", Holds::Plain),
        column(4314, "created_at", Holds::Plain),
    ],
};
