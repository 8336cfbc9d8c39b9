// SPDX-License-Identifier: EUPL-1.2
//! Signing in and out, one's own sessions and settings.

use serde_json::{Value, json};

use crate::support::client::Response;
use crate::support::server::{ADMIN, PASSWORD, Server, on_both_engines};

fn attempt(server: &Server, email: &str, password: &str) -> Response {
    server.stranger().post("/session", json!({ "email": email, "password": password }))
}

fn cookie(response: &Response) -> String {
    response.headers["set-cookie"].to_str().unwrap().to_owned()
}

on_both_engines!(a_session_begins_is_shown_and_ends, |engine| {
    let server = Server::start(engine);
    let browser = server.stranger();
    browser.get("/session").problem(401, "not_signed_in");

    let signed_in =
        browser.post("/session", json!({ "email": "Admin@Winkel.example", "password": PASSWORD }));
    let session = signed_in.expect(201);
    assert_eq!(session["user"]["email"], ADMIN);
    assert_eq!(session["user"]["role"], "admin");
    assert_eq!(session["tenant"]["name"], "winkel");
    let permissions = session["permissions"].as_array().unwrap();
    assert!(permissions.contains(&json!("manage_users")), "{permissions:?}");
    let set = cookie(&signed_in);
    assert!(set.starts_with("__Host-belofte="), "{set}");
    for word in ["HttpOnly", "Secure", "SameSite=Strict", "Path=/"] {
        assert!(set.contains(word), "{set}");
    }

    assert_eq!(browser.get("/session").expect(200)["user"], session["user"]);
    let ended = browser.delete("/session");
    ended.expect(204);
    assert!(cookie(&ended).contains("Max-Age=0"));
    browser.get("/session").problem(401, "not_signed_in");

    // The token is dead on the server, whatever a browser still holds.
    let token = set.split(';').next().unwrap().to_owned();
    server.stranger().with_header("cookie", &token).get("/session").problem(401, "not_signed_in");
});

on_both_engines!(wrong_passwords_and_unknown_accounts_are_one_answer_and_lock, |engine| {
    let server = Server::start(engine);
    let known = attempt(&server, ADMIN, "niet het wachtwoord").problem(401, "sign_in_failed");
    let unknown =
        attempt(&server, "niemand@winkel.example", "niet het wachtwoord").problem(401, "sign_in_failed");
    let words = |problem: &Value| (problem["title"].clone(), problem["detail"].clone());
    assert_eq!(words(&known), words(&unknown));
    attempt(&server, "geen adres", "niet het wachtwoord").fields(&["email: invalid"]);

    for email in [ADMIN, "niemand@winkel.example"] {
        for _ in 0..4 {
            attempt(&server, email, "niet het wachtwoord").problem(401, "sign_in_failed");
        }
        // Also with the right password now: otherwise guessing would go on behind the lock.
        let locked = attempt(&server, email, PASSWORD);
        let problem = locked.problem(429, "too_many_tries");
        let wait = problem["retry_after_s"].as_u64().unwrap();
        assert!((1..=30).contains(&wait), "{wait}");
        assert_eq!(locked.headers["retry-after"], wait.to_string());
    }
    // Another account is not kept out, and a session that holds goes on.
    server.admin().get("/session").expect(200);
    attempt(&server, "ander@winkel.example", "niet het wachtwoord").problem(401, "sign_in_failed");
});

on_both_engines!(one_network_does_not_guess_at_many_accounts, |engine| {
    let server = Server::start(engine);
    for number in 0..30 {
        attempt(&server, &format!("gok{number}@winkel.example"), "een gok of twee")
            .problem(401, "sign_in_failed");
    }
    attempt(&server, "gok30@winkel.example", "een gok of twee").problem(429, "too_many_tries");
});

