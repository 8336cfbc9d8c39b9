// SPDX-License-Identifier: EUPL-1.2
//! What an access does not see it does not change either, and what it sees tells nothing of the rest.

use belofte_model::{Purpose, Subset, Visible};

use super::authorisations::{request, tokens};
use super::house::houses;
use super::visible::World;
use crate::{
    Access, ChangeConversation, ContactProfile, ConversationChange, ImagesFor, RemoteImage, RetryQuarantined,
    StoreError,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_seen_is_not_changed_either() {
    for house in houses().await {
        let world = World::new(house).await;
        let (store, full) = (&world.house.store, &world.admin.access);
        let (balie, info, nameless) = (world.balie(), world.info(), world.nameless());
        let gone = |result: Result<(), StoreError>| {
            assert!(matches!(result, Err(StoreError::NotFound)), "{}: {result:?}", world.house.name());
        };
        let change = |access: &Access, case: &str, queue: &str| {
            let queue = Some(world.queues[queue]);
            let change = ConversationChange { queue, ..ConversationChange::default() };
            ChangeConversation::prepare(store, access, world.cases[case], change)
        };
        gone(store.write(&balie, change(&balie, "boiler", "Balie")).await.map(drop));
        gone(store.write(&balie, change(&balie, "ketel", "Winkel")).await.map(drop));
        let name = |name: &str| ContactProfile { name: name.to_owned() };
        gone(store.change_contact(&info, world.contacts["Piet"], &name("Petra")).await);
        gone(store.change_contact(&nameless, world.contacts["Jan"], &name("Janna")).await);
        let dots = [RemoteImage { place: 0, bytes: b"dots".to_vec() }];
        gone(store.keep_remote_images(&balie, world.messages["boiler"].0, &dots).await);
        gone(store.choose_images(&info, world.contacts["Piet"], ImagesFor::Everybody, true).await);
        let again = |access: &Access| RetryQuarantined::prepare(store, access, world.quarantined["shop"]);
        gone(store.write(&info, again(&info)).await);
        let info_admin = info.as_for(Purpose::Administration);
        let shop = world.accounts["shop"].id;
        gone(store.begin_authorisation(&info_admin, shop, request()).await);
        gone(store.take_authorisation_request(&info_admin, shop).await.map(drop));
        gone(store.settle_authorisation(&info_admin, shop, None).await);
        gone(store.claim_renewal(&info_admin, shop, 1).await.map(drop));
        gone(store.keep_renewed(&info_admin, shop, 1, tokens("t", world.house.clock.now())).await);
        gone(store.give_up_renewal(&info_admin, shop, 1).await);
        gone(store.end_authorisation(&info_admin, shop, 1).await);
        // A domain none of whose accounts is seen.
        let nothing = Visible { channels: Subset::Only(Vec::new()), ..Visible::all() };
        let blind = world.narrowed(nothing).as_for(Purpose::Administration);
        let admin = full.as_for(Purpose::Administration);
        gone(store.create_signing_key(&blind, None, "bakker.example").await.map(drop));
        let key = store.create_signing_key(&admin, None, "bakker.example").await.expect("made");
        gone(store.signing_key(&blind, key.id).await.map(drop));
        gone(store.note_signing_record(&blind, &key, None, None).await);
        gone(store.withdraw_signing_key(&blind, key.id).await);
        gone(store.try_waiting_mail(&info_admin, shop).await);
        gone(store.write_out(&balie, &world.answer("boiler", "shop")).await.map(drop));

        // Who sees no names and addresses answers all the same, and what is stored stays whole.
        let before = store.conversation(full, world.cases["ketel"]).await.expect("a case").summary;
        let id = store.write_out(&nameless, &world.answer("ketel", "info")).await.expect("answered");
        let after = store.conversation(full, world.cases["ketel"]).await.expect("a case").summary;
        assert_eq!((&after.name, &after.address), (&before.name, &before.address));
        assert_eq!(after.address, "jan@klant.example");
        let sent = store.message(full, id).await.expect("a message");
        assert_eq!(sent.deliveries[0].recipient.address, "jan@klant.example");
        let seen = store.message(&nameless, id).await.expect("a message");
        assert_eq!(seen.deliveries[0].recipient.address, "");
        world.house.close().await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_row_tells_nothing_of_messages_through_a_hidden_account() {
    for house in houses().await {
        let world = World::new(house).await;
        let store = &world.house.store;
        for access in [&world.admin.access, &world.info()] {
            let row = store.conversation(access, world.cases["pomp"]).await.expect("a case");
            let hits = store.search(access, "cvketel", None, 9).await.expect("hits");
            let hit = hits.items.iter().find(|hit| hit.conversation.id == row.id).expect("found");
            for row in [&row, &hit.conversation] {
                let told = (row.summary.preview.as_str(), row.messages);
                let all = access.visible().sees_all_cases();
                let expected = if all { ("zonneboiler water", 2) } else { ("", 1) };
                assert_eq!(told, expected, "{}", world.house.name());
            }
        }
        // A name or an address that is not seen is found by no search.
        let nameless = world.nameless();
        for word in ["jan ", "jan@klant.example"] {
            let found = store.search(&world.admin.access, word, None, 9).await.expect("hits").items.len();
            assert_eq!(found, 1, "{word}");
            assert!(store.search(&nameless, word, None, 9).await.expect("asked").items.is_empty(), "{word}");
        }
        world.house.close().await;
    }
}
