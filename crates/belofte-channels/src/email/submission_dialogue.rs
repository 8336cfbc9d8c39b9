// SPDX-License-Identifier: EUPL-1.2
//! The client's side of a submission, without a socket: replies and failures go in, what to send
//! next comes out, and in the end what became of each recipient.
//!
//! Whatever the server says before MAIL concerns the account's settings and not the message:
//! such a refusal is tried again, so that mail written while a password is wrong goes out once it
//! is right. From MAIL on 5xx is final. Only when the final dot has gone out and no answer comes is
//! the outcome unknown; until then the server cannot have the message.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use belofte_model::EmailAddress;

use super::reply::Reply;
use super::sign_in::{Secret, TokenMechanism};
use super::submission_outcome::{DeliveryCode, Outcome, Step, StepResult};

/// How the line to a submission server is secured.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Security {
    /// TLS from the first byte (RFC 8314).
    Tls,
    /// STARTTLS, without which nothing is sent (RFC 3207).
    StartTls,
    /// No TLS: only what the tenant chose so.
    None,
}

/// Who signs in, and with what. No Debug output.
#[derive(Clone)]
pub struct Credentials {
    /// The user name.
    pub username: String,
    /// The password or the token.
    pub secret: Secret,
}

/// What the dialogue is for.
pub(crate) enum Errand<'a> {
    /// Hand in a message of `octets` that needs 8-bit transport or not. Reports about it are asked
    /// for under `id` (letters, digits and dots; RFC 3461, section 4.4), where the server can.
    Message { recipients: &'a [EmailAddress], octets: usize, eight_bit: bool, id: &'a str },
    /// Go as far as MAIL and leave.
    Test,
}

/// What the driver does next.
pub(crate) enum Move {
    /// Send this and await a reply.
    Send(Vec<u8>),
    /// Send the text of the message; then say so by [`Dialogue::text_sent`], and only then send the
    /// final dot and await a reply.
    SendText,
    /// Shake hands, then call [`Dialogue::tls_made`].
    ShakeHands,
    /// Await a reply.
    Await,
    /// Leave; the outcome stands.
    Leave,
}

/// How a line can fail.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    Dropped,
    TimedOut,
    NoMailServer,
    Tls,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    Greeting,
    Hello,
    StartTls,
    Handshake,
    Authentication(AuthStage),
    Mail,
    Rcpt(usize),
    Data,
    Text,
    Dot,
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AuthStage {
    Plain,
    LoginUser,
    LoginPassword,
    LoginEnd,
    Token(TokenMechanism),
    /// The server explains why it refuses the token, and says so once more.
    TokenRefused,
}

/// What the server offers (EHLO).
#[derive(Default)]
struct Offers {
    starttls: bool,
    eight_bit: bool,
    smtputf8: bool,
    dsn: bool,
    size: Option<u64>,
    plain: bool,
    login: bool,
    xoauth2: bool,
    oauth_bearer: bool,
}

impl Offers {
    fn read(reply: &Reply) -> Self {
        let mut offers = Self::default();
        for line in reply.lines().iter().skip(1) {
            let upper = line.to_ascii_uppercase();
            // Some servers still write AUTH=, as a draft of RFC 2554 had it.
            let mut words = upper.split([' ', '=']);
            match words.next().unwrap_or_default() {
                "STARTTLS" => offers.starttls = true,
                "8BITMIME" => offers.eight_bit = true,
                "SMTPUTF8" => offers.smtputf8 = true,
                "DSN" => offers.dsn = true,
                // SIZE 0 says that there is no fixed limit (RFC 1870, section 4).
                "SIZE" => offers.size = words.next().and_then(|n| n.parse().ok()).filter(|size| *size > 0),
                "AUTH" => {
                    for mechanism in words {
                        offers.plain |= mechanism == "PLAIN";
                        offers.login |= mechanism == "LOGIN";
                        offers.xoauth2 |= mechanism == TokenMechanism::Xoauth2.name();
                        offers.oauth_bearer |= mechanism == TokenMechanism::OauthBearer.name();
                    }
                }
                _ => {}
            }
        }
        offers
    }
}

