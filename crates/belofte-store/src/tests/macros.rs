// SPDX-License-Identifier: EUPL-1.2
//! Macros: whose they are, what one does in one write, and what takes that back.

use belofte_model::{
    ConversationId, ConversationStatus, Duration, LedgerKind, MacroId, Purpose, Role, Standing, Subset,
    TagColour, Timestamp, Visible,
};

use serde_json::{Value, json};

use super::house::houses;
use super::visible::World;
use crate::engine::{params, sql};
use crate::{
    Access, ChangeConversation, ConversationChange, MacroActions, MacroAssignee, MacroContent, MacroError,
    MacroStanding, MacroText, MacroTexts, SnoozeFor, StoreError, Tx, UseMacro, Write,
};

fn content(name: &str) -> MacroContent {
    let html = Some(format!("<p>Dag {name}</p>"));
    MacroContent {
        name: name.to_owned(),
        actions: MacroActions {
            standing: Some(MacroStanding::Snoozed(SnoozeFor::Days { days: 2, minute: 540 })),
            assignee: Some(MacroAssignee::Me),
            ..MacroActions::default()
        },
        texts: MacroTexts { nl: Some(MacroText { text: format!("Dag {name}"), html }), en: None },
    }
}

/// Gives a macro to somebody else, past the seal.
struct Stolen(MacroId, uuid::Uuid);

