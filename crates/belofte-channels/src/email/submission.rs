// SPDX-License-Identifier: EUPL-1.2
//! Hands an answer to the tenant's mail server: the sockets under [`super::submission_dialogue`].

use std::io;
use std::sync::Arc;
use std::time::Duration;

use belofte_model::EmailAddress;
use bytes::BytesMut;
use rustls_pki_types::ServerName;
use tokio::time::{Instant, timeout_at};
use tokio_rustls::TlsConnector;

use super::line::Line;
use super::reply::{Reply, ReplyReader};
use super::submission_dialogue::{Dialogue, Errand, Failure, Move, stuffed};
use crate::outbound::{ConnectPurpose, Outbound, RecipientClass};
use crate::patience::moment;

pub use super::submission_dialogue::{Credentials, Security};
pub use super::submission_outcome::{DeliveryCode, Outcome, Step, StepResult};

/// The server that a tenant named for its outgoing mail. Holds a password: no Debug output.
#[derive(Clone)]
pub struct SubmissionServer {
    /// A host name or an address.
    pub host: String,
    /// Whether it stands in its tenant's register of recipients: mail goes to no other.
    pub recorded: bool,
    /// The port: 465 or 587 as a rule.
    pub port: u16,
    /// How the line is secured.
    pub security: Security,
    /// User name and password, when the server wants them.
    pub credentials: Option<Credentials>,
}

/// How long each step may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Resolving and connecting.
    pub connect: Duration,
    /// A handshake, and the reply to each command.
    pub reply: Duration,
    /// Sending each 64 KiB of the message (RFC 5321, section 4.5.3.2.5).
    pub text: Duration,
    /// The reply to the whole message (10 minutes by RFC 5321, section 4.5.3.2.6: a server
    /// that needs longer to say 250 than we wait makes duplicates or unknowns).
    pub acceptance: Duration,
    /// The whole submission. Must stay below the lease of the job that sends, or a second worker
    /// begins while the first one still sends.
    pub total: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(30),
            reply: Duration::from_secs(60),
            text: Duration::from_secs(180),
            acceptance: Duration::from_secs(600),
            total: Duration::from_secs(1_140),
        }
    }
}

/// The client for submission.
#[derive(Clone)]
pub struct Submission {
    outbound: Outbound,
    tls: Arc<rustls::ClientConfig>,
    hello: String,
    patience: Patience,
}

/// The text is sent in pieces of this size, each with its own time-out.
const PIECE: usize = 64 * 1024;

impl Submission {
    /// A client that connects through `outbound`, judges certificates by `tls` (see
    /// [`super::client_tls`]) and names itself `hello`, this server's host name.
    #[must_use]
    pub fn new(outbound: Outbound, tls: Arc<rustls::ClientConfig>, hello: &str, patience: Patience) -> Self {
        Self { outbound, tls, hello: hello.to_owned(), patience }
    }

    /// Hands in `message` (RFC 5322, any line ends) from `from` for `recipients`. The outcome of
    /// each recipient, in order; recipients that the server refuses do not hold back the others.
    /// Reports of failure and delay are asked for under the envelope's `id` (RFC 3461).
    pub async fn send(
        &self,
        server: &SubmissionServer,
        from: &EmailAddress,
        recipients: &[EmailAddress],
        id: &str,
        message: &[u8],
    ) -> Vec<Outcome> {
        let text = stuffed(message);
        let errand = Errand::Message { recipients, octets: text.len(), eight_bit: !text.is_ascii(), id };
        let mut dialogue =
            Dialogue::new(errand, from, server.security, server.credentials.as_ref(), &self.hello);
        let until = moment() + self.patience.total;
        let class = RecipientClass::ChosenByTenant { recorded: server.recorded };
        let patience = self.patience.connect;
        let connecting =
            self.outbound.connect(&class, ConnectPurpose::Submission, &server.host, server.port, patience);
        match connecting.await {
            Ok(tcp) => Talk::new(self, server, Line::Plain(tcp), until).hold(&mut dialogue, &text).await,
            Err(error) => {
                let code = DeliveryCode::of_outbound(&error);
                let outcome = match code {
                    // Only a change of settings helps: say so at once.
                    DeliveryCode::HostNotAllowed => Outcome::Failed { code, reply: None },
                    _ => Outcome::Retry { code, reply: None },
                };
                return vec![outcome; recipients.len()];
            }
        }
        dialogue.outcomes()
    }

    /// Tries all that can be tried without sending mail: the steps in the order in which they
    /// were taken, up to the first that failed.
    pub async fn test(&self, server: &SubmissionServer, from: &EmailAddress) -> Vec<StepResult> {
        // The admin has just named it; it gets nothing but a greeting and their own password.
        let class = RecipientClass::ChosenByTenant { recorded: true };
        let purpose = ConnectPurpose::SubmissionTest;
        let until = moment() + self.patience.total;
        let done = |step, failed| StepResult { step, failed, reply: None };
        let patience = self.patience.connect;
        let checked = match self.outbound.check(&class, purpose, &server.host, server.port, patience).await {
            Ok(checked) => checked,
            Err(error) => return vec![done(Step::Resolve, Some(DeliveryCode::of_outbound(&error)))],
        };
        let mut steps = vec![done(Step::Resolve, None)];
        match self.outbound.open(&checked, patience).await {
            Err(error) => steps.push(done(Step::Connect, Some(DeliveryCode::of_outbound(&error)))),
            Ok(tcp) => {
                steps.push(done(Step::Connect, None));
                let credentials = server.credentials.as_ref();
                let mut dialogue =
                    Dialogue::new(Errand::Test, from, server.security, credentials, &self.hello);
                Talk::new(self, server, Line::Plain(tcp), until).hold(&mut dialogue, b"").await;
                steps.extend(dialogue.steps());
            }
        }
        steps
    }
}

