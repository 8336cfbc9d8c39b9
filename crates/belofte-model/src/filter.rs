// SPDX-License-Identifier: EUPL-1.2
//! What a list of people is asked for: conditions on what is known of them, and the order.

use serde::{Deserialize, Serialize};

use crate::field::names;
use crate::{FieldId, FieldKind, GivenValue};

/// So many conditions a filter has at most.
pub const MOST_CONDITIONS: usize = 20;
/// So many fields are shown beside each person of a list at most.
pub const MOST_COLUMNS: usize = 20;
/// The longest text that is looked for, in characters.
pub const SOUGHT_MOST: usize = 200;

/// What of a person a condition or an order is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Subject {
    /// Their name.
    Name,
    /// Their addresses: one of them is enough.
    Address,
    /// When they first wrote.
    CreatedAt,
    /// A field of the tenant's own.
    Field(FieldId),
}

names! {
    /// What is asked of a value.
    Test {
        /// That there is one.
        Filled = "filled",
        /// That there is none.
        Empty = "empty",
        /// That it is this one; of several options, that this one is among them.
        Is = "is",
        /// That it is not this one; where there is none it is not.
        IsNot = "is_not",
        /// That its words hold this text, capitals and accents aside.
        Contains = "contains",
        /// That its words begin with this text.
        BeginsWith = "begins_with",
        /// That it is this one or more: a number, an amount of one currency, a day, an instant.
        AtLeast = "at_least",
        /// That it is this one or less.
        AtMost = "at_most",
        /// That it is one of these options, or lies within one of them.
        AnyOf = "any_of",
    }
}

impl Test {
    /// Whether it compares with something that has to be given.
    #[must_use]
    pub const fn takes_value(self) -> bool {
        !matches!(self, Self::Filled | Self::Empty)
    }

    /// Whether values of `kind` can be asked it.
    #[must_use]
    pub const fn fits(self, kind: FieldKind) -> bool {
        match self {
            Self::Filled | Self::Empty | Self::Is | Self::IsNot => true,
            Self::Contains | Self::BeginsWith => matches!(
                kind,
                FieldKind::Text
                    | FieldKind::LongText
                    | FieldKind::Phone
                    | FieldKind::Email
                    | FieldKind::Iban
                    | FieldKind::Url
                    | FieldKind::PostalAddress
            ),
            Self::AtLeast | Self::AtMost => matches!(
                kind,
                FieldKind::Integer
                    | FieldKind::Decimal
                    | FieldKind::Money
                    | FieldKind::Date
                    | FieldKind::DateTime
            ),
            Self::AnyOf => kind.has_options(),
        }
    }
}

/// One condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What it is about.
    pub subject: Subject,
    /// What is asked.
    pub test: Test,
    /// What is compared with, where the test takes something.
    pub value: Option<GivenValue>,
}

/// What people are to satisfy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// Words that stand in their name or in one of their addresses; may be empty.
    pub words: String,
    /// Whether one of the conditions is enough.
    pub any: bool,
    /// At most [`MOST_CONDITIONS`]; none is satisfied by everybody.
    pub conditions: Vec<Condition>,
}

/// In which order people are listed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Order {
    /// By what; who has none comes last, either way.
    pub by: Subject,
    /// Whether the last comes first.
    pub descending: bool,
}

impl Default for Order {
    /// Who came last comes first.
    fn default() -> Self {
        Self { by: Subject::CreatedAt, descending: true }
    }
}
