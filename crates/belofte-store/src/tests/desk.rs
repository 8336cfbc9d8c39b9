// SPDX-License-Identifier: EUPL-1.2
//! Mail that is received and filed, for tests of what is made of it.

use belofte_model::{ConversationId, Incoming, IntakeId, MessageId, MessageKind, Purpose, RequestId};
use uuid::Uuid;

use super::channel_accounts::mailbox;
use super::house::{House, Person, email};
use crate::{
    Access, Correspondent, Filed, IncomingMail, MessageContent, Outgoing, Receive, RecipientRole,
    ResolvedAccount, SealedEnvelope,
};

/// A tenant with an account that mail comes in on.
pub(super) struct Desk {
    pub(super) admin: Person,
    pub(super) account: ResolvedAccount,
}

/// A message that was filed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Stored {
    pub(super) message: MessageId,
    pub(super) conversation: ConversationId,
    pub(super) no: i64,
}

pub(super) fn person(name: &str, address: &str) -> Correspondent {
    Correspondent { name: name.to_owned(), address: address.to_owned() }
}

/// What a mail of `name` says.
pub(super) fn says(name: &str, subject: &str, text: &str) -> MessageContent {
    let address = format!("{}@klant.example", name.to_lowercase());
    MessageContent {
        subject: subject.to_owned(),
        from: person(name, &address),
        to: vec![person("", "info@bakker.example")],
        text: text.to_owned(),
        ..MessageContent::default()
    }
}

impl Desk {
    pub(super) async fn new(house: &House) -> Self {
        let admin = house.tenant("bakker").await;
        let address = "info@bakker.example";
        house
            .store
            .create_channel_account(&admin.access.as_for(Purpose::Administration), None, mailbox(address))
            .await
            .expect("added");
        let found = house.store.system().account_by_address(&email(address)).await.expect("asked");
        Self { admin, account: found.expect("an account") }
    }

    /// Receives and files a mail that answers the mails `related`.
    pub(super) async fn file(
        &self,
        house: &House,
        content: MessageContent,
        id: &str,
        related: &[&str],
    ) -> Stored {
        let store = &house.store;
        let access = Access::channel(&self.account, RequestId(Uuid::nil()), house.clock.clone());
        let envelope = SealedEnvelope::default();
        let receive =
            Receive::prepare(store, &access, &self.account, &envelope, b"raw", None).await.expect("sealed");
        let intake: IntakeId = receive.intake();
        store.write(&access, receive).await.expect("received");
        let jobs = store.system().claim_jobs(access.tenant(), 10, house.clock.now()).await.expect("claimed");
        let job = jobs.into_iter().find(|job| job.subject == intake.uuid()).expect("a job for it");
        let source = store.intake_source(&access, intake).await.expect("a source");
        let mail = IncomingMail {
            author: content.from.address.clone(),
            content,
            external_id: id.to_owned(),
            related: related.iter().map(|id| (*id).to_owned()).collect(),
            reply_thread: None,
            incoming: Incoming::Person,
            files: Vec::new(),
            sent_at: None,
            report: None,
        };
        match store.file(&access, &job, &source, &mail).await.expect("filed") {
            Filed::Message { message, conversation, no, .. } => Stored { message, conversation, no },
            other => panic!("{other:?}"),
        }
    }

    /// Writes an answer of the admin to `to`.
    pub(super) async fn answer(
        &self,
        house: &House,
        to: Stored,
        recipient: Correspondent,
        text: &str,
    ) -> MessageId {
        self.answer_all(house, to, &[recipient], text).await
    }

    /// As [`answer`](Self::answer), to several people.
    pub(super) async fn answer_all(
        &self,
        house: &House,
        to: Stored,
        recipients: &[Correspondent],
        text: &str,
    ) -> MessageId {
        let thread = house.store.reply_thread(&self.admin.access, to.conversation).await.expect("asked");
        let thread = thread.expect("a thread");
        let outgoing = Outgoing {
            conversation: to.conversation,
            kind: MessageKind::Reply,
            id: MessageId::new(house.clock.now(), house.store.random().bytes()),
            thread: Some(thread.thread),
            account: Some(thread.account),
            content: MessageContent {
                from: person("Bakker", "info@bakker.example"),
                to: recipients.to_vec(),
                text: text.to_owned(),
                ..MessageContent::default()
            },
            recipients: recipients.iter().map(|to| (RecipientRole::To, to.clone())).collect(),
            attachments: Vec::new(),
            how: crate::Handling::default(),
        };
        house.store.write_out(&self.admin.access, &outgoing).await.expect("written")
    }
}

/// The stores opened again, as after the process went.
pub(super) async fn again(mut house: House) -> House {
    house.store.close().await;
    house.store = house.place.open_at(&house.clock).await.expect("stores");
    house
}
