// SPDX-License-Identifier: EUPL-1.2
//! A mailbox on a tenant's mail server, read over IMAP (RFC 3501, RFC 9051): connecting, signing in, and the
//! few commands that reading needs.
//!
//! Words of the library's errors hold what the server sent, mail included: they are turned into a
//! [`RetrievalProblem`] here and never shown or logged.

use std::fmt;
use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use async_imap::error::Error as ImapError;
use async_imap::extensions::idle::IdleResponse;
use async_imap::imap_proto::{
    AttributeValue, MailboxDatum, MailboxListData, NameAttribute, Response, ResponseCode, Status,
};
use async_imap::{Authenticator, Client, Session};
use belofte_mail::internal_date;
use belofte_model::{RetrievalProblem, Timestamp};
use bytes::Bytes;
use rustls_pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use super::folder_name;
use super::sign_in::{Secret, TokenMechanism};
use super::submission::Security;
use crate::outbound::{Checked, ConnectPurpose, Outbound, OutboundError, RecipientClass};

/// Resolving and connecting may take so long.
const CONNECT: Duration = Duration::from_secs(30);
/// The answer to a command may take so long; servers search large mailboxes slowly.
const ANSWER: Duration = Duration::from_secs(120);
/// A mail may take so long to come.
const MAIL: Duration = Duration::from_secs(600);
/// An answer other than a mail may be so large: the numbers of a million mails.
const ANSWER_OCTETS: u64 = 16 << 20;
/// Numbers, sizes and dates of half a million mails.
const LIST_OCTETS: u64 = 64 << 20;

/// What the folder of sent mail is called where no server marks it.
const SENT: [&str; 5] = ["Sent", "Sent Items", "Sent Messages", "Verzonden", "Verzonden items"];

/// The server whose mailbox is read. Holds a secret: no Debug output.
#[derive(Clone)]
pub struct ImapServer {
    /// A host name or an address.
    pub host: String,
    /// Whether it stands in its tenant's register: nobody else is given the secret.
    pub recorded: bool,
    /// The port: 993 or 143 as a rule.
    pub port: u16,
    /// How the line is secured.
    pub security: Security,
    /// Who signs in.
    pub username: String,
    /// With what.
    pub secret: Secret,
}

/// A step on the way into a mailbox, in the words of the API.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ImapStep {
    /// The host name has an address that may be connected to.
    Resolve,
    /// The server accepts the connection.
    Connect,
    /// TLS is made and the certificate is the server's own.
    Tls,
    /// It is an IMAP server and ready for us.
    Greeting,
    /// User name and secret are right.
    Authentication,
    /// The folders are there.
    Folders,
}

/// Connects to mailboxes.
#[derive(Clone)]
pub struct Imap {
    outbound: Outbound,
    tls: Arc<rustls::ClientConfig>,
}

impl fmt::Debug for Imap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Imap(..)")
    }
}

impl Imap {
    /// A client that connects through `outbound` and judges certificates by `tls`.
    #[must_use]
    pub fn new(outbound: Outbound, tls: Arc<rustls::ClientConfig>) -> Self {
        Self { outbound, tls }
    }

    /// Tries all the way into `folders` and back, without touching a mail: the steps that were taken, with
    /// what was wrong with the last one.
    pub async fn test(
        &self,
        server: &ImapServer,
        folders: &[String],
    ) -> Vec<(ImapStep, Option<RetrievalProblem>)> {
        let mut steps = Vec::new();
        let failed = match self.walk(server, true, &mut |step| steps.push((step, None))).await {
            Ok(mut mailbox) => {
                let looked = mailbox.look_at_all(folders).await;
                mailbox.leave().await;
                looked.err().map(|problem| (ImapStep::Folders, problem))
            }
            Err(failed) => Some(failed),
        };
        match failed {
            None => steps.push((ImapStep::Folders, None)),
            Some((step, problem)) => steps.push((step, Some(problem))),
        }
        steps
    }

