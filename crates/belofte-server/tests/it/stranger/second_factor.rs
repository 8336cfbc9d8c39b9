// SPDX-License-Identifier: EUPL-1.2
//! How everybody who might try sets second factors up, shows them and takes them away.

use serde_json::{Value, json};

use super::{Body, Caller, World, id};
use crate::support::authenticator::{Authenticator, enrol};
use crate::support::client::Client;
use crate::support::server::PASSWORD;

/// The second factor of a caller.
pub struct Held {
    app: Authenticator,
    recovery: Vec<String>,
}

impl Held {
    /// A code that holds; one of the app while that needs no waiting.
    fn code(&mut self) -> String {
        if self.app.is_ready() {
            self.app.next()
        } else {
            self.recovery.pop().unwrap_or_else(|| self.app.next())
        }
    }
}

impl World {
    /// What follows when somebody joins the tenant of `admin` in a `role` of which a second factor is asked.
    pub fn asked(&self, admin: &Client, role: &str) -> Value {
        admin.patch("/second-factor-rule", json!({ role: true })).expect(200);
        let made = admin.post("/invitations", json!({ "role": role })).expect(201);
        let (_, token) = made["link"].as_str().expect("a link").split_once('#').expect("a token");
        let body = json!({
            "token": token, "name": "Nieuw", "password": PASSWORD, "language": "nl",
            "email": format!("gevraagd{}@bakker.example", self.unique()),
        });
        self.server.stranger().post("/invitations/accept", body).expect(202)
    }

    /// The body that goes on from `step`, in which a second factor is set up.
    pub fn set_up(&self, step: &Value, confirm: bool) -> Body {
        let named = json!({ "step": step["step"] });
        if !confirm {
            return Body::Json(named);
        }
        let secret = self.server.stranger().post("/session/second-factor", named).expect(200);
        Body::Json(json!({ "step": step["step"], "code": Authenticator::reads(&secret).next() }))
    }

    /// Somebody with a second factor, with the address that they sign in with.
    fn protected(&self) -> (Client, String, Vec<String>) {
        let email = format!("beschermd{}@winkel.example", self.unique());
        let client = self.server.invite(self.server.admin(), json!({ "role": "agent" }), &email);
        let (_, recovery) = enrol(&client);
        (client, email, recovery)
    }

    /// The row and the body that `operation` is called with; `None` when it is none of these.
    pub(super) fn second_factors(&self, operation: &str, caller: &Caller) -> Option<(String, Body)> {
        let none = String::new();
        Some(match operation {
            "POST /session/code" => {
                // Ten sign-ins for each user who was made for it.
                let (email, code) = {
                    let mut spare = self.spare.borrow_mut();
                    if spare.1.is_empty() {
                        let (_, email, recovery) = self.protected();
                        *spare = (email, recovery);
                    }
                    (spare.0.clone(), spare.1.pop())
                };
                let body = json!({ "email": email, "password": PASSWORD });
                let step = self.server.stranger().post("/session", body).expect(202);
                (none, Body::Json(json!({ "step": step["step"], "code": code })))
            }
            "POST /session/second-factor" | "POST /session/second-factor/confirm" => {
                let step = self.asked(&self.other.admin, "agent");
                (none, self.set_up(&step, operation.ends_with("confirm")))
            }
            "DELETE /users/{id}/second-factor" => {
                // Who succeeds uses it up; the rest try it with somebody who has none.
                let row = if matches!(caller.column, "owner" | "admin") {
                    let (client, ..) = self.protected();
                    id(&client.get("/session").expect(200)["user"])
                } else {
                    self.user.clone()
                };
                (row, Body::Nothing)
            }
            "GET /second-factor-rule" | "GET /me/second-factor" => (none, Body::Nothing),
            // What each role is asked stays: it would end the sessions of who calls next.
            "PATCH /second-factor-rule" | "POST /me/second-factor/reset-seen" => {
                (none, Body::Json(json!({})))
            }
            "POST /me/second-factor"
            | "POST /me/second-factor/confirm"
            | "POST /me/second-factor/recovery-codes"
            | "POST /me/second-factor/remove" => (none, Body::Json(self.own(operation, caller))),
            _ => return None,
        })
    }

    /// What a caller says about their own, which is there or not as `operation` needs it.
    fn own(&self, operation: &str, caller: &Caller) -> Value {
        let user = caller.email.as_ref().filter(|_| caller.column != "operator");
        let Some(email) = user else { return json!({ "password": PASSWORD, "code": "123456" }) };
        let (client, mut all) = (caller.client(&self.server), self.held.borrow_mut());
        let there = client.get("/me/second-factor").expect(200)["since"].is_string();
        let wanted = operation.ends_with("recovery-codes") || operation.ends_with("remove");
        if there && !wanted {
            let code = all.get_mut(email).expect("it was set up here").code();
            let body = json!({ "password": PASSWORD, "code": code });
            client.post("/me/second-factor/remove", body).expect(204);
        }
        if !there && wanted {
            let (app, recovery) = enrol(&client);
            all.insert(email.clone(), Held { app, recovery });
        }
        match operation {
            "POST /me/second-factor" => json!({}),
            "POST /me/second-factor/confirm" => {
                let secret = client.post("/me/second-factor", json!({})).expect(200);
                let mut held = Held { app: Authenticator::reads(&secret), recovery: Vec::new() };
                let code = held.code();
                all.insert(email.clone(), held);
                json!({ "password": PASSWORD, "code": code })
            }
            _ => {
                let code = all.get_mut(email).expect("it was set up here").code();
                json!({ "password": PASSWORD, "code": code })
            }
        }
    }
}
