// SPDX-License-Identifier: EUPL-1.2
//! What holds in every submission, whatever a server answers.

use proptest::prelude::*;

use super::*;
use crate::email::reply::ReplyReader;

#[derive(Clone, Debug)]
enum Answer {
    Reply(&'static str),
    Failure(Failure),
}

fn answers() -> impl Strategy<Value = Vec<Answer>> {
    let replies = vec![
        "220 x\r\n",
        "250 x\r\n",
        "250-x\r\n250-STARTTLS\r\n250-AUTH PLAIN LOGIN\r\n250 SIZE 100\r\n",
        "235 in\r\n",
        "334 go\r\n",
        "354 go\r\n",
        "421 x\r\n",
        "450 x\r\n",
        "535 x\r\n",
        "550 5.1.1 x\r\n",
        "554 x\r\n",
    ];
    let failures = vec![Failure::Dropped, Failure::TimedOut, Failure::NoMailServer, Failure::Tls];
    let answer = prop_oneof![
        20 => prop::sample::select(replies).prop_map(Answer::Reply),
        1 => prop::sample::select(failures).prop_map(Answer::Failure),
    ];
    prop::collection::vec(answer, 0..20)
}

/// The answers of a server to which nothing is wrong, each now and then replaced by another.
fn mostly_good() -> impl Strategy<Value = Vec<Answer>> {
    let good = [
        "220 x\r\n",
        "250-x\r\n250-STARTTLS\r\n250 AUTH PLAIN\r\n",
        "220 go\r\n",
        "250-x\r\n250 AUTH PLAIN\r\n",
        "235 in\r\n",
        "250 x\r\n",
        "250 x\r\n",
        "250 x\r\n",
        "354 go\r\n",
        "250 x\r\n",
    ];
    (answers(), prop::collection::vec(0_u8..8, good.len()), any::<bool>()).prop_map(
        move |(others, dice, clear)| {
            let mut others = others.into_iter();
            // Without STARTTLS there is one answer to it and one to EHLO less.
            let kept = good.iter().enumerate().filter(|(at, _)| !clear || !(2..4).contains(at));
            let answer = |(at, reply): (usize, &&'static str)| match dice[at] {
                0 => others.next().unwrap_or(Answer::Failure(Failure::Dropped)),
                _ => Answer::Reply(reply),
            };
            kept.map(answer).collect()
        },
    )
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]
    #[test]
    fn every_recipient_has_an_outcome_and_unknown_means_that_all_was_sent(
        answers in prop_oneof![answers(), mostly_good()],
        security in prop::sample::select(vec![Security::Tls, Security::StartTls, Security::None]),
        sign_in: bool,
        token: bool,
    ) {
        let secret = if token { Secret::Token("t".to_owned()) } else { Secret::Password("p".to_owned()) };
        let credentials = Credentials { username: "u".to_owned(), secret };
        let from = EmailAddress::parse("desk@shop.example").expect("address");
        let to = ["a@b.example", "c@d.example"].map(|text| EmailAddress::parse(text).expect("address"));
        let errand = Errand::Message { recipients: &to, octets: 50, eight_bit: false, id: "7.a" };
        let mut dialogue =
            Dialogue::new(errand, &from, security, sign_in.then_some(&credentials), "desk.example");
        let (mut answers, mut secured, mut text_sent) = (answers.into_iter(), false, false);
        let mut next = dialogue.connected();
        let mut last_positive = None;
        loop {
            match next {
                Move::Leave => break,
                Move::ShakeHands => {
                    prop_assert!(!secured && security != Security::None);
                    secured = true;
                    next = dialogue.tls_made();
                    continue;
                }
                Move::SendText => {
                    dialogue.text_sent();
                    text_sent = true;
                }
                Move::Send(bytes) => {
                    let words = String::from_utf8(bytes).expect("text");
                    prop_assert!(words.ends_with("\r\n") && words.matches("\r\n").count() == 1);
                    let in_clear = security != Security::None && !secured;
                    let harmless = words.starts_with("EHLO") || words == "STARTTLS\r\n";
                    prop_assert!(!in_clear || harmless, "{} in clear", words);
                }
                Move::Await => {}
            }
            match answers.next().unwrap_or(Answer::Failure(Failure::TimedOut)) {
                Answer::Failure(failure) => {
                    last_positive = None;
                    dialogue.failed(failure);
                    break;
                }
                Answer::Reply(bytes) => {
                    let mut reader = ReplyReader::default();
                    reader.push(bytes.as_bytes());
                    let reply = reader.take().expect("well-formed").expect("whole");
                    last_positive = Some(reply.code < 300);
                    next = dialogue.on_reply(reply);
                }
            }
        }
        let outcomes = dialogue.outcomes();
        prop_assert_eq!(outcomes.len(), 2);
        let unknown = outcomes.iter().any(|outcome| matches!(outcome, Outcome::Unknown { .. }));
        prop_assert!(unknown || !text_sent || last_positive.is_some(), "all was sent and nothing answered");
        for outcome in outcomes {
            match outcome {
                Outcome::Unknown { .. } => prop_assert!(text_sent && last_positive != Some(true)),
                Outcome::Sent { .. } => prop_assert!(text_sent && last_positive == Some(true)),
                // Behind the text only a reply may call for another try or end the matter.
                Outcome::Retry { reply, .. } | Outcome::Failed { reply, .. } => {
                    prop_assert!(!text_sent || reply.is_some());
                }
            }
        }
    }
}
