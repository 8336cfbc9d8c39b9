// SPDX-License-Identifier: EUPL-1.2
//! The one integration binary: the server against real peers.
//!
//! One file per noun, beside the peers and what starts them in `support`.

#![allow(clippy::unwrap_used, clippy::print_stderr, reason = "the helpers of tests are tests")]

mod attachments;
mod authorisation;
mod canary;
mod channel_accounts;
mod complaints;
mod contacts;
mod conversations;
mod crash;
mod database_tls;
mod dead_letters;
mod disk_full;
mod drafts;
mod empty;
mod fairness;
mod fields;
mod first_start;
mod hard_lines;
mod hard_mail;
mod hostile;
mod invitations;
mod key_and_cookie;
mod leaves;
mod live;
mod macros;
mod mail_authentication;
mod malware;
mod merging;
mod notifications;
mod observability;
mod once;
mod operator;
mod peers;
mod power_cut;
mod presence;
mod push;
mod queues;
mod reconcile;
mod remote_images;
mod reports;
mod restore;
mod retrieval;
mod road;
mod search;
mod second_factor;
mod shares;
mod sign_in;
mod signing;
mod stranger;
mod support;
mod two_nodes;
mod users;
mod views;
mod wall;
mod work_of_a_team;
mod writing;
