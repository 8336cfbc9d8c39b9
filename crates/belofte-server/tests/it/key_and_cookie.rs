// SPDX-License-Identifier: EUPL-1.2
//! Who comes with a key and a cookie is who the key says, and has no more rights than that.

use serde_json::json;

use super::stranger::{OPERATOR, soon};
use crate::support::server::{ADMIN, PASSWORD, Server, on_both_engines};

on_both_engines!(a_key_and_a_cookie_never_add_up, |engine| {
    let server = Server::start(engine);
    let owner = server.admin();
    let wanted = json!({ "name": "leest", "scope": "read", "expires_at": soon() });
    let made = owner.post("/api-keys", wanted).expect(201);
    let key = made["key"].as_str().expect("a key");
    let cookie = owner.cookie_header().expect("signed in");
    let both = server.stranger().with_key(key).with_header("cookie", &cookie);
    // The key decides, whatever the cookie could do.
    both.get("/conversations").expect(200);
    both.get("/api-keys").problem(403, "forbidden");
    both.get("/session").problem(403, "forbidden");
    both.post("/invitations", json!({ "role": "admin" })).problem(403, "forbidden");
    // A wrong key is not made good by a cookie.
    let wrong = server.stranger().with_key("blt_wrong").with_header("cookie", &cookie);
    wrong.get("/session").problem(401, "not_signed_in");
    wrong.delete("/session").problem(401, "not_signed_in");
    owner.get("/session").expect(200);
    // Another scheme is no key: the cookie counts, and needs what cookies need.
    let basic = server.stranger().with_header("cookie", &cookie).with_header("authorization", "Basic YTpi");
    basic.get("/session").expect(200);
    basic.with_header("x-belofte", "").patch("/me", json!({})).problem(403, "forbidden");

    // The same between a key and an operator's cookie.
    server.make_operator(OPERATOR);
    let operator = server.stranger();
    operator.post("/operator/session", json!({ "email": OPERATOR, "password": PASSWORD })).expect(201);
    let cookie = operator.cookie_header().expect("signed in");
    let mixed = server.stranger().with_key(key).with_header("cookie", &cookie);
    mixed.get("/operator/tenants").problem(401, "not_signed_in");
    // An operator user is no user: not with the cookie, not with the password.
    operator.get("/conversations").problem(401, "not_signed_in");
    server
        .stranger()
        .post("/session", json!({ "email": OPERATOR, "password": PASSWORD }))
        .problem(401, "sign_in_failed");
    server
        .stranger()
        .post("/operator/session", json!({ "email": ADMIN, "password": PASSWORD }))
        .problem(401, "sign_in_failed");
});
