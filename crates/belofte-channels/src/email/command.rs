// SPDX-License-Identifier: EUPL-1.2
//! Commands of SMTP and LMTP, read from one line (RFC 5321, section 4.1; RFC 2033).
//!
//! Written here instead of taken from a crate: the framing around it has to be ours (which bytes
//! end a line decides over smuggling), and what is left is small.

use belofte_model::EmailAddress;

/// What the client asks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Command {
    /// `HELO name`.
    Helo(String),
    /// `EHLO name`.
    Ehlo(String),
    /// `LHLO name` (RFC 2033).
    Lhlo(String),
    /// `MAIL FROM:<path> parameters`.
    Mail(Mail),
    /// `RCPT TO:<path>`.
    Rcpt(Path),
    /// `DATA`.
    Data,
    /// `BDAT octets [LAST]` (RFC 3030).
    Bdat { octets: u64, last: bool },
    /// `STARTTLS` (RFC 3207).
    StartTls,
    /// `RSET`.
    Rset,
    /// `NOOP`.
    Noop,
    /// `HELP`.
    Help,
    /// `VRFY`.
    Vrfy,
    /// `QUIT`.
    Quit,
}

/// The arguments of MAIL.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Mail {
    /// The reverse path; `None` is the null path of bounces.
    pub from: Option<EmailAddress>,
    /// `SIZE=` (RFC 1870).
    pub size: Option<u64>,
    /// `SMTPUTF8` (RFC 6531).
    pub smtputf8: bool,
}

/// A forward path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Path {
    /// An ordinary address.
    Address(EmailAddress),
    /// `<Postmaster>` without a domain, which every server knows (RFC 5321, section 4.5.1).
    Postmaster,
}

/// Why a line is no command that can be carried out. Each has one reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// The verb is not known.
    Unknown,
    /// The verb is known and not offered here (EXPN, AUTH, TURN …).
    NotOffered,
    /// The arguments are wrong.
    Syntax,
    /// A parameter of MAIL or RCPT is not known (RFC 5321, section 4.1.1.11).
    Parameter,
    /// The path is no address.
    BadSender,
    /// The path is no address.
    BadRecipient,
    /// An address beyond ASCII without SMTPUTF8 in MAIL (RFC 6531, section 3.5).
    NeedsSmtpUtf8,
    /// A request of another protocol: a browser was tricked into speaking to us.
    OtherProtocol,
}

/// Reads one line without its CRLF. `smtputf8` tells whether the transaction under way announced
/// SMTPUTF8, which decides whether RCPT may carry more than ASCII.
pub(crate) fn parse(line: &[u8], smtputf8: bool) -> Result<Command, Refusal> {
    let line = std::str::from_utf8(line).map_err(|_| Refusal::Syntax)?;
    if line.contains('\0') {
        return Err(Refusal::Syntax);
    }
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    let rest = rest.trim();
    let bare = |command: Command| if rest.is_empty() { Ok(command) } else { Err(Refusal::Syntax) };
    match verb.to_ascii_uppercase().as_str() {
        "HELO" => name(rest).map(Command::Helo),
        "EHLO" => name(rest).map(Command::Ehlo),
        "LHLO" => name(rest).map(Command::Lhlo),
        "MAIL" => mail(rest),
        "RCPT" => rcpt(rest, smtputf8),
        "DATA" => bare(Command::Data),
        "BDAT" => bdat(rest),
        "STARTTLS" => bare(Command::StartTls),
        "RSET" => bare(Command::Rset),
        "QUIT" => bare(Command::Quit),
        "NOOP" => Ok(Command::Noop),
        "HELP" => Ok(Command::Help),
        "VRFY" if rest.is_empty() => Err(Refusal::Syntax),
        "VRFY" => Ok(Command::Vrfy),
        "EXPN" | "AUTH" | "TURN" | "ETRN" | "ATRN" | "SEND" | "SOML" | "SAML" | "BURL" => {
            Err(Refusal::NotOffered)
        }
        "GET" | "POST" | "PUT" | "HEAD" | "OPTIONS" | "CONNECT" | "DELETE" | "PATCH" => {
            Err(Refusal::OtherProtocol)
        }
        _ => Err(Refusal::Unknown),
    }
}

