// SPDX-License-Identifier: EUPL-1.2
//! How everybody who might try asks what they are told of.

use serde_json::json;

use super::{Body, World};

impl World {
    /// The row and the body that `operation` is called with; `None` when it is none of these.
    pub(super) fn notifications(&self, operation: &str) -> Option<(String, Body)> {
        let case = self.conversation.clone();
        Some(match operation {
            "GET /conversations/{id}/mentionable" => (case, Body::Nothing),
            "GET /notifications" | "GET /me/notifications" => (String::new(), Body::Nothing),
            "PATCH /notifications" => {
                (String::new(), Body::Json(json!({ "read": true, "conversation_id": case })))
            }
            "PATCH /me/notifications" => {
                let item = json!({ "kind": "mentioned", "desk": true, "push": false });
                (String::new(), Body::Json(json!({ "items": [item] })))
            }
            _ => return None,
        })
    }
}
