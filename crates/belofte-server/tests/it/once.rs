// SPDX-License-Identifier: EUPL-1.2
//! Once: the server dies when what a POST asked for is durable and its caller was not answered. The
//! same POST gets an answer about the same row afterwards, and nothing is there twice.

use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use crate::stranger::soon;
use crate::support::client::{Client, Response};
use crate::support::inbox::{DESK, account, receive, text};
use crate::support::refusing::refusing_server;
use crate::support::server::{PASSWORD, Server, on_both_engines};
use crate::support::wait;

const LIMIT: Duration = Duration::from_secs(20);

/// What is posted, by which it is repeated.
struct Post {
    path: String,
    headers: Vec<(&'static str, &'static str)>,
    body: Vec<u8>,
}

impl Post {
    fn json(path: &str, body: &Value) -> Self {
        let headers = vec![("content-type", "application/json")];
        Self { path: format!("/api/v1{path}"), headers, body: body.to_string().into_bytes() }
    }

    fn file(path: &str, bytes: &[u8]) -> Self {
        let headers = vec![("content-type", "multipart/form-data; boundary=rand")];
        let head = "--rand\r\ncontent-disposition: form-data; name=\"file\"; filename=\"plan.txt\"\r\n\
                    content-type: text/plain\r\n\r\n";
        let body = [head.as_bytes(), bytes, b"\r\n--rand--\r\n"].concat();
        Self { path: format!("/api/v1{path}"), headers, body }
    }

    fn send(&self, client: &Client, key: &str) -> Result<Response, String> {
        let mut headers = self.headers.clone();
        headers.push(("idempotency-key", key));
        client.try_exchange(Method::POST, &self.path, &headers, self.body.clone())
    }
}

/// Lets the server die between doing and answering, asks again, and asks once more.
fn twice(server: &mut Server, client: &Client, post: &Post, status: u16) -> Value {
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let key = format!("once-{}", NEXT.fetch_add(1, Ordering::Relaxed));
    server.stop();
    server.boot_with(&[("BELOFTE_FAIL", "RequestDone:1")]);
    let died = post.send(client, &key);
    assert!(died.is_err(), "{} was answered: {}", post.path, died.map_or(0, |answer| answer.status.as_u16()));
    server.stop();
    server.boot();
    let first = post.send(client, &key).expect("it runs");
    assert_eq!(first.status.as_u16(), status, "{}: {}", post.path, String::from_utf8_lossy(&first.body));
    let second = post.send(client, &key).expect("it runs");
    assert_eq!((second.status, &second.body), (first.status, &first.body), "{}", post.path);
    if first.body.is_empty() { Value::Null } else { first.json() }
}

fn items(client: &Client, path: &str) -> Vec<Value> {
    client.get(path).expect(200)["items"].as_array().expect("items").clone()
}

on_both_engines!(what_a_dead_process_made_is_not_made_again, |engine| {
    let mut server = Server::start(engine);
    let admin = server.admin().clone();

    let new = json!({ "kind": "email", "address": DESK, "from_name": "Winkel" });
    let made = twice(&mut server, &admin, &Post::json("/channel-accounts", &new), 201);
    let accounts = items(&admin, "/channel-accounts");
    assert_eq!((accounts.len(), &accounts[0]["id"]), (1, &made["id"]));

    let key = json!({ "name": "Kassa", "scope": "read", "expires_at": soon() });
    let made = twice(&mut server, &admin, &Post::json("/api-keys", &key), 201);
    let keys = items(&admin, "/api-keys");
    assert_eq!((keys.len(), &keys[0]["id"]), (1, &made["id"]));
    // The secret that is told after the crash is the one that was made before it.
    server.stranger().with_key(text(&made, "key")).get("/conversations").expect(200);

    let tag = twice(&mut server, &admin, &Post::json("/tags", &json!({ "name": "Retour" })), 201);
    let tags = items(&admin, "/tags");
    assert_eq!((tags.len(), &tags[0]["id"]), (1, &tag["id"]));
    let view = json!({ "name": "Van ons", "shared": true, "filter": { "tag": tag["id"] } });
    let view = twice(&mut server, &admin, &Post::json("/saved-views", &view), 201);
    let views = items(&admin, "/saved-views");
    assert_eq!((views.len(), &views[0]["id"]), (1, &view["id"]));
    let kept = json!({ "name": "Van ons", "shared": true, "texts": { "nl": { "text": "Dag." } } });
    let kept = twice(&mut server, &admin, &Post::json("/macros", &kept), 201);
    let all = items(&admin, "/macros");
    assert_eq!((all.len(), &all[0]["id"]), (1, &kept["id"]));

    let before = items(&admin, "/invitations").len();
    let made = twice(&mut server, &admin, &Post::json("/invitations", &json!({ "role": "agent" })), 201);
    assert_eq!(items(&admin, "/invitations").len(), before + 1);
    let agent = server.accept(text(&made, "link"), "mees@winkel.example");

    for size in [20, 200_000] {
        let made = twice(&mut server, &agent, &Post::file("/attachments", &vec![b'x'; size]), 201);
        let file = agent.exchange(
            Method::GET,
            &format!("/api/v1/attachments/{}", text(&made, "id")),
            &[],
            Vec::new(),
        );
        assert_eq!((file.status.as_u16(), file.body.len()), (200, size));
    }

    let change = json!({ "current": PASSWORD, "new": "een heel ander geheim 42" });
    twice(&mut server, &agent, &Post::json("/me/password", &change), 204);
    let signed = json!({ "email": "mees@winkel.example", "password": "een heel ander geheim 42" });
    server.stranger().post("/session", signed).expect(201);
});

