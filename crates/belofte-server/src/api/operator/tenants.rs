// SPDX-License-Identifier: EUPL-1.2
//! GET /operator/tenants: the tenants and their sizes.

use super::TenantList;
use crate::api::operation::{Answer, Caller, Content, Operation, Tag};

/// The endpoint.
pub const OPERATION: Operation =
    Operation::get("list_tenants", "/operator/tenants", Tag::Operator, "The tenants with numbers only")
        .caller(Caller::Operator)
        .answers(&[Answer {
            status: 200,
            meaning: "The tenants by name",
            content: Content::json::<TenantList>(),
        }]);
