// SPDX-License-Identifier: EUPL-1.2
//! Users of a tenant, keys for programs, and what stands in the ledger about them.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::client::Client;
use crate::support::server::{ADMIN, Server, on_both_engines};

fn id_of(client: &Client) -> String {
    client.get("/session").expect(200)["user"]["id"].as_str().unwrap().to_owned()
}

fn codes(page: &Value) -> Vec<String> {
    let items = page["items"].as_array().unwrap();
    items.iter().map(|item| item["summary"]["code"].as_str().unwrap().to_owned()).collect()
}

on_both_engines!(an_admin_sees_and_changes_all_others_see_names, |engine| {
    let server = Server::start(engine);
    let agent = server.join("agent");
    let admin = server.admin();

    let listed = agent.get("/users").expect(200);
    let users = listed["items"].as_array().unwrap();
    assert_eq!(users.len(), 2);
    assert!(
        users.iter().all(|user| user.get("email").is_none() && user.get("language").is_none()),
        "{users:?}"
    );
    let full = admin.get("/users").expect(200);
    assert!(full["items"].as_array().unwrap().iter().any(|user| user["email"] == ADMIN));

    let path = format!("/users/{}", id_of(&agent));
    agent.patch(&path, json!({ "role": "admin" })).problem(403, "forbidden");
    let changed = admin.patch(&path, json!({ "role": "supervisor", "privacy_officer": true })).expect(200);
    assert_eq!((&changed["role"], &changed["privacy_officer"]), (&json!("supervisor"), &json!(true)));
    // The next request of the same session has the new permissions.
    agent.get("/quarantine").expect(200);

    admin.patch(&path, json!({ "state": "blocked" })).expect(200);
    agent.get("/session").problem(401, "not_signed_in");
    let email = changed["email"].as_str().unwrap();
    let body = json!({ "email": email, "password": crate::support::server::PASSWORD });
    server.stranger().post("/session", body.clone()).problem(401, "sign_in_failed");
    admin.patch(&path, json!({ "state": "active" })).expect(200);
    server.stranger().post("/session", body).expect(201);
});

on_both_engines!(the_last_admin_stays, |engine| {
    let server = Server::start(engine);
    let admin = server.admin();
    let path = format!("/users/{}", id_of(admin));
    admin.patch(&path, json!({ "role": "agent" })).problem(409, "last_admin");
    admin.patch(&path, json!({ "state": "blocked" })).problem(409, "last_admin");
    let second = server.join("admin");
    second.patch(&path, json!({ "role": "agent" })).expect(200);
    admin.get("/invitations").problem(403, "forbidden");
});

on_both_engines!(an_admin_alone_makes_nobody_privacy_officer, |engine| {
    let server = Server::start(engine);
    let (first, second, agent) = (server.admin(), server.join("admin"), server.join("agent"));
    let path = |client: &Client| format!("/users/{}", id_of(client));
    let duty = |given: bool| json!({ "privacy_officer": given });
    for whom in [&second, &agent] {
        second.patch(&path(whom), duty(true)).problem(403, "privacy_officer_only");
    }
    let invitation = json!({ "role": "agent", "privacy_officer": true });
    second.post("/invitations", invitation.clone()).problem(403, "privacy_officer_only");
    second.get("/ledger").problem(403, "forbidden");
    // The last one does not lay it down.
    first.patch(&path(first), duty(false)).problem(409, "last_privacy_officer");
    // Passed on by who has it, and seen by all.
    first.patch(&path(&agent), duty(true)).expect(200);
    agent.get("/ledger").expect(200);
    first.patch(&path(first), duty(false)).expect(200);
    first.get("/ledger").problem(403, "forbidden");
    first.patch(&path(first), duty(true)).problem(403, "privacy_officer_only");
    first.post("/invitations", invitation).problem(403, "privacy_officer_only");
    let listed = second.get("/users").expect(200);
    let has = |user: &&Value| user["privacy_officer"] == true;
    let officers: Vec<_> = listed["items"].as_array().unwrap().iter().filter(has).collect();
    assert_eq!(officers.len(), 1);
    assert_eq!(officers[0]["id"], id_of(&agent));
    let told = codes(&agent.get("/ledger?limit=100").expect(200));
    for code in ["privacy_officer_given", "privacy_officer_taken"] {
        assert!(told.iter().any(|known| known == code), "{code} in {told:?}");
    }
    // Kept out when it must be, which makes nobody else one.
    let who = path(&agent);
    second.patch(&who, json!({ "state": "blocked" })).expect(200);
    agent.get("/session").problem(401, "not_signed_in");
    second.patch(&path(&second), duty(true)).problem(403, "privacy_officer_only");
    assert_eq!(second.patch(&who, json!({ "state": "active" })).expect(200)["privacy_officer"], true);
});

on_both_engines!(another_tenants_user_does_not_exist, |engine| {
    let server = Server::start(engine);
    let other = server.found_tenant("bakker");
    let path = format!("/users/{}", id_of(server.admin()));
    other.admin.patch(&path, json!({ "state": "blocked" })).problem(404, "not_found");
    assert_eq!(other.admin.get("/users").expect(200)["items"].as_array().unwrap().len(), 1);
    server.admin().get("/session").expect(200);
});

