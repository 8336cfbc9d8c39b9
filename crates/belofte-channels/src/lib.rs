// SPDX-License-Identifier: EUPL-1.2
//! Text channels with sockets: mail comes in over SMTP and LMTP, answers go out by submission.
//!
//! What this crate does *not* know: SQL, keys, HTTP status codes, screens. It turns what a
//! peer says into calls of the intake and turns a stored answer into a conversation with the
//! tenant's mail server. The protocols are state machines without sockets: bytes and time go
//! in, bytes and requests come out; thin drivers connect them to the network.
//!
//! Every connection to the outside is made by [`outbound::Outbound`].

pub mod dns;
pub mod email;
pub mod images;
pub mod network;
pub mod outbound;
mod patience;
pub mod push;
pub mod rate;
pub mod scanner;
pub mod web;
