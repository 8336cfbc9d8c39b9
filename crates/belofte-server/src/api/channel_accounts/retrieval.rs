// SPDX-License-Identifier: EUPL-1.2
//! The mailbox of an account that is read over IMAP: what goes over the wire about it, and its checks.

use belofte_channels::email::Secret;
use belofte_channels::email::imap::{ImapServer, ImapStep};
use belofte_model::{self as model, RetrievalProblem};
use belofte_store::{self as store, PasswordChange, Store};
use belofte_vault::Pii;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::{ChannelAccount, LineSecurity, SignInWith, TestStepName, WaitingMail, authorisation};
use crate::api::schema;
use crate::api::time::Time;
use crate::http::{self, Checks, FieldCode};

/// So many folders of a mailbox are read at most.
const FOLDERS: usize = 20;

/// The mailbox that is read, as shown. The password never comes back.
#[derive(Serialize, ToSchema)]
pub struct Retrieval {
    /// The name of its server.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// How the line is protected.
    pub security: LineSecurity,
    /// With which name.
    pub username: String,
    /// How.
    pub sign_in: SignInWith,
    /// Whether a password is stored.
    pub password_set: bool,
    /// The folders that are read.
    pub folders: Vec<String>,
    /// What becomes of a mail there once it is here.
    pub after: AfterRetrieval,
    /// Where it is moved to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub move_to: Option<String>,
    /// Only mail that came in since then is read; all of it when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub since: Option<Time>,
    /// How reading goes.
    pub status: RetrievalStatus,
}

/// What becomes of a mail on its server once it is committed here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum AfterRetrieval {
    /// It is marked as seen.
    Seen,
    /// It stays as it is.
    Keep,
    /// It is moved to another folder, which is made when it is not there.
    Move,
}

/// How reading a mailbox goes.
#[derive(Serialize, ToSchema)]
pub struct RetrievalStatus {
    /// In one word.
    pub state: RetrievalState,
    /// What goes wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<schema::RetrievalProblem>)]
    pub problem: Option<RetrievalProblem>,
    /// Since when.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem_since: Option<Time>,
    /// When there was nothing new in it last.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub looked_at: Option<Time>,
    /// How many mails of those that lay there already are still to be read.
    pub older: i64,
    /// How many mails were left there because they are too large.
    pub left_there: i64,
}

/// How reading goes, in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum RetrievalState {
    /// It was not read yet, or its account is paused.
    Waiting,
    /// What lay there already is being read.
    Reading,
    /// All is read; what comes is read at once.
    Current,
    /// It cannot be read, or not as it should be.
    Failing,
}

/// The mailbox to read, as set.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub struct SetRetrieval {
    /// The name of its server.
    #[schema(min_length = 1, max_length = 253)]
    pub host: String,
    /// Its port.
    #[schema(minimum = 1, maximum = 65535)]
    pub port: u16,
    /// How the line is protected.
    pub security: LineSecurity,
    /// With which name.
    #[schema(min_length = 1, max_length = 254)]
    pub username: String,
    /// How; by the password without it.
    #[serde(default)]
    pub sign_in: SignInWith,
    /// The password; without it the stored one stays.
    #[serde(default)]
    #[schema(max_length = 1024)]
    pub password: Option<String>,
    /// The folders to read; INBOX without it. The first is the one whose server tells of new mail by itself.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 20)]
    pub folders: Option<Vec<String>>,
    /// What becomes of a mail there once it is here; marked as seen without it.
    #[serde(default)]
    pub after: Option<AfterRetrieval>,
    /// Where it is moved to.
    #[serde(default)]
    #[schema(min_length = 1, max_length = 255)]
    pub move_to: Option<String>,
    /// Whether what lies there already is read as well.
    #[serde(default)]
    pub existing: bool,
}

