// SPDX-License-Identifier: EUPL-1.2
//! Stranger: every operation of openapi.json is called by everybody who might try, with the ids
//! of rows that exist, and the table below says what each gets. An operation without a row fails,
//! and so does a row without an operation.

mod callers;
mod fields;
mod macros;
mod merging;
mod notifications;
mod push;
mod queues;
mod second_factor;
mod table;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use belofte_server::api::time::Time;
use http::Method;
use serde_json::{Value, json};

use self::callers::callers;
use self::table::TABLE;
use crate::support::client::{Client, Response};
use crate::support::provider::Provider;
use crate::support::refusing::refusing_server;
use crate::support::server::{ADMIN, PASSWORD, Server, Tenant, on_both_engines};
use crate::support::swaks::swaks;
use crate::support::wait;

pub const OPERATOR: &str = "wacht@beheer.example";
/// A word that only the first tenant's mail holds.
const WORD: &str = "zonnebloempitten";

/// What a request is made of: the path below `/api/v1` and what goes in.
pub enum Body {
    Nothing,
    Json(Value),
    File,
    Upgrade,
}

/// Somebody who calls.
pub struct Caller {
    pub column: &'static str,
    /// Who it is in words, for the failure.
    pub name: String,
    pub cookies: Option<String>,
    pub key: Option<String>,
    /// The address, of users and operators.
    pub email: Option<String>,
}

/// Two tenants, everybody who calls, and rows of the first tenant that exist.
pub struct World {
    pub server: Server,
    provider: Provider,
    other: Tenant,
    callers: Vec<Caller>,
    conversation: String,
    incoming: String,
    failed: String,
    attachment: String,
    contact: String,
    account: String,
    user: String,
    quarantined: Vec<String>,
    dead: Vec<String>,
    /// The second factors of callers, by their addresses.
    held: RefCell<BTreeMap<String, second_factor::Held>>,
    /// Somebody with a second factor, and their recovery codes that were not used.
    spare: RefCell<(String, Vec<String>)>,
    /// Numbers what must be unique.
    next: Cell<u32>,
}

pub fn id(value: &Value) -> String {
    value["id"].as_str().expect("an id").to_owned()
}

fn account(address: &str, port: u16) -> Value {
    json!({
        "kind": "email", "address": address, "from_name": "Winkel",
        "submission": { "host": "127.0.0.1", "port": port, "security": "none" },
    })
}

