// SPDX-License-Identifier: EUPL-1.2
//! How the operations of macros are called for the table of the stranger.

use serde_json::json;

use super::{Body, World, id};

impl World {
    /// The row and the body that `operation` is called with; `None` when it is none of these.
    pub(super) fn macros(&self, operation: &str) -> Option<(String, Body)> {
        let shared = json!({ "name": "van ons", "shared": true, "actions": { "status": "resolved" } });
        let made = || id(&self.server.admin().post("/macros", shared.clone()).expect(201));
        Some(match operation {
            "GET /macros" => (String::new(), Body::Nothing),
            "POST /macros" => {
                let own = json!({ "name": "van mij", "texts": { "nl": { "text": "Dag" } } });
                (String::new(), Body::Json(own))
            }
            "GET /macros/{id}" | "DELETE /macros/{id}" => (made(), Body::Nothing),
            "PATCH /macros/{id}" => (made(), Body::Json(shared)),
            "POST /conversations/{id}/macro" => {
                let used = json!({ "macro_id": made(), "macro_version": 1 });
                (self.conversation.clone(), Body::Json(used))
            }
            _ => return None,
        })
    }
}
