// SPDX-License-Identifier: EUPL-1.2
//! Drafts: whose they are, what two browsers make of one, and when they go.

use belofte_model::{
    ConversationId, DraftKind, LineId, MessageId, MessageKind, NodeId, PresenceState, Present, Purpose,
    RequestId, Role, Subset, Timestamp, Visible,
};
use uuid::Uuid;

use super::desk::{Desk, Stored, says};
use super::house::{House, houses, upload};
use super::upkeep::{Tamper, sweep};
use crate::engine::sql;
use crate::{
    Access, DraftContent, DraftPlace, DraftSaved, Handling, MessageContent, NewFile, Outgoing, PresenceRow,
    StoreError,
};

/// Rows of the table in `visible.rs`.
pub(super) const OTHERS: &[(&str, &str)] = &[
    ("drafts", "what the one who asks has written, in cases that are seen: below"),
    ("drafts_in", "what the one who asks has written, in a case that is seen: below"),
    ("keep_presence", "ids for other nodes; each listener hears of the cases that it sees"),
    ("place_of_case", "ids of a case that is seen: below"),
    ("presence_elsewhere", "ids of cases that are seen; each listener hears of those that it sees"),
    ("save_draft", "changes; in a case that is seen: below"),
];

const DAY: u64 = 24 * 3_600;

fn words(text: &str) -> DraftContent {
    DraftContent { text: text.to_owned(), ..DraftContent::default() }
}

const fn place(of: Stored, kind: DraftKind) -> DraftPlace {
    DraftPlace { conversation: Some(of.conversation), kind }
}

fn kept(saved: DraftSaved) -> i64 {
    match saved {
        DraftSaved::Kept { version, .. } => version,
        other => panic!("{other:?}"),
    }
}

async fn texts(house: &House, access: &Access, of: Stored) -> Vec<String> {
    let found = house.store.drafts_in(access, Some(of.conversation)).await.expect("drafts");
    found.into_iter().map(|draft| draft.content.text).collect()
}

fn file() -> NewFile {
    NewFile {
        name: "bon.txt".to_owned(),
        media_type: "text/plain".to_owned(),
        content_id: None,
        inline: false,
        bytes: b"bon".to_vec(),
    }
}