// Promise D40.
on_both_engines!(a_thousand_tries_get_nowhere_while_a_colleague_signs_in_undisturbed, |engine| {
    let mut server = Server::start(engine);
    let agent = server.join("agent");
    let colleague =
        agent.get("/session").expect(200)["user"]["email"].as_str().expect("an address").to_owned();
    server.stop();
    server.boot_with(&[("BELOFTE__SERVER__TRUSTED_PROXIES", "127.0.0.0/8")]);
    let server = &server;
    // From eight networks: at the admin, again and again at some, and once at whoever may exist.
    let guess = |number: usize| {
        let email = match number % 4 {
            0 | 1 => ADMIN.to_owned(),
            2 => format!("gok{}@winkel.example", number % 60),
            _ => format!("gok{number}@winkel.example"),
        };
        let from = server.stranger().with_header("x-forwarded-for", &format!("198.51.{}.7", number % 8));
        from.post("/session", json!({ "email": email, "password": format!("een gok, de {number}e") }))
    };
    let counts = std::thread::scope(|scope| {
        let crowd: Vec<_> = (0..4)
            .map(|one| {
                let tries = one * 250..(one + 1) * 250;
                scope.spawn(move || tries.map(|number| guess(number).status.as_u16()).collect::<Vec<u16>>())
            })
            .collect();
        for _ in 0..20 {
            let browser = server.stranger().with_header("x-forwarded-for", "203.0.113.5");
            let session =
                browser.post("/session", json!({ "email": colleague, "password": PASSWORD })).expect(201);
            assert_eq!(session["user"]["email"], colleague.as_str());
            browser.get("/conversations").expect(200);
            server.admin().get("/session").expect(200);
        }
        crowd.into_iter().flat_map(|one| one.join().expect("no panic")).collect::<Vec<u16>>()
    });
    let told = |status: u16| counts.iter().filter(|one| **one == status).count();
    assert_eq!((counts.len(), told(401) + told(429)), (1_000, 1_000), "{counts:?}");
    // No network has more than 30 passwords looked at.
    assert!(told(401) <= 8 * 30, "{} were tried", told(401));
});

on_both_engines!(who_says_to_come_from_elsewhere_is_believed_only_behind_a_trusted_proxy, |engine| {
    let guess = |server: &Server, number: u8| {
        let from = server.stranger().with_header("x-forwarded-for", &format!("198.51.{number}.7"));
        from.post(
            "/session",
            json!({ "email": format!("gok{number}@winkel.example"), "password": "een gok of twee" }),
        )
    };
    let server = Server::start(engine);
    for number in 0..30 {
        guess(&server, number).problem(401, "sign_in_failed");
    }
    guess(&server, 30).problem(429, "too_many_tries");
    drop(server);
    let mut server = Server::start(engine);
    server.stop();
    server.boot_with(&[("BELOFTE__SERVER__TRUSTED_PROXIES", "127.0.0.0/8")]);
    let server = server;
    for number in 0..34 {
        guess(&server, number).problem(401, "sign_in_failed");
    }
    // One of them is counted by itself, however many proxies it invents before the real one.
    let forged = |number: u8| {
        let told = format!("203.0.113.{number}, 198.51.100.7");
        let from = server.stranger().with_header("x-forwarded-for", &told);
        from.post(
            "/session",
            json!({ "email": format!("nog{number}@winkel.example"), "password": "een gok of twee" }),
        )
    };
    for number in 0..30 {
        forged(number).problem(401, "sign_in_failed");
    }
    forged(30).problem(429, "too_many_tries");
});

on_both_engines!(an_address_in_two_organisations_chooses_only_with_the_password, |engine| {
    let server = Server::start(engine);
    let second = server.found_tenant("bakker");
    server.invite(&second.admin, json!({ "role": "agent" }), ADMIN);

    attempt(&server, ADMIN, "niet het wachtwoord").problem(401, "sign_in_failed");
    let choice = attempt(&server, ADMIN, PASSWORD).problem(409, "choose_organisation");
    let mut names: Vec<_> = choice["organisations"]
        .as_array()
        .unwrap()
        .iter()
        .map(|one| one["name"].as_str().unwrap().to_owned())
        .collect();
    names.sort();
    assert_eq!(names, ["bakker", "winkel"]);
    let chosen = json!({ "email": ADMIN, "password": PASSWORD, "organisation_id": second.id });
    let session = server.stranger().post("/session", chosen).expect(201);
    assert_eq!((&session["tenant"]["name"], &session["user"]["role"]), (&json!("bakker"), &json!("agent")));
    let elsewhere = json!({ "email": ADMIN, "password": PASSWORD, "organisation_id": uuid::Uuid::nil() });
    server.stranger().post("/session", elsewhere).problem(401, "sign_in_failed");
});

