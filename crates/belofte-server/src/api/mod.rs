// SPDX-License-Identifier: EUPL-1.2
//! The API: one folder per noun, one file per endpoint.
//!
//! What this module does *not* know: SQL, keys, sockets. An endpoint reads a request, asks the
//! store or a verb of the core, and writes an answer.

pub mod api_keys;
pub mod attachments;
pub mod authorisations;
pub mod channel_accounts;
pub mod contacts;
pub mod conversations;
pub mod cursor;
pub mod dead_letters;
pub mod drafts;
pub mod fields;
pub mod invitations;
pub mod ledger;
pub mod live;
pub mod macros;
pub mod me;
pub mod messages;
pub mod names;
pub mod notifications;
pub mod openapi;
pub mod operation;
pub mod operator;
pub mod push;
pub mod quarantine;
pub mod queues;
pub mod saved_views;
pub mod schema;
pub mod search;
pub mod second_factor;
pub mod serde_help;
pub mod session;
pub mod sessions;
pub mod signing_keys;
pub mod tags;
pub mod teams;
pub mod time;
pub mod users;

use axum::Router;

use crate::app::App;
use operation::Operation;

/// Every endpoint, noun by noun.
pub fn operations() -> impl Iterator<Item = &'static Operation> {
    [
        session::OPERATIONS,
        sessions::OPERATIONS,
        me::OPERATIONS,
        second_factor::OPERATIONS,
        push::OPERATIONS,
        users::OPERATIONS,
        invitations::OPERATIONS,
        api_keys::OPERATIONS,
        conversations::OPERATIONS,
        drafts::OPERATIONS,
        messages::OPERATIONS,
        notifications::OPERATIONS,
        attachments::OPERATIONS,
        contacts::OPERATIONS,
        fields::OPERATIONS,
        search::OPERATIONS,
        queues::OPERATIONS,
        teams::OPERATIONS,
        tags::OPERATIONS,
        saved_views::OPERATIONS,
        macros::OPERATIONS,
        channel_accounts::OPERATIONS,
        authorisations::OPERATIONS,
        signing_keys::OPERATIONS,
        quarantine::OPERATIONS,
        dead_letters::OPERATIONS,
        ledger::OPERATIONS,
        live::OPERATIONS,
        operator::OPERATIONS,
    ]
    .into_iter()
    .flatten()
}

/// Every endpoint with its handler, noun by noun.
pub fn router() -> Router<App> {
    let mut router = Router::new();
    for mount in [
        session::mount,
        sessions::mount,
        me::mount,
        second_factor::mount,
        push::mount,
        users::mount,
        invitations::mount,
        api_keys::mount,
        conversations::mount,
        drafts::mount,
        messages::mount,
        notifications::mount,
        attachments::mount,
        contacts::mount,
        fields::mount,
        search::mount,
        queues::mount,
        teams::mount,
        tags::mount,
        saved_views::mount,
        macros::mount,
        channel_accounts::mount,
        authorisations::mount,
        signing_keys::mount,
        quarantine::mount,
        dead_letters::mount,
        ledger::mount,
        operator::mount,
        live::mount,
    ] {
        router = mount(router);
    }
    router
}
