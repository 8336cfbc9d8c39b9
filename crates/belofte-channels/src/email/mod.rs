// SPDX-License-Identifier: EUPL-1.2
//! Internet mail: the listener that takes it in and the submission that hands answers over.

mod command;
pub mod intake;
mod line;
pub mod listener;
mod message_body;
pub mod smtp_session;

pub use line::client_tls;
pub use message_body::ByteBudget;
