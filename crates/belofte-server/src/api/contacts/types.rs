// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about people.

use belofte_model::{self as model, ContactId, FieldId, IdentityId, Test};
use belofte_store as store;
use serde::{Deserialize, Serialize};
use utoipa::{IntoParams, ToSchema};

use crate::api::fields::FieldValue;
use crate::api::schema;
use crate::api::time::Time;

/// A person.
#[derive(Serialize, ToSchema)]
pub struct Contact {
    /// Their id.
    #[schema(value_type = Uuid)]
    pub id: ContactId,
    /// Their name; empty where it is not known.
    pub name: String,
    /// Their addresses, numbers and handles.
    pub identities: Vec<Identity>,
    /// When they first wrote.
    pub created_at: Time,
    /// How many conversations they are in.
    pub conversation_count: i64,
}

/// An address of a person.
#[derive(Serialize, ToSchema)]
pub struct Identity {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: IdentityId,
    /// What it is.
    pub kind: IdentityKind,
    /// The address itself.
    pub value: String,
    /// Whether it was shown to be theirs.
    pub verified: bool,
}

/// What an identity is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum IdentityKind {
    /// An address of internet mail.
    Email,
}

impl From<belofte_store::Contact> for Contact {
    fn from(contact: belofte_store::Contact) -> Self {
        let identities = contact.identities.into_iter().map(|identity| Identity {
            id: identity.id,
            kind: IdentityKind::Email,
            value: identity.value.into_inner(),
            verified: identity.verified,
        });
        Self {
            id: contact.id,
            name: contact.profile.name,
            identities: identities.collect(),
            created_at: contact.created_at.into(),
            conversation_count: i64::try_from(contact.conversations).unwrap_or(i64::MAX),
        }
    }
}

/// Changes of a person.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateContact {
    /// Their name.
    #[schema(max_length = 200)]
    pub name: String,
}

/// A person to add: a name, an address, or both.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateContact {
    /// Their name.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub name: String,
    /// Their addresses of internet mail.
    #[serde(default)]
    #[schema(max_items = 10)]
    pub addresses: Vec<String>,
    /// What stands in the tenant's own fields of them.
    #[serde(default)]
    #[schema(max_items = 250)]
    pub values: Vec<ContactField>,
}

/// Which of the conversations of a person to list.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub struct ListContactConversations {
    /// The cursor of the page after.
    #[serde(default)]
    #[param(max_length = 200)]
    pub cursor: Option<String>,
    /// How many at most; 50 without it.
    #[serde(default)]
    #[param(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
}

/// Which people to list, and how.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct FindContacts {
    /// Words that stand in their name or in an address of theirs; all of them.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub q: String,
    /// Whether one of the conditions is enough.
    #[serde(default)]
    pub any: bool,
    /// What they are to satisfy.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub conditions: Vec<Condition>,
    /// In which order; without it who came last comes first.
    #[serde(default)]
    pub order: Option<Order>,
    /// The fields to be told of each.
    #[serde(default)]
    #[schema(value_type = Vec<Uuid>, max_items = 20)]
    pub field_ids: Vec<FieldId>,
    /// How many at most; 50 without it.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 100)]
    pub limit: Option<u32>,
    /// Where the page before ended.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub cursor: Option<ContactId>,
}

/// Which people to take out, and how.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ExportContacts {
    /// Words that stand in their name or in an address of theirs; all of them.
    #[serde(default)]
    #[schema(max_length = 200)]
    pub q: String,
    /// Whether one of the conditions is enough.
    #[serde(default)]
    pub any: bool,
    /// What they are to satisfy.
    #[serde(default)]
    #[schema(max_items = 20)]
    pub conditions: Vec<Condition>,
    /// The fields to be told of each; without it all that who asks reads.
    #[serde(default)]
    #[schema(value_type = Option<Vec<Uuid>>, max_items = 250)]
    pub field_ids: Option<Vec<FieldId>>,
    /// As what.
    pub format: ExportFormat,
    /// What stands between the cells of a table. After a semicolon the decimal mark is a comma, as spreadsheets in
    /// Dutch expect it; after a comma it is a point.
    #[serde(default)]
    pub separator: Separator,
}

