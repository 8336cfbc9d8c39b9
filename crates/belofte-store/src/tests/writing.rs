// SPDX-License-Identifier: EUPL-1.2
//! What the tenant writes of itself: cases that it begins, and what goes along with a message.

use belofte_model::{
    ChannelAccountId, ConversationId, ConversationStatus, Duration, JobKind, LedgerKind, MessageId,
    MessageKind, Purpose, RequestId, Subset, Visible,
};
use uuid::Uuid;

use super::channel_accounts::mailbox;
use super::desk::{Desk, person, says};
use super::house::{House, houses, upload};
use crate::{
    Access, Correspondent, Handling, MessageContent, NewConversation, NewFile, Outgoing, RecipientRole,
    StoreError,
};

fn file(name: &str, bytes: &[u8]) -> NewFile {
    NewFile {
        name: name.to_owned(),
        media_type: "text/plain".to_owned(),
        content_id: None,
        inline: false,
        bytes: bytes.to_vec(),
    }
}

/// A mail to `to` that begins a case.
fn mail(house: &House, account: ChannelAccountId, to: &Correspondent) -> NewConversation {
    let id = MessageId::new(house.clock.now(), house.store.random().bytes());
    NewConversation {
        id: ConversationId(id.uuid()),
        message: id,
        account,
        content: MessageContent {
            subject: "Afspraak".to_owned(),
            from: person("Bakker", "info@bakker.example"),
            to: vec![to.clone()],
            text: "Komt dinsdag u uit?".to_owned(),
            message_id: Some(format!("{}@bakker.example", id.uuid().simple())),
            ..MessageContent::default()
        },
        recipients: vec![(RecipientRole::To, to.clone())],
        contact: to.clone(),
        contact_address: to.address.to_lowercase(),
        attachments: Vec::new(),
        wait: Duration::ZERO,
        draft: None,
    }
}

