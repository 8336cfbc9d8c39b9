// SPDX-License-Identifier: EUPL-1.2
//! One SMTP or LMTP session as the server sees it, without a socket: bytes and time go in,
//! replies and requests to the driver come out.
//!
//! The driver calls [`Session::advance`] until it returns [`Step::Read`]; then it sends
//! [`Session::take_output`] and gives the bytes that come to [`Session::receive`]. Every other
//! step asks the driver for one thing and is answered by one call. Time is a span since any
//! fixed moment that never goes back, so that setting the clock of the machine ends no session.
//!
//! RFC 5321 (SMTP), 2033 (LMTP), 3207 (STARTTLS), 1870 (SIZE), 6152 (8BITMIME), 2920
//! (PIPELINING), 3030 (CHUNKING), 6531 (SMTPUTF8), 2034 and 3463 (enhanced status codes).
//! Nothing is ever relayed: a recipient is an account of ours or unknown.

use std::sync::Arc;
use std::time::Duration;

use belofte_model::EmailAddress;
use bytes::Bytes;
use memchr::memchr;

use super::command::{self, Command, Mail, Path, Refusal};
use super::intake::ReceiveError;
use super::message_body::{BodyFault, MessageBody, Progress, Reservation};

pub use super::message_body::ByteBudget;

/// Which of the two protocols a listener speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Protocol {
    /// One reply for a message, whatever the number of recipients (RFC 5321).
    Smtp,
    /// One reply for each recipient, for a mail server of one's own in front (RFC 2033).
    Lmtp,
}

/// What a session keeps to.
#[derive(Clone, Debug)]
pub struct SessionSettings {
    /// SMTP or LMTP.
    pub protocol: Protocol,
    /// The name this server gives itself.
    pub hostname: String,
    /// Whether STARTTLS is offered.
    pub starttls: bool,
    /// The account that takes mail for the postmaster of this host, which every server must take (RFC
    /// 5321, section 4.5.1), unless `postmaster@` its name is an account itself.
    pub postmaster: Option<EmailAddress>,
    /// The largest message, in octets.
    pub max_message: usize,
    /// The most recipients of a message (at least 100 by RFC 5321, section 4.5.3.1.8).
    pub max_recipients: usize,
    /// The most messages of a session.
    pub max_messages: usize,
    /// After so many refused commands the session ends.
    pub max_errors: usize,
    /// How long to wait for a command (5 minutes by RFC 5321, section 4.5.3.2.7).
    pub command_timeout: Duration,
    /// How long to wait for more of a message.
    pub data_timeout: Duration,
    /// How long a session may last in all.
    pub session_limit: Duration,
}

impl SessionSettings {
    /// The usual limits for a server of this name: 50 MiB, 100 recipients, 1,000 messages, 20
    /// errors, 5 and 10 minutes of silence, an hour in all; STARTTLS offered; nobody is postmaster.
    #[must_use]
    pub fn new(protocol: Protocol, hostname: &str) -> Self {
        Self {
            protocol,
            hostname: hostname.to_owned(),
            starttls: true,
            postmaster: None,
            max_message: 50 * 1024 * 1024,
            max_recipients: 100,
            max_messages: 1_000,
            max_errors: 20,
            command_timeout: Duration::from_secs(300),
            data_timeout: Duration::from_secs(600),
            session_limit: Duration::from_secs(3_600),
        }
    }
}

/// A command line may be so long, CRLF included. RFC 5321 asks for 512 and more for extensions.
const MAX_LINE: usize = 1_000;

/// Commands that bring no message nearer (NOOP, RSET, HELP, VRFY, repeated EHLO) are free up to
/// this number between two messages; each further one counts as an error.
const MAX_IDLE_COMMANDS: usize = 100;