/// Checks a mailbox as an admin entered it, in the place of `known`.
pub(super) fn check(checks: &mut Checks, mailbox: &SetRetrieval, known: Option<&store::Retrieval>) {
    let host = mailbox.host.trim();
    let odd = |c: char| c.is_control() || c.is_whitespace() || "/@\"<>".contains(c);
    checks
        .text(host, "retrieval.host", 1, 253)
        .that(!host.contains(odd), "retrieval.host", FieldCode::Invalid)
        .that(mailbox.port > 0, "retrieval.port", FieldCode::OutOfRange)
        .text(&mailbox.username, "retrieval.username", 1, 254);
    let stored = known.is_some_and(|known| known.password_set && is_same(mailbox, known));
    let given = mailbox.password.as_ref().is_some_and(|password| !password.is_empty());
    let by_token = mailbox.sign_in == SignInWith::Authorisation;
    checks.that(
        by_token || given || (mailbox.password.is_none() && stored),
        "retrieval.password",
        FieldCode::Required,
    );
    if let Some(password) = &mailbox.password {
        let odd = |c: char| matches!(c, '\0' | '\r' | '\n');
        checks.that(password.chars().count() <= 1024, "retrieval.password", FieldCode::TooLong).that(
            !password.contains(odd),
            "retrieval.password",
            FieldCode::Invalid,
        );
    }
    if let Some(folders) = &mailbox.folders {
        checks.that(!folders.is_empty(), "retrieval.folders", FieldCode::Required).that(
            folders.len() <= FOLDERS,
            "retrieval.folders",
            FieldCode::TooLong,
        );
        for folder in folders {
            check_folder(checks, folder, "retrieval.folders");
        }
    }
    if mailbox.after == Some(AfterRetrieval::Move) {
        match &mailbox.move_to {
            Some(folder) => {
                let read = folders(mailbox).iter().any(|read| read == folder.trim());
                check_folder(checks, folder, "retrieval.move_to");
                // What is moved there would be read again.
                checks.that(!read, "retrieval.move_to", FieldCode::Taken);
            }
            None => {
                checks.that(false, "retrieval.move_to", FieldCode::Required);
            }
        }
    }
}

fn check_folder(checks: &mut Checks, name: &str, field: &str) {
    // A star or a per cent sign asks for several folders (RFC 9051, section 6.3.9).
    let odd = |c: char| c.is_control() || matches!(c, '*' | '%');
    checks.text(name, field, 1, 255).that(!name.contains(odd), field, FieldCode::Invalid);
}

fn folders(mailbox: &SetRetrieval) -> Vec<String> {
    let mut folders: Vec<String> = Vec::new();
    for name in mailbox.folders.iter().flatten().map(|name| name.trim()) {
        if !folders.iter().any(|known| known == name) {
            folders.push(name.to_owned());
        }
    }
    if folders.is_empty() { vec!["INBOX".to_owned()] } else { folders }
}

/// Whether `wanted` is the mailbox that `known` names: to no other goes the stored password.
fn is_same(wanted: &SetRetrieval, known: &store::Retrieval) -> bool {
    wanted.host.trim() == known.host && wanted.port == known.port && wanted.username == known.username
}

/// A mailbox as the store takes it.
pub(super) fn to_store(mailbox: SetRetrieval) -> store::NewRetrieval {
    store::NewRetrieval {
        host: mailbox.host.trim().to_owned(),
        port: mailbox.port,
        security: mailbox.security.into(),
        folders: folders(&mailbox),
        after: match (mailbox.after, mailbox.move_to) {
            (Some(AfterRetrieval::Move), Some(folder)) => {
                model::AfterRetrieval::Move(folder.trim().to_owned())
            }
            (Some(AfterRetrieval::Keep), _) => model::AfterRetrieval::Keep,
            _ => model::AfterRetrieval::Seen,
        },
        existing: mailbox.existing,
        username: mailbox.username,
        sign_in: mailbox.sign_in.into(),
        password: match mailbox.password {
            Some(password) => PasswordChange::Set(Pii::new(password)),
            None => PasswordChange::Keep,
        },
    }
}

/// Whether the mailbox to try, as entered or as stored, is signed in to by a token; `Some(true)` when it is the
/// stored one: to no other server goes a token.
pub(super) fn by_token(wanted: Option<&SetRetrieval>, known: Option<&store::Retrieval>) -> Option<bool> {
    let by_token = model::SignInWith::Authorisation;
    let stored = known.filter(|known| known.sign_in == by_token);
    match wanted {
        Some(mailbox) => (mailbox.sign_in == SignInWith::Authorisation).then(|| {
            stored.is_some_and(|known| {
                is_same(mailbox, known) && model::LineSecurity::from(mailbox.security) == known.security
            })
        }),
        None => stored.map(|_| true),
    }
}

/// The server to try, and the folders to look for: as entered, or as stored. The stored password goes only to
/// the server that it was given for.
pub(super) fn to_try(
    wanted: Option<SetRetrieval>,
    known: Option<&store::Retrieval>,
    kept: Option<Pii<String>>,
    token: Option<String>,
) -> Option<(ImapServer, Vec<String>)> {
    match (wanted, known) {
        (Some(mailbox), known) => {
            let kept = kept.filter(|_| known.is_some_and(|known| is_same(&mailbox, known)));
            let folders = folders(&mailbox);
            let password = mailbox.password.or_else(|| kept.map(Pii::into_inner)).map(Secret::Password);
            let secret = token.map(Secret::Token).or(password)?;
            let server = ImapServer {
                host: mailbox.host.trim().to_owned(),
                recorded: true,
                port: mailbox.port,
                security: mailbox.security.into(),
                username: mailbox.username,
                secret,
            };
            Some((server, folders))
        }
        (None, Some(known)) => {
            let server = ImapServer {
                host: known.host.clone(),
                recorded: true,
                port: known.port,
                security: LineSecurity::from(known.security).into(),
                username: known.username.clone(),
                secret: token.map(Secret::Token).or(kept.map(|kept| Secret::Password(kept.into_inner())))?,
            };
            Some((server, known.folders.clone()))
        }
        (None, None) => None,
    }
}