fn note(house: &House, of: Stored, how: Handling) -> Outgoing {
    Outgoing {
        conversation: of.conversation,
        kind: MessageKind::Note,
        id: MessageId::new(house.clock.now(), house.store.random().bytes()),
        thread: None,
        account: None,
        content: MessageContent { text: "Notitie".to_owned(), ..MessageContent::default() },
        recipients: Vec::new(),
        attachments: Vec::new(),
        how,
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_draft_is_its_writers_alone_and_another_browser_overwrites_none_in_silence() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, own, name) = (&house.store, &desk.admin.access, house.name());
        let jan = desk.file(&house, says("Jan", "Vraag", "Dag."), "v1@klant.example", &[]).await;
        let colleague = house.join(&desk.admin, Role::Agent, "agent@bakker.example").await;
        let reply = place(jan, DraftKind::Reply);
        let first = kept(store.save_draft(own, reply, 0, Some(&words("Beste Jan"))).await.expect("saved"));
        kept(
            store
                .save_draft(own, place(jan, DraftKind::Note), 0, Some(&words("Let op")))
                .await
                .expect("saved"),
        );
        assert_eq!(texts(&house, own, jan).await, ["Let op", "Beste Jan"], "{name}: one row each");
        assert!(texts(&house, &colleague.access, jan).await.is_empty(), "{name}: nobody else's");
        assert!(store.drafts(&colleague.access).await.expect("drafts").is_empty(), "{name}");

        // A colleague's own stands beside it, and another browser of the same user is told.
        kept(store.save_draft(&colleague.access, reply, 0, Some(&words("Dag Jan"))).await.expect("saved"));
        let second =
            kept(store.save_draft(own, reply, first, Some(&words("Beste Jan,"))).await.expect("saved"));
        assert!(second > first, "{name}");
        let late = store.save_draft(own, reply, first, Some(&words("Iets anders"))).await.expect("asked");
        assert!(matches!(late, DraftSaved::Changed), "{name}: {late:?}");
        let thrown = store.save_draft(own, reply, first, None).await.expect("asked");
        assert!(matches!(thrown, DraftSaved::Changed), "{name}: {thrown:?}");
        // Asked again after a lost answer it is the same.
        let again = store.save_draft(own, reply, first, Some(&words("Beste Jan,"))).await.expect("asked");
        assert_eq!(kept(again), second, "{name}");
        // What was thrown away in one browser is not brought back by another unasked.
        assert!(
            matches!(store.save_draft(own, reply, second, None).await, Ok(DraftSaved::Removed)),
            "{name}"
        );
        let back = store.save_draft(own, reply, second, Some(&words("Beste Jan,!"))).await.expect("asked");
        assert!(matches!(back, DraftSaved::Changed), "{name}");
        house.pass(1);
        let third = kept(store.save_draft(own, reply, 0, Some(&words("Beste Jan,"))).await.expect("saved"));
        assert!(third > second, "{name}: no version twice");
        assert_eq!(texts(&house, &colleague.access, jan).await, ["Dag Jan"], "{name}");

        // At one moment one of two comes through, and nothing fails.
        let (one, two) = (words("a"), words("b"));
        let (a, b) = tokio::join!(
            store.save_draft(own, reply, third, Some(&one)),
            store.save_draft(own, reply, third, Some(&two)),
        );
        let won = [a.expect("asked"), b.expect("asked")];
        assert_eq!(
            won.iter().filter(|one| matches!(one, DraftSaved::Kept { .. })).count(),
            1,
            "{name}: {won:?}"
        );

        // A row that is given to somebody else in the database does not open.
        let now = store.drafts_in(own, Some(jan.conversation)).await.expect("drafts");
        let version = now.iter().find(|one| one.place == reply).expect("the one that came through").version;
        let gone = store.save_draft(own, reply, version, None).await;
        assert!(matches!(gone, Ok(DraftSaved::Removed)), "{name}: {gone:?}");
        let stolen = Tamper(sql!(
            "UPDATE draft SET owner_id = (SELECT owner_id FROM draft WHERE tenant_id = $1 AND kind = 'note') \
             WHERE tenant_id = $1 AND kind = 'reply'"
        ));
        store.write(own, stolen).await.expect("tampered");
        let found = store.drafts_in(own, Some(jan.conversation)).await;
        assert!(matches!(found, Err(StoreError::Inconsistent { .. })), "{name}: {found:?}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_message_takes_its_draft_away_and_leaves_the_others() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, own, name) = (&house.store, &desk.admin.access, house.name());
        let jan = desk.file(&house, says("Jan", "Vraag", "Dag."), "v1@klant.example", &[]).await;
        let [reply, noted] = [DraftKind::Reply, DraftKind::Note].map(|kind| place(jan, kind));
        kept(store.save_draft(own, reply, 0, Some(&words("Beste Jan"))).await.expect("saved"));
        let old = kept(store.save_draft(own, noted, 0, Some(&words("Let op"))).await.expect("saved"));
        let new = kept(store.save_draft(own, noted, old, Some(&words("Let goed op"))).await.expect("saved"));
        // Sent from a browser that did not know of the last words: those stay.
        let how = |draft| Handling { draft, ..Handling::default() };
        store.write_out(own, &note(&house, jan, how(Some(old)))).await.expect("written");
        assert_eq!(texts(&house, own, jan).await, ["Let goed op", "Beste Jan"], "{name}");
        store.write_out(own, &note(&house, jan, how(None))).await.expect("written");
        assert_eq!(texts(&house, own, jan).await.len(), 2, "{name}: a program that knows of no drafts");
        store.write_out(own, &note(&house, jan, how(Some(new)))).await.expect("written");
        assert_eq!(texts(&house, own, jan).await, ["Beste Jan"], "{name}");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn files_wait_as_long_as_their_draft_and_both_go_in_the_end() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, own, name) = (&house.store, &desk.admin.access, house.name());
        let jan = desk.file(&house, says("Jan", "Vraag", "Dag."), "v1@klant.example", &[]).await;
        let mut ids = Vec::new();
        for _ in 0..3 {
            ids.push(upload(store, own, file()).await.expect("uploaded").id);
        }
        let with = |text: &str, files: &[usize]| DraftContent {
            attachments: files.iter().map(|at| ids[*at]).collect(),
            ..words(text)
        };
        let reply = place(jan, DraftKind::Reply);
        let version = kept(store.save_draft(own, reply, 0, Some(&with("a", &[0, 1]))).await.expect("saved"));
        house.pass(2 * DAY);
        sweep(&house, desk.admin.tenant).await;
        for (at, there) in [(0, true), (1, true), (2, false)] {
            assert_eq!(store.attachment(own, ids[at]).await.is_ok(), there, "{name}: {at}");
        }
        // One that is taken off can be put back for a day.
        let version =
            kept(store.save_draft(own, reply, version, Some(&with("a", &[1]))).await.expect("saved"));
        house.pass(DAY / 2);
        sweep(&house, desk.admin.tenant).await;
        assert!(store.attachment(own, ids[0]).await.is_ok(), "{name}");
        house.pass(DAY);
        sweep(&house, desk.admin.tenant).await;
        assert!(store.attachment(own, ids[0]).await.is_err(), "{name}");
        // A file that a message takes is the draft's no more.
        let mut outgoing = note(&house, jan, Handling { draft: Some(version), ..Handling::default() });
        outgoing.attachments = vec![ids[1]];
        let sent = store.write_out(own, &outgoing).await.expect("written");
        assert_eq!(store.message(own, sent).await.expect("a message").attachments[0].id, ids[1], "{name}");
        assert_eq!(texts(&house, own, jan).await, ["a"], "{name}: a note takes no reply away");

        house.pass(88 * DAY);
        sweep(&house, desk.admin.tenant).await;
        assert_eq!(texts(&house, own, jan).await, ["a"], "{name}: 89 days and a half");
        house.pass(DAY);
        sweep(&house, desk.admin.tenant).await;
        assert!(texts(&house, own, jan).await.is_empty(), "{name}: nobody touched it for 90 days");
        assert!(store.attachment(own, ids[1]).await.is_ok(), "{name}: that is the message's");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_writes_in_a_case_that_they_do_not_see_nor_more_than_there_is_room_for() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, own, name) = (&house.store, &desk.admin.access, house.name());
        let jan = desk.file(&house, says("Jan", "Vraag", "Dag."), "v1@klant.example", &[]).await;
        let reply = place(jan, DraftKind::Reply);
        let version = kept(store.save_draft(own, reply, 0, Some(&words("a"))).await.expect("saved"));
        kept(store.save_draft(own, DraftPlace::MAIL, 0, Some(&words("mail"))).await.expect("saved"));
        let request = RequestId(Uuid::nil());
        let narrow = Access::for_test(
            own.tenant(),
            own.actor(),
            Purpose::Service,
            request,
            Visible { queues: Subset::Only(Vec::new()), ..Visible::all() },
            house.clock.clone(),
        );
        let other = house.tenant("slager").await;
        for access in [&narrow, &other.access] {
            let found = store.drafts_in(access, Some(jan.conversation)).await;
            assert!(matches!(found, Err(StoreError::NotFound)), "{name}: {found:?}");
            let saved = store.save_draft(access, reply, version, Some(&words("b"))).await;
            assert!(matches!(saved, Err(StoreError::NotFound)), "{name}: {saved:?}");
            assert_eq!(store.place_of_case(access, jan.conversation).await.expect("asked"), None, "{name}");
        }
        let all = store.drafts(&narrow).await.expect("drafts");
        assert_eq!(
            all.iter().map(|(draft, _)| draft.place).collect::<Vec<_>>(),
            [DraftPlace::MAIL],
            "{name}"
        );
        assert!(store.drafts(&other.access).await.expect("drafts").is_empty(), "{name}");
        let nowhere = DraftPlace { conversation: Some(ConversationId(Uuid::from_u128(7))), ..reply };
        assert!(matches!(
            store.save_draft(own, nowhere, 0, Some(&words("b"))).await,
            Err(StoreError::NotFound)
        ));

        // So many, and no more; one that is there can be changed all the same.
        let many = Tamper(sql!(
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 198) \
             INSERT INTO draft (tenant_id, owner_id, conversation_id, kind, id, content, key_id, version, saved_at) \
             SELECT tenant_id, owner_id, conversation_id, kind || i, id, content, key_id, 1, saved_at FROM draft, n \
             WHERE tenant_id = $1 AND kind = 'mail'"
        ));
        store.write(own, many).await.expect("tampered");
        let full = store.save_draft(own, place(jan, DraftKind::Note), 0, Some(&words("b"))).await;
        assert!(matches!(full, Ok(DraftSaved::TooMany)), "{name}: {full:?}");
        kept(store.save_draft(own, reply, version, Some(&words("b"))).await.expect("saved"));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nodes_hear_of_each_other_and_forget_one_that_is_gone() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, name) = (&house.store, house.name());
        let jan = desk.file(&house, says("Jan", "Vraag", "Dag."), "v1@klant.example", &[]).await;
        let upkeep = store.system().upkeep(desk.admin.tenant);
        let [one, two] = [1, 2].map(|id| NodeId(Uuid::from_u128(id)));
        let place = store.place_of_case(&desk.admin.access, jan.conversation).await.expect("asked");
        let row = PresenceRow {
            line: LineId(Uuid::from_u128(3)),
            conversation: jan.conversation,
            place: place.expect("a place"),
            present: Present {
                user: desk.admin.id,
                state: PresenceState::Writing,
                since: Timestamp::from_secs(5),
                taken_at: Some(Timestamp::from_secs(6)),
            },
        };
        store.keep_presence(&upkeep, one, vec![row]).await.expect("kept");
        assert_eq!(store.presence_elsewhere(&upkeep, two).await.expect("asked"), [row], "{name}");
        assert!(store.presence_elsewhere(&upkeep, one).await.expect("asked").is_empty(), "{name}");
        let other = house.tenant("slager").await;
        let strange = store.system().upkeep(other.tenant);
        assert!(store.presence_elsewhere(&strange, two).await.expect("asked").is_empty(), "{name}");
        house.pass(50);
        assert!(store.presence_elsewhere(&upkeep, two).await.expect("asked").is_empty(), "{name}");
        house.close().await;
    }
}
