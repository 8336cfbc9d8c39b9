// SPDX-License-Identifier: EUPL-1.2
//! The tables of an index file.

use belofte_model::KeyClass;

use super::{Category::Content, Holds, Retention, Subject::Contact, Table, column};

/// What a node keeps in the index file of each tenant beside its database (decision 17).
pub const INDEX_MAP: &[Table] = &[
    Table {
        name: "message",
        retention: Retention::Tenant,
        columns: &[column(3102, "rowid", Holds::Plain), column(3103, "tok", Holds::SearchTokens)],
    },
    // Names and values: how far the index is, and the lexicon.
    Table {
        name: "state",
        retention: Retention::Tenant,
        columns: &[
            column(
                3202,
                "lexicon",
                Holds::Sealed { category: Content, subject: Contact, key: KeyClass::Search },
            ),
            column(3203, "lexicon_key", Holds::Plain),
            column(3204, "lexicon_through", Holds::Plain),
            column(3206, "applied", Holds::Plain),
            column(3207, "anchor_no", Holds::Plain),
            column(3208, "anchor", Holds::Plain),
        ],
    },
];