pub fn world(engine: crate::support::server::Engine) -> World {
    let provider = Provider::start("info@winkel.example");
    let trusted = &provider.certificate.authority;
    let mut server = Server::start_with(
        engine,
        &format!(
            "[outbound]\nallow_private = [\"127.0.0.0/8\"]\nroot_certs_file = {trusted:?}\n{}",
            push::CONFIGURATION
        ),
    );
    let other = server.found_tenant("bakker");
    let owner = server.admin();
    let mut provided = account("info@winkel.example", refusing_server());
    provided["authorisation"] = provider.settings();
    let refusing = owner.post("/channel-accounts", provided).expect(201);
    owner.post("/channel-accounts", account("post@winkel.example", 9)).expect(201);

    let folder = server.scratch().join("mail");
    std::fs::create_dir_all(&folder).expect("our own folder");
    let file = folder.join("lijst.txt");
    std::fs::write(&file, format!("lijst van {WORD}")).expect("our own folder");
    let attached = format!("@{}", file.display());
    for (to, subject) in [("info@winkel.example", "eerste"), ("post@winkel.example", "tweede")] {
        let subject = format!("Subject: {subject} vraag");
        let mail = ["--from", "jan@klant.example", "--to", to, "--header", &subject, "--body", WORD];
        let sent = swaks(server.smtp, &[&mail[..], &["--attach", &attached]].concat());
        assert!(sent.ok, "{}", sent.transcript);
    }
    for number in 0..4 {
        // Nobody sent it: neither the envelope nor the header names a sender.
        let data = format!("Subject: geen afzender {number}\n\ntekst {number}\n");
        let sent = swaks(server.smtp, &["--from", "<>", "--to", "info@winkel.example", "--data", &data]);
        assert!(sent.ok, "{}", sent.transcript);
    }
    let all = |path: &'static str, count: usize| {
        wait::until(&format!("{count} items of {path}"), Duration::from_secs(30), || {
            let items = server.admin().get(path).expect(200)["items"].as_array().cloned().expect("items");
            (items.len() >= count).then_some(items)
        })
    };
    let quarantined: Vec<_> = all("/quarantine", 4).iter().map(id).collect();
    let cases = all("/conversations?status=all", 2);
    let of = |subject: &str| {
        let found =
            cases.iter().find(|case| case["subject"].as_str().is_some_and(|text| text.contains(subject)));
        found.expect("the conversation").clone()
    };
    let (first, second) = (of("eerste"), of("tweede"));
    let messages = owner.get(&format!("/conversations/{}/messages", id(&first))).expect(200);
    let incoming = messages["items"][0].clone();
    let reply = json!({ "kind": "reply", "text": "antwoord", "attachment_ids": [] });
    let failed = owner.post(&format!("/conversations/{}/messages", id(&first)), reply.clone()).expect(201);
    for _ in 0..3 {
        owner.post(&format!("/conversations/{}/messages", id(&second)), reply.clone()).expect(201);
    }
    let scratch = server.join("agent");
    let user = scratch.get("/session").expect(200)["user"]["id"].as_str().expect("an id").to_owned();
    let callers = callers(&server, &other);
    // The refusal is there before the server stops.
    let told = format!("/conversations/{}/messages", id(&first));
    until_failed(&server, &told, &id(&failed));

    // Deliveries to a port where nobody listens wait for their next try; those become dead letters.
    server.stop();
    server.kill_deliveries(&server.tenant.id);
    server.boot();
    let dead: Vec<_> = server.admin().get("/dead-letters").expect(200)["items"]
        .as_array()
        .expect("items")
        .iter()
        .map(id)
        .collect();
    assert!(dead.len() >= 3, "three deliveries waited: {dead:?}");
    World {
        conversation: id(&first),
        incoming: id(&incoming),
        failed: id(&failed),
        attachment: id(&incoming["attachments"][0]),
        contact: id(&first["contact"]),
        account: id(&refusing),
        user,
        quarantined,
        dead,
        callers,
        other,
        server,
        provider,
        held: RefCell::default(),
        spare: RefCell::default(),
        next: Cell::new(0),
    }
}

/// Waits until the delivery of `message` was refused; `path` lists the messages around it.
fn until_failed(server: &Server, path: &str, message: &str) {
    wait::until("the refusal", Duration::from_secs(30), || {
        let page = server.admin().get(path).expect(200);
        let all = page["items"].as_array().cloned().expect("items");
        let own = all.into_iter().find(|one| one["id"] == *message).expect("the reply");
        (own["deliveries"][0]["state"] == "failed").then_some(())
    });
}

/// A moment in the near future, as keys need one.
pub fn soon() -> Value {
    let soon = belofte_store::Clock::System.now() + Duration::from_secs(3_600);
    serde_json::to_value(Time(soon)).expect("a time")
}

impl Caller {
    /// A client that says who this is; what it learns (a cookie) is forgotten with it.
    pub fn client(&self, server: &Server) -> Client {
        let client = match &self.key {
            Some(key) => server.stranger().with_key(key),
            None => server.stranger(),
        };
        client.with_header("cookie", self.cookies.as_deref().unwrap_or_default())
    }

    /// As [`client`](Self::client), in a session that may end.
    fn elsewhere(&self, server: &Server) -> Client {
        let Some(email) = &self.email else { return self.client(server) };
        let fresh = server.stranger();
        let path = if self.column == "operator" { "/operator/session" } else { "/session" };
        fresh.post(path, json!({ "email": email, "password": PASSWORD })).expect(201);
        fresh
    }
}

