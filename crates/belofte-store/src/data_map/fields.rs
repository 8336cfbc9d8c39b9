// SPDX-License-Identifier: EUPL-1.2
//! The part of the map about the tenant's own fields.

use belofte_model::KeyClass;

use super::Category::{Configuration, ContactData, Content};
use super::Subject::{Contact, Nobody};
use super::{Holds, Retention, Table, column};

/// What a field is.
pub(super) const FIELD: Table = Table {
    name: "field",
    retention: Retention::Tenant,
    columns: &[
        column(5201, "tenant_id", Holds::Plain),
        column(5202, "id", Holds::Plain),
        column(5203, "record_kind", Holds::Plain),
        column(5204, "position", Holds::Plain),
        column(
            5205,
            "about",
            Holds::Sealed { category: Configuration, subject: Nobody, key: KeyClass::Settings },
        ),
        column(5206, "key_id", Holds::Plain),
        column(5207, "archived_at", Holds::Plain),
        column(5208, "removed_at", Holds::Plain),
        column(5209, "version", Holds::Plain),
        column(5210, "created_at", Holds::Plain),
    ],
};

/// What stands in it for a person.
pub(super) const OF_CONTACT: Table = Table {
    name: "contact_field_value",
    retention: Retention::Tenant,
    columns: &[
        column(5221, "tenant_id", Holds::Plain),
        column(5222, "field_id", Holds::Plain),
        column(5223, "contact_id", Holds::Plain),
        column(
            5224,
            "value",
            Holds::Sealed { category: ContactData, subject: Contact, key: KeyClass::Contact },
        ),
        column(5225, "key_id", Holds::Plain),
        column(5226, "version", Holds::Plain),
    ],
};

/// What stands in it for a case.
pub(super) const OF_CONVERSATION: Table = Table {
    name: "conversation_field_value",
    retention: Retention::Tenant,
    columns: &[
        column(5241, "tenant_id", Holds::Plain),
        column(5242, "field_id", Holds::Plain),
        column(5243, "conversation_id", Holds::Plain),
        column(
            5244,
            "value",
            Holds::Sealed { category: Content, subject: Contact, key: KeyClass::Conversation },
        ),
        column(5245, "key_id", Holds::Plain),
        column(5246, "version", Holds::Plain),
    ],
};
