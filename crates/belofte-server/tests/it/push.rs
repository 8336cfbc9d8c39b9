// SPDX-License-Identifier: EUPL-1.2
//! Browsers that are told when something is new: a push service on the loopback learns that and when, and nothing of
//! what; only listed services are spoken with; a device ends with its session. Whose devices are whose is in
//! `belofte-store/src/tests/push.rs`, which addresses are taken in `belofte-channels/src/push/tests.rs`.

use std::time::Duration;

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::inbox::{account, receive, text};
use crate::support::push_service::PushService;
use crate::support::server::{Engine, Server, on_both_engines};
use crate::support::wait;

const SOON: Duration = Duration::from_secs(20);
/// Longer than the worker takes to look for work, and to tell.
const A_WHILE: Duration = Duration::from_millis(5_000);

struct World {
    server: Server,
    service: PushService,
}

fn world(engine: Engine) -> World {
    let service = PushService::start();
    let server = Server::start_with(engine, &service.configuration());
    server.admin().patch("/push", json!({ "allowed": true })).expect(200);
    World { server, service }
}

impl World {
    fn add(&self, client: &Client, name: &str) -> String {
        let device = client.post("/push/devices", json!({ "endpoint": self.service.endpoint(name) }));
        text(&device.expect(201), "id").to_owned()
    }

    /// Something is new for everybody who has a device, as the write of a notification says it.
    fn something_new(&self) {
        let now = belofte_store::Clock::System.now().as_micros();
        let soon = now + 2_000_000;
        let tell = format!(
            "INSERT INTO job (tenant_id, id, kind, subject_id, state, run_at, attempts, fence, lease_until, error_code, \
             created_at, changed_at) SELECT tenant_id, id, 'push', id, 'ready', {soon}, 0, 0, NULL, NULL, {now}, {now} \
             FROM push_device WHERE 1 = 1 ON CONFLICT DO NOTHING"
        );
        match self.server.databases() {
            Some([content, _]) => drop(content.query_all_tenants(&tell)),
            None => {
                let path = self.server.data_folder().join("content.db");
                let content = rusqlite::Connection::open(path).unwrap();
                content.busy_timeout(SOON).unwrap();
                content.execute(&tell, []).unwrap();
            }
        }
    }

    /// How many jobs of this kind there are, and in how many seconds the first that waits is due.
    fn jobs(&self) -> (i64, i64) {
        let asked = "SELECT count(*) || '|' || coalesce(min(CASE WHEN state = 'ready' THEN run_at END), 0) FROM job WHERE kind = 'push'";
        let told: String = match self.server.databases() {
            Some([content, _]) => content.query_all_tenants(asked),
            None => {
                let path = self.server.data_folder().join("content.db");
                let content = rusqlite::Connection::open(path).unwrap();
                content.busy_timeout(SOON).unwrap();
                content.query_row(asked, [], |row| row.get(0)).unwrap()
            }
        };
        let (count, at) = told.trim().split_once('|').expect("two numbers");
        let (count, at): (i64, i64) = (count.parse().unwrap(), at.parse().unwrap());
        (count, (at - belofte_store::Clock::System.now().as_micros()) / 1_000_000)
    }

    fn until_told(&self, count: usize) {
        wait::until("the push service to be told", SOON, || {
            (self.service.told().len() >= count).then_some(())
        });
        wait::until("the work to end", SOON, || (self.jobs().0 == 0).then_some(()));
    }

    fn until_done(&self) {
        wait::until("the work to end", SOON, || (self.jobs().0 == 0).then_some(()));
    }
}

fn devices(client: &Client) -> Vec<Value> {
    client.get("/push").expect(200)["devices"].as_array().cloned().expect("a list")
}

