// SPDX-License-Identifier: EUPL-1.2
//! The one integration binary: the server against real peers.
//!
//! One file per noun, beside the peers and what starts them in `support`.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "the helpers of tests are tests")]

mod channel_accounts;
mod invitations;
mod operator;
mod peers;
mod sign_in;
mod support;
mod users;
