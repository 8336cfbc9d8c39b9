// SPDX-License-Identifier: EUPL-1.2
//! The one integration binary: the server against real peers.
//!
//! One file per noun, beside the peers and what starts them in `support`.

mod peers;
mod support;
