// SPDX-License-Identifier: EUPL-1.2
//! Lists of people: who satisfies a filter, in which order, page by page, and what nobody is told.

use std::collections::BTreeSet;

use belofte_model::{
    Audience, BuiltInField, Condition, ContactId, FieldId, FieldKind, FieldOption, Filter, GivenValue, Money,
    Order, OwnWords, Purpose, QueueId, RecordKind, Subject, Subset, Test, ValueFault, Visible,
};

use super::desk::{Desk, person, says};
use super::fields::settings;
use super::house::{House, houses};
use super::upkeep::Tamper;
use crate::engine::sql;
use crate::{
    Access, ContactPage, ContactQuestion, FieldChange, ListError, ListedContact, NewPerson, RecordId, Store,
    ValueChange,
};

/// A tenant with people who wrote, oldest first.
struct People {
    desk: Desk,
    admin: Access,
    at_work: Access,
    all: Vec<(&'static str, ContactId)>,
}

impl People {
    async fn new(house: &House, names: &[&'static str]) -> Self {
        let desk = Desk::new(house).await;
        let admin = desk.admin.access.as_for(Purpose::Administration);
        let at_work = desk.admin.access.clone();
        let mut all = Vec::new();
        for (no, name) in names.iter().enumerate() {
            let mut mail = says(name, "Vraag", "Hoe laat is de winkel open?");
            mail.from =
                person(name, &format!("klant{no}@{}.example", if no % 2 == 0 { "even" } else { "oneven" }));
            house.clock.advance(belofte_model::Duration::from_millis(5));
            let case = desk.file(house, mail, &format!("<{no}@klant.example>"), &[]).await.conversation;
            all.push((*name, house.store.conversation(&at_work, case).await.expect("a case").contact));
        }
        Self { desk, admin, at_work, all }
    }

    async fn make(&self, house: &House, settings: belofte_model::FieldSettings) -> FieldId {
        house.store.create_field(&self.admin, None, RecordKind::Contact, settings).await.expect("made").id
    }

    async fn put(&self, house: &House, name: &str, field: FieldId, value: GivenValue) {
        let id = self.all.iter().find(|(one, _)| *one == name).expect("known").1;
        let change = ValueChange { field, field_version: None, version: None, value: Some(value) };
        house
            .store
            .change_fields_of(&self.at_work, RecordId::Contact(id), vec![change])
            .await
            .expect("changed");
    }

    fn names(&self, page: &ContactPage) -> String {
        let name =
            |one: &crate::ListedContact| self.all.iter().find(|(_, id)| *id == one.id).expect("known").0;
        page.items.iter().map(name).collect::<Vec<_>>().join(" ")
    }

    async fn found(&self, store: &Store, filter: Filter) -> String {
        self.listed(store, filter, Order::default()).await
    }

    /// Who is listed: at once, and the same two on a page.
    async fn listed(&self, store: &Store, filter: Filter, order: Order) -> String {
        let question = ContactQuestion { filter, order, limit: 100, ..ContactQuestion::default() };
        let whole = store.list_contacts(&self.at_work, question.clone()).await.expect("a list");
        assert_eq!((whole.next, whole.total), (None, Some(whole.items.len() as u64)));
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let question = ContactQuestion { after, limit: 2, ..question.clone() };
            let page = store.list_contacts(&self.at_work, question).await.expect("a page");
            assert!(page.items.len() <= 2);
            pages.extend(page.items.iter().map(|one| one.id));
            after = page.next;
            if after.is_none() {
                break;
            }
        }
        assert_eq!(pages, whole.items.iter().map(|one| one.id).collect::<Vec<_>>());
        self.names(&whole)
    }
}

fn text(text: &str) -> GivenValue {
    GivenValue::Text(text.to_owned())
}

fn one(subject: Subject, test: Test, value: impl Into<Option<GivenValue>>) -> Filter {
    let condition = Condition { subject, test, value: value.into() };
    Filter { conditions: vec![condition], ..Filter::default() }
}

fn both(any: bool, filters: [Filter; 2]) -> Filter {
    let conditions = filters.into_iter().flat_map(|filter| filter.conditions).collect();
    Filter { any, conditions, ..Filter::default() }
}

fn option(no: u32, within: Option<u32>) -> FieldOption {
    let label = OwnWords { nl: format!("Keuze {no}"), en: String::new() };
    FieldOption { no, label, within, archived: false, former: Vec::new() }
}

/// All people of a list, two on a page, and how many there are as the first page says, or the last one where that does.
async fn listed_in(store: &Store, access: &Access, order: Order) -> (Vec<ListedContact>, Option<u64>) {
    let (mut all, mut after, mut total) = (Vec::new(), None, None);
    loop {
        let question = ContactQuestion { order, after, limit: 2, ..ContactQuestion::default() };
        let page = store.list_contacts(access, question).await.expect("a page");
        total = total.or(page.total);
        all.extend(page.items);
        after = page.next;
        if after.is_none() {
            let whole = ContactQuestion { order, limit: 100, ..ContactQuestion::default() };
            let whole = store.list_contacts(access, whole).await.expect("all");
            assert_eq!(whole.items.len(), all.len(), "pages leave nobody out and tell nobody twice");
            return (all, whole.total);
        }
    }
}

/// Whom an access sees in a list, page by page, in either direction and by what has to be looked at as a whole.
pub(super) async fn listed_in_every_order(store: &Store, access: &Access) -> Vec<ListedContact> {
    let mut listed = Vec::new();
    for descending in [true, false] {
        let order = Order { by: Subject::CreatedAt, descending };
        let (all, total) = listed_in(store, access, order).await;
        assert_eq!(total, Some(all.len() as u64), "what is hidden is not counted");
        listed.push(all);
    }
    if access.visible().sees(BuiltInField::Name) {
        let by_name = Order { by: Subject::Name, descending: false };
        let (all, total) = listed_in(store, access, by_name).await;
        assert_eq!(total, Some(all.len() as u64), "what is hidden is not counted");
        listed.push(all);
    }
    let ids = |all: &[ListedContact]| all.iter().map(|one| one.id).collect::<BTreeSet<_>>();
    assert!(listed.iter().all(|all| ids(all) == ids(&listed[0])), "the same in every order");
    listed.swap_remove(0)
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_found_by_what_is_known_of_them() {
    for house in houses().await {
        let people = People::new(&house, &["Els", "Jan", "Kees", "Wim"]).await;
        let store = &house.store;
        let town = Subject::Field(people.make(&house, settings("Plaats", FieldKind::Text)).await);
        let debt = people.make(&house, settings("Schuld", FieldKind::Money)).await;
        let born = people.make(&house, settings("Geboren", FieldKind::Date)).await;
        let tree = belofte_model::FieldSettings {
            options: vec![option(1, None), option(2, Some(1)), option(3, Some(2)), option(4, None)],
            next_option: 5,
            ..settings("Soort", FieldKind::TreeChoice)
        };
        let tree = people.make(&house, tree).await;
        let Subject::Field(town_id) = town else { unreachable!("a field") };
        for (name, where_to) in [("Els", "Één"), ("Jan", "eenrum"), ("Kees", "Winsum")] {
            people.put(&house, name, town_id, text(where_to)).await;
        }
        let euro = |amount: &str| {
            GivenValue::Money(Money {
                amount: amount.parse().expect("an amount"),
                currency: "EUR".to_owned(),
            })
        };
        let pound =
            GivenValue::Money(Money { amount: "900".parse().expect("one"), currency: "GBP".to_owned() });
        for (name, amount) in [("Els", euro("9.50")), ("Jan", euro("10")), ("Wim", pound)] {
            people.put(&house, name, debt, amount).await;
        }
        people.put(&house, "Kees", born, text("1961-02-03")).await;
        people.put(&house, "Wim", born, text("2001-12-31")).await;
        for (name, no) in [("Els", 1), ("Jan", 3), ("Kees", 4)] {
            people.put(&house, name, tree, GivenValue::Number(no)).await;
        }
        let (debt, born, tree) = (Subject::Field(debt), Subject::Field(born), Subject::Field(tree));
        let (name, address) = (Subject::Name, Subject::Address);
        let is_in = |filter: Filter| people.found(store, filter);
        for (filter, expected) in [
            (Filter::default(), "Wim Kees Jan Els"),
            (one(town, Test::Is, text("EEN")), "Els"),
            (one(town, Test::IsNot, text("één")), "Wim Kees Jan"),
            (one(town, Test::BeginsWith, text("een")), "Jan Els"),
            (one(town, Test::Contains, text("um")), "Kees Jan"),
            (one(town, Test::Filled, None), "Kees Jan Els"),
            (one(town, Test::Empty, None), "Wim"),
            (one(debt, Test::AtLeast, euro("9.51")), "Jan"),
            (one(debt, Test::AtMost, euro("10")), "Jan Els"),
            (one(debt, Test::Is, euro("9.5")), "Els"),
            (one(born, Test::AtLeast, text("1961-02-03")), "Wim Kees"),
            (one(born, Test::AtMost, text("2001-12-30")), "Kees"),
            (one(tree, Test::Is, GivenValue::Number(1)), "Els"),
            (one(tree, Test::AnyOf, GivenValue::Numbers(vec![1])), "Jan Els"),
            (one(tree, Test::AnyOf, GivenValue::Numbers(vec![2, 4])), "Kees Jan"),
            (one(name, Test::IsNot, text("jan")), "Wim Kees Els"),
            (one(address, Test::Contains, text("@oneven")), "Wim Jan"),
            (one(address, Test::Empty, None), ""),
            (
                both(false, [one(town, Test::Filled, None), one(address, Test::Contains, text("oneven"))]),
                "Jan",
            ),
            (
                both(true, [one(born, Test::Filled, None), one(address, Test::Contains, text("klant0"))]),
                "Wim Kees Els",
            ),
            (both(false, [one(debt, Test::Filled, None), one(town, Test::Empty, None)]), "Wim"),
            (Filter { words: "KEES even".to_owned(), ..Filter::default() }, "Kees"),
            (Filter { words: "klant1".to_owned(), ..one(town, Test::Filled, None) }, "Jan"),
            (Filter { words: "kees niet".to_owned(), ..Filter::default() }, ""),
        ] {
            let asked = format!("{filter:?} {}", house.name());
            assert_eq!(is_in(filter).await, expected, "{asked}");
        }
        let since = store.contact(&people.at_work, people.all[2].1).await.expect("Kees").created_at;
        let since = belofte_model::FieldValue::DateTime(since).given();
        assert_eq!(
            is_in(one(Subject::CreatedAt, Test::AtLeast, since)).await,
            "Wim Kees",
            "{}",
            house.name()
        );

        // A number that was text is a number, and what is none is nothing.
        let Subject::Field(id) = town else { unreachable!("a field") };
        people.put(&house, "Wim", id, text("12")).await;
        let change =
            FieldChange { settings: Some(settings("Plaats", FieldKind::Integer)), ..FieldChange::default() };
        store.change_field(&people.admin, id, change).await.expect("another kind");
        let at_least = one(town, Test::AtLeast, GivenValue::Number(12));
        assert_eq!(is_in(at_least).await, "Wim", "{}", house.name());
        assert_eq!(is_in(one(town, Test::Empty, None)).await, "Kees Jan Els", "{}", house.name());

        // What does not hold together is told by its place.
        for (filter, fault) in [
            (one(town, Test::Contains, text("1")), ValueFault::Invalid),
            (one(town, Test::Filled, text("1")), ValueFault::Invalid),
            (one(town, Test::AtLeast, None), ValueFault::Invalid),
            (one(name, Test::Contains, text(" ")), ValueFault::TooShort),
            (one(tree, Test::Is, GivenValue::Number(9)), ValueFault::NotFound),
            (one(tree, Test::AnyOf, GivenValue::Numbers(vec![])), ValueFault::TooShort),
        ] {
            let question = ContactQuestion { filter, limit: 5, ..ContactQuestion::default() };
            let refused = store.list_contacts(&people.at_work, question).await;
            let told = matches!(&refused, Err(ListError::Condition(0, told)) if *told == fault);
            assert!(told, "{refused:?} {fault:?} {}", house.name());
        }
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_list_is_in_an_order_and_goes_on_where_a_page_ended() {
    for house in houses().await {
        let people = People::new(&house, &["Zoë", "Ad", "zoe", "Émile", "Bob"]).await;
        let store = &house.store;
        let points = people.make(&house, settings("Punten", FieldKind::Integer)).await;
        for (name, number) in [("Zoë", 7), ("Ad", 100), ("zoe", 7), ("Bob", -3)] {
            people.put(&house, name, points, GivenValue::Number(number)).await;
        }
        let choice = belofte_model::FieldSettings {
            options: vec![option(2, None), option(1, None)],
            next_option: 3,
            ..settings("Soort", FieldKind::Choice)
        };
        let choice = people.make(&house, choice).await;
        people.put(&house, "Ad", choice, GivenValue::Number(1)).await;
        people.put(&house, "Bob", choice, GivenValue::Number(2)).await;
        let (points, choice) = (Subject::Field(points), Subject::Field(choice));
        for (by, descending, expected) in [
            (Subject::CreatedAt, true, "Bob Émile zoe Ad Zoë"),
            (Subject::CreatedAt, false, "Zoë Ad zoe Émile Bob"),
            (Subject::Name, false, "Ad Bob Émile Zoë zoe"),
            (Subject::Name, true, "zoe Zoë Émile Bob Ad"),
            // Who has nothing comes last either way; who has the same, by who came last.
            (points, false, "Bob zoe Zoë Ad Émile"),
            (points, true, "Ad zoe Zoë Bob Émile"),
            // As the tenant put the options, and not by their numbers.
            (choice, false, "Bob Ad Émile zoe Zoë"),
        ] {
            let listed = people.listed(store, Filter::default(), Order { by, descending }).await;
            assert_eq!(listed, expected, "{by:?} {descending} {}", house.name());
        }
        let order = Order { by: points, descending: true };
        let seven = one(points, Test::Is, GivenValue::Number(7));
        assert_eq!(people.listed(store, seven, order).await, "zoe Zoë", "{}", house.name());

        // The columns that are asked for come along, and no others.
        let Subject::Field(id) = points else { unreachable!("a field") };
        let question = ContactQuestion { columns: vec![id, id], limit: 5, ..ContactQuestion::default() };
        let page = store.list_contacts(&people.at_work, question).await.expect("a page");
        let told: Vec<_> = page.items.iter().map(|one| one.fields.len()).collect();
        assert_eq!(told, [1, 0, 1, 1, 1], "{}", house.name());
        assert_eq!(page.items[0].addresses.len(), 1, "{}", house.name());
        assert_eq!((page.items[0].conversations, page.items[0].last_message_at.is_some()), (1, true));
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_finds_people_by_what_they_do_not_see() {
    for house in houses().await {
        let people = People::new(&house, &["Els", "Jan"]).await;
        let store = &house.store;
        let secret = belofte_model::FieldSettings {
            readers: vec![Audience::Admin],
            writers: vec![Audience::Admin],
            ..settings("Kredietruimte", FieldKind::Integer)
        };
        let secret = people.make(&house, secret).await;
        people.put(&house, "Els", secret, GivenValue::Number(3)).await;
        let agent = people.at_work.reading_as(Audience::Agent);
        let by_secret = one(Subject::Field(secret), Test::Filled, None);
        let ask = |question: ContactQuestion| ContactQuestion { limit: 5, ..question };
        let filtered = ask(ContactQuestion { filter: by_secret.clone(), ..ContactQuestion::default() });
        let ordered = Order { by: Subject::Field(secret), descending: false };
        let ordered = ask(ContactQuestion { order: ordered, ..ContactQuestion::default() });
        let shown = ask(ContactQuestion { columns: vec![secret], ..ContactQuestion::default() });
        let found = store.list_contacts(&people.at_work, filtered.clone()).await.expect("an admin reads it");
        assert_eq!(people.names(&found), "Els", "{}", house.name());
        // As of a field that does not exist.
        let refused = store.list_contacts(&agent, filtered.clone()).await;
        assert!(matches!(refused, Err(ListError::NoSuchSubject(0))), "{refused:?} {}", house.name());
        let refused = store.list_contacts(&agent, ordered).await;
        assert!(matches!(refused, Err(ListError::Order)), "{refused:?} {}", house.name());
        let refused = store.list_contacts(&agent, shown).await;
        assert!(matches!(refused, Err(ListError::Column(0))), "{refused:?} {}", house.name());
        let stranger = house.tenant("slager").await.access;
        let refused = store.list_contacts(&stranger, filtered).await;
        assert!(matches!(refused, Err(ListError::NoSuchSubject(0))), "{refused:?} {}", house.name());
        let theirs = store.list_contacts(&stranger, ask(ContactQuestion::default())).await.expect("a list");
        assert!(theirs.items.is_empty() && theirs.total == Some(0), "{}", house.name());

        // Who sees no names finds nobody by one, and nobody by words of one.
        let blind = Visible { fields: Subset::Only(vec![BuiltInField::Address]), ..Visible::all() };
        let blind = people.at_work.seeing(blind);
        let by_name = ask(ContactQuestion {
            filter: one(Subject::Name, Test::Is, text("Els")),
            ..ContactQuestion::default()
        });
        let refused = store.list_contacts(&blind, by_name).await;
        assert!(matches!(refused, Err(ListError::NoSuchSubject(0))), "{refused:?} {}", house.name());
        let words = |words: &str| {
            let filter = Filter { words: words.to_owned(), ..Filter::default() };
            ask(ContactQuestion { filter, ..ContactQuestion::default() })
        };
        assert!(store.list_contacts(&blind, words("els")).await.expect("a list").items.is_empty());
        let found = store.list_contacts(&blind, words("klant1")).await.expect("a list");
        assert_eq!(people.names(&found), "Jan", "{}", house.name());
        assert!(found.items[0].name.expose().is_empty(), "{}", house.name());

        // Of who was erased nothing is listed, whatever still lies there.
        let destroyed = sql!(
            "UPDATE key SET state = 'destroyed', wrapped = substr(wrapped, 1, 0) WHERE tenant_id = $1 AND class = 'contact'"
        );
        store.write_keys(Some(people.admin.tenant()), Tamper(destroyed)).await.expect("destroyed");
        for filter in [Filter::default(), by_secret] {
            let question = ask(ContactQuestion { filter, ..ContactQuestion::default() });
            let page = store.list_contacts(&people.at_work, question).await.expect("a list");
            assert_eq!((page.items.len(), page.total), (0, Some(0)), "{}", house.name());
        }
        let _ = &people.desk;
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_page_goes_on_from_somebody_who_is_there() {
    for house in houses().await {
        let people = People::new(&house, &["Els", "Jan", "Kees"]).await;
        let store = &house.store;
        let order = Order { by: Subject::Name, descending: false };
        let question = |after| ContactQuestion { order, after, limit: 1, ..ContactQuestion::default() };
        let first = store.list_contacts(&people.at_work, question(None)).await.expect("a page");
        assert_eq!((people.names(&first).as_str(), first.next), ("Els", Some(people.all[0].1)));
        // While keys are wrapped anew it goes on.
        while store.system().rotate_keys(people.admin.tenant()).await.expect("rotated") {}
        let second = store.list_contacts(&people.at_work, question(first.next)).await.expect("a page");
        assert_eq!(people.names(&second), "Jan", "{}", house.name());
        // Who does not see Jan is not told between whom Jan stands.
        let elsewhere = Visible { queues: Subset::Only(vec![QueueId(uuid::Uuid::nil())]), ..Visible::all() };
        let refused = store.list_contacts(&people.at_work.seeing(elsewhere), question(second.next)).await;
        assert!(matches!(refused, Err(ListError::Gone)), "{refused:?} {}", house.name());
        let nobody = ContactId(uuid::Uuid::from_u128(7));
        let refused = store.list_contacts(&people.at_work, question(Some(nobody))).await;
        assert!(matches!(refused, Err(ListError::Gone)), "{refused:?} {}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_look_that_finds_nobody_for_long_says_how_far_it_came() {
    for house in houses().await {
        let names = ["Ada", "Ben", "Cas", "Dik", "Eva", "Fin", "Gé", "Hans", "Ida", "Jo", "Kim", "Lou"];
        let people = People::new(&house, &names).await;
        let store = &house.store;
        let filter = Filter { words: "ada".to_owned(), ..Filter::default() };
        let question =
            |after| ContactQuestion { filter: filter.clone(), after, limit: 5, ..ContactQuestion::default() };
        let first = store.list_contacts(&people.at_work, question(None)).await.expect("a page");
        assert!(first.items.is_empty() && first.next.is_some() && first.total.is_none(), "{}", house.name());
        assert!((7..12).contains(&first.looked_at), "{} {}", first.looked_at, house.name());
        let second = store.list_contacts(&people.at_work, question(first.next)).await.expect("a page");
        assert_eq!(people.names(&second), "Ada", "{}", house.name());
        assert_eq!((second.next, second.total, first.looked_at + second.looked_at), (None, None, 12));
        // In another order all are looked at.
        let order = Order { by: Subject::Name, descending: false };
        let whole = ContactQuestion { order, ..question(None) };
        let whole = store.list_contacts(&people.at_work, whole).await.expect("a page");
        assert_eq!((whole.items.len(), whole.total, whole.looked_at), (1, Some(1), 12), "{}", house.name());
        // A field leads: who has nothing there is not looked at.
        let points = people.make(&house, settings("Punten", FieldKind::Integer)).await;
        for name in ["Ben", "Kim", "Lou", "Eva"] {
            people.put(&house, name, points, GivenValue::Number(4)).await;
        }
        let four = one(Subject::Field(points), Test::AtLeast, GivenValue::Number(4));
        let led = ContactQuestion { filter: four, limit: 5, ..ContactQuestion::default() };
        let led = store.list_contacts(&people.at_work, led).await.expect("a page");
        assert_eq!((people.names(&led).as_str(), led.looked_at, led.total), ("Lou Kim Eva Ben", 4, Some(4)));
        house.close().await;
    }
}

#[tokio::test]
async fn people_who_lie_far_apart_are_read_with_all_that_is_theirs() {
    for house in houses().await {
        let people = People::new(&house, &[]).await;
        let rank = people.make(&house, settings("Rang", FieldKind::Integer)).await;
        let points = people.make(&house, settings("Punten", FieldKind::Integer)).await;
        // Three of forty lead; between them are more rows than a range of three may have, and the last one that it
        // reaches has several.
        let person = |no: i64| {
            let addresses = if no % 5 == 0 { 6 } else { 1 };
            let address = |which: i64| format!("p{no}.{which}@klant.example");
            let own = [1, 5, 39].contains(&no).then_some((points, GivenValue::Number(no)));
            NewPerson {
                id: None,
                name: format!("Persoon {no:02}"),
                addresses: (0..addresses).map(|which| (address(which), address(which))).collect(),
                values: std::iter::once((rank, GivenValue::Number(no * 7 % 40))).chain(own).collect(),
            }
        };
        for no in 0..40 {
            house.clock.advance(belofte_model::Duration::from_millis(5));
            house.store.add_contacts(&people.at_work, &[person(no)]).await.expect("added");
        }
        let led = one(Subject::Field(points), Test::Filled, None);
        let list = async |words: String, by: Subject| {
            let filter = Filter { words, ..led.clone() };
            let order = Order { by, descending: true };
            let question = ContactQuestion { filter, order, limit: 10, ..ContactQuestion::default() };
            let page = house.store.list_contacts(&people.at_work, question).await.expect("a list");
            let names: Vec<String> = page.items.iter().map(|one| one.name.expose().clone()).collect();
            names.join(", ")
        };
        let of_both = "Persoon 05, Persoon 39, Persoon 01";
        assert_eq!(list(String::new(), Subject::Field(rank)).await, of_both, "{}", house.name());
        assert_eq!(list("klant.example".to_owned(), Subject::Field(rank)).await, of_both, "{}", house.name());
        let by_arrival = "Persoon 39, Persoon 05, Persoon 01";
        assert_eq!(list("persoon".to_owned(), Subject::CreatedAt).await, by_arrival, "{}", house.name());
        for which in 0..6 {
            let words = format!("p5.{which}@klant");
            assert_eq!(list(words, Subject::Name).await, "Persoon 05", "{which} {}", house.name());
        }
        house.close().await;
    }
}
