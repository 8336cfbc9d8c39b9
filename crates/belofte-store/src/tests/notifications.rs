// SPDX-License-Identifier: EUPL-1.2
//! Who is told of what, once, and nobody else.

use belofte_model::{
    ConversationId, DeliveryState, Duration, Incoming, JobKind, MessageId, MessageKind, NotificationId,
    NotificationKind, NotificationWays, Purpose, RequestId, Role, Standing as Snoozed, Subset, Timestamp,
    UserId, UserState, Visible,
};
use uuid::Uuid;

use super::desk::{Desk, Stored, person, says};
use super::house::{House, Person, houses};
use super::upkeep::{Count, Tamper, sweep};
use crate::access::NARROWED;
use crate::engine::sql;
use crate::notifications::{News, Standing, tell};
use crate::{
    Access, ChangeConversation, ChangeConversations, ConversationChange, Fact, Filed, Handling, IncomingMail,
    Mention, MessageContent, NewSplit, NotificationLines, Outcome, Outgoing, Receive, RecordOutcomes,
    SealedEnvelope, StoreError, Tx, UserChange, WithdrawMessage, Write,
};

/// Rows of the table in `visible.rs`.
pub(super) const OTHERS: &[(&str, &str)] = &[
    ("choose_notification_ways", "changes; the settings of the one who asks"),
    ("mark_notifications", "changes; lines of the one who asks, about what is seen: below"),
    ("mentionable", "users are the tenant's; of a case that is seen, and those of them who see it: below"),
    ("notification_ways", "the settings of the one who asks"),
    ("notifications", "lines of the one who asks, about cases and messages that are seen: below"),
];

const DAY: u64 = 24 * 3_600;

use NotificationKind::{Assigned, CustomerMessage, DeliveryFailed, Mentioned};

/// What `who` is told: kind, case, message and count of each line, the latest first; read ones are left out.
async fn told(
    house: &House,
    who: &Access,
) -> Vec<(NotificationKind, ConversationId, Option<MessageId>, i64)> {
    let lines = house.store.notifications(who).await.expect("lines");
    let unread = lines.into_iter().filter(|(line, _)| !line.read && line.in_desk);
    unread
        .map(|(line, case)| {
            assert_eq!(line.conversation, case.id, "{}: its case comes with it", house.name());
            (line.kind, line.conversation, line.message, line.happened)
        })
        .collect()
}

/// A note that says `@Sanne kijk`, once for each of `named`.
fn naming(house: &House, case: ConversationId, named: &[UserId]) -> Outgoing {
    let text = "@Sanne kijk ".repeat(named.len().max(1));
    let mention = |(at, user): (usize, &UserId)| Mention { user: *user, from: at * 12, to: at * 12 + 6 };
    Outgoing {
        conversation: case,
        kind: MessageKind::Note,
        id: MessageId::new(house.clock.now(), house.store.random().bytes()),
        thread: None,
        account: None,
        content: MessageContent {
            text,
            mentions: named.iter().enumerate().map(mention).collect(),
            ..MessageContent::default()
        },
        recipients: Vec::new(),
        attachments: Vec::new(),
        how: Handling::default(),
    }
}

async fn assign(house: &House, by: &Access, case: ConversationId, to: Option<UserId>) {
    let change = ConversationChange { assignee: Some(to), ..ConversationChange::default() };
    let change = ChangeConversation::prepare(&house.store, by, case, change);
    assert!(house.store.write(by, change).await.expect("changed"), "{}", house.name());
}

/// The kinds of events since `seq` that `who` gets to know of, and how many are hidden.
async fn heard(house: &House, who: &Access, seq: i64) -> (Vec<&'static str>, usize) {
    let events = house.store.events(who, seq, 500).await.expect("events").items;
    let hidden = events.iter().filter(|fact| matches!(fact, Fact::Hidden(_))).count();
    let seen = events.iter().filter_map(|fact| match fact {
        Fact::Seen(event) => Some(event.kind.as_str()),
        Fact::Hidden(_) => None,
    });
    (seen.collect(), hidden)
}

