// SPDX-License-Identifier: EUPL-1.2
//! The house of before there were proofs: `content.sql`, `keys.sql` and `root.key` of `fixtures/<engine>`, dumped of
//! content V3 (PostgreSQL) or V2 (SQLite) and keys V1 by the program of then. It stays as it is: no later program
//! makes it again.

use std::fs;

use belofte_model::{AttachmentId, JobKind, Purpose};
use uuid::Uuid;

use super::base::{Base, Rows};
use super::{
    Fresh, ahead_of, answered_and_written_to, empty, fixtures, found, give_root, keys_beside, newest, until,
};
use crate::engine::{params, sql};
use crate::tests::house::email;
use crate::tests::place::{Place, access};
use crate::{Assignee, Clock, Conversation, ConversationQuery, Read, Store, StoreError, Tx};

/// When the house is opened again, long after it was left.
pub(super) const THEN: i64 = 1_800_100_000;

/// The content that was dumped.
const fn dumped(postgres: bool) -> usize {
    if postgres { 3 } else { 2 }
}

/// What takes the dumped content back to an earlier version: columns and a table that came without touching a row.
fn back(postgres: bool, version: usize) -> String {
    let mut text = String::new();
    if postgres {
        // A dump of PostgreSQL leaves its session without a schema.
        text.push_str("SET search_path = public;");
        if version < 3 {
            text.push_str("DROP TABLE lexicon;");
        }
    }
    if version < 2 {
        text.push_str("ALTER TABLE job DROP COLUMN holder; ALTER TABLE idempotency DROP COLUMN holder;");
    }
    text + &format!("DELETE FROM refinery_schema_history WHERE version > {version};")
}

/// The house at this version of its content, on the engine of `of`.
pub(super) async fn at(of: &Place, version: usize) -> Place {
    let place = empty(of).await;
    let from = fixtures().join(place.name);
    let read = |name: &str| fs::read_to_string(from.join(name)).expect("a fixture");
    let postgres = place.name == "postgres";
    let [content, keys] = Base::both(&place);
    content.run(&(read("content.sql") + &back(postgres, version))).await;
    keys.run(&read("keys.sql")).await;
    give_root(&place, &from);
    if version > dumped(postgres) {
        place.open(&until(version, keys_beside(&place, version))).await.expect("that version").close().await;
    }
    place
}

/// What the way to the newest schema takes away on purpose.
pub(super) fn what_goes(of: &Place, version: usize, rows: &mut Rows) {
    // Earlier versions could make a second job for one message.
    if version < ahead_of(of, "deliver") {
        let jobs = rows.get_mut("job").expect("jobs");
        let count = jobs.len();
        jobs.retain(|row| !row.contains("090909090909"));
        assert_eq!(jobs.len(), count - 1, "{}: the second one", of.name);
    }
}

struct Uploads;

impl Read for Uploads {
    type Out = Vec<(AttachmentId, Uuid)>;
    async fn run(&self, tx: &mut Tx<'_>) -> Result<Self::Out, StoreError> {
        let tenant = tx.tenant();
        let text = sql!("SELECT id, owner_id FROM attachment WHERE tenant_id = $1");
        tx.query(text, params![tenant], |row| Ok((row.id(0)?, row.uuid(1)?))).await
    }
}

/// Everything in the house opens, is found, and can be answered.
pub(super) async fn works(store: &Store, clock: &Clock, told: &str) {
    let account = store.system().account_by_address(&email("info@bakker.example")).await.expect("asked");
    let account = account.unwrap_or_else(|| panic!("{told}: an account"));
    let access = access(account.tenant()).as_for(Purpose::Service);
    let query = ConversationQuery {
        status: None,
        assignee: Assignee::Any,
        queue: None,
        tag: None,
        contact: None,
        after: None,
        limit: 50,
    };
    let cases: Vec<Conversation> = store.conversations(&access, query).await.expect("cases");
    let mut subjects: Vec<_> = cases.iter().map(|case| case.summary.subject.as_str()).collect();
    subjects.sort_unstable();
    assert_eq!(subjects, ["Factuur", "Ketel lekt"], "{told}");
    let leak = cases.iter().find(|case| case.summary.subject == "Ketel lekt").expect("a case");
    let messages = store.messages(&access, leak.id, None, 50).await.expect("messages");
    let texts: Vec<_> = messages.iter().map(|message| message.content.text.as_str()).collect();
    assert_eq!(
        texts,
        ["De ketel lekt sinds dinsdag.", "Graag voor vrijdag.", "Wij komen woensdag."],
        "{told}"
    );
    assert_eq!(messages[2].deliveries[0].recipient.address, "jan@klant.example", "{told}");
    let source = messages[0].source.expect("a source");
    assert_eq!(store.blob(&access, source).await.expect("it opens"), b"raw", "{told}");
    assert_eq!(store.contact(&access, leak.contact).await.expect("it opens").profile.name, "Jan", "{told}");
    let uploads = store.read(&access, Uploads).await.expect("read");
    assert_eq!(uploads.len(), 1, "{told}");
    let names: Vec<_> =
        store.api_keys(&access).await.expect("keys").into_iter().map(|key| key.name).collect();
    assert_eq!(names, ["Kassa"], "{told}");
    // A user of before the proofs (decision 8) could be anybody's row: it is there and counts for nothing.
    assert!(store.users(&access).await.expect("users").is_empty(), "{told}");
    assert_eq!(store.channel_accounts(&access).await.expect("accounts").len(), 1, "{told}");
    assert_eq!(store.chosen_recipients(&access).await.expect("recipients").len(), 1, "{told}");
    let ledger = store.ledger_page(&access.as_for(Purpose::Oversight), None, 1_000).await.expect("a ledger");
    assert!(ledger.entries.len() > 6, "{told}: {}", ledger.entries.len());

    store.index(&access.as_for(Purpose::Upkeep)).await.expect("indexed");
    for word in ["ketel", "factuur", "woensdag", "jan@klant.example"] {
        assert!(found(store, &access, word).await > 0, "{told}: {word}");
    }

    // The queue holds one job for the answer, however many there were.
    let jobs = store.system().claim_jobs(account.tenant(), 50, clock.now()).await.expect("claimed");
    let deliver: Vec<_> = jobs.iter().filter(|job| job.kind == JobKind::Deliver).collect();
    assert_eq!(deliver.len(), 1, "{told}");
    assert_eq!(deliver[0].subject, messages[2].id.uuid(), "{told}");
    answered_and_written_to(store, &account, clock, (leak.id, "vraag-1@klant.example"), told).await;
}

/// Each version of the content, with the keys that stood beside it.
pub(super) async fn each(of: &Place, fresh: &Fresh) {
    for version in 1..=newest(of) {
        let place = at(of, version).await;
        let clock = Clock::manual(belofte_model::Timestamp::from_secs(THEN));
        let told = format!("{} from version {version}", place.name);
        let store = fresh.upgrade(&place, &clock, version, |rows| what_goes(of, version, rows), &told).await;
        works(&store, &clock, &told).await;
        fresh.examine(&place, &store, &clock, &told).await;
        store.close().await;
    }
}
