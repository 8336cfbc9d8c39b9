// SPDX-License-Identifier: EUPL-1.2
//! Tables of browsers that are told when something is new.

use belofte_model::KeyClass;

use super::{Category, Holds, Retention, Subject, Table, column};

/// By which key a tenant tells push services who it is.
pub(super) const SETTING: Table = Table {
    name: "push_setting",
    retention: Retention::Tenant,
    columns: &[
        column(4901, "tenant_id", Holds::Plain),
        column(4902, "public_key", Holds::Plain),
        column(
            4903,
            "secret",
            Holds::Sealed {
                category: Category::Configuration,
                subject: Subject::Nobody,
                key: KeyClass::Settings,
            },
        ),
        column(4904, "key_id", Holds::Plain),
        column(4905, "allowed_at", Holds::Plain),
    ],
};

/// Where a browser of a user is reached.
pub(super) const DEVICE: Table = Table {
    name: "push_device",
    // It ends with the session that it belongs to.
    retention: Retention::Days(30),
    columns: &[
        column(4911, "tenant_id", Holds::Plain),
        column(4912, "id", Holds::Plain),
        column(4913, "user_id", Holds::Plain),
        column(4914, "session_id", Holds::Plain),
        column(4915, "endpoint_index", Holds::BlindIndex),
        column(
            4916,
            "details",
            Holds::Sealed { category: Category::Technical, subject: Subject::User, key: KeyClass::Settings },
        ),
        column(4917, "key_id", Holds::Plain),
        column(4918, "problem", Holds::Plain),
        column(4919, "told_at", Holds::Plain),
        column(4920, "created_at", Holds::Plain),
    ],
};