/// One submission under way. Holds personal values: no Debug output.
pub(crate) struct Dialogue<'a> {
    errand: Errand<'a>,
    from: &'a EmailAddress,
    security: Security,
    credentials: Option<&'a Credentials>,
    hello: &'a str,
    stage: Stage,
    secured: bool,
    offers: Offers,
    outcomes: Vec<Option<Outcome>>,
    steps: Vec<StepResult>,
}

impl<'a> Dialogue<'a> {
    pub(crate) fn new(
        errand: Errand<'a>,
        from: &'a EmailAddress,
        security: Security,
        credentials: Option<&'a Credentials>,
        hello: &'a str,
    ) -> Self {
        let recipients = match &errand {
            Errand::Message { recipients, .. } => recipients.len(),
            Errand::Test => 0,
        };
        Self {
            errand,
            from,
            security,
            credentials,
            hello,
            stage: Stage::Greeting,
            secured: false,
            offers: Offers::default(),
            outcomes: vec![None; recipients],
            steps: vec![],
        }
    }

    /// The first move on a fresh connection.
    pub(crate) fn connected(&mut self) -> Move {
        if self.security == Security::Tls {
            self.stage = Stage::Handshake;
            return Move::ShakeHands;
        }
        Move::Await
    }

    /// The move after the handshake. What the server said in clear is forgotten.
    pub(crate) fn tls_made(&mut self) -> Move {
        self.step(Step::Tls, None, None);
        self.secured = true;
        if self.security == Security::Tls {
            self.stage = Stage::Greeting;
            return Move::Await;
        }
        self.say_hello()
    }

    /// All of the text went out. From here on the server may have the message.
    pub(crate) fn text_sent(&mut self) {
        self.stage = Stage::Dot;
    }

    /// Whether the reply that is awaited is that to the whole message, which may take long.
    pub(crate) fn awaits_acceptance(&self) -> bool {
        self.stage == Stage::Dot
    }

    /// The line failed: settles every recipient that has no outcome.
    pub(crate) fn failed(&mut self, failure: Failure) {
        let code = match failure {
            Failure::Dropped => DeliveryCode::LineDropped,
            Failure::TimedOut => DeliveryCode::Timeout,
            Failure::NoMailServer => DeliveryCode::ConnectionFailed,
            Failure::Tls => DeliveryCode::TlsFailed,
        };
        match self.stage {
            // A malformed answer tells as little about the message as none.
            Stage::Dot => self.settle(&match failure {
                Failure::TimedOut => Outcome::Unknown { code },
                _ => Outcome::Unknown { code: DeliveryCode::LineDropped },
            }),
            Stage::Done => {}
            stage => self.settle(&Outcome::Retry { code: self.name(stage, code, failure), reply: None }),
        }
        let code = self.name(self.stage, code, failure);
        self.step_failed(code, None);
        self.stage = Stage::Done;
    }

    /// During a handshake every failure is one of TLS, except a time-out.
    fn name(&self, stage: Stage, code: DeliveryCode, failure: Failure) -> DeliveryCode {
        let tls = stage == Stage::Handshake && failure != Failure::TimedOut;
        if tls { DeliveryCode::TlsFailed } else { code }
    }