impl Write for Stolen {
    type Out = ();
    async fn run(&self, tx: &mut Tx<'_>) -> Result<(), StoreError> {
        let tenant = tx.tenant();
        let text = sql!("UPDATE macro SET owner_id = $3 WHERE tenant_id = $1 AND id = $2");
        tx.execute_one(text, params![tenant, self.0, self.1]).await.map(drop)
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn ones_own_macros_are_nobody_elses_and_shared_ones_are_the_tenants() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let agent = house.join(&admin, Role::Agent, "agent@bakker.example").await;
        let other = house.tenant("slager").await;
        let store = &house.store;
        let manages = |access: &Access| access.as_for(Purpose::Administration);
        let (own, all, strange) = (manages(&agent.access), manages(&admin.access), manages(&other.access));
        let mine = store.create_macro(&own, None, content("Van mij"), false).await.expect("kept");
        let shared = store.create_macro(&all, None, content("Van ons"), true).await.expect("kept");
        let names = async |access| {
            let macros = store.macros(access).await.expect("macros");
            macros.into_iter().map(|one| one.name).collect::<Vec<_>>()
        };
        assert_eq!(names(&agent.access).await, ["Van ons", "Van mij"], "{}", house.name());
        assert_eq!(names(&admin.access).await, ["Van ons"], "{}", house.name());
        assert!(names(&other.access).await.is_empty(), "{}", house.name());
        // What is not there for somebody is there for none of the ways to it.
        for (access, id) in [(&all, mine.id), (&strange, mine.id), (&strange, shared.id)] {
            let read = store.macro_with_texts(access, id).await.map(drop);
            let changed = store.change_macro(access, id, None, content("x"), false).await.map(drop);
            let removed = store.remove_macro(access, id).await;
            assert!(matches!(read, Err(StoreError::NotFound)), "{}: {read:?}", house.name());
            assert!(
                matches!(changed, Err(MacroError::Store(StoreError::NotFound))),
                "{}: {changed:?}",
                house.name()
            );
            assert!(matches!(removed, Err(StoreError::NotFound)), "{}: {removed:?}", house.name());
        }
        let same = store.create_macro(&own, Some(mine.id), content("Twee keer"), false).await;
        assert_eq!(same.expect("the first one").name, "Van mij");
        let changed = store.change_macro(&own, mine.id, Some(1), content("Anders"), false).await;
        let changed = changed.expect("changed");
        assert_eq!((changed.name.as_str(), changed.version), ("Anders", 2));
        let late = store.change_macro(&own, mine.id, Some(1), content("Laat"), false).await;
        assert!(matches!(late, Err(MacroError::Store(StoreError::Conflict))), "{late:?}");
        let (read, texts) = store.macro_with_texts(&agent.access, mine.id).await.expect("read");
        assert_eq!((read.actions, texts), (content("").actions, content("Anders").texts));

        // A row that is given to somebody else in the database does not open.
        let thief = admin.access.user().expect("a user").uuid();
        store.write(&all, Stolen(mine.id, thief)).await.expect("written");
        let opened = store.macros(&admin.access).await;
        assert!(matches!(opened, Err(StoreError::Inconsistent { .. })), "{}: {opened:?}", house.name());
        let back = agent.access.user().expect("a user").uuid();
        store.write(&all, Stolen(mine.id, back)).await.expect("written");

        store.remove_macro(&own, mine.id).await.expect("removed");
        store.remove_macro(&all, shared.id).await.expect("removed");
        assert!(names(&agent.access).await.is_empty(), "{}", house.name());
        // What only its owner has stands in no ledger; of the others it tells what they said.
        let leaves = house.leaves(&admin.access, LedgerKind::Instruction).await;
        let told: Vec<_> = leaves
            .iter()
            .map(|leaf| leaf.detail.value())
            .filter(|detail| detail["what"] == "macro")
            .map(|detail| (detail["act"].clone(), detail["after"]["texts"]["nl"].clone()))
            .collect();
        let expected = [(json!("created"), json!("Dag Van ons")), (json!("removed"), Value::Null)];
        assert_eq!(told, expected, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn one_user_keeps_a_hundred_and_everybody_three_hundred() {
    for house in houses().await {
        let admin = house.tenant("bakker").await;
        let access = admin.access.as_for(Purpose::Administration);
        let store = &house.store;
        for (shared, most) in [(false, 100), (true, 300)] {
            for _ in 0..most {
                store.create_macro(&access, None, content("m"), shared).await.expect("kept");
            }
            let more = store.create_macro(&access, None, content("m"), shared).await;
            assert!(matches!(more, Err(MacroError::TooMany)), "{}: {more:?}", house.name());
        }
        // Nor by another way.
        let one = store.macros(&access).await.expect("macros").into_iter().find(|one| !one.shared);
        let id = one.expect("one of one's own").id;
        let more = store.change_macro(&access, id, None, content("m"), true).await;
        assert!(matches!(more, Err(MacroError::TooMany)), "{}: {more:?}", house.name());
        store.change_macro(&access, id, None, content("n"), false).await.expect("it is one already");
        house.close().await;
    }
}

/// All that a macro may change of a case.
type State = (ConversationStatus, Option<Timestamp>, Option<uuid::Uuid>, uuid::Uuid, Vec<uuid::Uuid>);

async fn state(world: &World, id: ConversationId) -> State {
    let case = world.house.store.conversation(&world.admin.access, id).await.expect("a case");
    let mut tags: Vec<_> = case.tags.iter().map(|tag| tag.uuid()).collect();
    tags.sort_unstable();
    let assignee = case.assignee.map(|user| user.uuid());
    (case.status, case.snoozed_until, assignee, case.queue.uuid(), tags)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_macro_is_one_change_that_counts_and_is_taken_back_whole_or_refused_whole() {
    for house in houses().await {
        let world = World::new(house).await;
        let (store, full) = (&world.house.store, &world.admin.access);
        let admin = full.as_for(Purpose::Administration);
        let tag =
            async |name: &str| store.create_tag(&admin, None, name, TagColour::Grey).await.expect("a tag").id;
        let (given, taken, stays) = (tag("gegeven").await, tag("gehaald").await, tag("blijft").await);
        let kept = store.create_macro(&admin, None, content("Alles"), true).await.expect("kept");
        let case = world.cases["ketel"];
        let write = async |access: &Access, change: ConversationChange| {
            store.write(access, ChangeConversation::prepare(store, access, case, change)).await
        };
        let start = ConversationChange { add_tags: vec![taken, stays], ..ConversationChange::default() };
        write(full, start).await.expect("tagged");
        let before = state(&world, case).await;
        let until = world.house.clock.now() + Duration::from_secs(3_600);
        let all = ConversationChange {
            standing: Some(Standing::Snoozed(until)),
            assignee: Some(full.user()),
            queue: Some(world.queues["Winkel"]),
            add_tags: vec![given, stays],
            remove_tags: vec![taken],
            ..ConversationChange::default()
        };
        let used = |access: &Access, change: &ConversationChange| {
            UseMacro::prepare(store, access, &kept, case, change.clone())
        };
        let uses = async || {
            let now = store.macros(full).await.expect("macros");
            (now[0].uses, now[0].used_on.is_some(), now[0].version)
        };

        // Refused whole: by who may not put it there, and with a tag that is not there.
        let balie = world.balie();
        let refused = store.write(&balie, used(&balie, &all)).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{}: {refused:?}", world.house.name());
        let unknown = ConversationChange {
            add_tags: vec![given, belofte_model::TagId(uuid::Uuid::from_u128(7))],
            ..all.clone()
        };
        let refused = store.write(full, used(full, &unknown)).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{}: {refused:?}", world.house.name());
        let nobody = world.narrowed(Visible { queues: Subset::Only(Vec::new()), ..Visible::all() });
        let refused = store.write(&nobody, used(&nobody, &ConversationChange::default())).await;
        assert!(matches!(refused, Err(StoreError::NotFound)), "{}: {refused:?}", world.house.name());
        assert_eq!((state(&world, case).await, uses().await), (before.clone(), (0, false, 1)));

        let version = store.conversation(full, case).await.expect("a case").version;
        let applied = store.write(full, used(full, &all)).await.expect("used");
        assert_eq!((applied.changed, applied.version), (true, version + 1), "one change");
        assert_eq!(uses().await, (1, true, 1));
        let mut tags = vec![given.uuid(), stays.uuid()];
        tags.sort_unstable();
        let after = state(&world, case).await;
        let (winkel, user) = (world.queues["Winkel"].uuid(), full.user().map(|user| user.uuid()));
        assert_eq!(after, (ConversationStatus::Snoozed, Some(until), user, winkel, tags));

        // What takes it back touches nothing that was so before or that came since.
        assert_eq!((&applied.back.add_tags, &applied.back.remove_tags), (&vec![taken], &vec![given]));
        let since = tag("sindsdien").await;
        let later = ConversationChange { add_tags: vec![since], ..ConversationChange::default() };
        write(full, later).await.expect("tagged");
        write(full, applied.back).await.expect("taken back");
        let mut expected = before;
        expected.4.push(since.uuid());
        expected.4.sort_unstable();
        assert_eq!(state(&world, case).await, expected, "{}", world.house.name());

        // Who looked at another macro than there is now uses none.
        store.change_macro(&admin, kept.id, None, content("Anders"), true).await.expect("changed");
        let refused = store.write(full, used(full, &all)).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{}: {refused:?}", world.house.name());
        store.remove_macro(&admin, kept.id).await.expect("removed");
        let refused = store.write(full, used(full, &all)).await;
        assert!(matches!(refused, Err(StoreError::Conflict)), "{}: {refused:?}", world.house.name());
        assert_eq!(state(&world, case).await, expected, "{}", world.house.name());
        world.house.close().await;
    }
}
