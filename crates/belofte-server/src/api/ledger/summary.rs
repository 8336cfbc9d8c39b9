// SPDX-License-Identifier: EUPL-1.2
//! Entries of the ledger in words: a sentence of the catalogue with what to fill in.

use std::collections::{BTreeMap, HashMap};

use belofte_ledger::Entry;
use belofte_model::{Actor, ApiKeyId, ChannelAccountId, LedgerKind, UserId};
use belofte_store::Access;
use serde_json::Value;

use super::{LedgerEntry, Summary};
use crate::api::conversations::{ActivityActor, ActorKind};
use crate::api::names::programs;
use crate::app::App;
use crate::http;

/// The names that entries refer to by id.
pub struct Tellers {
    users: HashMap<UserId, String>,
    programs: HashMap<ApiKeyId, String>,
    accounts: HashMap<ChannelAccountId, String>,
}

impl Tellers {
    /// Fetches the names of the tenant of `access`.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn fetch(app: &App, access: &Access) -> http::Answer<Self> {
        let store = &app.core.store;
        let users = store.users(access).await?;
        let accounts = store.channel_accounts(access).await?;
        Ok(Self {
            users: users.into_iter().map(|user| (user.id, user.name.into_inner())).collect(),
            programs: programs(app, access).await?,
            accounts: accounts.into_iter().map(|account| (account.id, account.address.as_sent())).collect(),
        })
    }

    /// `entry` as the desk shows it; `None` for a number beyond what JSON numbers hold.
    #[must_use]
    pub fn tell(&self, entry: &Entry) -> Option<LedgerEntry> {
        Some(LedgerEntry {
            no: i64::try_from(entry.no).ok()?,
            at: entry.at.into(),
            kind: entry.kind,
            actor: self.actor(entry.actor),
            summary: self.summary(entry),
        })
    }

    fn actor(&self, actor: Actor) -> ActivityActor {
        let (kind, name) = match actor {
            Actor::User(id) => (ActorKind::User, self.users.get(&id)),
            Actor::ApiKey(id) => (ActorKind::ApiKey, self.programs.get(&id)),
            Actor::Channel(id) => (ActorKind::Contact, self.accounts.get(&id)),
            Actor::Operator(_) => (ActorKind::Operator, None),
            Actor::Job(_) | Actor::System => (ActorKind::System, None),
        };
        ActivityActor { kind, name: name.cloned().unwrap_or_default() }
    }

    fn summary(&self, entry: &Entry) -> Summary {
        let detail = entry.detail.value();
        let text = |name: &str| detail[name].as_str().unwrap_or_default();
        let (what, act) = (text("what"), text("act"));
        let code = match (entry.kind, what, act) {
            (LedgerKind::SignIn, _, "signed_out") => "signed_out",
            (LedgerKind::SignIn, ..) if text("outcome") == "refused" => "sign_in_failed",
            (LedgerKind::SignIn, ..) if text("outcome") == "asked" => "sign_in_asked",
            (LedgerKind::SignIn, ..) => "sign_in",
            (LedgerKind::Views, ..) => "views",
            (LedgerKind::Keys, _, "rotated") => "key_rotated",
            (LedgerKind::Keys, ..) => "keys",
            // Of before they were instructions: those without `what`.
            (LedgerKind::Membership, _, "invited") | (_, "invitation", "created") => "invited",
            (LedgerKind::Membership, _, "invitation_revoked") | (_, "invitation", "revoked") => {
                "invitation_revoked"
            }
            (LedgerKind::Membership, _, "joined") => "joined",
            (LedgerKind::Membership, _, "changed") => "user_changed",
            (LedgerKind::Membership, _, "preferences") => "preferences",
            (LedgerKind::Membership, _, "password_changed") => "password_changed",
            (LedgerKind::Membership, _, "second_factor_on") => "second_factor_on",
            (LedgerKind::Membership, _, "second_factor_off") => "second_factor_off",
            (LedgerKind::Membership, _, "recovery_codes_renewed") => "recovery_codes_renewed",
            (LedgerKind::Instruction, "second_factor", _) => "second_factor_reset",
            (LedgerKind::Instruction, "second_factor_rule", _) => "second_factor_rule",
            (LedgerKind::Membership, _, "push_device_added") => "push_device_added",
            (LedgerKind::Membership, _, "push_device_removed") => "push_device_removed",
            (LedgerKind::Instruction, "browser_push", _) => {
                if detail["after"]["allowed"] == true {
                    "push_allowed"
                } else {
                    "push_forbidden"
                }
            }
            (LedgerKind::Instruction, "user", "changed") => {
                let duty = |when: &str| detail[when]["privacy_officer"] == true;
                match (duty("before"), duty("after")) {
                    (false, true) => "privacy_officer_given",
                    (true, false) => "privacy_officer_taken",
                    _ => "user_changed",
                }
            }
            (LedgerKind::Instruction, "channel_account", "created") => "channel_account_created",
            (LedgerKind::Instruction, "channel_account", "changed") => "channel_account_changed",
            (LedgerKind::Instruction, "channel_account", "removed") => "channel_account_removed",
            (LedgerKind::Instruction, "channel_account", "authorised") => "channel_account_authorised",
            (LedgerKind::Instruction, "channel_account", "authorisation_forgotten") => {
                "channel_account_authorisation_forgotten"
            }
            (LedgerKind::Instruction, "signing_key", "created") => "signing_key_created",
            (LedgerKind::Instruction, "signing_key", "began") => "signing_key_began",
            (LedgerKind::Instruction, "signing_key", "withdrawn") => "signing_key_withdrawn",
            (LedgerKind::Instruction, "api_key", "created") => "api_key_created",
            (LedgerKind::Instruction, "api_key", "revoked") => "api_key_revoked",
            (LedgerKind::Instruction, "tag", "created") => "tag_created",
            (LedgerKind::Instruction, "tag", "changed") => "tag_changed",
            (LedgerKind::Instruction, "tag", "merged") => "tag_merged",
            (LedgerKind::Instruction, "queue", "created") => "queue_created",
            (LedgerKind::Instruction, "queue", "changed") => "queue_changed",
            (LedgerKind::Instruction, "queue", "ordered") => "queues_ordered",
            (LedgerKind::Instruction, "queue", "hours") => "queue_hours",
            (LedgerKind::Instruction, "queue", "archived") => "queue_archived",
            (LedgerKind::Instruction, "queue", "restored") => "queue_restored",
            (LedgerKind::Instruction, "field", "created") => "field_created",
            (LedgerKind::Instruction, "field", "changed") => "field_changed",
            (LedgerKind::Instruction, "field", "ordered") => "fields_ordered",
            (LedgerKind::Instruction, "field", "removed") => "field_removed",
            (LedgerKind::Instruction, "team", "created") => "team_created",
            (LedgerKind::Instruction, "team", "changed") => "team_changed",
            (LedgerKind::Instruction, "saved_view", "created") => "saved_view_created",
            (LedgerKind::Instruction, "saved_view", "changed") => "saved_view_changed",
            (LedgerKind::Instruction, "saved_view", "removed") => "saved_view_removed",
            (LedgerKind::Instruction, "macro", "created") => "macro_created",
            (LedgerKind::Instruction, "macro", "changed") => "macro_changed",
            (LedgerKind::Instruction, "macro", "removed") => "macro_removed",
            // An act that a newer version wrote: its kind is all there is to say.
            (LedgerKind::Membership, ..) => "membership",
            (LedgerKind::Instruction, ..) => "instruction",
        };
        Summary { code: code.to_owned(), params: self.params(entry.kind, detail, what) }
    }

    fn params(&self, kind: LedgerKind, detail: &Value, what: &str) -> BTreeMap<String, String> {
        let mut params = BTreeMap::new();
        let mut fill = |name: &str, value: Option<String>| {
            if let Some(value) = value {
                params.insert(name.to_owned(), value);
            }
        };
        let text = |value: &Value| value.as_str().map(str::to_owned);
        match kind {
            LedgerKind::Views => {
                let views = detail["views"].as_array().map_or(0, Vec::len);
                fill("count", Some(views.to_string()));
            }
            LedgerKind::SignIn | LedgerKind::Membership | LedgerKind::Instruction
                if !matches!(
                    what,
                    "channel_account"
                        | "signing_key"
                        | "api_key"
                        | "tag"
                        | "queue"
                        | "team"
                        | "field"
                        | "saved_view"
                        | "macro"
                ) =>
            {
                let user = serde_json::from_value::<UserId>(detail["user"].clone()).ok();
                // A user of a store that was restored to an earlier day may not be there.
                let name = user.map(|id| self.users.get(&id).cloned().unwrap_or_else(|| id.to_string()));
                fill("name", name);
                fill("role", text(&detail["role"]).or_else(|| text(&detail["after"]["role"])));
            }
            LedgerKind::Instruction if what == "channel_account" => {
                let id = serde_json::from_value::<ChannelAccountId>(detail["id"].clone()).ok();
                let known = id.and_then(|id| self.accounts.get(&id).cloned());
                // Entries of before had no `before` and `after`.
                let settings = [&detail["after"]["settings"], &detail["settings"]];
                let address = settings.into_iter().find_map(|settings| text(&settings["address"]));
                fill("address", address.or(known));
            }
            LedgerKind::Instruction if what == "signing_key" => {
                fill("domain", text(&detail["domain"]));
                fill("selector", text(&detail["selector"]));
            }
            LedgerKind::SignIn | LedgerKind::Membership | LedgerKind::Instruction => {
                fill("name", text(&detail["name"]));
                fill("into", text(&detail["into"]));
            }
            LedgerKind::Keys => fill("epoch", detail["epoch"].as_i64().map(|epoch| epoch.to_string())),
        }
        params
    }
}
