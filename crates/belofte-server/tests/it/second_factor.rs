// SPDX-License-Identifier: EUPL-1.2
//! The second factor of signing in, over the wire.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::support::authenticator::{Authenticator, enrol, recovery_codes};
use crate::support::client::{Client, Response};
use crate::support::server::{ADMIN, PASSWORD, Server, on_both_engines};

const EMAIL: &str = "sanne@winkel.example";

fn agent(server: &Server) -> Client {
    server.invite(server.admin(), json!({ "role": "agent" }), EMAIL)
}

fn first(client: &Client) -> Response {
    client.post("/session", json!({ "email": EMAIL, "password": PASSWORD }))
}

/// The step that follows the right password.
fn step(client: &Client) -> String {
    let answer = first(client);
    let asked = answer.expect(202);
    assert!(!answer.headers.contains_key("set-cookie"), "a password alone makes no session");
    assert_eq!(asked["next"], "code");
    asked["step"].as_str().expect("a step").to_owned()
}

fn show(client: &Client, step: &str, code: &str) -> Response {
    client.post("/session/code", json!({ "step": step, "code": code }))
}

on_both_engines!(signing_in_takes_the_password_and_then_a_code, |engine| {
    let server = Server::start(engine);
    let sanne = agent(&server);
    let elsewhere = server.sign_in(EMAIL);
    assert_eq!(sanne.get("/me/second-factor").expect(200), json!({ "recovery_codes": 0, "asked": false }));
    // Nothing that is told once is kept for who asks again.
    let keyed = sanne.with_header("idempotency-key", "instellen-1");
    let made = keyed.post("/me/second-factor", json!({})).expect(200);
    let again = keyed.post("/me/second-factor", json!({})).expect(200);
    assert_ne!(made["secret"], again["secret"]);
    let uri = again["uri"].as_str().unwrap();
    assert!(uri.starts_with("otpauth://totp/Belofte%20winkel:sanne%40winkel.example?secret="), "{uri}");
    let mut app = Authenticator::reads(&again);
    let confirm = |client: &Client, password: &str, code: &str| {
        client.post("/me/second-factor/confirm", json!({ "password": password, "code": code }))
    };
    let code = app.next();
    confirm(&sanne, "niet het wachtwoord", &code).problem(401, "sign_in_failed");
    confirm(&sanne, PASSWORD, &app.wrong()).problem(401, "wrong_code");
    confirm(&elsewhere, PASSWORD, &code).problem(410, "step_over");
    let codes = recovery_codes(&confirm(&sanne, PASSWORD, &code).expect(200));
    assert_eq!(codes.iter().collect::<BTreeSet<_>>().len(), 10);
    assert!(codes.iter().all(|code| code.len() == 19), "{codes:?}");
    confirm(&sanne, PASSWORD, &code).problem(410, "step_over");
    sanne.get("/session").expect(200);
    elsewhere.get("/session").problem(401, "not_signed_in");

    let browser = server.stranger();
    // Before the password is right nothing tells of it.
    let wrong = json!({ "email": EMAIL, "password": "niet het wachtwoord" });
    browser.post("/session", wrong).problem(401, "sign_in_failed");
    let one = step(&browser);
    browser.get("/session").problem(401, "not_signed_in");
    show(&browser, &one, &code).problem(401, "wrong_code");
    show(&browser, &one, "geen code").problem(401, "wrong_code");
    show(&browser, "geen stap", &app.next()).problem(410, "step_over");
    let set_up = browser.post("/session/second-factor", json!({ "step": one }));
    set_up.problem(410, "step_over");
    let signed = show(&browser, &one, &app.next());
    assert_eq!(signed.expect(201)["user"]["email"], EMAIL);
    assert_eq!(
        signed.headers.get_all("set-cookie").iter().count(),
        2,
        "a session, and a browser that is known"
    );
    browser.get("/session").expect(200);
    show(&browser, &one, &codes[0]).problem(410, "step_over");

    let two = step(&server.stranger());
    let spaced = codes[0].to_uppercase().replace('-', " ");
    show(&server.stranger(), &two, &spaced).expect(201);
    let three = step(&server.stranger());
    show(&server.stranger(), &three, &codes[0]).problem(401, "wrong_code");
    assert_eq!(sanne.get("/me/second-factor").expect(200)["recovery_codes"], 9);

    // A password that is changed is no way around it.
    let change = json!({ "current": PASSWORD, "new": "een heel nieuw wachtwoord" });
    sanne.post("/me/password", change).expect(204);
    show(&server.stranger(), &three, &codes[1]).problem(410, "step_over");
    let changed = json!({ "email": EMAIL, "password": "een heel nieuw wachtwoord" });
    assert_eq!(server.stranger().post("/session", changed).expect(202)["next"], "code");

    let with = |code: &str| json!({ "password": "een heel nieuw wachtwoord", "code": code });
    let new = recovery_codes(&sanne.post("/me/second-factor/recovery-codes", with(&codes[1])).expect(200));
    sanne.post("/me/second-factor/remove", with(&codes[2])).problem(401, "wrong_code");
    sanne.post("/me/second-factor/remove", with(&new[0])).expect(204);
    sanne.post("/me/second-factor/remove", with(&new[1])).problem(409, "conflict");
    sanne.get("/session").expect(200);
    let told: Vec<Value> = server.admin().get("/ledger?limit=100").expect(200)["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|entry| entry["summary"]["code"].clone())
        .collect();
    for code in ["second_factor_on", "second_factor_off", "recovery_codes_renewed", "sign_in_asked"] {
        assert!(told.contains(&json!(code)), "{code}: {told:?}");
    }
});

on_both_engines!(a_thousand_tries_at_the_second_step_find_nothing_and_disturb_nobody, |engine| {
    let mut server = Server::start(engine);
    let sanne = agent(&server);
    let (mut app, codes) = enrol(&sanne);
    let colleague = server.join("agent");
    let colleague = colleague.get("/session").expect(200)["user"]["email"].clone();
    server.stop();
    server.boot_with(&[("BELOFTE__SERVER__TRUSTED_PROXIES", "127.0.0.0/8")]);
    let server = server;
    let from = |n: usize| {
        let address = format!("198.51.{}.{}", n / 200, n % 200 + 1);
        server.stranger().with_header("x-forwarded-for", &address)
    };
    // Who guesses knows the password, gives it anew all the time, and comes from a thousand addresses.
    let (mut wrong, mut refused, mut one) = (0, 0, String::new());
    for n in 0..1_000 {
        let guesser = from(n);
        if n % 25 == 0 {
            one = step(&guesser);
        }
        let answer = show(&guesser, &one, &app.wrong());
        match answer.status.as_u16() {
            401 => wrong += 1,
            429 => refused += 1,
            status => panic!("{status}"),
        }
        if n % 100 == 50 {
            let other = server.stranger();
            other.post("/session", json!({ "email": colleague, "password": PASSWORD })).expect(201);
            other.get("/session").expect(200);
        }
    }
    // Five are free; one more after each pause of 30, 60, 120 … seconds that has passed meanwhile.
    assert!((5..=9).contains(&wrong), "{wrong} were looked at");
    assert_eq!(wrong + refused, 1_000);
    // A right code is not looked at either; the owner's recovery codes are counted by themselves.
    show(&server.stranger(), &one, &app.next()).problem(429, "too_many_tries");
    show(&server.stranger(), &one, &codes[0]).expect(201);
    let two = step(&server.stranger());
    show(&server.stranger(), &two, &app.wrong()).problem(401, "wrong_code");
});

on_both_engines!(who_is_asked_one_sets_it_up_before_anything_else, |engine| {
    let server = Server::start(engine);
    let (sanne, admin) = (agent(&server), server.admin());
    let key = json!({ "name": "kassa", "scope": "read", "expires_at": crate::stranger::soon() });
    let key = admin.post("/api-keys", key).expect(201)["key"].as_str().unwrap().to_owned();
    admin.patch("/second-factor-rule", json!({ "admin": true })).problem(409, "second_factor_first");
    let rule = admin.patch("/second-factor-rule", json!({ "agent": true })).expect(200);
    assert_eq!(rule, json!({ "admin": false, "supervisor": false, "agent": true }));
    assert_eq!(admin.get("/second-factor-rule").expect(200), rule);
    // Whoever has none is nobody, whatever they held; a program is no user.
    for path in ["/session", "/conversations", "/me/second-factor", "/sessions"] {
        sanne.get(path).problem(401, "not_signed_in");
    }
    sanne.post("/me/second-factor", json!({})).problem(401, "not_signed_in");
    server.stranger().with_key(&key).get("/conversations").expect(200);

    let browser = server.stranger();
    let asked = first(&browser).expect(202);
    assert_eq!(asked["next"], "enrolment");
    let named = json!({ "step": asked["step"] });
    show(&browser, asked["step"].as_str().unwrap(), "123456").problem(410, "step_over");
    browser.get("/session").problem(401, "not_signed_in");
    let secret = browser.post("/session/second-factor", named).expect(200);
    let mut app = Authenticator::reads(&secret);
    let confirm = |code: &str| {
        browser.post("/session/second-factor/confirm", json!({ "step": asked["step"], "code": code }))
    };
    confirm(&app.wrong()).problem(401, "wrong_code");
    let code = app.next();
    let done = confirm(&code).expect(201);
    assert_eq!(done["session"]["user"]["email"], EMAIL);
    assert_eq!(recovery_codes(&done).len(), 10);
    assert_eq!(browser.get("/me/second-factor").expect(200)["asked"], true);
    confirm(&code).problem(410, "step_over");
    show(&server.stranger(), &step(&server.stranger()), &app.next()).expect(201);

    // Who joins is asked as well, and who takes theirs away is asked at once.
    let made = admin.post("/invitations", json!({ "role": "agent" })).expect(201);
    let (_, token) = made["link"].as_str().unwrap().split_once('#').unwrap();
    let body = json!({
        "token": token, "name": "Noor", "email": "noor@winkel.example", "password": PASSWORD, "language": "nl",
    });
    let joined = server.stranger().post("/invitations/accept", body);
    assert_eq!(joined.expect(202)["next"], "enrolment");
    assert!(!joined.headers.contains_key("set-cookie"));
    let remove = json!({ "password": PASSWORD, "code": recovery_codes(&done)[0] });
    browser.post("/me/second-factor/remove", remove).expect(204);
    browser.get("/session").problem(401, "not_signed_in");
    assert_eq!(first(&browser).expect(202)["next"], "enrolment");
});

on_both_engines!(an_admin_takes_a_second_factor_away_and_its_owner_is_told, |engine| {
    let server = Server::start(engine);
    let (sanne, admin) = (agent(&server), server.admin());
    let id = sanne.get("/session").expect(200)["user"]["id"].as_str().unwrap().to_owned();
    let path = format!("/users/{id}/second-factor");
    admin.delete(&path).problem(409, "conflict");
    let (_, codes) = enrol(&sanne);
    let waiting = step(&server.stranger());
    let listed = |client: &Client| {
        let users = client.get("/users").expect(200)["items"].as_array().unwrap().clone();
        users.into_iter().find(|user| user["id"] == *id).unwrap()["second_factor"].clone()
    };
    assert_eq!((listed(admin), listed(&sanne)), (json!(true), Value::Null));
    sanne.delete(&path).problem(403, "forbidden");
    server.found_tenant("bakker").admin.delete(&path).problem(404, "not_found");
    let own = admin.get("/session").expect(200)["user"]["id"].as_str().unwrap().to_owned();
    admin.delete(&format!("/users/{own}/second-factor")).problem(403, "forbidden");
    admin.delete(&path).expect(204);
    sanne.get("/session").problem(401, "not_signed_in");
    show(&server.stranger(), &waiting, &codes[0]).problem(410, "step_over");
    let again = server.stranger();
    assert!(first(&again).expect(201)["second_factor_reset_at"].is_string());
    again.post("/me/second-factor/reset-seen", json!({})).expect(204);
    assert_eq!(again.get("/session").expect(200)["second_factor_reset_at"], Value::Null);
    let last = server.entries().into_iter().rfind(|entry| entry["kind"] == "instruction").unwrap();
    assert_eq!((&last["detail"]["what"], &last["detail"]["user"]), (&json!("second_factor"), &json!(id)));
    admin.get("/session").expect(200);
    server.sign_in(ADMIN).get("/session").expect(200);
});