/// The name a client gives itself: a domain or an address literal. Kept loose, since real
/// clients send anything here; only what could break a log or a header is refused.
fn name(text: &str) -> Result<String, Refusal> {
    let fits =
        !text.is_empty() && text.len() <= 255 && text.chars().all(|c| !c.is_control() && !c.is_whitespace());
    if fits { Ok(text.to_owned()) } else { Err(Refusal::Syntax) }
}

fn mail(rest: &str) -> Result<Command, Refusal> {
    let rest = strip_prefix_ignoring_case(rest, "FROM:").ok_or(Refusal::Syntax)?;
    let (path, parameters) = path(rest.trim_start()).ok_or(Refusal::Syntax)?;
    let mut mail = Mail::default();
    for parameter in parameters.split_ascii_whitespace() {
        let (key, value) = parameter.split_once('=').unwrap_or((parameter, ""));
        match key.to_ascii_uppercase().as_str() {
            // Up to 20 digits (RFC 1870, section 3); a number beyond u64 is beyond any limit.
            "SIZE" if is_digits(value) => mail.size = Some(value.parse().unwrap_or(u64::MAX)),
            "BODY" if value.eq_ignore_ascii_case("7BIT") || value.eq_ignore_ascii_case("8BITMIME") => {}
            "SMTPUTF8" if value.is_empty() => mail.smtputf8 = true,
            "SIZE" | "BODY" | "SMTPUTF8" => return Err(Refusal::Syntax),
            _ => return Err(Refusal::Parameter),
        }
    }
    if !path.is_empty() {
        if !path.is_ascii() && !mail.smtputf8 {
            return Err(Refusal::NeedsSmtpUtf8);
        }
        mail.from = Some(EmailAddress::parse(path).map_err(|_| Refusal::BadSender)?);
    }
    Ok(Command::Mail(mail))
}

fn rcpt(rest: &str, smtputf8: bool) -> Result<Command, Refusal> {
    let rest = strip_prefix_ignoring_case(rest, "TO:").ok_or(Refusal::Syntax)?;
    let (path, parameters) = path(rest.trim_start()).ok_or(Refusal::Syntax)?;
    if !parameters.trim().is_empty() {
        return Err(Refusal::Parameter);
    }
    if !path.is_ascii() && !smtputf8 {
        return Err(Refusal::NeedsSmtpUtf8);
    }
    if path.eq_ignore_ascii_case("postmaster") {
        return Ok(Command::Rcpt(Path::Postmaster));
    }
    EmailAddress::parse(path).map(Path::Address).map(Command::Rcpt).map_err(|_| Refusal::BadRecipient)
}

fn bdat(rest: &str) -> Result<Command, Refusal> {
    let (octets, last) = match rest.split_once(' ') {
        Some((octets, word)) if word.trim().eq_ignore_ascii_case("LAST") => (octets, true),
        Some(_) => return Err(Refusal::Syntax),
        None => (rest, false),
    };
    if !is_digits(octets) {
        return Err(Refusal::Syntax);
    }
    octets.parse().map(|octets| Command::Bdat { octets, last }).map_err(|_| Refusal::Syntax)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.len() <= 20 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Splits `<path> parameters` into both. A source route (`<@a,@b:user@c>`) is dropped, as RFC
/// 5321, appendix C asks. A `>` within quotes does not end the path.
fn path(text: &str) -> Option<(&str, &str)> {
    let inner = text.strip_prefix('<')?;
    let (mut quoted, mut escaped) = (false, false);
    let end = inner.char_indices().find_map(|(at, c)| {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '>' if !quoted => return Some(at),
            _ => {}
        }
        None
    })?;
    let (mut path, parameters) = (&inner[..end], &inner[end + 1..]);
    if !parameters.is_empty() && !parameters.starts_with(' ') {
        return None;
    }
    if path.starts_with('@') {
        path = path.split_once(':')?.1;
    }
    Some((path, parameters))
}

