// SPDX-License-Identifier: EUPL-1.2
//! How the operations of the tenant's own fields are called for the table of the stranger.

use serde_json::{Value, json};

use super::{Body, World, id};

/// A field that everybody reads and writes.
fn field(record: &str, label: &str) -> Value {
    let all = json!(["agent", "supervisor", "admin", "program"]);
    json!({ "record": record, "settings": {
        "kind": "text", "label": { "nl": label }, "purpose": "Terugvinden", "sensitivity": "ordinary",
        "readers": all, "writers": all,
    } })
}

impl World {
    /// The row and the body that `operation` is called with, each with a field of its own; `None` when it is none of
    /// these.
    pub(super) fn fields(&self, operation: &str) -> Option<(String, Body)> {
        let owner = self.server.admin();
        let wanted = |record| field(record, &format!("veld {}", self.unique()));
        let made = |record| id(&owner.post("/fields", wanted(record)).expect(201));
        let archived = || {
            let row = made("contact");
            owner.patch(&format!("/fields/{row}"), json!({ "archived": true })).expect(200);
            row
        };
        let value = |field: &str| json!({ "values": [{ "field_id": field, "value": "zeven" }] });
        Some(match operation {
            "GET /fields" => (String::new(), Body::Nothing),
            "POST /fields" => (String::new(), Body::Json(wanted("contact"))),
            "POST /fields/order" => {
                let all = owner.get("/fields").expect(200);
                let of_case =
                    |one: &&Value| one["record"] == "conversation" && one["archived"] == Value::Bool(false);
                let ids: Vec<Value> = all["items"]
                    .as_array()
                    .expect("items")
                    .iter()
                    .filter(of_case)
                    .map(|one| one["id"].clone())
                    .collect();
                (String::new(), Body::Json(json!({ "record": "conversation", "ids": ids })))
            }
            "PATCH /fields/{id}" => (made("contact"), Body::Json(json!({ "archived": true }))),
            "DELETE /fields/{id}" => (archived(), Body::Nothing),
            "POST /fields/{id}/preview" => {
                let row = made("contact");
                owner.patch(&format!("/contacts/{}/fields", self.contact), value(&row)).expect(200);
                (row, Body::Json(json!({ "kind": "integer" })))
            }
            "GET /fields/readable" => (String::new(), Body::Nothing),
            "GET /contacts/{id}/fields" => (self.contact.clone(), Body::Nothing),
            "PATCH /contacts/{id}/fields" => (self.contact.clone(), Body::Json(value(&made("contact")))),
            "GET /conversations/{id}/fields" => (self.conversation.clone(), Body::Nothing),
            "PATCH /conversations/{id}/fields" => {
                (self.conversation.clone(), Body::Json(value(&made("conversation"))))
            }
            _ => return None,
        })
    }
}