/// One connection while it is talked over.
struct Talk<'a> {
    client: &'a Submission,
    server: &'a SubmissionServer,
    line: Line,
    reader: ReplyReader,
    buffer: BytesMut,
    until: Instant,
}

impl<'a> Talk<'a> {
    fn new(client: &'a Submission, server: &'a SubmissionServer, line: Line, until: Instant) -> Self {
        Self { client, server, line, reader: ReplyReader::default(), buffer: BytesMut::new(), until }
    }

    /// Leads `dialogue` to its end and takes leave.
    async fn hold(mut self, dialogue: &mut Dialogue<'_>, text: &[u8]) {
        let mut next = dialogue.connected();
        loop {
            let came = match next {
                Move::Leave => return self.take_leave().await,
                Move::Await => self.reply(dialogue.awaits_acceptance()).await,
                Move::Send(bytes) => match self.send(&bytes, self.client.patience.reply).await {
                    Ok(()) => self.reply(false).await,
                    Err(failure) => Err(failure),
                },
                Move::SendText => match self.send_text(text).await {
                    Ok(None) => {
                        dialogue.text_sent();
                        self.end_text(dialogue).await
                    }
                    Ok(Some(reply)) => Ok(reply),
                    Err(failure) => Err(failure),
                },
                Move::ShakeHands => {
                    match self.shake_hands().await {
                        Ok(secured) => {
                            self = secured;
                            next = dialogue.tls_made();
                        }
                        Err(failure) => return dialogue.failed(failure),
                    }
                    continue;
                }
            };
            match came {
                Ok(reply) => next = dialogue.on_reply(reply),
                Err(failure) => return dialogue.failed(failure),
            }
        }
    }

    fn deadline(&self, patience: Duration) -> Instant {
        self.until.min(moment() + patience)
    }

    async fn send(&mut self, bytes: &[u8], patience: Duration) -> Result<(), Failure> {
        let deadline = self.deadline(patience);
        match timeout_at(deadline, self.line.send(bytes)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(failure(&error)),
            Err(_) => Err(Failure::TimedOut),
        }
    }

    /// Sends the text; `Some` is a reply that came although none was due: a refusal mid-way.
    async fn send_text(&mut self, text: &[u8]) -> Result<Option<Reply>, Failure> {
        for piece in text.chunks(PIECE) {
            if let Err(failure) = self.send(piece, self.client.patience.text).await {
                return self.last_word(failure).await.map(Some);
            }
        }
        Ok(None)
    }

    /// Sends the final dot. Whatever goes wrong from here on without a reply leaves the outcome
    /// unknown.
    async fn end_text(&mut self, dialogue: &Dialogue<'_>) -> Result<Reply, Failure> {
        match self.send(b".\r\n", self.client.patience.text).await {
            Ok(()) => self.reply(dialogue.awaits_acceptance()).await,
            Err(failure) => self.last_word(failure).await,
        }
    }

    /// A server that has seen enough may refuse and close while we still send: its words can
    /// lie in our buffer although sending failed.
    async fn last_word(&mut self, failure: Failure) -> Result<Reply, Failure> {
        self.until = self.until.min(moment() + Duration::from_secs(2));
        self.reply(false).await.map_err(|_| failure)
    }

    async fn reply(&mut self, acceptance: bool) -> Result<Reply, Failure> {
        let patience = &self.client.patience;
        let deadline = self.deadline(if acceptance { patience.acceptance } else { patience.reply });
        loop {
            match self.reader.take() {
                Ok(Some(reply)) => return Ok(reply),
                Ok(None) => {}
                Err(_) => return Err(Failure::NoMailServer),
            }
            self.buffer.clear();
            match timeout_at(deadline, self.line.read(&mut self.buffer)).await {
                Ok(Ok(0)) => return Err(Failure::Dropped),
                Ok(Ok(_)) => self.reader.push(&self.buffer),
                Ok(Err(error)) => return Err(failure(&error)),
                Err(_) => return Err(Failure::TimedOut),
            }
        }
    }

    async fn shake_hands(mut self) -> Result<Self, Failure> {
        // Words in clear behind the answer to STARTTLS would count as said under TLS.
        if !self.reader.is_empty() {
            return Err(Failure::Tls);
        }
        let Line::Plain(tcp) = self.line else { return Err(Failure::Tls) };
        let host = self.server.host.trim_end_matches('.').trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(|_| Failure::Tls)?;
        let deadline = self.until.min(moment() + self.client.patience.reply);
        let handshake = TlsConnector::from(Arc::clone(&self.client.tls)).connect(name, tcp);
        match timeout_at(deadline, handshake).await {
            Ok(Ok(tls)) => {
                self.line = Line::Tls(Box::new(tls.into()));
                Ok(self)
            }
            Ok(Err(_)) => Err(Failure::Tls),
            Err(_) => Err(Failure::TimedOut),
        }
    }

    /// Says goodbye; what comes of it does not matter, since the outcome stands.
    async fn take_leave(mut self) {
        let short = Duration::from_secs(2);
        if self.send(b"QUIT\r\n", short).await.is_ok() {
            self.until = moment() + short;
            let _ = self.reply(false).await;
            let _ = timeout_at(self.until, self.line.finish()).await;
        }
    }
}

/// A certificate that is not the server's own shows in the first write or read after a TLS 1.3
/// handshake, too.
fn failure(error: &io::Error) -> Failure {
    let tls = error.get_ref().is_some_and(|inner| inner.is::<rustls::Error>());
    if tls { Failure::Tls } else { Failure::Dropped }
}

#[cfg(test)]
#[path = "submission_tests.rs"]
mod tests;
