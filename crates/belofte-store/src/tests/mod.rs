// SPDX-License-Identifier: EUPL-1.2
//! Tests of the stores beneath the nouns (order of commits, kill -9, both engines), and of the
//! nouns, each on both engines.

mod api_keys;
mod authorisations;
mod bulk;
mod channel_accounts;
mod conformance;
mod conversations;
mod deliveries;
mod desk;
mod drafts;
mod four_stores;
mod groups;
mod house;
mod idempotency;
mod invitations;
mod key_backups;
mod ledger_export;
mod macros;
mod mail_accounting;
mod mail_authentication;
mod mail_rows;
mod merged_drafts;
mod merges;
mod messages;
mod notifications;
mod place;
mod proofs;
mod purposes;
mod push;
mod queue_archives;
mod queues;
mod retrievals;
mod saved_views;
mod search;
mod second_factor;
mod sessions;
mod sign_in;
mod signing_keys;
mod snooze;
mod tags;
mod teams;
mod tenants;
mod together;
mod upgrade;
mod upkeep;
mod users;
mod views;
mod visible;
mod visible_changes;
mod withdrawals;
mod work_of_a_team;
mod writing;

pub(crate) use place::{access, places};
