// SPDX-License-Identifier: EUPL-1.2
//! Queues: their names and order, and when they are open.

use belofte_model::{
    ChannelAccountId, Duration, Holiday, HoursException, HoursSettings, LedgerKind, OpenSpan, Purpose,
    QueueId, Timestamp,
};

use super::channel_accounts::mailbox;
use super::house::{House, houses};
use super::visible::World;
use crate::engine::{params, sql};
use crate::{
    Access, ChannelAccountChange, ChannelAccountError, MOST_QUEUES, Opening, QueueChange, QueueError,
    StoreError, Tx, Write,
};

pub(super) async fn make(house: &House, access: &Access, name: &str) -> QueueId {
    let access = access.as_for(Purpose::Administration);
    house.store.create_queue(&access, None, name, "").await.expect("made").queue.id
}

/// Moves the clock to a later moment.
fn to(house: &House, at: Timestamp) {
    house.clock.advance(at.since(house.clock.now()));
}

async fn names(house: &House, access: &Access) -> Vec<String> {
    house.store.queues(access).await.expect("queues").into_iter().map(|queue| queue.name).collect()
}

/// Makes every calendar of the tenant such that it cannot be opened.
struct Spoil;

impl Write for Spoil {
    type Out = u64;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<u64, StoreError> {
        let (tenant, nothing): (_, &[u8]) = (tx.tenant(), b"nothing");
        tx.execute(sql!("UPDATE queue_hours SET hours = $2 WHERE tenant_id = $1"), params![tenant, nothing])
            .await
    }
}

/// Why what is done to queues and teams need not look at what is visible, beside [`shown`].
pub(super) const OTHERS: &[(&str, &str)] = &[
    ("archive_queue", "changes; of a queue that is seen, into one that is seen"),
    ("change_queue", "changes; of a queue that is seen"),
    ("change_team", "changes; teams are the tenant's, and serve queues that are seen by who says so"),
    ("create_queue", "changes; settings of the tenant"),
    ("create_team", "changes; teams are the tenant's"),
    ("order_queues", "changes; the order of all queues, which shows none"),
    ("restore_queue", "changes; of a queue that is seen"),
    ("set_business_hours", "changes; of a queue that is seen"),
    ("team_set_up", "teams are the tenant's, and name users and queues by id"),
    ("teams", "teams are the tenant's"),
];

/// The names of the queues that a function shows to `access`.
pub(super) async fn shown(world: &World, access: &Access, function: &str) -> Vec<String> {
    let store = &world.house.store;
    let full = world.admin.access.as_for(Purpose::Administration);
    let mut found = Vec::new();
    for (name, id) in &world.queues {
        store.set_business_hours(&full, *id, None, Some(office())).await.expect("hours");
        let is_shown = match function {
            "queue_openings" => store.queue_openings(access).await.expect("openings").contains_key(id),
            "queue_set_up" => match store.queue_set_up(&access.as_for(Purpose::Administration), *id).await {
                Err(StoreError::NotFound) => false,
                set_up => set_up.expect("a queue").queue.id == *id,
            },
            _ => store.queues(access).await.expect("queues").iter().any(|queue| queue.id == *id),
        };
        found.extend(is_shown.then(|| (*name).to_owned()));
    }
    found
}