impl World {
    fn unique(&self) -> u32 {
        self.next.set(self.next.get() + 1);
        self.next.get()
    }

    /// A row that this caller may use up: each who succeeds has their own, the rest share one.
    fn one_of<'a>(&self, rows: &'a [String], caller: &Caller) -> &'a str {
        let own = match caller.column {
            "owner" => 1,
            "admin" => 2,
            "supervisor" => 3,
            _ => 0,
        };
        &rows[own.min(rows.len() - 1)]
    }

    fn link(&self) -> String {
        let made = self.server.admin().post("/invitations", json!({ "role": "agent" })).expect(201);
        let (_, token) = made["link"].as_str().expect("a link").split_once('#').expect("a token");
        token.to_owned()
    }

    /// The request that `caller` sends to `operation` (method and path as in the table), with the
    /// ids of rows of the first tenant that exist.
    pub fn request(&self, operation: &str, caller: &Caller) -> (String, Body) {
        let owner = self.server.admin();
        let (_, template) = operation.split_once(' ').expect("a method and a path");
        let (mut row, mut body) = (String::new(), Body::Nothing);
        match operation {
            "POST /session" => body = Body::Json(json!({ "email": ADMIN, "password": PASSWORD })),
            "POST /operator/session" => body = Body::Json(json!({ "email": OPERATOR, "password": PASSWORD })),
            "DELETE /sessions/{id}" => {
                let elsewhere = self.server.sign_in(ADMIN);
                let all = elsewhere.get("/sessions").expect(200)["items"].as_array().cloned().expect("items");
                row = id(all.iter().find(|one| one["current"] == true).expect("one's own"));
            }
            "PATCH /me" => body = Body::Json(json!({ "colour_scheme": "dark" })),
            "POST /me/password" => body = Body::Json(json!({ "current": PASSWORD, "new": PASSWORD })),
            "PATCH /users/{id}" => {
                row = self.user.clone();
                body = Body::Json(json!({ "role": "agent" }));
            }
            "POST /invitations" => body = Body::Json(json!({ "role": "agent" })),
            "DELETE /invitations/{id}" => {
                row = id(&owner.post("/invitations", json!({ "role": "agent" })).expect(201));
            }
            "POST /invitations/look" => body = Body::Json(json!({ "token": self.link() })),
            "POST /invitations/accept" => {
                body = Body::Json(json!({
                    "token": self.link(), "name": "Nieuw", "password": PASSWORD, "language": "nl",
                    "email": format!("nieuw{}@winkel.example", self.unique()),
                }));
            }
            "POST /api-keys" => {
                body = Body::Json(json!({ "name": "sleutel", "scope": "read", "expires_at": soon() }));
            }
            "DELETE /api-keys/{id}" => {
                let wanted = json!({ "name": "sleutel", "scope": "read", "expires_at": soon() });
                row = id(&owner.post("/api-keys", wanted).expect(201));
            }
            "GET /conversations/{id}"
            | "GET /conversations/{id}/drafts"
            | "POST /conversations/{id}/seen"
            | "GET /conversations/{id}/messages"
            | "GET /conversations/{id}/activity" => row = self.conversation.clone(),
            "PATCH /conversations/{id}" => {
                row = self.conversation.clone();
                body = Body::Json(json!({ "status": "resolved" }));
            }
            "POST /conversations" => {
                body = Body::Json(json!({
                    "account_id": self.account, "to": ["els@klant.example"], "subject": "Afspraak",
                    "text": "Komt dinsdag u uit?", "attachment_ids": [],
                }));
            }
            "POST /conversations/bulk" => {
                let item = json!({ "id": self.conversation, "change": { "status": "resolved" } });
                body = Body::Json(json!({ "items": [item] }));
            }
            "POST /tags" => body = Body::Json(json!({ "name": format!("tag {}", self.unique()) })),
            "PATCH /tags/{id}" | "POST /tags/{id}/merge" => {
                let made = || {
                    let name = format!("tag {}", self.unique());
                    id(&owner.post("/tags", json!({ "name": name })).expect(201))
                };
                row = made();
                body = Body::Json(if operation.starts_with("PATCH") {
                    json!({ "colour": "red" })
                } else {
                    json!({ "into_id": made() })
                });
            }
            "POST /saved-views" => body = Body::Json(json!({ "name": "van mij", "filter": {} })),
            "PATCH /saved-views/{id}" | "DELETE /saved-views/{id}" => {
                let shared = json!({ "name": "van ons", "shared": true, "filter": { "status": "open" } });
                row = id(&owner.post("/saved-views", shared.clone()).expect(201));
                if operation.starts_with("PATCH") {
                    body = Body::Json(shared);
                }
            }
            "PATCH /drafts/mail" => {
                body = Body::Json(json!({ "version": 0, "content": { "text": "concept" } }))
            }
            "PATCH /conversations/{id}/drafts" => {
                row = self.conversation.clone();
                body = Body::Json(json!({ "kind": "note", "version": 0, "content": { "text": "concept" } }));
            }
            "POST /conversations/{id}/messages" => {
                row = self.conversation.clone();
                body = Body::Json(json!({ "kind": "note", "text": "notitie", "attachment_ids": [] }));
            }
            "POST /messages/{id}/retry" => {
                row = self.failed.clone();
                let messages = format!("/conversations/{}/messages", self.conversation);
                until_failed(&self.server, &messages, &self.failed);
                body = Body::Json(json!({}));
            }
            "POST /messages/{id}/undo" => {
                // Each takes back what they wrote themselves; who writes nothing tries it with another's.
                let may =
                    ["owner", "admin", "supervisor", "agent", "officer", "write"].contains(&caller.column);
                let reply =
                    json!({ "kind": "reply", "text": "te vroeg", "attachment_ids": [], "undo_seconds": 60 });
                let path = format!("/conversations/{}/messages", self.conversation);
                let own = caller.client(&self.server);
                row = id(&if may { &own } else { owner }.post(&path, reply).expect(201));
            }
            "GET /messages/{id}/source" | "GET /messages/{id}/eml" | "POST /messages/{id}/remote-images" => {
                row = self.incoming.clone();
            }
            "POST /attachments" => body = Body::File,
            "GET /attachments/{id}" => row = self.attachment.clone(),
            "GET /contacts/{id}" | "GET /contacts/{id}/conversations" => row = self.contact.clone(),
            "POST /contacts" => {
                let address = format!("nieuw{}@klant.example", self.unique());
                body = Body::Json(json!({ "name": "Wim", "addresses": [address] }));
            }
            "POST /contacts/search" => body = Body::Json(json!({ "q": "jan" })),
            "POST /contacts/export" => body = Body::Json(json!({ "q": "jan", "format": "csv" })),
            "PATCH /contacts/{id}" => {
                row = self.contact.clone();
                body = Body::Json(json!({ "name": "Jan" }));
            }
            "POST /contacts/{id}/remote-images" => {
                row = self.contact.clone();
                // It is a change each time.
                let show = self.unique() % 2 == 1;
                owner
                    .post(
                        &format!("/contacts/{row}/remote-images"),
                        json!({ "for": "everybody", "show": !show }),
                    )
                    .expect(204);
                body = Body::Json(json!({ "for": "everybody", "show": show }));
            }
            "POST /search" => body = Body::Json(json!({ "q": WORD })),
            "POST /search/suggest" => body = Body::Json(json!({ "prefix": "jan" })),
            "GET /live" => body = Body::Upgrade,
            "POST /channel-accounts" => {
                let domain = if caller.column == "other" { "bakker" } else { "winkel" };
                let address = format!("nieuw{}@{domain}.example", self.unique());
                body = Body::Json(account(&address, 9));
            }
            "POST /channel-accounts/test" => body = Body::Json(json!({ "id": self.account })),
            "GET /channel-accounts/{id}" | "GET /channel-accounts/{id}/accounting" => {
                row = self.account.clone()
            }
            "PATCH /channel-accounts/{id}" => {
                row = self.account.clone();
                body = Body::Json(json!({ "from_name": "Winkel" }));
            }
            "DELETE /channel-accounts/{id}" => {
                let address = format!("weg{}@winkel.example", self.unique());
                row = id(&owner.post("/channel-accounts", account(&address, 9)).expect(201));
            }
            "POST /channel-accounts/{id}/authorisation" | "DELETE /channel-accounts/{id}/authorisation" => {
                row = self.account.clone();
                let begin = format!("/channel-accounts/{row}/authorisation");
                owner.post(&begin, json!({})).expect(200);
                body = Body::Json(json!({}));
            }
            "POST /channel-accounts/{id}/authorisation/code" => {
                row = self.account.clone();
                // Who may go to the provider comes back with what it gives them.
                let begun = caller
                    .client(&self.server)
                    .post(&format!("/channel-accounts/{row}/authorisation"), json!({}));
                let brought = match begun.status.as_u16() {
                    200 => self
                        .provider
                        .consent(begun.expect(200)["authorization_url"].as_str().expect("a text")),
                    _ => json!({ "state": "verzonnen", "code": "verzonnen" }),
                };
                body = Body::Json(brought);
            }
            "POST /signing-keys" | "POST /signing-keys/{id}/check" | "DELETE /signing-keys/{id}" => {
                let domain = format!("d{}.tak.example", self.unique());
                let address = format!("nieuw@{domain}");
                let makes = operation == "POST /signing-keys" && caller.column == "other";
                let admin = if makes { &self.other.admin } else { owner };
                admin.post("/channel-accounts", account(&address, 9)).expect(201);
                let wanted = json!({ "domain": domain });
                if operation.ends_with("{id}") || operation.ends_with("check") {
                    row = id(&owner.post("/signing-keys", wanted.clone()).expect(201));
                }
                body = match operation {
                    "POST /signing-keys" => Body::Json(wanted),
                    "DELETE /signing-keys/{id}" => Body::Nothing,
                    _ => Body::Json(json!({})),
                };
            }
            "GET /quarantine/{id}/source" => row = self.quarantined[0].clone(),
            "POST /quarantine/{id}/retry" => row = self.one_of(&self.quarantined, caller).to_owned(),
            "POST /dead-letters/{id}/retry" => row = self.one_of(&self.dead, caller).to_owned(),
            "GET /session"
            | "DELETE /session"
            | "GET /sessions"
            | "GET /users"
            | "GET /invitations"
            | "GET /api-keys"
            | "GET /conversations"
            | "GET /conversations/counts"
            | "GET /senders"
            | "GET /tags"
            | "GET /saved-views"
            | "GET /drafts"
            | "GET /drafts/mail"
            | "GET /channel-accounts"
            | "GET /signing-keys"
            | "GET /quarantine"
            | "GET /dead-letters"
            | "GET /ledger"
            | "POST /ledger/export"
            | "GET /operator/session"
            | "DELETE /operator/session"
            | "GET /operator/tenants"
            | "GET /operator/dead-letters"
            | "GET /operator/log"
            | "GET /operator/recipients"
            | "GET /recipients" => {}
            "GET /conversations/numbered" => return (format!("{template}?no=1"), body),
            other => {
                let known = self.merging(other).or_else(|| self.notifications(other));
                let known = known.or_else(|| self.second_factors(other, caller));
                let known = known
                    .or_else(|| self.macros(other))
                    .or_else(|| self.queues(other))
                    .or_else(|| self.fields(other));
                match known.or_else(|| self.pushing(other, caller)) {
                    Some(found) => (row, body) = found,
                    None => panic!("nothing says how to call {other}"),
                }
            }
        }
        (template.replace("{id}", &row), body)
    }

    pub fn call(&self, client: &Client, method: &str, path: &str, body: &Body) -> Response {
        const UPGRADE: [(&str, &str); 4] = [
            ("connection", "Upgrade"),
            ("upgrade", "websocket"),
            ("sec-websocket-version", "13"),
            ("sec-websocket-key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let method = Method::from_bytes(method.as_bytes()).expect("a method");
        let below = format!("/api/v1{path}");
        match body {
            Body::Nothing => client.exchange(method, &below, &[], Vec::new()),
            Body::Json(json) => {
                let kind = [("content-type", "application/json")];
                client.exchange(method, &below, &kind, json.to_string().into_bytes())
            }
            Body::File => client.upload(path, "brief.txt", "text/plain", b"een brief"),
            Body::Upgrade => client.exchange(method, &below, &UPGRADE, Vec::new()),
        }
    }

    /// What must not be found in any answer to another tenant.
    fn secrets(&self) -> Vec<&str> {
        let mut all = vec![
            WORD,
            "jan@klant.example",
            "@winkel.example",
            &self.conversation,
            &self.incoming,
            &self.failed,
            &self.attachment,
            &self.contact,
            &self.account,
            &self.user,
            &self.server.tenant.id,
        ];
        all.extend(self.quarantined.iter().chain(&self.dead).map(String::as_str));
        all
    }
}

/// What an operation leaves in the ledger: the kinds of its leaves, and of its views.
#[derive(Clone)]
pub struct Leaves {
    /// Of its leaves.
    pub leaf: BTreeSet<&'static str>,
    /// Of its views.
    pub view: BTreeSet<&'static str>,
}

/// The table: operation, the status of each column, and what it leaves.
pub fn table() -> BTreeMap<String, (BTreeMap<&'static str, u16>, Leaves)> {
    let mut lines = TABLE.lines().filter(|line| !line.trim().is_empty());
    let columns: Vec<&'static str> = lines.next().expect("a head").split_whitespace().collect();
    let mut rows = BTreeMap::new();
    for line in lines {
        let mut words = line.split_whitespace();
        let operation = format!("{} {}", words.next().expect("a method"), words.next().expect("a path"));
        let words: Vec<&'static str> = words.collect();
        assert_eq!(words.len(), columns.len(), "{operation}");
        let (statuses, left) = words.split_at(words.len() - 2);
        let statuses = statuses.iter().map(|word| word.parse().expect("a status"));
        let row = columns.iter().copied().zip(statuses).collect();
        let named = |words: &'static str| words.split(',').filter(|word| *word != "-").collect();
        let left = Leaves { leaf: named(left[0]), view: named(left[1]) };
        assert!(rows.insert(operation.clone(), (row, left)).is_none(), "{operation} has two rows");
    }
    rows
}

/// The operations that are served, with the statuses of their documented successes.
fn operations(server: &Server) -> BTreeMap<String, BTreeSet<u16>> {
    let described = server.stranger().exchange(Method::GET, "/openapi.json", &[], Vec::new()).expect(200);
    let mut all = BTreeMap::new();
    for (path, item) in described["paths"].as_object().expect("paths") {
        let path = path.strip_prefix("/api/v1").expect("all live there");
        for (method, operation) in item.as_object().expect("operations") {
            assert!(operation["x-caller"].is_string(), "{method} {path} says who may call it");
            let statuses = operation["responses"].as_object().expect("responses").keys();
            let statuses = statuses.map(|status| status.parse::<u16>().expect("a number"));
            let successes = statuses.filter(|status| *status < 300).collect();
            all.insert(format!("{} {path}", method.to_uppercase()), successes);
        }
    }
    all
}

/// A problem without what is different in each.
fn without_request(response: &Response) -> Value {
    let mut problem = response.json();
    problem.as_object_mut().expect("an object").remove("request");
    problem
}

on_both_engines!(everybody_gets_what_the_table_says_and_nothing_else, |engine| {
    let world = world(engine);
    world.server.leaves("deliver");
    let (table, operations) = (table(), operations(&world.server));
    let (rows, served): (BTreeSet<_>, BTreeSet<_>) = (table.keys().collect(), operations.keys().collect());
    assert_eq!(
        served.difference(&rows).collect::<Vec<_>>(),
        Vec::<&&String>::new(),
        "operations without a row"
    );
    assert_eq!(
        rows.difference(&served).collect::<Vec<_>>(),
        Vec::<&&String>::new(),
        "rows without an operation"
    );

    let mut wrong = Vec::new();
    for (operation, (row, _)) in &table {
        let (method, _) = operation.split_once(' ').expect("a method");
        assert!(
            row.values().any(|status| operations[operation].contains(status)),
            "{operation} succeeds for nobody: is it mounted?"
        );
        for caller in &world.callers {
            let (path, body) = world.request(operation, caller);
            let ends = matches!(operation.as_str(), "DELETE /session" | "DELETE /operator/session");
            let own = caller.column != "nobody" && caller.key.is_none();
            let client =
                if ends && own { caller.elsewhere(&world.server) } else { caller.client(&world.server) };
            let response = world.call(&client, method, &path, &body);
            let (status, told) = (response.status.as_u16(), String::from_utf8_lossy(&response.body));
            let mut note =
                |what: String| wrong.push(format!("{operation} as {}: {what}: {told}", caller.name));
            if status != row[caller.column] {
                note(format!("{status} instead of {}", row[caller.column]));
                continue;
            }
            if status >= 400 {
                let code = match status {
                    401 => "not_signed_in",
                    403 => "forbidden",
                    _ => "not_found",
                };
                if response.json()["code"] != code {
                    note(format!("no {code}"));
                }
            }
            // Signing in as somebody of the first tenant tells of it to whom may.
            let signs_in = operation.starts_with("POST /session") || operation == "POST /invitations/accept";
            if caller.column == "other" && !signs_in {
                // What the caller has named is no news to them.
                let asked = if let Body::Json(json) = &body { json.to_string() } else { String::new() };
                let news = |secret: &&str| told.contains(*secret) && !asked.contains(*secret);
                for secret in world.secrets().into_iter().filter(news) {
                    note(format!("tells {secret}"));
                }
            }
            // What exists elsewhere and what exists nowhere are one answer.
            if status == 404 {
                let made_up = path.split('/').map(|part| if part.len() == 36 { NOWHERE } else { part });
                let made_up = made_up.collect::<Vec<_>>().join("/");
                let body = match &body {
                    Body::Json(json) if json.get("id").is_some() => Body::Json(json!({ "id": NOWHERE })),
                    _ => body,
                };
                let nothing = world.call(&caller.client(&world.server), method, &made_up, &body);
                if without_request(&nothing) != without_request(&response) {
                    note("differs from what never existed".into());
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    assert_eq!(world.other.admin.get("/conversations?status=all").expect(200)["items"], json!([]));
});

const NOWHERE: &str = "01890000-0000-7000-8000-000000000000";

on_both_engines!(no_other_site_makes_a_browser_change_anything, |engine| {
    let world = world(engine);
    world.server.leaves("deliver");
    let browser = |caller: &Caller| caller.client(&world.server);
    for operation in operations(&world.server).keys().filter(|operation| !operation.starts_with("GET ")) {
        let (method, template) = operation.split_once(' ').expect("a method");
        let column = if template.starts_with("/operator") { "operator" } else { "owner" };
        let caller = world.callers.iter().find(|caller| caller.column == column).expect("one");
        for said in ["", "0", "true", "1, 1"] {
            let (path, body) = world.request(operation, caller);
            let client = browser(caller).with_header("x-belofte", said);
            let refused = world.call(&client, method, &path, &body);
            assert_eq!(refused.status, 403, "{operation} with X-Belofte: {said:?}");
            refused.problem(403, "forbidden");
        }
    }
    // Nothing of all that happened.
    world.server.admin().get(&format!("/channel-accounts/{}", world.account)).expect(200);
    let case = world.server.admin().get(&format!("/conversations/{}", world.conversation)).expect(200);
    assert_ne!(case["status"], "resolved");
});