    /// Takes a reply and says what to do next.
    pub(crate) fn on_reply(&mut self, reply: Reply) -> Move {
        match self.stage {
            Stage::Greeting if reply.is_positive() => self.say_hello(),
            Stage::Hello if reply.is_positive() => {
                self.offers = Offers::read(&reply);
                if self.security == Security::StartTls && !self.secured {
                    return self.ask_for_tls();
                }
                self.step(Step::Greeting, None, None);
                self.authenticate()
            }
            Stage::StartTls if reply.is_positive() => {
                self.stage = Stage::Handshake;
                Move::ShakeHands
            }
            Stage::StartTls => self.give_up(DeliveryCode::TlsFailed, Some(reply)),
            Stage::Greeting | Stage::Hello => self.give_up(DeliveryCode::Refused, Some(reply)),
            Stage::Authentication(stage) => self.on_auth_reply(stage, reply),
            Stage::Mail => self.on_mail_reply(reply),
            Stage::Rcpt(at) => {
                if !reply.is_positive() {
                    let outcome = refusal(reply, true);
                    if let Some(place) = self.outcomes.get_mut(at) {
                        *place = Some(outcome);
                    }
                }
                self.next_recipient(at + 1)
            }
            // Anything but 354 leaves the server waiting for a command, not for text.
            Stage::Data if reply.code == 354 => {
                self.stage = Stage::Text;
                Move::SendText
            }
            Stage::Data if reply.is_positive() => {
                self.settle(&Outcome::Retry { code: DeliveryCode::ConnectionFailed, reply: Some(reply) });
                self.leave()
            }
            Stage::Data => {
                self.settle(&refusal(reply, false));
                self.leave()
            }
            Stage::Dot if reply.code < 300 => {
                self.settle(&Outcome::Sent { reply });
                self.leave()
            }
            Stage::Dot if reply.is_positive() => {
                self.settle(&Outcome::Unknown { code: DeliveryCode::LineDropped });
                self.leave()
            }
            Stage::Dot => {
                self.settle(&refusal(reply, false));
                self.leave()
            }
            // Said before the end of the text, so nothing was accepted, whatever it says.
            Stage::Text if reply.is_positive() => {
                self.settle(&Outcome::Retry { code: DeliveryCode::ConnectionFailed, reply: Some(reply) });
                self.leave()
            }
            Stage::Text => {
                self.settle(&refusal(reply, false));
                self.leave()
            }
            Stage::Handshake | Stage::Done => Move::Leave,
        }
    }

    /// What became of each recipient, in order.
    pub(crate) fn outcomes(self) -> Vec<Outcome> {
        let missing = Outcome::Retry { code: DeliveryCode::LineDropped, reply: None };
        self.outcomes.into_iter().map(|outcome| outcome.unwrap_or_else(|| missing.clone())).collect()
    }

    /// The steps of a test, in order.
    pub(crate) fn steps(self) -> Vec<StepResult> {
        self.steps
    }

    fn say_hello(&mut self) -> Move {
        self.stage = Stage::Hello;
        send(&format!("EHLO {}", self.hello))
    }

    fn ask_for_tls(&mut self) -> Move {
        if !self.offers.starttls {
            // Never in clear instead: whoever strips STARTTLS from the line would read the mail.
            return self.give_up(DeliveryCode::TlsFailed, None);
        }
        self.stage = Stage::StartTls;
        send("STARTTLS")
    }

    fn authenticate(&mut self) -> Move {
        let Some(credentials) = self.credentials else { return self.say_mail() };
        let username = &credentials.username;
        let password = match &credentials.secret {
            Secret::Password(password) => password,
            Secret::Token(token) => {
                let mechanism = match (self.offers.xoauth2, self.offers.oauth_bearer) {
                    (true, _) => TokenMechanism::Xoauth2,
                    (false, true) => TokenMechanism::OauthBearer,
                    (false, false) => {
                        self.stage = Stage::Authentication(AuthStage::TokenRefused);
                        return self.give_up(DeliveryCode::AuthenticationFailed, None);
                    }
                };
                self.stage = Stage::Authentication(AuthStage::Token(mechanism));
                let shown = STANDARD.encode(mechanism.shows(username, token));
                return send(&format!("AUTH {} {shown}", mechanism.name()));
            }
        };
        if self.offers.plain {
            self.stage = Stage::Authentication(AuthStage::Plain);
            let token = format!("\0{username}\0{password}");
            return send(&format!("AUTH PLAIN {}", STANDARD.encode(token)));
        }
        if self.offers.login {
            self.stage = Stage::Authentication(AuthStage::LoginUser);
            return send("AUTH LOGIN");
        }
        self.stage = Stage::Authentication(AuthStage::Plain);
        self.give_up(DeliveryCode::AuthenticationFailed, None)
    }

