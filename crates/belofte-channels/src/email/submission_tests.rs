// SPDX-License-Identifier: EUPL-1.2
//! Submission against scripted servers that misbehave, over loopback.

use tokio::io::AsyncReadExt;
use tokio::net::TcpListener;
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;

use super::*;
use crate::email::Secret;
use crate::email::{client_tls, test_tls};
use crate::outbound::{Register, Resolver};

/// What a scripted server does, one after the other.
enum Act {
    /// Sends this and CRLF.
    Say(&'static str),
    /// Reads a line, which must begin so.
    Hear(&'static str),
    /// Reads the text up to its final dot.
    HearText,
    /// Reads so many bytes.
    HearBytes(usize),
    /// Sends these bytes.
    Blurt(Vec<u8>),
    /// Shakes hands.
    Tls(Arc<rustls::ServerConfig>),
    /// Waits.
    Wait(Duration),
}
use Act::{Blurt, Hear, HearBytes, HearText, Say, Tls, Wait};

/// Plays the script on the first connection, then closes; gives back all that was heard.
async fn play(socket: TcpListener, script: Vec<Act>) -> String {
    let (tcp, _) = socket.accept().await.expect("a connection");
    let mut line = Line::Plain(tcp);
    let mut heard = String::new();
    for act in script {
        match act {
            Say(words) => line.send(format!("{words}\r\n").as_bytes()).await.expect("sent"),
            Blurt(bytes) => {
                let _ = line.send(&bytes).await;
            }
            Hear(start) => {
                let words = hear(&mut line, |words| words.ends_with("\r\n")).await;
                assert!(words.starts_with(start), "heard {words:?} instead of {start:?}");
                heard.push_str(&words);
            }
            HearText => heard.push_str(&hear(&mut line, |words| words.ends_with("\r\n.\r\n")).await),
            HearBytes(count) => heard.push_str(&hear(&mut line, |words| words.len() >= count).await),
            Tls(config) => {
                let Line::Plain(tcp) = line else { panic!("TLS twice") };
                match TlsAcceptor::from(config).accept(tcp).await {
                    Ok(tls) => line = Line::Tls(Box::new(tls.into())),
                    Err(_) => return heard,
                }
            }
            Wait(time) => sleep(time).await,
        }
    }
    heard
}

async fn hear(line: &mut Line, enough: impl Fn(&str) -> bool) -> String {
    let mut words = Vec::new();
    loop {
        let mut byte = [0; 1];
        let read = match line {
            Line::Plain(tcp) => tcp.read(&mut byte).await,
            Line::Tls(tls) => tls.read(&mut byte).await,
        };
        if !matches!(read, Ok(1)) {
            return String::from_utf8(words).expect("text");
        }
        words.push(byte[0]);
        if byte[0] == b'\n' || words.len() % 64 == 0 {
            let so_far = String::from_utf8_lossy(&words);
            if enough(&so_far) {
                return so_far.into_owned();
            }
        }
    }
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("address")
}

fn patience() -> Patience {
    let short = Duration::from_millis(700);
    Patience { connect: short, reply: short, text: short, acceptance: short, total: Duration::from_secs(20) }
}

fn client(roots: Vec<rustls_pki_types::CertificateDer<'static>>) -> Submission {
    let allow = vec!["127.0.0.0/8".parse().expect("network")];
    let mut outbound = Outbound::new(Register::default(), allow);
    let loopback = vec!["127.0.0.1".parse().expect("address")];
    let hosts = ["mail.shop.example", "other.example"].map(|host| (host.to_owned(), loopback.clone()));
    outbound.resolver = Resolver::Fixed(Arc::new(hosts.into_iter().collect()));
    Submission::new(outbound, client_tls(roots).expect("roots"), "desk.example", patience())
}

fn server(port: u16, security: Security, password: Option<&str>) -> SubmissionServer {
    let secret = password.map(|password| match password.strip_prefix("token:") {
        Some(token) => Secret::Token(token.to_owned()),
        None => Secret::Password(password.to_owned()),
    });
    let credentials = secret.map(|secret| Credentials { username: "shop".to_owned(), secret });
    SubmissionServer { host: "mail.shop.example".to_owned(), recorded: true, port, security, credentials }
}

const MESSAGE: &[u8] = b"Subject: x\n\n.hello\nbye";

/// Sends [`MESSAGE`] to `recipients` against the script; outcomes and what the server heard.
async fn send_to(recipients: &[&str], security: Security, script: Vec<Act>) -> (Vec<Outcome>, String) {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let server = server(socket.local_addr().expect("address").port(), security, None);
    let recipients: Vec<EmailAddress> = recipients.iter().map(|text| address(text)).collect();
    let (client, from) = (client(vec![]), address("desk@shop.example"));
    let sending = client.send(&server, &from, &recipients, "7.a", MESSAGE);
    let (heard, outcomes) = tokio::join!(play(socket, script), sending);
    (outcomes, heard)
}

async fn send_one(script: Vec<Act>) -> Outcome {
    send_to(&["a@b.example"], Security::None, script).await.0.remove(0)
}

/// The script up to the recipient, then `rest`.
fn until_recipient(rest: Vec<Act>) -> Vec<Act> {
    let mut script = vec![
        Say("220 mail"),
        Hear("EHLO desk.example\r\n"),
        Say("250-mail"),
        Say("250 SIZE 1000000"),
        Hear("MAIL FROM:"),
        Say("250 ok"),
    ];
    script.extend(rest);
    script
}

/// The script up to the text, then `rest`.
fn until_text(rest: Vec<Act>) -> Vec<Act> {
    let mut script = until_recipient(vec![Hear("RCPT TO:"), Say("250 ok"), Hear("DATA"), Say("354 go")]);
    script.extend(rest);
    script
}

fn code(outcome: &Outcome) -> (&'static str, Option<DeliveryCode>) {
    match outcome {
        Outcome::Sent { .. } => ("sent", None),
        Outcome::Failed { code, .. } => ("failed", Some(*code)),
        Outcome::Retry { code, .. } => ("retry", Some(*code)),
        Outcome::Unknown { code } => ("unknown", Some(*code)),
    }
}

#[tokio::test]
async fn a_message_is_handed_in_and_the_reply_kept() {
    let script = until_text(vec![HearText, Say("250 2.0.0 queued as 17"), Hear("QUIT"), Say("221 bye")]);
    let (outcomes, heard) = send_to(&["a@b.example"], Security::None, script).await;
    let Outcome::Sent { reply } = &outcomes[0] else { panic!("{outcomes:?}") };
    assert_eq!(reply.text(), "250 2.0.0 queued as 17");
    assert!(heard.contains("MAIL FROM:<desk@shop.example> SIZE="), "{heard}");
    assert!(heard.contains("Subject: x\r\n\r\n..hello\r\nbye\r\n.\r\nQUIT\r\n"), "{heard}");
}

#[tokio::test]
async fn a_refused_recipient_does_not_hold_back_the_others() {
    let script = until_recipient(vec![
        Hear("RCPT TO:<a@b.example>"),
        Say("250 ok"),
        Hear("RCPT TO:<no@b.example>"),
        Say("550 5.1.1 nobody"),
        Hear("RCPT TO:<full@b.example>"),
        Say("452 4.2.2 full"),
        Hear("DATA"),
        Say("354 go"),
        HearText,
        Say("250 ok"),
    ]);
    let recipients = ["a@b.example", "no@b.example", "full@b.example"];
    let (outcomes, _) = send_to(&recipients, Security::None, script).await;
    assert_eq!(
        outcomes.iter().map(code).collect::<Vec<_>>(),
        [
            ("sent", None),
            ("failed", Some(DeliveryCode::UnknownRecipient)),
            ("retry", Some(DeliveryCode::MailboxFull)),
        ]
    );
}

#[tokio::test]
async fn without_an_accepted_recipient_no_text_is_sent() {
    let script = until_recipient(vec![Hear("RCPT"), Say("554 5.7.1 relay denied"), Hear("QUIT")]);
    assert_eq!(code(&send_one(script).await), ("failed", Some(DeliveryCode::Refused)));
}

#[tokio::test]
async fn after_the_final_dot_silence_means_unknown() {
    let dropped = send_one(until_text(vec![HearText])).await;
    assert_eq!(code(&dropped), ("unknown", Some(DeliveryCode::LineDropped)));
    let silent = send_one(until_text(vec![HearText, Wait(Duration::from_millis(1_200))])).await;
    assert_eq!(code(&silent), ("unknown", Some(DeliveryCode::Timeout)));
    let babble = send_one(until_text(vec![HearText, Say("what?")])).await;
    assert_eq!(code(&babble), ("unknown", Some(DeliveryCode::LineDropped)));
    let half = send_one(until_text(vec![HearText, Blurt(b"250-almost\r\n250".to_vec())])).await;
    assert_eq!(code(&half), ("unknown", Some(DeliveryCode::LineDropped)));
}

#[tokio::test]
async fn before_the_final_dot_a_failure_is_tried_again() {
    for script in [
        vec![],
        vec![Say("220 mail"), Hear("EHLO")],
        until_recipient(vec![Hear("RCPT")]),
        until_recipient(vec![Hear("RCPT"), Say("250 ok"), Hear("DATA")]),
    ] {
        assert_eq!(code(&send_one(script).await), ("retry", Some(DeliveryCode::LineDropped)));
    }
    for script in [
        vec![Wait(Duration::from_millis(1_200))],
        until_recipient(vec![Hear("RCPT"), Wait(Duration::from_millis(1_200))]),
    ] {
        assert_eq!(code(&send_one(script).await), ("retry", Some(DeliveryCode::Timeout)));
    }
}

#[tokio::test]
async fn a_line_that_drops_in_the_middle_of_the_text_is_tried_again() {
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let server = server(socket.local_addr().expect("address").port(), Security::None, None);
    let (client, from, to) = (client(vec![]), address("desk@shop.example"), [address("a@b.example")]);
    // More than all socket buffers hold: the client is still sending when the line drops.
    let message = b"0123456789012345678901234567890123456789\r\n".repeat(400_000);
    let mut script = until_text(vec![HearBytes(10_000)]);
    script[3] = Say("250 HELP");
    let (_, outcomes) = tokio::join!(play(socket, script), client.send(&server, &from, &to, "7.a", &message));
    assert_eq!(code(&outcomes[0]), ("retry", Some(DeliveryCode::LineDropped)));
}

#[tokio::test]
async fn refusals_of_the_message_are_final_and_those_of_the_moment_are_not() {
    for (reply, expected) in [
        ("554 5.7.1 spam", ("failed", Some(DeliveryCode::Refused))),
        ("552 5.3.4 too big", ("failed", Some(DeliveryCode::MessageTooLarge))),
        ("451 4.3.0 later", ("retry", Some(DeliveryCode::Refused))),
        ("421 closing", ("retry", Some(DeliveryCode::Refused))),
    ] {
        let script = until_text(vec![HearText, Say(reply)]);
        assert_eq!(code(&send_one(script).await), expected, "{reply} to the text");
        let script = until_recipient(vec![Hear("RCPT"), Say("250 ok"), Hear("DATA"), Say(reply)]);
        assert_eq!(code(&send_one(script).await), expected, "{reply} to DATA");
    }
}

#[tokio::test]
async fn what_concerns_the_settings_is_tried_again() {
    let greeted = send_one(vec![Say("554 not you"), Hear("QUIT")]).await;
    assert_eq!(code(&greeted), ("retry", Some(DeliveryCode::Refused)));
    let must_sign_in =
        vec![Say("220 x"), Hear("EHLO"), Say("250 x"), Hear("MAIL"), Say("530 5.7.0 sign in first")];
    assert_eq!(code(&send_one(must_sign_in).await), ("retry", Some(DeliveryCode::AuthenticationFailed)));
    let must_sign_in = vec![Say("220 x"), Hear("EHLO"), Say("250 x"), Hear("MAIL"), Say("530 sign in first")];
    assert_eq!(code(&send_one(must_sign_in).await), ("retry", Some(DeliveryCode::AuthenticationFailed)));
    let sender =
        vec![Say("220 x"), Hear("EHLO"), Say("250 x"), Hear("MAIL"), Say("553 5.7.1 not your address")];
    assert_eq!(code(&send_one(sender).await), ("failed", Some(DeliveryCode::Refused)));
}

#[tokio::test]
async fn a_message_over_the_servers_size_is_not_sent() {
    let script = vec![Say("220 x"), Hear("EHLO"), Say("250-x"), Say("250 SIZE 10"), Hear("QUIT")];
    assert_eq!(code(&send_one(script).await), ("failed", Some(DeliveryCode::MessageTooLarge)));
}

#[tokio::test]
async fn what_is_no_mail_server_or_talks_without_end_is_left() {
    let web = send_one(vec![Say("HTTP/1.1 400 Bad Request")]).await;
    assert_eq!(code(&web), ("retry", Some(DeliveryCode::ConnectionFailed)));
    let giant = send_one(vec![Blurt(vec![b'2'; 200_000])]).await;
    assert_eq!(code(&giant), ("retry", Some(DeliveryCode::ConnectionFailed)));
    let endless = send_one(vec![Blurt(b"220-hello\r\n".repeat(20_000))]).await;
    assert_eq!(code(&endless), ("retry", Some(DeliveryCode::ConnectionFailed)));
}

#[tokio::test]
async fn a_line_stripped_of_starttls_gets_neither_password_nor_mail() {
    let script = vec![Say("220 x"), Hear("EHLO"), Say("250-x"), Say("250 AUTH PLAIN"), HearBytes(1_000)];
    let (outcomes, heard) = send_to(&["a@b.example"], Security::StartTls, script).await;
    assert_eq!(code(&outcomes[0]), ("retry", Some(DeliveryCode::TlsFailed)));
    assert_eq!(heard, "EHLO desk.example\r\nQUIT\r\n");
    let injected = vec![
        Say("220 x"),
        Hear("EHLO"),
        Say("250-x"),
        Say("250 STARTTLS"),
        Hear("STARTTLS"),
        Blurt(b"220 go\r\n250 said in clear\r\n".to_vec()),
        HearBytes(1_000),
    ];
    let (outcomes, _) = send_to(&["a@b.example"], Security::StartTls, injected).await;
    assert_eq!(code(&outcomes[0]), ("retry", Some(DeliveryCode::TlsFailed)));
}

/// Tests the connection with TLS of `kind` against a certificate for `name`.
async fn test_with(
    name: &str,
    trusted: bool,
    security: Security,
    password: &str,
    rest: Vec<Act>,
) -> Vec<StepResult> {
    let (config, certificate) = test_tls::server(name);
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let server = server(socket.local_addr().expect("address").port(), security, Some(password));
    let mut script = match security {
        Security::Tls => vec![Tls(config), Say("220 x")],
        _ => vec![
            Say("220 x"),
            Hear("EHLO"),
            Say("250-x"),
            Say("250 STARTTLS"),
            Hear("STARTTLS"),
            Say("220 go"),
            Tls(config),
        ],
    };
    script.extend([Hear("EHLO"), Say("250-x")]);
    script.extend(rest);
    let client = client(if trusted { vec![certificate] } else { vec![] });
    let from = address("desk@shop.example");
    tokio::join!(play(socket, script), client.test(&server, &from)).1
}

fn names(steps: &[StepResult]) -> Vec<(&'static str, Option<DeliveryCode>)> {
    steps.iter().map(|step| (step.step.as_str(), step.failed)).collect()
}

#[tokio::test]
async fn a_token_is_shown_as_the_server_has_it_and_a_refusal_comes_to_its_end() {
    let tls = Security::StartTls;
    // "user=shop^Aauth=Bearer ya29^A^A" in base64.
    let xoauth2 = "AUTH XOAUTH2 dXNlcj1zaG9wAWF1dGg9QmVhcmVyIHlhMjkBAQ==\r\n";
    let good = vec![
        Say("250 AUTH PLAIN OAUTHBEARER XOAUTH2"),
        Hear(xoauth2),
        Say("235 in"),
        Hear("MAIL"),
        Say("250 ok"),
    ];
    let steps = names(&test_with("mail.shop.example", true, tls, "token:ya29", good).await);
    assert_eq!(steps.last(), Some(&("sender", None)), "{steps:?}");
    // The server says why, waits for a word, and refuses (RFC 7628, section 3.2.3).
    let refused = vec![
        Say("250 AUTH OAUTHBEARER"),
        // "n,a=shop,^Aauth=Bearer ya29^A^A", and "^A".
        Hear("AUTH OAUTHBEARER bixhPXNob3AsAWF1dGg9QmVhcmVyIHlhMjkBAQ==\r\n"),
        Say("334 eyJzdGF0dXMiOiJpbnZhbGlkX3Rva2VuIn0="),
        Hear("AQ==\r\n"),
        Say("535 5.7.8 no"),
    ];
    let steps = names(&test_with("mail.shop.example", true, tls, "token:ya29", refused).await);
    assert_eq!(
        steps.last(),
        Some(&("authentication", Some(DeliveryCode::AuthenticationFailed))),
        "{steps:?}"
    );
    // A server without either never gets it in another form.
    let steps = names(
        &test_with("mail.shop.example", true, tls, "token:ya29", vec![Say("250 AUTH PLAIN LOGIN")]).await,
    );
    assert_eq!(
        steps.last(),
        Some(&("authentication", Some(DeliveryCode::AuthenticationFailed))),
        "{steps:?}"
    );
}

#[tokio::test]
async fn the_connection_test_names_each_step() {
    let good = || {
        vec![
            Say("250 AUTH PLAIN LOGIN"),
            // "\0shop\0right" in base64.
            Hear("AUTH PLAIN AHNob3AAcmlnaHQ=\r\n"),
            Say("235 2.7.0 in"),
            Hear("MAIL FROM:<desk@shop.example>\r\n"),
            Say("250 ok"),
            Hear("QUIT"),
        ]
    };
    let all = ["resolve", "connect", "tls", "greeting", "authentication", "sender"].map(|step| (step, None));
    for security in [Security::Tls, Security::StartTls] {
        assert_eq!(names(&test_with("mail.shop.example", true, security, "right", good()).await), all);
    }
    let tls_failed = [("resolve", None), ("connect", None), ("tls", Some(DeliveryCode::TlsFailed))];
    for security in [Security::Tls, Security::StartTls] {
        let mismatch = test_with("other.example", true, security, "right", good()).await;
        assert_eq!(names(&mismatch), tls_failed, "a certificate for another name");
        let untrusted = test_with("mail.shop.example", false, security, "right", good()).await;
        assert_eq!(names(&untrusted), tls_failed, "a certificate nobody vouches for");
    }
}

#[tokio::test]
async fn a_wrong_password_is_named_with_the_servers_words_and_login_works_too() {
    let login = |end| {
        vec![
            Say("250 AUTH LOGIN"),
            Hear("AUTH LOGIN\r\n"),
            Say("334 VXNlcm5hbWU6"),
            Hear("c2hvcA==\r\n"),
            Say("334 UGFzc3dvcmQ6"),
            Hear("d3Jvbmc=\r\n"),
            Say(end),
            HearBytes(100),
        ]
    };
    let steps = test_with("mail.shop.example", true, Security::Tls, "wrong", login("535 5.7.8 no")).await;
    let last = steps.last().expect("steps");
    assert_eq!((last.step, last.failed), (Step::Authentication, Some(DeliveryCode::AuthenticationFailed)));
    assert_eq!(last.reply.as_ref().map(Reply::text).as_deref(), Some("535 5.7.8 no"));
    let steps = test_with("mail.shop.example", true, Security::Tls, "wrong", login("235 in")).await;
    assert!(steps.contains(&StepResult { step: Step::Authentication, failed: None, reply: None }));
    let none = vec![Say("250 HELP"), HearBytes(100)];
    let steps = test_with("mail.shop.example", true, Security::Tls, "wrong", none).await;
    assert_eq!(names(&steps).pop(), Some(("authentication", Some(DeliveryCode::AuthenticationFailed))));
}

#[tokio::test]
async fn hosts_inside_and_hosts_that_do_not_answer_are_told_apart() {
    let client = client(vec![]);
    let from = address("desk@shop.example");
    let to = [address("a@b.example")];
    let mut inside = server(587, Security::Tls, None);
    inside.host = "10.0.0.1".to_owned();
    let outcome = client.send(&inside, &from, &to, "7.a", MESSAGE).await.remove(0);
    assert_eq!(code(&outcome), ("failed", Some(DeliveryCode::HostNotAllowed)));
    assert_eq!(names(&client.test(&inside, &from).await), [("resolve", Some(DeliveryCode::HostNotAllowed))]);
    let socket = TcpListener::bind("127.0.0.1:0").await.expect("bind");
    let closed = server(socket.local_addr().expect("address").port(), Security::None, None);
    drop(socket);
    let outcome = client.send(&closed, &from, &to, "7.a", MESSAGE).await.remove(0);
    assert_eq!(code(&outcome), ("retry", Some(DeliveryCode::ConnectionFailed)));
    let steps = client.test(&closed, &from).await;
    assert_eq!(names(&steps), [("resolve", None), ("connect", Some(DeliveryCode::ConnectionFailed))]);
}

#[tokio::test]
async fn international_addresses_need_a_server_that_takes_them() {
    let script =
        |offer| vec![Say("220 x"), Hear("EHLO"), Say("250-x"), Say(offer), Hear("MAIL"), Say("250 ok")];
    let recipients = ["jos\u{e9}@b.example", "a@b.example"];
    let mut plain = script("250 HELP");
    plain.extend([Hear("RCPT TO:<a@"), Say("250 ok"), Hear("DATA"), Say("354 go"), HearText, Say("250 ok")]);
    let (outcomes, _) = send_to(&recipients, Security::None, plain).await;
    assert_eq!(
        outcomes.iter().map(code).collect::<Vec<_>>(),
        [("failed", Some(DeliveryCode::Refused)), ("sent", None)]
    );
    let mut able = script("250 SMTPUTF8");
    able.extend([
        Hear("RCPT TO:<jos\u{e9}@"),
        Say("250 ok"),
        Hear("RCPT TO:<a@"),
        Say("250 ok"),
        Hear("DATA"),
    ]);
    able.extend([Say("354 go"), HearText, Say("250 ok")]);
    let (outcomes, heard) = send_to(&recipients, Security::None, able).await;
    assert!(outcomes.iter().all(|outcome| code(outcome).0 == "sent"));
    assert!(heard.contains("> SMTPUTF8\r\n"), "{heard}");
}

#[test]
fn text_is_stuffed_and_ends_its_lines() {
    for (text, expected) in [
        (&b""[..], &b""[..]),
        (b"a", b"a\r\n"),
        (b".\n..\r\n.a\r.b", b"..\r\n...\r\n..a\r\n..b\r\n"),
        (b"a\n\r\n\nb\r\n", b"a\r\n\r\n\r\nb\r\n"),
        (b"\r\n.\r\nRSET\r\n", b"\r\n..\r\nRSET\r\n"),
    ] {
        assert_eq!(stuffed(text), expected, "{text:?}");
    }
}

#[test]
fn codes_have_names_that_read_back() {
    for code in DeliveryCode::ALL {
        assert_eq!(DeliveryCode::parse(code.as_str()), Some(code));
    }
}

#[tokio::test]
async fn reports_are_asked_for_where_the_server_can_make_them() {
    let script = |offer, mail, first, second| {
        vec![
            Say("220 mail"),
            Hear("EHLO"),
            Say(offer),
            Hear(mail),
            Say("250 ok"),
            Hear(first),
            Say("250 ok"),
            Hear(second),
            Say("250 ok"),
            Hear("DATA"),
            Say("354 go"),
            HearText,
            Say("250 taken"),
            Hear("QUIT"),
        ]
    };
    let to = ["jan+kassa=1@b.example", "an@b.example"];
    let (outcomes, _) = send_to(
        &to,
        Security::None,
        script(
            "250-mail\r\n250 DSN",
            "MAIL FROM:<desk@shop.example> RET=HDRS ENVID=7.a\r\n",
            "RCPT TO:<jan+kassa=1@b.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;jan+2Bkassa+3D1@b.example\r\n",
            "RCPT TO:<an@b.example> NOTIFY=FAILURE,DELAY ORCPT=rfc822;an@b.example\r\n",
        ),
    )
    .await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Sent { .. })), "{outcomes:?}");
    let (outcomes, _) = send_to(
        &to,
        Security::None,
        script(
            "250 mail",
            "MAIL FROM:<desk@shop.example>\r\n",
            "RCPT TO:<jan+kassa=1@b.example>\r\n",
            "RCPT TO:<an@b.example>\r\n",
        ),
    )
    .await;
    assert!(outcomes.iter().all(|outcome| matches!(outcome, Outcome::Sent { .. })), "{outcomes:?}");
}

#[test]
fn the_status_of_a_report_has_a_meaning() {
    for (status, code) in [
        ("5.1.1", DeliveryCode::UnknownRecipient),
        ("5.2.2", DeliveryCode::MailboxFull),
        ("5.3.4", DeliveryCode::MessageTooLarge),
        ("4.4.7", DeliveryCode::GivenUp),
        ("5.7.1", DeliveryCode::Refused),
        ("", DeliveryCode::Refused),
        ("5.x.99999999", DeliveryCode::Refused),
    ] {
        assert_eq!(DeliveryCode::of_status(status), code, "{status}");
    }
}
