// SPDX-License-Identifier: EUPL-1.2
//! Invitations: the only way in.

use serde_json::{Value, json};

use crate::support::client::Response;
use crate::support::server::{ADMIN, PASSWORD, Server, on_both_engines};

fn token_of(invitation: &Value) -> String {
    let link = invitation["link"].as_str().unwrap();
    let (site, token) = link.split_once("/invitation#").unwrap();
    assert!(site.starts_with("https://localhost:"), "{link}");
    token.to_owned()
}

fn acceptance(token: &str, email: &str, password: &str) -> Value {
    json!({ "token": token, "name": "Noor", "email": email, "password": password, "language": "nl" })
}

fn accept(server: &Server, token: &str, email: &str, password: &str) -> Response {
    server.stranger().post("/invitations/accept", acceptance(token, email, password))
}

on_both_engines!(an_invitation_is_looked_at_accepted_and_used_up, |engine| {
    let server = Server::start(engine);
    let made = server.admin().post("/invitations", json!({ "role": "supervisor" })).expect(201);
    let token = token_of(&made);
    let listed = server.admin().get("/invitations").expect(200);
    assert_eq!(listed["items"][0]["id"], made["id"]);
    assert!(!listed.to_string().contains(&token), "the token is told once");

    let look = |token: &str| server.stranger().post("/invitations/look", json!({ "token": token }));
    let seen = look(&token).expect(200);
    assert_eq!((&seen["tenant_name"], &seen["role"]), (&json!("winkel"), &json!("supervisor")));

    accept(&server, &token, "noor@winkel.example", "te kort").fields(&["password: too_short"]);
    let email = "noor.van.de.winkel@winkel.example";
    accept(&server, &token, email, email).fields(&["password: invalid"]);
    accept(&server, &token, "geen adres", PASSWORD).fields(&["email: invalid"]);
    // The organisation has a user with this address; the invitation stays open.
    accept(&server, &token, ADMIN, PASSWORD).problem(409, "conflict");

    let accepted = accept(&server, &token, "noor@winkel.example", PASSWORD);
    let session = accepted.expect(201);
    assert_eq!(
        (&session["user"]["role"], &session["user"]["language"]),
        (&json!("supervisor"), &json!("nl"))
    );
    assert!(accepted.headers["set-cookie"].to_str().unwrap().starts_with("__Host-belofte="));
    accept(&server, &token, "ander@winkel.example", PASSWORD).problem(410, "invitation_invalid");
    look(&token).problem(410, "invitation_invalid");
    assert_eq!(server.admin().get("/invitations").expect(200)["items"], json!([]));
});

on_both_engines!(a_withdrawn_invitation_opens_nothing, |engine| {
    let server = Server::start(engine);
    let made = server.admin().post("/invitations", json!({ "role": "agent" })).expect(201);
    let path = format!("/invitations/{}", made["id"].as_str().unwrap());
    server.found_tenant("bakker").admin.delete(&path).problem(404, "not_found");
    server.join("agent").delete(&path).problem(403, "forbidden");
    server.admin().delete(&path).expect(204);
    server.admin().delete(&path).problem(404, "not_found");
    accept(&server, &token_of(&made), "noor@winkel.example", PASSWORD).problem(410, "invitation_invalid");
});

on_both_engines!(a_request_that_is_sent_twice_is_done_once, |engine| {
    let server = Server::start(engine);
    let keyed = server.admin().with_header("idempotency-key", "uitnodiging-1");
    let first = keyed.post("/invitations", json!({ "role": "agent" })).expect(201);
    assert_eq!(keyed.post("/invitations", json!({ "role": "agent" })).expect(201), first);
    assert_eq!(server.admin().get("/invitations").expect(200)["items"].as_array().unwrap().len(), 1);
    keyed.post("/invitations", json!({ "role": "admin" })).problem(422, "idempotency_key_reused");
    // What was refused is not remembered: the key is free again.
    let again = server.admin().with_header("idempotency-key", "uitnodiging-2");
    again
        .post("/channel-accounts/test", json!({ "address": "a@b.example" }))
        .fields(&["submission: required"]);
    again.post("/invitations", json!({ "role": "agent" })).expect(201);
    // Keys of different users do not meet.
    let second = server.join("admin").with_header("idempotency-key", "uitnodiging-1");
    assert_ne!(second.post("/invitations", json!({ "role": "agent" })).expect(201)["id"], first["id"]);
});

on_both_engines!(tokens_are_not_guessed, |engine| {
    let server = Server::start_with(engine, "[limits]\ninvitations_per_address = 5\n");
    let look = |token: &str| server.stranger().post("/invitations/look", json!({ "token": token }));
    let good = token_of(&server.admin().post("/invitations", json!({ "role": "agent" })).expect(201));
    for guess in 0..5 {
        look(&format!("gok-{guess}")).problem(410, "invitation_invalid");
        // A good one in between neither counts nor washes away.
        if guess < 4 {
            look(&good).expect(200);
        }
    }
    look(&good).problem(429, "too_many_tries");
    accept(&server, &good, "noor@winkel.example", PASSWORD).problem(429, "too_many_tries");
});