fn office() -> HoursSettings {
    let day = || vec![OpenSpan { from: "09:00".to_owned(), to: "17:00".to_owned() }];
    HoursSettings {
        zone: "Europe/Amsterdam".to_owned(),
        week: [day(), day(), day(), day(), day(), Vec::new(), Vec::new()],
        holidays: vec![Holiday::NewYear],
        exceptions: vec![HoursException { date: "2027-01-19".to_owned(), hours: Vec::new() }],
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn queues_are_made_named_and_put_in_order() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, access) = (&house.store, &admin.access.as_for(Purpose::Administration));
        let first = store.default_queue(access).await.expect("a queue");
        let one = make(&house, access, "Winkel").await;
        let two = make(&house, access, "Bezorging").await;
        assert_eq!(names(&house, access).await[1..], ["Winkel", "Bezorging"], "{}", house.name());
        store.order_queues(access, vec![two, first, one]).await.expect("ordered");
        assert_eq!(names(&house, access).await[0], "Bezorging");
        for wrong in [vec![two, first], vec![two, first, one, one]] {
            assert!(matches!(store.order_queues(access, wrong).await, Err(QueueError::NotAll)));
        }
        let strange = vec![two, first, one, QueueId::new(Timestamp::from_secs(1), [0; 10])];
        let refused = store.order_queues(access, strange).await;
        assert!(matches!(refused, Err(QueueError::Store(StoreError::NotFound))), "{}", house.name());
        let rename = |version, name: &str| QueueChange {
            version: Some(version),
            name: Some(name.to_owned()),
            description: Some("Alles van de toonbank".to_owned()),
            ..QueueChange::default()
        };
        let changed = store.change_queue(access, one, rename(1, "Toonbank")).await.expect("renamed");
        assert_eq!((changed.queue.name.as_str(), changed.queue.version), ("Toonbank", 2));
        let late = store.change_queue(access, one, rename(1, "Elders")).await;
        assert!(matches!(late, Err(QueueError::Store(StoreError::Conflict))), "{}", house.name());
        let kept = store.queue_set_up(access, one).await.expect("kept");
        assert_eq!(
            (kept.queue.name.as_str(), kept.description.as_str()),
            ("Toonbank", "Alles van de toonbank")
        );
        // One is the default, and another can become it.
        let default = QueueChange { make_default: true, ..QueueChange::default() };
        store.change_queue(access, two, default.clone()).await.expect("the default");
        assert_eq!(store.default_queue(access).await.expect("one"), two);
        let defaults = store.queues(access).await.expect("queues");
        assert_eq!(defaults.iter().filter(|queue| queue.is_default).count(), 1, "{}", house.name());
        // Another tenant has none of them.
        let other = house.tenant("slager").await.access.as_for(Purpose::Administration);
        assert_eq!(store.queues(&other).await.expect("queues").len(), 1);
        let refused = [
            store.queue_set_up(&other, one).await.map(drop).map_err(QueueError::from),
            store.change_queue(&other, one, default).await.map(drop),
            store.set_business_hours(&other, one, None, None).await.map(drop),
            store.archive_queue(&other, one, None).await.map(drop),
            store.restore_queue(&other, one).await.map(drop),
        ];
        for refused in refused {
            assert!(matches!(refused, Err(QueueError::Store(StoreError::NotFound))), "{}", house.name());
        }
        let acts: Vec<_> = house
            .leaves(access, LedgerKind::Instruction)
            .await
            .iter()
            .filter(|leaf| leaf.detail.value()["what"] == "queue")
            .map(|leaf| leaf.detail.value()["act"].as_str().unwrap_or_default().to_owned())
            .collect();
        assert_eq!(acts, ["created", "created", "ordered", "changed", "changed"], "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn there_are_so_many_and_no_more() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let access = &admin.access.as_for(Purpose::Administration);
        for no in 1..MOST_QUEUES {
            make(&house, access, &no.to_string()).await;
        }
        let more = house.store.create_queue(access, None, "te veel", "").await;
        assert!(matches!(more, Err(QueueError::TooMany)), "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_opens_names_and_no_calendars() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, access) = (&house.store, &admin.access.as_for(Purpose::Administration));
        let queue = make(&house, access, "Winkel").await;
        let set = store.set_business_hours(access, queue, Some(1), Some(office())).await.expect("set");
        assert_eq!((set.queue.version, set.hours), (2, Some(office())), "{}", house.name());
        assert_eq!(store.queue_set_up(access, queue).await.expect("kept").hours, Some(office()));
        // Monday 18 January 2027, 10:00 in Amsterdam.
        let monday = Timestamp::from_secs(1_800_262_800);
        to(&house, monday);
        let opening = async || store.queue_openings(access).await.expect("openings").get(&queue).copied();
        let closes = monday + Duration::from_secs(7 * 3_600);
        assert_eq!(
            opening().await,
            Some(Opening { open: true, changes_at: Some(closes) }),
            "{}",
            house.name()
        );
        // Tuesday is an exception: it opens on Wednesday.
        to(&house, closes);
        let opens = closes + Duration::from_secs(40 * 3_600);
        assert_eq!(
            opening().await,
            Some(Opening { open: false, changes_at: Some(opens) }),
            "{}",
            house.name()
        );
        assert_eq!(store.write(access, Spoil).await.expect("spoilt"), 1);
        // Names need no calendar, and what was found out of one holds until it opens.
        assert_eq!(names(&house, access).await.len(), 2);
        to(&house, opens - Duration::from_secs(1));
        assert_eq!(
            opening().await,
            Some(Opening { open: false, changes_at: Some(opens) }),
            "{}",
            house.name()
        );
        to(&house, opens);
        assert!(store.queue_openings(access).await.is_err(), "{}", house.name());
        // A change is seen at once.
        store.set_business_hours(access, queue, None, None).await.expect_err("it cannot be opened");
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_change_of_the_calendar_is_seen_at_once() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, access) = (&house.store, &admin.access.as_for(Purpose::Administration));
        let queue = make(&house, access, "Winkel").await;
        to(&house, Timestamp::from_secs(1_800_262_800));
        let open =
            async || store.queue_openings(access).await.expect("openings").get(&queue).map(|one| one.open);
        assert_eq!(open().await, None);
        store.set_business_hours(access, queue, None, Some(office())).await.expect("set");
        assert_eq!(open().await, Some(true), "{}", house.name());
        let never = HoursSettings { week: Default::default(), ..office() };
        store.set_business_hours(access, queue, None, Some(never)).await.expect("set");
        assert_eq!(open().await, Some(false), "{}", house.name());
        let late = store.set_business_hours(access, queue, Some(1), None).await;
        assert!(matches!(late, Err(QueueError::Store(StoreError::Conflict))), "{}", house.name());
        store.set_business_hours(access, queue, None, None).await.expect("set");
        assert_eq!(open().await, None, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_account_delivers_into_a_queue_that_is_in_use() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let (store, access) = (&house.store, &admin.access.as_for(Purpose::Administration));
        let other = house.tenant("slager").await;
        let account = store.create_channel_account(access, None, mailbox("info@bakker.example")).await;
        let account: ChannelAccountId = account.expect("added").id;
        let (queue, shut) = (make(&house, access, "Winkel").await, make(&house, access, "Oud").await);
        store.archive_queue(access, shut, None).await.expect("archived");
        let theirs = store.default_queue(&other.access).await.expect("a queue");
        let into = |queue| ChannelAccountChange { queue: Some(queue), ..ChannelAccountChange::default() };
        for wrong in [shut, theirs] {
            let refused = store.change_channel_account(access, account, into(wrong)).await;
            assert!(matches!(refused, Err(ChannelAccountError::NoSuchQueue)), "{}", house.name());
        }
        let changed = store.change_channel_account(access, account, into(queue)).await.expect("changed");
        assert_eq!(changed.queue, queue, "{}", house.name());
        house.close().await;
    }
}