    /// Connects and signs in.
    pub(super) async fn open(&self, server: &ImapServer) -> Result<Mailbox, RetrievalProblem> {
        self.walk(server, false, &mut |_| {}).await.map_err(|(_, problem)| problem)
    }

    async fn walk(
        &self,
        server: &ImapServer,
        test: bool,
        done: &mut (dyn FnMut(ImapStep) + Send),
    ) -> Result<Mailbox, (ImapStep, RetrievalProblem)> {
        // What an admin tries at this moment gets nothing but a greeting and their own secret.
        let class = RecipientClass::ChosenByTenant { recorded: test || server.recorded };
        let purpose = if test { ConnectPurpose::RetrievalTest } else { ConnectPurpose::Retrieval };
        let checked = self.outbound.check(&class, purpose, &server.host, server.port, CONNECT).await;
        let checked = checked.map_err(|error| (ImapStep::Resolve, of_outbound(&error)))?;
        done(ImapStep::Resolve);
        let tcp = self.connect(&checked).await.map_err(|problem| (ImapStep::Connect, problem))?;
        done(ImapStep::Connect);
        let at_greeting = |problem| (ImapStep::Greeting, problem);
        let at_tls = |problem| (ImapStep::Tls, problem);
        let client = match server.security {
            Security::Tls => {
                let stream = self.shake_hands(server, tcp).await.map_err(at_tls)?;
                done(ImapStep::Tls);
                greeted(Stream::Tls(Box::new(stream))).await.map_err(at_greeting)?
            }
            Security::StartTls => {
                let mut client = greeted(Stream::Plain(tcp)).await.map_err(at_greeting)?;
                done(ImapStep::Greeting);
                let asked = within(ANSWER, client.run_command_and_check_ok("STARTTLS", None)).await;
                asked.map_err(|_| at_tls(RetrievalProblem::TlsFailed))?;
                // What stands in clear behind the answer is dropped with the client: it must not count as said
                // under TLS.
                let Stream::Plain(tcp) = client.into_inner().inner else {
                    return Err(at_tls(RetrievalProblem::TlsFailed));
                };
                let stream = self.shake_hands(server, tcp).await.map_err(at_tls)?;
                done(ImapStep::Tls);
                Client::new(Bounded::new(Stream::Tls(Box::new(stream))))
            }
            Security::None => greeted(Stream::Plain(tcp)).await.map_err(at_greeting)?,
        };
        if !matches!(server.security, Security::StartTls) {
            done(ImapStep::Greeting);
        }
        let signed = sign_in(client, server).await.map_err(|problem| (ImapStep::Authentication, problem))?;
        done(ImapStep::Authentication);
        Ok(signed)
    }

    async fn connect(&self, checked: &Checked) -> Result<TcpStream, RetrievalProblem> {
        self.outbound.open(checked, CONNECT).await.map_err(|error| of_outbound(&error))
    }

    async fn shake_hands(
        &self,
        server: &ImapServer,
        tcp: TcpStream,
    ) -> Result<TlsStream<TcpStream>, RetrievalProblem> {
        let host = server.host.trim_end_matches('.').trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|_| RetrievalProblem::TlsFailed)?;
        match timeout(CONNECT, TlsConnector::from(Arc::clone(&self.tls)).connect(name, tcp)).await {
            Ok(Ok(stream)) => Ok(stream),
            Ok(Err(_)) => Err(RetrievalProblem::TlsFailed),
            Err(_) => Err(RetrievalProblem::Timeout),
        }
    }
}

/// Waits for the greeting of a server.
async fn greeted(stream: Stream) -> Result<Client<Bounded>, RetrievalProblem> {
    let mut client = Client::new(Bounded::new(stream));
    let greeting = within(ANSWER, async { Ok(client.read_response().await?) }).await?;
    let greeting = greeting.ok_or(RetrievalProblem::LineDropped)?;
    match greeting.parsed() {
        Response::Data { status: Status::Ok, .. } => Ok(client),
        Response::Data { status: Status::Bye, .. } => Err(RetrievalProblem::Refused),
        // Somebody has signed this line in already, whoever that is.
        _ => Err(RetrievalProblem::NotImap),
    }
}