/// As what people are taken out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ExportFormat {
    /// A table (RFC 4180).
    Csv,
    /// Cards (RFC 6350): name, addresses, and those of the fields that a card has a place for.
    Vcard,
}

/// What stands between the cells of a table.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Separator {
    /// `,`
    #[default]
    Comma,
    /// `;`
    Semicolon,
}

/// What a condition or an order is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// The name.
    Name,
    /// The addresses.
    Address,
    /// When they first wrote.
    CreatedAt,
    /// A field of the tenant's own.
    Field,
}

impl Subject {
    /// What is meant; nothing for a field that is not named, or one that is named beside something else.
    #[must_use]
    pub const fn read(self, field: Option<FieldId>) -> Option<model::Subject> {
        match (self, field) {
            (Self::Name, None) => Some(model::Subject::Name),
            (Self::Address, None) => Some(model::Subject::Address),
            (Self::CreatedAt, None) => Some(model::Subject::CreatedAt),
            (Self::Field, Some(id)) => Some(model::Subject::Field(id)),
            _ => None,
        }
    }
}

/// A condition.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Condition {
    /// What it is about.
    pub subject: Subject,
    /// The field, if it is about one.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub field_id: Option<FieldId>,
    /// What is asked.
    #[schema(value_type = schema::Test)]
    pub test: Test,
    /// What is compared with: text, or a value of the kind of the field; for `any_of` the numbers of options.
    #[serde(default)]
    pub value: Option<FieldValue>,
}

/// An order.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct Order {
    /// By what; who has none comes last, either way.
    pub by: Subject,
    /// The field, if it is by one.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub field_id: Option<FieldId>,
    /// Whether the last comes first.
    #[serde(default)]
    pub descending: bool,
}

/// A page of people.
#[derive(Serialize, ToSchema)]
pub struct ContactPage {
    /// Who is on it.
    pub items: Vec<ContactRow>,
    /// Where the next page begins; absent on the last.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Uuid>)]
    pub next_cursor: Option<ContactId>,
    /// How many there are in all, where that is known: all of them were looked at.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub total: Option<i64>,
    /// How many people were looked at. After many of them a page may end before it is full; `next_cursor` goes on
    /// from there.
    pub looked_at: i64,
}

/// A person of a list.
#[derive(Serialize, ToSchema)]
pub struct ContactRow {
    /// Their id.
    #[schema(value_type = Uuid)]
    pub id: ContactId,
    /// Their name; empty where it is not known.
    pub name: String,
    /// Their addresses, the oldest first.
    pub addresses: Vec<String>,
    /// When they first wrote.
    pub created_at: Time,
    /// How many conversations they are in.
    pub conversation_count: i64,
    /// When something was last said in one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_message_at: Option<Time>,
    /// What stands in the fields that were asked for; those that are empty are left out.
    pub fields: Vec<ContactField>,
}

/// What stands in a field of a person.
#[derive(Serialize, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct ContactField {
    /// The field.
    #[schema(value_type = Uuid)]
    pub field_id: FieldId,
    /// What stands there.
    pub value: FieldValue,
}

impl From<store::ListedContact> for ContactRow {
    fn from(listed: store::ListedContact) -> Self {
        let fields = listed.fields.into_iter();
        Self {
            id: listed.id,
            name: listed.name.into_inner(),
            addresses: listed.addresses.into_iter().map(belofte_vault::Pii::into_inner).collect(),
            created_at: listed.created_at.into(),
            conversation_count: i64::try_from(listed.conversations).unwrap_or(i64::MAX),
            last_message_at: listed.last_message_at.map(Into::into),
            fields: fields
                .map(|(field_id, value)| ContactField { field_id, value: value.given().into() })
                .collect(),
        }
    }
}