on_both_engines!(a_push_service_learns_that_and_when_and_nothing_else, |engine| {
    let world = world(engine);
    let agent = world.server.join("agent");
    let standing = agent.get("/push").expect(200);
    assert_eq!((&standing["offered"], &standing["allowed"]), (&json!(true), &json!(true)));
    let public = text(&standing, "public_key").to_owned();
    let browser = agent.with_header("user-agent", "Mozilla/5.0 (X11; Linux) Firefox/140.0");
    let id = world.add(&browser, "van-sanne");
    world.something_new();
    world.something_new();
    world.until_told(1);
    let [message] = &world.service.told()[..] else { panic!("one: {:?}", world.service.told()) };
    assert_eq!((&*message.method, &*message.path), ("POST", "/van-sanne"));
    assert!(message.body.is_empty(), "nothing of what is new: {:?}", message.body);
    let mut names: Vec<&str> = message.fields.keys().map(String::as_str).collect();
    names.sort_unstable();
    assert_eq!(names, ["authorization", "content-length", "host", "topic", "ttl", "urgency"]);
    assert_eq!((&*message.fields["content-length"], &*message.fields["topic"]), ("0", "new"));
    let ttl: u64 = message.fields["ttl"].parse().expect("seconds");
    assert!((3_000..=3_600).contains(&ttl), "{ttl}");
    let claims = message.claims(&public, world.server.scratch());
    assert_eq!(claims["aud"], format!("https://localhost:{}", world.service.port));
    assert_eq!(claims["sub"], "mailto:wacht@beheer.example");
    let left = claims["exp"].as_i64().expect("seconds") - belofte_store::Clock::System.now().as_secs();
    assert!((60..24 * 3_600).contains(&left), "{left}");
    let own = devices(&agent);
    assert_eq!((own.len(), &own[0]["id"], &own[0]["current"]), (1, &json!(id), &json!(true)));
    assert!(own[0]["told_at"].is_string() && own[0]["problem"].is_null(), "{own:?}");
    assert_eq!(own[0]["service"], "localhost");
    assert!(text(&own[0], "user_agent").contains("Firefox"));
    assert!(devices(world.server.admin()).is_empty(), "each sees their own");
    // What was told is told again when something else is new.
    world.something_new();
    world.until_told(2);
    let logs = world.server.logs();
    for word in ["van-sanne", "vapid", &*public] {
        assert!(!logs.contains(word), "{word} in a log");
    }
});

on_both_engines!(what_a_push_service_answers_counts, |engine| {
    let world = world(engine);
    let (gone, busy, moved) =
        (world.server.join("agent"), world.server.join("agent"), world.server.join("agent"));
    let refused = world.server.join("agent");
    for (client, name, answer) in [
        (&gone, "weg", "410 Gone"),
        (&busy, "druk", "429 Too Many Requests\r\nRetry-After: 40"),
        (&moved, "verhuisd", "307 Temporary Redirect\r\nLocation: /elders"),
        (&refused, "nee", "403 Forbidden"),
    ] {
        world.add(client, name);
        world.service.answer(name, answer);
    }
    world.something_new();
    wait::until("four answers", SOON, || (world.service.told().len() >= 4).then_some(()));
    let due = wait::until("one that waits", SOON, || {
        let (count, due) = world.jobs();
        (count == 1 && due > 0).then_some(due)
    });
    assert!(devices(&gone).is_empty(), "it is there no more");
    assert!((30..=40).contains(&due), "the service says when: {due}");
    assert!(devices(&busy)[0]["problem"].is_null() && devices(&busy)[0]["told_at"].is_null());
    assert_eq!(devices(&moved)[0]["problem"], "refused", "nobody goes elsewhere");
    assert_eq!(devices(&refused)[0]["problem"], "refused");
    // What waits is not hurried.
    world.something_new();
    wait::until("the others", SOON, || (world.service.told().len() >= 6).then_some(()));
    wait::pause(A_WHILE);
    let paths: Vec<String> = world.service.told().into_iter().map(|message| message.path).collect();
    let times = |name: &str| paths.iter().filter(|path| *path == name).count();
    assert_eq!((times("/druk"), times("/elders"), times("/weg")), (1, 0, 1), "{paths:?}");
    assert_eq!((times("/verhuisd"), times("/nee")), (2, 2), "{paths:?}");
    // Mended, it is told again and the problem is gone.
    world.service.answer("nee", "201 Created");
    world.something_new();
    wait::until("the mended one", SOON, || devices(&refused)[0]["problem"].is_null().then_some(()));
});

