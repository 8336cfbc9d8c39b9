// SPDX-License-Identifier: EUPL-1.2
//! Tests of the stores beneath the nouns: order of commits, kill -9, both engines.

mod conformance;
mod four_stores;
mod place;

pub(crate) use place::{access, places};
