// SPDX-License-Identifier: EUPL-1.2
//! What people were writing when cases became one.

use belofte_model::{ConversationId, DraftKind, MessageId, MessageKind, Role};

use super::desk::{Desk, says};
use super::house::{House, houses, upload};
use crate::{
    Access, DraftContent, DraftPlace, DraftSaved, Handling, Mention, MessageContent, NewFile, Outgoing,
};

fn words(text: &str) -> DraftContent {
    DraftContent { text: text.to_owned(), ..DraftContent::default() }
}

const fn place(conversation: ConversationId) -> DraftPlace {
    DraftPlace { conversation: Some(conversation), kind: DraftKind::Reply }
}

async fn save(
    house: &House,
    access: &Access,
    at: ConversationId,
    on: i64,
    content: &DraftContent,
) -> DraftSaved {
    house.store.save_draft(access, place(at), on, Some(content)).await.expect("asked")
}

fn version(saved: &DraftSaved) -> i64 {
    match saved {
        DraftSaved::Kept { version, .. } => *version,
        other => panic!("{other:?}"),
    }
}

async fn drafts(house: &House, access: &Access, at: ConversationId) -> Vec<(String, i64)> {
    let found = house.store.drafts_in(access, Some(at)).await.expect("drafts");
    found.into_iter().map(|draft| (draft.content.text, draft.version)).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn drafts_go_along_and_who_wrote_in_both_reads_both() {
    for house in houses().await {
        let desk = Desk::new(&house).await;
        let (store, own, name) = (&house.store, &desk.admin.access, house.name());
        let one = desk.file(&house, says("Jan", "Ketel", "Dag."), "1@k.example", &[]).await.conversation;
        let two = desk.file(&house, says("Jan", "Nog iets", "Dag."), "2@k.example", &[]).await.conversation;
        let agent = house.join(&desk.admin, Role::Agent, "agent@bakker.example").await.access;
        let stands = version(&save(&house, own, one, 0, &words("Beste Jan,")).await);
        let file = NewFile {
            name: "bon.txt".to_owned(),
            media_type: "text/plain".to_owned(),
            content_id: None,
            inline: false,
            bytes: b"bon".to_vec(),
        };
        let receipt = upload(store, own, file).await.expect("uploaded").id;
        let mention = Mention { user: desk.admin.id, from: 5, to: 10 };
        let other = DraftContent {
            attachments: vec![receipt],
            mentions: vec![mention],
            ..words("Over <het> andere:")
        };
        save(&house, own, two, 0, &other).await;
        save(&house, &agent, two, 0, &words("Van de collega")).await;
        store.merge_conversations(own, one, &[two], false).await.expect("merged");

        let [(both, now)] = drafts(&house, own, one).await.try_into().expect("one draft");
        assert_eq!(both, "Beste Jan,\n\nOver <het> andere:", "{name}");
        let named = store.drafts_in(own, Some(one)).await.expect("drafts")[0].content.mentions[0];
        assert_eq!(&both[named.from..named.to], "<het>", "{name}: who is named there is named here");
        let [(colleague, _)] = drafts(&house, &agent, one).await.try_into().expect("one draft");
        assert_eq!(colleague, "Van de collega", "{name}: whoever wrote in one alone goes on there");
        // Whoever has not seen the other words does not overwrite them.
        let late = save(&house, own, one, stands, &words("Beste Jan, tot morgen")).await;
        assert!(matches!(late, DraftSaved::Changed), "{name}: {late:?}");

        // Taken apart before it was saved, each is itself again.
        store.unmerge_conversations(own, one, &[two]).await.expect("taken apart");
        assert_eq!(drafts(&house, own, one).await[0].0, "Beste Jan,", "{name}");
        assert_eq!(drafts(&house, own, two).await[0].0, "Over <het> andere:", "{name}");

        // Saved it is one, with its files; and what is sent is gone from both.
        store.merge_conversations(own, one, &[two], false).await.expect("merged");
        let [(both, now_again)] = drafts(&house, own, one).await.try_into().expect("one draft");
        assert!(now_again > now, "{name}");
        let content = DraftContent { attachments: vec![receipt], ..words(&format!("{both}\n\nGroet")) };
        let stands = version(&save(&house, own, one, now_again, &content).await);
        assert_eq!(drafts(&house, own, one).await, [(format!("{both}\n\nGroet"), stands)], "{name}");
        store.unmerge_conversations(own, one, &[two]).await.expect("taken apart");
        assert!(drafts(&house, own, two).await.is_empty(), "{name}: it is in the other one now");
        let sent = Outgoing {
            conversation: one,
            kind: MessageKind::Reply,
            id: MessageId::new(house.clock.now(), store.random().bytes()),
            thread: None,
            account: None,
            content: MessageContent { text: content.text.clone(), ..MessageContent::default() },
            recipients: Vec::new(),
            attachments: vec![receipt],
            how: Handling { draft: Some(stands), ..Handling::default() },
        };
        store.write_out(own, &sent).await.expect("sent, with the file that the draft held");
        assert!(drafts(&house, own, one).await.is_empty(), "{name}");
    }
}
