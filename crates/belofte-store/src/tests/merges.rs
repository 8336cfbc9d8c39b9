// SPDX-License-Identifier: EUPL-1.2
//! Cases that become one lose nothing, and are themselves again afterwards.

use std::collections::{BTreeMap, BTreeSet};

use belofte_model::{
    ConversationId, ConversationStatus, Duration, KeyId, MessageId, Purpose, Standing, TagColour,
};
use uuid::Uuid;

use super::desk::{Desk, Stored, person, says};
use super::house::{House, houses};
use super::upkeep::sweep_a_day;
use super::visible::World;
use crate::engine::{params, sql};
use crate::{
    Access, ChangeConversation, ConversationChange, Handling, LinkConversations, MergeError, MessageContent,
    NewSplit, Outgoing, Read, Row, SplitError, StoreError, Tx, WithdrawMessage, Write,
};

/// Everything that a merge touches, row by row, without versions; `unread` apart.
struct Rows;

fn text(row: &Row<'_>, count: usize) -> Result<String, StoreError> {
    let mut out = String::new();
    for at in 0..count {
        out.push_str(&row.opt_text(at)?.unwrap_or_else(|| "-".to_owned()));
        out.push('|');
    }
    Ok(out)
}

impl Read for Rows {
    type Out = BTreeSet<String>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let mut all = BTreeSet::new();
        macro_rules! dump {
            ($count:literal, $lite:literal, $postgres:literal) => {
                let text_of = if tx.is_postgres() { sql!($postgres) } else { sql!($lite) };
                all.extend(tx.query(text_of, params![tenant], |row| text(row, $count)).await?);
            };
        }
        dump!(
            16,
            "SELECT 'case', hex(id), CAST(no AS text), status, hex(contact_id), hex(queue_id), hex(channel_account_id), \
             hex(assignee_id), hex(summary), CAST(message_count AS text), CAST(last_message_at AS text), \
             CAST(waiting_since AS text), CAST(resolved_at AS text), CAST(placed_at AS text), \
             CAST(snoozed_until AS text), CAST(delivery_problem AS text) FROM conversation WHERE tenant_id = $1",
            "SELECT 'case', id::text, no::text, status, contact_id::text, queue_id::text, channel_account_id::text, \
             assignee_id::text, encode(summary, 'hex'), message_count::text, last_message_at::text, waiting_since::text, \
             resolved_at::text, placed_at::text, snoozed_until::text, delivery_problem::text FROM conversation \
             WHERE tenant_id = $1"
        );
        dump!(
            4,
            "SELECT 'message', hex(id), hex(conversation_id), hex(content) FROM message WHERE tenant_id = $1",
            "SELECT 'message', id::text, conversation_id::text, encode(content, 'hex') FROM message WHERE tenant_id = $1"
        );
        dump!(
            3,
            "SELECT 'thread', hex(id), hex(conversation_id) FROM thread WHERE tenant_id = $1",
            "SELECT 'thread', id::text, conversation_id::text FROM thread WHERE tenant_id = $1"
        );
        dump!(
            5,
            "SELECT 'tag', hex(conversation_id), hex(tag_id), status, CAST(placed_at AS text) FROM conversation_tag \
             WHERE tenant_id = $1",
            "SELECT 'tag', conversation_id::text, tag_id::text, status, placed_at::text FROM conversation_tag \
             WHERE tenant_id = $1"
        );
        dump!(
            3,
            "SELECT 'job', hex(subject_id), CAST(run_at AS text) FROM job WHERE tenant_id = $1 AND kind = 'wake'",
            "SELECT 'job', subject_id::text, run_at::text FROM job WHERE tenant_id = $1 AND kind = 'wake'"
        );
        Ok(all)
    }
}

/// The keys that seal something of each case: of itself, and of what became part of it.
struct KeysOfCases;

