// SPDX-License-Identifier: EUPL-1.2
//! What the listener needs from the house: whose an address is, and keeping what came.

use std::collections::HashMap;
use std::fmt;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use belofte_model::{AccountState, EmailAddress, MailAuthentication};
use belofte_store::{ResolvedAccount, SealedEnvelope};
use bytes::Bytes;

use super::authentication::Hop;
use super::process::Processing;

/// How a message came: what its sender's server said and how it was connected.
#[derive(Clone)]
pub struct Envelope {
    /// The reverse path; `None` for bounces (RFC 5321, section 4.5.5).
    pub mail_from: Option<EmailAddress>,
    /// The recipient as given, detail included.
    pub rcpt: EmailAddress,
    /// The address of the client.
    pub client_address: IpAddr,
    /// TLS version and cipher suite, when the client used TLS.
    pub tls: Option<String>,
    /// The name that the client gave itself.
    pub helo: String,
    /// What was found out about the sender.
    pub authentication: Option<MailAuthentication>,
}

impl Envelope {
    /// The same, as it is sealed with the mail.
    fn sealable(&self) -> SealedEnvelope {
        SealedEnvelope {
            mail_from: self.mail_from.as_ref().map(EmailAddress::as_sent),
            rcpt: self.rcpt.as_sent(),
            client: self.client_address.to_string(),
            tls: self.tls.clone(),
            helo: self.helo.clone(),
            authentication: self.authentication.clone(),
        }
    }
}

/// Personal throughout: shows only that it is one.
impl fmt::Debug for Envelope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Envelope(..)")
    }
}

/// Whose an address is.
#[derive(Debug)]
pub enum Recipient {
    /// An account that takes mail.
    Known(Account),
    /// An account that is paused.
    Paused,
    /// Nobody's here.
    Unknown,
    /// It cannot be told at the moment.
    TryLater,
}

/// Why a message was not stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReceiveError {
    /// There is no room for it now.
    #[error("no room")]
    Full,
    /// The store cannot take it now.
    #[error("the store is busy")]
    Busy,
    /// It is larger than the account takes.
    #[error("too large")]
    TooLarge,
}

/// The house as the listener sees it. Closed: the real one, and its double in memory.
#[derive(Clone, Debug)]
pub enum Intake {
    /// The stores; what is received is filed at once.
    Core(Processing),
    /// Accounts and mail in memory, for tests.
    Memory(MemoryIntake),
}

/// An account that mail can be given to.
#[derive(Clone, Debug)]
pub enum Account {
    /// An account of a tenant.
    Core(ResolvedAccount),
    /// An account of [`MemoryIntake`], by its number.
    Memory(u64),
}

impl Account {
    /// A number that tells accounts apart, for counting what each receives.
    #[must_use]
    pub const fn key(&self) -> u128 {
        match self {
            Self::Core(account) => account.id.0.as_u128(),
            Self::Memory(number) => *number as u128,
        }
    }
}

impl Intake {
    /// Whose `address` is, compared as a whole: the caller takes a detail off.
    pub async fn resolve(&self, address: &EmailAddress) -> Recipient {
        match self {
            Self::Core(processing) => match belofte_core::resolve(&processing.core, address).await {
                Ok(Some(account)) => match account.state {
                    AccountState::Active => Recipient::Known(Account::Core(account)),
                    AccountState::Paused => Recipient::Paused,
                    AccountState::Removed => Recipient::Unknown,
                },
                Ok(None) => Recipient::Unknown,
                Err(error) => {
                    tracing::warn!(error = %error, "a recipient could not be looked up");
                    Recipient::TryLater
                }
            },
            Self::Memory(memory) => memory.resolve(address),
        }
    }

    /// What can be found out about who sent `raw`, once for all its recipients; as
    /// [`Authenticator::check`](super::authentication::Authenticator::check).
    pub(super) async fn authenticate(&self, hop: Option<Hop<'_>>, raw: &[u8]) -> Option<MailAuthentication> {
        match self {
            Self::Core(processing) => Some(processing.authenticator.check(hop, raw).await),
            Self::Memory(_) => None,
        }
    }