on_both_engines!(what_a_dead_process_queued_is_not_queued_again, |engine| {
    let mut server = Server::start(engine);
    let admin = server.admin().clone();
    account(&server, Some(refusing_server()));
    let case = receive(&server, "Sam <sam@klant.example>", "Vraag", "Kan dit?", &[]);
    // What is changed in many cases is not changed again, and its answer says how it is.
    let change = json!({ "status": "resolved", "version": case["version"] });
    let bulk = json!({ "items": [{ "id": case["id"], "change": change }] });
    let told = twice(&mut server, &admin, &Post::json("/conversations/bulk", &bulk), 200);
    assert_eq!(told["items"][0]["outcome"], "unchanged");
    let activity = items(&admin, &format!("/conversations/{}/activity", text(&case, "id")));
    assert_eq!(activity.iter().filter(|one| one["kind"] == "status").count(), 1);
    // What a macro did is not done again.
    let kept = json!({ "name": "Open", "actions": { "status": "open", "assignee": "me" } });
    let kept = admin.post("/macros", kept).expect(201);
    let used = json!({ "macro_id": kept["id"], "macro_version": 1 });
    let path = format!("/conversations/{}/macro", text(&case, "id"));
    let told = twice(&mut server, &admin, &Post::json(&path, &used), 200);
    assert_eq!((&told["conversation"]["status"], &told["changed"]), (&json!("open"), &json!(false)));
    let activity = items(&admin, &format!("/conversations/{}/activity", text(&case, "id")));
    assert_eq!(activity.iter().filter(|one| one["kind"] == "assigned").count(), 1);
    // What became one is one, what was taken out is one conversation, and each is undone once.
    let other = receive(&server, "Sam <sam@klant.example>", "Nog iets", "En dit?", &[]);
    let (one, two) = (text(&case, "id").to_owned(), text(&other, "id").to_owned());
    let post = |path: &str, body: Value| Post::json(&format!("/conversations/{path}"), &body);
    let ids = json!({ "conversation_ids": [two] });
    let merged = twice(&mut server, &admin, &post(&format!("{one}/merge"), ids.clone()), 200);
    assert_eq!(merged["message_count"], 2);
    twice(&mut server, &admin, &post(&format!("{one}/unmerge"), ids.clone()), 200);
    assert_eq!(items(&admin, "/conversations?status=all").len(), 2);
    twice(&mut server, &admin, &post(&format!("{one}/merge"), ids), 200);
    let mails = items(&admin, &format!("/conversations/{one}/messages"));
    let out = json!({ "message_ids": [mails[1]["id"]] });
    let split = twice(&mut server, &admin, &post(&format!("{one}/split"), out), 201);
    assert_eq!(
        (split["message_count"].as_i64(), items(&admin, "/conversations?status=all").len()),
        (Some(1), 2)
    );
    let back = post(&format!("{}/unsplit", text(&split, "id")), Value::Null);
    assert_eq!(twice(&mut server, &admin, &back, 200)["message_count"], 2);
    let path = format!("/conversations/{}/messages", text(&case, "id"));
    let reply = json!({ "kind": "reply", "text": "Ja.", "attachment_ids": [] });
    let sent = twice(&mut server, &admin, &Post::json(&path, &reply), 201);
    let id = text(&sent, "id").to_owned();
    let failed = || {
        wait::until("the delivery to fail", LIMIT, || {
            let all = items(&admin, &path);
            let own: Vec<_> = all.iter().filter(|message| message["kind"] == "reply").collect();
            assert_eq!((own.len(), text(own[0], "id")), (1, id.as_str()));
            (own[0]["deliveries"][0]["state"] == "failed").then(|| own[0].clone())
        })
    };
    let first = failed();
    let retried = twice(&mut server, &admin, &Post::json(&format!("/messages/{id}/retry"), &json!({})), 200);
    assert_eq!(retried["id"].as_str(), Some(id.as_str()));
    let second = failed();
    assert_eq!(second["deliveries"].as_array().map(Vec::len), first["deliveries"].as_array().map(Vec::len));
});
