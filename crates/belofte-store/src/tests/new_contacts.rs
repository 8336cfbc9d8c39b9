// SPDX-License-Identifier: EUPL-1.2
//! People whom the tenant adds itself.

use belofte_model::{
    Audience, ContactId, FieldId, FieldKind, FieldSettings, GivenValue, LedgerKind, Purpose, QueueId,
    RecordKind, Subset, ValueFault, Visible,
};

use super::desk::{Desk, says};
use super::fields::settings;
use super::house::{House, houses};
use crate::{AddError, Added, ContactQuestion, MOST_NEW_CONTACTS, NewPerson, RecordId, StoreError};

fn somebody(name: &str, addresses: &[&str], values: &[(FieldId, GivenValue)]) -> NewPerson {
    let addresses = addresses.iter().map(|one| ((*one).to_owned(), one.to_lowercase())).collect();
    NewPerson { id: None, name: name.to_owned(), addresses, values: values.to_vec() }
}

async fn make(house: &House, desk: &Desk, settings: FieldSettings) -> FieldId {
    let admin = desk.admin.access.as_for(Purpose::Administration);
    house.store.create_field(&admin, None, RecordKind::Contact, settings).await.expect("made").id
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn people_are_added_and_are_the_ones_who_write_later() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let points = make(&house, &desk, settings("Punten", FieldKind::Integer)).await;
        let jan = desk.file(&house, says("Jan", "Vraag", "Hoe laat?"), "<1@klant.example>", &[]).await;
        let jan = store.conversation(access, jan.conversation).await.expect("a case").contact;
        let people = [
            somebody(
                " Els Brood ",
                &["Els@klant.example", "els@werk.example"],
                &[(points, GivenValue::Number(3))],
            ),
            somebody("Jan", &["nieuw@klant.example", "jan@klant.example"], &[]),
            somebody("Alleen een naam", &[], &[]),
        ];
        let added = store.add_contacts(access, &people).await.expect("added");
        let (Added::Made(els), Added::Known(Some(known)), Added::Made(bare)) = (added[0], added[1], added[2])
        else {
            panic!("{added:?} {}", house.name())
        };
        assert_eq!(known, jan, "{}", house.name());
        let told = store.contact(access, els).await.expect("Els");
        let addresses: Vec<_> = told.identities.iter().map(|one| one.value.expose().clone()).collect();
        assert_eq!((told.profile.name.as_str(), told.conversations), ("Els Brood", 0), "{}", house.name());
        assert_eq!(addresses.len(), 2, "{}", house.name());
        assert!(addresses.contains(&"Els@klant.example".to_owned()), "{}", house.name());
        let fields = store.fields_of(access, RecordId::Contact(els)).await.expect("fields");
        assert_eq!(fields[0].value.as_ref().map(|value| value.given()), Some(GivenValue::Number(3)));
        assert!(store.contact(access, bare).await.expect("there").identities.is_empty());
        assert_eq!(
            store.contact(access, jan).await.expect("Jan").identities.len(),
            1,
            "nothing of Jan changes"
        );
        // Who writes afterwards is the one who was added.
        let case = desk.file(&house, says("Els", "Vraag", "Hoe laat?"), "<2@klant.example>", &[]).await;
        assert_eq!(store.conversation(access, case.conversation).await.expect("a case").contact, els);
        let question = ContactQuestion { limit: 10, ..ContactQuestion::default() };
        assert_eq!(store.list_contacts(access, question).await.expect("a list").total, Some(3));
        // Whoever asks again with the same id has added them once.
        let id = Some(ContactId::new(house.clock.now(), store.random().bytes()));
        let again = NewPerson { id, ..somebody("Wim", &["wim@klant.example"], &[]) };
        for _ in 0..2 {
            let added = store.add_contacts(access, std::slice::from_ref(&again)).await.expect("added");
            assert_eq!(Some(added[0]), id.map(Added::Made), "{}", house.name());
        }
        // Each key that was made is in the ledger.
        let leaves = house.leaves(access, LedgerKind::Keys).await;
        let made = leaves.iter().filter(|leaf| {
            leaf.detail.value()["made"].as_array().is_some_and(|made| {
                made.len() == 2
                    && made.iter().all(|key| key.as_str().is_some_and(|key| key.starts_with("contact:")))
            })
        });
        assert_eq!(made.count(), 1, "{}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_wrong_is_told_by_its_place_and_nobody_is_added() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        let points = make(&house, &desk, settings("Punten", FieldKind::Integer)).await;
        let secret = FieldSettings {
            writers: vec![Audience::Supervisor],
            readers: vec![Audience::Supervisor],
            ..settings("Geheim", FieldKind::Text)
        };
        let secret = make(&house, &desk, secret).await;
        let good = somebody("Els", &["els@klant.example"], &[]);
        let text = GivenValue::Text("drie".to_owned());
        let agent = access.reading_as(Audience::Agent);
        let nobody = store.add_contacts(&agent, &[good.clone(), somebody(" ", &[], &[])]).await;
        assert!(matches!(nobody, Err(AddError::Nobody(1))), "{nobody:?} {}", house.name());
        let twice =
            store.add_contacts(&agent, &[good.clone(), somebody("Ilse", &["ELS@klant.example"], &[])]).await;
        assert!(matches!(twice, Err(AddError::Twice(1))), "{twice:?} {}", house.name());
        let wrong = somebody("Ilse", &[], &[(points, text.clone())]);
        let wrong = store.add_contacts(&agent, &[good.clone(), wrong]).await;
        assert!(
            matches!(wrong, Err(AddError::Value(1, field, ValueFault::Invalid)) if field == points),
            "{wrong:?} {}",
            house.name()
        );
        let hidden = store.add_contacts(&agent, &[somebody("Ilse", &[], &[(secret, text)])]).await;
        assert!(matches!(hidden, Err(AddError::NoSuchField(0, field)) if field == secret), "{hidden:?}");
        let many = vec![good.clone(); MOST_NEW_CONTACTS + 1];
        let many = store.add_contacts(&agent, &many).await;
        assert!(matches!(many, Err(AddError::TooMany)), "{many:?} {}", house.name());
        let question = ContactQuestion { limit: 10, ..ContactQuestion::default() };
        assert_eq!(store.list_contacts(access, question.clone()).await.expect("a list").total, Some(0));

        // Whose an address is, is told to who sees that person, and that it is somebody's to all.
        let case = desk.file(&house, says("Els", "Vraag", "Hoe laat?"), "<1@klant.example>", &[]).await;
        let els: ContactId = store.conversation(access, case.conversation).await.expect("a case").contact;
        let elsewhere = Visible { queues: Subset::Only(vec![QueueId(uuid::Uuid::nil())]), ..Visible::all() };
        let known = store.add_contacts(access, std::slice::from_ref(&good)).await.expect("told");
        assert_eq!(known, [Added::Known(Some(els))], "{}", house.name());
        let known =
            store.add_contacts(&access.seeing(elsewhere), std::slice::from_ref(&good)).await.expect("told");
        assert_eq!(known, [Added::Known(None)], "{}", house.name());
        let blind = Visible { fields: Subset::Only(Vec::new()), ..Visible::all() };
        let refused = store.add_contacts(&access.seeing(blind), std::slice::from_ref(&good)).await;
        assert!(matches!(refused, Err(AddError::Store(StoreError::NotFound))), "{refused:?}");
        // To another tenant it is nobody's.
        let stranger = house.tenant("slager").await.access;
        let theirs = store.add_contacts(&stranger, &[good]).await.expect("added");
        assert!(matches!(theirs[..], [Added::Made(_)]), "{theirs:?} {}", house.name());
        house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_writes_while_they_are_added_is_one_person() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, access) = (&house.store, &desk.admin.access);
        for round in 0..8 {
            let name = format!("Els{round}");
            let address = format!("els{round}@klant.example");
            let people = [somebody(&name, &[&address], &[])];
            let mail = says(&name, "Vraag", "Hoe laat?");
            let id = format!("<{round}@klant.example>");
            let (added, filed) =
                tokio::join!(store.add_contacts(access, &people), desk.file(&house, mail, &id, &[]));
            let of_case = store.conversation(access, filed.conversation).await.expect("a case").contact;
            match added.expect("added")[0] {
                Added::Made(id) => assert_eq!(id, of_case, "{}", house.name()),
                Added::Known(known) => assert_eq!(known, Some(of_case), "{}", house.name()),
            }
        }
        house.close().await;
    }
}