fn strip_prefix_ignoring_case<'a>(text: &'a str, prefix: &str) -> Option<&'a str> {
    let head = text.get(..prefix.len())?;
    head.eq_ignore_ascii_case(prefix).then(|| &text[prefix.len()..])
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn address(text: &str) -> EmailAddress {
        EmailAddress::parse(text).expect("address")
    }

    #[test]
    fn commands_are_read() {
        let from = |text: &str, size, smtputf8| {
            Ok(Command::Mail(Mail { from: Some(address(text)), size, smtputf8 }))
        };
        let to = |text: &str| Ok(Command::Rcpt(Path::Address(address(text))));
        for (line, expected) in [
            ("ehlo mx.example", Ok(Command::Ehlo("mx.example".to_owned()))),
            ("EHLO [192.0.2.1] ", Ok(Command::Ehlo("[192.0.2.1]".to_owned()))),
            ("HELO", Err(Refusal::Syntax)),
            ("MAIL FROM:<a@b.example>", from("a@b.example", None, false)),
            ("mail from: <a@b.example> SIZE=12 BODY=8BITMIME", from("a@b.example", Some(12), false)),
            ("MAIL FROM:<>", Ok(Command::Mail(Mail::default()))),
            ("MAIL FROM:<@x.example,@y.example:a@b.example>", from("a@b.example", None, false)),
            ("MAIL FROM:<\"a>b\\\"\"@c.example> SIZE=1", from("\"a>b\\\"\"@c.example", Some(1), false)),
            ("MAIL FROM:<é@b.example> SMTPUTF8", from("é@b.example", None, true)),
            ("MAIL FROM:<é@b.example>", Err(Refusal::NeedsSmtpUtf8)),
            ("MAIL FROM:a@b.example", Err(Refusal::Syntax)),
            ("MAIL FROM:<a@b.example", Err(Refusal::Syntax)),
            ("MAIL FROM:<a@b.example>SIZE=1", Err(Refusal::Syntax)),
            ("MAIL FROM:<a@b.example> SIZE=x", Err(Refusal::Syntax)),
            ("MAIL FROM:<a@b.example> SIZE=99999999999999999999", from("a@b.example", Some(u64::MAX), false)),
            ("MAIL FROM:<a@b.example> RET=HDRS", Err(Refusal::Parameter)),
            ("MAIL FROM:<nobody>", Err(Refusal::BadSender)),
            ("RCPT TO:<a+b@c.example>", to("a+b@c.example")),
            ("RCPT TO:<a@c.example> NOTIFY=NEVER", Err(Refusal::Parameter)),
            ("RCPT TO:<postMaster>", Ok(Command::Rcpt(Path::Postmaster))),
            ("RCPT TO:<>", Err(Refusal::BadRecipient)),
            ("RCPT TO:<a b@c.example>", Err(Refusal::BadRecipient)),
            ("RCPT TO:<é@c.example>", Err(Refusal::NeedsSmtpUtf8)),
            ("BDAT 12 last", Ok(Command::Bdat { octets: 12, last: true })),
            ("BDAT 0", Ok(Command::Bdat { octets: 0, last: false })),
            ("BDAT -1", Err(Refusal::Syntax)),
            ("BDAT 1 FIRST", Err(Refusal::Syntax)),
            ("DATA x", Err(Refusal::Syntax)),
            ("DATA ", Ok(Command::Data)),
            ("NOOP anything", Ok(Command::Noop)),
            ("EXPN list", Err(Refusal::NotOffered)),
            ("AUTH PLAIN AGEAYg==", Err(Refusal::NotOffered)),
            ("GET / HTTP/1.1", Err(Refusal::OtherProtocol)),
            ("", Err(Refusal::Unknown)),
            ("QU\0IT", Err(Refusal::Syntax)),
        ] {
            assert_eq!(parse(line.as_bytes(), false), expected, "{line:?}");
        }
        assert_eq!(parse("RCPT TO:<é@c.example>".as_bytes(), true), to("é@c.example"));
        assert_eq!(parse(b"\xff\xfe", true), Err(Refusal::Syntax));
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line in prop::collection::vec(any::<u8>(), 0..200), utf8: bool) {
            let _ = parse(&line, utf8);
        }

        #[test]
        fn no_path_makes_it_panic(text in "(MAIL FROM|RCPT TO|BDAT ):?[ <]?[@,:\"\\\\<>é a-c.=0-9]{0,40}") {
            let _ = parse(text.as_bytes(), true);
        }
    }
}