    /// Stores `raw` durably for `account`. When this returns `Ok`, the message is safe and its
    /// receipt may be acknowledged (invariant 4).
    ///
    /// # Errors
    /// [`ReceiveError`]; nothing is stored then.
    pub async fn receive(
        &self,
        account: &Account,
        envelope: Envelope,
        raw: Bytes,
    ) -> Result<(), ReceiveError> {
        match (self, account) {
            (Self::Core(processing), Account::Core(account)) => {
                match processing.take_in(account, &envelope.sealable(), &raw).await {
                    Ok(()) => Ok(()),
                    Err(belofte_core::ReceiveError::Full) => Err(ReceiveError::Full),
                    Err(belofte_core::ReceiveError::Busy) => Err(ReceiveError::Busy),
                }
            }
            (Self::Memory(memory), Account::Memory(number)) => memory.receive(*number, envelope, raw),
            // An account of another house: nobody's here.
            (Self::Core(_), Account::Memory(_)) | (Self::Memory(_), Account::Core(_)) => {
                Err(ReceiveError::Busy)
            }
        }
    }
}

/// A house in memory: what tests of the listener look at.
#[derive(Clone, Default)]
pub struct MemoryIntake {
    inner: Arc<Mutex<MemoryState>>,
}

impl fmt::Debug for MemoryIntake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MemoryIntake(..)")
    }
}

#[derive(Default)]
struct MemoryState {
    accounts: HashMap<String, MemoryAccount>,
    received: Vec<MemoryMail>,
}

#[derive(Clone)]
enum MemoryAccount {
    Takes { number: u64, failing: Option<ReceiveError> },
    Paused,
    TryLater,
}

/// One mail that [`MemoryIntake`] took.
#[derive(Clone)]
pub struct MemoryMail {
    /// The number of the account.
    pub account: u64,
    /// How it came.
    pub envelope: Envelope,
    /// Its bytes.
    pub raw: Bytes,
}

impl MemoryIntake {
    fn state(&self) -> MutexGuard<'_, MemoryState> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn put(&self, address: &str, account: MemoryAccount) {
        self.state().accounts.insert(address.to_lowercase(), account);
    }

    /// Adds an account that takes mail, with a number of the caller's.
    pub fn takes(&self, address: &str, number: u64) {
        self.put(address, MemoryAccount::Takes { number, failing: None });
    }

    /// Adds an account that is known and cannot store.
    pub fn fails(&self, address: &str, number: u64, error: ReceiveError) {
        self.put(address, MemoryAccount::Takes { number, failing: Some(error) });
    }

    /// Adds a paused account.
    pub fn paused(&self, address: &str) {
        self.put(address, MemoryAccount::Paused);
    }

    /// Adds an account whose look-up fails for the moment.
    pub fn try_later(&self, address: &str) {
        self.put(address, MemoryAccount::TryLater);
    }

    /// All mail taken so far.
    #[must_use]
    pub fn received(&self) -> Vec<MemoryMail> {
        self.state().received.clone()
    }

    fn resolve(&self, address: &EmailAddress) -> Recipient {
        match self.state().accounts.get(&address.normalised()) {
            Some(MemoryAccount::Takes { number, .. }) => Recipient::Known(Account::Memory(*number)),
            Some(MemoryAccount::Paused) => Recipient::Paused,
            Some(MemoryAccount::TryLater) => Recipient::TryLater,
            None => Recipient::Unknown,
        }
    }

    fn receive(&self, number: u64, envelope: Envelope, raw: Bytes) -> Result<(), ReceiveError> {
        let mut state = self.state();
        let failing = state.accounts.values().find_map(|account| match account {
            MemoryAccount::Takes { number: one, failing } if *one == number => *failing,
            _ => None,
        });
        match failing {
            Some(error) => Err(error),
            None => {
                state.received.push(MemoryMail { account: number, envelope, raw });
                Ok(())
            }
        }
    }
}
