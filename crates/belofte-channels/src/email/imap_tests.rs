// SPDX-License-Identifier: EUPL-1.2
//! A mailbox whose server does what none should: it refuses, floods, breaks off and babbles.

use std::sync::Mutex;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::TcpListener;
use tokio_util::task::TaskTracker;

use super::*;
use crate::email::client_tls;
use crate::outbound::Register;

/// What a server answers to a command that holds a word; `{tag}` is the command's, and after `{drop}` it ends.
type Script = &'static [(&'static str, &'static str)];

/// A server that answers by a script until a line is not in it; what it was told.
struct Server {
    port: u16,
    told: Arc<Mutex<Vec<String>>>,
}

impl Server {
    async fn start(greeting: &'static str, script: Script) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let port = listener.local_addr().expect("an address").port();
        let told = Arc::new(Mutex::new(Vec::new()));
        let noted = Arc::clone(&told);
        TaskTracker::new().spawn(async move {
            let (stream, _) = listener.accept().await.expect("a client");
            let mut stream = BufReader::new(stream);
            stream.write_all(greeting.as_bytes()).await.expect("sent");
            let mut line = String::new();
            while stream.read_line(&mut line).await.is_ok_and(|read| read > 0) {
                noted.lock().expect("nobody panics").push(line.trim_end().to_owned());
                let tag = line.split(' ').next().unwrap_or_default();
                let Some((_, answer)) = script.iter().find(|(word, _)| line.contains(word)) else { return };
                let said = answer.replace("{tag}", tag);
                let (said, ends) =
                    said.split_once("{drop}").map_or((&*said, false), |(said, _)| (said, true));
                let _ = stream.write_all(said.as_bytes()).await;
                if ends {
                    return;
                }
                line.clear();
            }
        });
        Self { port, told }
    }

    fn told(&self) -> Vec<String> {
        self.told.lock().expect("nobody panics").clone()
    }

    async fn open(&self) -> Result<Mailbox, RetrievalProblem> {
        self.open_by(Secret::Password("een \"geheim\"".to_owned())).await
    }

    async fn open_by(&self, secret: Secret) -> Result<Mailbox, RetrievalProblem> {
        let register = Register::new(Vec::new()).expect("an empty one");
        let outbound = Outbound::new(register, vec!["127.0.0.0/8".parse().expect("a network")]);
        let server = ImapServer {
            host: "127.0.0.1".to_owned(),
            recorded: true,
            port: self.port,
            security: Security::None,
            username: "desk".to_owned(),
            secret,
        };
        Imap::new(outbound, client_tls(Vec::new()).expect("roots")).open(&server).await
    }
}

const HELLO: &str = "* OK ready\r\n";
/// A script that lets sign in, by LOGIN, and then goes on.
macro_rules! after_sign_in {
    ($($step:expr),*) => {
        &[
            ("AUTHENTICATE", "{tag} BAD unknown mechanism\r\n"),
            ("LOGIN", "{tag} OK in\r\n"),
            ("CAPABILITY", "* CAPABILITY IMAP4rev1 IDLE\r\n{tag} OK done\r\n"),
            $($step),*
        ]
    };
}

