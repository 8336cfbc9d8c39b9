// SPDX-License-Identifier: EUPL-1.2
//! What became of a submission: for each recipient, and for each step of a test.

use belofte_model::TokenProblem;

use crate::outbound::OutboundError;

use super::reply::Reply;

/// What became of a message for one recipient.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The server took responsibility for it.
    Sent {
        /// What it said.
        reply: Reply,
    },
    /// It will never be taken like this.
    Failed {
        /// Why, for programs and for the desk's words.
        code: DeliveryCode,
        /// What the server said, when it was the server that refused.
        reply: Option<Reply>,
    },
    /// It was not taken; trying again may help.
    Retry {
        /// Why.
        code: DeliveryCode,
        /// What the server said, if anything.
        reply: Option<Reply>,
    },
    /// All of the message went out and no answer came: it may have been taken. Never sent again
    /// without a person's word.
    Unknown {
        /// [`DeliveryCode::LineDropped`] or [`DeliveryCode::Timeout`].
        code: DeliveryCode,
    },
}

/// Why a delivery is not sent. Stable: stored, and spoken in the API and the catalogue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum DeliveryCode {
    /// The mailbox has no room.
    MailboxFull,
    /// There is no such mailbox.
    UnknownRecipient,
    /// The server does not want it, or not from us.
    Refused,
    /// The server was not reached, or does not speak SMTP.
    ConnectionFailed,
    /// The server does not know the user name and password, or asks for one.
    AuthenticationFailed,
    /// Nobody has signed in at the provider of the account yet.
    AuthorisationMissing,
    /// The provider has ended the authorisation: somebody has to sign in there again.
    AuthorisationEnded,
    /// The provider refuses the client: its identifier, its secret or its scope is wrong.
    ClientRefused,
    /// The provider gave no token.
    ProviderFailed,
    /// TLS is not offered, or the server's certificate is not its own.
    TlsFailed,
    /// The server did not answer in time.
    Timeout,
    /// The server does not take messages of this size.
    MessageTooLarge,
    /// Tried for days without success.
    GivenUp,
    /// The line broke.
    LineDropped,
    /// The server lies where this installation does not connect to.
    HostNotAllowed,
}

impl DeliveryCode {
    /// All codes.
    pub const ALL: [Self; 15] = [
        Self::MailboxFull,
        Self::UnknownRecipient,
        Self::Refused,
        Self::ConnectionFailed,
        Self::AuthenticationFailed,
        Self::AuthorisationMissing,
        Self::AuthorisationEnded,
        Self::ClientRefused,
        Self::ProviderFailed,
        Self::TlsFailed,
        Self::Timeout,
        Self::MessageTooLarge,
        Self::GivenUp,
        Self::LineDropped,
        Self::HostNotAllowed,
    ];

    /// The stored and spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::MailboxFull => "mailbox_full",
            Self::UnknownRecipient => "unknown_recipient",
            Self::Refused => "refused",
            Self::ConnectionFailed => "connection_failed",
            Self::AuthenticationFailed => "authentication_failed",
            Self::AuthorisationMissing => "authorisation_missing",
            Self::AuthorisationEnded => "authorisation_ended",
            Self::ClientRefused => "client_refused",
            Self::ProviderFailed => "provider_failed",
            Self::TlsFailed => "tls_failed",
            Self::Timeout => "timeout",
            Self::MessageTooLarge => "message_too_large",
            Self::GivenUp => "given_up",
            Self::LineDropped => "line_dropped",
            Self::HostNotAllowed => "host_not_allowed",
        }
    }

    /// The code of a stored name.
    #[must_use]
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == name)
    }

    /// What a refusal means, by its enhanced code where there is one (RFC 3463) and else by its
    /// reply code and by whether it answers RCPT.
    pub(crate) fn of_refusal(reply: &Reply, at_recipient: bool) -> Self {
        match (reply.enhanced, reply.code) {
            (Some((_, 2, 2)), _) => Self::MailboxFull,
            (Some((_, 1, 1 | 2 | 3 | 6 | 10)), _) => Self::UnknownRecipient,
            (Some((_, 3, 4) | (_, 2, 3)), _) => Self::MessageTooLarge,
            (Some((_, 7, 8 | 9 | 11)), _) | (_, 530 | 534 | 535 | 538) => Self::AuthenticationFailed,
            (Some(_), _) => Self::Refused,
            (None, 552 | 452) if at_recipient => Self::MailboxFull,
            (None, 552 | 523) => Self::MessageTooLarge,
            (None, 550 | 551 | 553) if at_recipient => Self::UnknownRecipient,
            (None, _) => Self::Refused,
        }
    }

    /// What the status of a report means (RFC 3463); [`Refused`](Self::Refused) when it says nothing
    /// that helps.
    pub(crate) fn of_status(status: &str) -> Self {
        let mut numbers = status.split('.').map(|number| number.parse::<u16>().ok());
        let (_, subject, detail) = (numbers.next(), numbers.next().flatten(), numbers.next().flatten());
        match (subject, detail) {
            (Some(2), Some(2)) => Self::MailboxFull,
            (Some(1), Some(1 | 2 | 3 | 6 | 10)) => Self::UnknownRecipient,
            (Some(3), Some(4)) | (Some(2), Some(3)) => Self::MessageTooLarge,
            // Not delivered for a network's sake, or for so long that it was given up.
            (Some(4), _) => Self::GivenUp,
            _ => Self::Refused,
        }
    }

    /// What it means to a delivery that there is no token.
    pub(crate) const fn of_token(problem: TokenProblem) -> Self {
        match problem {
            TokenProblem::Missing => Self::AuthorisationMissing,
            TokenProblem::Ended => Self::AuthorisationEnded,
            TokenProblem::ClientRefused => Self::ClientRefused,
            TokenProblem::HostNotAllowed => Self::HostNotAllowed,
            TokenProblem::ProviderFailed => Self::ProviderFailed,
        }
    }

    pub(crate) const fn of_outbound(error: &OutboundError) -> Self {
        match error {
            OutboundError::NotRegistered | OutboundError::NotPublic => Self::HostNotAllowed,
            OutboundError::Resolve(_) | OutboundError::Connect(_) => Self::ConnectionFailed,
            OutboundError::TimedOut => Self::Timeout,
        }
    }
}

/// A step of the connection test, in the words of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// The host name has an address that may be connected to.
    Resolve,
    /// The server accepts the connection.
    Connect,
    /// TLS is made and the certificate is the server's own.
    Tls,
    /// It is a mail server and ready for us.
    Greeting,
    /// User name and password are right.
    Authentication,
    /// Mail from this address is accepted.
    Sender,
}

impl Step {
    /// The spoken name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Resolve => "resolve",
            Self::Connect => "connect",
            Self::Tls => "tls",
            Self::Greeting => "greeting",
            Self::Authentication => "authentication",
            Self::Sender => "sender",
        }
    }
}

/// One step that was taken; the first that failed is the last.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StepResult {
    /// Which.
    pub step: Step,
    /// Why it failed; `None` when it worked.
    pub failed: Option<DeliveryCode>,
    /// What the server said to it.
    pub reply: Option<Reply>,
}
