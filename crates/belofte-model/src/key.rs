// SPDX-License-Identifier: EUPL-1.2
//! Keys as nouns: their classes and states. What a key *is* knows only the vault.

use serde::{Deserialize, Serialize};

/// What a key is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyClass {
    /// Wraps all other keys of a tenant; wrapped itself by the root key.
    Tenant,
    /// Blind indexes of addresses and numbers.
    Lookup,
    /// Search tokens and the lexicon.
    Search,
    /// Signs the ledger's checkpoints.
    Ledger,
    /// Settings, users and channel accounts of a tenant.
    Settings,
    /// What is known of one contact.
    Contact,
    /// The content of one conversation.
    Conversation,
    /// One received mail, until it is filed.
    Spool,
}

impl KeyClass {
    /// All classes.
    pub const ALL: [Self; 8] = [
        Self::Tenant,
        Self::Lookup,
        Self::Search,
        Self::Ledger,
        Self::Settings,
        Self::Contact,
        Self::Conversation,
        Self::Spool,
    ];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Tenant => "tenant",
            Self::Lookup => "lookup",
            Self::Search => "search",
            Self::Ledger => "ledger",
            Self::Settings => "settings",
            Self::Contact => "contact",
            Self::Conversation => "conversation",
            Self::Spool => "spool",
        }
    }

    /// The class of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|class| class.as_str() == name)
    }
}

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeyState {
    /// May seal and open.
    Active,
    /// Wraps nothing new, and still opens what it wrapped until that is wrapped by its successor.
    Retired,
    /// Reads refuse; only the erasure may still open with it.
    Erasing,
    /// Gone; the row remains as proof.
    Destroyed,
}

impl KeyState {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Active => "active",
            Self::Retired => "retired",
            Self::Erasing => "erasing",
            Self::Destroyed => "destroyed",
        }
    }

    /// The state of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Active, Self::Retired, Self::Erasing, Self::Destroyed]
            .into_iter()
            .find(|state| state.as_str() == name)
    }
}

/// The number of a sealed column in the data map: stable for ever, part of every seal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Column(pub u32);
