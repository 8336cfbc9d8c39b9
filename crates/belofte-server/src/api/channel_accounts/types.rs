// SPDX-License-Identifier: EUPL-1.2
//! What goes over the wire about channel accounts and mail accounting.

use belofte_channels::email::submission::{Security, Step};
use belofte_model::{self as model, AccountState, ChannelAccountId, ChannelKind, Language, QueueId};
use belofte_store as store;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{Authorisation, Retrieval, SetAuthorisation, SetRetrieval, SignInWith};
use crate::api::schema;
use crate::api::serde_help::present;
use crate::api::time::Time;

/// A mailbox through which customers come in.
#[derive(Serialize, ToSchema)]
pub struct ChannelAccount {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: ChannelAccountId,
    /// What kind of channel.
    #[schema(value_type = schema::ChannelKind)]
    pub kind: ChannelKind,
    /// Its address.
    pub address: String,
    /// The name that customers see as sender.
    pub from_name: String,
    /// What stands below what agents write; `{name}` is the one who writes, `{address}` the account's address.
    pub signature: String,
    /// Whether it takes and sends.
    #[schema(value_type = schema::AccountState)]
    pub state: AccountState,
    /// The queue that its conversations begin in.
    #[schema(value_type = Uuid)]
    pub queue_id: QueueId,
    /// How replies leave; without it the account only receives.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub submission: Option<Submission>,
    /// The mailbox that is read; without it mail comes to this server by itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retrieval: Option<Retrieval>,
    /// The provider that authorises it, where it signs in by that.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub authorisation: Option<Authorisation>,
    /// The language of the few words that the system itself adds.
    #[schema(value_type = schema::Language)]
    pub reply_language: Language,
    /// When it was added.
    pub created_at: Time,
}

/// The server that takes replies, as shown. The password never comes back.
#[derive(Serialize, ToSchema)]
pub struct Submission {
    /// Its name.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the line is protected.
    pub security: LineSecurity,
    /// With which name.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub username: Option<String>,
    /// How.
    pub sign_in: SignInWith,
    /// Whether a password is stored.
    pub password_set: bool,
    /// What waits because the server did not take it; it is tried again by itself, and at once when these settings
    /// change.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub waiting: Option<WaitingMail>,
}

/// Mail that waits for its server.
#[derive(Serialize, ToSchema)]
pub struct WaitingMail {
    /// How many messages.
    pub messages: i64,
    /// What the server did last, as with a delivery; the reason of the oldest where there are several.
    pub code: String,
    /// When the oldest was written.
    pub since: Time,
}

/// How the line to a mail server is protected.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LineSecurity {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// TLS after STARTTLS, or nothing is sent (RFC 3207).
    Starttls,
    /// None; only within one's own network.
    None,
}

/// The server that takes replies, as set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetSubmission {
    /// Its name.
    #[schema(min_length = 1, max_length = 253)]
    pub host: String,
    /// Its port.
    #[schema(minimum = 1, maximum = 65535)]
    pub port: u16,
    /// How the line is protected.
    pub security: LineSecurity,
    /// With which name; without it there is no sign-in.
    #[serde(default)]
    #[schema(max_length = 254)]
    pub username: Option<String>,
    /// How; by the password without it.
    #[serde(default)]
    pub sign_in: SignInWith,
    /// The password; without it the stored one stays.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub password: Option<String>,
}

/// The accounts.
#[derive(Serialize, ToSchema)]
pub struct ChannelAccountList {
    /// By address.
    pub items: Vec<ChannelAccount>,
    /// Where a provider has to send people back to.
    pub redirect_uri: String,
}

/// An account as somebody who answers sees it.
#[derive(Serialize, ToSchema)]
pub struct Sender {
    /// Its id.
    #[schema(value_type = Uuid)]
    pub id: ChannelAccountId,
    /// Its address: one's own, never somebody to answer.
    pub address: String,
    /// The name that customers see as sender.
    pub from_name: String,
    /// What stands below what the caller writes, with their name filled in; empty is nothing.
    pub signature: String,
    /// Whether mail can go out through it now.
    pub can_send: bool,
}

/// The accounts that somebody who answers sees.
#[derive(Serialize, ToSchema)]
pub struct SenderList {
    /// By address.
    pub items: Vec<Sender>,
}

