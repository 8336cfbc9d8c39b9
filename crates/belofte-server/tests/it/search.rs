// SPDX-License-Identifier: EUPL-1.2
//! Search over HTTP: words, beginnings of words, snippets, pages and suggestions.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::inbox::{account, receive, text};
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::wait;

fn find(client: &Client, query: &str) -> Vec<Value> {
    let page = client.post("/search", json!({ "q": query })).expect(200);
    page["items"].as_array().expect("items").clone()
}

fn subjects(hits: &[Value]) -> Vec<&str> {
    hits.iter().map(|hit| text(&hit["conversation"], "subject")).collect()
}

fn marked(hit: &Value) -> String {
    let parts = hit["snippet"].as_array().expect("parts").iter();
    let shown = parts.map(|part| match part["match"].as_bool() {
        Some(true) => format!("[{}]", text(part, "text")),
        _ => text(part, "text").to_owned(),
    });
    shown.collect()
}

on_both_engines!(words_are_found_with_what_stands_around_them, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    receive(
        &server,
        "Jan Jansen <jan@klant.example>",
        "Factuur van mei",
        "De ketel lekt sinds gisteren.",
        &[],
    );
    receive(&server, "Piet Pietersen <piet@klant.example>", "Storing", "De thermostaat is stuk.", &[]);
    let agent = server.join("agent");
    let hits = find(&agent, "ketel gisteren");
    assert_eq!(subjects(&hits), ["Factuur van mei"]);
    assert_eq!(
        (&hits[0]["matched"], marked(&hits[0])),
        (&json!("message"), "De [ketel] lekt sinds [gisteren].".to_owned())
    );
    let subject = find(&agent, "factuur");
    assert_eq!(
        (&subject[0]["matched"], marked(&subject[0])),
        (&json!("subject"), "[Factuur] van mei".to_owned())
    );
    let person = find(&agent, "piet@klant.example");
    assert_eq!((subjects(&person), &person[0]["matched"]), (vec!["Storing"], &json!("contact")));
    assert!(find(&agent, "ketel thermostaat").is_empty());
    assert!(find(&server.found_tenant("buren").admin, "ketel").is_empty());
    agent.post("/search", json!({ "q": " " })).fields(&["q: required"]);
    agent.post("/search", json!({ "q": "x", "limit": 101 })).fields(&["limit: out_of_range"]);
    agent.post("/search", json!({ "q": "x", "cursor": "y" })).fields(&["cursor: invalid"]);
});

on_both_engines!(the_beginning_of_a_word_finds_what_three_people_wrote, |engine| {
    let mut server = Server::start(engine);
    account(&server, None);
    for (n, name) in ["jan", "piet", "kees"].into_iter().enumerate() {
        let from = format!("{name}@klant.example");
        receive(&server, &from, &format!("Vraag {n}"), "Mijn thermostaat doet het niet.", &[]);
    }
    receive(&server, "jan@klant.example", "Anders", "Mijn thermometer is zoek.", &[]);
    let agent = server.join("agent");
    let suggest = |prefix: &str| agent.post("/search/suggest", json!({ "prefix": prefix })).expect(200);
    wait::until("the word to be known", Duration::from_secs(20), || {
        (suggest("therm")["words"] == json!(["thermostaat"])).then_some(())
    });
    let mut found = find(&agent, "thermos");
    found.sort_by_key(|hit| text(&hit["conversation"], "subject").to_owned());
    assert_eq!(subjects(&found), ["Vraag 0", "Vraag 1", "Vraag 2"]);
    // What one person alone wrote is found whole and suggested to nobody.
    assert_eq!(subjects(&find(&agent, "thermometer")), ["Anders"]);

    let people = suggest("jan");
    let contacts: Vec<_> = people["contacts"].as_array().expect("people").iter().collect();
    assert_eq!((contacts.len(), &contacts[0]["address"]), (1, &json!("jan@klant.example")));
    assert_eq!(suggest("info")["contacts"], json!([]));
    agent.post("/search/suggest", json!({ "prefix": "" })).fields(&["prefix: required"]);

    // A power cut takes what was not saved; it is read again.
    server.kill();
    server.boot();
    let agent = server.sign_in("admin@winkel.example");
    wait::until("the word to be known again", Duration::from_secs(20), || {
        (find(&agent, "thermos").len() == 3).then_some(())
    });
});

