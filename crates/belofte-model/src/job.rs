// SPDX-License-Identifier: EUPL-1.2
//! Jobs: background work that survives a crash.

use serde::{Deserialize, Serialize};

use crate::Duration;

/// The kinds of background work. Closed and matched exhaustively by the worker.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobKind {
    /// File a received mail into a conversation.
    ProcessIntake,
    /// Send a message to its recipients.
    Deliver,
    /// Integrate ledger leaves and sign a checkpoint.
    Checkpoint,
    /// Rewrap keys under a new parent.
    RotateKeys,
    /// Remove keys, blobs and rows that nothing refers to.
    Sweep,
    /// Read a mailbox on a tenant's mail server, for as long as its account wants it.
    Retrieve,
    /// Look in the mailbox of an account whether a message went out of which nobody knows.
    Reconcile,
    /// Bring a conversation back that was put off until now.
    Wake,
    /// Look whether a domain publishes the key that is to sign its mail.
    CheckSigning,
    /// Tell a device of a user that something is new, and not what.
    Push,
    /// Move the conversations of a queue that was archived or restored to where they belong.
    SettleQueue,
    /// Remove what stands in a field that was removed.
    RemoveField,
}

impl JobKind {
    /// All kinds.
    pub const ALL: [Self; 12] = [
        Self::ProcessIntake,
        Self::Deliver,
        Self::Checkpoint,
        Self::RotateKeys,
        Self::Sweep,
        Self::Retrieve,
        Self::Reconcile,
        Self::Wake,
        Self::CheckSigning,
        Self::Push,
        Self::SettleQueue,
        Self::RemoveField,
    ];

    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ProcessIntake => "process_intake",
            Self::Deliver => "deliver",
            Self::Checkpoint => "checkpoint",
            Self::RotateKeys => "rotate_keys",
            Self::Sweep => "sweep",
            Self::Retrieve => "retrieve",
            Self::Reconcile => "reconcile",
            Self::Wake => "wake",
            Self::CheckSigning => "check_signing",
            Self::Push => "push",
            Self::SettleQueue => "settle_queue",
            Self::RemoveField => "remove_field",
        }
    }

    /// The kind of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.as_str() == name)
    }

    /// What it waits for while it runs. The queries of the store say the same, and a test compares them.
    #[must_use]
    pub const fn class(self) -> WorkClass {
        match self {
            Self::ProcessIntake
            | Self::Checkpoint
            | Self::RotateKeys
            | Self::Sweep
            | Self::Wake
            | Self::CheckSigning
            | Self::Push
            | Self::Retrieve
            | Self::SettleQueue
            | Self::RemoveField => WorkClass::Inside,
            Self::Deliver | Self::Reconcile => WorkClass::Outside,
        }
    }

    /// How long a worker may hold a job before another may take it.
    #[must_use]
    pub const fn lease(self) -> Duration {
        match self {
            Self::ProcessIntake
            | Self::Checkpoint
            | Self::Sweep
            | Self::Wake
            | Self::CheckSigning
            | Self::Push
            | Self::SettleQueue
            | Self::RemoveField => Duration::from_secs(60),
            // The answer to the final dot alone may take ten minutes (RFC 5321, section 4.5.3.2.6).
            Self::Deliver => Duration::from_secs(1_200),
            Self::RotateKeys => Duration::from_secs(300),
            // Longer than a look takes at most.
            Self::Reconcile => Duration::from_secs(420),
            // Taken anew all the time while the mailbox is read.
            Self::Retrieve => Duration::from_secs(120),
        }
    }

    /// After how many failures a job becomes a dead letter.
    #[must_use]
    pub const fn max_attempts(self) -> u32 {
        match self {
            Self::ProcessIntake => 5,
            Self::Deliver
            | Self::Checkpoint
            | Self::RotateKeys
            | Self::Sweep
            | Self::Reconcile
            | Self::Wake
            | Self::SettleQueue
            | Self::RemoveField => 12,
            // A mailbox that cannot be read, and a record that is not there, say so in the desk, and are tried as
            // long as somebody wants them; a device is told in time, or not at all.
            Self::Retrieve | Self::CheckSigning | Self::Push => u32::MAX,
        }
    }
}

/// What work waits for while it runs. Each class has places of its own, so that none keeps another from running.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WorkClass {
    /// For the house and what its operator runs or lists: it ends within seconds, whoever's it is. So does beginning
    /// to read a mailbox, which then goes on without a place.
    Inside,
    /// For a server that a tenant names, which may take its time.
    Outside,
}

impl WorkClass {
    /// The name in the queries that look for work.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Inside => "inside",
            Self::Outside => "outside",
        }
    }
}

/// Where a job stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum JobState {
    /// Waits for its time.
    Ready,
    /// A worker holds it until its lease ends.
    Leased,
    /// Failed too often; a person decides.
    Dead,
}

impl JobState {
    /// The stored name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Leased => "leased",
            Self::Dead => "dead",
        }
    }
}