    fn on_auth_reply(&mut self, stage: AuthStage, reply: Reply) -> Move {
        let credentials = self.credentials;
        let word = |word: fn(&Credentials) -> &str| STANDARD.encode(credentials.map_or("", word));
        match (stage, reply.code) {
            (AuthStage::Plain | AuthStage::LoginEnd | AuthStage::Token(_), 235) => {
                self.step(Step::Authentication, None, None);
                self.say_mail()
            }
            (AuthStage::LoginUser, 334) => {
                self.stage = Stage::Authentication(AuthStage::LoginPassword);
                send(&word(|credentials| &credentials.username))
            }
            (AuthStage::LoginPassword, 334) => {
                self.stage = Stage::Authentication(AuthStage::LoginEnd);
                send(&word(|credentials| match &credentials.secret {
                    Secret::Password(password) => password,
                    Secret::Token(_) => "",
                }))
            }
            (AuthStage::Token(mechanism), 334) => {
                self.stage = Stage::Authentication(AuthStage::TokenRefused);
                send(&STANDARD.encode(mechanism.gives_in()))
            }
            _ => self.give_up(DeliveryCode::AuthenticationFailed, Some(reply)),
        }
    }

    fn say_mail(&mut self) -> Move {
        self.stage = Stage::Mail;
        let (octets, eight_bit) = match self.errand {
            Errand::Message { octets, eight_bit, .. } => (octets, eight_bit),
            Errand::Test => (0, false),
        };
        if self.offers.size.is_some_and(|size| octets as u64 > size) {
            return self.fail_all(DeliveryCode::MessageTooLarge);
        }
        let from = self.from.as_sent();
        let international = !from.is_ascii() || self.has_international_recipient();
        if (eight_bit && !self.offers.eight_bit) || (!from.is_ascii() && !self.offers.smtputf8) {
            return self.fail_all(DeliveryCode::Refused);
        }
        let mut line = format!("MAIL FROM:<{from}>");
        if self.offers.size.is_some() && octets > 0 {
            line.push_str(&format!(" SIZE={octets}"));
        }
        if eight_bit {
            line.push_str(" BODY=8BITMIME");
        }
        if international && self.offers.smtputf8 {
            line.push_str(" SMTPUTF8");
        }
        if let Errand::Message { id, .. } = self.errand
            && self.offers.dsn
        {
            // Only the header comes back: the content is with us, and a report travels in clear.
            line.push_str(&format!(" RET=HDRS ENVID={id}"));
        }
        send(&line)
    }

    fn has_international_recipient(&self) -> bool {
        let Errand::Message { recipients, .. } = self.errand else { return false };
        recipients.iter().any(|recipient| !recipient.as_sent().is_ascii())
    }

    fn on_mail_reply(&mut self, reply: Reply) -> Move {
        if reply.is_positive() {
            self.step(Step::Sender, None, None);
            return match self.errand {
                Errand::Message { .. } => self.next_recipient(0),
                Errand::Test => self.leave(),
            };
        }
        let code = DeliveryCode::of_refusal(&reply, false);
        // A server that asks for a password speaks of the settings, not of the message. A
        // sender is not a recipient, whatever the number says.
        let code = if code == DeliveryCode::UnknownRecipient { DeliveryCode::Refused } else { code };
        if reply.is_temporary() || code == DeliveryCode::AuthenticationFailed {
            return self.give_up(code, Some(reply));
        }
        self.step_failed(code, Some(reply.clone()));
        self.settle(&Outcome::Failed { code, reply: Some(reply) });
        self.leave()
    }

