// SPDX-License-Identifier: EUPL-1.2
//! Whole dialogues against the session, without sockets.

use proptest::prelude::*;

use super::*;

/// Sender, accounts with recipients, text.
type Handed = (Option<String>, Vec<(&'static str, String)>, String);

/// What storing for an account comes to.
type Storing = fn(&'static str) -> Result<(), ReceiveError>;

/// What a scripted house answers.
struct House {
    session: Session<&'static str>,
    /// The messages handed over: sender, accounts with recipients, text.
    handed: Vec<Handed>,
    looked_up: Vec<String>,
    results: Storing,
    admit: bool,
    closed: bool,
}

fn settings(protocol: Protocol) -> SessionSettings {
    SessionSettings { max_message: 1_000, ..SessionSettings::new(protocol, "mx.belofte.example") }
}

impl House {
    fn new(settings: SessionSettings) -> Self {
        let session = Session::new(Arc::new(settings), ByteBudget::new(1 << 20), None, Duration::ZERO);
        let mut house = Self {
            session,
            handed: vec![],
            looked_up: vec![],
            results: |_| Ok(()),
            admit: true,
            closed: false,
        };
        house.session.greet();
        house
    }

    fn smtp() -> Self {
        Self::new(settings(Protocol::Smtp))
    }

    fn lmtp() -> Self {
        Self::new(settings(Protocol::Lmtp))
    }

    /// Gives bytes, does what is asked, returns what was said.
    fn say(&mut self, bytes: impl AsRef<[u8]>) -> String {
        self.session.receive(bytes.as_ref(), Duration::from_secs(1));
        loop {
            match self.session.advance() {
                Step::Read => break,
                Step::Close => {
                    self.closed = true;
                    break;
                }
                Step::StartTls => break,
                Step::Admit => self.session.admitted(self.admit),
                Step::Resolve(address) => {
                    self.looked_up.push(address.as_sent());
                    self.session.resolved(match address.normalised().as_str() {
                        "info@shop.example" => Resolution::Known("info"),
                        "help@shop.example" => Resolution::Known("help"),
                        "a+b@shop.example" => Resolution::Known("a+b"),
                        "postmaster@mx.belofte.example" => Resolution::Known("postmaster"),
                        "paused@shop.example" => Resolution::Paused,
                        "later@shop.example" => Resolution::TryLater,
                        "busy@shop.example" => Resolution::Busy,
                        _ => Resolution::Unknown,
                    });
                }
                Step::Deliver(handover) => {
                    let results: Vec<_> =
                        handover.targets.iter().map(|(account, _)| (self.results)(account)).collect();
                    let targets =
                        handover.targets.iter().map(|(account, rcpt)| (*account, rcpt.as_sent())).collect();
                    self.handed.push((
                        handover.mail_from.map(|from| from.as_sent()),
                        targets,
                        String::from_utf8_lossy(&handover.text).into_owned(),
                    ));
                    self.session.delivered(&results);
                }
            }
        }
        String::from_utf8(self.session.take_output()).expect("replies are text")
    }

    /// The codes of the replies, continuation lines left out.
    fn codes(&mut self, bytes: impl AsRef<[u8]>) -> Vec<String> {
        let reply = self.say(bytes);
        let last = reply.lines().filter(|line| line.as_bytes().get(3) == Some(&b' '));
        last.map(|line| line.split(' ').take(2).collect::<Vec<_>>().join(" ")).collect()
    }
}

const HELLO: &str = "EHLO client.example\r\n";
const FROM: &str = "MAIL FROM:<a@b.example>\r\n";
const TO: &str = "RCPT TO:<info@shop.example>\r\n";

#[test]
fn a_message_is_handed_over_before_it_is_acknowledged() {
    let mut house = House::smtp();
    assert_eq!(house.say(""), "220 mx.belofte.example ESMTP Belofte\r\n");
    let hello = house.say(HELLO);
    for offer in
        ["PIPELINING", "SIZE 1000", "STARTTLS", "8BITMIME", "ENHANCEDSTATUSCODES", "SMTPUTF8", "CHUNKING"]
    {
        assert!(hello.contains(offer), "{offer} missing in {hello}");
    }
    assert_eq!(house.codes(FROM), ["250 2.1.0"]);
    assert_eq!(house.codes("RCPT TO:<Info+Order-7@Shop.example>\r\n"), ["250 2.1.5"]);
    assert_eq!(house.looked_up, ["Info+Order-7@shop.example", "Info@shop.example"]);
    assert!(house.say("DATA\r\n").starts_with("354 "));
    assert!(house.handed.is_empty());
    assert_eq!(house.codes("Subject: x\r\n\r\n..hello\r\n.\r\n"), ["250 2.0.0"]);
    let (from, targets, text) = house.handed.remove(0);
    assert_eq!(from.as_deref(), Some("a@b.example"));
    assert_eq!(targets, [("info", "Info+Order-7@shop.example".to_owned())]);
    assert_eq!(text, "Subject: x\r\n\r\n.hello\r\n");
    assert_eq!(house.codes("QUIT\r\n"), ["221 2.0.0"]);
    assert!(house.closed);
}

#[test]
fn nothing_is_relayed_and_each_state_of_an_account_has_its_reply() {
    let mut house = House::smtp();
    house.say(HELLO);
    house.say(FROM);
    for (recipient, code) in [
        ("nobody@shop.example", "550 5.1.1"),
        ("nobody+info@shop.example", "550 5.1.1"),
        ("info@elsewhere.example", "550 5.1.1"),
        ("info%elsewhere.example@shop.example", "550 5.1.1"),
        ("paused@shop.example", "450 4.2.1"),
        ("later@shop.example", "451 4.3.0"),
        ("busy@shop.example", "450 4.7.1"),
        ("a+b@shop.example", "250 2.1.5"),
        ("postmaster", "250 2.1.5"),
    ] {
        assert_eq!(house.codes(format!("RCPT TO:<{recipient}>\r\n")), [code], "{recipient}");
    }
    house.say("DATA\r\nx\r\n.\r\n");
    let accounts: Vec<&str> = house.handed[0].1.iter().map(|(account, _)| *account).collect();
    assert_eq!(accounts, ["a+b", "postmaster"], "a plus in an account's own address is no detail");
}

#[test]
fn commands_out_of_order_or_not_offered_are_refused() {
    let mut house = House::smtp();
    house.say("");
    for (line, code) in [
        (FROM, "503 5.5.1"),
        ("LHLO x\r\n", "500 5.5.1"),
        ("VRFY info\r\n", "252 2.1.5"),
        ("EXPN list\r\n", "502 5.5.1"),
        ("HELP\r\n", "214 2.0.0"),
        ("AUTH PLAIN AAAA\r\n", "502 5.5.1"),
        ("HELO x\r\n", "250 mx.belofte.example"),
        (TO, "503 5.5.1"),
        ("DATA\r\n", "503 5.5.1"),
        ("MAIL FROM:<a@b.example> SIZE=1001\r\n", "552 5.3.4"),
        (FROM, "250 2.1.0"),
        (FROM, "503 5.5.1"),
        ("DATA\r\n", "554 5.5.1"),
        ("RSET\r\n", "250 2.0.0"),
        (TO, "503 5.5.1"),
        ("WHAT\r\n", "500 5.5.1"),
        ("NOOP\r\n", "250 2.0.0"),
    ] {
        assert_eq!(house.codes(line), [code], "{line:?}");
    }
    assert!(!house.closed);
    assert_eq!(house.codes("GET / HTTP/1.1\r\n"), ["421 5.7.0"]);
    assert!(house.closed);
}

#[test]
fn pipelined_commands_are_answered_in_order() {
    let mut house = House::smtp();
    house.say(HELLO);
    let batch =
        format!("{FROM}{TO}RCPT TO:<nobody@x.example>\r\nDATA\r\nhello\r\n.\r\n{FROM}{TO}RSET\r\nQUIT\r\n");
    assert_eq!(
        house.codes(batch),
        [
            "250 2.1.0",
            "250 2.1.5",
            "550 5.1.1",
            "354 go",
            "250 2.0.0",
            "250 2.1.0",
            "250 2.1.5",
            "250 2.0.0",
            "221 2.0.0"
        ]
    );
    assert_eq!(house.handed.len(), 1);
}

#[test]
fn a_message_smuggled_behind_a_bare_newline_is_never_a_message() {
    for end in ["\n.\n", "\n.\r\n", "\r\n.\n", "\r.\r\n", "\r\n.\r", "\r\r\n.\r\n"] {
        let mut house = House::smtp();
        house.say(format!("{HELLO}{FROM}{TO}DATA\r\n"));
        let reply = house.say(format!(
            "one{end}MAIL FROM:<boss@bank.example>\r\nRCPT TO:<info@shop.example>\r\nDATA\r\ntwo\r\n.\r\n"
        ));
        assert!(house.handed.is_empty(), "{end:?}");
        assert!(reply.starts_with("550 5.6.0"), "{end:?}: {reply}");
        assert!(house.closed, "{end:?}: nothing behind it is a command");
    }
}

#[test]
fn commands_end_in_crlf_only_and_long_lines_are_survived() {
    let mut house = House::smtp();
    house.say("");
    assert_eq!(house.codes("NOOP\n"), ["500 5.5.2"]);
    assert_eq!(house.codes("NOOP\rQUIT\r\n"), ["500 5.5.2"]);
    let longest = format!("NOOP {}\r\n", "x".repeat(MAX_LINE - 7));
    assert_eq!(longest.len(), MAX_LINE);
    assert_eq!(house.codes(&longest), ["250 2.0.0"]);
    assert_eq!(house.codes(format!("x{longest}NOOP\r\n")), ["500 5.5.2", "250 2.0.0"]);
    for _ in 0..100 {
        assert_eq!(house.say([b'y'; 5_000]), "");
    }
    assert!(house.session.input.capacity() < 100_000, "an endless line is not kept");
    assert_eq!(house.codes("\r\nNOOP\r\n"), ["500 5.5.2", "250 2.0.0"]);
}

#[test]
fn what_was_said_in_clear_is_forgotten_under_tls_and_nothing_may_follow_starttls() {
    let mut house = House::smtp();
    house.say(format!("{HELLO}{FROM}{TO}"));
    assert_eq!(house.codes("STARTTLS\r\n"), ["220 2.0.0"]);
    house.session.tls_started("TLS 1.3".to_owned(), Duration::from_secs(2));
    assert_eq!(house.codes("DATA\r\n"), ["503 5.5.1"]);
    assert_eq!(house.codes(FROM), ["503 5.5.1"]);
    assert!(!house.say(HELLO).contains("STARTTLS"));
    assert_eq!(house.codes("STARTTLS\r\n"), ["503 5.5.1"]);

    let mut attacked = House::smtp();
    attacked.say(HELLO);
    let codes = attacked.codes(format!("STARTTLS\r\n{HELLO}{FROM}{TO}DATA\r\nx\r\n.\r\n"));
    assert_eq!(codes, ["554 5.5.1"]);
    assert!(attacked.closed && attacked.handed.is_empty());
}

#[test]
fn limits_hold_while_a_message_streams_and_over_a_session() {
    let mut limits = settings(Protocol::Smtp);
    (limits.max_recipients, limits.max_messages) = (2, 2);
    let mut house = House::new(limits);
    house.say(HELLO);
    assert_eq!(house.codes(format!("{FROM}{TO}{TO}{TO}")).pop().as_deref(), Some("452 4.5.3"));
    house.say("DATA\r\n");
    for _ in 0..100 {
        assert_eq!(house.say(format!("{}\r\n", "z".repeat(78))), "");
    }
    assert_eq!(house.codes(".\r\n"), ["552 5.3.4"]);
    assert!(house.handed.is_empty());
    for _ in 0..2 {
        assert_eq!(house.codes(format!("{FROM}{TO}DATA\r\nx\r\n.\r\n")).pop().as_deref(), Some("250 2.0.0"));
    }
    assert_eq!(house.handed[0].1.len(), 1, "a recipient given twice is one account");
    assert_eq!(house.codes(FROM), ["421 4.7.0"]);
    assert!(house.closed);
}

#[test]
fn too_many_errors_or_idle_commands_end_the_session() {
    let mut house = House::smtp();
    house.say(HELLO);
    house.say(FROM);
    let codes = house.codes("RCPT TO:<guess@shop.example>\r\n".repeat(50));
    assert_eq!(codes.iter().filter(|code| code.starts_with("550")).count(), 20);
    assert_eq!(codes.last().map(String::as_str), Some("421 4.7.0"));
    let mut idler = House::smtp();
    assert_eq!(idler.codes("NOOP\r\n".repeat(1_000)).pop().as_deref(), Some("421 4.7.0"));
}

#[test]
fn a_client_over_its_rate_is_asked_to_come_back() {
    let mut house = House::smtp();
    house.say(HELLO);
    house.admit = false;
    assert_eq!(house.codes(format!("{FROM}{TO}")), ["450 4.7.1", "503 5.5.1"]);
}

#[test]
fn smtp_answers_for_all_accounts_and_a_temporary_failure_outranks() {
    let both = format!("{HELLO}{FROM}{TO}RCPT TO:<help@shop.example>\r\nDATA\r\n");
    let cases: [(Storing, &str); 5] = [
        (|_| Ok(()), "250 2.0.0"),
        (|account| if account == "help" { Err(ReceiveError::Busy) } else { Ok(()) }, "451 4.3.0"),
        (|account| if account == "info" { Err(ReceiveError::Full) } else { Ok(()) }, "452 4.3.1"),
        (|_| Err(ReceiveError::TooLarge), "552 5.3.4"),
        (
            |account| Err(if account == "info" { ReceiveError::TooLarge } else { ReceiveError::Full }),
            "452 4.3.1",
        ),
    ];
    for (results, code) in cases {
        let mut house = House::smtp();
        house.results = results;
        house.say(&both);
        assert_eq!(house.codes("x\r\n.\r\n"), [code]);
    }
}

#[test]
fn lmtp_answers_for_each_recipient() {
    let mut house = House::lmtp();
    assert_eq!(house.codes("EHLO x\r\n"), ["220 mx.belofte.example", "500 5.5.1"]);
    house.results = |account| if account == "help" { Err(ReceiveError::Full) } else { Ok(()) };
    let recipients = format!("{TO}RCPT TO:<help@shop.example>\r\nRCPT TO:<info+x@shop.example>\r\n");
    house.say(format!("LHLO x\r\n{FROM}{recipients}"));
    assert_eq!(house.codes("DATA\r\nx\r\n.\r\n"), ["354 go", "250 2.0.0", "452 4.3.1", "250 2.0.0"]);
    let expected = [("info", "info+x@shop.example".to_owned()), ("help", "help@shop.example".to_owned())];
    assert_eq!(house.handed[0].1, expected, "one copy for an account, with its detail");
    house.say(format!("{FROM}{recipients}DATA\r\n"));
    let large = format!("{}\r\n.\r\n", "z".repeat(2_000));
    assert_eq!(house.codes(large), ["552 5.3.4", "552 5.3.4", "552 5.3.4"]);
    assert_eq!(house.codes(format!("{FROM}DATA\r\n")), ["250 2.1.0", "503 5.5.1"]);
}

#[test]
fn chunks_are_taken_and_refused_chunks_are_never_commands() {
    let mut house = House::smtp();
    house.say(format!("{HELLO}{FROM}{TO}"));
    let codes = house.codes("BDAT 5\r\nab\nc\rBDAT 4 LAST\r\n\r\n.\rNOOP\r\n");
    assert_eq!(codes, ["250 2.0.0", "250 2.0.0", "250 2.0.0"]);
    assert_eq!(house.handed[0].2, "ab\nc\r\r\n.\r");
    assert_eq!(
        house.codes(format!("{FROM}BDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")),
        ["250 2.1.0", "554 5.5.1", "250 2.0.0"]
    );
    house.say("RSET\r\n");
    assert_eq!(house.codes("BDAT 6\r\nQUIT\r\n"), ["503 5.5.1"]);
    house.say(format!("{FROM}{TO}BDAT 1\r\nx"));
    assert_eq!(house.codes(format!("DATA\r\n{TO}")), ["503 5.5.1", "503 5.5.1"]);
    house.say("BDAT 1000\r\n");
    assert_eq!(house.codes([b'x'; 1_000]), ["552 5.3.4"]);
    assert_eq!(house.codes("BDAT 6 LAST\r\nQUIT\r\n"), ["503 5.5.1"]);
    assert_eq!(house.handed.len(), 1);
    assert_eq!(house.codes("BDAT x\r\n"), ["501 5.5.4"]);
    assert!(house.closed);
    let mut flooded = House::smtp();
    flooded.say(format!("{HELLO}{FROM}{TO}"));
    assert_eq!(flooded.codes("BDAT 99999999999\r\n"), ["552 5.3.4"]);
    assert!(flooded.closed);
}

#[test]
fn bounces_and_international_addresses_are_taken() {
    let mut house = House::smtp();
    house.say(HELLO);
    house.say(format!("MAIL FROM:<>\r\n{TO}DATA\r\nx\r\n.\r\n"));
    assert_eq!(house.handed[0].0, None);
    assert_eq!(house.codes("MAIL FROM:<jos\u{e9}@b.example>\r\n"), ["553 5.6.7"]);
    assert_eq!(house.codes("MAIL FROM:<jos\u{e9}@b.example> SMTPUTF8\r\n"), ["250 2.1.0"]);
    assert_eq!(house.codes("RCPT TO:<ren\u{e9}@shop.example>\r\n"), ["550 5.1.1"]);
}

#[test]
fn patience_depends_on_what_is_waited_for_and_ends() {
    let mut house = House::smtp();
    let at = Duration::from_secs(1);
    house.say(HELLO);
    assert_eq!(house.session.deadline(), at + Duration::from_secs(300));
    house.say(format!("{FROM}{TO}DATA\r\n"));
    assert_eq!(house.session.deadline(), at + Duration::from_secs(600));
    assert!(!house.session.is_quiet());
    house.session.receive(b"x", Duration::from_secs(3_500));
    assert_eq!(
        house.session.deadline(),
        Duration::from_secs(3_600),
        "drops of data do not hold a session open"
    );
    house.session.time_out();
    assert_eq!(house.codes(""), ["421 4.4.2"]);
    assert!(house.closed);
}

#[test]
fn a_quiet_session_can_be_shut_down() {
    let mut house = House::smtp();
    house.say(HELLO);
    assert!(house.session.is_quiet());
    house.session.shut_down();
    assert_eq!(house.codes(""), ["421 4.3.2"]);
}

/// Lines a client may send, sensible and not.
fn lines() -> impl Strategy<Value = Vec<u8>> {
    let known = prop::sample::select(vec![
        HELLO,
        FROM,
        TO,
        "RCPT TO:<help+x@shop.example>\r\n",
        "RCPT TO:<nobody@shop.example>\r\n",
        "DATA\r\n",
        "text\r\n",
        ".\r\n",
        "..\r\n",
        "\n",
        "\r",
        ".\n",
        "RSET\r\n",
        "NOOP\r\n",
        "BDAT 7\r\n",
        "BDAT 3 LAST\r\n",
        "QUIT\r\n",
        "HELO x\r\n",
        "VRFY x\r\n",
        "MAIL FROM:<> SIZE=5\r\n",
    ])
    .prop_map(|line| line.as_bytes().to_vec());
    let line = prop_oneof![9 => known, 1 => prop::collection::vec(any::<u8>(), 0..30)];
    let dialogue = |lines: Vec<Vec<u8>>| [format!("{HELLO}{FROM}{TO}").into_bytes(), lines.concat()].concat();
    prop::collection::vec(line, 0..25).prop_map(dialogue)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn any_bytes_in_any_pieces_give_the_same_dialogue(
        bytes in lines(), cuts in prop::collection::vec(0_usize..600, 0..12), lmtp: bool,
    ) {
        let new = || if lmtp { House::lmtp() } else { House::smtp() };
        let (mut whole, mut pieces) = (new(), new());
        let expected = whole.say(&bytes);
        let mut cuts: Vec<usize> = cuts.into_iter().map(|cut| cut.min(bytes.len())).collect();
        cuts.extend([0, bytes.len()]);
        cuts.sort_unstable();
        let got: String = cuts.windows(2).map(|pair| pieces.say(&bytes[pair[0]..pair[1]])).collect();
        prop_assert_eq!(got, expected);
        prop_assert_eq!(pieces.handed, whole.handed);
        prop_assert_eq!(pieces.closed, whole.closed);
    }
}