on_both_engines!(a_test_says_what_came_of_it, |engine| {
    let world = world(engine);
    let agent = world.server.join("agent");
    let id = world.add(&agent, "proef");
    let path = format!("/push/devices/{id}/test");
    // Also to who sits before a case: they asked for it.
    assert_eq!(agent.post_nothing(&path).expect(200), json!({ "result": "told" }));
    assert_eq!(world.service.told().len(), 1);
    for (answer, result) in [
        ("400 Bad Request", "refused"),
        ("503 Service Unavailable\r\nRetry-After: 5", "busy"),
        ("410 Gone", "gone"),
    ] {
        world.service.answer("proef", answer);
        assert_eq!(agent.post_nothing(&path).expect(200)["result"], result);
    }
    agent.post_nothing(&path).problem(404, "not_found");
    assert!(devices(&agent).is_empty());
    assert_eq!(world.jobs().0, 0, "a test leaves no work");
    world.server.admin().post_nothing(&path).problem(404, "not_found");
});

on_both_engines!(only_listed_services_are_spoken_with, |engine| {
    let world = world(engine);
    let agent = world.server.join("agent");
    let port = world.service.port;
    for hostile in [
        format!("http://localhost:{port}/a"),
        format!("https://127.0.0.1:{port}/a"),
        format!("https://[::1]:{port}/a"),
        format!("https://localhost:{}/a", port ^ 1),
        format!("https://localhost:{port}@10.0.0.1/a"),
        format!("https://x.localhost:{port}/a"),
        "https://localhost/a".to_owned(),
        "https://fcm.googleapis.com/fcm/send/a".to_owned(),
        "https://169.254.169.254/latest/meta-data".to_owned(),
        "file:///etc/passwd".to_owned(),
        "a".repeat(2_049),
        String::new(),
    ] {
        let answer = agent.post("/push/devices", json!({ "endpoint": &hostile }));
        assert_eq!(answer.problem(422, "invalid")["fields"][0]["field"], "endpoint", "{hostile}");
    }
    assert!(devices(&agent).is_empty());
    // Whose list gets shorter stops speaking with those who were on it.
    world.add(&agent, "eerst");
    let World { mut server, service } = world;
    server.stop();
    let config = std::fs::read_to_string(server.config_file()).unwrap();
    let listed = format!("services = [\"localhost:{port}\"]");
    assert!(config.contains(&listed));
    std::fs::write(server.config_file(), config.replace(&listed, "services = [\"push.example\"]")).unwrap();
    server.boot();
    let world = World { server, service };
    world.something_new();
    world.until_done();
    assert!(world.service.told().is_empty());
    assert_eq!(devices(&agent.at(world.server.https))[0]["problem"], "not_listed");
});

on_both_engines!(a_name_of_the_list_that_leads_into_the_house_gets_nothing, |engine| {
    // Without its port it is a service on the internet, and none there lies in the house.
    let service = PushService::start();
    let more = "[outbound]\nallow_private = [\"127.0.0.0/8\"]\n[push]\nservices = [\"localhost\"]\n";
    let server = Server::start_with(engine, more);
    server.admin().patch("/push", json!({ "allowed": true })).expect(200);
    let device =
        server.admin().post("/push/devices", json!({ "endpoint": "https://localhost/a" })).expect(201);
    let path = format!("/push/devices/{}/test", text(&device, "id"));
    assert_eq!(server.admin().post_nothing(&path).expect(200)["result"], "not_listed");
    assert!(service.told().is_empty());
});

