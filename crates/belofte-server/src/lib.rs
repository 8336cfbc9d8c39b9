// SPDX-License-Identifier: EUPL-1.2
//! The server of Belofte: HTTP API, WebSocket, sign-in, configuration, command line, worker and
//! the composition of everything else into one program.
//!
//! What this crate does *not* know: SQL, ciphers, the syntax of mail. It is the only one that
//! knows HTTP status codes.

pub mod api;
pub mod app;
pub mod cli;
pub mod config;
pub mod desk;
pub mod house;
pub mod http;
mod keeper;
pub mod lifecycle;
mod node;
pub mod observability;
pub mod passwords;
mod private;
mod restored;
mod root_change;
mod tar;
mod worker;