/// What the driver must do next. Carries personal values and has no Debug output. `A` is the driver's name for an account.
pub enum Step<A> {
    /// Send the output; read and hand over more.
    Read,
    /// Say by [`Session::admitted`] whether this client may send another message now.
    Admit,
    /// Look this address up and say by [`Session::resolved`] whose it is.
    Resolve(EmailAddress),
    /// Store the message for each account and say by [`Session::delivered`] what came of it.
    Deliver(Handover<A>),
    /// Send the output, shake hands, and call [`Session::tls_started`].
    StartTls,
    /// Send the output and close.
    Close,
}

/// What a look-up of a recipient found.
#[derive(Debug)]
pub enum Resolution<A> {
    /// An account that takes mail.
    Known(A),
    /// An account that is paused: the sender shall keep the mail.
    Paused,
    /// No account.
    Unknown,
    /// The account had too many messages in a short time.
    Busy,
    /// The client named too many recipients in a short time.
    TooMany,
    /// It cannot be told at the moment.
    TryLater,
}

/// A received message on its way to the accounts.
pub struct Handover<A> {
    /// The reverse path; `None` for bounces.
    pub mail_from: Option<EmailAddress>,
    /// The name the client gave itself.
    pub helo: String,
    /// TLS version and cipher suite, when there is TLS.
    pub tls: Option<String>,
    /// Each account once, with the recipient as given, detail included.
    pub targets: Vec<(A, EmailAddress)>,
    /// The message as it came, without dot-stuffing.
    pub text: Bytes,
}

struct Target<A> {
    account: A,
    /// The address that was found, in the form for comparison.
    key: String,
    /// The recipient as given.
    recipient: EmailAddress,
}

struct Transaction<A> {
    mail: Mail,
    targets: Vec<Target<A>>,
    /// For each accepted RCPT, in order, the index of its target.
    accepted: Vec<usize>,
    /// What came by BDAT so far.
    chunks: Option<MessageBody>,
}

enum Stage {
    Command,
    Admitting(Mail),
    Resolving { given: EmailAddress, asked: EmailAddress },
    Data(MessageBody),
    Chunk { left: u64, last: bool, refused: bool },
    Delivering(Reservation),
    StartingTls,
    Closed,
}

/// The state of one session. Holds personal values and has no Debug output.
pub struct Session<A> {
    settings: Arc<SessionSettings>,
    budget: ByteBudget,
    stage: Stage,
    input: Vec<u8>,
    used: usize,
    /// Octets of `input` behind `used` that are known to hold no line feed.
    scanned: usize,
    overlong: bool,
    output: Vec<u8>,
    tls: Option<String>,
    helo: Option<String>,
    transaction: Option<Transaction<A>>,
    errors: usize,
    idle_commands: usize,
    messages: usize,
    started: Duration,
    heard: Duration,
}

impl<A: Clone> Session<A> {
    /// A session that begins at `now`; `tls` describes the TLS that is there from the start.
    #[must_use]
    pub fn new(
        settings: Arc<SessionSettings>,
        budget: ByteBudget,
        tls: Option<String>,
        now: Duration,
    ) -> Self {
        Self {
            settings,
            budget,
            stage: Stage::Command,
            input: Vec::new(),
            used: 0,
            scanned: 0,
            overlong: false,
            output: Vec::new(),
            tls,
            helo: None,
            transaction: None,
            errors: 0,
            idle_commands: 0,
            messages: 0,
            started: now,
            heard: now,
        }
    }

    /// Writes the greeting.
    pub fn greet(&mut self) {
        let protocol = self.protocol_name();
        let greeting = format!("220 {} {protocol} Belofte\r\n", self.settings.hostname);
        self.output.extend_from_slice(greeting.as_bytes());
    }

    /// Takes what came from the client at `now`.
    pub fn receive(&mut self, bytes: &[u8], now: Duration) {
        self.heard = now;
        if self.used > 0 {
            self.input.drain(..self.used);
            self.used = 0;
        }
        self.input.extend_from_slice(bytes);
    }

