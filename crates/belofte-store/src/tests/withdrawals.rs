// SPDX-License-Identifier: EUPL-1.2
//! A message is taken back or sent, never both and never neither.

use belofte_model::{
    ContactId, ConversationId, ConversationStatus, DeliveryState, Duration, JobKind, KeyClass, LedgerKind,
    MessageId, MessageKind, Purpose,
};
use uuid::Uuid;

use super::desk::{Desk, Stored, person, says};
use super::house::{House, houses, upload};
use crate::{
    Access, ClaimedJob, Handling, Message, MessageContent, NewConversation, NewFile, Outgoing, RecipientRole,
    StoreError, WithdrawMessage,
};

const WAIT: Duration = Duration::from_secs(10);

/// An answer of `desk` that waits, with what it does to the case.
async fn answer(house: &House, desk: &Desk, to: Stored, text: &str, how: Handling) -> Message {
    let (store, access) = (&house.store, &desk.admin.access);
    let thread = store.reply_thread(access, to.conversation).await.expect("asked").expect("a thread");
    let file = NewFile {
        name: "kaart.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        content_id: None,
        inline: false,
        bytes: b"Hierheen".to_vec(),
    };
    let jan = person("Jan", "jan@klant.example");
    let id = MessageId::new(house.clock.now(), store.random().bytes());
    let outgoing = Outgoing {
        conversation: to.conversation,
        kind: MessageKind::Reply,
        id,
        thread: Some(thread.thread),
        account: Some(thread.account),
        content: MessageContent {
            from: person("Bakker", "info@bakker.example"),
            to: vec![jan.clone()],
            text: text.to_owned(),
            message_id: Some(format!("{}@bakker.example", id.uuid().simple())),
            ..MessageContent::default()
        },
        recipients: vec![(RecipientRole::To, jan)],
        attachments: vec![upload(store, access, file).await.expect("stored").id],
        how,
    };
    store.write_out(access, &outgoing).await.expect("written");
    store.message(access, id).await.expect("a message")
}

async fn withdraw(house: &House, access: &Access, message: &Message) -> Result<(), StoreError> {
    let change = WithdrawMessage::prepare(&house.store, access, message).await?;
    house.store.write(access, change).await
}