impl From<ImapStep> for TestStepName {
    fn from(step: ImapStep) -> Self {
        match step {
            ImapStep::Resolve => Self::Resolve,
            ImapStep::Connect => Self::Connect,
            ImapStep::Tls => Self::Tls,
            ImapStep::Greeting => Self::Greeting,
            ImapStep::Authentication => Self::Authentication,
            ImapStep::Folders => Self::Folders,
        }
    }
}

fn shown_one(
    mailbox: store::Retrieval,
    standing: Option<store::RetrievalStanding>,
    active: bool,
) -> Retrieval {
    let problem = standing.and_then(|standing| standing.problem).filter(|_| active);
    let looked_at = standing.and_then(|standing| standing.looked_at);
    let older = standing.map_or(0, |standing| standing.older);
    let state = match (active, problem, looked_at) {
        (false, ..) => RetrievalState::Waiting,
        (true, Some(_), _) => RetrievalState::Failing,
        (true, None, _) if older > 0 => RetrievalState::Reading,
        (true, None, Some(_)) => RetrievalState::Current,
        (true, None, None) => RetrievalState::Waiting,
    };
    let (after, move_to) = match mailbox.after {
        model::AfterRetrieval::Seen => (AfterRetrieval::Seen, None),
        model::AfterRetrieval::Keep => (AfterRetrieval::Keep, None),
        model::AfterRetrieval::Move(folder) => (AfterRetrieval::Move, Some(folder)),
    };
    Retrieval {
        host: mailbox.host,
        port: mailbox.port,
        security: mailbox.security.into(),
        username: mailbox.username,
        sign_in: mailbox.sign_in.into(),
        password_set: mailbox.password_set,
        folders: mailbox.folders,
        after,
        move_to,
        since: mailbox.since.map(Into::into),
        status: RetrievalStatus {
            state,
            problem: problem.map(|(problem, _)| problem),
            problem_since: problem.map(|(_, since)| since.into()),
            looked_at: looked_at.map(Into::into),
            older,
            left_there: standing.map_or(0, |standing| standing.left_there),
        },
    }
}

/// Accounts as they are shown, with how reading their mailboxes goes.
///
/// # Errors
/// Those of the store.
pub(super) async fn shown(
    store: &Store,
    access: &store::Access,
    accounts: Vec<store::ChannelAccount>,
) -> http::Answer<Vec<ChannelAccount>> {
    let standings = if accounts.iter().any(|account| account.retrieval.is_some()) {
        store.retrieval_standings(access).await?
    } else {
        Default::default()
    };
    let authorisations = if accounts.iter().any(|account| account.authorisation.is_some()) {
        store.authorisation_standings(access).await?
    } else {
        Default::default()
    };
    let waits = if accounts.iter().any(|account| account.submission.is_some()) {
        store.waiting_mail(access).await?
    } else {
        Vec::new()
    };
    let show = |mut account: store::ChannelAccount| {
        let id = account.id;
        let active = account.state == model::AccountState::Active;
        let standing = standings.get(&account.id).copied();
        let retrieval = account.retrieval.take().map(|mailbox| shown_one(mailbox, standing, active));
        let granted = authorisations.get(&account.id).copied();
        let authorisation =
            account.authorisation.take().map(|provider| authorisation::shown(provider, granted));
        let mut shown = ChannelAccount { retrieval, authorisation, ..account.into() };
        if let Some(server) = &mut shown.submission {
            server.waiting = waiting(&waits, id);
        }
        shown
    };
    Ok(accounts.into_iter().map(show).collect())
}

/// What waits in an account, for whatever reason.
fn waiting(all: &[store::WaitingMail], id: model::ChannelAccountId) -> Option<WaitingMail> {
    let own = || all.iter().filter(|one| one.account == id);
    let oldest = own().next()?;
    let messages = own().map(|one| one.messages).sum();
    Some(WaitingMail { messages, code: oldest.code.clone(), since: oldest.since.into() })
}

/// One account as it is shown.
///
/// # Errors
/// Those of the store.
pub(in crate::api) async fn shown_alone(
    store: &Store,
    access: &store::Access,
    account: store::ChannelAccount,
) -> http::Answer<ChannelAccount> {
    let mut shown = shown(store, access, vec![account]).await?;
    shown.pop().ok_or_else(|| http::Code::Internal.into())
}