    /// The replies to send; empty afterwards.
    pub fn take_output(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.output)
    }

    /// When the session ends unless something comes.
    #[must_use]
    pub fn deadline(&self) -> Duration {
        let patience = match self.stage {
            Stage::Data(_) | Stage::Chunk { .. } => self.settings.data_timeout,
            _ => self.settings.command_timeout,
        };
        (self.heard + patience).min(self.started + self.settings.session_limit)
    }

    /// Ends the session because its deadline has passed.
    pub fn time_out(&mut self) {
        self.close_with("421 4.4.2 timed out, closing");
    }

    /// Whether no message is under way, so that a shutdown may end the session.
    #[must_use]
    pub fn is_quiet(&self) -> bool {
        matches!(self.stage, Stage::Command) && self.transaction.is_none() && self.used == self.input.len()
    }

    /// Ends the session because the server goes down.
    pub fn shut_down(&mut self) {
        self.close_with("421 4.3.2 server is going down, closing");
    }

    /// Ends the session because the server or this client has too many of them.
    pub fn too_many(&mut self) {
        self.close_with("421 4.7.0 too many connections, try again later");
    }

    /// Works on what has come until the driver has something to do.
    pub fn advance(&mut self) -> Step<A> {
        loop {
            let step = match &self.stage {
                Stage::Closed => Some(Step::Close),
                Stage::StartingTls => Some(Step::StartTls),
                Stage::Admitting(_) => Some(Step::Admit),
                Stage::Resolving { asked, .. } => Some(Step::Resolve(asked.clone())),
                Stage::Command => self.command_line(),
                Stage::Data(_) => self.data(),
                Stage::Chunk { .. } => self.chunk(),
                // The driver has been asked and has not answered: nothing moves until it does.
                Stage::Delivering(_) => Some(Step::Read),
            };
            if let Some(step) = step {
                return step;
            }
        }
    }

    /// Answers [`Step::Admit`].
    pub fn admitted(&mut self, may: bool) {
        let Stage::Admitting(mail) = std::mem::replace(&mut self.stage, Stage::Command) else { return };
        if may {
            self.transaction = Some(Transaction { mail, targets: vec![], accepted: vec![], chunks: None });
            self.reply("250 2.1.0 sender noted");
        } else {
            self.reply("450 4.7.1 too many messages from your address, try again later");
        }
    }

    /// Answers [`Step::Resolve`].
    pub fn resolved(&mut self, resolution: Resolution<A>) {
        let Stage::Resolving { given, asked } = std::mem::replace(&mut self.stage, Stage::Command) else {
            return;
        };
        match resolution {
            Resolution::Known(account) => self.accept(account, given, &asked),
            Resolution::Paused => self.reply("450 4.2.1 mailbox is paused, try again later"),
            Resolution::Busy => self.reply("450 4.7.1 mailbox gets mail too fast, try again later"),
            Resolution::TooMany => {
                self.reply("450 4.7.1 too many recipients from your address, try again later");
            }
            Resolution::TryLater => self.reply("451 4.3.0 mailbox cannot be looked up now, try again later"),
            Resolution::Unknown => match (asked.split_detail(), self.settings.postmaster.clone()) {
                (_, Some(other)) if self.is_postmaster(&asked) => {
                    self.stage = Stage::Resolving { given, asked: other };
                }
                // An account may have a plus in its own address; only when it has not is what
                // stands behind the plus a detail (RFC 5233) of the account before it.
                ((base, Some(_)), _) if asked == given => {
                    self.stage = Stage::Resolving { given, asked: base }
                }
                _ => self.refuse("550 5.1.1 no such mailbox here"),
            },
        }
    }

    /// Whether `address` is the postmaster of this host, by name.
    fn is_postmaster(&self, address: &EmailAddress) -> bool {
        address.normalised() == format!("postmaster@{}", self.settings.hostname.to_lowercase())
            && self.settings.postmaster.as_ref() != Some(address)
    }

    /// Answers [`Step::Deliver`]: one result for each target, in order.
    ///
    /// SMTP has one reply for all targets. If one of them could not store the message for the
    /// moment, the reply is temporary although others have stored it: the client then sends it
    /// again for all, and the intake recognises the second copy by Message-ID or content, per
    /// account. A message twice for a moment is mended; a message lost is not.
    pub fn delivered(&mut self, results: &[Result<(), ReceiveError>]) {
        let Stage::Delivering(reservation) = std::mem::replace(&mut self.stage, Stage::Command) else {
            return;
        };
        drop(reservation);
        self.messages += 1;
        let accepted = self.transaction.take().map(|transaction| transaction.accepted).unwrap_or_default();
        let line = |result: Option<&Result<(), ReceiveError>>| match result {
            Some(Ok(())) => "250 2.0.0 stored",
            Some(Err(ReceiveError::Full)) => "452 4.3.1 no room, try again later",
            Some(Err(ReceiveError::TooLarge)) => "552 5.3.4 message is too large",
            Some(Err(ReceiveError::Busy)) | None => "451 4.3.0 not stored, try again later",
        };
        match self.settings.protocol {
            Protocol::Lmtp => {
                for target in accepted {
                    self.reply(line(results.get(target)));
                }
            }
            Protocol::Smtp => {
                let rank = |result: &&Result<(), ReceiveError>| match result {
                    Ok(()) => 0,
                    Err(ReceiveError::TooLarge) => 1,
                    Err(ReceiveError::Full) => 2,
                    Err(ReceiveError::Busy) => 3,
                };
                self.reply(line(results.iter().max_by_key(rank)));
            }
        }
    }

    /// Answers [`Step::StartTls`] after the handshake: the session begins anew, knowing nothing
    /// of what was said in clear (RFC 3207, section 4.2).
    pub fn tls_started(&mut self, description: String, now: Duration) {
        self.tls = Some(description);
        self.helo = None;
        self.transaction = None;
        self.input.clear();
        (self.used, self.scanned, self.overlong) = (0, 0, false);
        self.heard = now;
        self.stage = Stage::Command;
    }

    fn protocol_name(&self) -> &'static str {
        match self.settings.protocol {
            Protocol::Smtp => "ESMTP",
            Protocol::Lmtp => "LMTP",
        }
    }

    fn reply(&mut self, line: &str) {
        self.output.extend_from_slice(line.as_bytes());
        self.output.extend_from_slice(b"\r\n");
    }

    fn refuse(&mut self, line: &str) {
        self.reply(line);
        self.errors += 1;
        if self.errors >= self.settings.max_errors {
            self.close_with("421 4.7.0 too many errors, closing");
        }
    }

    fn close_with(&mut self, line: &str) {
        self.reply(line);
        self.stage = Stage::Closed;
        self.transaction = None;
    }

    /// Takes one line from the input and carries it out; asks for more when there is none.
    fn command_line(&mut self) -> Option<Step<A>> {
        let waiting = &self.input[self.used..];
        let Some(end) = memchr(b'\n', &waiting[self.scanned..]).map(|found| self.scanned + found) else {
            self.scanned = waiting.len();
            if waiting.len() > MAX_LINE {
                // What is sure to be too long need not be kept.
                (self.overlong, self.used, self.scanned) = (true, self.input.len(), 0);
            }
            return Some(Step::Read);
        };
        let line = &waiting[..=end];
        let overlong = std::mem::take(&mut self.overlong) || line.len() > MAX_LINE;
        let command = match line.strip_suffix(b"\r\n") {
            Some(inner) if !overlong && !inner.contains(&b'\r') => {
                let smtputf8 = self.transaction.as_ref().is_some_and(|under_way| under_way.mail.smtputf8);
                Some((command::parse(inner, smtputf8), starts_with_bdat(inner)))
            }
            _ => None,
        };
        self.used += end + 1;
        self.scanned = 0;
        match command {
            None if overlong => self.refuse("500 5.5.2 line too long"),
            None => self.refuse("500 5.5.2 a command ends in CRLF, which stands nowhere else in it"),
            Some((Ok(command), _)) => self.carry_out(command),
            // Without its size a chunk cannot be told from commands.
            Some((Err(_), true)) => self.close_with("501 5.5.4 BDAT is followed by a number, closing"),
            Some((Err(refusal), false)) => self.not_understood(refusal),
        }
        None
    }

    fn not_understood(&mut self, refusal: Refusal) {
        match refusal {
            Refusal::Unknown => self.refuse("500 5.5.1 command not known"),
            Refusal::NotOffered => self.refuse("502 5.5.1 command not offered"),
            Refusal::Syntax => self.refuse("501 5.5.4 arguments not understood"),
            Refusal::Parameter => self.refuse("555 5.5.4 parameter not known"),
            Refusal::BadSender => self.refuse("501 5.1.7 sender is not an address"),
            Refusal::BadRecipient => self.refuse("501 5.1.3 recipient is not an address"),
            Refusal::NeedsSmtpUtf8 => self.refuse("553 5.6.7 such an address needs SMTPUTF8"),
            Refusal::OtherProtocol => self.close_with("421 5.7.0 this is a mail server, closing"),
        }
    }

    fn carry_out(&mut self, command: Command) {
        match (command, self.settings.protocol) {
            (Command::Helo(name), Protocol::Smtp) => self.hello(name, false),
            (Command::Ehlo(name), Protocol::Smtp) | (Command::Lhlo(name), Protocol::Lmtp) => {
                self.hello(name, true);
            }
            (Command::Helo(_) | Command::Ehlo(_), Protocol::Lmtp) => {
                self.refuse("500 5.5.1 this is LMTP: LHLO")
            }
            (Command::Lhlo(_), Protocol::Smtp) => self.refuse("500 5.5.1 this is SMTP: EHLO"),
            (Command::Mail(mail), _) => self.mail(mail),
            (Command::Rcpt(path), _) => self.rcpt(path),
            (Command::Data, _) => self.begin_data(),
            (Command::Bdat { octets, last }, _) => self.begin_chunk(octets, last),
            (Command::StartTls, _) => self.start_tls(),
            (Command::Rset, _) => {
                self.transaction = None;
                self.idle("250 2.0.0 forgotten");
            }
            (Command::Noop, _) => self.idle("250 2.0.0 still here"),
            (Command::Help, _) => self.idle("214 2.0.0 see RFC 5321"),
            (Command::Vrfy, _) => self.idle("252 2.1.5 send a message to find out"),
            (Command::Quit, _) => self.close_with("221 2.0.0 goodbye"),
        }
    }

    fn idle(&mut self, line: &str) {
        self.idle_commands += 1;
        if self.idle_commands > MAX_IDLE_COMMANDS { self.refuse(line) } else { self.reply(line) }
    }

    fn hello(&mut self, name: String, extended: bool) {
        // A greeting in the middle of a transaction resets it (RFC 5321, section 4.1.4).
        self.transaction = None;
        self.helo = Some(name);
        if !extended {
            let line = format!("250 {}", self.settings.hostname);
            return self.idle(&line);
        }
        let starttls = if self.settings.starttls && self.tls.is_none() { "250-STARTTLS\r\n" } else { "" };
        let line = format!(
            "250-{}\r\n250-PIPELINING\r\n250-SIZE {}\r\n{starttls}250-8BITMIME\r\n250-ENHANCEDSTATUSCODES\r\n\
             250-SMTPUTF8\r\n250 CHUNKING",
            self.settings.hostname, self.settings.max_message
        );
        self.idle(&line);
    }

    fn mail(&mut self, mail: Mail) {
        if self.helo.is_none() {
            self.refuse("503 5.5.1 say hello first");
        } else if self.transaction.is_some() {
            self.refuse("503 5.5.1 a message is under way");
        } else if mail.size.is_some_and(|size| size > self.settings.max_message as u64) {
            self.refuse("552 5.3.4 message is too large");
        } else if self.messages >= self.settings.max_messages {
            self.close_with("421 4.7.0 enough messages in one session, connect again");
        } else {
            self.idle_commands = 0;
            self.stage = Stage::Admitting(mail);
        }
    }

    fn rcpt(&mut self, path: Path) {
        let Some(transaction) = &self.transaction else {
            return self.refuse("503 5.5.1 MAIL comes first");
        };
        if transaction.chunks.is_some() {
            self.refuse("503 5.5.1 recipients come before the text");
        } else if transaction.accepted.len() >= self.settings.max_recipients {
            self.reply("452 4.5.3 too many recipients, send the message again for the others");
        } else {
            let given = match path {
                Path::Address(address) => address,
                Path::Postmaster => {
                    match EmailAddress::parse(&format!("postmaster@{}", self.settings.hostname)) {
                        Ok(address) => address,
                        Err(_) => return self.refuse("550 5.1.1 no such mailbox here"),
                    }
                }
            };
            self.stage = Stage::Resolving { asked: given.clone(), given };
        }
    }

    fn accept(&mut self, account: A, given: EmailAddress, found: &EmailAddress) {
        let Some(transaction) = &mut self.transaction else { return };
        let key = found.normalised();
        let known = transaction.targets.iter().position(|target| target.key == key);
        let target = known.unwrap_or(transaction.targets.len());
        match known.and_then(|at| transaction.targets.get_mut(at)) {
            // One account gets one copy; a detail says more than none.
            Some(same) if same.recipient.normalised() == key => same.recipient = given,
            Some(_) => {}
            None => transaction.targets.push(Target { account, key, recipient: given }),
        }
        transaction.accepted.push(target);
        self.reply("250 2.1.5 recipient noted");
    }

    fn begin_data(&mut self) {
        match &self.transaction {
            None => self.refuse("503 5.5.1 MAIL comes first"),
            Some(Transaction { chunks: Some(_), .. }) => {
                self.refuse("503 5.5.1 BDAT was used, go on with it")
            }
            Some(under_way) if under_way.accepted.is_empty() => self.refuse(self.no_recipients()),
            Some(_) => {
                self.reply("354 go on, end with a dot on a line of its own");
                self.stage = Stage::Data(self.new_body());
            }
        }
    }

    fn no_recipients(&self) -> &'static str {
        match self.settings.protocol {
            Protocol::Smtp => "554 5.5.1 no valid recipients",
            // RFC 2033, section 4.2.
            Protocol::Lmtp => "503 5.5.1 no valid recipients",
        }
    }

    fn new_body(&self) -> MessageBody {
        MessageBody::new(self.settings.max_message, self.budget.clone())
    }

    fn data(&mut self) -> Option<Step<A>> {
        let Stage::Data(body) = &mut self.stage else { return Some(Step::Read) };
        if self.used == self.input.len() {
            return Some(Step::Read);
        }
        match body.dotted(&self.input[self.used..]) {
            Progress::More => {
                self.used = self.input.len();
                Some(Step::Read)
            }
            Progress::Abandon => {
                let body = std::mem::replace(&mut self.stage, Stage::Closed);
                if let Stage::Data(body) = body {
                    let line =
                        body.finish().err().map_or("451 4.3.0 not stored, try again later", fault_line);
                    self.close_with(line);
                }
                None
            }
            Progress::Ended(used) => {
                self.used += used;
                match std::mem::replace(&mut self.stage, Stage::Command) {
                    Stage::Data(body) => self.text_ended(body),
                    _ => None,
                }
            }
        }
    }

    fn begin_chunk(&mut self, octets: u64, last: bool) {
        if octets > (self.settings.max_message as u64).saturating_mul(2).saturating_add(1024 * 1024) {
            return self.close_with("552 5.3.4 message is far too large, closing");
        }
        // The octets of a refused chunk must still be read past.
        let refused = match &mut self.transaction {
            Some(transaction) if !transaction.accepted.is_empty() => {
                if transaction.chunks.is_none() {
                    transaction.chunks =
                        Some(MessageBody::new(self.settings.max_message, self.budget.clone()));
                }
                false
            }
            _ => true,
        };
        self.stage = Stage::Chunk { left: octets, last, refused };
    }

    fn chunk(&mut self) -> Option<Step<A>> {
        let Stage::Chunk { left, last, refused } = &mut self.stage else { return Some(Step::Read) };
        let waiting = &self.input[self.used..];
        let here = usize::try_from(*left).unwrap_or(usize::MAX).min(waiting.len());
        let chunks = self.transaction.as_mut().and_then(|transaction| transaction.chunks.as_mut());
        let mut flood = false;
        if let Some(body) = chunks.filter(|_| !*refused) {
            body.chunk(&waiting[..here]);
            flood = body.is_flood();
        }
        self.used += here;
        *left -= here as u64;
        let (left, last, refused) = (*left, *last, *refused);
        if flood {
            self.close_with("552 5.3.4 message is far too large, closing");
            return None;
        }
        if left > 0 {
            return Some(Step::Read);
        }
        self.stage = Stage::Command;
        if refused {
            let line =
                if self.transaction.is_some() { self.no_recipients() } else { "503 5.5.1 MAIL comes first" };
            self.refuse(line);
            return None;
        }
        let body = self.transaction.as_mut().and_then(|transaction| transaction.chunks.take())?;
        if last {
            return self.text_ended(body);
        }
        match body.fault() {
            None => {
                self.reply("250 2.0.0 chunk noted");
                if let Some(transaction) = &mut self.transaction {
                    transaction.chunks = Some(body);
                }
            }
            Some(fault) => {
                // The chunks that follow are refused for want of a transaction.
                self.transaction = None;
                self.refuse(fault_line(fault));
            }
        }
        None
    }

    /// The whole text is there: hand it over, or say why it is not taken.
    fn text_ended(&mut self, body: MessageBody) -> Option<Step<A>> {
        match body.finish() {
            Ok((text, reservation)) => {
                let transaction = self.transaction.as_ref()?;
                let target = |target: &Target<A>| (target.account.clone(), target.recipient.clone());
                let handover = Handover {
                    mail_from: transaction.mail.from.clone(),
                    helo: self.helo.clone().unwrap_or_default(),
                    tls: self.tls.clone(),
                    targets: transaction.targets.iter().map(target).collect(),
                    text: text.into(),
                };
                self.stage = Stage::Delivering(reservation);
                Some(Step::Deliver(handover))
            }
            Err(fault) => {
                let accepted = self.transaction.take().map_or(1, |transaction| transaction.accepted.len());
                let replies = if self.settings.protocol == Protocol::Lmtp { accepted } else { 1 };
                for _ in 1..replies {
                    self.reply(fault_line(fault));
                }
                // Want of memory is ours; the others are the client's.
                match fault {
                    BodyFault::NoMemory => self.reply(fault_line(fault)),
                    BodyFault::TooLarge | BodyFault::BareNewline => self.refuse(fault_line(fault)),
                }
                None
            }
        }
    }

    fn start_tls(&mut self) {
        if self.tls.is_some() {
            self.refuse("503 5.5.1 TLS is there already");
        } else if !self.settings.starttls {
            self.refuse("502 5.5.1 command not offered");
        } else if self.used < self.input.len() {
            // Commands sent in clear together with STARTTLS would seem to have come under TLS:
            // somebody on the line may have put them there.
            self.input.clear();
            self.used = 0;
            self.close_with("554 5.5.1 nothing may follow STARTTLS before the handshake, closing");
        } else {
            self.reply("220 2.0.0 begin the handshake");
            self.stage = Stage::StartingTls;
        }
    }
}

fn starts_with_bdat(line: &[u8]) -> bool {
    line.get(..4).is_some_and(|verb| verb.eq_ignore_ascii_case(b"BDAT"))
}

const fn fault_line(fault: BodyFault) -> &'static str {
    match fault {
        BodyFault::TooLarge => "552 5.3.4 message is too large",
        BodyFault::NoMemory => "452 4.3.1 too many large messages at once, try again later",
        BodyFault::BareNewline => "550 5.6.0 every line of a message ends in CRLF (RFC 5321, section 2.3.8)",
    }
}

#[cfg(test)]
#[path = "smtp_session_tests.rs"]
mod tests;