async fn deliveries(house: &House, access: &Access) -> Vec<ClaimedJob> {
    let jobs =
        house.store.system().claim_jobs(access.tenant(), 50, house.clock.now()).await.expect("claimed");
    jobs.into_iter().filter(|job| job.kind == JobKind::Deliver).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_back_leaves_the_case_as_it_was_and_its_files_with_the_writer() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let jan = desk.file(&house, says("Jan", "Ketel", "De ketel lekt."), "v1@klant.example", &[]).await;
        let before = store.conversation(access, jan.conversation).await.expect("a case");
        house.pass(60);
        let how = Handling { resolve: true, wait: WAIT, ..Handling::default() };
        let message = answer(&house, &desk, jan, "Mandarijn.", how).await;
        assert_eq!(message.deliveries[0].next_try_at, Some(house.clock.now() + WAIT), "{}", house.name());
        let resolved = store.conversation(access, jan.conversation).await.expect("a case");
        assert_eq!(resolved.status, ConversationStatus::Resolved);
        store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        assert_eq!(store.search(access, "mandarijn", None, 9).await.expect("hits").items.len(), 1);

        withdraw(&house, access, &message).await.expect("taken back");
        let after = store.conversation(access, jan.conversation).await.expect("a case");
        let told = |case: &crate::Conversation| {
            let summary = (case.summary.preview.clone(), case.summary.subject.clone());
            (
                case.status,
                case.messages,
                case.waiting_since,
                case.last_message_at,
                case.last_message_kind,
                summary,
            )
        };
        assert_eq!(told(&after), told(&before), "{}", house.name());
        assert!(after.version > resolved.version);
        assert!(store.activities(access, jan.conversation).await.expect("activities").is_empty());
        let gone = store.message(access, message.id).await;
        assert!(matches!(gone, Err(StoreError::NotFound)), "{}", house.name());
        assert_eq!(store.messages(access, jan.conversation, None, 9).await.expect("messages").len(), 1);
        let file = store.attachment(access, message.attachments[0].id).await.expect("an upload");
        assert!(file.message.is_none());
        assert_eq!(file.read(0..u64::MAX).await.expect("it opens"), b"Hierheen");
        house.pass(60);
        assert!(deliveries(&house, access).await.is_empty(), "{}: nothing goes out", house.name());
        // Once is enough.
        assert!(matches!(
            withdraw(&house, access, &message).await,
            Err(StoreError::NotFound | StoreError::Conflict)
        ));

        // The index goes on where it was, and finds what is there and nothing of what is not.
        assert!(store.search(access, "mandarijn", None, 9).await.expect("asked").items.is_empty());
        let again = answer(&house, &desk, jan, "Sinaasappel.", Handling::default()).await;
        store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        for (word, count) in [("mandarijn", 0), ("sinaasappel", 1), ("ketel", 1)] {
            let found = store.search(access, word, None, 9).await.expect("asked").items.len();
            assert!(found >= count && (count > 0 || found == 0), "{}: {word} {found}", house.name());
        }
        assert_eq!(deliveries(&house, access).await[0].subject, again.id.uuid());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn of_taking_back_and_sending_exactly_one_happens() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let (mut back, mut sent) = (0, 0);
        for round in 0..24 {
            let id = format!("v{round}@klant.example");
            let jan = desk.file(&house, says("Jan", "Ketel", "Dag."), &id, &[]).await;
            let message =
                answer(&house, &desk, jan, "Ja.", Handling { wait: WAIT, ..Handling::default() }).await;
            assert!(deliveries(&house, access).await.is_empty(), "{}: it waits", house.name());
            house.pass(10);
            let change = WithdrawMessage::prepare(store, access, &message).await.expect("it waits");
            let (taken, claimed) = tokio::join!(
                async {
                    if round % 3 == 0 {
                        tokio::task::yield_now().await;
                    }
                    store.write(access, change).await
                },
                deliveries(&house, access)
            );
            match (&taken, claimed.len()) {
                (Ok(()), 0) => back += 1,
                (Err(StoreError::Conflict), 1) => sent += 1,
                other => panic!("{}: {other:?}", house.name()),
            }
            if taken.is_err() {
                // Whoever is too late finds the message as it was, and so does the worker.
                let kept = store.message(access, message.id).await.expect("a message");
                assert_eq!(kept.deliveries[0].state, DeliveryState::Queued);
                assert!(matches!(withdraw(&house, access, &kept).await, Err(StoreError::Conflict)));
            }
        }
        assert_eq!(back + sent, 24, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_is_taken_back_by_its_writer_alone_and_only_while_it_waits() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let access = &desk.admin.access;
        let els = house.join(&desk.admin, belofte_model::Role::Admin, "els@bakker.example").await;
        let jan = desk.file(&house, says("Jan", "Ketel", "Dag."), "v1@klant.example", &[]).await;
        let message = answer(&house, &desk, jan, "Ja.", Handling { wait: WAIT, ..Handling::default() }).await;
        assert!(matches!(withdraw(&house, &els.access, &message).await, Err(StoreError::NotFound)));
        house.pass(10);
        assert_eq!(deliveries(&house, access).await.len(), 1, "{}", house.name());
        assert!(matches!(withdraw(&house, access, &message).await, Err(StoreError::Conflict)));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_began_with_it_was_never_begun() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let to = person("Els", "els@klant.example");
        let id = MessageId::new(house.clock.now(), store.random().bytes());
        let new = NewConversation {
            id: ConversationId(id.uuid()),
            message: id,
            account: desk.account.id,
            content: MessageContent {
                subject: "Afspraak".to_owned(),
                to: vec![to.clone()],
                text: "Mandarijn.".to_owned(),
                message_id: Some("n1@bakker.example".to_owned()),
                ..MessageContent::default()
            },
            recipients: vec![(RecipientRole::To, to.clone())],
            contact: to,
            contact_address: "els@klant.example".to_owned(),
            attachments: Vec::new(),
            wait: WAIT,
            draft: None,
        };
        store.open_conversation(access, &new).await.expect("written");
        let contact: ContactId = store.conversation(access, new.id).await.expect("a case").contact;
        let message = store.message(access, id).await.expect("a message");
        withdraw(&house, access, &message).await.expect("taken back");
        assert!(
            matches!(store.conversation(access, new.id).await, Err(StoreError::NotFound)),
            "{}",
            house.name()
        );
        assert!(matches!(store.message(access, id).await, Err(StoreError::NotFound)), "{}", house.name());
        assert!(store.search(access, "mandarijn", None, 9).await.expect("asked").items.is_empty());
        assert_eq!(store.contact(access, contact).await.expect("a contact").conversations, 0);
        house.pass(60);
        assert!(deliveries(&house, access).await.is_empty(), "{}", house.name());
        let leaf = house.leaves(access, LedgerKind::Keys).await.pop().expect("a leaf");
        let gone = leaf.detail.value()["destroyed"][0].as_str().expect("a key").to_owned();
        assert!(gone.starts_with(KeyClass::Conversation.as_str()), "{gone}");
        store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        // The address is written to again, and what comes is filed.
        let jan = desk.file(&house, says("Els", "Ketel", "Dag."), "v1@klant.example", &[]).await;
        assert_eq!(store.conversation(access, jan.conversation).await.expect("a case").contact, contact);
        assert_ne!(jan.conversation.uuid(), Uuid::nil());
        house.close().await;
    }
}