/// An account to add.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct CreateChannelAccount {
    /// What kind of channel.
    #[schema(value_type = schema::ChannelKind)]
    pub kind: ChannelKind,
    /// Its address.
    #[schema(min_length = 3, max_length = 254)]
    pub address: String,
    /// The name that customers see as sender.
    #[schema(max_length = 100)]
    pub from_name: String,
    /// What stands below what agents write; `{name}` is the one who writes, `{address}` the account's address.
    #[serde(default)]
    #[schema(max_length = 2_000)]
    pub signature: Option<String>,
    /// The queue that its conversations begin in; the first queue without it.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub queue_id: Option<QueueId>,
    /// How replies leave.
    #[serde(default)]
    pub submission: Option<SetSubmission>,
    /// The mailbox to read.
    #[serde(default)]
    pub retrieval: Option<SetRetrieval>,
    /// The provider that authorises it, where it signs in by that.
    #[serde(default)]
    pub authorisation: Option<SetAuthorisation>,
    /// The language of the few words that the system itself adds; the admin's without it.
    #[serde(default)]
    #[schema(value_type = Option<schema::Language>)]
    pub reply_language: Option<Language>,
}

/// Changes of an account; what is left out stays.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct UpdateChannelAccount {
    /// The name that customers see as sender.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub from_name: Option<String>,
    /// What stands below what agents write; empty is nothing.
    #[serde(default)]
    #[schema(max_length = 2_000)]
    pub signature: Option<String>,
    /// Whether it takes and sends. Removing is DELETE.
    #[serde(default)]
    pub state: Option<SetAccountState>,
    /// The queue that its conversations begin in.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub queue_id: Option<QueueId>,
    /// How replies leave; null is not at all.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<SetSubmission>)]
    pub submission: Option<Option<SetSubmission>>,
    /// The mailbox to read; null is none.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<SetRetrieval>)]
    pub retrieval: Option<Option<SetRetrieval>>,
    /// The provider that authorises it; null is none. Another one, or another server that signs in by it, has
    /// somebody sign in there again.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<SetAuthorisation>)]
    pub authorisation: Option<Option<SetAuthorisation>>,
    /// The language of the few words that the system itself adds.
    #[serde(default)]
    #[schema(value_type = Option<schema::Language>)]
    pub reply_language: Option<Language>,
}

/// The states that an admin can set.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum SetAccountState {
    /// Receives and sends.
    Active,
    /// Senders are asked to wait; nothing is sent.
    Paused,
}

/// A connection to try: that of a stored account, or one not stored yet, or a change of a
/// stored one (its stored password is used where none is given).
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct TestChannelAccount {
    /// The stored account.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub id: Option<ChannelAccountId>,
    /// What kind of channel.
    #[serde(default)]
    #[schema(value_type = Option<schema::ChannelKind>)]
    pub kind: Option<ChannelKind>,
    /// The address to send as; needed without `id`.
    #[serde(default)]
    #[schema(min_length = 3, max_length = 254)]
    pub address: Option<String>,
    /// The name that customers see as sender.
    #[serde(default)]
    #[schema(max_length = 100)]
    pub from_name: Option<String>,
    /// The queue; not used by the test.
    #[serde(default)]
    #[schema(value_type = Option<Uuid>)]
    pub queue_id: Option<QueueId>,
    /// Which of its two servers; the one that takes replies without it.
    #[serde(default)]
    pub server: Option<TestedServer>,
    /// The server that takes replies; needed without `id`.
    #[serde(default)]
    pub submission: Option<SetSubmission>,
    /// The mailbox to read; needed without `id`.
    #[serde(default)]
    pub retrieval: Option<SetRetrieval>,
    /// The language; not used by the test.
    #[serde(default)]
    #[schema(value_type = Option<schema::Language>)]
    pub reply_language: Option<Language>,
}

/// The servers of an account.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestedServer {
    /// The one that takes replies.
    Submission,
    /// The one whose mailbox is read.
    Retrieval,
}

/// What a test gave.
#[derive(Serialize, ToSchema)]
pub struct TestedChannelAccount {
    /// In order, up to and with the first that failed.
    pub steps: Vec<TestStep>,
}

/// One step of a test.
#[derive(Serialize, ToSchema)]
pub struct TestStep {
    /// Which.
    pub step: TestStepName,
    /// Whether it went well.
    pub ok: bool,
    /// Why not: a stable code with words in the catalogue.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What the other side said.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
}

/// The steps of a test.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum TestStepName {
    /// The name has an address that may be reached.
    Resolve,
    /// The port answers.
    Connect,
    /// The line is protected and the certificate is good.
    Tls,
    /// The server speaks SMTP, or IMAP.
    Greeting,
    /// It takes the name and password.
    Authentication,
    /// It lets the account send as its address.
    Sender,
    /// The folders are there.
    Folders,
}