on_both_engines!(a_key_opens_what_its_scope_allows_until_it_is_revoked, |engine| {
    let server = Server::start(engine);
    let admin = server.admin();
    let key = |scope: &str, ends: &str| json!({ "name": "Webshop", "scope": scope, "expires_at": ends });
    admin.post("/api-keys", key("read", "2020-01-01T00:00:00Z")).fields(&["expires_at: out_of_range"]);
    admin.post("/api-keys", key("read", "9999-01-01T00:00:00Z")).fields(&["expires_at: out_of_range"]);
    let ends = in_a_month();
    let made = admin.post("/api-keys", key("read", &ends)).expect(201);
    let secret = made["key"].as_str().unwrap();
    let program = server.stranger().with_key(secret);
    program.get("/queues").expect(200);
    program.get("/users").expect(200);
    program.get("/session").problem(403, "forbidden");
    program.post("/api-keys", key("write", &ends)).problem(403, "forbidden");

    let listed = admin.get("/api-keys").expect(200);
    assert_eq!(listed["items"][0]["name"], "Webshop");
    assert!(!listed.to_string().contains(secret), "the secret is told once");
    let path = format!("/api-keys/{}", made["id"].as_str().unwrap());
    admin.delete(&path).expect(204);
    admin.delete(&path).problem(404, "not_found");
    program.get("/queues").problem(401, "not_signed_in");
});

on_both_engines!(the_ledger_is_for_the_privacy_officer_and_holds_together, |engine| {
    let server = Server::start(engine);
    let supervisor = server.join("supervisor");
    supervisor.get("/ledger").problem(403, "forbidden");
    supervisor.post_nothing("/ledger/export").problem(403, "forbidden");
    let officer = server.invite(
        server.admin(),
        json!({ "role": "agent", "privacy_officer": true }),
        "toezicht@winkel.example",
    );
    server
        .admin()
        .post("/api-keys", json!({ "name": "Kassa", "scope": "read", "expires_at": in_a_month() }))
        .expect(201);

    let page = officer.get("/ledger?limit=100").expect(200);
    let told = codes(&page);
    for code in ["sign_in", "joined", "invited", "keys", "api_key_created"] {
        assert!(told.iter().any(|known| known == code), "{code} in {told:?}");
    }
    let newest = &page["items"][0];
    assert_eq!(newest["summary"]["params"]["name"], "Kassa");
    assert_eq!(newest["actor"], json!({ "kind": "user", "name": "admin" }));
    assert_eq!(page["size"].as_u64().unwrap() as usize, told.len());
    let older = officer.get("/ledger?limit=2&before=3").expect(200);
    let numbers: Vec<_> = older["items"].as_array().unwrap().iter().map(|item| item["no"].clone()).collect();
    assert_eq!(numbers, [2, 1]);
    officer.get("/ledger?before=-1").fields(&["before: out_of_range"]);

    // Reading the ledger stands in the ledger, at the latest a second later.
    crate::support::wait::until("the view to be noted", std::time::Duration::from_secs(10), || {
        codes(&officer.get("/ledger").expect(200)).iter().any(|code| code == "views").then_some(())
    });

    // Nothing of an export lies in the data folder, also not while it is made.
    let before = files_below(&server.data_folder());
    let done = AtomicBool::new(false);
    let (exported, seen) = std::thread::scope(|scope| {
        let watch = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !done.load(Ordering::Relaxed) {
                seen.extend(files_below(&server.data_folder()));
            }
            seen
        });
        let exported: Vec<_> = (0..20).map(|_| officer.post_nothing("/ledger/export")).collect();
        done.store(true, Ordering::Relaxed);
        (exported.into_iter().next_back().unwrap(), watch.join().unwrap())
    });
    let new: Vec<_> = seen.difference(&before).collect();
    assert!(new.is_empty(), "made for an export: {new:?}");
    assert_eq!(exported.status.as_u16(), 200);
    assert_eq!(exported.headers["content-length"], exported.body.len().to_string());
    assert_eq!(exported.headers["content-type"], "application/x-tar");
    let archive = server.scratch().join("ledger.tar");
    std::fs::write(&archive, &exported.body).unwrap();
    let unpacked =
        Command::new("tar").arg("-xf").arg(&archive).current_dir(server.scratch()).status().unwrap();
    assert!(unpacked.success());
    let folder = server.scratch().join("ledger");
    let key = std::fs::read_to_string(folder.join("key")).unwrap();
    let verified = server.command(&["ledger", "verify", &folder.display().to_string(), "--key", key.trim()]);
    assert!(verified.status.success(), "{}", String::from_utf8_lossy(&verified.stderr));
});

/// The files and folders below `folder`.
fn files_below(folder: &Path) -> BTreeSet<PathBuf> {
    let mut found = BTreeSet::new();
    // What goes while we look is no file of ours.
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        let path = entry.path();
        if path.is_dir() {
            found.append(&mut files_below(&path));
        }
        found.insert(path);
    }
    found
}

fn in_a_month() -> String {
    let output = Command::new("date").args(["-u", "-d", "30 days", "+%Y-%m-%dT%H:%M:%SZ"]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}
