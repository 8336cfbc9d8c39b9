// SPDX-License-Identifier: EUPL-1.2
//! What is sealed of a channel account, and what its tenant's ledger may know of it.

use belofte_model::{AccountState, Language, LineSecurity, QueueId, SignInWith};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::authorisations::SealedProvider;
use crate::channel_accounts::{NewSubmission, PasswordChange};
use crate::retrievals::SealedRetrieval;

/// What is sealed.
#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct Settings {
    pub(crate) address: String,
    pub(crate) from_name: String,
    #[serde(default)]
    pub(crate) signature: String,
    pub(crate) reply_language: Language,
    pub(crate) submission: Option<SealedSubmission>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) retrieval: Option<SealedRetrieval>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) authorisation: Option<SealedProvider>,
}

#[derive(Clone, Serialize, Deserialize, PartialEq, Eq)]
pub(crate) struct SealedSubmission {
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) security: LineSecurity,
    pub(crate) username: Option<String>,
    #[serde(default, skip_serializing_if = "SignInWith::is_password")]
    pub(crate) sign_in: SignInWith,
    pub(crate) password: Option<String>,
}

impl Settings {
    /// What the ledger may know.
    pub(crate) fn told(&self) -> Value {
        let submission = self.submission.as_ref().map(|server| {
            json!({
                "host": server.host,
                "port": server.port,
                "security": server.security,
                "username": server.username,
                "sign_in": server.sign_in,
                "password_set": server.password.is_some(),
            })
        });
        json!({
            "address": self.address,
            "from_name": self.from_name,
            "signature": self.signature,
            "reply_language": self.reply_language,
            "submission": submission,
            "retrieval": self.retrieval.as_ref().map(SealedRetrieval::told),
            "authorisation": self.authorisation.as_ref().map(SealedProvider::told),
        })
    }

    /// The hosts that it connects to.
    pub(crate) fn hosts(&self) -> Vec<&str> {
        let sends = self.submission.as_ref().map(|server| &*server.host);
        let reads = self.retrieval.as_ref().map(|mailbox| &*mailbox.host);
        sends
            .into_iter()
            .chain(reads)
            .chain(self.authorisation.as_ref().and_then(SealedProvider::host))
            .collect()
    }

    /// The servers that are shown a token of the provider.
    fn shown_tokens(&self) -> Vec<(&str, u16, LineSecurity)> {
        let by_token = SignInWith::Authorisation;
        let sends = self.submission.as_ref().filter(|server| server.sign_in == by_token);
        let reads = self.retrieval.as_ref().filter(|mailbox| mailbox.sign_in == by_token);
        let sends = sends.map(|server| (&*server.host, server.port, server.security));
        sends.into_iter().chain(reads.map(SealedRetrieval::server)).collect()
    }

    /// Whether what the provider gave may stay when these settings become `after`: it is the same provider, and
    /// no other server would be shown it than those that were named when somebody signed in. Otherwise an admin
    /// could have the key to a mailbox that is not theirs sent to a host of theirs.
    pub(crate) fn may_keep_tokens(&self, after: &Self) -> bool {
        let known = self.shown_tokens();
        SealedProvider::is_same(self.authorisation.as_ref(), after.authorisation.as_ref())
            && after.shown_tokens().iter().all(|server| known.contains(server))
    }

    /// The same without anything secret.
    pub(crate) fn forget_secrets(&mut self) {
        if let Some(server) = &mut self.submission {
            server.password = None;
        }
        if let Some(mailbox) = &mut self.retrieval {
            mailbox.password = None;
        }
        if let Some(provider) = &mut self.authorisation {
            provider.client_secret = None;
        }
    }

    /// The names of the settings that differ.
    pub(crate) fn differences(&self, after: &Self) -> Vec<&'static str> {
        let mut names = Vec::new();
        let mut note = |differs: bool, name| names.extend(differs.then_some(name));
        note(self.address != after.address, "address");
        note(self.from_name != after.from_name, "from_name");
        note(self.signature != after.signature, "signature");
        note(self.reply_language != after.reply_language, "reply_language");
        let password = |of: &Self| of.submission.as_ref().and_then(|server| server.password.clone());
        let server =
            |of: &Self| of.submission.clone().map(|server| SealedSubmission { password: None, ..server });
        note(server(self) != server(after), "submission");
        note(password(self) != password(after), "submission.password");
        let mailbox = |of: &Self| of.retrieval.as_ref().map(SealedRetrieval::without_password);
        note(mailbox(self) != mailbox(after), "retrieval");
        let password = |of: &Self| of.retrieval.as_ref().and_then(|mailbox| mailbox.password.clone());
        note(password(self) != password(after), "retrieval.password");
        let provider = |of: &Self| of.authorisation.as_ref().map(SealedProvider::without_secret);
        note(provider(self) != provider(after), "authorisation");
        let secret =
            |of: &Self| of.authorisation.as_ref().and_then(|provider| provider.client_secret.clone());
        note(secret(self) != secret(after), "authorisation.client_secret");
        names
    }
}

/// What the ledger says of an account.
pub(crate) fn told(state: AccountState, queue: QueueId, settings: &Settings) -> Value {
    json!({ "state": state, "queue": queue, "settings": settings.told() })
}

/// What an admin entered, in the place of `before`.
pub(crate) fn submission(new: NewSubmission, before: Option<&SealedSubmission>) -> SealedSubmission {
    let NewSubmission { host, port, security, username, sign_in, password } = new;
    let password = match password {
        // Who signs in by the provider has no password, and none is kept.
        _ if sign_in == SignInWith::Authorisation => None,
        PasswordChange::Set(password) => Some(password.into_inner()),
        PasswordChange::Clear => None,
        // Otherwise an admin who may not know the password could have it sent to a host of theirs.
        PasswordChange::Keep => before
            .filter(|old| old.host == host && old.port == port && old.username == username)
            .filter(|old| old.security == security || security != LineSecurity::None)
            .and_then(|old| old.password.clone()),
    };
    SealedSubmission { host, port, security, username, sign_in, password }
}
