// SPDX-License-Identifier: EUPL-1.2
//! Retrieval: reading a mailbox on a tenant's mail server over IMAP (RFC 9051), and where in each folder
//! it stands.

use serde::{Deserialize, Serialize};

use crate::TokenProblem;

/// Why a mailbox is not read at the moment. Stable: stored, and spoken in the API and the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RetrievalProblem {
    /// The server was not reached.
    ConnectionFailed,
    /// The server lies where this installation does not connect to.
    HostNotAllowed,
    /// TLS is not offered, or the server's certificate is not its own.
    TlsFailed,
    /// What answers does not speak IMAP.
    NotImap,
    /// The server did not answer in time.
    Timeout,
    /// The server does not know the user name and password, or the password has expired.
    AuthenticationFailed,
    /// Nobody has signed in at the provider yet.
    AuthorisationMissing,
    /// The provider has ended the authorisation: somebody has to sign in there again.
    AuthorisationEnded,
    /// The provider refuses the client: its identifier, its secret or its scope is wrong.
    ClientRefused,
    /// The provider gave no token.
    ProviderFailed,
    /// A folder is not there.
    FolderMissing,
    /// The server refuses a command.
    Refused,
    /// The line broke.
    LineDropped,
    /// What was read could not be moved; it was taken in.
    MoveFailed,
}

impl RetrievalProblem {
    /// All of them.
    pub const ALL: [Self; 14] = [
        Self::ConnectionFailed,
        Self::HostNotAllowed,
        Self::TlsFailed,
        Self::NotImap,
        Self::Timeout,
        Self::AuthenticationFailed,
        Self::AuthorisationMissing,
        Self::AuthorisationEnded,
        Self::ClientRefused,
        Self::ProviderFailed,
        Self::FolderMissing,
        Self::Refused,
        Self::LineDropped,
        Self::MoveFailed,
    ];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::ConnectionFailed => "connection_failed",
            Self::HostNotAllowed => "host_not_allowed",
            Self::TlsFailed => "tls_failed",
            Self::NotImap => "not_imap",
            Self::Timeout => "timeout",
            Self::AuthenticationFailed => "authentication_failed",
            Self::AuthorisationMissing => "authorisation_missing",
            Self::AuthorisationEnded => "authorisation_ended",
            Self::ClientRefused => "client_refused",
            Self::ProviderFailed => "provider_failed",
            Self::FolderMissing => "folder_missing",
            Self::Refused => "refused",
            Self::LineDropped => "line_dropped",
            Self::MoveFailed => "move_failed",
        }
    }

    /// The problem of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|problem| problem.as_str() == name)
    }

    /// Whether an admin has to do something: trying again alone will not help.
    #[must_use]
    pub const fn needs_admin(self) -> bool {
        match self {
            Self::HostNotAllowed
            | Self::TlsFailed
            | Self::NotImap
            | Self::AuthenticationFailed
            | Self::AuthorisationMissing
            | Self::AuthorisationEnded
            | Self::ClientRefused
            | Self::FolderMissing
            | Self::MoveFailed => true,
            Self::ConnectionFailed
            | Self::Timeout
            | Self::ProviderFailed
            | Self::Refused
            | Self::LineDropped => false,
        }
    }
}

impl From<TokenProblem> for RetrievalProblem {
    fn from(problem: TokenProblem) -> Self {
        match problem {
            TokenProblem::Missing => Self::AuthorisationMissing,
            TokenProblem::Ended => Self::AuthorisationEnded,
            TokenProblem::ClientRefused => Self::ClientRefused,
            TokenProblem::HostNotAllowed => Self::HostNotAllowed,
            TokenProblem::ProviderFailed => Self::ProviderFailed,
        }
    }
}

/// What becomes of a mail on its server once it is committed here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AfterRetrieval {
    /// It is marked as seen (RFC 9051, section 2.3.2).
    Seen,
    /// It stays as it is.
    Keep,
    /// It is moved to another folder.
    Move(String),
}

/// How far a folder was read. UIDs of one validity only ever grow (RFC 9051, section 2.3.1.1), so two
/// numbers say all: everything from `next` on is new, and of what was there before, everything below
/// `older` has not been read yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FolderPosition {
    /// Which numbering this is a position in (UIDVALIDITY).
    pub validity: u32,
    /// The lowest UID that is new.
    pub next: u32,
    /// Below this UID nothing was read yet; 1 when all was.
    pub older: u32,
}

impl FolderPosition {
    /// The position in a folder as it is now, from the one that was kept of it. A folder that is seen for the
    /// first time, or was numbered anew, is looked through as a whole: mail that came since it is wanted may
    /// stand anywhere in it, and what is known is recognised.
    #[must_use]
    pub fn resume(kept: Option<Self>, validity: u32, uid_next: u32) -> Self {
        match kept {
            // A server that counts backwards within one validity has lost its numbering as well.
            Some(kept) if kept.validity == validity && kept.next <= uid_next => kept,
            _ => Self { validity, next: uid_next, older: uid_next },
        }
    }

    /// Has all that was passed over, or read, looked at again.
    #[must_use]
    pub const fn from_the_beginning(self) -> Self {
        Self { older: self.next, ..self }
    }

    /// Notes that the new mail `uid` was read, and all new ones below it.
    pub fn read_new(&mut self, uid: u32) {
        self.next = self.next.max(uid.saturating_add(1));
    }

    /// Notes that of the older mail `uid` was read, and all above it.
    pub fn read_older(&mut self, uid: u32) {
        self.older = self.older.min(uid.max(1));
    }

    /// Notes that no older mail is left.
    pub const fn read_all(&mut self) {
        self.older = 1;
    }

    /// Whether older mail may be left.
    #[must_use]
    pub const fn has_older(&self) -> bool {
        self.older > 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_come_back() {
        for problem in RetrievalProblem::ALL {
            assert_eq!(RetrievalProblem::parse(problem.as_str()), Some(problem));
            let json = serde_json::to_value(problem).expect("json");
            assert_eq!(json, problem.as_str());
        }
    }

    #[test]
    fn new_mail_and_old_mail_are_read_from_both_ends() {
        let mut at = FolderPosition::resume(None, 7, 100);
        assert_eq!((at.next, at.older, at.has_older()), (100, 100, true));
        at.read_new(104);
        at.read_new(101);
        at.read_older(60);
        at.read_older(80);
        assert_eq!((at.next, at.older), (105, 60));
        at.read_older(1);
        assert!(!at.has_older());
    }

    #[test]
    fn another_validity_begins_anew_and_the_same_goes_on() {
        let kept = FolderPosition { validity: 7, next: 105, older: 1 };
        assert_eq!(FolderPosition::resume(Some(kept), 7, 110), kept);
        let anew = FolderPosition { validity: 8, next: 40, older: 40 };
        assert_eq!(FolderPosition::resume(Some(kept), 8, 40), anew);
        // The same validity with fewer numbers than were read: a restored server.
        let back = FolderPosition { validity: 7, next: 50, older: 50 };
        assert_eq!(FolderPosition::resume(Some(kept), 7, 50), back);
    }

    #[test]
    fn what_was_passed_over_can_be_asked_for() {
        let at = FolderPosition { validity: 1, next: 9, older: 1 };
        assert_eq!(at.from_the_beginning(), FolderPosition { validity: 1, next: 9, older: 9 });
        assert!(!FolderPosition::resume(None, 1, 1).has_older(), "an empty folder");
    }
}
