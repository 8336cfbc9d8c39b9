// SPDX-License-Identifier: EUPL-1.2
//! The numbers of a day and a mailbox: what counts, on which day, what a change of mind takes back, and that
//! nobody can be found in them.

use std::collections::BTreeSet;

use belofte_model::{
    ChannelAccountId, ConversationId, Duration, Incoming, MessageId, MessageKind, Purpose, QuarantineReason,
    RequestId, Role, Standing, Timestamp,
};
use uuid::Uuid;

use super::channel_accounts::mailbox;
use super::desk::{Desk, Stored, person, says};
use super::house::{House, email, houses};
use crate::data_map::{DATA_MAP, Holds};
use crate::engine::{params, sql};
use crate::{
    Access, ChangeConversation, ChangeConversations, ConversationChange, Filed, Handling, IncomingMail,
    MessageContent, NewConversation, Outgoing, Quarantine, Read, Receive, RecipientRole, ResolvedAccount,
    SealedEnvelope, Store, StoreError, Tx, WithdrawMessage,
};

/// The last second of 15 January 2027 in UTC; in Amsterdam it is another day already.
const EVE: Timestamp = Timestamp::from_secs(1_800_057_599);
/// The day that ends with it.
const DAY: i64 = 20_833;
const WAIT: Duration = Duration::from_secs(10);

/// Received, conversations, replies, resolved.
pub(super) type Numbers = (i64, i64, i64, i64);

/// The rows of a tenant as they are stored, oldest day first.
struct Rows;

impl Read for Rows {
    type Out = Vec<(i64, ChannelAccountId, Numbers)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        tx.query(
            sql!(
                "SELECT day, channel_account_id, received, conversations, replies, resolved FROM statistic \
                 WHERE tenant_id = $1 ORDER BY day, channel_account_id"
            ),
            params![tenant],
            |row| {
                let numbers = (row.int(2)?, row.int(3)?, row.int(4)?, row.int(5)?);
                Ok((row.int(0)?, row.id(1)?, numbers))
            },
        )
        .await
    }
}

async fn rows(house: &House, access: &Access) -> Vec<(i64, ChannelAccountId, Numbers)> {
    house.store.read(access, Rows).await.expect("rows")
}

/// The numbers of a mailbox, by day.
pub(super) async fn of(house: &House, access: &Access, account: ChannelAccountId) -> Vec<(i64, Numbers)> {
    let all = rows(house, access).await;
    all.into_iter().filter(|row| row.1 == account).map(|(day, _, numbers)| (day, numbers)).collect()
}

fn to(house: &House, at: Timestamp) {
    house.clock.advance(at.since(house.clock.now()));
    assert_eq!(house.clock.now(), at, "the clock goes forward");
}

async fn stand(house: &House, access: &Access, id: ConversationId, standing: Standing) {
    let change = ConversationChange { standing: Some(standing), ..ConversationChange::default() };
    let change = ChangeConversation::prepare(&house.store, access, id, change);
    assert!(house.store.write(access, change).await.expect("changed"), "{}", house.name());
}

fn resolving() -> Handling {
    Handling { resolve: true, ..Handling::default() }
}

/// Writes in a case of the customer Jan.
async fn write(house: &House, access: &Access, to: Stored, kind: MessageKind, how: Handling) -> MessageId {
    let store = &house.store;
    let thread = store.reply_thread(access, to.conversation).await.expect("asked").expect("a thread");
    let jan = person("Jan", "jan@klant.example");
    let id = MessageId::new(house.clock.now(), store.random().bytes());
    let goes_out = kind == MessageKind::Reply;
    let outgoing = Outgoing {
        conversation: to.conversation,
        kind,
        id,
        thread: goes_out.then_some(thread.thread),
        account: goes_out.then_some(thread.account),
        content: MessageContent {
            from: person("Bakker", "info@bakker.example"),
            to: if goes_out { vec![jan.clone()] } else { Vec::new() },
            text: "Ja.".to_owned(),
            message_id: goes_out.then(|| format!("{}@bakker.example", id.uuid().simple())),
            ..MessageContent::default()
        },
        recipients: if goes_out { vec![(RecipientRole::To, jan)] } else { Vec::new() },
        attachments: Vec::new(),
        how,
    };
    store.write_out(access, &outgoing).await.expect("written")
}

async fn withdraw(house: &House, access: &Access, id: MessageId) {
    let message = house.store.message(access, id).await.expect("a message");
    let change = WithdrawMessage::prepare(&house.store, access, &message).await.expect("it waits");
    house.store.write(access, change).await.expect("taken back");
}