async fn sign_in(client: Client<Bounded>, server: &ImapServer) -> Result<Mailbox, RetrievalProblem> {
    let refused = |error: ImapError| match problem(&error) {
        RetrievalProblem::Refused => RetrievalProblem::AuthenticationFailed,
        other => other,
    };
    let username = &server.username;
    let first = match &server.secret {
        Secret::Password(password) => Answer::new("PLAIN", format!("\0{username}\0{password}"), ""),
        Secret::Token(token) => Answer::of_token(TokenMechanism::Xoauth2, username, token),
    };
    let session = match try_to(client, first).await? {
        Ok(session) => session,
        Err((error, None)) => return Err(refused(error)),
        // The server does not know the mechanism.
        Err((_, Some(client))) => match &server.secret {
            Secret::Password(password) => {
                let signed = timeout(ANSWER, client.login(username, password)).await;
                signed.map_err(|_| RetrievalProblem::Timeout)?.map_err(|(error, _)| refused(error))?
            }
            Secret::Token(token) => {
                let second = Answer::of_token(TokenMechanism::OauthBearer, username, token);
                try_to(client, second).await?.map_err(|(error, _)| refused(error))?
            }
        },
    };
    let mut mailbox = Mailbox { session, can: Can::default() };
    mailbox.can = mailbox.capabilities().await?;
    Ok(mailbox)
}

/// A session, or why there is none; with the client when the server does not know the mechanism, so that another
/// can be tried.
type Tried = Result<Session<Bounded>, (ImapError, Option<Client<Bounded>>)>;

async fn try_to(client: Client<Bounded>, mut answer: Answer) -> Result<Tried, RetrievalProblem> {
    let signed = timeout(ANSWER, client.authenticate(answer.mechanism, &mut answer)).await;
    let signed = signed.map_err(|_| RetrievalProblem::Timeout)?;
    // It was not asked for the answer.
    Ok(signed.map_err(|(error, client)| (error, answer.first.is_some().then_some(client))))
}

/// Answers a challenge once; what comes after is a refusal in other words.
struct Answer {
    mechanism: &'static str,
    first: Option<String>,
    then: &'static str,
}

impl Answer {
    const fn new(mechanism: &'static str, first: String, then: &'static str) -> Self {
        Self { mechanism, first: Some(first), then }
    }

    fn of_token(mechanism: TokenMechanism, username: &str, token: &str) -> Self {
        Self::new(mechanism.name(), mechanism.shows(username, token), mechanism.gives_in())
    }
}

impl Authenticator for &mut Answer {
    type Response = String;
    fn process(&mut self, _: &[u8]) -> String {
        self.first.take().unwrap_or_else(|| self.then.to_owned())
    }
}

/// What a server can, as far as reading asks.
#[derive(Clone, Copy, Debug, Default)]
struct Can {
    idle: bool,
    moves: bool,
    uid_plus: bool,
}

impl Can {
    fn read(all: impl Iterator<Item = String>) -> Self {
        let mut can = Self::default();
        for one in all {
            let one = one.to_ascii_uppercase();
            can.idle |= one.contains("\"IDLE\"");
            can.moves |= one.contains("\"MOVE\"");
            can.uid_plus |= one.contains("\"UIDPLUS\"");
        }
        can
    }
}

/// A folder that was opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Opened {
    /// UIDVALIDITY.
    pub(super) validity: u32,
    /// UIDNEXT.
    pub(super) uid_next: u32,
}

/// A mail on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Listed {
    pub(super) uid: u32,
    /// RFC822.SIZE, in octets.
    pub(super) octets: u32,
}

/// A mail on the server that was looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LookedAt {
    pub(super) listed: Listed,
    /// INTERNALDATE: when the server received it.
    pub(super) received: Option<Timestamp>,
}

/// Why idling ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Woken {
    /// The server told something.
    Told,
    /// The time was over.
    Time,
}

/// A mailbox that was signed in to.
pub(super) struct Mailbox {
    session: Session<Bounded>,
    can: Can,
}

