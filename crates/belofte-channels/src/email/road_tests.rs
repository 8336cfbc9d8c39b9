// SPDX-License-Identifier: EUPL-1.2
//! The road in one process: a mail through a real socket into sealed stores, an answer out of
//! them into another real listener.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use belofte_core::{Addressee, Core, NewReply};
use belofte_model::{
    ChannelKind, ConversationStatus, DeliveryState, EmailAddress, Language, LineSecurity, MessageKind,
    Purpose, RequestId, SignInWith,
};
use belofte_store::{
    Access, Assignee, Clock, ConversationQuery, EngineSettings, NewChannelAccount, NewSubmission, NewUser,
    PasswordChange, Slug, Store, StoreSettings,
};
use belofte_vault::{Pii, Random, RootKey};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use super::authorisation::Authorising;
use super::deliver::{Delivering, deliver};
use super::intake::{Intake, MemoryIntake};
use super::listener::{Listener, ListenerSettings};
use super::process::Processing;
use super::smtp_session::{Protocol, SessionSettings};
use super::submission::{Patience, Submission};
use crate::dns::Dns;
use crate::email::client_tls;
use crate::outbound::{Outbound, Register};
use crate::scanner::Scanner;
use crate::web::Web;

struct House {
    core: Core,
    access: Access,
    smtp: SocketAddr,
    delivering: Delivering,
    customers: MemoryIntake,
    processing: Processing,
    _folder: tempfile::TempDir,
}

fn address(text: &str) -> EmailAddress {
    EmailAddress::parse(text).expect("an address")
}

async fn listen(intake: Intake, core: Option<&Core>) -> SocketAddr {
    let bind = "127.0.0.1:0".parse().expect("an address");
    let settings = ListenerSettings::new(bind, SessionSettings::new(Protocol::Smtp, "mx.example"));
    let listener = Listener::bind(settings, intake).await.expect("a port");
    let at = listener.local_addr().expect("an address");
    let tasks = core.map_or_else(TaskTracker::new, |core| core.tasks.clone());
    tasks.spawn(listener.run(tasks.clone(), CancellationToken::new()));
    at
}

async fn store(folder: &Path, engine: EngineSettings) -> Store {
    let root = RootKey::create_file(&folder.join("root.key"), &Random::System).expect("a root key");
    let settings = StoreSettings { folder: folder.to_owned(), engine };
    Store::open(&settings, root, Clock::System, Random::System).await.expect("stores")
}

impl House {
    async fn open() -> Self {
        Self::open_as("info@shop.example", None, 4).await
    }

    /// As [`open`](Self::open), with answers going to this port of the loopback instead.
    async fn open_sending_to(port: Option<u16>) -> Self {
        Self::open_as("info@shop.example", port, 4).await
    }

    /// A house whose desk has this address, with answers going to this port of the loopback, if any,
    /// in which so many mails can be filed at the door at a time.
    async fn open_as(desk: &str, port: Option<u16>, places: usize) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let store = store(folder.path(), EngineSettings::Sqlite { readers: 2 }).await;
        store.system().found_system().await.expect("keys of the house");
        let slug = Slug::parse("shop").expect("a short name");
        let founded = store.system().create_tenant(&slug, "Shop", "Klantenservice").await.expect("a tenant");
        let token = founded.invitation.token.expose();
        let invitation = store.system().invitation_by_token(token).await.expect("read").expect("open");
        let user = NewUser {
            name: Pii::new("Sanne de Boer".to_owned()),
            email: address("sanne@shop.example"),
            language: Language::Nl,
            password_hash: Pii::new("no password is checked here".to_owned()),
            user_agent: Pii::new(String::new()),
        };
        let session = store.system().accept_invitation(&invitation, &user).await.expect("a user");
        let request = RequestId::new(store.clock().now(), store.random().bytes());
        let access = Access::authenticated(&session.who, Purpose::Service, request, Clock::System);