async fn newest(house: &House, who: &Access) -> i64 {
    house.store.events(who, i64::MAX, 0).await.expect("asked").newest
}

/// A desk with two agents.
async fn three(house: &House) -> (Desk, Person, Person) {
    let desk = Desk::new(house).await;
    let sanne = house.join(&desk.admin, Role::Agent, "sanne@bakker.example").await;
    let daan = house.join(&desk.admin, Role::Agent, "daan@bakker.example").await;
    (desk, sanne, daan)
}

async fn jan(house: &House, desk: &Desk) -> Stored {
    desk.file(house, says("Jan", "Ketel", "De ketel lekt."), "1@klant.example", &[]).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_tells_whom_it_names_and_nobody_else_hears_of_it() {
    for house in houses().await {
        let (desk, sanne, daan) = three(&house).await;
        let (store, admin, name) = (&house.store, &desk.admin.access, house.name());
        let case = jan(&house, &desk).await.conversation;
        let before = newest(&house, admin).await;
        let note = naming(&house, case, &[sanne.id, desk.admin.id, sanne.id]);
        store.write_out(admin, &note).await.expect("written");
        assert_eq!(told(&house, &sanne.access).await, [(Mentioned, case, Some(note.id), 1)], "{name}");
        let by = store.notifications(&sanne.access).await.expect("lines")[0].0.by;
        assert_eq!(by, Some(desk.admin.id), "{name}");
        for who in [admin, &daan.access, &house.tenant("slager").await.access] {
            assert!(told(&house, who).await.is_empty(), "{name}: who wrote it, and who was not named");
        }
        let kept = store.message(admin, note.id).await.expect("a message").content.mentions;
        assert_eq!(kept, note.content.mentions, "{name}: who was named is kept as who they are");

        let both = vec!["message_created", "notifications_changed"];
        assert_eq!(heard(&house, &sanne.access, before).await, (both.clone(), 0), "{name}");
        for who in [&daan.access, admin] {
            assert_eq!(heard(&house, who, before).await, (vec!["message_created"], 1), "{name}");
        }
        // The house passes all of them on.
        let passed = store.system().upkeep(desk.admin.tenant);
        assert_eq!(heard(&house, &passed, before).await, (both, 0), "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_see_a_case_is_not_named_in_it_nor_told_of_it() {
    for house in houses().await {
        let (desk, sanne, daan) = three(&house).await;
        let (store, admin, name) = (&house.store, &desk.admin.access, house.name());
        let case = jan(&house, &desk).await.conversation;
        let other = house.tenant("slager").await;
        let settings = admin.as_for(Purpose::Administration);
        let gone = house.join(&desk.admin, Role::Agent, "weg@bakker.example").await;
        let may = |users: Vec<crate::User>| users.iter().map(|user| user.id).collect::<Vec<_>>();
        assert_eq!(
            may(store.mentionable(admin, case).await.expect("asked")),
            [daan.id, sanne.id, gone.id],
            "{name}: by name, without who asks"
        );
        let block = UserChange { state: Some(UserState::Blocked), ..UserChange::default() };
        store.write_out(admin, &naming(&house, case, &[gone.id])).await.expect("still there");
        store.change_user(&settings, gone.id, block).await.expect("blocked");
        let left = Count(sql!("SELECT COUNT(*) FROM notification WHERE tenant_id = $1"));
        assert_eq!(
            store.read(admin, left).await.expect("counted"),
            0,
            "{name}: what they were told goes along"
        );

        let nothing = Visible { queues: Subset::Only(Vec::new()), ..Visible::all() };
        NARROWED.lock().expect("a lock").insert(daan.id, nothing.clone());
        assert_eq!(may(store.mentionable(admin, case).await.expect("asked")), [sanne.id], "{name}");
        let messages = store.messages(admin, case, None, 99).await.expect("messages").len();
        let nobody = UserId(Uuid::from_u128(7));
        for wrong in [daan.id, gone.id, other.id, nobody] {
            let refused = store.write_out(admin, &naming(&house, case, &[sanne.id, wrong])).await;
            assert!(matches!(refused, Err(StoreError::NotFound)), "{name}: {refused:?}");
        }
        assert!(told(&house, &sanne.access).await.is_empty(), "{name}: nothing of it was written");
        assert_eq!(store.messages(admin, case, None, 99).await.expect("messages").len(), messages, "{name}");
        assign(&house, admin, case, Some(daan.id)).await;
        desk.file(&house, says("Jan", "Re: Ketel", "En?"), "2@klant.example", &["1@klant.example"]).await;
        let none = Count(sql!("SELECT COUNT(*) FROM notification WHERE tenant_id = $1"));
        assert_eq!(store.read(admin, none).await.expect("counted"), 0, "{name}: nor told");
        let foreign = store.mentionable(&other.access, case).await;
        assert!(matches!(foreign, Err(StoreError::NotFound)), "{name}");

        // Who saw it once and does not any more has no line of it, marks none, and gets it back with the case.
        store.write_out(admin, &naming(&house, case, &[sanne.id])).await.expect("written");
        let own = &sanne.access;
        let narrow = Access::for_test(
            own.tenant(),
            own.actor(),
            Purpose::Service,
            RequestId(Uuid::nil()),
            nothing,
            house.clock.clone(),
        );
        assert!(told(&house, &narrow).await.is_empty(), "{name}");
        let until = NotificationLines::Until(house.clock.now());
        assert!(store.mark_notifications(&narrow, until, true).await.expect("asked").is_empty(), "{name}");
        assert_eq!(told(&house, own).await.len(), 1, "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mails_at_once_are_one_line_that_counts() {
    for house in houses().await {
        let (desk, sanne, _) = three(&house).await;
        let (store, admin, name) = (&house.store, &desk.admin.access, house.name());
        let case = jan(&house, &desk).await.conversation;
        // Nobody's yet.
        desk.file(&house, says("Jan", "Re: Ketel", "En?"), "2@klant.example", &["1@klant.example"]).await;
        assign(&house, admin, case, Some(sanne.id)).await;
        assert_eq!(told(&house, &sanne.access).await, [(Assigned, case, None, 1)], "{name}");
        house.pass(1);

        let access = Access::channel(&desk.account, RequestId(Uuid::nil()), house.clock.clone());
        let mut ways = Vec::new();
        for _ in 0..2 {
            let envelope = SealedEnvelope::default();
            let receive = Receive::prepare(store, &access, &desk.account, &envelope, b"raw", None).await;
            let receive = receive.expect("sealed");
            let intake = receive.intake();
            store.write(&access, receive).await.expect("received");
            ways.push(intake);
        }
        let jobs = store.system().claim_jobs(access.tenant(), 10, house.clock.now()).await.expect("claimed");
        let mut mails = Vec::new();
        for (at, intake) in ways.iter().enumerate() {
            let job = jobs.iter().find(|job| job.subject == intake.uuid()).expect("a job").clone();
            let content = says("Jan", "Re: Ketel", "Nog steeds.");
            let mail = IncomingMail {
                author: content.from.address.clone(),
                content,
                external_id: format!("weer{at}@klant.example"),
                related: vec!["1@klant.example".to_owned()],
                reply_thread: None,
                incoming: Incoming::Person,
                files: Vec::new(),
                sent_at: None,
                report: None,
            };
            mails.push((job, store.intake_source(&access, *intake).await.expect("a source"), mail));
        }
        let [one, two] = &mails[..] else { panic!("two mails") };
        let (a, b) = tokio::join!(
            store.file(&access, &one.0, &one.1, &one.2),
            store.file(&access, &two.0, &two.1, &two.2),
        );
        let mut filed = [a.expect("filed"), b.expect("filed")].map(|filed| match filed {
            Filed::Message { message, no, .. } => (no, message),
            other => panic!("{other:?}"),
        });
        filed.sort_unstable_by_key(|(no, _)| *no);
        let first = filed[0].1;
        let lines = told(&house, &sanne.access).await;
        assert_eq!(
            lines,
            [(CustomerMessage, case, Some(first), 2), (Assigned, case, None, 1)],
            "{name}: one line, which leads to the first"
        );
        assert!(told(&house, admin).await.is_empty(), "{name}");

        // A machine's mail is no word of the customer's.
        let read = store.mark_notifications(&sanne.access, NotificationLines::Of(case), true).await;
        assert_eq!(read.expect("marked").len(), 2, "{name}");
        assert!(told(&house, &sanne.access).await.is_empty(), "{name}");
        house.pass(60);
        let third = desk
            .file(&house, says("Jan", "Re: Ketel", "Hallo?"), "9@klant.example", &["1@klant.example"])
            .await;
        let again = told(&house, &sanne.access).await;
        assert_eq!(again, [(CustomerMessage, case, Some(third.message), 1)], "{name}: it counts anew");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_given_a_case_hears_of_it_until_it_is_somebody_elses() {
    for house in houses().await {
        let (desk, sanne, daan) = three(&house).await;
        let (store, admin, name) = (&house.store, &desk.admin.access, house.name());
        let case = jan(&house, &desk).await.conversation;
        assign(&house, &sanne.access, case, Some(sanne.id)).await;
        assert!(told(&house, &sanne.access).await.is_empty(), "{name}: what one takes oneself");
        assign(&house, &sanne.access, case, Some(daan.id)).await;
        assert_eq!(told(&house, &daan.access).await, [(Assigned, case, None, 1)], "{name}");
        let before = newest(&house, admin).await;
        // Many at once, as with one.
        let change = ConversationChange { assignee: Some(Some(sanne.id)), ..ConversationChange::default() };
        let change = ChangeConversation::prepare(store, admin, case, change);
        store.write(admin, ChangeConversations::of(vec![change])).await.expect("changed");
        assert!(told(&house, &daan.access).await.is_empty(), "{name}: it is no more");
        assert_eq!(told(&house, &sanne.access).await, [(Assigned, case, None, 1)], "{name}");
        for who in [&daan.access, &sanne.access] {
            let (seen, hidden) = heard(&house, who, before).await;
            assert_eq!(seen, ["conversation_changed", "notifications_changed"], "{name}");
            assert_eq!(hidden, 1, "{name}: the other's");
        }
        // One that was read stays as what happened.
        store.mark_notifications(&sanne.access, NotificationLines::Of(case), true).await.expect("marked");
        assign(&house, admin, case, None).await;
        assert_eq!(store.notifications(&sanne.access).await.expect("lines").len(), 1, "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn lines_are_read_by_their_case_by_moment_or_one_by_one_and_unread_again() {
    for house in houses().await {
        let (desk, sanne, daan) = three(&house).await;
        let (store, admin, name) = (&house.store, &desk.admin.access, house.name());
        let one = jan(&house, &desk).await.conversation;
        let two = desk.file(&house, says("Piet", "Pomp", "Stuk."), "p@klant.example", &[]).await.conversation;
        for case in [one, two] {
            house.pass(1);
            store.write_out(admin, &naming(&house, case, &[sanne.id])).await.expect("written");
        }
        let until = house.clock.now();
        house.pass(1);
        store.write_out(admin, &naming(&house, two, &[sanne.id])).await.expect("written");
        let own = &sanne.access;
        let ids: Vec<NotificationId> =
            store.notifications(own).await.expect("lines").iter().map(|(line, _)| line.id).collect();
        assert_eq!(ids.len(), 3, "{name}");
        // Somebody else's are nobody else's to mark.
        let these = NotificationLines::These(ids.clone());
        assert!(
            store.mark_notifications(&daan.access, these, true).await.expect("asked").is_empty(),
            "{name}"
        );
        let marked =
            store.mark_notifications(own, NotificationLines::Until(until), true).await.expect("marked");
        assert_eq!(marked, ids[1..], "{name}: what came since is not read");
        assert_eq!(told(&house, own).await.len(), 1, "{name}");
        let before = newest(&house, own).await;
        let again =
            store.mark_notifications(own, NotificationLines::Until(until), true).await.expect("asked");
        assert!(again.is_empty(), "{name}");
        assert_eq!(newest(&house, own).await, before, "{name}: nothing changed, and nobody hears");
        let back =
            store.mark_notifications(own, NotificationLines::These(marked), false).await.expect("marked");
        assert_eq!(back.len(), 2, "{name}: taken back");
        assert_eq!(told(&house, own).await.len(), 3, "{name}");
        store.mark_notifications(own, NotificationLines::Of(two), true).await.expect("marked");
        assert_eq!(told(&house, own).await.iter().map(|line| line.1).collect::<Vec<_>>(), [one], "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_leads_where_its_case_and_message_lie_by_now() {
    for house in houses().await {
        let (desk, sanne, _) = three(&house).await;
        let (store, admin, name) = (&house.store, &desk.admin.access, house.name());
        let one = jan(&house, &desk).await.conversation;
        let two = desk.file(&house, says("Jan", "Pomp", "Stuk."), "p@klant.example", &[]).await.conversation;
        let note = naming(&house, two, &[sanne.id]);
        store.write_out(admin, &note).await.expect("written");
        assign(&house, admin, two, Some(sanne.id)).await;
        store.merge_conversations(admin, one, &[two], false).await.expect("merged");
        let mut there = told(&house, &sanne.access).await;
        there.sort_by_key(|line| line.0.as_str());
        assert_eq!(there, [(Assigned, one, None, 1), (Mentioned, one, Some(note.id), 1)], "{name}: merged");
        // What comes in the merged case is told there.
        house.pass(60);
        let more =
            desk.file(&house, says("Jan", "Re: Pomp", "En?"), "q@klant.example", &["p@klant.example"]).await;
        assert_eq!(more.conversation, one, "{name}");
        let latest = told(&house, &sanne.access).await[0];
        assert_eq!(latest, (CustomerMessage, one, Some(more.message), 1), "{name}");
        let read = store.mark_notifications(&sanne.access, NotificationLines::Of(one), true).await;
        assert_eq!(read.expect("marked").len(), 3, "{name}: read where they are by now");
        store.mark_notifications(&sanne.access, NotificationLines::Of(one), false).await.expect("marked");

        // Split off, the message takes its line along.
        let id = ConversationId(Uuid::from_u128(77));
        let split = NewSplit { from: one, id, messages: vec![more.message], subject: None };
        store.split_conversation(admin, &split).await.expect("split");
        let latest = told(&house, &sanne.access).await;
        assert!(latest.contains(&(CustomerMessage, id, Some(more.message), 1)), "{name}: {latest:?}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_note_is_taken_back_with_its_lines_while_it_is_new() {
    for house in houses().await {
        let (desk, sanne, daan) = three(&house).await;
        let (store, admin, name) = (&house.store, &desk.admin.access, house.name());
        let case = jan(&house, &desk).await.conversation;
        let until = house.clock.now() + Duration::from_secs(9_999);
        let later =
            ConversationChange { standing: Some(Snoozed::Snoozed(until)), ..ConversationChange::default() };
        let change = ChangeConversation::prepare(store, admin, case, later);
        store.write(admin, change).await.expect("put off");
        let as_it_was = store.conversation(admin, case).await.expect("a case");
        house.pass(60);
        let note = naming(&house, case, &[sanne.id]);
        store.write_out(admin, &note).await.expect("written");
        let message = store.message(admin, note.id).await.expect("a message");
        let by = |access: &Access| {
            let access = access.clone();
            let message = message.clone();
            async move { WithdrawMessage::prepare(store, &access, &message).await }
        };
        let foreign = by(&daan.access).await.map(drop);
        assert!(matches!(foreign, Err(StoreError::NotFound)), "{name}: its author's alone");
        let before = newest(&house, admin).await;
        house.pass(14 * 60);
        store.write(admin, by(admin).await.expect("planned")).await.expect("taken back");
        assert!(told(&house, &sanne.access).await.is_empty(), "{name}");
        assert!(heard(&house, &sanne.access, before).await.0.contains(&"notifications_changed"), "{name}");
        assert!(matches!(store.message(admin, note.id).await, Err(StoreError::NotFound)), "{name}");
        let after = store.conversation(admin, case).await.expect("a case");
        let told = |case: &crate::Conversation| {
            let preview = case.summary.preview.clone();
            (
                case.status,
                case.messages,
                case.waiting_since,
                case.snoozed_until,
                case.last_message_at,
                case.last_message_kind,
                preview,
            )
        };
        assert_eq!(told(&after), told(&as_it_was), "{name}: the case is as it was");

        let late = naming(&house, case, &[sanne.id]);
        store.write_out(admin, &late).await.expect("written");
        house.pass(15 * 60);
        let message = store.message(admin, late.id).await.expect("a message");
        let refused = WithdrawMessage::prepare(store, admin, &message).await.map(drop);
        assert!(matches!(refused, Err(StoreError::Conflict)), "{name}: {refused:?}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_wants_to_hear_nothing_of_it_does_not() {
    for house in houses().await {
        let (desk, sanne, _) = three(&house).await;
        let (store, admin, name) = (&house.store, &desk.admin.access, house.name());
        let case = jan(&house, &desk).await.conversation;
        let settings = sanne.access.as_for(Purpose::Administration);
        let all = store.notification_ways(&settings).await.expect("ways");
        assert_eq!(all, NotificationKind::ALL.map(|kind| (kind, NotificationWays::ALL)), "{name}");
        let choose = |kind, desk, push| {
            store.choose_notification_ways(&settings, vec![(kind, NotificationWays { desk, push })])
        };
        choose(Mentioned, false, false).await.expect("chosen");
        choose(Assigned, false, true).await.expect("chosen");
        let before = newest(&house, admin).await;
        store.write_out(admin, &naming(&house, case, &[sanne.id])).await.expect("written");
        assign(&house, admin, case, Some(sanne.id)).await;
        assert!(told(&house, &sanne.access).await.is_empty(), "{name}");
        let (heard, _) = heard(&house, &sanne.access, before).await;
        let changed = heard.iter().filter(|kind| **kind == "notifications_changed").count();
        assert_eq!(changed, 1, "{name}: of what devices are told, and of nothing else: {heard:?}");
        let hidden = store.notifications(&sanne.access).await.expect("lines");
        assert_eq!(hidden.len(), 1, "{name}: one for devices, not shown");
        assert!(!hidden[0].0.in_desk && !hidden[0].0.read, "{name}");
        // Who looks at the case has seen it all the same: the next one is told again.
        store.mark_notifications(&sanne.access, NotificationLines::Of(case), true).await.expect("marked");
        assert!(store.notifications(&sanne.access).await.expect("lines")[0].0.read, "{name}");
        choose(Mentioned, true, false).await.expect("chosen again");
        store.write_out(admin, &naming(&house, case, &[sanne.id])).await.expect("written");
        assert_eq!(told(&house, &sanne.access).await.len(), 1, "{name}");
        let other = store.notification_ways(&desk.admin.access.as_for(Purpose::Administration)).await;
        assert_eq!(other.expect("ways")[0].1, NotificationWays::ALL, "{name}: one's own alone");
        house.close().await;
    }
}

/// Tells somebody of something, once, and says whether their devices are to be told.
struct Tell(UserId, ConversationId, i64, i64);

impl Write for Tell {
    type Out = bool;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<bool, StoreError> {
        let news = News {
            id: NotificationId(Uuid::from_u128(5)),
            user: self.0,
            kind: CustomerMessage,
            conversation: self.1,
            message: None,
            by: None,
            at: Timestamp::from_secs(1_800_000_000),
        };
        tell(tx, &news, Standing::of(self.2).expect("a way"), self.3).await
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn devices_are_told_when_a_line_becomes_unread_and_not_when_it_counts_on() {
    for house in houses().await {
        let (desk, sanne, _) = three(&house).await;
        let (store, admin) = (&house.store, &desk.admin.access);
        let case = jan(&house, &desk).await.conversation;
        // 1 is the desk, 2 are devices; 4 is a line that was read, 8 one that was not; 16 that there are devices.
        let all = [(18, true), (18 + 4, true), (18 + 8, false), (19 + 8, false), (17, false), (2, false)];
        for (no, (standing, devices)) in (1_000..).zip(all) {
            let told = store.write(admin, Tell(sanne.id, case, standing, no)).await.expect("told");
            assert_eq!(told, devices, "{}: {standing}", house.name());
        }
        assert!(Standing::of(4).is_none(), "no way, no word");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_sent_what_was_refused_is_told() {
    for house in houses().await {
        let (desk, sanne, _) = three(&house).await;
        let (store, admin, name) = (&house.store, &desk.admin.access, house.name());
        let case = jan(&house, &desk).await;
        let answer = desk.answer(&house, case, person("Jan", "jan@klant.example"), "Mandarijn.").await;
        let jobs =
            store.system().claim_jobs(desk.admin.tenant, 10, house.clock.now()).await.expect("claimed");
        let job = jobs.into_iter().find(|job| job.kind == JobKind::Deliver).expect("a delivery");
        let access = Access::job(&job, house.clock.clone());
        let message = store.message(&access, answer).await.expect("a message");
        let failed = Outcome {
            id: message.deliveries[0].id,
            state: DeliveryState::Failed,
            next_try_at: None,
            code: None,
            reply: None,
        };
        let record = RecordOutcomes::prepare(store, &access, job, &message, vec![failed]).await;
        store.write(&access, record.expect("sealed")).await.expect("recorded");
        assert_eq!(
            told(&house, admin).await,
            [(DeliveryFailed, case.conversation, Some(answer), 1)],
            "{name}"
        );
        assert!(told(&house, &sanne.access).await.is_empty(), "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_read_goes_first_and_nobody_keeps_more_than_there_is_room_for() {
    for house in houses().await {
        let (desk, sanne, daan) = three(&house).await;
        let (store, admin, name) = (&house.store, &desk.admin.access, house.name());
        let case = jan(&house, &desk).await.conversation;
        store.write_out(admin, &naming(&house, case, &[sanne.id, daan.id])).await.expect("written");
        store.mark_notifications(&sanne.access, NotificationLines::Of(case), true).await.expect("marked");
        let lines = |who: &Access| {
            let who = who.clone();
            async move { store.notifications(&who).await.expect("lines").len() }
        };
        house.pass(29 * DAY);
        sweep(&house, desk.admin.tenant).await;
        assert_eq!((lines(&sanne.access).await, lines(&daan.access).await), (1, 1), "{name}");
        house.pass(2 * DAY);
        sweep(&house, desk.admin.tenant).await;
        assert_eq!((lines(&sanne.access).await, lines(&daan.access).await), (0, 1), "{name}: read, 30 days");
        house.pass(60 * DAY);
        sweep(&house, desk.admin.tenant).await;
        assert_eq!(lines(&daan.access).await, 0, "{name}: 90 days");

        store.write_out(admin, &naming(&house, case, &[sanne.id, daan.id])).await.expect("written");
        store.mark_notifications(&daan.access, NotificationLines::Of(case), true).await.expect("marked");
        let many = Tamper(sql!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 250) \
             INSERT INTO notification (tenant_id, user_id, kind, subject_id, id, conversation_id, message_id, by_id, \
             happened, in_desk, at, read_at) SELECT tenant_id, user_id, kind || i, subject_id, id, conversation_id, \
             message_id, by_id, happened, in_desk, at + i, NULL FROM notification, n WHERE tenant_id = $1"
        ));
        store.write(admin, many).await.expect("tampered");
        sweep(&house, desk.admin.tenant).await;
        let rows = Count(sql!("SELECT COUNT(*) FROM notification WHERE tenant_id = $1"));
        assert_eq!(store.read(admin, rows).await.expect("counted"), 400, "{name}: 200 of each");
        let read =
            Count(sql!("SELECT COUNT(*) FROM notification WHERE tenant_id = $1 AND read_at IS NOT NULL"));
        assert_eq!(store.read(admin, read).await.expect("counted"), 0, "{name}: what was read goes first");
        let oldest =
            Count(sql!("SELECT COUNT(*) FROM notification WHERE tenant_id = $1 AND kind = 'mentioned1'"));
        assert_eq!(store.read(admin, oldest).await.expect("counted"), 0, "{name}: then the oldest");
        house.close().await;
    }
}