on_both_engines!(what_concerns_a_user_is_told_to_their_devices_once, |engine| {
    let world = world(engine);
    let (server, service) = (&world.server, &world.service);
    account(server, None);
    let jan = "Jan Jansen <jan@klant.example>";
    let row = receive(server, jan, "Factuur", "Dag.", &["--h-Message-Id", "<1@klant.example>"]);
    let case = format!("/conversations/{}", text(&row, "id"));
    let (sanne, daan) = (server.join("agent"), server.join("agent"));
    world.add(&sanne, "sanne");
    world.add(&daan, "daan");
    let hers = sanne.get("/session").expect(200)["user"]["id"].clone();
    let told = || -> Vec<String> { service.told().into_iter().map(|message| message.path).collect() };
    let name = |admin: &Client| {
        let mentions = json!([{ "user_id": hers, "starts_at": 0, "ends_at": 2 }]);
        let note = json!({ "kind": "note", "text": "@S, kijk jij?", "mentions": mentions });
        admin.post(&format!("{case}/messages"), note).expect(201);
    };
    name(server.admin());
    world.until_told(1);
    // A case of hers, and a mail in it; a second mail is the same line still.
    server.admin().patch(&case, json!({ "assignee_id": hers })).expect(200);
    world.until_told(2);
    for (count, id) in [(3, "<2@klant.example>"), (4, "<3@klant.example>")] {
        let more = ["--h-Message-Id", id, "--h-In-Reply-To", "<1@klant.example>"];
        receive(server, jan, "Factuur", "En nu?", &more);
        wait::until("the mail", SOON, || {
            (sanne.get(&case).expect(200)["message_count"] == count).then_some(())
        });
        world.until_told(3);
    }
    wait::pause(A_WHILE);
    assert_eq!(told(), ["/sanne", "/sanne", "/sanne"]);
    // Who does not want to hear of it on devices does not; nor does anybody of what they do themselves.
    let quiet = json!({ "items": [{ "kind": "mentioned", "desk": true, "push": false }] });
    sanne.patch("/me/notifications", quiet).expect(200);
    name(server.admin());
    daan.patch(&case, json!({ "assignee_id": daan.get("/session").expect(200)["user"]["id"] })).expect(200);
    wait::pause(A_WHILE);
    assert_eq!(told().len(), 3, "{:?}", told());
});