/// Begins a case with a mail of the tenant's own.
async fn begin(house: &House, access: &Access, account: ChannelAccountId) -> (ConversationId, MessageId) {
    let to = person("Els", "els@klant.example");
    let id = MessageId::new(house.clock.now(), house.store.random().bytes());
    let new = NewConversation {
        id: ConversationId(id.uuid()),
        message: id,
        account,
        content: MessageContent {
            subject: "Afspraak".to_owned(),
            to: vec![to.clone()],
            text: "Dag.".to_owned(),
            message_id: Some(format!("{}@bakker.example", id.uuid().simple())),
            ..MessageContent::default()
        },
        recipients: vec![(RecipientRole::To, to.clone())],
        contact: to,
        contact_address: "els@klant.example".to_owned(),
        attachments: Vec::new(),
        wait: WAIT,
        draft: None,
    };
    house.store.open_conversation(access, &new).await.expect("written");
    (new.id, id)
}

/// A second mailbox of the tenant.
async fn shop(house: &House, desk: &Desk) -> ResolvedAccount {
    let store = &house.store;
    let address = "shop@bakker.example";
    let access = desk.admin.access.as_for(Purpose::Administration);
    store.create_channel_account(&access, None, mailbox(address)).await.expect("added");
    store.system().account_by_address(&email(address)).await.expect("asked").expect("an account")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_thing_counts_once_on_its_day_for_its_mailbox() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (access, name, info) = (&desk.admin.access, house.name(), desk.account.id);
        let store: &Store = &house.store;
        let other = shop(&house, &desk).await;
        assert_eq!(rows(&house, access).await, [], "{name}: nothing has happened");
        to(&house, EVE);
        assert_eq!(EVE.day(), DAY);

        // Received: a case of its own, one that goes on, and one in the other mailbox.
        let jan = desk.file(&house, says("Jan", "Ketel", "Dag."), "1@klant.example", &[]).await;
        desk.file(&house, says("Jan", "Re: Ketel", "Hallo?"), "2@klant.example", &["1@klant.example"]).await;
        assert_eq!(of(&house, access, info).await, [(DAY, (2, 1, 0, 0))], "{name}");
        let agent = house.join(&desk.admin, Role::Agent, "agent@bakker.example").await;
        let at_shop = Desk { admin: agent, account: other.clone() };
        let els = at_shop.file(&house, says("Els", "Brood", "Dag."), "3@klant.example", &[]).await;
        assert_eq!(of(&house, access, other.id).await, [(DAY, (1, 1, 0, 0))], "{name}");
        assert_eq!(of(&house, access, info).await, [(DAY, (2, 1, 0, 0))], "{name}: the other one alone");

        // Answered; a note and a forwarded message are no answer.
        write(&house, access, jan, MessageKind::Reply, Handling::default()).await;
        assert_eq!(of(&house, access, info).await, [(DAY, (2, 1, 1, 0))], "{name}");
        write(&house, access, jan, MessageKind::Note, Handling::default()).await;
        let forward = Handling { forward: true, ..Handling::default() };
        write(&house, access, jan, MessageKind::Reply, forward).await;
        assert_eq!(of(&house, access, info).await, [(DAY, (2, 1, 1, 0))], "{name}: neither counts");
        // Answered and resolved in one.
        write(&house, access, els, MessageKind::Reply, resolving()).await;
        assert_eq!(of(&house, access, other.id).await, [(DAY, (1, 1, 1, 1))], "{name}");

        // A second later it is another day in UTC; nothing more is added to the day before.
        house.pass(1);
        stand(&house, access, jan.conversation, Standing::Resolved).await;
        assert_eq!(of(&house, access, info).await, [(DAY, (2, 1, 1, 0)), (DAY + 1, (0, 0, 0, 1))], "{name}");
        // Reopened: what was resolved that day was, and resolved once more counts once more.
        stand(&house, access, jan.conversation, Standing::Open).await;
        assert_eq!(of(&house, access, info).await[1], (DAY + 1, (0, 0, 0, 1)), "{name}");
        stand(&house, access, jan.conversation, Standing::Resolved).await;
        assert_eq!(of(&house, access, info).await[1], (DAY + 1, (0, 0, 0, 2)), "{name}");
        // The customer opens it again; an answer to what is resolved already resolves nothing.
        desk.file(&house, says("Jan", "Re: Ketel", "Nog iets"), "4@klant.example", &["1@klant.example"])
            .await;
        assert_eq!(of(&house, access, info).await[1], (DAY + 1, (1, 0, 0, 2)), "{name}");
        write(&house, access, jan, MessageKind::Reply, resolving()).await;
        assert_eq!(of(&house, access, info).await[1], (DAY + 1, (1, 0, 1, 3)), "{name}");
        write(&house, access, jan, MessageKind::Reply, resolving()).await;
        assert_eq!(of(&house, access, info).await[1], (DAY + 1, (1, 0, 2, 3)), "{name}");

        // A case that the tenant began, and several resolved at once.
        let (begun, _) = begin(&house, access, other.id).await;
        assert_eq!(of(&house, access, other.id).await[1], (DAY + 1, (0, 1, 1, 0)), "{name}");
        let resolve =
            ConversationChange { standing: Some(Standing::Resolved), ..ConversationChange::default() };
        let all = [begun, els.conversation, jan.conversation]
            .map(|id| ChangeConversation::prepare(store, access, id, resolve.clone()));
        store.write(access, ChangeConversations::of(all.into())).await.expect("changed");
        assert_eq!(of(&house, access, other.id).await[1], (DAY + 1, (0, 1, 1, 1)), "{name}: one was open");
        assert_eq!(of(&house, access, info).await[1], (DAY + 1, (1, 0, 2, 3)), "{name}");
        // Put off is not resolved.
        stand(&house, access, begun, Standing::Open).await;
        stand(&house, access, begun, Standing::Snoozed(house.clock.now() + WAIT)).await;
        assert_eq!(of(&house, access, other.id).await[1], (DAY + 1, (0, 1, 1, 1)), "{name}");
        assert_eq!(rows(&house, access).await.len(), 4, "{name}: two days of two mailboxes");

        // Another tenant counts for itself.
        let stranger = house.tenant("slager").await;
        assert_eq!(rows(&house, &stranger.access).await, [], "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_back_is_taken_from_the_day_on_which_it_was_counted() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access, name, info) = (&house.store, &desk.admin.access, house.name(), desk.account.id);
        to(&house, EVE);
        let jan = desk.file(&house, says("Jan", "Ketel", "Dag."), "1@klant.example", &[]).await;
        let how = Handling { resolve: true, wait: WAIT, ..Handling::default() };
        let answer = write(&house, access, jan, MessageKind::Reply, how).await;
        let (begun, first) = begin(&house, access, info).await;
        assert_eq!(of(&house, access, info).await, [(DAY, (1, 2, 2, 1))], "{name}");
        house.pass(2);
        let today = (DAY + 1, (1, 0, 0, 0));
        desk.file(&house, says("Kees", "Kraan", "Dag."), "2@klant.example", &["1@klant.example"]).await;
        assert_eq!(of(&house, access, info).await[1], today, "{name}");
        // The customer wrote meanwhile; what is taken back is from yesterday all the same.
        withdraw(&house, access, answer).await;
        assert_eq!(of(&house, access, info).await, [(DAY, (1, 2, 1, 0)), today], "{name}");
        withdraw(&house, access, first).await;
        let gone = store.conversation(access, begun).await;
        assert!(matches!(gone, Err(StoreError::NotFound)), "{name}");
        let expected = (1, 1, 0, 0);
        assert_eq!(of(&house, access, info).await, [(DAY, expected), today], "{name}: not from today");

        // The other way round: written and taken back on one day leaves what was there.
        let how = Handling { wait: WAIT, ..Handling::default() };
        let again = write(&house, access, jan, MessageKind::Reply, how).await;
        assert_eq!(of(&house, access, info).await[1], (DAY + 1, (1, 0, 1, 0)), "{name}");
        withdraw(&house, access, again).await;
        assert_eq!(of(&house, access, info).await, [(DAY, expected), today], "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_copy_and_what_lies_in_quarantine_do_not_count_and_a_machine_does() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access, name, info) = (&house.store, &desk.admin.access, house.name(), desk.account.id);
        desk.file(&house, says("Jan", "Ketel", "Dag."), "1@klant.example", &[]).await;
        let expected = [(DAY, (1, 1, 0, 0))];
        assert_eq!(of(&house, access, info).await, expected, "{name}");
        let channel = Access::channel(&desk.account, RequestId(Uuid::nil()), house.clock.clone());
        for (no, incoming) in
            [Incoming::Person, Incoming::Person, Incoming::Automatic].into_iter().enumerate()
        {
            let envelope = SealedEnvelope::default();
            let receive = Receive::prepare(store, &channel, &desk.account, &envelope, b"raw", None)
                .await
                .expect("sealed");
            let intake = receive.intake();
            store.write(&channel, receive).await.expect("received");
            let now = house.clock.now();
            let jobs = store.system().claim_jobs(access.tenant(), 10, now).await.expect("claimed");
            let job = jobs.into_iter().find(|job| job.subject == intake.uuid()).expect("a job for it");
            if no == 1 {
                let reason = QuarantineReason::NoSender;
                let aside = Quarantine { job, intake, reason, signature: None, now };
                store.write(&channel, aside).await.expect("set aside");
            } else {
                let content = says("Jan", "Ketel", "Dag.");
                let mail = IncomingMail {
                    author: content.from.address.clone(),
                    content,
                    external_id: if no == 0 { "1@klant.example" } else { "5@klant.example" }.to_owned(),
                    related: Vec::new(),
                    reply_thread: None,
                    incoming,
                    files: Vec::new(),
                    sent_at: None,
                    report: None,
                };
                let source = store.intake_source(&channel, intake).await.expect("a source");
                match store.file(&channel, &job, &source, &mail).await.expect("filed") {
                    Filed::Known(known) => {
                        assert_eq!(no, 0, "{name}");
                        store.file_copy(&channel, &job, &source, known).await.expect("ended");
                    }
                    filed => assert!(no == 2 && matches!(filed, Filed::Message { .. }), "{name}: {filed:?}"),
                }
            }
            let expected = if no == 2 { [(DAY, (2, 2, 0, 0))] } else { expected };
            assert_eq!(of(&house, access, info).await, expected, "{name}: {no}");
        }
        house.close().await;
    }
}

/// Every id of the tenant that is of a person, a message, a case or what belongs to one.
struct Ids;

impl Read for Ids {
    type Out = BTreeSet<Uuid>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let mut ids = BTreeSet::new();
        for text in [
            sql!("SELECT id FROM user_account WHERE tenant_id = $1"),
            sql!("SELECT id FROM contact WHERE tenant_id = $1"),
            sql!("SELECT id FROM message WHERE tenant_id = $1"),
            sql!("SELECT id FROM conversation WHERE tenant_id = $1"),
            sql!("SELECT id FROM thread WHERE tenant_id = $1"),
            sql!("SELECT id FROM session WHERE tenant_id = $1"),
            sql!("SELECT id FROM intake WHERE tenant_id = $1"),
        ] {
            let found: Vec<Uuid> = tx.query(text, params![tenant], |row| row.uuid(0)).await?;
            assert!(!found.is_empty(), "each has something to be found by");
            ids.extend(found);
        }
        Ok(ids)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_can_be_found_in_the_numbers() {
    let table = DATA_MAP.iter().find(|table| table.name == "statistic").expect("a table");
    let names: Vec<_> = table.columns.iter().map(|column| column.name).collect();
    // One row for all that happened to a mailbox on a day; no column for who, what or in which case.
    assert_eq!(
        names,
        ["tenant_id", "day", "channel_account_id", "received", "conversations", "replies", "resolved"]
    );
    assert!(table.columns.iter().all(|column| matches!(column.holds, Holds::Plain)));
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access, name) = (&house.store, &desk.admin.access, house.name());
        let other = shop(&house, &desk).await;
        for day in 0..3 {
            let id = format!("{day}@klant.example");
            let jan = desk.file(&house, says("Jan", "Ketel", "Dag."), &id, &[]).await;
            write(&house, access, jan, MessageKind::Reply, resolving()).await;
            begin(&house, access, other.id).await;
            house.pass(86_400);
        }
        let all = rows(&house, access).await;
        let accounts: BTreeSet<_> = all.iter().map(|row| row.1).collect();
        assert_eq!(accounts, BTreeSet::from([desk.account.id, other.id]), "{name}");
        let ids = store.read(access, Ids).await.expect("ids");
        assert!(ids.len() > 12, "{name}");
        for (day, account, numbers) in &all {
            assert!(!ids.contains(&account.uuid()), "{name}");
            assert!((DAY..DAY + 3).contains(day), "{name}: a day and no moment: {day}");
            // Numbers of a day, too small to be a time, a hash or half an id.
            let (received, conversations, replies, resolved) = *numbers;
            let mailbox = if *account == other.id { (0, 1, 1, 0) } else { (1, 1, 1, 1) };
            assert_eq!((received, conversations, replies, resolved), mailbox, "{name}: {day}");
        }
        assert_eq!(all.len(), 6, "{name}: as many as days and mailboxes, whoever did how much");
        house.close().await;
    }
}
