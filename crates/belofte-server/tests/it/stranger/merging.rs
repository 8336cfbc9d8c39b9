// SPDX-License-Identifier: EUPL-1.2
//! How conversations are merged, split and linked by everybody who might try.

use serde_json::{Value, json};

use super::{Body, World, id};

impl World {
    /// Another conversation of the first tenant.
    fn another(&self) -> String {
        let mail = json!({
            "account_id": self.account, "to": ["els@klant.example"], "attachment_ids": [],
            "subject": format!("Afspraak {}", self.unique()), "text": "Komt dinsdag u uit?",
        });
        let made = self.server.admin().post("/conversations", mail).expect(201);
        made["conversation_id"].as_str().expect("an id").to_owned()
    }

    /// The second conversation and the mail that it began with, which lies in it, or with `apart` in one of
    /// its own, which is given too.
    fn split(&self, apart: bool) -> (String, String, Option<String>) {
        let owner = self.server.admin();
        let all = owner.get("/conversations?status=all&limit=100").expect(200);
        let all = all["items"].as_array().expect("items");
        let of = |subject: &str| all.iter().find(|row| row["subject"] == subject).map(id);
        if let Some(row) = of("los") {
            owner.post(&format!("/conversations/{row}/unsplit"), Value::Null).expect(200);
        }
        let from = of("tweede vraag").expect("the second conversation");
        let messages = owner.get(&format!("/conversations/{from}/messages")).expect(200);
        let mail = id(&messages["items"][0]);
        let asked = json!({ "message_ids": [mail], "subject": "los" });
        let split = format!("/conversations/{from}/split");
        let made = apart.then(|| id(&owner.post(&split, asked).expect(201)));
        (from, mail, made)
    }

    /// The row and the body that `operation` is called with; `None` when it is none of these.
    pub(super) fn merging(&self, operation: &str) -> Option<(String, Body)> {
        let owner = self.server.admin();
        let others = |ids: &[&str]| json!({ "conversation_ids": ids, "other_contacts": true });
        Some(match operation {
            "GET /conversations/{id}/related" => (self.conversation.clone(), Body::Nothing),
            "POST /conversations/{id}/merge" => {
                (self.another(), Body::Json(others(&[self.another().as_str()])))
            }
            "POST /conversations/{id}/unmerge" => {
                let (one, two) = (self.another(), self.another());
                owner.post(&format!("/conversations/{one}/merge"), others(&[two.as_str()])).expect(200);
                (one, Body::Json(json!({ "conversation_ids": [two] })))
            }
            "POST /conversations/{id}/split" => {
                let (from, mail, _) = self.split(false);
                (from, Body::Json(json!({ "message_ids": [mail], "subject": "los" })))
            }
            "POST /conversations/{id}/unsplit" => {
                (self.split(true).2.expect("one of its own"), Body::Nothing)
            }
            "POST /conversations/{id}/links" => {
                let link = json!({ "conversation_id": self.another(), "linked": true });
                (self.conversation.clone(), Body::Json(link))
            }
            _ => return None,
        })
    }
}