    /// Asks for the first recipient from `at` on that can be asked for; then for the text.
    fn next_recipient(&mut self, at: usize) -> Move {
        let Errand::Message { recipients, .. } = self.errand else { return self.leave() };
        for (number, recipient) in recipients.iter().enumerate().skip(at) {
            let address = recipient.as_sent();
            if address.is_ascii() || self.offers.smtputf8 {
                self.stage = Stage::Rcpt(number);
                let mut line = format!("RCPT TO:<{address}>");
                if self.offers.dsn {
                    line.push_str(" NOTIFY=FAILURE,DELAY");
                    // Another form is for addresses beyond ASCII (RFC 6533, section 3).
                    if address.is_ascii() {
                        line.push_str(&format!(" ORCPT=rfc822;{}", xtext(&address)));
                    }
                }
                return send(&line);
            }
            self.outcomes[number] = Some(Outcome::Failed { code: DeliveryCode::Refused, reply: None });
        }
        if self.outcomes.iter().all(Option::is_some) {
            return self.leave();
        }
        self.stage = Stage::Data;
        send("DATA")
    }

    /// Ends over a matter of settings or of the moment: all wait for another try.
    fn give_up(&mut self, code: DeliveryCode, reply: Option<Reply>) -> Move {
        self.step_failed(code, reply.clone());
        self.settle(&Outcome::Retry { code, reply });
        self.leave()
    }

    fn fail_all(&mut self, code: DeliveryCode) -> Move {
        self.step_failed(code, None);
        self.settle(&Outcome::Failed { code, reply: None });
        self.leave()
    }

    fn settle(&mut self, outcome: &Outcome) {
        for place in self.outcomes.iter_mut().filter(|place| place.is_none()) {
            *place = Some(outcome.clone());
        }
    }

    fn leave(&mut self) -> Move {
        self.stage = Stage::Done;
        Move::Leave
    }

    fn step(&mut self, step: Step, failed: Option<DeliveryCode>, reply: Option<Reply>) {
        self.steps.push(StepResult { step, failed, reply });
    }

    /// Notes the failure of the step that the present stage belongs to.
    fn step_failed(&mut self, code: DeliveryCode, reply: Option<Reply>) {
        let step = match self.stage {
            Stage::Done => return,
            Stage::Handshake | Stage::StartTls => Step::Tls,
            Stage::Greeting => Step::Greeting,
            Stage::Hello if code == DeliveryCode::TlsFailed => Step::Tls,
            Stage::Hello => Step::Greeting,
            Stage::Authentication(_) => Step::Authentication,
            Stage::Mail | Stage::Rcpt(_) | Stage::Data | Stage::Text | Stage::Dot => Step::Sender,
        };
        self.step(step, Some(code), reply);
    }
}

fn refusal(reply: Reply, at_recipient: bool) -> Outcome {
    let code = DeliveryCode::of_refusal(&reply, at_recipient);
    if reply.is_temporary() || code == DeliveryCode::AuthenticationFailed {
        Outcome::Retry { code, reply: Some(reply) }
    } else {
        Outcome::Failed { code, reply: Some(reply) }
    }
}

/// What may stand in a parameter as it is, and the rest in hexadecimal (RFC 3461, section 4).
fn xtext(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for octet in text.bytes() {
        match octet {
            b'!'..=b'~' if octet != b'+' && octet != b'=' => out.push(char::from(octet)),
            _ => out.push_str(&format!("+{octet:02X}")),
        }
    }
    out
}

fn send(line: &str) -> Move {
    Move::Send(format!("{line}\r\n").into_bytes())
}

/// The text as it goes over the line: every line ends in CRLF, a dot that begins one is doubled
/// (RFC 5321, section 4.5.2). The final dot is not part of it.
pub(crate) fn stuffed(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len() + text.len() / 64 + 2);
    let mut rest = text;
    while !rest.is_empty() {
        let end = memchr::memchr2(b'\r', b'\n', rest).unwrap_or(rest.len());
        if rest[0] == b'.' {
            out.push(b'.');
        }
        out.extend_from_slice(&rest[..end]);
        out.extend_from_slice(b"\r\n");
        rest = match &rest[end..] {
            [b'\r', b'\n', after @ ..] => after,
            [_, after @ ..] => after,
            [] => &[],
        };
    }
    out
}

#[cfg(test)]
#[path = "submission_dialogue_tests.rs"]
mod tests;
