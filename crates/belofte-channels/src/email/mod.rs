// SPDX-License-Identifier: EUPL-1.2
//! Internet mail: the listener that takes it in and the submission that hands answers over.

pub mod authentication;
pub mod authorisation;
mod command;
mod copies;
pub mod deliver;
mod dkim;
mod folder_name;
pub mod imap;
pub mod intake;
mod line;
pub mod listener;
mod message_body;
pub mod process;
pub mod reconcile;
mod reply;
mod report;
pub mod retrieve;
#[cfg(test)]
mod road_tests;
mod sign_in;
pub mod signing_record;
pub mod smtp_session;
mod spf;
pub mod submission;
mod submission_dialogue;
mod submission_outcome;
#[cfg(test)]
mod test_tls;

pub use line::client_tls;
pub use message_body::ByteBudget;
pub use reply::Reply;
pub use sign_in::Secret;
pub use submission_outcome::Step;