on_both_engines!(other_sites_cannot_send_requests, |engine| {
    let server = Server::start(engine);
    let forged = server.admin().with_header("x-belofte", "");
    forged.post("/invitations", json!({ "role": "admin" })).problem(403, "forbidden");
    forged.patch("/me", json!({ "name": "Iemand Anders" })).problem(403, "forbidden");
    forged.delete("/session").problem(403, "forbidden");
    forged.get("/session").expect(200);
});

on_both_engines!(sessions_are_listed_and_ended_one_by_one, |engine| {
    let server = Server::start(engine);
    let agent = server.join("agent");
    let email = agent.get("/session").expect(200)["user"]["email"].as_str().unwrap().to_owned();
    let long = "x".repeat(1_000);
    let phone = server.stranger().with_header("user-agent", &long);
    phone.post("/session", json!({ "email": email, "password": PASSWORD })).expect(201);

    let sessions = agent.get("/sessions").expect(200)["items"].as_array().unwrap().clone();
    assert_eq!(sessions.len(), 2);
    let other = sessions.iter().find(|session| session["current"] == false).unwrap();
    assert_eq!(other["user_agent"].as_str().unwrap().len(), 200);
    let path = format!("/sessions/{}", other["id"].as_str().unwrap());
    server.admin().delete(&path).problem(404, "not_found");
    agent.delete(&path).expect(204);
    agent.delete(&path).problem(404, "not_found");
    phone.get("/session").problem(401, "not_signed_in");
    agent.get("/session").expect(200);
});

on_both_engines!(settings_are_kept_and_decide_the_language_of_problems, |engine| {
    let server = Server::start(engine);
    let agent = server.join("agent").with_header("accept-language", "en");
    let changed = agent.patch(
        "/me",
        json!({ "name": " Noor ", "language": "nl", "colour_scheme": "dark", "single_key_shortcuts": false }),
    );
    let user = changed.expect(200);
    assert_eq!(user["name"], "Noor");
    assert_eq!(agent.get("/session").expect(200)["user"], user);
    agent.patch("/me", json!({ "name": "  " })).fields(&["name: required"]);
    agent.patch("/me", json!({ "role": "admin" })).fields(&["role: unknown"]);

    let refused = agent.get("/invitations");
    refused.problem(403, "forbidden");
    assert_eq!(refused.headers["content-language"], "nl");
    agent.patch("/me", json!({ "language": "en" })).expect(200);
    assert_eq!(agent.get("/invitations").headers["content-language"], "en");
});

on_both_engines!(a_password_is_changed_with_the_current_one, |engine| {
    let server = Server::start(engine);
    let agent = server.join("agent");
    let email = agent.get("/session").expect(200)["user"]["email"].as_str().unwrap().to_owned();
    let elsewhere = server.sign_in(&email);
    let change =
        |current: &str, new: &str| agent.post("/me/password", json!({ "current": current, "new": new }));

    change(PASSWORD, "te kort").fields(&["new: too_short"]);
    change(PASSWORD, &email.to_uppercase()).fields(&["new: invalid"]);
    change("niet het wachtwoord", "een heel nieuw wachtwoord").problem(401, "sign_in_failed");
    elsewhere.get("/session").expect(200);

    let keyed = agent.with_header("idempotency-key", "wissel-1");
    let body = json!({ "current": PASSWORD, "new": "een heel nieuw wachtwoord" });
    for _ in 0..2 {
        let changed = keyed.post("/me/password", body.clone());
        changed.expect(204);
        assert!(changed.body.is_empty());
    }
    agent.get("/session").expect(200);
    elsewhere.get("/session").problem(401, "not_signed_in");
    attempt(&server, &email, PASSWORD).problem(401, "sign_in_failed");
    attempt(&server, &email, "een heel nieuw wachtwoord").expect(201);
});
