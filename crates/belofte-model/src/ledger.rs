// SPDX-License-Identifier: EUPL-1.2
//! What stands in the ledger of a tenant.

use serde::{Deserialize, Serialize};

/// The kinds of leaf. Closed; the number of each is part of the ledger's format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum LedgerKind {
    /// A documented choice of the controller: any change of settings.
    Instruction,
    /// Somebody signed in, failed to, or signed out.
    SignIn,
    /// Users of the tenant viewed content; one leaf for a batch of views.
    Views,
    /// Keys were made, rewrapped, marked or destroyed.
    Keys,
    /// A user was invited, joined, changed or was blocked.
    Membership,
}

impl LedgerKind {
    /// All kinds.
    pub const ALL: [Self; 5] = [Self::Instruction, Self::SignIn, Self::Views, Self::Keys, Self::Membership];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Instruction => "instruction",
            Self::SignIn => "sign_in",
            Self::Views => "views",
            Self::Keys => "keys",
            Self::Membership => "membership",
        }
    }

    /// The kind of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }
}

/// How an attempted act ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// It was done.
    Done,
    /// It was refused.
    Refused,
}