fn narrowed(house: &House, full: &Access, visible: Visible) -> Access {
    let request = RequestId(Uuid::nil());
    Access::for_test(full.tenant(), full.actor(), Purpose::Service, request, visible, house.clock.clone())
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_the_tenant_begins_waits_for_its_contact_and_is_the_writers() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let jan = desk.file(&house, says("Jan", "Vraag", "Dag."), "v1@klant.example", &[]).await;
        let known = store.conversation(access, jan.conversation).await.expect("a case").contact;

        let to = person("Els", "Els@klant.example");
        let new = mail(&house, desk.account.id, &to);
        store.open_conversation(access, &new).await.expect("written");
        let case = store.conversation(access, new.id).await.expect("a case");
        assert_eq!(case.status, ConversationStatus::Waiting, "{}", house.name());
        assert_eq!((case.assignee, case.waiting_since), (access.user(), None));
        assert_eq!((case.no, case.messages, case.unread), (2, 1, false));
        assert_eq!((case.summary.subject.as_str(), case.summary.name.as_str()), ("Afspraak", "Els"));
        let told = store.activities(access, new.id).await.expect("activities");
        let kinds: Vec<_> = told.iter().map(|one| (one.kind.as_str(), one.actor)).collect();
        let me = desk.admin.id.uuid();
        assert!(kinds.contains(&("created", me)) && kinds.contains(&("assigned", me)), "{kinds:?}");
        let message = store.message(access, new.message).await.expect("a message");
        assert_eq!(message.deliveries.len(), 1);
        let jobs = store.system().claim_jobs(access.tenant(), 9, house.clock.now()).await.expect("claimed");
        let sends = jobs.iter().filter(|job| job.kind == JobKind::Deliver);
        assert_eq!(sends.map(|job| job.subject).collect::<Vec<_>>(), [new.message.uuid()]);
        let leaf = house.leaves(access, LedgerKind::Keys).await.pop().expect("a leaf");
        let made = leaf.detail.value()["made"].as_array().expect("keys").len();
        assert_eq!(made, 2, "a contact and a case: {}", leaf.detail.value());

        // Whoever has written is the same person still, however the address is spelt; the answer joins.
        let again = mail(&house, desk.account.id, &person("", "JAN@klant.example"));
        store.open_conversation(access, &again).await.expect("written");
        assert_eq!(store.conversation(access, again.id).await.expect("a case").contact, known);
        let own = again.content.message_id.as_deref().expect("an identifier");
        let answer = desk.file(&house, says("Jan", "Re: Afspraak", "Ja."), "v2@klant.example", &[own]).await;
        assert_eq!(answer.conversation, again.id, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_begins_a_case_that_they_could_not_read() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, full) = (&house.store, &desk.admin.access);
        let new = mail(&house, desk.account.id, &person("", "jan@klant.example"));
        for visible in [
            Visible { queues: Subset::Only(Vec::new()), ..Visible::all() },
            Visible { channels: Subset::Only(Vec::new()), ..Visible::all() },
        ] {
            let refused = store.open_conversation(&narrowed(&house, full, visible), &new).await;
            assert!(matches!(refused, Err(StoreError::NotFound)), "{}: {refused:?}", house.name());
        }
        let nowhere = mail(&house, ChannelAccountId(Uuid::from_u128(7)), &person("", "jan@klant.example"));
        let refused = store.open_conversation(full, &nowhere).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{}: {refused:?}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_file_of_a_message_goes_along_as_a_copy_and_only_for_who_sees_it() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let jan = desk.file(&house, says("Jan", "Vraag", "Dag."), "v1@klant.example", &[]).await;
        let els = desk.file(&house, says("Els", "Iets", "Dag."), "v2@klant.example", &[]).await;
        // One that lies in its row, and one that has a file of its own.
        let large = vec![b'x'; 200_000];
        let mut uploads = Vec::new();
        for (name, bytes) in [("klein.txt", &b"Hierheen"[..]), ("groot.txt", &large[..])] {
            uploads.push(upload(store, access, file(name, bytes)).await.expect("stored").id);
        }
        let write = |case, attachments| Outgoing {
            conversation: case,
            kind: MessageKind::Note,
            id: MessageId::new(house.clock.now(), store.random().bytes()),
            thread: None,
            account: None,
            content: MessageContent { text: "Zie bijlage.".to_owned(), ..MessageContent::default() },
            recipients: Vec::new(),
            attachments,
            how: Handling::default(),
        };
        let first = store.write_out(access, &write(jan.conversation, uploads.clone())).await.expect("a note");
        let second =
            store.write_out(access, &write(els.conversation, uploads.clone())).await.expect("a note");
        let of =
            |message| async move { store.message(access, message).await.expect("a message").attachments };
        let (before, copies) = (of(first).await, of(second).await);
        assert_eq!(before.iter().map(|file| file.id).collect::<Vec<_>>(), uploads, "{}", house.name());
        assert!(copies.iter().all(|copy| !uploads.contains(&copy.id)));
        for (copy, bytes) in copies.iter().zip([&b"Hierheen"[..], &large[..]]) {
            let read = store.attachment(access, copy.id).await.expect("a file").read(0..u64::MAX).await;
            assert_eq!(read.expect("it opens"), bytes, "{}", house.name());
        }
        assert_eq!(copies[1].name, "groot.txt");
        let nothing = Visible { queues: Subset::Only(Vec::new()), ..Visible::all() };
        let blind = narrowed(&house, access, nothing);
        let refused =
            store.bind(&blind, &uploads, None, &store.keys(access).await.expect("keys").settings).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn passing_on_leaves_the_customer_waiting_and_another_account_opens_a_thread() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let jan = desk.file(&house, says("Jan", "Vraag", "Dag."), "v1@klant.example", &[]).await;
        let before = store.conversation(access, jan.conversation).await.expect("a case");
        let admin = access.as_for(Purpose::Administration);
        let shop = store.create_channel_account(&admin, None, mailbox("winkel@bakker.example")).await;
        let to = person("Piet", "piet@leverancier.example");
        let outgoing = Outgoing {
            conversation: jan.conversation,
            kind: MessageKind::Reply,
            id: MessageId::new(house.clock.now(), store.random().bytes()),
            thread: None,
            account: Some(shop.expect("an account").id),
            content: MessageContent {
                from: person("Winkel", "winkel@bakker.example"),
                to: vec![to.clone()],
                text: "Weet u dit?".to_owned(),
                message_id: Some("f1@bakker.example".to_owned()),
                ..MessageContent::default()
            },
            recipients: vec![(RecipientRole::To, to)],
            attachments: Vec::new(),
            how: Handling { forward: true, ..Handling::default() },
        };
        house.pass(60);
        store.write_out(access, &outgoing).await.expect("written");
        let after = store.conversation(access, jan.conversation).await.expect("a case");
        assert_eq!(
            (after.status, after.waiting_since),
            (before.status, before.waiting_since),
            "{}",
            house.name()
        );
        assert!(before.waiting_since.is_some() && after.messages == 2);
        let threads = store.threads(access, jan.conversation).await.expect("threads");
        assert_eq!(threads.len(), 2, "{}", house.name());
        // The answer of the one who was asked joins the same case.
        let answer =
            desk.file(&house, says("Piet", "Re", "Ja."), "p1@leverancier.example", &["f1@bakker.example"]);
        assert_eq!(answer.await.conversation, jan.conversation, "{}", house.name());
        house.close().await;
    }
}