impl Read for KeysOfCases {
    type Out = BTreeMap<ConversationId, BTreeSet<KeyId>>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let mut keys: Self::Out = BTreeMap::new();
        for text in [
            sql!("SELECT id, key_id FROM conversation WHERE tenant_id = $1"),
            sql!("SELECT conversation_id, key_id FROM message WHERE tenant_id = $1"),
            sql!(
                "SELECT m.conversation_id, a.key_id FROM attachment a JOIN message m \
                 ON m.tenant_id = a.tenant_id AND m.id = a.message_id WHERE a.tenant_id = $1"
            ),
            sql!(
                "SELECT m.conversation_id, b.key_id FROM attachment a JOIN message m \
                 ON m.tenant_id = a.tenant_id AND m.id = a.message_id \
                 JOIN blob b ON b.tenant_id = a.tenant_id AND b.id = a.blob_id WHERE a.tenant_id = $1"
            ),
            sql!(
                "SELECT m.conversation_id, b.key_id FROM message m JOIN blob b \
                 ON b.tenant_id = m.tenant_id AND b.id = m.source_blob_id WHERE m.tenant_id = $1"
            ),
            sql!(
                "SELECT m.conversation_id, d.key_id FROM delivery d JOIN message m \
                 ON m.tenant_id = d.tenant_id AND m.id = d.message_id WHERE d.tenant_id = $1"
            ),
        ] {
            for (case, key) in tx.query(text, params![tenant], |row| Ok((row.id(0)?, row.id(1)?))).await? {
                keys.entry(case).or_default().insert(key);
            }
        }
        Ok(keys)
    }
}

/// All deliveries have ended.
struct AllSent;

impl Write for AllSent {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        tx.execute(sql!("UPDATE delivery SET state = 'sent' WHERE tenant_id = $1"), params![tenant])
            .await
            .map(drop)
    }
}

async fn rows(house: &House, access: &Access) -> BTreeSet<String> {
    house.store.read(access, Rows).await.expect("rows")
}

async fn change(house: &House, access: &Access, id: ConversationId, change: ConversationChange) {
    let change = ChangeConversation::prepare(&house.store, access, id, change);
    house.store.write(access, change).await.expect("changed");
}

/// No key seals anything in two cases.
async fn no_key_in_two(house: &House, access: &Access) {
    let keys = house.store.read(access, KeysOfCases).await.expect("keys");
    let mut seen: BTreeMap<KeyId, ConversationId> = BTreeMap::new();
    for (case, keys) in keys {
        for key in keys {
            let other = seen.insert(key, case);
            assert!(other.is_none_or(|other| other == case), "{}: {case} and {other:?}", house.name());
        }
    }
}