#[tokio::test]
async fn a_server_without_sasl_is_signed_in_to_by_login() {
    let server = Server::start(HELLO, after_sign_in!()).await;
    let mailbox = server.open().await.unwrap_or_else(|problem| panic!("{problem:?}"));
    assert!(mailbox.can_idle());
    let told = server.told();
    assert!(told[1].ends_with(r#"LOGIN "desk" "een \"geheim\"""#), "{told:?}");
}

#[tokio::test]
async fn a_token_is_shown_by_the_mechanism_that_the_server_knows() {
    let token = || Secret::Token("ya29".to_owned());
    // Said apart: "user=desk^Aauth=Bearer ya29^A^A" and "n,a=desk,^Aauth=Bearer ya29^A^A".
    let (xoauth2, bearer) =
        ("dXNlcj1kZXNrAWF1dGg9QmVhcmVyIHlhMjkBAQ==", "bixhPWRlc2ssAWF1dGg9QmVhcmVyIHlhMjkBAQ==");
    let script: Script = &[
        ("XOAUTH2", "{tag} NO unknown mechanism\r\n"),
        ("OAUTHBEARER", "+ \r\n"),
        ("bixhPWRlc2", "A0002 OK in\r\n"),
        ("CAPABILITY", "* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"),
    ];
    let server = Server::start(HELLO, script).await;
    assert!(server.open_by(token()).await.is_ok(), "{:?}", server.told());
    assert_eq!(server.told()[2], bearer);
    // A refusal with its reasons, which is answered so that it comes to its end.
    let script: Script =
        &[("XOAUTH2", "+ \r\n"), ("dXNlcj1kZXNr", "+ eyJzdGF0dXMiOiI0MDEifQ==\r\n"), ("", "A0001 NO no\r\n")];
    let refusing = Server::start(HELLO, script).await;
    assert_eq!(refusing.open_by(token()).await.err(), Some(RetrievalProblem::AuthenticationFailed));
    let told = refusing.told();
    assert_eq!((&*told[1], &*told[2]), (xoauth2, ""));
}

#[tokio::test]
async fn greetings_that_are_none_are_told() {
    for (greeting, problem) in [
        ("* BYE too many\r\n", RetrievalProblem::Refused),
        ("* PREAUTH welcome back\r\n", RetrievalProblem::NotImap),
        ("220 smtp.example ESMTP\r\n", RetrievalProblem::NotImap),
        ("HTTP/1.1 400 Bad Request\r\n\r\n", RetrievalProblem::NotImap),
    ] {
        let server = Server::start(greeting, &[]).await;
        assert_eq!(server.open().await.err(), Some(problem), "{greeting}");
    }
}

#[tokio::test]
async fn a_refusal_and_a_line_that_breaks_while_signing_in_are_told_apart() {
    let script: Script =
        &[("AUTHENTICATE", "{tag} BAD no\r\n"), ("LOGIN", "{tag} NO [AUTHENTICATIONFAILED] no\r\n")];
    let refusing = Server::start(HELLO, script).await;
    assert_eq!(refusing.open().await.err(), Some(RetrievalProblem::AuthenticationFailed));
    let script: Script = &[("AUTHENTICATE", "{tag} BAD no\r\n"), ("LOGIN", "{drop}")];
    let breaking = Server::start(HELLO, script).await;
    assert_eq!(breaking.open().await.err(), Some(RetrievalProblem::LineDropped));
}

#[tokio::test]
async fn a_refused_mail_is_not_taken_for_one_that_is_gone() {
    let script = after_sign_in!(("BODY.PEEK", "{tag} NO [SERVERBUG] try later\r\n"));
    let mut mailbox = Server::start(HELLO, script).await.open().await.expect("signed in");
    assert_eq!(mailbox.fetch(7, 100).await, Err(RetrievalProblem::Refused));
    let script = after_sign_in!(("BODY.PEEK", "{tag} OK nothing there\r\n"));
    let mut mailbox = Server::start(HELLO, script).await.open().await.expect("signed in");
    assert_eq!(mailbox.fetch(7, 100).await, Ok(None), "it was expunged");
    // The answer to somebody else's question is not ours.
    let script = after_sign_in!((
        "BODY.PEEK",
        "* 1 FETCH (UID 6 BODY[] {3}\r\nabc)\r\n* 2 FETCH (UID 7 BODY[] {3}\r\nxyz)\r\n* 2 FETCH (FLAGS (\\Seen))\r\n{tag} OK done\r\n"
    ));
    let mut mailbox = Server::start(HELLO, script).await.open().await.expect("signed in");
    assert_eq!(mailbox.fetch(7, 100).await, Ok(Some(Bytes::from_static(b"xyz"))));
}

#[tokio::test]
async fn a_line_that_breaks_within_a_mail_gives_no_half_of_it() {
    let script = after_sign_in!(("BODY.PEEK", "* 1 FETCH (UID 7 BODY[] {500}\r\nOnly the beginning{drop}"));
    let mut mailbox = Server::start(HELLO, script).await.open().await.expect("signed in");
    assert_eq!(mailbox.fetch(7, 500).await, Err(RetrievalProblem::LineDropped));
}

#[tokio::test]
async fn more_than_was_asked_for_is_not_taken() {
    let flood: &'static str = Box::leak(
        format!("* 1 FETCH (UID 7 BODY[] {{400000}}\r\n{}\r\n)\r\n{{tag}} OK done\r\n", "x".repeat(400_000))
            .into_boxed_str(),
    );
    let script: Script = Box::leak(Box::new([
        ("AUTHENTICATE", "{tag} BAD no\r\n"),
        ("LOGIN", "{tag} OK in\r\n"),
        ("CAPABILITY", "* CAPABILITY IMAP4rev1\r\n{tag} OK done\r\n"),
        ("BODY.PEEK", flood),
    ]));
    let mut mailbox = Server::start(HELLO, script).await.open().await.expect("signed in");
    assert_eq!(mailbox.fetch(7, 1_000).await, Err(RetrievalProblem::NotImap));
}

#[tokio::test]
async fn a_folder_without_lasting_numbers_is_not_read() {
    let script = after_sign_in!(("SELECT", "* 3 EXISTS\r\n* OK [UIDNEXT 4] next\r\n{tag} OK done\r\n"));
    let mut mailbox = Server::start(HELLO, script).await.open().await.expect("signed in");
    assert_eq!(mailbox.select("INBOX").await, Err(RetrievalProblem::NotImap));
    let script = after_sign_in!(("SELECT", "{tag} NO no such mailbox\r\n"));
    let mut mailbox = Server::start(HELLO, script).await.open().await.expect("signed in");
    assert_eq!(mailbox.select("Weg").await, Err(RetrievalProblem::FolderMissing));
    // An old server that does not tell the next number.
    let script = after_sign_in!(
        ("SELECT", "* OK [UIDVALIDITY 9] valid\r\n{tag} OK done\r\n"),
        (
            "FETCH *",
            "* 3 FETCH (UID 41 RFC822.SIZE 10 INTERNALDATE \"17-Jul-1996 02:44:25 -0700\")\r\n{tag} OK done\r\n"
        )
    );
    let mut mailbox = Server::start(HELLO, script).await.open().await.expect("signed in");
    assert_eq!(mailbox.select("INBOX").await, Ok(Opened { validity: 9, uid_next: 42 }));
}

#[test]
fn sets_of_numbers_are_written_in_runs() {
    assert_eq!(uid_set(&[5, 4, 9, 6, 6]), "4:6,9");
    assert_eq!(uid_set(&[7]), "7");
    assert_eq!(uid_set(&[]), "");
    assert_eq!(uid_set(&[1, 3, 5]), "1,3,5");
}