/// The embedded engine alone has an index file. It is spoilt in each way that a disk can, while the
/// server runs and before it starts.
#[test]
fn a_search_answers_without_its_index_and_mends_it() {
    let mut server = Server::start(Engine::Sqlite);
    account(&server, None);
    for n in 0..3 {
        receive(&server, "jan@klant.example", &format!("Vraag {n}"), "Over de ketel.", &[]);
    }
    let ask = |server: &Server| server.admin().post("/search", json!({ "q": "ketel" })).expect(200);
    let sound = |server: &Server| {
        wait::until("the index to be sound", Duration::from_secs(20), || {
            let page = ask(server);
            assert_eq!(subjects(page["items"].as_array().expect("items")), ["Vraag 2", "Vraag 1", "Vraag 0"]);
            (page["unindexed"] == false && page["indexed_lag"] == 0).then_some(())
        });
    };
    sound(&server);
    let folder = server.data_folder().join("idx");
    let file = || std::fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path());
    let file = || file().find(|path| path.extension().is_some_and(|end| end == "db")).expect("an index");

    // No file can be made or opened where the folder should be.
    server.stop();
    let away = server.scratch().join("idx");
    std::fs::rename(&folder, &away).expect("moved");
    std::fs::write(&folder, "no folder").expect("written");
    server.boot();
    let page = ask(&server);
    assert_eq!(page["unindexed"], true);
    assert_eq!(subjects(page["items"].as_array().expect("items")), ["Vraag 2", "Vraag 1", "Vraag 0"]);
    let suggested = server.admin().post("/search/suggest", json!({ "prefix": "jan" })).expect(200);
    assert_eq!(suggested["contacts"][0]["address"], "jan@klant.example", "{suggested}");
    receive(&server, "piet@klant.example", "Vraag 3", "Over de pomp.", &[]);
    let pump = server.admin().post("/search", json!({ "q": "pomp" })).expect(200);
    assert_eq!(subjects(pump["items"].as_array().expect("items")), ["Vraag 3"]);
    // When the folder is there again, it goes on by itself.
    std::fs::remove_file(&folder).expect("removed");
    std::fs::rename(&away, &folder).expect("moved back");
    sound(&server);

    // The file is spoilt in the middle: noticed when it is read, and made anew.
    server.stop();
    let mut bytes = std::fs::read(file()).expect("read");
    bytes[4_096..].fill(0x5a);
    std::fs::write(file(), bytes).expect("spoilt");
    server.boot();
    sound(&server);
    // It is another file altogether.
    server.stop();
    std::fs::write(file(), "no database, and long enough to be looked at").expect("spoilt");
    server.boot();
    sound(&server);
}

on_both_engines!(pages_of_hits_follow_each_other, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    for n in 0..5 {
        receive(&server, "jan@klant.example", &format!("Vraag {n}"), "Over de ketel.", &[]);
    }
    let (mut seen, mut cursor) = (Vec::new(), Value::Null);
    for _ in 0..4 {
        let mut body = json!({ "q": "ketel", "limit": 2 });
        if cursor.is_string() {
            body["cursor"] = cursor;
        }
        let page = server.admin().post("/search", body).expect(200);
        seen.extend(subjects(page["items"].as_array().expect("items")).into_iter().map(str::to_owned));
        cursor = page["next_cursor"].clone();
        if cursor.is_null() {
            break;
        }
    }
    assert_eq!(seen, ["Vraag 4", "Vraag 3", "Vraag 2", "Vraag 1", "Vraag 0"]);
});

on_both_engines!(an_index_that_grew_piece_by_piece_is_merged_while_nothing_else_is_to_do, |engine| {
    let server = Server::start(engine);
    account(&server, None);
    let folder = server.data_folder().join("idx");
    let pieces = || {
        let mut files = std::fs::read_dir(&folder).expect("a folder").flatten().map(|entry| entry.path());
        let file = files.find(|path| path.extension().is_some_and(|end| end == "db"))?;
        let index = rusqlite::Connection::open(file).expect("an index");
        index.busy_timeout(Duration::from_secs(10)).expect("a setting");
        let count =
            "SELECT count(DISTINCT segid), (SELECT value FROM state WHERE name = 'applied') FROM message_idx";
        Some(
            index
                .query_row(count, [], |row| Ok((row.get::<_, i64>(0)?, row.get::<_, i64>(1)?)))
                .expect("numbers"),
        )
    };
    for n in 0..3 {
        receive(&server, "jan@klant.example", &format!("Vraag {n}"), "Over de ketel.", &[]);
        // Each is added by itself, as a piece of its own.
        let applied = pieces().map_or(0, |(_, applied)| applied);
        wait::until("a message in the index", Duration::from_secs(20), || {
            let (_, now) = pieces()?;
            (now > applied
                || server.admin().post("/search", json!({ "q": "ketel" })).expect(200)["indexed_lag"] == 0)
                .then_some(())
        });
    }
    wait::until("one piece", Duration::from_secs(20), || {
        pieces().is_some_and(|(count, _)| count == 1).then_some(())
    });
    let page = server.admin().post("/search", json!({ "q": "ketel" })).expect(200);
    assert_eq!(page["items"].as_array().expect("items").len(), 3);
});