impl Mailbox {
    /// Sends `command` and hands each answer to `each` until the command is done.
    async fn command(
        &mut self,
        command: &str,
        patience: Duration,
        octets: u64,
        mut each: impl FnMut(&Response<'_>),
    ) -> Result<(), RetrievalProblem> {
        let session = &mut self.session;
        within(patience, async {
            session.get_mut().allow(octets);
            let tag = session.run_command(command).await?;
            loop {
                let answer = session.read_response().await?.ok_or(ImapError::ConnectionLost)?;
                match answer.parsed() {
                    Response::Done { tag: of, status, .. } if *of == tag => {
                        return match status {
                            Status::Ok => Ok(()),
                            _ => Err(ImapError::No(String::new())),
                        };
                    }
                    Response::Data { status: Status::Bye, .. } => return Err(ImapError::ConnectionLost),
                    other => each(other),
                }
            }
        })
        .await
    }

    async fn capabilities(&mut self) -> Result<Can, RetrievalProblem> {
        let mut can = Can::default();
        self.command("CAPABILITY", ANSWER, ANSWER_OCTETS, |answer| {
            if let Response::Capabilities(all) = answer {
                can = Can::read(all.iter().map(|one| format!("{one:?}")));
            }
        })
        .await?;
        Ok(can)
    }

    /// Opens a folder, named as people name it.
    pub(super) async fn select(&mut self, folder: &str) -> Result<Opened, RetrievalProblem> {
        let (mut validity, mut uid_next) = (None, None);
        let command = format!("SELECT {}", folder_name::quoted(folder));
        let selected = self
            .command(&command, ANSWER, ANSWER_OCTETS, |answer| {
                if let Response::Data { outcome, .. } = answer {
                    match outcome.code {
                        Some(ResponseCode::UidValidity(number)) => validity = Some(number),
                        Some(ResponseCode::UidNext(number)) => uid_next = Some(number),
                        _ => {}
                    }
                }
            })
            .await;
        match (selected, validity, uid_next) {
            (Err(RetrievalProblem::Refused), ..) => Err(RetrievalProblem::FolderMissing),
            (Err(problem), ..) => Err(problem),
            (Ok(()), Some(validity), Some(uid_next)) => Ok(Opened { validity, uid_next }),
            // Old servers do not tell the next number: it follows the highest.
            (Ok(()), Some(validity), None) => {
                let highest = self.list("*").await?.into_iter().map(|one| one.uid).max();
                Ok(Opened { validity, uid_next: highest.map_or(1, |uid| uid.saturating_add(1)) })
            }
            // A server without numbers that last cannot be read without losing or doubling.
            (Ok(()), None, _) => Err(RetrievalProblem::NotImap),
        }
    }

    async fn look_at_all(&mut self, folders: &[String]) -> Result<(), RetrievalProblem> {
        for folder in folders {
            self.select(folder).await?;
        }
        Ok(())
    }

    /// The mails from `uid` on, lowest first.
    pub(super) async fn list_from(&mut self, uid: u32) -> Result<Vec<Listed>, RetrievalProblem> {
        let mut found = self.list(&format!("{uid}:*")).await?;
        // The highest number counts as in any range that ends in it (RFC 9051, section 6.4.9).
        found.retain(|one| one.uid >= uid);
        Ok(found)
    }

    /// The UIDs below `uid`, highest first; of mail that came in since the day of `since` (`1-Feb-2026`).
    pub(super) async fn older(
        &mut self,
        uid: u32,
        since: Option<&str>,
    ) -> Result<Vec<u32>, RetrievalProblem> {
        let since = since.map(|day| format!(" SINCE {day}")).unwrap_or_default();
        let mut found = self.search(&format!("UID 1:{}{since}", uid.saturating_sub(1).max(1))).await?;
        found.retain(|one| *one < uid);
        found.sort_unstable_by(|a, b| b.cmp(a));
        found.dedup();
        Ok(found)
    }

    async fn search(&mut self, what: &str) -> Result<Vec<u32>, RetrievalProblem> {
        let mut found = Vec::new();
        self.command(&format!("UID SEARCH {what}"), ANSWER, ANSWER_OCTETS, |answer| {
            if let Response::MailboxData(MailboxDatum::Search(uids)) = answer {
                found.extend_from_slice(uids);
            }
        })
        .await?;
        Ok(found)
    }

    /// UIDs and sizes of a set of mails, lowest first.
    async fn list(&mut self, set: &str) -> Result<Vec<Listed>, RetrievalProblem> {
        let found = self.look(set).await?;
        Ok(found.into_iter().map(|looked| looked.listed).collect())
    }

    /// Looks at one mail without reading it; `None` when it is gone.
    pub(super) async fn look_at(&mut self, uid: u32) -> Result<Option<LookedAt>, RetrievalProblem> {
        Ok(self.look(&uid.to_string()).await?.into_iter().find(|looked| looked.listed.uid == uid))
    }

    async fn look(&mut self, set: &str) -> Result<Vec<LookedAt>, RetrievalProblem> {
        let mut found = Vec::new();
        let command = format!("UID FETCH {set} (UID RFC822.SIZE INTERNALDATE)");
        self.command(&command, ANSWER, LIST_OCTETS, |answer| {
            let Response::Fetch(_, values) = answer else { return };
            let (mut uid, mut octets, mut received) = (None, None, None);
            for value in values {
                match value {
                    AttributeValue::Uid(number) => uid = Some(*number),
                    AttributeValue::Rfc822Size(number) => octets = Some(*number),
                    AttributeValue::InternalDate(text) => received = internal_date(text),
                    _ => {}
                }
            }
            if let (Some(uid), Some(octets)) = (uid, octets) {
                found.push(LookedAt { listed: Listed { uid, octets }, received });
            }
        })
        .await?;
        found.sort_unstable_by_key(|looked| looked.listed.uid);
        found.dedup_by_key(|looked| looked.listed.uid);
        Ok(found)
    }

    /// The bytes of one mail, at most `octets`; `None` when it is gone. It is not marked as seen.
    pub(super) async fn fetch(&mut self, uid: u32, octets: u32) -> Result<Option<Bytes>, RetrievalProblem> {
        let mut found = None;
        // Some servers count a mail without the line ends that they add.
        let allowed = u64::from(octets) * 2 + (1 << 16);
        self.command(&format!("UID FETCH {uid} (UID BODY.PEEK[])"), MAIL, allowed, |answer| {
            if let Response::Fetch(_, values) = answer
                && values.iter().any(|value| matches!(value, AttributeValue::Uid(of) if *of == uid))
            {
                for value in values {
                    if let AttributeValue::BodySection { section: None, data: Some(data), .. } = value {
                        found = Some(Bytes::copy_from_slice(data));
                    }
                }
            }
        })
        .await?;
        Ok(found)
    }

    /// Has the server look at the open folder: many tell of what came meanwhile after such a command, and not with an
    /// answer to another (RFC 9051, section 6.1.2).
    pub(super) async fn refresh(&mut self) -> Result<(), RetrievalProblem> {
        self.command("NOOP", ANSWER, ANSWER_OCTETS, |_| {}).await
    }

    /// Marks mails as seen.
    pub(super) async fn see(&mut self, uids: &[u32]) -> Result<(), RetrievalProblem> {
        let set = uid_set(uids);
        self.command(&format!("UID STORE {set} +FLAGS.SILENT (\\Seen)"), ANSWER, ANSWER_OCTETS, |_| {}).await
    }

    /// Moves mails to another folder (RFC 6851; with COPY where MOVE is not known), which is made when it is
    /// not there.
    pub(super) async fn move_to(&mut self, uids: &[u32], folder: &str) -> Result<(), RetrievalProblem> {
        let (set, target) = (uid_set(uids), folder_name::quoted(folder));
        let verb = if self.can.moves { "MOVE" } else { "COPY" };
        let command = format!("UID {verb} {set} {target}");
        match self.command(&command, ANSWER, ANSWER_OCTETS, |_| {}).await {
            Err(RetrievalProblem::Refused) => {
                let made = self.command(&format!("CREATE {target}"), ANSWER, ANSWER_OCTETS, |_| {}).await;
                made.map_err(|problem| match problem {
                    RetrievalProblem::Refused => RetrievalProblem::MoveFailed,
                    other => other,
                })?;
                self.command(&command, ANSWER, ANSWER_OCTETS, |_| {}).await.map_err(
                    |problem| match problem {
                        RetrievalProblem::Refused => RetrievalProblem::MoveFailed,
                        other => other,
                    },
                )?;
            }
            other => other?,
        }
        if self.can.moves {
            return Ok(());
        }
        let mark = format!("UID STORE {set} +FLAGS.SILENT (\\Deleted)");
        self.command(&mark, ANSWER, ANSWER_OCTETS, |_| {}).await?;
        // Without UIDPLUS, EXPUNGE would take away what somebody else has marked, too.
        if self.can.uid_plus {
            self.command(&format!("UID EXPUNGE {set}"), ANSWER, ANSWER_OCTETS, |_| {}).await?;
        }
        Ok(())
    }

    /// Whether a mail with this Message-ID lies among those that were sent. Nothing is changed there.
    pub(super) async fn has_sent(&mut self, message_id: &str) -> Result<bool, RetrievalProblem> {
        let Some(folder) = self.sent_folder().await? else { return Ok(false) };
        self.command(&format!("EXAMINE {folder}"), ANSWER, ANSWER_OCTETS, |_| {}).await?;
        let id = folder_name::quoted_as_told(message_id);
        Ok(!self.search(&format!("HEADER Message-ID {id}")).await?.is_empty())
    }

    /// The folder of what was sent, in quotes: the one that the server marks as such (RFC 6154), or the first of a
    /// usual name.
    async fn sent_folder(&mut self) -> Result<Option<String>, RetrievalProblem> {
        let (mut marked, mut named) = (None, None);
        self.command("LIST \"\" \"*\"", ANSWER, ANSWER_OCTETS, |answer| {
            let Response::MailboxData(MailboxDatum::List(told)) = answer else { return };
            let MailboxListData { name_attributes, delimiter, name } = told;
            if name_attributes.contains(&NameAttribute::Sent) {
                marked = Some(folder_name::quoted_as_told(name));
            }
            let bare =
                delimiter.as_deref().and_then(|by| name.strip_prefix(&format!("INBOX{by}"))).unwrap_or(name);
            if named.is_none() && SENT.iter().any(|usual| usual.eq_ignore_ascii_case(bare)) {
                named = Some(folder_name::quoted_as_told(name));
            }
        })
        .await?;
        Ok(marked.or(named))
    }

    /// Whether the server tells of new mail by itself (RFC 2177).
    pub(super) const fn can_idle(&self) -> bool {
        self.can.idle
    }

    /// Waits until the server tells something, at most for `time`.
    pub(super) async fn idle(self, time: Duration) -> Result<(Self, Woken), RetrievalProblem> {
        let Self { mut session, can } = self;
        session.get_mut().allow(ANSWER_OCTETS);
        let mut idle = session.idle();
        within(ANSWER, idle.init()).await?;
        let woken = {
            // Held until the wait is over: dropping it ends the wait.
            let (wait, _until) = idle.wait_with_timeout(time);
            // A server that says "still here" starts the library's own time anew.
            match timeout(time, wait).await {
                Err(_) | Ok(Ok(IdleResponse::Timeout)) => Woken::Time,
                Ok(Ok(IdleResponse::NewData(answer))) => match answer.parsed() {
                    Response::Data { status: Status::Bye, .. } => return Err(RetrievalProblem::LineDropped),
                    _ => Woken::Told,
                },
                // The library's word for a line that has ended.
                Ok(Ok(IdleResponse::ManualInterrupt)) => return Err(RetrievalProblem::LineDropped),
                Ok(Err(error)) => return Err(problem(&error)),
            }
        };
        let session = within(ANSWER, idle.done()).await?;
        Ok((Self { session, can }, woken))
    }

    /// Signs out; what comes of it does not matter.
    pub(super) async fn leave(mut self) {
        let _ = self.command("LOGOUT", Duration::from_secs(2), ANSWER_OCTETS, |_| {}).await;
    }
}

/// A set of UIDs as IMAP writes it: `4:6,9`.
fn uid_set(uids: &[u32]) -> String {
    let mut sorted = uids.to_vec();
    sorted.sort_unstable();
    sorted.dedup();
    let mut set = String::new();
    let mut runs = sorted.chunk_by(|a, b| a + 1 == *b).peekable();
    while let Some(run) = runs.next() {
        match run {
            [one] => set.push_str(&one.to_string()),
            [first, .., last] => set.push_str(&format!("{first}:{last}")),
            [] => {}
        }
        if runs.peek().is_some() {
            set.push(',');
        }
    }
    set
}

async fn within<T>(
    time: Duration,
    work: impl Future<Output = Result<T, ImapError>>,
) -> Result<T, RetrievalProblem> {
    match timeout(time, work).await {
        Ok(done) => done.map_err(|error| problem(&error)),
        Err(_) => Err(RetrievalProblem::Timeout),
    }
}

fn problem(error: &ImapError) -> RetrievalProblem {
    match error {
        ImapError::No(_) | ImapError::Bad(_) | ImapError::Validate(_) | ImapError::Append => {
            RetrievalProblem::Refused
        }
        ImapError::Io(error) if error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>()) => {
            RetrievalProblem::TlsFailed
        }
        // The library's own words for what it cannot read, and ours for more than was asked for.
        ImapError::Io(error) if error.kind() == io::ErrorKind::Other => RetrievalProblem::NotImap,
        ImapError::Io(_) | ImapError::ConnectionLost => RetrievalProblem::LineDropped,
        // What was sent is no IMAP.
        _ => RetrievalProblem::NotImap,
    }
}