        let customers = MemoryIntake::default();
        customers.takes("jan@klant.example", 1);
        let outside = listen(Intake::Memory(customers.clone()), None).await;
        let account = NewChannelAccount {
            kind: ChannelKind::Email,
            address: address(desk),
            from_name: "Shop".to_owned(),
            signature: String::new(),
            queue: None,
            reply_language: Language::Nl,
            submission: Some(NewSubmission {
                host: outside.ip().to_string(),
                port: port.unwrap_or(outside.port()),
                security: LineSecurity::None,
                username: None,
                sign_in: SignInWith::Password,
                password: PasswordChange::Keep,
            }),
            retrieval: None,
            authorisation: None,
        };
        let admin = Access::authenticated(&session.who, Purpose::Administration, request, Clock::System);
        store.create_channel_account(&admin, None, account).await.expect("an account");

        let core = Core::new(store, TaskTracker::new(), CancellationToken::new());
        let names = Dns::fixed(HashMap::new());
        let processing = Processing::new(core.clone(), places, names, Scanner::off());
        let smtp = listen(Intake::Core(processing.clone()), Some(&core)).await;
        let allowed = vec!["127.0.0.0/8".parse().expect("a network")];
        let outbound = Outbound::new(Register::new(Vec::new()).expect("a register"), allowed);
        let tls = client_tls(Vec::new()).expect("roots");
        let authorising = Authorising::new(Web::new(outbound.clone(), Arc::clone(&tls)));
        let submission = Submission::new(outbound, tls, "desk.shop.example", Patience::default());
        let delivering = Delivering { submission, authorising };
        Self { core, access, smtp, delivering, customers, processing, _folder: folder }
    }

    /// Sends one mail and gives the last answer of the server.
    async fn send(&self, from: &str, to: &str, mail: &str) -> String {
        let mut line = TcpStream::connect(self.smtp).await.expect("connected");
        let body = mail.replace('\n', "\r\n");
        let steps = [
            String::new(),
            "EHLO customer.example\r\n".to_owned(),
            format!("MAIL FROM:<{from}>\r\n"),
            format!("RCPT TO:<{to}>\r\n"),
            "DATA\r\n".to_owned(),
            format!("{body}\r\n.\r\n"),
        ];
        let mut last = String::new();
        for step in steps {
            line.write_all(step.as_bytes()).await.expect("sent");
            last = String::new();
            let mut buffer = [0; 2048];
            while last.lines().last().is_none_or(|line| line.as_bytes().get(3) != Some(&b' ')) {
                let n = line.read(&mut buffer).await.expect("an answer");
                assert!(n > 0, "the server hung up after {step:?}");
                last.push_str(&String::from_utf8_lossy(&buffer[..n]));
            }
        }
        last
    }

    async fn conversations(&self) -> Vec<belofte_store::Conversation> {
        let query = ConversationQuery {
            status: None,
            assignee: Assignee::Any,
            queue: None,
            tag: None,
            contact: None,
            after: None,
            limit: 50,
        };
        self.core.store.conversations(&self.access, query).await.expect("a list")
    }

    /// Waits until background work has filed `messages` messages in all.
    async fn until(&self, messages: i64) {
        for _ in 0..200 {
            let there: i64 = self.conversations().await.iter().map(|case| case.messages).sum();
            if there >= messages {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("{messages} messages were not filed");
    }

    /// Waits until the accounting of the one account is as `wanted`.
    async fn until_sum(&self, wanted: impl Fn(&belofte_store::Accounting) -> bool) {
        let account = self.core.store.channel_accounts(&self.access).await.expect("accounts")[0].id;
        for _ in 0..200 {
            if wanted(&self.core.store.accounting(&self.access, account).await.expect("a sum")) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("the accounting did not come to what it should");
    }

    /// Does all jobs that are due now, as the worker would.
    async fn work(&self) -> usize {
        let now = self.core.clock().now();
        let mut done = 0;
        for tenant in self.core.store.system().tenants_with_due_jobs(now).await.expect("tenants") {
            for job in self.core.store.system().claim_jobs(tenant, 10, now).await.expect("jobs") {
                match job.kind {
                    belofte_model::JobKind::ProcessIntake => self.processing.process(&job).await,
                    belofte_model::JobKind::Deliver => deliver(&self.core, &self.delivering, &job).await,
                    _ => continue,
                }
                done += 1;
            }
        }
        done
    }
}

const QUESTION: &str = "From: Jan Jansen <jan@klant.example>\nTo: info@shop.example\nSubject: Vraag over factuur 2041\n\
Message-ID: <vraag-1@klant.example>\nDate: Mon, 02 Nov 2026 10:00:00 +0100\nContent-Type: text/plain; charset=utf-8\n\n\
Goedemorgen, de factuur klopt volgens mij niet. Kunt u zebrapad nakijken?\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn from_a_mail_to_an_answer_and_back() {
    let house = House::open().await;
    let answer = house.send("jan@klant.example", "info@shop.example", QUESTION).await;
    assert!(answer.starts_with("250"), "{answer}");
    house.until(1).await;

    let cases = house.conversations().await;
    assert_eq!(cases.len(), 1);
    let case = &cases[0];
    assert_eq!(case.summary.subject, "Vraag over factuur 2041");
    assert_eq!(case.summary.name, "Jan Jansen");
    assert_eq!(case.status, ConversationStatus::Open);
    let messages = house.core.store.messages(&house.access, case.id, None, 50).await.expect("messages");
    assert_eq!(messages.len(), 1);
    assert!(messages[0].content.text.contains("zebrapad"));
    let source = house.core.store.message_source(&house.access, messages[0].id).await;
    let source = source.expect("the source opens");
    assert!(String::from_utf8_lossy(&source).contains("Message-ID: <vraag-1@klant.example>"));

    // The same mail again is there once.
    house.send("jan@klant.example", "info@shop.example", QUESTION).await;
    house.until_sum(|sum| sum.duplicates == 1).await;
    assert_eq!(house.conversations().await[0].messages, 1);

    // The agent answers; the customer's server receives it.
    let reply = NewReply { text: "Dank u, wij kijken het na.".to_owned(), ..NewReply::default() };
    let sent = belofte_core::reply(&house.core, &house.access, case.id, &reply).await.expect("a reply");
    assert_eq!(sent.deliveries[0].state, DeliveryState::Queued);
    assert_eq!(house.work().await, 1);
    let sent = house.core.store.message(&house.access, sent.id).await.expect("the reply");
    assert_eq!(sent.deliveries[0].state, DeliveryState::Sent, "{:?}", sent.deliveries[0].code);
    let received = house.customers.received();
    assert_eq!(received.len(), 1);
    let raw = String::from_utf8_lossy(&received[0].raw).into_owned();
    assert!(raw.contains("In-Reply-To: <vraag-1@klant.example>"), "{raw}");
    assert!(raw.contains("Subject: Re: Vraag over factuur 2041"), "{raw}");
    assert_eq!(house.conversations().await[0].status, ConversationStatus::Waiting);

    // The customer answers to the signed reply address, without any identifier.
    let parsed = belofte_mail::parse(&received[0].raw).expect("our own mail");
    let reply_to = parsed.reply_to[0].address.as_sent();
    assert!(reply_to.starts_with("info+r."), "{reply_to}");
    let second = "From: jan@klant.example\nTo: info@shop.example\nSubject: iets anders\n\nBedankt!\n";
    let answer = house.send("jan@klant.example", &reply_to, second).await;
    assert!(answer.starts_with("250"), "{answer}");
    house.until(3).await;
    let cases = house.conversations().await;
    assert_eq!(cases.len(), 1, "the signed address names the thread");
    assert_eq!(cases[0].status, ConversationStatus::Open);

    // A stranger with the same subject opens a case of their own.
    let stranger = QUESTION.replace("jan@klant", "piet@ander").replace("vraag-1", "vraag-9");
    house.send("piet@ander.example", "info@shop.example", &stranger).await;
    house.until(4).await;
    assert_eq!(house.conversations().await.len(), 2);

    // A forged reply address names nothing.
    let forged = format!("{}x@shop.example", &reply_to[..reply_to.find('@').expect("an address") - 1]);
    let third = "From: eve@ander.example\nTo: info@shop.example\nSubject: hallo\n\nHallo\n";
    house.send("eve@ander.example", &forged, third).await;
    house.until(5).await;
    assert_eq!(house.conversations().await.len(), 3);

    // Everything is found by its words, also by the beginning of one.
    let access = &house.access;
    for query in ["zebrapad", "factuur zebrapad", "jans"] {
        let hits = house.core.store.search(access, query, None, 10).await.expect("a search");
        assert!(!hits.items.is_empty(), "{query}");
        assert!(hits.items.iter().all(|hit| hit.message.kind != MessageKind::Note));
    }
    let none = house.core.store.search(access, "olifant", None, 10).await.expect("a search");
    assert!(none.items.is_empty());
    assert_eq!(house.work().await, 0, "no job is left");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn at_the_door_a_mail_is_filed_before_its_sender_is_answered() {
    let house = House::open().await;
    house.send("jan@klant.example", "info@shop.example", QUESTION).await;
    let cases = house.conversations().await;
    assert_eq!(cases.len(), 1, "a message at once, not by a job");
    assert_eq!(house.work().await, 0);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_place_a_mail_is_spooled_and_filed_by_a_job() {
    let house = House::open_as("info@shop.example", None, 0).await;
    let answer = house.send("jan@klant.example", "info@shop.example", QUESTION).await;
    assert!(answer.starts_with("250"), "{answer}");
    assert!(house.conversations().await.is_empty(), "durable, and not a message yet");
    house.until_sum(|sum| (sum.received, sum.imported, sum.pending) == (1, 0, 1)).await;
    assert_eq!(house.work().await, 1);
    let cases = house.conversations().await;
    let messages = house.core.store.messages(&house.access, cases[0].id, None, 50).await.expect("messages");
    assert!(messages[0].content.text.contains("zebrapad"));
    let source = house.core.store.message_source(&house.access, messages[0].id).await;
    assert!(String::from_utf8_lossy(&source.expect("it opens")).contains("vraag-1@klant.example"));
    house.until_sum(|sum| (sum.received, sum.imported, sum.pending) == (1, 1, 0)).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_cannot_be_read_is_quarantined_and_strangers_are_refused() {
    let house = House::open().await;
    let answer = house.send("x@klant.example", "info@shop.example", "this is no mail at all").await;
    assert!(answer.starts_with("250"), "taken in, since it is durable: {answer}");
    for _ in 0..200 {
        let accounts = house.core.store.channel_accounts(&house.access).await.expect("accounts");
        let sum = house.core.store.accounting(&house.access, accounts[0].id).await.expect("a sum");
        if sum.quarantined == 1 {
            assert_eq!((sum.received, sum.imported), (1, 0));
            return;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("nothing was quarantined");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn all_recipients_of_an_answer_wait_for_the_same_time() {
    // Nobody listens there.
    let closed =
        std::net::TcpListener::bind("127.0.0.1:0").expect("a port").local_addr().expect("bound").port();
    let house = House::open_sending_to(Some(closed)).await;
    house.send("jan@klant.example", "info@shop.example", QUESTION).await;
    house.until(1).await;
    let case = house.conversations().await[0].id;
    let colleague = |n| address(&format!("collega{n}@klant.example"));
    let cc = (0..5).map(|n| Addressee { name: String::new(), address: colleague(n) }).collect();
    let reply = NewReply { text: "Dank u.".to_owned(), cc, ..NewReply::default() };
    let sent = belofte_core::reply(&house.core, &house.access, case, &reply).await.expect("a reply");
    assert_eq!(house.work().await, 1);
    let sent = house.core.store.message(&house.access, sent.id).await.expect("the reply");
    assert_eq!(sent.deliveries.len(), 6);
    let first = sent.deliveries[0].next_try_at.expect("tried again");
    for delivery in &sent.deliveries {
        assert_eq!((delivery.state, delivery.next_try_at), (DeliveryState::Queued, Some(first)));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_with_a_long_name_has_a_signed_address_too() {
    let desk = "klantenservice-en-reparaties-bovenwindse@shop.example";
    let house = House::open_as(desk, None, 4).await;
    house.send("jan@klant.example", desk, QUESTION).await;
    house.until(1).await;
    let case = house.conversations().await[0].id;
    let reply = NewReply { text: "Dank u.".to_owned(), ..NewReply::default() };
    belofte_core::reply(&house.core, &house.access, case, &reply).await.expect("a reply");
    assert_eq!(house.work().await, 1);
    let parsed = belofte_mail::parse(&house.customers.received()[0].raw).expect("our own mail");
    let reply_to = parsed.reply_to[0].address.as_sent();
    assert!(reply_to.starts_with("klantenservice-en-reparaties-bovenwindse+r."), "{reply_to}");
    assert!(parsed.reply_to[0].address.local().len() <= 64, "{reply_to}");
    let second = format!("From: jan@klant.example\nTo: {desk}\nSubject: iets anders\n\nBedankt!\n");
    house.send("jan@klant.example", &reply_to, &second).await;
    house.until(3).await;
    assert_eq!(house.conversations().await.len(), 1, "the signed address names the thread");
    let at = reply_to.find('@').expect("an address");
    let other = if reply_to[..at].ends_with('a') { "e" } else { "a" };
    let forged = format!("{}{other}{}", &reply_to[..at - 1], &reply_to[at..]);
    house.send("eve@ander.example", &forged, &second.replace("Bedankt", "Hallo")).await;
    house.until(4).await;
    assert_eq!(house.conversations().await.len(), 2, "a forged one names nothing");
}

/// A report about `recipient`, as a mail system writes it, with what it knows of the mail.
fn report(id: &str, recipient: &str, envelope: &str, original: &str) -> String {
    format!(
        "From: MAILER-DAEMON@mx.klant.example\nTo: info@shop.example\nSubject: Undelivered Mail\n\
         Message-ID: <{id}@mx.klant.example>\nMIME-Version: 1.0\n\
         Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n--b\n\n\
         It did not arrive.\n--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx.klant.example\n\
         {envelope}\nFinal-Recipient: rfc822; {recipient}\nAction: failed\nStatus: 5.2.2\n\
         Diagnostic-Code: smtp; 552 5.2.2 full\n--b\nContent-Type: text/rfc822-headers\n\n{original}\n--b--\n"
    )
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_report_changes_a_delivery_only_by_what_nobody_can_guess() {
    let house = House::open().await;
    house.send("jan@klant.example", "info@shop.example", QUESTION).await;
    house.until(1).await;
    let case = house.conversations().await[0].id;
    let reply = NewReply { text: "Dank u.".to_owned(), ..NewReply::default() };
    let sent = belofte_core::reply(&house.core, &house.access, case, &reply).await.expect("a reply");
    let now = house.core.clock().now();
    let tenant = house.access.tenant();
    let job = house.core.store.system().claim_jobs(tenant, 10, now).await.expect("claimed").remove(0);
    let (_, parcel) = belofte_core::parcel(&house.core, &job).await.expect("read").expect("a parcel");
    deliver(&house.core, &house.delivering, &job).await;
    let state = async || {
        let message = house.core.store.message(&house.access, sent.id).await.expect("the reply");
        (message.deliveries[0].state, message.deliveries[0].code.clone())
    };
    assert_eq!(state().await, (DeliveryState::Sent, None));

    let ours = sent.content.message_id.clone().expect("an identifier");
    let envelope = format!("Original-Envelope-Id: {}\n", parcel.envelope_id);
    let header = |id: &str| format!("Message-ID: <{id}>\nSubject: x\n");
    let (name, code) = parcel.envelope_id.split_once('.').expect("a code");
    let turned: String = code.chars().rev().collect();
    let forged = [
        // Another identifier, with and without its form.
        report("f1", "jan@klant.example", "", &header("vraag-1@klant.example")),
        report("f2", "jan@klant.example", "", &header(&ours.replace('0', "1"))),
        report("f3", "jan@klant.example", "", "Subject: Re: Vraag over factuur 2041\n"),
        // Somebody who did not get it.
        report("f4", "piet@klant.example", &envelope, &header(&ours)),
        // A name of the envelope that we did not sign.
        report("f5", "jan@klant.example", &format!("Original-Envelope-Id: {name}.{turned}\n"), ""),
        report("f6", "jan@klant.example", &format!("Original-Envelope-Id: {name}\n"), ""),
    ];
    for (number, mail) in forged.iter().enumerate() {
        assert!(house.send("", "info@shop.example", mail).await.starts_with("250"));
        house.until(3 + i64::try_from(number).expect("small")).await;
        assert_eq!(state().await, (DeliveryState::Sent, None), "{mail}");
    }
    // The signed name alone is enough: some systems change a Message-ID on the way.
    let real = report("r1", "Jan@klant.example", &envelope, "Subject: x\n");
    house.send("", "info@shop.example", &real).await;
    house.until(9).await;
    assert_eq!(state().await, (DeliveryState::Failed, Some("mailbox_full".to_owned())));
    assert_eq!(house.work().await, 0, "a report is not answered");

    // Sent again by a person; a copy of the old report does not fail it again.
    let message = house.core.store.message(&house.access, sent.id).await.expect("the reply");
    let retry =
        belofte_store::RetryDeliveries::prepare(&house.core.store, &house.access, &message, Vec::new());
    house.core.store.write(&house.access, retry).await.expect("queued");
    assert_eq!(house.work().await, 1);
    house.send("", "info@shop.example", &real).await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(state().await, (DeliveryState::Sent, None));
    // The identifier alone is enough as well: not every system knows of envelopes.
    house.send("", "info@shop.example", &report("r2", "jan@klant.example", "", &header(&ours))).await;
    house.until(10).await;
    assert_eq!(state().await.0, DeliveryState::Failed);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_known_identifier_with_other_words_is_a_message_of_its_own() {
    let house = House::open().await;
    let (from, to) = ("jan@klant.example", "info@shop.example");
    house.send(from, to, QUESTION).await;
    house.until(1).await;
    // Another way and another encoding of the same words: a copy.
    let way = QUESTION.replace(
        "Content-Type",
        "Received: from elsewhere by here; Mon, 02 Nov 2026 10:00:01 +0100\n\
         Content-Transfer-Encoding: quoted-printable\nContent-Type",
    );
    house.send(from, to, &way.replace("klopt volgens", "klopt=20volgens")).await;
    house.until_sum(|sum| sum.duplicates == 1).await;
    // The same identifier by mistake: what it says is not lost, and its own copy is told.
    let other = QUESTION.replace("zebrapad", "kruispunt");
    house.send(from, to, &other).await;
    house.until(2).await;
    house.send(from, to, &other).await;
    house.until_sum(|sum| sum.duplicates == 2 && sum.imported == 2).await;
    let mut texts = Vec::new();
    for case in house.conversations().await {
        for message in house.core.store.messages(&house.access, case.id, None, 50).await.expect("messages") {
            texts.push(message.content.text);
        }
    }
    assert_eq!(texts.len(), 2);
    assert!(texts.iter().any(|text| text.contains("kruispunt")), "{texts:?}");
    assert_eq!(house.work().await, 0, "no job is left");
}
