// SPDX-License-Identifier: EUPL-1.2
//! What the data map says of a table and of a column.

use belofte_model::{Column, KeyClass};

/// What kind of data a column holds, for the record of processing (GDPR article 30).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Category {
    /// Who somebody is: a name.
    Identity,
    /// How somebody is reached: an address, a number.
    ContactData,
    /// What was said or sent.
    Content,
    /// What a device tells about itself.
    Technical,
    /// Settings of the tenant.
    Configuration,
    /// The record of acts.
    Evidence,
}

/// Whose data it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Subject {
    /// The customer of a tenant.
    Contact,
    /// An agent, supervisor or admin.
    User,
    /// Somebody of the operator.
    Operator,
    /// No person.
    Nobody,
}

/// What a column holds and how it is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holds {
    /// Nothing personal: ids, times, counts, names of closed sets.
    Plain,
    /// Personal or confidential, sealed with a key of this class.
    Sealed {
        /// What kind of data.
        category: Category,
        /// Whose.
        subject: Subject,
        /// Under which key.
        key: KeyClass,
    },
    /// A keyed hash by which a value is looked up.
    BlindIndex,
    /// Keyed hashes of words.
    SearchTokens,
    /// A hash of a secret, a wrapped key, a salt or a proof.
    Secret,
}

/// How long rows stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retention {
    /// As long as the tenant's policy and contract say.
    Tenant,
    /// So many days.
    Days(u32),
    /// Until the work is done.
    UntilDone,
}

/// One column.
#[derive(Clone, Copy, Debug)]
pub struct MappedColumn {
    /// Its number, for ever.
    pub id: Column,
    /// Its name.
    pub name: &'static str,
    /// What it holds.
    pub holds: Holds,
}

/// One table.
#[derive(Clone, Copy, Debug)]
pub struct Table {
    /// Its name.
    pub name: &'static str,
    /// How long its rows stay.
    pub retention: Retention,
    /// Its columns, in the order of the schema.
    pub columns: &'static [MappedColumn],
}

pub(super) const fn column(id: u32, name: &'static str, holds: Holds) -> MappedColumn {
    MappedColumn { id: Column(id), name, holds }
}