on_both_engines!(who_is_signed_out_or_sits_before_a_case_is_told_nothing, |engine| {
    let world = world(engine);
    let server = &world.server;
    account(server, None);
    let row = receive(server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (sanne, daan) = (server.join("agent"), server.join("agent"));
    world.add(&sanne, "sanne");
    world.add(&daan, "daan");
    let mut line = sanne.live(None);
    let mut say = |state: &str| {
        let here = json!({ "here": { "conversation_id": row["id"], "state": state, "take": false } });
        line.say(&here.to_string());
        wait::until("what was said to be heard", SOON, || {
            let frame = line.wait_for("presence");
            (frame["people"][0]["state"] == state).then_some(())
        });
    };
    say("viewing");
    world.something_new();
    world.until_told(1);
    let told = || -> Vec<String> { world.service.told().into_iter().map(|message| message.path).collect() };
    assert_eq!(told(), ["/daan"], "who looks sees it by themselves");
    say("away");
    world.something_new();
    world.until_told(3);
    assert_eq!(told().iter().filter(|path| *path == "/sanne").count(), 1, "{:?}", told());

    // Signing out ends the device, whether the browser says so or not.
    let before = told().len();
    sanne.delete("/session").expect(204);
    world.something_new();
    world.until_told(before + 1);
    assert_eq!(told()[before..], ["/daan"]);
    // So does being blocked.
    let id = daan.get("/session").expect(200)["user"]["id"].as_str().expect("an id").to_owned();
    server.admin().patch(&format!("/users/{id}"), json!({ "state": "blocked" })).expect(200);
    world.add(server.admin(), "baas");
    world.something_new();
    world.until_told(before + 2);
    assert_eq!(told()[before + 1..], ["/baas"]);
    // And the organisation that forbids it.
    let now = server.admin().patch("/push", json!({ "allowed": false })).expect(200);
    assert_eq!((&now["allowed"], &now["devices"]), (&json!(false), &json!([])));
    assert!(now.get("public_key").is_none());
    world.something_new();
    wait::pause(A_WHILE);
    assert_eq!(told().len(), before + 2);
    let refused = server.admin().post("/push/devices", json!({ "endpoint": world.service.endpoint("x") }));
    refused.problem(409, "push_not_allowed");
});

#[test]
fn who_sits_before_a_case_on_another_node_is_told_nothing() {
    let world = world(Engine::Postgres);
    let two = world.server.neighbour_with(&world.service.configuration());
    account(&world.server, None);
    let row = receive(&world.server, "Jan Jansen <jan@klant.example>", "Factuur", "Dag.", &[]);
    let (sanne, daan) = (world.server.join("agent"), world.server.join("agent"));
    world.add(&sanne, "sanne");
    world.add(&daan, "daan");
    let (mut there, mut here) = (sanne.at(two.https).live(None), daan.live(None));
    let say = json!({ "here": { "conversation_id": row["id"], "state": "viewing", "take": false } });
    there.say(&say.to_string());
    here.wait_for("presence");
    for count in 1..=6 {
        world.something_new();
        world.until_told(count);
    }
    assert!(world.service.told().iter().all(|message| message.path == "/daan"), "whichever node tells");
}

on_both_engines!(an_installation_without_push_says_so, |engine| {
    let server = Server::start_with(engine, "[push]\nenabled = false\n");
    let standing = server.admin().get("/push").expect(200);
    let expected = json!({ "offered": false, "allowed": false, "services": [], "devices": [] });
    assert_eq!(standing, expected);
    server.admin().patch("/push", json!({ "allowed": true })).problem(409, "push_not_allowed");
    let browser = json!({ "endpoint": "https://fcm.googleapis.com/fcm/send/a" });
    server.admin().post("/push/devices", browser).problem(409, "push_not_allowed");
    assert_eq!(server.command_json(&["operator", "recipients"])["push_services"], json!([]));
    assert_eq!(server.admin().get("/recipients").expect(200)["push_services"], json!([]));
});

on_both_engines!(an_organisation_sees_who_learns_and_the_operator_who_allows, |engine| {
    let server = Server::start(engine);
    let agent = server.join("agent");
    assert_eq!(agent.get("/push").expect(200)["allowed"], false, "nobody decided it yet");
    let all = json!([
        "fcm.googleapis.com",
        "*.push.services.mozilla.com",
        "*.push.apple.com",
        "*.notify.windows.com",
    ]);
    assert_eq!(agent.get("/push").expect(200)["services"], all, "who would learn something");
    agent.patch("/push", json!({ "allowed": true })).problem(403, "forbidden");
    let register = || server.admin().get("/recipients").expect(200)["push_services"].clone();
    let counted = || server.command_json(&["operator", "recipients"]);
    assert_eq!((register(), &counted()["push_services"]), (json!([]), &all));
    assert_eq!(counted()["tenants"][0]["push_allowed"], false);
    server.admin().patch("/push", json!({ "allowed": true })).expect(200);
    assert_eq!((register(), &counted()["tenants"][0]["push_allowed"]), (all, &json!(true)));
    let mut shown = String::new();
    for entry in server.admin().get("/ledger?limit=20").expect(200)["items"].as_array().unwrap() {
        shown.push_str(entry["summary"]["code"].as_str().unwrap());
        shown.push(' ');
    }
    assert!(shown.contains("push_allowed"), "{shown}");
});
