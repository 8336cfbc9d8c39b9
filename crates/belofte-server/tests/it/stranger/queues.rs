// SPDX-License-Identifier: EUPL-1.2
//! How the operations of queues and teams are called for the table of the stranger.

use serde_json::{Value, json};

use super::{Body, World, id};

impl World {
    /// The row and the body that `operation` is called with, each with a queue of its own, since it is archived once;
    /// `None` when it is none of these.
    pub(super) fn queues(&self, operation: &str) -> Option<(String, Body)> {
        let owner = self.server.admin();
        let name = json!({ "name": format!("queue {}", self.unique()) });
        let made = || id(&owner.post("/queues", name.clone()).expect(201));
        let team = || id(&owner.post("/teams", json!({ "name": "team" })).expect(201));
        Some(match operation {
            "GET /queues" => (String::new(), Body::Nothing),
            "POST /queues" => (String::new(), Body::Json(name)),
            "POST /queues/order" => {
                let all = owner.get("/queues").expect(200);
                let all = all["items"].as_array().expect("items").iter();
                let ids: Vec<Value> = all.map(|one| one["id"].clone()).collect();
                (String::new(), Body::Json(json!({ "ids": ids })))
            }
            "GET /queues/{id}" => (made(), Body::Nothing),
            "PATCH /queues/{id}" => (made(), Body::Json(json!({ "description": "van ons" }))),
            "PATCH /queues/{id}/hours" => {
                let week: Vec<[Value; 0]> = (0..7).map(|_| []).collect();
                (made(), Body::Json(json!({ "hours": { "week": week } })))
            }
            "POST /queues/{id}/archive" => (made(), Body::Json(json!({}))),
            "POST /queues/{id}/restore" => {
                let queue = made();
                owner.post(&format!("/queues/{queue}/archive"), json!({})).expect(200);
                (queue, Body::Nothing)
            }
            "GET /teams" => (String::new(), Body::Nothing),
            "POST /teams" => (String::new(), Body::Json(json!({ "name": "team" }))),
            "GET /teams/{id}" => (team(), Body::Nothing),
            "PATCH /teams/{id}" => (team(), Body::Json(json!({ "archived": true }))),
            _ => return None,
        })
    }
}