/// Where all mail of an account went: `received = imported + duplicates + quarantined + pending`.
#[derive(Serialize, ToSchema)]
pub struct Accounting {
    /// Acknowledged to senders.
    pub received: i64,
    /// Messages of conversations.
    pub imported: i64,
    /// Seen before.
    pub duplicates: i64,
    /// In quarantine.
    pub quarantined: i64,
    /// Not filed yet.
    pub pending: i64,
}

impl From<store::ChannelAccount> for ChannelAccount {
    fn from(account: store::ChannelAccount) -> Self {
        Self {
            id: account.id,
            kind: account.kind,
            address: account.address.as_sent(),
            from_name: account.from_name,
            signature: account.signature,
            state: account.state,
            queue_id: account.queue,
            submission: account.submission.map(Into::into),
            // With how reading it goes, and how it stands with its provider: `retrieval::shown`.
            retrieval: None,
            authorisation: None,
            reply_language: account.reply_language,
            created_at: account.created_at.into(),
        }
    }
}

impl From<store::Submission> for Submission {
    fn from(server: store::Submission) -> Self {
        Self {
            host: server.host,
            port: server.port,
            security: server.security.into(),
            username: server.username,
            sign_in: server.sign_in.into(),
            password_set: server.password_set,
            // With what waits there: `retrieval::shown`.
            waiting: None,
        }
    }
}

impl From<model::LineSecurity> for LineSecurity {
    fn from(security: model::LineSecurity) -> Self {
        match security {
            model::LineSecurity::Tls => Self::Tls,
            model::LineSecurity::StartTls => Self::Starttls,
            model::LineSecurity::None => Self::None,
        }
    }
}

impl From<LineSecurity> for model::LineSecurity {
    fn from(security: LineSecurity) -> Self {
        match security {
            LineSecurity::Tls => Self::Tls,
            LineSecurity::Starttls => Self::StartTls,
            LineSecurity::None => Self::None,
        }
    }
}

impl From<LineSecurity> for Security {
    fn from(security: LineSecurity) -> Self {
        match security {
            LineSecurity::Tls => Self::Tls,
            LineSecurity::Starttls => Self::StartTls,
            LineSecurity::None => Self::None,
        }
    }
}

impl From<Step> for TestStepName {
    fn from(step: Step) -> Self {
        match step {
            Step::Resolve => Self::Resolve,
            Step::Connect => Self::Connect,
            Step::Tls => Self::Tls,
            Step::Greeting => Self::Greeting,
            Step::Authentication => Self::Authentication,
            Step::Sender => Self::Sender,
        }
    }
}

/// A party that processes for the operator.
#[derive(Serialize, ToSchema)]
pub struct SubProcessor {
    /// Its name.
    pub name: String,
    /// What it does.
    pub purpose: String,
    /// The country where it processes, within the European Economic Area (ISO 3166-1 alpha-2).
    pub country: String,
    /// The hosts at which it is reached.
    pub hosts: Vec<String>,
}

impl From<&belofte_channels::outbound::SubProcessor> for SubProcessor {
    fn from(one: &belofte_channels::outbound::SubProcessor) -> Self {
        let belofte_channels::outbound::SubProcessor { name, purpose, country, hosts } = one.clone();
        Self { name, purpose, country, hosts }
    }
}

/// A mail server that the organisation named.
#[derive(Serialize, ToSchema)]
pub struct ChosenRecipient {
    /// The account that hands in answers there.
    #[schema(value_type = Uuid)]
    pub account_id: ChannelAccountId,
    /// The host.
    pub host: String,
    /// Since when.
    pub first_at: Time,
    /// Until when; absent while it is used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended_at: Option<Time>,
}

impl From<store::ChosenRecipient> for ChosenRecipient {
    fn from(one: store::ChosenRecipient) -> Self {
        let (first_at, ended_at) = (one.first_at.into(), one.ended_at.map(Into::into));
        Self { account_id: one.account, host: one.host, first_at, ended_at }
    }
}

/// Everybody to whom something of the organisation goes, but for the people it writes to.
#[derive(Serialize, ToSchema)]
pub struct RecipientRegister {
    /// Who processes for the operator.
    pub sub_processors: Vec<SubProcessor>,
    /// The mail servers that the organisation chose, oldest first; what they pass on goes over the
    /// open mail system, of which nobody can say where it ends.
    pub chosen: Vec<ChosenRecipient>,
    /// The push services of browser makers that learn that and when somebody of the organisation is notified, and not of
    /// what: hosts, or all hosts below a name (`*.`). Most lie outside the EEA. None while the organisation does not
    /// allow it.
    pub push_services: Vec<String>,
}
