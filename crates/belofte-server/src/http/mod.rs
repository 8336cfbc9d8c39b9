// SPDX-License-Identifier: EUPL-1.2
//! HTTP: what every endpoint shares.

mod code;
mod problem;

pub use code::{Code, FieldCode};
pub use problem::{FieldProblem, MEDIA_TYPE as PROBLEM_MEDIA_TYPE, Organisation, Problem};