const fn of_outbound(error: &OutboundError) -> RetrievalProblem {
    match error {
        OutboundError::NotRegistered | OutboundError::NotPublic => RetrievalProblem::HostNotAllowed,
        OutboundError::Resolve(_) | OutboundError::Connect(_) => RetrievalProblem::ConnectionFailed,
        OutboundError::TimedOut => RetrievalProblem::Timeout,
    }
}

/// A connection in clear or under TLS.
#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<TlsStream<TcpStream>>),
}

/// A connection on which no more may come than was allowed for: the library holds an answer in memory until
/// it is whole, up to half a gigabyte.
#[derive(Debug)]
struct Bounded {
    inner: Stream,
    left: u64,
}

impl Bounded {
    const fn new(inner: Stream) -> Self {
        Self { inner, left: ANSWER_OCTETS }
    }

    const fn allow(&mut self, octets: u64) {
        self.left = octets;
    }
}

impl AsyncRead for Bounded {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buf.filled().len();
        ready!(match &mut self.inner {
            Stream::Plain(tcp) => Pin::new(tcp).poll_read(cx, buf),
            Stream::Tls(tls) => Pin::new(tls).poll_read(cx, buf),
        })?;
        let came = (buf.filled().len() - before) as u64;
        match self.left.checked_sub(came) {
            Some(left) => {
                self.left = left;
                Poll::Ready(Ok(()))
            }
            None => Poll::Ready(Err(io::Error::other("more came than was asked for"))),
        }
    }
}

impl AsyncWrite for Bounded {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        match &mut self.inner {
            Stream::Plain(tcp) => Pin::new(tcp).poll_write(cx, buf),
            Stream::Tls(tls) => Pin::new(tls).poll_write(cx, buf),
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Stream::Plain(tcp) => Pin::new(tcp).poll_flush(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_flush(cx),
        }
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        match &mut self.inner {
            Stream::Plain(tcp) => Pin::new(tcp).poll_shutdown(cx),
            Stream::Tls(tls) => Pin::new(tls).poll_shutdown(cx),
        }
    }
}

#[cfg(test)]
#[path = "imap_tests.rs"]
mod tests;
