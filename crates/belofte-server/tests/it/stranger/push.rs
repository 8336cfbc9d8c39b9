// SPDX-License-Identifier: EUPL-1.2
//! How browsers are had told by everybody who might try.

use serde_json::{Value, json};

use super::{Body, Caller, World, id};
use crate::support::client::Client;

/// A push service where nobody listens.
pub(super) const CONFIGURATION: &str = "[push]\nservices = [\"localhost:9\"]\n";

impl World {
    fn browser(&self) -> Value {
        json!({ "endpoint": format!("https://localhost:9/browser-{}", self.unique()) })
    }

    /// The row and the body that `operation` is called with; `None` when it is none of these.
    pub(super) fn pushing(&self, operation: &str, caller: &Caller) -> Option<(String, Body)> {
        let of = |client: &Client, allowed: Option<bool>| {
            let now = client.get("/push").expect(200)["allowed"] == true;
            let wanted = allowed.unwrap_or(!now);
            if allowed.is_some() && now != wanted {
                client.patch("/push", json!({ "allowed": wanted })).expect(200);
            }
            wanted
        };
        let owner = self.server.admin();
        let admin = if caller.column == "other" { &self.other.admin } else { owner };
        Some(match operation {
            "GET /push" => (String::new(), Body::Nothing),
            // It is a change each time.
            "PATCH /push" => (String::new(), Body::Json(json!({ "allowed": of(admin, None) }))),
            "POST /push/devices" => {
                of(admin, Some(true));
                (String::new(), Body::Json(self.browser()))
            }
            "DELETE /push/devices/{id}" | "POST /push/devices/{id}/test" => {
                of(owner, Some(true));
                // Each has those of their own session; whoever is not the owner tries it with the owner's.
                let own = caller.client(&self.server);
                let client = if caller.column == "owner" { &own } else { owner };
                let row = id(&client.post("/push/devices", self.browser()).expect(201));
                let test = operation.starts_with("POST");
                (row, if test { Body::Json(json!({})) } else { Body::Nothing })
            }
            _ => return None,
        })
    }
}