async fn texts(house: &House, access: &Access, id: ConversationId) -> Vec<String> {
    let messages = house.store.messages(access, id, None, 99).await.expect("messages");
    messages.into_iter().map(|message| message.content.text).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_become_one_and_each_is_itself_again() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let settings = access.as_for(Purpose::Administration);
        let one = desk.file(&house, says("Jan", "Ketel", "De ketel lekt."), "1@k.example", &[]).await;
        house.pass(60);
        let two = desk.file(&house, says("Jan", "Nog iets", "Mandarijn."), "2@k.example", &[]).await;
        house.pass(60);
        desk.file(&house, says("Jan", "Re: Ketel", "Nu wel erg."), "3@k.example", &["1@k.example"]).await;
        let [both, only] = [
            store.create_tag(&settings, None, "Beide", TagColour::Blue).await.expect("a tag").id,
            store.create_tag(&settings, None, "Een", TagColour::Green).await.expect("a tag").id,
        ];
        let tag =
            |tags: &[_]| ConversationChange { add_tags: tags.to_vec(), ..ConversationChange::default() };
        change(&house, access, one.conversation, tag(&[both])).await;
        change(&house, access, two.conversation, tag(&[both, only])).await;
        let until = house.clock.now() + Duration::from_secs(9_999);
        let mine = ConversationChange {
            assignee: Some(Some(desk.admin.id)),
            standing: Some(Standing::Snoozed(until)),
            ..ConversationChange::default()
        };
        change(&house, access, two.conversation, mine).await;
        let done = ConversationChange { standing: Some(Standing::Resolved), ..ConversationChange::default() };
        change(&house, access, one.conversation, done).await;
        store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        let before = rows(&house, access).await;
        house.pass(1);

        store
            .merge_conversations(access, one.conversation, &[two.conversation], false)
            .await
            .expect("merged");
        let said = ["De ketel lekt.", "Mandarijn.", "Nu wel erg."];
        assert_eq!(texts(&house, access, one.conversation).await, said, "{}", house.name());
        let case = store.conversation(access, one.conversation).await.expect("a case");
        assert_eq!(
            (case.status, case.snoozed_until, case.messages, case.assignee),
            (ConversationStatus::Snoozed, Some(until), 3, Some(desk.admin.id)),
            "{}",
            house.name()
        );
        assert_eq!(
            (case.summary.preview.as_str(), case.summary.subject.as_str()),
            ("Nu wel erg.", "Ketel"),
            "{}",
            house.name()
        );
        assert_eq!(BTreeSet::from_iter(case.tags), BTreeSet::from([both, only]), "{}", house.name());
        let gone = store.conversation(access, two.conversation).await;
        assert!(matches!(gone, Err(StoreError::NotFound)), "{}", house.name());
        let leads = store.conversation_in_force(access, two.conversation).await.expect("an address");
        assert_eq!(leads, one.conversation, "{}", house.name());
        let hits = store.search(access, "mandarijn", None, 9).await.expect("hits").items;
        assert_eq!(hits.len(), 1, "{}", house.name());
        assert_eq!(hits[0].conversation.id, one.conversation, "{}", house.name());
        for no in [1, 2] {
            let found = store.conversation_by_number(access, no).await.expect("a number");
            assert_eq!(found.id, one.conversation, "{}: {no}", house.name());
        }
        let nobody = store.conversation_by_number(access, 99).await;
        assert!(matches!(nobody, Err(StoreError::NotFound)), "{}", house.name());
        let merged = store.merged_conversations(access, one.conversation).await.expect("merged");
        assert_eq!((merged.len(), merged[0].conversation.id), (1, two.conversation));
        assert_eq!(merged[0].conversation.summary.subject, "Nog iets");
        let told = store.activities(access, one.conversation).await.expect("activities");
        assert_eq!(told.last().map(|one| one.kind.as_str()), Some("merged"), "{}", house.name());
        // Asked for again it is done already.
        store
            .merge_conversations(access, one.conversation, &[two.conversation], false)
            .await
            .expect("merged");
        // The sweep knows that the key of the one still seals something, also when it is old.
        house.pass(400 * 24 * 3_600);
        sweep_a_day(&house, access.tenant()).await;
        let house = super::desk::again(house).await;
        let store = &house.store;
        assert_eq!(texts(&house, access, one.conversation).await, said, "{}", house.name());

        store
            .unmerge_conversations(access, one.conversation, &[two.conversation])
            .await
            .expect("taken apart");
        let after = rows(&house, access).await;
        assert_eq!(
            before.difference(&after).collect::<Vec<_>>(),
            Vec::<&String>::new(),
            "{}: {:?}",
            house.name(),
            after.difference(&before)
        );
        assert_eq!(after.difference(&before).collect::<Vec<_>>(), Vec::<&String>::new(), "{}", house.name());
        let again = store.unmerge_conversations(access, one.conversation, &[two.conversation]).await;
        assert!(matches!(again, Err(MergeError::Store(StoreError::NotFound))), "{}", house.name());
        let answers =
            desk.file(&house, says("Jan", "Re", "Voor twee."), "4@k.example", &["2@k.example"]).await;
        assert_eq!(answers.conversation, two.conversation, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn several_are_taken_apart_in_any_order_and_chains_from_the_end() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let mut cases = Vec::new();
        for name in ["1@k.example", "2@k.example", "3@k.example", "4@k.example"] {
            house.pass(5);
            cases.push(desk.file(&house, says("Jan", "Vraag", name), name, &[]).await.conversation);
        }
        let [one, two, three, four] = cases[..] else { panic!("four") };
        let before = rows(&house, access).await;
        store.merge_conversations(access, one, &[two, three], false).await.expect("merged");
        store.merge_conversations(access, four, &[one], false).await.expect("merged");
        assert_eq!(texts(&house, access, four).await.len(), 4, "{}", house.name());
        for part in [one, two, three] {
            assert_eq!(store.conversation_in_force(access, part).await.expect("an address"), four);
        }
        assert_eq!(store.merged_conversations(access, four).await.expect("merged").len(), 3);
        // What is no case any more is not taken apart.
        let early = store.unmerge_conversations(access, one, &[two]).await;
        assert!(matches!(early, Err(MergeError::Store(StoreError::NotFound))), "{}", house.name());
        store.unmerge_conversations(access, four, &[one]).await.expect("taken apart");
        // The one that came first cannot go alone; both can.
        let first = store.unmerge_conversations(access, one, &[two]).await;
        assert!(matches!(first, Err(MergeError::TooLate)), "{}", house.name());
        store.unmerge_conversations(access, one, &[two, three]).await.expect("taken apart");
        assert_eq!(rows(&house, access).await, before, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn mail_for_the_one_lands_in_the_other_and_then_they_cannot_be_told_apart() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let one = desk.file(&house, says("Jan", "Ketel", "Een."), "1@k.example", &[]).await;
        house.pass(60);
        let two = desk.file(&house, says("Jan", "Pomp", "Twee."), "2@k.example", &[]).await;
        let thread = store.reply_thread(access, two.conversation).await.expect("asked").expect("a thread");
        store
            .merge_conversations(access, one.conversation, &[two.conversation], false)
            .await
            .expect("merged");
        // Its threads are those of the other one, by reference and by the number in a signed address.
        let channel = Access::channel(&desk.account, access.request(), house.clock.clone());
        let known = store.thread_of_number(&channel, two.no).await.expect("asked");
        assert_eq!(known, Some(thread.thread), "{}", house.name());
        // Somebody deals with it meanwhile: undoing keeps that, and takes only the messages out.
        let done = ConversationChange { standing: Some(Standing::Resolved), ..ConversationChange::default() };
        change(&house, access, one.conversation, done).await;
        store
            .unmerge_conversations(access, one.conversation, &[two.conversation])
            .await
            .expect("taken apart");
        let case = store.conversation(access, one.conversation).await.expect("a case");
        assert_eq!(
            (case.status, case.messages, case.summary.preview.as_str()),
            (ConversationStatus::Resolved, 1, "Een."),
            "{}",
            house.name()
        );
        store
            .merge_conversations(access, one.conversation, &[two.conversation], false)
            .await
            .expect("merged");
        let more = desk.file(&house, says("Jan", "Re: Pomp", "Drie."), "3@k.example", &["2@k.example"]).await;
        assert_eq!(more.conversation, one.conversation, "{}", house.name());
        let before = rows(&house, access).await;
        let late = store.unmerge_conversations(access, one.conversation, &[two.conversation]).await;
        assert!(matches!(late, Err(MergeError::TooLate)), "{}: {late:?}", house.name());
        assert_eq!(rows(&house, access).await, before, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn nothing_is_lost_or_doubled_while_mail_comes_in() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let access = &desk.admin.access;
        let one = desk.file(&house, says("Jan", "Ketel", "Een."), "1@k.example", &[]).await;
        let two = desk.file(&house, says("Jan", "Pomp", "Twee."), "2@k.example", &[]).await;
        let mails = async {
            for n in 0..12 {
                let id = format!("mail-{n}@k.example");
                let about = if n % 2 == 0 { "2@k.example" } else { "1@k.example" };
                desk.file(&house, says("Jan", "Re", &id), &id, &[about]).await;
            }
        };
        let merges = async {
            for _ in 0..6 {
                let (target, source) = (one.conversation, [two.conversation]);
                match house.store.merge_conversations(access, target, &source, false).await {
                    Ok(()) => {}
                    Err(MergeError::Store(StoreError::Conflict)) => continue,
                    Err(error) => panic!("{error}"),
                }
                tokio::task::yield_now().await;
                match house.store.unmerge_conversations(access, target, &source).await {
                    Ok(()) | Err(MergeError::TooLate) => {}
                    Err(error) => panic!("{error}"),
                }
            }
        };
        let answers = async {
            for n in 0..6 {
                let to = Stored { conversation: one.conversation, ..one };
                desk.answer(&house, to, person("Jan", "jan@klant.example"), &format!("Antwoord {n}.")).await;
            }
        };
        tokio::join!(mails, merges, answers);
        let mut all = Vec::new();
        let mut in_force = BTreeSet::new();
        for id in [one.conversation, two.conversation] {
            in_force.insert(house.store.conversation_in_force(access, id).await.expect("an address"));
        }
        for id in in_force {
            let case = house.store.conversation(access, id).await.expect("a case");
            let said = texts(&house, access, id).await;
            assert_eq!(case.messages, said.len() as i64, "{}", house.name());
            all.extend(said);
        }
        let once: BTreeSet<_> = all.iter().collect();
        assert_eq!((all.len(), once.len()), (20, 20), "{}: {all:?}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn other_people_are_merged_only_when_it_is_meant_and_nobody_merges_what_they_do_not_see() {
    for house in houses().await {
        let world = World::new(house).await;
        let (store, full) = (&world.house.store, &world.admin.access);
        let [ketel, pomp, boiler] = ["ketel", "pomp", "boiler"].map(|name| world.cases[name]);
        let before = rows(&world.house, full).await;
        let refused = store.merge_conversations(full, ketel, &[pomp], false).await;
        assert!(matches!(refused, Err(MergeError::OtherContact)), "{}", world.house.name());
        let same = store.merge_conversations(full, ketel, &[ketel], true).await;
        assert!(matches!(same, Err(MergeError::Itself)), "{}", world.house.name());
        for access in [world.balie(), world.info()] {
            let no = store.conversation(full, boiler).await.expect("a case").no;
            let hidden = store.conversation_by_number(&access, no).await;
            assert!(matches!(hidden, Err(StoreError::NotFound)), "{}", world.house.name());
            for (one, other) in [(ketel, boiler), (boiler, ketel)] {
                let hidden = store.merge_conversations(&access, one, &[other], true).await;
                assert!(matches!(hidden, Err(MergeError::Store(StoreError::NotFound))));
            }
            let link = LinkConversations::prepare(store, &access, (ketel, boiler), true);
            assert!(matches!(store.write(&access, link).await, Err(StoreError::NotFound)));
        }
        let other = world.house.tenant("smid").await;
        for (one, two) in [(ketel, pomp), (pomp, ketel)] {
            let strange = store.merge_conversations(&other.access, one, &[two], true).await;
            assert!(matches!(strange, Err(MergeError::Store(StoreError::NotFound))));
        }
        let split = NewSplit {
            from: pomp,
            id: ConversationId(Uuid::from_u128(77)),
            messages: vec![world.messages["pomp-2"].0],
            subject: None,
        };
        // A message through an account that is not seen is not there to be taken out.
        let hidden = store.split_conversation(&world.info(), &split).await;
        assert!(matches!(hidden, Err(SplitError::NoSuchMessage)), "{}", world.house.name());
        let strange = store.split_conversation(&other.access, &split).await;
        assert!(matches!(strange, Err(SplitError::Store(StoreError::NotFound))));
        assert_eq!(rows(&world.house, full).await, before, "{}", world.house.name());

        store.merge_conversations(full, ketel, &[boiler], true).await.expect("merged");
        // Whoever would not see it afterwards does not take it out, nor is it shown to them.
        for access in [world.balie(), world.info()] {
            let hidden = store.unmerge_conversations(&access, ketel, &[boiler]).await;
            assert!(matches!(hidden, Err(MergeError::Store(StoreError::NotFound))));
            assert!(store.merged_conversations(&access, ketel).await.expect("asked").is_empty());
        }
        let strange = store.unmerge_conversations(&other.access, ketel, &[boiler]).await;
        assert!(matches!(strange, Err(MergeError::Store(StoreError::NotFound))));
        let strange = store.conversation_in_force(&other.access, boiler).await;
        assert!(matches!(strange, Err(StoreError::NotFound)));
        // Those who saw the list that it was in hear that it is gone; others hear nothing of it.
        let hears = async |access: &Access| {
            let events = store.events(access, 0, 999).await.expect("events").items;
            events
                .iter()
                .any(|fact| matches!(fact, crate::Fact::Seen(event) if event.conversation == Some(boiler)))
        };
        assert!(hears(full).await && !hears(&world.balie()).await, "{}", world.house.name());
        store.unmerge_conversations(full, ketel, &[boiler]).await.expect("taken apart");
        assert_eq!(rows(&world.house, full).await, before, "{}", world.house.name());
        world.house.close().await;
    }
}

/// An answer of the admin that can be taken back for a minute.
async fn answer(house: &House, desk: &Desk, to: ConversationId, text: &str) -> MessageId {
    let (store, access) = (&house.store, &desk.admin.access);
    let thread = store.reply_thread(access, to).await.expect("asked").expect("a thread");
    let id = MessageId::new(house.clock.now(), store.random().bytes());
    let jan = person("Jan", "jan@klant.example");
    let outgoing = Outgoing {
        conversation: to,
        kind: belofte_model::MessageKind::Reply,
        id,
        thread: Some(thread.thread),
        account: Some(thread.account),
        content: MessageContent {
            to: vec![jan.clone()],
            text: text.to_owned(),
            message_id: Some(format!("{}@bakker.example", id.uuid().simple())),
            ..MessageContent::default()
        },
        recipients: vec![(crate::RecipientRole::To, jan)],
        attachments: Vec::new(),
        how: Handling { wait: Duration::from_secs(60), ..Handling::default() },
    };
    store.write_out(access, &outgoing).await.expect("written")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_went_along_is_taken_back_and_sent_under_its_own_key() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let one = desk.file(&house, says("Jan", "Ketel", "Een."), "1@k.example", &[]).await.conversation;
        let two = desk.file(&house, says("Jan", "Pomp", "Twee."), "2@k.example", &[]).await.conversation;
        let back = answer(&house, &desk, two, "Toch niet.").await;
        house.pass(1);
        let stays = answer(&house, &desk, two, "Wel.").await;
        store.merge_conversations(access, one, &[two], false).await.expect("merged");
        let message = store.message(access, back).await.expect("a message");
        let withdraw = WithdrawMessage::prepare(store, access, &message).await.expect("prepared");
        store.write(access, withdraw).await.expect("taken back");
        assert_eq!(texts(&house, access, one).await, ["Een.", "Twee.", "Wel."], "{}", house.name());
        // What is left of it opens for the index, and what a server says of the other one for everybody.
        store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        house.pass(90);
        let jobs = store.system().claim_jobs(access.tenant(), 50, house.clock.now()).await.expect("claimed");
        let job = jobs.into_iter().find(|job| job.subject == stays.uuid()).expect("a job");
        let worker = Access::job(&job, house.clock.clone());
        let message = store.message(&worker, stays).await.expect("a message");
        let outcome = crate::Outcome {
            id: message.deliveries[0].id,
            state: belofte_model::DeliveryState::Failed,
            next_try_at: None,
            code: Some("rejected"),
            reply: Some("550 weg".to_owned()),
        };
        let record = crate::RecordOutcomes::prepare(store, &worker, job, &message, vec![outcome]).await;
        store.write(&worker, record.expect("sealed")).await.expect("recorded");
        let message = store.message(access, stays).await.expect("it opens");
        assert_eq!(message.deliveries[0].reply.as_deref(), Some("550 weg"), "{}", house.name());
        assert!(store.conversation(access, one).await.expect("a case").delivery_problem);
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn links_go_both_ways_and_along_with_a_merge() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let mut cases = Vec::new();
        for name in ["1@k.example", "2@k.example", "3@k.example"] {
            cases.push(desk.file(&house, says("Jan", "Vraag", name), name, &[]).await.conversation);
        }
        let [one, two, three] = cases[..] else { panic!("three") };
        let link = async |a, b, on| {
            let link = LinkConversations::prepare(store, access, (a, b), on);
            store.write(access, link).await
        };
        let beside = async |id| {
            let found = store.linked_conversations(access, id).await.expect("links");
            found.into_iter().map(|case| case.id).collect::<Vec<_>>()
        };
        assert!(link(one, two, true).await.expect("linked"), "{}", house.name());
        house.pass(1);
        assert!(!link(two, one, true).await.expect("there already"), "{}", house.name());
        assert!(matches!(link(one, one, true).await, Err(StoreError::Conflict)));
        assert_eq!((beside(one).await, beside(two).await), (vec![two], vec![one]), "{}", house.name());
        store.merge_conversations(access, three, &[two], false).await.expect("merged");
        assert_eq!((beside(one).await, beside(three).await), (vec![three], vec![one]), "{}", house.name());
        // A case stands not beside itself.
        store.merge_conversations(access, three, &[one], false).await.expect("merged");
        assert!(beside(three).await.is_empty(), "{}", house.name());
        store.unmerge_conversations(access, three, &[one]).await.expect("taken apart");
        assert!(link(three, one, false).await.expect("taken away"), "{}", house.name());
        store.unmerge_conversations(access, three, &[two]).await.expect("taken apart");
        assert!(beside(one).await.is_empty() && beside(two).await.is_empty(), "{}", house.name());
        let told = store.activities(access, two).await.expect("activities");
        let told: Vec<_> = told.iter().map(|one| one.kind.as_str()).collect();
        assert_eq!(told, ["linked", "unmerged"], "{}", house.name());
        house.close().await;
    }
}

fn split(house: &House, from: ConversationId, messages: &[MessageId]) -> NewSplit {
    let id = ConversationId::new(house.clock.now(), house.store.random().bytes());
    NewSplit { from, id, messages: messages.to_vec(), subject: Some("Eigen vraag".to_owned()) }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_taken_out_is_whole_has_its_own_key_and_goes_on_by_itself() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let first = desk.file(&house, says("Jan", "Ketel", "Een."), "1@k.example", &[]).await;
        house.pass(60);
        let second =
            desk.file(&house, says("Piet", "Re: Ketel", "Pomp."), "2@k.example", &["1@k.example"]).await;
        house.pass(60);
        let reply = answer(&house, &desk, first.conversation, "Wij komen.").await;
        let from = first.conversation;
        let on_its_way = store.split_conversation(access, &split(&house, from, &[reply])).await;
        assert!(matches!(on_its_way, Err(SplitError::OnItsWay)), "{}", house.name());
        store.write(access, AllSent).await.expect("sent");
        let everything = split(&house, from, &[first.message, second.message, reply]);
        let all = store.split_conversation(access, &everything);
        assert!(matches!(all.await, Err(SplitError::NothingLeft)), "{}", house.name());
        store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
        let before = store.conversation(access, from).await.expect("a case");

        let new = split(&house, from, &[reply, second.message]);
        store.split_conversation(access, &new).await.expect("taken out");
        // Of an earlier try it is there already.
        store.split_conversation(access, &new).await.expect("taken out");
        assert_eq!(texts(&house, access, from).await, ["Een."], "{}", house.name());
        assert_eq!(texts(&house, access, new.id).await, ["Pomp.", "Wij komen."], "{}", house.name());
        no_key_in_two(&house, access).await;
        let old = store.conversation(access, from).await.expect("a case");
        assert_eq!((old.messages, old.summary.preview.as_str()), (1, "Een."), "{}", house.name());
        let case = store.conversation(access, new.id).await.expect("a case");
        assert_eq!(
            (case.messages, case.summary.subject.as_str(), case.summary.preview.as_str()),
            (2, "Eigen vraag", "Wij komen."),
            "{}",
            house.name()
        );
        assert_eq!(case.summary.name, "Piet", "{}: with whom it is", house.name());
        assert_eq!(store.message_source(access, second.message).await.expect("it opens"), b"raw");
        let message = store.message(access, reply).await.expect("it opens");
        assert_eq!(message.deliveries[0].recipient.address, "jan@klant.example", "{}", house.name());
        let hits = store.search(access, "pomp", None, 9).await.expect("hits").items;
        assert_eq!(hits.iter().map(|hit| hit.conversation.id).collect::<Vec<_>>(), [new.id]);
        // What answers the one goes there, and what answers the other one here.
        for (about, to) in [("2@k.example", new.id), ("1@k.example", from)] {
            house.pass(1);
            let id = format!("re-{about}");
            let more = desk.file(&house, says("Jan", "Re", "Nog."), &id, &[about]).await;
            assert_eq!(more.conversation, to, "{}: {about}", house.name());
        }
        let late = store.unsplit_conversation(access, new.id).await;
        assert!(matches!(late, Err(MergeError::TooLate)), "{}", house.name());

        // Another one, put back at once: the case is as it was, and the address of the other leads to it.
        let text_before = texts(&house, access, from).await;
        let again = split(&house, from, &[first.message]);
        let done = ConversationChange { standing: Some(Standing::Resolved), ..ConversationChange::default() };
        change(&house, access, from, done).await;
        let stood = store.conversation(access, from).await.expect("a case");
        store.split_conversation(access, &again).await.expect("taken out");
        assert_eq!(store.unsplit_conversation(access, again.id).await.expect("put back"), from);
        assert_eq!(texts(&house, access, from).await, text_before, "{}", house.name());
        let now = store.conversation(access, from).await.expect("a case");
        assert_eq!(
            (now.status, now.messages, now.summary.clone(), now.contact),
            (stood.status, stood.messages, stood.summary, before.contact),
            "{}",
            house.name()
        );
        assert_eq!(store.conversation_in_force(access, again.id).await.expect("an address"), from);
        no_key_in_two(&house, access).await;
        sweep_a_day(&house, access.tenant()).await;
        assert_eq!(texts(&house, access, from).await, text_before, "{}", house.name());
        let strange = store.unsplit_conversation(access, from).await;
        assert!(matches!(strange, Err(MergeError::Store(StoreError::NotFound))));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_merged_and_taken_out_elsewhere_shares_no_key() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let one = desk.file(&house, says("Jan", "Ketel", "Een."), "1@k.example", &[]).await;
        let two = desk.file(&house, says("Jan", "Pomp", "Twee."), "2@k.example", &[]).await;
        let more = desk.file(&house, says("Jan", "Re", "Drie."), "3@k.example", &["2@k.example"]).await;
        store
            .merge_conversations(access, one.conversation, &[two.conversation], false)
            .await
            .expect("merged");
        no_key_in_two(&house, access).await;
        let new = split(&house, one.conversation, &[more.message, one.message]);
        store.split_conversation(access, &new).await.expect("taken out");
        no_key_in_two(&house, access).await;
        let late = store.unmerge_conversations(access, one.conversation, &[two.conversation]).await;
        assert!(matches!(late, Err(MergeError::TooLate)), "{}", house.name());
        store.unsplit_conversation(access, new.id).await.expect("put back");
        no_key_in_two(&house, access).await;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_case_that_is_moved_is_answered_from_its_new_mailbox_by_those_who_may() {
    for house in houses().await {
        let world = World::new(house).await;
        let (store, full) = (&world.house.store, &world.admin.access);
        let (ketel, shop, info) =
            (world.cases["ketel"], world.accounts["shop"].id, world.accounts["info"].id);
        let to = |account| ConversationChange { account: Some(account), ..ConversationChange::default() };
        let hidden = ChangeConversation::prepare(store, &world.info(), ketel, to(shop));
        assert!(matches!(store.write(&world.info(), hidden).await, Err(StoreError::NotFound)));
        let unknown = belofte_model::ChannelAccountId(Uuid::from_u128(5));
        let nowhere = ChangeConversation::prepare(store, full, ketel, to(unknown));
        assert!(matches!(store.write(full, nowhere).await, Err(StoreError::NotFound)));

        change(&world.house, full, ketel, to(shop)).await;
        let place = store.reply_thread(full, ketel).await.expect("asked").expect("a thread");
        assert_eq!((place.account, place.moved_to), (info, Some(shop)), "{}", world.house.name());
        let case = store.conversation(full, ketel).await.expect("a case");
        assert_eq!((case.account, case.queue), (shop, world.queues["Balie"]), "{}", world.house.name());
        let gone = store.conversation(&world.info(), ketel).await;
        assert!(matches!(gone, Err(StoreError::NotFound)), "{}", world.house.name());
        let told = store.activities(full, ketel).await.expect("activities");
        let told = told.last().map(|one| (one.kind.clone(), one.from.clone(), one.to.clone()));
        let expected = ("account".to_owned(), Some(info.to_string()), Some(shop.to_string()));
        assert_eq!(told, Some(expected), "{}", world.house.name());
        change(&world.house, full, ketel, to(info)).await;
        let place = store.reply_thread(full, ketel).await.expect("asked").expect("a thread");
        assert_eq!((place.account, place.moved_to), (info, None), "{}", world.house.name());
        world.house.close().await;
    }
}
