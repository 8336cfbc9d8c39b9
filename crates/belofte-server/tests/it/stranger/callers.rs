// SPDX-License-Identifier: EUPL-1.2
//! Everybody who might try.

use serde_json::{Value, json};

use super::{Caller, OPERATOR, id, soon};
use crate::support::client::Client;
use crate::support::server::{ADMIN, PASSWORD, Server, Tenant};

/// Who may, who may not, and who is nobody any more.
pub fn callers(server: &Server, other: &Tenant) -> Vec<Caller> {
    let owner = server.admin();
    let email = |client: &Client| {
        client.get("/session").expect(200)["user"]["email"].as_str().expect("an address").to_owned()
    };
    let user = |column: &'static str, name: &str, client: &Client| Caller {
        column,
        name: name.to_owned(),
        cookies: client.cookie_header(),
        key: None,
        email: Some(email(client)),
    };
    let officer = json!({ "role": "agent", "privacy_officer": true });
    let mut all = vec![
        user("owner", "the first admin", owner),
        user("admin", "another admin", &server.join("admin")),
        user("supervisor", "a supervisor", &server.join("supervisor")),
        user("agent", "an agent", &server.join("agent")),
        user("officer", "a privacy officer", &server.invite(owner, officer, "toezicht@winkel.example")),
        user("other", "another tenant's admin", &other.admin),
    ];
    let key = |scope: &str| {
        let wanted = json!({ "name": scope, "scope": scope, "expires_at": soon() });
        owner.post("/api-keys", wanted).expect(201)
    };
    let told = |key: &Value| key["key"].as_str().expect("a key").to_owned();
    let program = |column, name: &str, cookies, key: String| Caller {
        column,
        name: name.to_owned(),
        cookies,
        key: Some(key),
        email: None,
    };
    all.push(program("read", "a key that reads", None, told(&key("read"))));
    all.push(program("write", "a key that writes", None, told(&key("write"))));

    server.make_operator(OPERATOR);
    let operator = server.stranger();
    operator.post("/operator/session", json!({ "email": OPERATOR, "password": PASSWORD })).expect(201);
    let (cookies, email) = (operator.cookie_header(), Some(OPERATOR.to_owned()));
    all.push(Caller { column: "operator", name: "an operator user".into(), cookies, key: None, email });

    let nobody = |name: &str, cookies| Caller {
        column: "nobody",
        name: name.to_owned(),
        cookies,
        key: None,
        email: None,
    };
    let ended = server.join("admin");
    let kept = ended.cookie_header();
    ended.delete("/session").expect(204);
    let blocked = server.join("admin");
    let blocked_id = blocked.get("/session").expect(200)["user"]["id"].as_str().expect("an id").to_owned();
    let blocked_cookies = blocked.cookie_header();
    owner.patch(&format!("/users/{blocked_id}"), json!({ "state": "blocked" })).expect(200);
    let revoked = key("write");
    owner.delete(&format!("/api-keys/{}", id(&revoked))).expect(204);
    let expired = format!("__Host-belofte={}", server.expired_session(ADMIN));
    all.extend([
        nobody("nobody", None),
        nobody("an ended session", kept),
        nobody("a session that ran out", Some(expired)),
        nobody("a blocked user", blocked_cookies),
        nobody("a made-up session", Some(format!("__Host-belofte={}", "A".repeat(43)))),
        nobody(
            "an operator's token as a user's",
            operator.cookie_header().map(|all| all.replace("-operator", "")),
        ),
        nobody(
            "a user's token as an operator's",
            owner.cookie_header().map(|all| all.replace('=', "-operator=")),
        ),
        nobody("the same cookie twice", owner.cookie_header().map(|all| format!("{all}; {all}"))),
        program("nobody", "a revoked key", None, told(&revoked)),
        program("nobody", "a wrong key beside a good cookie", owner.cookie_header(), "blt_wrong".into()),
    ]);
    all
}
